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

#[cfg(test)]
mod tests {
    use crate::Transport;
    use crate::net::testing::{ipv4, ipv6, read, read_inner, set16, tcp, udp};

    /// An Ethernet frame around an IPv6 SYN.
    fn frame() -> Vec<u8> {
        [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd][..], &ipv6(6, &tcp(&[], b"x"))].concat()
    }

    fn to_port(port: u16, payload: &[u8]) -> Vec<u8> {
        let mut datagram = udp(payload);
        set16(&mut datagram, 2, port);
        ipv4(17, &datagram)
    }

    /// The innermost packet is the IPv6 SYN, but only if it was asked for.
    #[track_caller]
    fn holds(bytes: &[u8]) {
        let inner = read_inner(bytes).expect("a packet");
        assert_eq!((inner.src.to_string(), inner.dst_port()), ("2001:db8::1".to_owned(), Some(23)));
        assert_eq!(inner.payload, b"x");
        assert_eq!(read(bytes).expect("a packet").src.to_string(), "192.0.2.1");
        for cut in 0..bytes.len() {
            let _ = read_inner(&bytes[..cut]);
        }
    }

    /// Nothing is found inside.
    #[track_caller]
    fn is_none(bytes: &[u8]) {
        assert_eq!(read_inner(bytes), read(bytes));
    }

    #[test]
    fn test_ip_in_ip() {
        let inside = ipv6(6, &tcp(&[], b"x"));
        holds(&ipv4(41, &inside));
        holds(&ipv4(4, &inside));
        holds(&ipv4(4, &ipv4(4, &ipv4(41, &inside))));
        is_none(&ipv4(41, &ipv4(6, &tcp(&[], b""))));
        is_none(&ipv4(4, b"not IP at all"));
        is_none(&ipv4(4, b""));
        let outer = ipv4(4, &inside);
        assert_eq!(read(&outer).expect("a packet").transport, Transport::Other);
    }

    #[test]
    fn test_gre() {
        let inside = ipv6(6, &tcp(&[], b"x"));
        let gre = |head: &[u8], rest: &[u8]| ipv4(47, &[head, rest].concat());
        holds(&gre(&[0, 0, 0x86, 0xdd], &inside));
        holds(&gre(&[0xb0, 0, 0x86, 0xdd, 1, 1, 0, 0, 2, 2, 2, 2, 3, 3, 3, 3], &inside));
        holds(&gre(&[0, 0, 0x65, 0x58], &frame()));
        // Version 1, with key, sequence and acknowledgment numbers, carries PPP.
        holds(&gre(&[0x30, 0x81, 0x88, 0x0b, 0, 9, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 3, 0, 0x57], &inside));
        // Web cache redirection with and without its own header.
        holds(&gre(&[0, 0, 0x88, 0x3e, 5, 0x59, 0, 0], &ipv4(41, &inside)));
        holds(&gre(&[0, 0, 0x88, 0x3e], &ipv4(41, &inside)));
        is_none(&gre(&[0, 2, 0x86, 0xdd], &inside));
        is_none(&gre(&[0x40, 0, 0x86, 0xdd, 0, 0, 0, 0, 0, 0, 0, 0], &inside));
        is_none(&gre(&[0, 0, 0, 0], b""));
    }

    #[test]
    fn test_erspan() {
        let gre = |head: &[u8], rest: &[u8]| ipv4(47, &[head, rest].concat());
        holds(&gre(&[0, 0, 0x88, 0xbe], &frame()));
        holds(&gre(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 1, 0, 0, 0, 0], &frame()));
        let three = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        holds(&gre(&[&three[..], &[0]].concat(), &frame()));
        holds(&gre(&[&three[..], &[1, 0, 0, 0, 0, 0, 0, 0, 0]].concat(), &frame()));
    }

    #[test]
    fn test_vxlan() {
        let header = [8, 0, 0, 0, 0, 0, 1, 0];
        holds(&to_port(4789, &[&header[..], &frame()].concat()));
        is_none(&to_port(4789, &[&[0, 0, 0, 0, 0, 0, 1, 0][..], &frame()].concat()));
        is_none(&to_port(4788, &[&header[..], &frame()].concat()));
        is_none(&to_port(4789, b"a probe that is no VXLAN"));
    }

    #[test]
    fn test_geneve() {
        holds(&to_port(6081, &[&[0, 0, 0x65, 0x58, 0, 0, 1, 0][..], &frame()].concat()));
        holds(&to_port(6081, &[&[1, 0, 0x65, 0x58, 0, 0, 1, 0, 9, 9, 9, 9][..], &frame()].concat()));
        holds(&to_port(6081, &[&[0, 0, 0x86, 0xdd, 0, 0, 1, 0][..], &frame()[14..]].concat()));
        is_none(&to_port(6081, &[&[0x40, 0, 0x86, 0xdd, 0, 0, 1, 0][..], &frame()[14..]].concat()));
    }

    #[test]
    fn a_later_fragment_is_no_tunnel() {
        let mut bytes = ipv4(41, &ipv6(6, &tcp(&[], b"x")));
        set16(&mut bytes, 6, 1);
        is_none(&bytes);
    }
}
