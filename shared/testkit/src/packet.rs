//! Frames, byte by byte.

use std::net::IpAddr;

use crate::checksum;
use crate::{Address, TcpOption};

/// What stands before the IP header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// Ethernet II, with VLAN tags where asked for.
    #[default]
    Ethernet,
    /// Nothing (LINKTYPE_RAW).
    Raw,
    /// The BSD loopback header: an address family in four bytes, here little-endian (LINKTYPE_NULL).
    Null,
    /// Linux "cooked" capture, version 1 (LINKTYPE_LINUX_SLL).
    Sll,
}

impl Link {
    /// The number that capture files give it.
    pub fn number(self) -> u32 {
        match self {
            Self::Ethernet => 1,
            Self::Raw => 101,
            Self::Null => 0,
            Self::Sll => 113,
        }
    }
}

#[derive(Clone, Debug)]
enum Body {
    Tcp(Tcp),
    Udp { src_port: u16, dst_port: u16 },
    Icmp { kind: u8, code: u8, rest: [u8; 4] },
    Sctp { src_port: u16, dst_port: u16, chunk: u8 },
    Other(u8),
}

#[derive(Clone, Debug)]
struct Tcp {
    src_port: u16,
    dst_port: u16,
    flags: u16,
    seq: u32,
    ack: u32,
    win: u16,
    urgent: u16,
    options: Vec<TcpOption>,
}

/// A packet in the making. Unless told otherwise: TTL 64, identification 0, don't-fragment set, correct
/// checksums, no payload, no flags; Ethernet without tags.
///
/// Methods that make no sense for the packet at hand (`flags` of a UDP datagram) panic.
#[derive(Clone, Debug)]
pub struct Packet {
    link: Link,
    vlans: Vec<u16>,
    src: IpAddr,
    dst: IpAddr,
    ttl: u8,
    tos: u8,
    id: u16,
    df: bool,
    fragment: Option<(u16, bool)>,
    body: Body,
    payload: Vec<u8>,
    false_checksum: bool,
    checksum: Option<u16>,
}

impl Packet {
    fn new(src: impl Address, dst: impl Address, body: Body) -> Self {
        let (src, dst) = (src.ip(), dst.ip());
        assert_eq!(src.is_ipv4(), dst.is_ipv4(), "{src} and {dst} are of different families");
        Self {
            link: Link::Ethernet,
            vlans: Vec::new(),
            src,
            dst,
            ttl: 64,
            tos: 0,
            id: 0,
            df: true,
            fragment: None,
            body,
            payload: Vec::new(),
            false_checksum: false,
            checksum: None,
        }
    }

    /// A TCP segment without flags: sequence number 0, window 0, no options.
    pub fn tcp(src: impl Address, src_port: u16, dst: impl Address, dst_port: u16) -> Self {
        let tcp =
            Tcp { src_port, dst_port, flags: 0, seq: 0, ack: 0, win: 0, urgent: 0, options: Vec::new() };
        Self::new(src, dst, Body::Tcp(tcp))
    }

    /// A UDP datagram.
    pub fn udp(src: impl Address, src_port: u16, dst: impl Address, dst_port: u16) -> Self {
        Self::new(src, dst, Body::Udp { src_port, dst_port })
    }

    /// An ICMP message, or ICMPv6 between IPv6 addresses; its second word is zero.
    pub fn icmp(src: impl Address, dst: impl Address, kind: u8, code: u8) -> Self {
        Self::new(src, dst, Body::Icmp { kind, code, rest: [0; 4] })
    }

    /// An ICMP or ICMPv6 echo request.
    pub fn ping(src: impl Address, dst: impl Address, id: u16, seq: u16) -> Self {
        let src = src.ip();
        Self::icmp(src, dst, if src.is_ipv4() { 8 } else { 128 }, 0).icmp_id(id).icmp_seq(seq)
    }

    /// An SCTP packet with one chunk: 1 is INIT, 10 COOKIE ECHO (RFC 9260 §3.2).
    pub fn sctp(src: impl Address, src_port: u16, dst: impl Address, dst_port: u16, chunk: u8) -> Self {
        Self::new(src, dst, Body::Sctp { src_port, dst_port, chunk })
    }

    /// A packet of any other protocol; what follows the IP header is the payload.
    pub fn ip(src: impl Address, dst: impl Address, proto: u8) -> Self {
        Self::new(src, dst, Body::Other(proto))
    }

    /// What comes before the IP header.
    #[must_use]
    pub fn link(mut self, link: Link) -> Self {
        self.link = link;
        self
    }

    /// One more VLAN tag (IEEE 802.1Q), inside those before it.
    #[must_use]
    pub fn vlan(mut self, id: u16) -> Self {
        self.vlans.push(id);
        self
    }

    /// Time to live, or hop limit.
    #[must_use]
    pub fn ttl(mut self, ttl: u8) -> Self {
        self.ttl = ttl;
        self
    }

    /// Type of service, or traffic class: the whole byte.
    #[must_use]
    pub fn tos(mut self, tos: u8) -> Self {
        self.tos = tos;
        self
    }

    /// IPv4 identification.
    #[must_use]
    pub fn id(mut self, id: u16) -> Self {
        self.id = id;
        self
    }

    /// The IPv4 don't-fragment bit.
    #[must_use]
    pub fn df(mut self, df: bool) -> Self {
        self.df = df;
        self
    }

    /// Makes it a fragment: offset in units of eight bytes, and whether more follow. The payload is cut by
    /// the caller; a fragment with an offset consists of the payload alone, without a transport header.
    #[must_use]
    pub fn fragment(mut self, offset: u16, more: bool) -> Self {
        self.fragment = Some((offset, more));
        self.df = false;
        self
    }

    /// TCP flags as letters of `FSRPAUECN` in any order; `.` is none.
    #[must_use]
    pub fn flags(mut self, letters: &str) -> Self {
        self.tcp_mut().flags = flag_bits(letters);
        self
    }

    /// TCP sequence number.
    #[must_use]
    pub fn seq(mut self, seq: u32) -> Self {
        self.tcp_mut().seq = seq;
        self
    }

    /// TCP acknowledgement number.
    #[must_use]
    pub fn ack(mut self, ack: u32) -> Self {
        self.tcp_mut().ack = ack;
        self
    }

    /// TCP window, as it stands in the header.
    #[must_use]
    pub fn win(mut self, win: u16) -> Self {
        self.tcp_mut().win = win;
        self
    }

    /// TCP urgent pointer.
    #[must_use]
    pub fn urgent(mut self, urgent: u16) -> Self {
        self.tcp_mut().urgent = urgent;
        self
    }

    /// TCP options, in wire order.
    #[must_use]
    pub fn options(mut self, options: impl IntoIterator<Item = TcpOption>) -> Self {
        self.tcp_mut().options = options.into_iter().collect();
        self
    }

    /// One option: the maximum segment size.
    #[must_use]
    pub fn mss(self, mss: u16) -> Self {
        self.options([TcpOption::Mss(mss)])
    }

    /// ICMP identifier: the upper half of the second word.
    #[must_use]
    pub fn icmp_id(mut self, id: u16) -> Self {
        self.icmp_rest_mut()[..2].copy_from_slice(&id.to_be_bytes());
        self
    }

    /// ICMP sequence number: the lower half of the second word.
    #[must_use]
    pub fn icmp_seq(mut self, seq: u16) -> Self {
        self.icmp_rest_mut()[2..].copy_from_slice(&seq.to_be_bytes());
        self
    }

    /// The payload: for an ICMP error, see [`Packet::quoting`].
    #[must_use]
    pub fn payload(mut self, payload: impl Into<Vec<u8>>) -> Self {
        self.payload = payload.into();
        self
    }

    /// Makes the payload the start of another packet, from its IP header on: what an ICMP error carries. With
    /// `limit` bytes of it at most; RFC 792 asks for the IP header and 8 bytes more, which is 28.
    #[must_use]
    pub fn quoting(self, packet: &Packet, limit: usize) -> Self {
        let mut bytes = packet.ip_bytes();
        bytes.truncate(limit);
        self.payload(bytes)
    }

    /// Makes the transport checksum wrong.
    #[must_use]
    pub fn false_checksum(mut self) -> Self {
        self.false_checksum = true;
        self
    }

    /// Sets the 16-bit transport checksum to this, such as 0 for a UDP datagram without one.
    #[must_use]
    pub fn checksum(mut self, checksum: u16) -> Self {
        self.checksum = Some(checksum);
        self
    }

    /// The link type under which a capture file holds this frame.
    pub fn link_type(&self) -> u32 {
        self.link.number()
    }

    /// The source address.
    pub fn src(&self) -> IpAddr {
        self.src
    }

    /// The destination address.
    pub fn dst(&self) -> IpAddr {
        self.dst
    }

    fn tcp_mut(&mut self) -> &mut Tcp {
        match &mut self.body {
            Body::Tcp(tcp) => tcp,
            other => panic!("a TCP field of {other:?}"),
        }
    }

    fn icmp_rest_mut(&mut self) -> &mut [u8; 4] {
        match &mut self.body {
            Body::Icmp { rest, .. } => rest,
            other => panic!("an ICMP field of {other:?}"),
        }
    }

    /// The whole frame.
    pub fn bytes(&self) -> Vec<u8> {
        let ether_type: u16 = if self.src.is_ipv4() { 0x0800 } else { 0x86dd };
        let mut out = Vec::new();
        match self.link {
            Link::Ethernet => {
                // Locally administered addresses, so that they belong to no one.
                out.extend([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
                for (i, id) in self.vlans.iter().enumerate() {
                    // The tag nearest to the payload is a customer tag, those outside it service tags
                    // (802.1ad).
                    let tpid: u16 = if i + 1 == self.vlans.len() { 0x8100 } else { 0x88a8 };
                    out.extend(tpid.to_be_bytes());
                    out.extend(id.to_be_bytes());
                }
                out.extend(ether_type.to_be_bytes());
            }
            Link::Raw => {}
            Link::Null => out.extend((if self.src.is_ipv4() { 2_u32 } else { 30 }).to_le_bytes()),
            Link::Sll => {
                out.extend([0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
                out.extend(ether_type.to_be_bytes());
            }
        }
        assert!(self.vlans.is_empty() || self.link == Link::Ethernet, "VLAN tags are Ethernet's");
        out.extend(self.ip_bytes());
        out
    }

    /// The packet from its IP header on.
    pub fn ip_bytes(&self) -> Vec<u8> {
        let later_fragment = self.fragment.is_some_and(|(offset, _)| offset > 0);
        let transport = if later_fragment { self.payload.clone() } else { self.transport_bytes() };
        let mut out = match (self.src, self.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let (offset, more) = self.fragment.unwrap_or((0, false));
                let mut header = vec![0x45, self.tos];
                header.extend(length(20 + transport.len()).to_be_bytes());
                header.extend(self.id.to_be_bytes());
                let bits = (u16::from(self.df) << 14) | (u16::from(more) << 13) | offset;
                header.extend(bits.to_be_bytes());
                header.extend([self.ttl, self.proto(), 0, 0]);
                header.extend(src.octets());
                header.extend(dst.octets());
                let sum = checksum::internet(&[&header]);
                header[10..12].copy_from_slice(&sum.to_be_bytes());
                header
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                let extension = self.fragment.map(|(offset, more)| {
                    let mut header = vec![self.proto(), 0];
                    header.extend(((offset << 3) | u16::from(more)).to_be_bytes());
                    header.extend(u32::from(self.id).to_be_bytes());
                    header
                });
                let mut header = vec![0x60 | (self.tos >> 4), self.tos << 4, 0, 0];
                header.extend(length(transport.len() + extension.as_ref().map_or(0, Vec::len)).to_be_bytes());
                header.extend([if extension.is_some() { 44 } else { self.proto() }, self.ttl]);
                header.extend(src.octets());
                header.extend(dst.octets());
                header.extend(extension.unwrap_or_default());
                header
            }
            _ => unreachable!("the constructor compares the families"),
        };
        out.extend(transport);
        out
    }

    fn proto(&self) -> u8 {
        match self.body {
            Body::Tcp(_) => 6,
            Body::Udp { .. } => 17,
            Body::Icmp { .. } if self.src.is_ipv4() => 1,
            Body::Icmp { .. } => 58,
            Body::Sctp { .. } => 132,
            Body::Other(proto) => proto,
        }
    }

    fn transport_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match &self.body {
            Body::Tcp(tcp) => {
                let options = TcpOption::encode(&tcp.options);
                out.extend(tcp.src_port.to_be_bytes());
                out.extend(tcp.dst_port.to_be_bytes());
                out.extend(tcp.seq.to_be_bytes());
                out.extend(tcp.ack.to_be_bytes());
                let words = (20 + options.len()) as u16 / 4;
                out.extend(((words << 12) | tcp.flags).to_be_bytes());
                out.extend(tcp.win.to_be_bytes());
                out.extend([0, 0]);
                out.extend(tcp.urgent.to_be_bytes());
                out.extend(options);
                out.extend(&self.payload);
                let sum = self.sum_with_pseudo_header(&out);
                self.put_checksum(&mut out, 16, sum);
            }
            Body::Udp { src_port, dst_port } => {
                out.extend(src_port.to_be_bytes());
                out.extend(dst_port.to_be_bytes());
                out.extend(length(8 + self.payload.len()).to_be_bytes());
                out.extend([0, 0]);
                out.extend(&self.payload);
                // A computed zero is sent as all ones, because zero means "none" (RFC 768).
                let sum = match self.sum_with_pseudo_header(&out) {
                    0 => u16::MAX,
                    sum => sum,
                };
                self.put_checksum(&mut out, 6, sum);
            }
            Body::Icmp { kind, code, rest } => {
                out.extend([*kind, *code, 0, 0]);
                out.extend(rest);
                out.extend(&self.payload);
                let sum = if self.src.is_ipv4() {
                    checksum::internet(&[&out])
                } else {
                    self.sum_with_pseudo_header(&out)
                };
                self.put_checksum(&mut out, 2, sum);
            }
            Body::Sctp { src_port, dst_port, chunk } => {
                out.extend(src_port.to_be_bytes());
                out.extend(dst_port.to_be_bytes());
                // An INIT is sent with a verification tag of zero (RFC 9260 §8.5.1).
                out.extend((if *chunk == 1 { 0_u32 } else { 1 }).to_be_bytes());
                out.extend([0; 4]);
                let value = if *chunk == 1 && self.payload.is_empty() {
                    // Initiate tag, window, streams out and in, first TSN (RFC 9260 §3.3.2).
                    vec![0, 0, 0, 1, 0, 1, 0, 0, 0, 10, 0, 10, 0, 0, 0, 1]
                } else {
                    self.payload.clone()
                };
                out.extend([*chunk, 0]);
                out.extend(length(4 + value.len()).to_be_bytes());
                out.extend(&value);
                out.resize(out.len().next_multiple_of(4), 0);
                let crc = checksum::crc32c(&out) ^ u32::from(self.false_checksum);
                out[8..12].copy_from_slice(&crc.to_le_bytes());
            }
            Body::Other(_) => out.extend(&self.payload),
        }
        out
    }

    fn put_checksum(&self, bytes: &mut [u8], at: usize, sum: u16) {
        let sum = self.checksum.unwrap_or(sum);
        // 0x5555 differs from 0 and 0xffff alike, so a falsified sum never turns into "none".
        let sum = if self.false_checksum { sum ^ 0x5555 } else { sum };
        bytes[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    }

    fn sum_with_pseudo_header(&self, transport: &[u8]) -> u16 {
        let len = transport.len() as u32;
        match (self.src, self.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => checksum::internet(&[
                &src.octets(),
                &dst.octets(),
                &[0, self.proto()],
                &(len as u16).to_be_bytes(),
                transport,
            ]),
            (IpAddr::V6(src), IpAddr::V6(dst)) => checksum::internet(&[
                &src.octets(),
                &dst.octets(),
                &len.to_be_bytes(),
                &[0, 0, 0, self.proto()],
                transport,
            ]),
            _ => unreachable!("the constructor compares the families"),
        }
    }
}

fn length(bytes: usize) -> u16 {
    u16::try_from(bytes).expect("IP and UDP count bytes in 16 bits")
}

fn flag_bits(letters: &str) -> u16 {
    letters
        .chars()
        .filter(|letter| *letter != '.')
        .map(|letter| {
            let bit = "FSRPAUECN".find(letter).unwrap_or_else(|| panic!("'{letter}' is no TCP flag"));
            1 << bit
        })
        .fold(0, |all, bit: u16| all | bit)
}

/// Bytes from hexadecimal digits; spaces may stand between them.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).unwrap_or_else(|| panic!("'{c}' in '{text}' is no hexadecimal digit")) as u8)
        .collect();
    assert!(digits.len().is_multiple_of(2), "'{text}' has half a byte too much");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_syn() {
        let bytes = Packet::tcp("203.0.113.7", 40000, "198.51.100.1", 22).flags("S").seq(1).win(1024).bytes();
        assert_eq!(bytes.len(), 54);
        assert_eq!(bytes[12..14], [8, 0]);
        assert_eq!(bytes[23], 6);
        assert_eq!(bytes[47], 0b10);
        // A correct header sums to zero (RFC 1071 §1).
        assert_eq!(checksum::internet(&[&bytes[14..34]]), 0);
    }

    #[test]
    fn letters_are_bits_from_fin_to_nonce() {
        assert_eq!(flag_bits("."), 0);
        assert_eq!(flag_bits("FPU"), 0x29);
        assert_eq!(flag_bits("SEC"), 0xc2);
        assert_eq!(flag_bits("N"), 0x100);
    }

    #[test]
    #[should_panic(expected = "different families")]
    fn one_family_a_packet() {
        let _ = Packet::udp("203.0.113.7", 1, "2001:db8::1", 2);
    }
}
