//! The facts of one packet that marks are looked for in.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Deref;

use probeline_record::{CellError, Field, PacketRow, Proto, TcpFlags, Ts, field};

use crate::layout::Layout;
use crate::traits::Traits;

/// What kind of packet it is, as far as rules care: each rule names the kinds it can be asked of.
///
/// A packet belongs to a kind only if the field that tells the kind is there (TCP flags, ICMP type, ports); one that
/// was cut before it, or whose columns are missing, is [`Kind::Other`], and no rule is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// TCP over IPv4 whose classic flags are exactly S.
    Syn4,
    /// TCP over IPv6 whose classic flags are exactly S.
    Syn6,
    /// Any other TCP over IPv4.
    Tcp4,
    /// Any other TCP over IPv6.
    Tcp6,
    /// UDP over IPv4.
    Udp4,
    /// UDP over IPv6.
    Udp6,
    /// ICMP.
    Icmp4,
    /// ICMPv6.
    Icmp6,
    /// SCTP over IPv4.
    Sctp4,
    /// Nothing that a rule reads.
    Other,
}

impl Kind {
    /// How many kinds there are.
    pub const COUNT: usize = 10;
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// These kinds.
    pub const fn of(kinds: &[Kind]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < kinds.len() {
            bits |= 1 << kinds[i] as u16;
            i += 1;
        }
        Self(bits)
    }

    /// Whether this kind is among them.
    #[inline]
    pub const fn has(self, kind: Kind) -> bool {
        self.has_number(kind as usize)
    }

    /// The transport protocol of all of them, where it is one; ICMP stands for ICMPv6 as well.
    pub(crate) fn transport(self) -> Option<Proto> {
        use Kind::{Icmp4, Icmp6, Sctp4, Syn4, Syn6, Tcp4, Tcp6, Udp4, Udp6};
        let only = |kinds: Self| self.0 & !kinds.0 == 0;
        if only(Self::of(&[Syn4, Syn6, Tcp4, Tcp6])) {
            Some(Proto::TCP)
        } else if only(Self::of(&[Icmp4, Icmp6])) {
            Some(Proto::ICMP)
        } else if only(Self::of(&[Udp4, Udp6])) {
            Some(Proto::UDP)
        } else if only(Self::of(&[Sctp4])) {
            Some(Proto::SCTP)
        } else {
            None
        }
    }

    /// Whether the kind of this number is among them.
    #[inline]
    pub(crate) const fn has_number(self, kind: usize) -> bool {
        self.0 >> kind & 1 == 1
    }
}

/// Fields that a packet of its kind has and a row does not tell: cut off, without a column, or contradicting others. No
/// rule that needs one of them is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lacks(u16);

macro_rules! fields_that_may_lack {
    ($($field:ident = $bit:literal)*) => {
        impl Lacks {
            $(pub(crate) const $field: Self = Self(1 << $bit);)*
            const FIELDS: &[(&Field, Self)] = &[$((&field::$field, Self::$field)),*];
        }
    };
}

fields_that_may_lack! {
    SRC_PORT = 0 DST_PORT = 1 IP_LEN = 2 TTL = 3 IP_ID = 4 IP_TOS = 5 IP_DF = 6 TCP_SEQ = 7 TCP_ACK = 8 TCP_WIN = 9
    ICMP_CODE = 10 ICMP_ID = 11 ICMP_SEQ = 12 UDP_SUM = 13 PAYLOAD_LEN = 14
}

impl Lacks {
    /// The IP length, or the length behind the transport header: a data offset may contradict it (RFC 9293 §3.1).
    const LENGTHS: Self = Self::IP_LEN.or(Self::PAYLOAD_LEN);

    /// What sessions are told by.
    pub(crate) const SESSION: Self = Self::SRC_PORT
        .or(Self::DST_PORT)
        .or(Self::IP_ID)
        .or(Self::TCP_SEQ)
        .or(Self::TCP_ACK)
        .or(Self::TCP_WIN);

    /// These fields, as far as they can be lacking.
    pub(crate) fn of(fields: &[&Field]) -> Self {
        let is_one = |field: &Field| fields.iter().any(|other| other.name == field.name);
        Self(Self::FIELDS.iter().filter(|(field, _)| is_one(field)).fold(0, |bits, (_, one)| bits | one.0))
    }

    #[inline]
    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any of these is lacking.
    #[inline]
    pub(crate) const fn any_of(self, needs: Self) -> bool {
        self.0 & needs.0 != 0
    }

    /// Whether all of these are lacking.
    const fn all_of(self, fields: Self) -> bool {
        self.0 & fields.0 == fields.0
    }

    /// The value, or 0 and a note that it is lacking.
    #[inline]
    fn take<T: Default>(&mut self, field: Self, value: Option<T>) -> T {
        if value.is_none() {
            *self = self.or(field);
        }
        value.unwrap_or_default()
    }
}

/// The facts of a packet, small enough to keep. Fields that do not exist in a packet's kind, or are lacking, are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Time of capture.
    pub ts: Ts,
    /// Destination address.
    pub dst: IpAddr,
    /// What kind of packet it is.
    pub kind: Kind,
    /// What a packet of this kind has and this one does not tell.
    pub lacks: Lacks,
    /// Whether the IPv4 don't-fragment flag is set.
    pub df: bool,
    /// Time to live or hop limit, as seen.
    pub ttl: u8,
    /// Type of service octet.
    pub tos: u8,
    /// IPv4 identification.
    pub id: u16,
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// TCP flags.
    pub flags: TcpFlags,
    /// TCP window.
    pub win: u16,
    /// TCP sequence number.
    pub seq: u32,
    /// TCP acknowledgment number.
    pub ack: u32,
    /// IP length in octets.
    pub len: u32,
    /// Octets behind the transport header, by the IP length.
    pub payload_len: u32,
    /// Layout of the TCP options that were captured.
    pub opts: Layout,
    /// TCP maximum segment size option.
    pub mss: Option<u16>,
    /// TCP window scale option.
    pub wscale: Option<u8>,
    /// TCP timestamp value.
    pub tsval: Option<u32>,
    /// ICMP type.
    pub icmp_type: u8,
    /// ICMP code.
    pub icmp_code: u8,
    /// ICMP identifier.
    pub icmp_id: u16,
    /// ICMP sequence number.
    pub icmp_seq: u16,
    /// UDP checksum.
    pub udp_sum: u16,
    /// What follows from the others: [`Packet::new`] finds it.
    pub traits: Traits,
}

impl Facts {
    /// The destination as a number, 0 in IPv6.
    #[inline]
    pub fn dst4(&self) -> u32 {
        match self.dst {
            IpAddr::V4(dst) => u32::from(dst),
            IpAddr::V6(_) => 0,
        }
    }

    /// Octets between the fixed headers (IPv4 20, IPv6 40, TCP 20) and the payload: room of the TCP options, and of
    /// IP options and extension headers where there are any. As much as can be where the lengths do not tell.
    #[inline]
    pub fn room(&self) -> u32 {
        if self.lacks.any_of(Lacks::LENGTHS) {
            return u32::MAX;
        }
        let fixed = if self.dst.is_ipv4() { 40 } else { 60 };
        self.len.saturating_sub(self.payload_len).saturating_sub(fixed)
    }

    /// A TCP header without options, and no IP options.
    #[inline]
    pub fn bare(&self) -> bool {
        self.room() == 0
    }

    /// A maximum segment size of this value is the only TCP option. Where the capture was cut before the options, four
    /// octets of them are taken for it: no other single option of four octets is sent on a SYN.
    #[inline]
    pub fn only_mss(&self, mss: u16) -> bool {
        self.room() == 4
            && ((self.opts == Layout::of(&[2]) && self.mss == Some(mss)) || self.opts == Layout::NONE)
    }

    /// Sent with an initial time to live of 255: seen above 200, as no path is 55 hops long.
    #[inline]
    pub fn ttl_from_255(&self) -> bool {
        self.ttl > 200
    }

    /// Sent with an initial time to live of 128.
    #[inline]
    pub fn ttl_from_128(&self) -> bool {
        (65..=128).contains(&self.ttl)
    }

    /// Sent with an initial time to live of 64 or less.
    #[inline]
    pub fn ttl_from_64(&self) -> bool {
        self.ttl <= 64
    }

    /// No flag of explicit congestion notification (RFC 3168 §6.1.1): raw socket code asks for none.
    #[inline]
    pub fn without_ecn(&self) -> bool {
        self.flags == self.flags.classic()
    }

    /// Neither the don't-fragment flag, nor a type of service: what raw socket code leaves at zero.
    #[inline]
    pub fn plain_ip(&self) -> bool {
        !self.df && self.tos == 0
    }

    /// A number that differs, as far as it matters, between packets to different places.
    #[inline]
    pub fn target(&self) -> u64 {
        let dst = match self.dst {
            IpAddr::V4(dst) => u64::from(u32::from(dst)),
            IpAddr::V6(dst) => {
                let dst = u128::from(dst);
                mix(dst as u64) ^ (dst >> 64) as u64
            }
        };
        mix(dst << 16 ^ u64::from(self.dport))
    }

    /// A number that is equal for a packet and its retransmission by the same raw code: same target, sequence number
    /// and identification.
    #[inline]
    pub fn copy_mark(&self) -> u16 {
        let own = u64::from(self.seq) << 16 ^ u64::from(self.id) ^ u64::from(self.icmp_id) << 48;
        (mix(self.target() ^ mix(own)) >> 48) as u16
    }
}

/// The finalizer of MurmurHash3 (Austin Appleby, public domain): every input bit reaches every output bit.
#[inline]
fn mix(mut x: u64) -> u64 {
    x = (x ^ x >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    x = (x ^ x >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    x ^ x >> 33
}

/// The most payload octets that a rule looks at.
pub const PAYLOAD: usize = 32;

/// A packet: its facts, and the first octets of its payload where a rule may look at them.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    src: IpAddr,
    facts: Facts,
    payload: [u8; PAYLOAD],
    captured: u8,
}

impl Deref for Packet {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.facts
    }
}

impl Packet {
    /// The packet of a row.
    ///
    /// # Errors
    /// When a cell does not hold what its column promises.
    pub fn from_row(row: &PacketRow<'_>) -> Result<Self, CellError> {
        let mut packet = Self::unreadable();
        packet.fill(row)?;
        Ok(packet)
    }

    /// Appends the packet of a row, or an unreadable one where there is an error. It is written where it stays: what is
    /// copied right after it was written in pieces makes the processor wait.
    ///
    /// # Errors
    /// As [`Packet::from_row`].
    pub fn push_row(packets: &mut Vec<Self>, row: &PacketRow<'_>) -> Result<(), CellError> {
        packets.push(Self::unreadable());
        let Some(packet) = packets.last_mut() else { return Ok(()) };
        packet.fill(row).inspect_err(|_| *packet = Self::unreadable())
    }

    /// Fills the packet of a row into one that was unreadable.
    fn fill(&mut self, row: &PacketRow<'_>) -> Result<(), CellError> {
        let (facts, src) = (&mut self.facts, &mut self.src);
        facts.ts = row.ts()?;
        row.read_src_ip(src)?;
        row.read_dst_ip(&mut facts.dst)?;
        let kind = match row.proto()? {
            Proto::TCP => tcp(facts, row)?,
            Proto::UDP => udp(facts, row)?,
            Proto::ICMP | Proto::ICMP6 => icmp(facts, row)?,
            Proto::SCTP => sctp(facts, row)?,
            _ => None,
        };
        // Addresses of two families are no packet.
        let kind = kind.filter(|_| src.is_ipv4() == facts.dst.is_ipv4());
        facts.kind = kind.unwrap_or(Kind::Other);
        if kind.is_some() {
            facts.traits = Traits::of(facts);
            self.take_payload(row.payload_head());
        }
        Ok(())
    }

    /// A packet from this source with these facts and this payload, of which the first [`PAYLOAD`] octets are kept.
    pub fn new(src: IpAddr, mut facts: Facts, payload: &[u8]) -> Self {
        facts.traits = Traits::of(&facts);
        let mut packet =
            Self { src, facts, payload: [0; PAYLOAD], captured: payload.len().min(PAYLOAD) as u8 };
        packet.payload.iter_mut().zip(payload).for_each(|(place, octet)| *place = *octet);
        packet
    }

    /// A packet in which no rule finds anything, for a row that cannot be read.
    pub fn unreadable() -> Self {
        let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self { src: nowhere, facts: nothing(), payload: [0; PAYLOAD], captured: 0 }
    }

    /// Source address.
    pub fn src(&self) -> IpAddr {
        self.src
    }

    /// Its facts.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The first octets of the payload, as far as captured and at most [`PAYLOAD`].
    pub fn payload(&self) -> &[u8] {
        &self.payload[..usize::from(self.captured)]
    }

    /// Octets of the hexadecimal cell, up to the first that is none.
    fn take_payload(&mut self, hex: &[u8]) {
        for (place, pair) in self.payload.iter_mut().zip(hex.chunks_exact(2)) {
            let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else { return };
            *place = high << 4 | low;
            self.captured += 1;
        }
    }
}

fn digit(hex: u8) -> Option<u8> {
    match hex {
        b'0'..=b'9' => Some(hex - b'0'),
        b'a'..=b'f' => Some(hex - b'a' + 10),
        b'A'..=b'F' => Some(hex - b'A' + 10),
        _ => None,
    }
}

/// Facts of no packet, to be filled in.
#[inline]
fn nothing() -> Facts {
    Facts {
        ts: Ts::MIN,
        dst: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        kind: Kind::Other,
        lacks: Lacks::default(),
        df: false,
        ttl: 0,
        tos: 0,
        id: 0,
        sport: 0,
        dport: 0,
        flags: TcpFlags::default(),
        win: 0,
        seq: 0,
        ack: 0,
        len: 0,
        payload_len: 0,
        opts: Layout::NONE,
        mss: None,
        wscale: None,
        tsval: None,
        icmp_type: 0,
        icmp_code: 0,
        icmp_id: 0,
        icmp_seq: 0,
        udp_sum: 0,
        traits: Traits::NONE,
    }
}

/// What every IP header has.
#[inline]
fn ip(facts: &mut Facts, row: &PacketRow<'_>) -> Result<(), CellError> {
    let lacks = &mut facts.lacks;
    facts.len = lacks.take(Lacks::IP_LEN, row.ip_len()?);
    facts.ttl = lacks.take(Lacks::TTL, row.ttl()?);
    facts.tos = lacks.take(Lacks::IP_TOS, row.ip_tos()?);
    facts.payload_len = lacks.take(Lacks::PAYLOAD_LEN, row.payload_len()?);
    if facts.dst.is_ipv4() {
        facts.id = lacks.take(Lacks::IP_ID, row.ip_id()?);
        facts.df = lacks.take(Lacks::IP_DF, row.ip_df()?) != 0;
    }
    Ok(())
}

#[inline]
fn ports(facts: &mut Facts, row: &PacketRow<'_>) -> Result<(), CellError> {
    facts.sport = facts.lacks.take(Lacks::SRC_PORT, row.src_port()?);
    facts.dport = facts.lacks.take(Lacks::DST_PORT, row.dst_port()?);
    Ok(())
}

fn tcp(facts: &mut Facts, row: &PacketRow<'_>) -> Result<Option<Kind>, CellError> {
    let Some(flags) = row.tcp_flags()? else { return Ok(None) };
    facts.flags = flags;
    ip(facts, row)?;
    ports(facts, row)?;
    facts.seq = facts.lacks.take(Lacks::TCP_SEQ, row.tcp_seq()?);
    facts.ack = facts.lacks.take(Lacks::TCP_ACK, row.tcp_ack()?);
    facts.win = facts.lacks.take(Lacks::TCP_WIN, row.tcp_win()?);
    let opts = row.tcp_opts();
    if !opts.is_empty() {
        facts.opts = Layout::parse(opts);
        facts.mss = row.tcp_mss()?;
        facts.wscale = row.tcp_wscale()?;
        facts.tsval = row.tcp_tsval()?;
    }
    Ok(Some(match (facts.flags.classic() == TcpFlags::SYN, facts.dst.is_ipv4()) {
        (true, true) => Kind::Syn4,
        (true, false) => Kind::Syn6,
        (false, true) => Kind::Tcp4,
        (false, false) => Kind::Tcp6,
    }))
}

fn udp(facts: &mut Facts, row: &PacketRow<'_>) -> Result<Option<Kind>, CellError> {
    ip(facts, row)?;
    ports(facts, row)?;
    facts.udp_sum = facts.lacks.take(Lacks::UDP_SUM, row.udp_sum()?);
    // A later fragment has nothing of the header.
    let has_header = !facts.lacks.all_of(Lacks::SRC_PORT.or(Lacks::DST_PORT).or(Lacks::UDP_SUM));
    Ok(has_header.then_some(if facts.dst.is_ipv4() { Kind::Udp4 } else { Kind::Udp6 }))
}

fn icmp(facts: &mut Facts, row: &PacketRow<'_>) -> Result<Option<Kind>, CellError> {
    let Some(icmp_type) = row.icmp_type()? else { return Ok(None) };
    facts.icmp_type = icmp_type;
    ip(facts, row)?;
    facts.icmp_code = facts.lacks.take(Lacks::ICMP_CODE, row.icmp_code()?);
    facts.icmp_id = facts.lacks.take(Lacks::ICMP_ID, row.icmp_id()?);
    facts.icmp_seq = facts.lacks.take(Lacks::ICMP_SEQ, row.icmp_seq()?);
    Ok(Some(if facts.dst.is_ipv4() { Kind::Icmp4 } else { Kind::Icmp6 }))
}

fn sctp(facts: &mut Facts, row: &PacketRow<'_>) -> Result<Option<Kind>, CellError> {
    ip(facts, row)?;
    ports(facts, row)?;
    let has_header = !facts.lacks.all_of(Lacks::SRC_PORT.or(Lacks::DST_PORT));
    Ok((facts.dst.is_ipv4() && has_header).then_some(Kind::Sctp4))
}
