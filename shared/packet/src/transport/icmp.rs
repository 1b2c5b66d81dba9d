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
