//! SCTP, RFC 9260.

use super::{Decoded, ports};
use crate::bytes::Span;
use crate::packet::Transport;

const HEADER: usize = 12;
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;

pub(super) fn parse(span: Span<'_>) -> Decoded<'_> {
    let (src_port, dst_port) = ports(span);
    let chunk = span.u8(HEADER);
    let init_tag = match chunk {
        Some(INIT | INIT_ACK) => span.u32(HEADER + 4),
        _ => None,
    };
    let transport = Transport::Sctp { src_port, dst_port, tag: span.u32(4), chunk, init_tag };
    (transport, (span.wire >= HEADER).then(|| span.after(HEADER)))
}

#[cfg(test)]
mod tests {
    use crate::Transport;
    use crate::net::testing::{ipv4, read, read_cut};

    const INIT: [u8; 20] = [0, 7, 0, 9, 0, 0, 0, 0, 1, 2, 3, 4, 1, 0, 0, 20, 0xaa, 0xbb, 0xcc, 0xdd];

    #[test]
    fn test_parse() {
        let bytes = ipv4(132, &INIT);
        let packet = read(&bytes).expect("a packet");
        let expected = Transport::Sctp {
            src_port: Some(7),
            dst_port: Some(9),
            tag: Some(0),
            chunk: Some(1),
            init_tag: Some(0xaabb_ccdd),
        };
        assert_eq!((packet.transport, packet.payload_len), (expected, Some(8)));
    }

    #[test]
    fn test_truncated() {
        let bytes = ipv4(132, &INIT);
        for captured in 0..=20 {
            let packet = read_cut(&bytes, 20 + captured).expect("a packet");
            let Transport::Sctp { src_port, dst_port, tag, chunk, init_tag } = packet.transport else {
                panic!("not SCTP")
            };
            let there =
                [src_port.is_some(), dst_port.is_some(), tag.is_some(), chunk.is_some(), init_tag.is_some()];
            assert_eq!(there, [2, 4, 8, 13, 20].map(|end| captured >= end));
        }
    }

    #[test]
    fn other_chunks_have_no_initiate_tag() {
        let mut init = INIT;
        init[12] = 10;
        let bytes = ipv4(132, &init);
        let packet = read(&bytes).expect("a packet");
        assert!(matches!(packet.transport, Transport::Sctp { chunk: Some(10), init_tag: None, .. }));
    }
}
