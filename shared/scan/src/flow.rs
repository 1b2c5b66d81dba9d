//! One packet as the classifier sees it, and the flow it belongs to.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use probeline_record::{CellError, PacketRow, Proto, TcpFlags, Ts};
use serde::{Deserialize, Serialize};

use crate::names::{Reason, SynStack};
use crate::udp_reply::{Head, known_reply};
use crate::wire;

/// What a classifier needs to know of a packet.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Packet {
    /// When it was captured.
    #[serde(with = "wire::ts")]
    pub ts: Ts,
    /// Digits behind the point that the time came with, 6 or 9.
    pub ts_digits: u8,
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// Transport protocol.
    #[serde(with = "wire::proto")]
    pub proto: Proto,
    /// Source port, where there is one and it was captured.
    pub src_port: Option<u16>,
    /// Destination port, likewise.
    pub dst_port: Option<u16>,
    /// TCP flags, where captured.
    #[serde(with = "wire::flags")]
    pub flags: Option<TcpFlags>,
    /// TCP sequence number of a SYN/ACK, where captured.
    pub seq: Option<u32>,
    /// TCP acknowledgment number of an ACK, where captured.
    pub ack: Option<u32>,
    /// Length by the IP header, in octets.
    pub ip_len: u32,
    /// Payload length by the IP header, in octets; 0 where unknown.
    pub payload_len: u32,
    /// First chunk type (SCTP), where captured.
    pub sctp_chunk: Option<u8>,
    /// ICMP type, where captured.
    pub icmp_type: Option<u8>,
    /// ICMP code, where captured.
    pub icmp_code: Option<u8>,
    /// ICMP identifier, for types that have one.
    pub icmp_id: Option<u16>,
    /// UDP: the reason to take it for a reply.
    pub reply: Option<Reason>,
    /// A SYN: who made it.
    pub syn_stack: Option<SynStack>,
    /// A SYN: whether it is irregular in Spoki's sense.
    pub irregular: bool,
    /// The packet that an ICMP error quotes.
    pub quoted: Option<Quoted>,
}

/// The packet quoted in an ICMP error.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Quoted {
    /// Protocol.
    #[serde(with = "wire::proto")]
    pub proto: Proto,
    /// Who was made out to have sent it.
    pub src: IpAddr,
    /// Whom it was for.
    pub dst: IpAddr,
    /// Source port, where quoted.
    pub src_port: Option<u16>,
    /// Destination port, where quoted.
    pub dst_port: Option<u16>,
}

const SIX: fn(TcpFlags) -> TcpFlags = TcpFlags::classic;

impl Packet {
    /// What stands in the place of a packet until it is read.
    pub const NONE: Self = Self {
        ts: Ts::MIN,
        ts_digits: 6,
        src: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        dst: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        proto: Proto::TCP,
        src_port: None,
        dst_port: None,
        flags: None,
        seq: None,
        ack: None,
        ip_len: 0,
        payload_len: 0,
        sctp_chunk: None,
        icmp_type: None,
        icmp_code: None,
        icmp_id: None,
        reply: None,
        syn_stack: None,
        irregular: false,
        quoted: None,
    };

    /// The packet of a row.
    ///
    /// # Errors
    /// The first cell that does not hold what its column promises.
    pub fn from_row(row: &PacketRow<'_>) -> Result<Self, CellError> {
        let mut packet = Self::NONE;
        packet.read(row)?;
        Ok(packet)
    }

    /// [`Packet::NONE`] becomes the packet of a row, in its place: a packet that is copied right after it was written in
    /// pieces makes the processor wait.
    ///
    /// # Errors
    /// As [`Packet::from_row`]; what was read until then stays.
    pub fn read(&mut self, row: &PacketRow<'_>) -> Result<(), CellError> {
        let proto = row.proto()?;
        self.proto = proto;
        self.ts = row.ts()?;
        self.ts_digits = Ts::digits_of(row.ts_text());
        row.read_src_ip(&mut self.src)?;
        row.read_dst_ip(&mut self.dst)?;
        self.src_port = row.src_port()?;
        self.dst_port = row.dst_port()?;
        self.ip_len = row.ip_len()?.unwrap_or(0);
        self.payload_len = row.payload_len()?.unwrap_or(0);
        match proto {
            Proto::TCP => {
                self.flags = row.tcp_flags()?;
                // Numbers are asked for by the handshake only: of a SYN/ACK, and of an ACK.
                match self.flags {
                    Some(flags) if !flags.has(TcpFlags::ACK) => {}
                    Some(flags) if !flags.has(TcpFlags::SYN) => self.ack = row.tcp_ack()?,
                    _ => self.seq = row.tcp_seq()?,
                }
                if self.is_syn() {
                    self.syn_stack = self.stack_of(row.tcp_opts());
                    // Spoki (Hiesgen et al., USENIX Security 2022), §4: TTL above 200, no TCP options, or ZMap's IP ID.
                    let no_options = row.tcp_opts().is_empty() && self.syn_stack.is_some();
                    self.irregular =
                        no_options || row.ttl()?.is_some_and(|ttl| ttl > 200) || row.ip_id()? == Some(54321);
                }
            }
            Proto::UDP => {
                self.reply = self.src_port.and_then(|port| known_reply(port, row.payload_head()));
            }
            Proto::SCTP => self.sctp_chunk = Head(row.payload_head()).octet(0),
            Proto::ICMP | Proto::ICMP6 => {
                self.icmp_type = row.icmp_type()?;
                self.icmp_code = row.icmp_code()?;
                self.icmp_id = row.icmp_id()?;
                if let (Some(proto), Some(src), Some(dst)) =
                    (row.quoted_proto()?, row.quoted_src_ip()?, row.quoted_dst_ip()?)
                {
                    let (src_port, dst_port) = (row.quoted_src_port()?, row.quoted_dst_port()?);
                    self.quoted = Some(Quoted { proto, src, dst, src_port, dst_port });
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Who made a SYN with these option kinds (joined by `-`).
    fn stack_of(&self, options: &[u8]) -> Option<SynStack> {
        if options.is_empty() {
            // The fixed headers: 20 octets of TCP and 20 (IPv4) or 40 (IPv6). What is longer had options.
            let fixed = if self.src.is_ipv4() { 40 } else { 60 };
            let had_options = self.ip_len.saturating_sub(self.payload_len) > fixed;
            return (!had_options).then_some(SynStack::Raw);
        }
        // MSS (2) with window scale (3), SACK permitted (4) or timestamps (8): what connect() of every current
        // operating system sends (p0f v3 signatures).
        let (mut mss, mut more) = (false, false);
        for kind in options.split(|b| *b == b'-') {
            match kind {
                b"2" => mss = true,
                b"3" | b"4" | b"8" => more = true,
                _ => {}
            }
        }
        Some(if mss && more { SynStack::Os } else { SynStack::Raw })
    }

    /// Whether the six classic flags are SYN alone.
    #[inline]
    pub fn is_syn(&self) -> bool {
        self.flags.map(SIX) == Some(TcpFlags::SYN)
    }

    /// Whether it is an ICMP or ICMPv6 error (RFC 1122 §3.2.2, RFC 4443 §2.1).
    pub fn is_icmp_error(&self) -> bool {
        match (self.proto, self.icmp_type) {
            (Proto::ICMP, Some(kind)) => matches!(kind, 3 | 4 | 5 | 11 | 12),
            (Proto::ICMP6, Some(kind)) => matches!(kind, 1..=4),
            _ => false,
        }
    }

    /// The key of its flow, and whether it goes from the key's first end point to the second.
    #[inline(always)]
    pub fn key(&self) -> (FlowKey, bool) {
        match self.proto {
            Proto::ICMP | Proto::ICMP6 => {
                let tag = icmp_tag(self.proto, self.icmp_type, self.icmp_id);
                FlowKey::new(self.proto, (&self.src, tag), (&self.dst, tag))
            }
            _ => FlowKey::new(
                self.proto,
                end_point(&self.src, self.src_port),
                end_point(&self.dst, self.dst_port),
            ),
        }
    }
}

/// What stands for the ports of an ICMP flow: the type of the request, and the identifier where there is one.
fn icmp_tag(proto: Proto, kind: Option<u8>, id: Option<u16>) -> u32 {
    let Some(kind) = kind else { return NO_PORT };
    // Replies count under their request (RFC 792, RFC 950, RFC 4443 §4).
    let request = match (proto, kind) {
        (Proto::ICMP, 0) => 8,
        (Proto::ICMP, 14) => 13,
        (Proto::ICMP, 16) => 15,
        (Proto::ICMP, 18) => 17,
        (Proto::ICMP6, 129) => 128,
        _ => kind,
    };
    let has_id = matches!((proto, request), (Proto::ICMP, 8 | 13 | 15 | 17) | (Proto::ICMP6, 128));
    // One bit above the identifier keeps an absent one apart from 0.
    let id = if has_id { id.map_or(0, |id| 1 << 16 | u32::from(id)) } else { 0 };
    u32::from(request) << 17 | id
}

const NO_PORT: u32 = u32::MAX;

/// One end of a flow: an address, and a port or what stands for it.
type EndPoint<'a> = (&'a IpAddr, u32);

#[inline]
fn end_point(ip: &IpAddr, port: Option<u16>) -> EndPoint<'_> {
    (ip, port.map_or(NO_PORT, u32::from))
}

/// A protocol and two end points in order, so that both directions of a flow have one key.
///
/// In whole words without gaps: what is written in pieces and copied by the vector, as addresses of the standard library
/// are, makes the processor wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FlowKey {
    low: [u64; 2],
    high: [u64; 2],
    /// That of the low end point in the upper half.
    tags: u64,
    /// The protocol; bit 8: the low address is of IPv6, bit 9: the high one.
    kind: u64,
}

const LOW_V6: u64 = 1 << 8;
const HIGH_V6: u64 = 1 << 9;

impl Hash for FlowKey {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        if self.kind < LOW_V6 {
            state.write_u64(self.low[1] << 32 | self.high[1]);
        } else {
            for word in [self.low, self.high].as_flattened() {
                state.write_u64(*word);
            }
        }
        state.write_u64(self.tags);
        state.write_u16(self.kind as u16);
    }
}

/// Feeds two addresses to a hasher. Equal addresses of the two families differ in how much is fed.
#[inline]
pub(crate) fn hash_addresses<H: Hasher>(a: IpAddr, b: IpAddr, state: &mut H) {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            state.write_u64(u64::from(u32::from(a)) << 32 | u64::from(u32::from(b)));
        }
        _ => {
            for ip in [a, b] {
                match ip {
                    IpAddr::V4(ip) => state.write_u32(ip.into()),
                    IpAddr::V6(ip) => state.write_u128(ip.into()),
                }
            }
        }
    }
}

impl FlowKey {
    /// Without a branch, so that the key is made in registers and written once.
    #[inline(always)]
    fn new(proto: Proto, src: EndPoint<'_>, dst: EndPoint<'_>) -> (Self, bool) {
        let ((a, a_v6), (b, b_v6)) = (words(src.0), words(dst.0));
        let (a_tag, b_tag) = (u64::from(src.1), u64::from(dst.1));
        let bits = |[high, low]: [u64; 2]| u128::from(high) << 64 | u128::from(low);
        let (a_bits, b_bits) = (bits(a), bits(b));
        // Any order will do in which no two end points are equal.
        let forward = (a_bits < b_bits) | ((a_bits == b_bits) & ((a_tag << 1 | a_v6) <= (b_tag << 1 | b_v6)));
        let pick = |a: u64, b: u64| if forward { (a, b) } else { (b, a) };
        let ((low_0, high_0), (low_1, high_1)) = (pick(a[0], b[0]), pick(a[1], b[1]));
        let ((low_tag, high_tag), (low_v6, high_v6)) = (pick(a_tag, b_tag), pick(a_v6, b_v6));
        let tags = low_tag << 32 | high_tag;
        let kind = u64::from(proto.0) | low_v6 << 8 | high_v6 << 9;
        (Self { low: [low_0, low_1], high: [high_0, high_1], tags, kind }, forward)
    }

    /// The key of the flow that an ICMP error speaks of, and the direction of the quoted packet. An ICMP packet is
    /// quoted without its type in the rows, so its flow cannot be told.
    pub(crate) fn of_quoted(quoted: &Quoted) -> Option<(Self, bool)> {
        if matches!(quoted.proto, Proto::ICMP | Proto::ICMP6) {
            return None;
        }
        Some(Self::new(
            quoted.proto,
            end_point(&quoted.src, quoted.src_port),
            end_point(&quoted.dst, quoted.dst_port),
        ))
    }

    pub(crate) fn proto(&self) -> Proto {
        Proto(self.kind as u8)
    }

    /// The addresses, seen in this direction.
    #[inline]
    pub(crate) fn addresses(&self, forward: bool) -> (IpAddr, IpAddr) {
        let (low, high) = (address(self.low, self.kind & LOW_V6), address(self.high, self.kind & HIGH_V6));
        if forward { (low, high) } else { (high, low) }
    }

    /// Whether both ends are the same, so that direction says nothing.
    #[inline]
    pub(crate) fn is_loop(&self) -> bool {
        let same_family = matches!(self.kind & (LOW_V6 | HIGH_V6), 0 | 0x300);
        self.low == self.high && self.tags >> 32 == self.tags & 0xffff_ffff && same_family
    }
}

/// The bits of an address, and 1 where it is of IPv6.
#[inline(always)]
fn words(ip: &IpAddr) -> ([u64; 2], u64) {
    match ip {
        IpAddr::V4(ip) => ([0, ip.to_bits().into()], 0),
        IpAddr::V6(ip) => ([(ip.to_bits() >> 64) as u64, ip.to_bits() as u64], 1),
    }
}

#[inline]
fn address([high, low]: [u64; 2], v6: u64) -> IpAddr {
    if v6 == 0 {
        Ipv4Addr::from(low as u32).into()
    } else {
        Ipv6Addr::from(u128::from(high) << 64 | u128::from(low)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use probeline_record::{PacketColumns, RowReader};

    /// A payload longer than any packet is a row's claim like others.
    #[test]
    fn lengths_that_do_not_add_up() {
        let rows = "ts,src_ip,dst_ip,proto,tcp_flags,ip_len,payload_len\n\
                    1,192.0.2.1,192.0.2.2,tcp,S,40,4294967295\n\
                    1,192.0.2.1,192.0.2.2,tcp,S,44,0\n\
                    1,2001:db8::1,2001:db8::2,tcp,S,68,8\n";
        let mut rows = RowReader::new(rows.as_bytes()).unwrap();
        let columns = PacketColumns::find(&mut rows).unwrap();
        let mut stacks = Vec::new();
        while let Some(row) = rows.next_row().unwrap() {
            stacks.push(Packet::from_row(&columns.packet(row)).unwrap().syn_stack);
        }
        // Without the option kinds, 44 octets of IPv4 say that there were some, and not which.
        assert_eq!(stacks, [Some(SynStack::Raw), None, Some(SynStack::Raw)]);
    }
}
