//! Tunnels: where the next packet begins inside this one.

use super::{Follows, Ip};
use crate::bytes::Span;
use crate::link::Step;
use crate::proto;

const VXLAN_PORT: u16 = 4789; // RFC 7348
const GENEVE_PORT: u16 = 6081; // RFC 8926

/// What this packet carries that may hold another packet, if it is a tunnel.
pub(crate) fn enter<'a>(ip: &Ip<'a>) -> Option<(Step, Span<'a>)> {
    if ip.follows != Follows::Transport {
        return None;
    }
    match ip.proto {
        proto::IPV4 => Some((Step::Ip, ip.payload)),
        proto::IPV6 => Some((Step::Ipv6, ip.payload)),
        proto::GRE => gre(ip.payload),
        proto::UDP => {
            // Either port, as in tshark: answers and mirrored traffic come from it.
            let ports = [ip.payload.u16(0)?, ip.payload.u16(2)?];
            if ports.contains(&VXLAN_PORT) {
                vxlan(datagram(ip.payload)?)
            } else if ports.contains(&GENEVE_PORT) {
                geneve(datagram(ip.payload)?)
            } else {
                None
            }
        }
        _ => None,
    }
}

fn datagram(span: Span<'_>) -> Option<Span<'_>> {
    let length = usize::from(span.u16(4)?);
    (length >= 8).then(|| span.limit(length).after(8))
}

/// GRE: RFC 2784 with key and sequence number of RFC 2890, version 1 of RFC 2637, and ERSPAN
/// (draft-foschiano-erspan). The source routes of RFC 1701 are not followed.
fn gre(span: Span<'_>) -> Option<(Step, Span<'_>)> {
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    const ACKNOWLEDGMENT: u16 = 0x0080;
    const WCCP: u16 = 0x883e;
    const ERSPAN_II: u16 = 0x88be;
    const ERSPAN_III: u16 = 0x22eb;
    const ERSPAN_SUBHEADER: u8 = 0x01;

    let flags = span.u16(0)?;
    let kind = span.u16(2)?;
    if flags & ROUTING != 0 || flags & 7 > 1 {
        return None;
    }
    let optional = [(CHECKSUM, 4), (KEY, 4), (SEQUENCE, 4), (ACKNOWLEDGMENT * (flags & 1), 4)];
    let length =
        optional.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, octets)| octets).sum::<usize>();
    let rest = span.after(4 + length);
    match kind {
        // Web cache redirection, draft-wilson-wrec-wccp-v2-01 section 4.12: version 2 has a header of its own.
        WCCP => match rest.u8(0)? >> 4 {
            4 => Some((Step::Ip, rest)),
            _ => Some((Step::Ip, rest.after(4))),
        },
        // Type I has neither sequence number nor a header of its own.
        ERSPAN_II if flags & SEQUENCE == 0 => Some((Step::Ethernet, rest)),
        ERSPAN_II => Some((Step::Ethernet, rest.after(8))),
        ERSPAN_III => {
            // Frame type: bits 1 to 5 of octet 10; 0 is Ethernet.
            if rest.u8(10)? & 0x7c != 0 {
                return None;
            }
            let subheader = if rest.u8(11)? & ERSPAN_SUBHEADER != 0 { 8 } else { 0 };
            Some((Step::Ethernet, rest.after(12 + subheader)))
        }
        _ => Some((Step::EtherType(kind), rest)),
    }
}

/// VXLAN, RFC 7348: flags with the I bit, network identifier, Ethernet.
fn vxlan(span: Span<'_>) -> Option<(Step, Span<'_>)> {
    (span.u8(0)? & 0x08 != 0).then(|| (Step::Ethernet, span.after(8)))
}

/// GENEVE, RFC 8926: version 0, options in units of 4 octets, protocol type.
fn geneve(span: Span<'_>) -> Option<(Step, Span<'_>)> {
    let head = span.u8(0)?;
    let kind = span.u16(2)?;
    (head >> 6 == 0).then(|| (Step::EtherType(kind), span.after(8 + usize::from(head & 0x3f) * 4)))
}
