//! ICMP (RFC 792) and ICMPv6 (RFC 4443), and the packets their errors quote.

use std::net::IpAddr;

use super::{Decoded, ports};
use crate::bytes::Span;
use crate::link::Found;
use crate::net::{self, Follows};
use crate::packet::Transport;
use crate::proto;

/// Octets before the data: type, code, checksum and four octets whose meaning depends on the type.
const HEADER: usize = 8;

/// An ICMP or ICMPv6 message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Icmp {
    /// Type.
    pub kind: Option<u8>,
    /// Code.
    pub code: Option<u8>,
    /// Checksum.
    pub sum: Option<u16>,
    /// Identifier, of the types that have one: echo, timestamp, information and address mask, requests and replies
    /// (RFC 792, RFC 950), ICMPv6 echo, extended echo of both (RFC 8335).
    pub id: Option<u16>,
    /// Sequence number, of the same types but for extended echo, where it has 8 bits and other neighbours.
    pub seq: Option<u16>,
    /// The packet an error is about.
    pub quoted: Option<Quoted>,
}

/// The packet quoted in an ICMP error: destination unreachable, source quench, redirect, time exceeded, parameter
/// problem (types 3, 4, 5, 11, 12; ICMPv6: 1 to 4). Present once both addresses were captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quoted {
    /// Its source address: the address that somebody used.
    pub src: IpAddr,
    /// Its destination address.
    pub dst: IpAddr,
    /// Its protocol, after extension headers.
    pub proto: u8,
    /// Its source port (TCP, UDP, SCTP).
    pub src_port: Option<u16>,
    /// Its destination port (TCP, UDP, SCTP).
    pub dst_port: Option<u16>,
}

/// What stands in the second half of the header, and after it.
#[derive(Clone, Copy)]
enum Fields {
    IdSeq,
    Id,
    Quote(Found),
    Other,
}

#[inline]
pub(super) fn parse_v4(span: Span<'_>) -> Decoded<'_> {
    let kind = span.u8(0);
    let fields = match kind {
        Some(0 | 8 | 13..=18) => Fields::IdSeq,
        Some(42 | 43) => Fields::Id,
        Some(3 | 4 | 5 | 11 | 12) => Fields::Quote(Found::Any),
        _ => Fields::Other,
    };
    parse(span, fields)
}

#[inline]
pub(super) fn parse_v6(span: Span<'_>) -> Decoded<'_> {
    let kind = span.u8(0);
    let fields = match kind {
        Some(128 | 129) => Fields::IdSeq,
        Some(160 | 161) => Fields::Id,
        Some(1..=4) => Fields::Quote(Found::V6),
        _ => Fields::Other,
    };
    parse(span, fields)
}

fn parse(span: Span<'_>, fields: Fields) -> Decoded<'_> {
    let icmp = Icmp {
        kind: span.u8(0),
        code: span.u8(1),
        sum: span.u16(2),
        id: match fields {
            Fields::IdSeq | Fields::Id => span.u16(4),
            _ => None,
        },
        seq: match fields {
            Fields::IdSeq => span.u16(6),
            _ => None,
        },
        quoted: match fields {
            Fields::Quote(found) => quoted(found, span.after(HEADER)),
            _ => None,
        },
    };
    (Transport::Icmp(icmp), (span.wire >= HEADER).then(|| span.after(HEADER)))
}

fn quoted(found: Found, span: Span<'_>) -> Option<Quoted> {
    let ip = net::parse(found, span).ok()?;
    let (src_port, dst_port) = match (ip.follows, ip.proto) {
        (Follows::Transport, proto::TCP | proto::UDP | proto::SCTP) => ports(ip.payload),
        _ => (None, None),
    };
    Some(Quoted { src: ip.src, dst: ip.dst, proto: ip.proto, src_port, dst_port })
}

#[cfg(test)]
mod tests {
    use crate::net::testing::{ipv4, ipv6, read, read_cut, tcp, udp};
    use crate::{Icmp, Packet, Transport};

    fn message(packet: &Packet<'_>) -> Icmp {
        let Transport::Icmp(icmp) = packet.transport else { panic!("{:?}", packet.transport) };
        icmp
    }

    fn v4(kind: u8, rest: &[u8]) -> Vec<u8> {
        ipv4(1, &[&[kind, 1, 0xab, 0xcd, 1, 2, 3, 4][..], rest].concat())
    }

    fn v6(kind: u8, rest: &[u8]) -> Vec<u8> {
        ipv6(58, &[&[kind, 1, 0xab, 0xcd, 1, 2, 3, 4][..], rest].concat())
    }

    /// Which types have which fields: tshark 4.0 over all types.
    #[test]
    fn identifier_and_sequence_number_belong_to_some_types() {
        for kind in 0..=255 {
            let bytes = v4(kind, b"data");
            let icmp = message(&read(&bytes).expect("a packet"));
            let both = matches!(kind, 0 | 8 | 13..=18);
            assert_eq!(icmp.id, (both || matches!(kind, 42 | 43)).then_some(0x0102), "{kind}");
            assert_eq!(icmp.seq, both.then_some(0x0304), "{kind}");
            let bytes = v6(kind, b"data");
            let icmp = message(&read(&bytes).expect("a packet"));
            let both = matches!(kind, 128 | 129);
            assert_eq!(icmp.id, (both || matches!(kind, 160 | 161)).then_some(0x0102), "{kind}");
            assert_eq!(icmp.seq, both.then_some(0x0304), "{kind}");
        }
    }

    #[test]
    fn test_echo() {
        let bytes = v4(8, b"data");
        let packet = read(&bytes).expect("a packet");
        let icmp = message(&packet);
        assert_eq!((icmp.kind, icmp.code, icmp.sum), (Some(8), Some(1), Some(0xabcd)));
        assert_eq!((packet.payload, packet.payload_len), (&b"data"[..], Some(4)));
        for captured in 0..8 {
            let icmp = message(&read_cut(&bytes, 20 + captured).expect("a packet"));
            let there = [
                icmp.kind.is_some(),
                icmp.code.is_some(),
                icmp.sum.is_some(),
                icmp.id.is_some(),
                icmp.seq.is_some(),
            ];
            assert_eq!(there, [1, 2, 4, 6, 8].map(|end| captured >= end));
        }
    }

    /// RFC 792: the internet header and 64 bits of its data.
    #[test]
    fn test_quoted() {
        let inside = ipv4(6, &tcp(&[], b""));
        for kind in [3, 4, 5, 11, 12] {
            let bytes = v4(kind, &inside[..28]);
            let quoted = message(&read(&bytes).expect("a packet")).quoted.expect("quoted");
            assert_eq!(
                (quoted.src.to_string(), quoted.dst.to_string()),
                ("192.0.2.1".into(), "198.51.100.2".into())
            );
            assert_eq!((quoted.proto, quoted.src_port, quoted.dst_port), (6, Some(40_000), Some(23)));
        }
        for kind in 1..=4 {
            let inside = ipv6(60, &[&[17, 0, 1, 4, 0, 0, 0, 0][..], &udp(b"x")].concat());
            let bytes = v6(kind, &inside);
            let quoted = message(&read(&bytes).expect("a packet")).quoted.expect("quoted");
            assert_eq!(
                (quoted.src.to_string(), quoted.dst.to_string()),
                ("2001:db8::1".into(), "2001:db8::2".into())
            );
            assert_eq!((quoted.proto, quoted.src_port, quoted.dst_port), (17, Some(40_000), Some(53)));
        }
        let bytes = v4(8, &inside);
        assert_eq!(message(&read(&bytes).expect("a packet")).quoted, None);
    }

    #[test]
    fn a_quoted_packet_cut_anywhere() {
        let bytes = v4(3, &ipv4(17, &udp(b"abcd")));
        for captured in 0..bytes.len() - 28 {
            let quoted = message(&read_cut(&bytes, 28 + captured).expect("a packet")).quoted;
            assert_eq!(quoted.is_some(), captured >= 20);
            assert_eq!(quoted.and_then(|quoted| quoted.src_port).is_some(), captured >= 22);
            assert_eq!(quoted.and_then(|quoted| quoted.dst_port).is_some(), captured >= 24);
        }
    }

    #[test]
    fn a_quoted_fragment_has_no_ports() {
        let mut inside = ipv4(17, &udp(b"abcd"));
        inside[7] = 9;
        let bytes = v4(11, &inside);
        let quoted = message(&read(&bytes).expect("a packet")).quoted.expect("quoted");
        assert_eq!((quoted.proto, quoted.src_port, quoted.dst_port), (17, None, None));
    }

    #[test]
    fn test_malformed_quote() {
        let mut inside = ipv4(17, &udp(b"abcd"));
        inside[0] = 0x43;
        let bytes = v4(11, &inside);
        assert_eq!(message(&read(&bytes).expect("a packet")).quoted, None);
        let bytes = v6(1, &ipv4(17, &udp(b"")));
        assert_eq!(message(&read(&bytes).expect("a packet")).quoted, None);
        let bytes = v4(11, &ipv4(132, &[0, 7, 0, 9, 0, 0, 0, 5]));
        let quoted = message(&read(&bytes).expect("a packet")).quoted.expect("quoted");
        assert_eq!((quoted.proto, quoted.src_port, quoted.dst_port), (132, Some(7), Some(9)));
    }
}
