//! UDP, RFC 768.

use super::{Decoded, ports};
use crate::bytes::Span;
use crate::packet::Transport;

const HEADER: usize = 8;

/// `beyond`: octets by which the wire fell short of the IP length.
#[inline(always)]
pub(super) fn parse(span: Span<'_>, beyond: usize, fragment: bool) -> Decoded<'_> {
    let (src_port, dst_port) = ports(span);
    let len = span.u16(4);
    // ZMap 3 and 4 send SSDP probes (module upnp) of 28 octets that claim 125. What a sender means to send is what its
    // headers say, so this length is bounded by the IP length and not by the wire.
    let said = Span { wire: span.wire + beyond, ..span };
    let payload = match len.map(usize::from) {
        Some(length) if !fragment && (HEADER..=said.wire).contains(&length) => {
            Some(said.limit(length).after(HEADER))
        }
        // A length field that was not captured may say less than the IP length does.
        None if !fragment => None,
        _ if said.wire >= HEADER => Some(said.after(HEADER)),
        _ => None,
    };
    (Transport::Udp { src_port, dst_port, len, sum: span.u16(6) }, payload)
}

#[cfg(test)]
mod tests {
    use crate::net::testing::{ipv4, ipv6, read, read_cut, set16, udp};
    use crate::{Options, Transport, decode};

    #[test]
    fn test_parse() {
        for bytes in [ipv4(17, &udp(b"abc")), ipv6(17, &udp(b"abc"))] {
            let packet = read(&bytes).expect("a packet");
            let expected = Transport::Udp {
                src_port: Some(40_000),
                dst_port: Some(53),
                len: Some(11),
                sum: Some(0x1234),
            };
            assert_eq!(packet.transport, expected);
            assert_eq!((packet.payload, packet.payload_len), (&b"abc"[..], Some(3)));
        }
    }

    #[test]
    fn test_truncated() {
        let bytes = ipv4(17, &udp(b"abc"));
        for captured in 0..=11 {
            let packet = read_cut(&bytes, 20 + captured).expect("a packet");
            let Transport::Udp { src_port, dst_port, len, sum } = packet.transport else { panic!("not UDP") };
            let there = [src_port.is_some(), dst_port.is_some(), len.is_some(), sum.is_some()];
            assert_eq!(there, [captured >= 2, captured >= 4, captured >= 6, captured >= 8]);
            assert_eq!(packet.payload_len, (captured >= 6).then_some(3));
            assert_eq!(packet.payload.len(), captured.saturating_sub(8));
        }
    }

    #[test]
    fn test_impossible_len() {
        let with_length = |length: u16| {
            let mut bytes = ipv4(17, &udp(b"abcdef"));
            set16(&mut bytes, 24, length);
            let packet = read(&bytes).expect("a packet");
            (packet.payload_len, packet.payload.len())
        };
        assert_eq!(with_length(9), (Some(1), 1));
        assert_eq!(with_length(8), (Some(0), 0));
        for impossible in [0, 7, 15, 0xffff] {
            assert_eq!(with_length(impossible), (Some(6), 6));
        }
        let short = ipv4(17, &udp(b"")[..6]);
        assert_eq!(read(&short).expect("a packet").payload_len, None);
    }

    /// ZMap's upnp module: IP length 125, UDP length 105, 28 octets on the wire.
    #[test]
    fn a_datagram_shorter_than_it_says_says_how_long_it_is() {
        let mut bytes = ipv4(17, &udp(&[0; 97]));
        bytes.truncate(28);
        let packet = decode(101, &bytes, 28, &Options::default()).expect("a packet");
        assert_eq!((packet.ip_len, packet.dst_port()), (125, Some(53)));
        assert_eq!((packet.payload_len, packet.payload), (Some(97), &[][..]));
    }
}
