//! IPv4, RFC 791.

use std::net::Ipv4Addr;

use super::{Follows, Ip, authentication};
use crate::bytes::Span;
use crate::packet::Frag;
use crate::proto;
use crate::skip::{BadIp, Skip};

/// Header octets without options; both addresses are in them.
const FIXED: usize = 20;

/// Reads a header whose version is known to be 4.
#[inline(always)]
pub(crate) fn parse(span: Span<'_>) -> Result<Ip<'_>, Skip> {
    let header: &[u8; FIXED] = span.data.first_chunk().ok_or(Skip::TruncatedIp)?;
    let header_len = usize::from(header[0] & 0x0f) * 4;
    if header_len < FIXED {
        return Err(Skip::BadIp(BadIp::HeaderLen((header[0] & 0x0f) * 4)));
    }
    let total = u16::from_be_bytes([header[2], header[3]]);
    let ip_len = match usize::from(total) {
        // Segmentation offload: the capture saw the packet before the card filled the length in.
        0 => span.wire,
        total_len if total_len < header_len => return Err(Skip::BadIp(BadIp::TotalLen(total))),
        total_len => total_len,
    };
    let ip_id = u16::from_be_bytes([header[4], header[5]]);
    let flags = u16::from_be_bytes([header[6], header[7]]);
    let offset = (flags & 0x1fff) * 8;
    let more = flags & 0x2000 != 0;

    let mut proto = header[9];
    let mut payload = span.limit(ip_len).after(header_len);
    let mut follows = if offset == 0 { Follows::Transport } else { Follows::Fragment };
    while proto == proto::AH && follows == Follows::Transport {
        match authentication(payload) {
            Some(next) => (proto, payload) = next,
            None => follows = Follows::Cut,
        }
    }
    Ok(Ip {
        src: Ipv4Addr::new(header[12], header[13], header[14], header[15]).into(),
        dst: Ipv4Addr::new(header[16], header[17], header[18], header[19]).into(),
        proto,
        ip_len: u32::try_from(ip_len).unwrap_or(u32::MAX),
        ttl: header[8],
        tos: header[1],
        ip_id: Some(ip_id),
        df: Some(flags & 0x4000 != 0),
        flow_label: None,
        frag: (more || offset != 0).then_some(Frag { offset, more, id: u32::from(ip_id) }),
        payload,
        beyond: ip_len.saturating_sub(span.wire),
        follows,
        en_route: false,
    })
}

#[cfg(test)]
mod tests {
    use crate::net::testing::{ipv4, read, read_cut, set16, tcp};
    use crate::{BadIp, Frag, Skip, Transport};

    #[test]
    fn test_parse() {
        let bytes = ipv4(6, &tcp(&[], b"abc"));
        let packet = read(&bytes).expect("a packet");
        assert_eq!(
            (packet.src.to_string(), packet.dst.to_string()),
            ("192.0.2.1".into(), "198.51.100.2".into())
        );
        assert_eq!((packet.proto, packet.ip_len, packet.ttl, packet.tos), (6, 43, 64, 0xb9));
        assert_eq!((packet.ip_id, packet.df), (Some(54321), Some(true)));
        assert_eq!((packet.flow_label, packet.frag, packet.vlan), (None, None, None));
        assert_eq!((packet.payload, packet.payload_len), (&b"abc"[..], Some(3)));
    }

    #[test]
    fn test_truncated() {
        let bytes = ipv4(6, &tcp(&[], b"abc"));
        for cut in 0..20 {
            assert_eq!(read_cut(&bytes, cut), Err(Skip::TruncatedIp), "{cut}");
        }
        for cut in 20..bytes.len() {
            let packet = read_cut(&bytes, cut).expect("a packet");
            assert_eq!((packet.ip_len, packet.proto), (43, 6));
        }
    }

    #[test]
    fn test_impossible_len() {
        let mut bytes = ipv4(6, &tcp(&[], b""));
        bytes[0] = 0x44;
        assert_eq!(read(&bytes), Err(Skip::BadIp(BadIp::HeaderLen(16))));
        bytes[0] = 0x4f;
        assert_eq!(read(&bytes), Err(Skip::BadIp(BadIp::TotalLen(40))));
        bytes[0] = 0x45;
        set16(&mut bytes, 2, 19);
        assert_eq!(read(&bytes), Err(Skip::BadIp(BadIp::TotalLen(19))));
        set16(&mut bytes, 2, 20);
        let packet = read(&bytes).expect("a packet without a payload");
        assert_eq!((packet.ip_len, packet.src_port(), packet.payload_len), (20, None, None));
    }

    #[test]
    fn a_total_length_of_zero_is_that_of_the_wire() {
        let mut bytes = ipv4(6, &tcp(&[], b"abcdef"));
        set16(&mut bytes, 2, 0);
        let packet = read(&bytes).expect("a packet");
        assert_eq!((packet.ip_len, packet.payload_len), (46, Some(6)));
        let packet = read_cut(&bytes, 42).expect("a packet");
        assert_eq!((packet.ip_len, packet.payload_len, packet.payload), (46, Some(6), &b"ab"[..]));
    }

    #[test]
    fn a_total_length_beyond_the_wire_keeps_the_packet() {
        let mut bytes = ipv4(6, &tcp(&[], b"abc"));
        set16(&mut bytes, 2, 400);
        let packet = read(&bytes).expect("a packet");
        // As tshark's tcp.len: what follows the TCP header on the wire.
        assert_eq!((packet.ip_len, packet.payload_len, packet.dst_port()), (400, Some(3), Some(23)));
    }

    #[test]
    fn options_are_stepped_over() {
        let mut bytes = ipv4(6, &[&[0x94, 4, 0, 0][..], &tcp(&[], b"x")].concat());
        bytes[0] = 0x46;
        let packet = read(&bytes).expect("a packet");
        assert_eq!((packet.dst_port(), packet.payload), (Some(23), &b"x"[..]));
    }

    #[test]
    fn test_fragments() {
        let mut bytes = ipv4(6, &tcp(&[], b"12345678"));
        set16(&mut bytes, 6, 0x2000);
        let packet = read(&bytes).expect("the first");
        assert_eq!(packet.frag, Some(Frag { offset: 0, more: true, id: 54321 }));
        assert_eq!((packet.dst_port(), packet.payload_len), (Some(23), Some(8)));
        set16(&mut bytes, 6, 0x2001);
        let packet = read(&bytes).expect("a later one");
        assert_eq!(packet.frag, Some(Frag { offset: 8, more: true, id: 54321 }));
        assert_eq!((packet.transport, packet.proto, packet.payload_len), (Transport::Fragment, 6, Some(28)));
        set16(&mut bytes, 6, 0x1fff);
        let packet = read(&bytes).expect("the last possible");
        assert_eq!(packet.frag, Some(Frag { offset: 65528, more: false, id: 54321 }));
    }

    #[test]
    fn an_authentication_header_is_stepped_over() {
        let header = [6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9];
        let bytes = ipv4(51, &[&header[..], &tcp(&[], b"x")].concat());
        let packet = read(&bytes).expect("a packet");
        assert_eq!((packet.proto, packet.dst_port(), packet.payload), (6, Some(23), &b"x"[..]));
        let packet = read_cut(&bytes, 21).expect("a packet");
        assert_eq!((packet.proto, packet.transport, packet.payload_len), (51, Transport::Cut, None));
    }

    #[test]
    fn other_protocols_keep_their_number_and_payload() {
        for proto in [0, 2, 47, 50, 59, 60, 255] {
            let bytes = ipv4(proto, &[0; 9]);
            let packet = read(&bytes).expect("a packet");
            assert_eq!(
                (packet.proto, packet.transport, packet.payload_len),
                (proto, Transport::Other, Some(9))
            );
        }
    }
}
