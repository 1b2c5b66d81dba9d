//! IPv6 and its extension headers, RFC 8200.

use std::net::{IpAddr, Ipv6Addr};

use super::{Follows, Ip, authentication};
use crate::bytes::{Span, array_at};
use crate::packet::Frag;
use crate::proto;
use crate::skip::Skip;

/// Octets of the fixed header.
const FIXED: usize = 40;
/// Option type of the jumbo payload length, RFC 2675.
const JUMBO: u8 = 0xc2;

/// Reads a header whose version is known to be 6. Extension headers behind it are left to [`extensions`].
#[inline(always)]
pub(crate) fn fixed(span: Span<'_>) -> Result<Ip<'_>, Skip> {
    let header: &[u8; FIXED] = span.data.first_chunk().ok_or(Skip::TruncatedIp)?;
    let head = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
    let next = header[6];
    let payload_len = match usize::from(u16::from_be_bytes([header[4], header[5]])) {
        0 if next == proto::HOP_BY_HOP => jumbo_length(span.after(FIXED)).unwrap_or_default(),
        length => length,
    };
    let (src, dst) = (array_at::<16>(header, 8), array_at::<16>(header, 24));
    let (Some(src), Some(dst)) = (src, dst) else { return Err(Skip::TruncatedIp) };

    Ok(Ip {
        src: Ipv6Addr::from(src).into(),
        dst: Ipv6Addr::from(dst).into(),
        proto: next,
        ip_len: u32::try_from(FIXED + payload_len).unwrap_or(u32::MAX),
        ttl: header[7],
        tos: (head >> 20) as u8,
        ip_id: None,
        df: None,
        flow_label: Some(head & 0x000f_ffff),
        frag: None,
        payload: span.after(FIXED).limit(payload_len),
        beyond: (FIXED + payload_len).saturating_sub(span.wire),
        follows: Follows::Transport,
        en_route: false,
    })
}

/// Steps over the extension headers behind [`fixed`]. Each is at least 8 octets long, so the captured bytes bound their number.
#[cold]
pub(crate) fn extensions(mut ip: Ip<'_>) -> Ip<'_> {
    loop {
        let step = match ip.proto {
            proto::AH => authentication(ip.payload),
            proto::FRAGMENT => fragment(&mut ip),
            proto::ROUTING => {
                ip.en_route |= ip.payload.u8(3).is_none_or(|segments_left| segments_left != 0);
                options(ip.payload)
            }
            proto::HOP_BY_HOP | proto::DESTINATION => options(ip.payload),
            // These three usually end the packet; then they, not the "no next header" inside, are what it is.
            proto::MOBILITY | proto::HIP | proto::SHIM6 => match options(ip.payload) {
                Some((proto::NO_NEXT, _)) => return ip,
                step => step,
            },
            _ => return ip,
        };
        let Some((next, payload)) = step else {
            ip.follows = Follows::Cut;
            return ip;
        };
        (ip.proto, ip.payload) = (next, payload);
        if ip.follows == Follows::Fragment {
            return ip;
        }
    }
}

/// Next header and length in units of 8 octets, not counting the first 8.
fn options(span: Span<'_>) -> Option<(u8, Span<'_>)> {
    let next = span.u8(0)?;
    let length = (usize::from(span.u8(1)?) + 1) * 8;
    Some((next, span.after(length)))
}

/// The last address of the first routing header that has stops left, of the packet that begins here: where the
/// transport's pseudo-header says it goes (RFC 8200 section 8.1).
pub(crate) fn final_destination(span: Span<'_>) -> Option<IpAddr> {
    const SOURCE_ROUTE: u8 = 0; // RFC 2460, deprecated by RFC 5095: the last of the list
    const MOBILE: u8 = 2; // RFC 6275: the only one
    const SEGMENTS: u8 = 4; // RFC 8754: the first of the list, which is in reverse order

    let (mut next, mut rest) = (span.u8(6)?, span.after(FIXED));
    while next != proto::ROUTING || rest.u8(3)? == 0 {
        (next, rest) = match next {
            proto::AH => authentication(rest)?,
            proto::FRAGMENT => (rest.u8(0)?, rest.after(8)),
            number if proto::is_extension(number) => options(rest)?,
            _ => return None,
        };
    }
    let at = match rest.u8(2)? {
        SOURCE_ROUTE => (usize::from(rest.u8(1)?) * 8).checked_sub(8)?,
        MOBILE | SEGMENTS => 8,
        _ => return None,
    };
    array_at::<16>(rest.data, at).map(|octets| Ipv6Addr::from(octets).into())
}

fn fragment<'a>(ip: &mut Ip<'a>) -> Option<(u8, Span<'a>)> {
    let next = ip.payload.u8(0)?;
    let place = ip.payload.u16(2)?;
    let id = ip.payload.u32(4)?;
    let (offset, more) = (place & 0xfff8, place & 1 != 0);
    if offset != 0 {
        ip.follows = Follows::Fragment;
    }
    if offset != 0 || more {
        ip.frag.get_or_insert(Frag { offset, more, id });
    }
    Some((next, ip.payload.after(8)))
}

/// The jumbo payload length in a hop-by-hop options header.
fn jumbo_length(span: Span<'_>) -> Option<usize> {
    let length = (usize::from(span.u8(1)?) + 1) * 8;
    let mut options = span.limit(length).after(2).data;
    loop {
        let (&kind, rest) = options.split_first()?;
        if kind == 0 {
            options = rest; // Pad1
            continue;
        }
        let (&length, rest) = rest.split_first()?;
        if kind == JUMBO && length == 4 {
            let length = u32::from_be_bytes(*rest.first_chunk()?);
            return (length > u32::from(u16::MAX)).then_some(length as usize);
        }
        options = rest.get(usize::from(length)..)?;
    }
}

#[cfg(test)]
mod tests {
    use crate::net::testing::{ipv6, read, read_cut, set16, tcp};
    use crate::{Frag, Options, Skip, Transport, Verdict, decode};

    const PADDED: [u8; 6] = [1, 4, 0, 0, 0, 0];

    fn extension(next: u8) -> Vec<u8> {
        [&[next, 0][..], &PADDED].concat()
    }

    fn fragment(next: u8, place: u16) -> Vec<u8> {
        let [high, low] = place.to_be_bytes();
        vec![next, 0, high, low, 0xde, 0xad, 0xbe, 0xef]
    }

    #[test]
    fn test_parse() {
        let bytes = ipv6(6, &tcp(&[], b"abc"));
        let packet = read(&bytes).expect("a packet");
        assert_eq!(
            (packet.src.to_string(), packet.dst.to_string()),
            ("2001:db8::1".into(), "2001:db8::2".into())
        );
        assert_eq!((packet.proto, packet.ip_len, packet.ttl, packet.tos), (6, 63, 55, 0xa5));
        assert_eq!((packet.ip_id, packet.df, packet.flow_label), (None, None, Some(0x12345)));
        assert_eq!((packet.payload, packet.payload_len), (&b"abc"[..], Some(3)));
    }

    #[test]
    fn test_truncated() {
        let bytes = ipv6(0, &[extension(6), tcp(&[], b"abc")].concat());
        for cut in 0..40 {
            assert_eq!(read_cut(&bytes, cut), Err(Skip::TruncatedIp), "{cut}");
        }
        for cut in 40..42 {
            let packet = read_cut(&bytes, cut).expect("a packet");
            assert_eq!((packet.proto, packet.transport, packet.ip_len), (0, Transport::Cut, 71), "{cut}");
        }
        for cut in 42..bytes.len() {
            assert_eq!(read_cut(&bytes, cut).expect("a packet").proto, 6, "{cut}");
        }
    }

    #[test]
    fn extension_headers_are_stepped_over() {
        let routing = [60, 2, 0, 1, 0, 0, 0, 0, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3];
        let ah = [6, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2];
        let chain =
            [extension(60), extension(43), routing.to_vec(), extension(51), ah.to_vec(), tcp(&[], b"x")]
                .concat();
        let bytes = ipv6(0, &chain);
        let packet = read(&bytes).expect("a packet");
        assert_eq!((packet.proto, packet.dst_port(), packet.payload), (6, Some(23), &b"x"[..]));
        assert_eq!(packet.dst.to_string(), "2001:db8::2");
    }

    #[test]
    fn mobility_hip_and_shim6_end_the_packet_unless_something_follows() {
        for number in [135, 139, 140] {
            let alone = ipv6(number, &[59, 0, 1, 0, 0, 0, 0, 0]);
            let packet = read(&alone).expect("a packet");
            assert_eq!(
                (packet.proto, packet.transport, packet.payload_len),
                (number, Transport::Other, Some(8))
            );
            let followed = ipv6(number, &[&[6, 0, 0x80, 0, 0, 0, 0, 1][..], &tcp(&[], b"")].concat());
            assert_eq!(read(&followed).expect("a packet").dst_port(), Some(23));
        }
        let esp = ipv6(50, &[9; 24]);
        assert_eq!(read(&esp).expect("a packet").transport, Transport::Other);
    }

    #[test]
    fn test_fragments() {
        let atomic = ipv6(44, &[fragment(6, 0), tcp(&[], b"x")].concat());
        let packet = read(&atomic).expect("a packet");
        assert_eq!((packet.frag, packet.dst_port()), (None, Some(23)));
        let first = ipv6(44, &[fragment(60, 1), extension(6), tcp(&[], b"x")].concat());
        let packet = read(&first).expect("a packet");
        assert_eq!(packet.frag, Some(Frag { offset: 0, more: true, id: 0xdead_beef }));
        assert_eq!(packet.dst_port(), Some(23));
        let later = ipv6(44, &[fragment(60, 0xfff9), tcp(&[], b"x")].concat());
        let packet = read(&later).expect("a packet");
        assert_eq!(packet.frag, Some(Frag { offset: 0xfff8, more: true, id: 0xdead_beef }));
        assert_eq!((packet.proto, packet.transport, packet.payload_len), (60, Transport::Fragment, Some(21)));
    }

    #[test]
    fn test_jumbo() {
        let option = [6, 0, 0xc2, 4, 0, 1, 0x11, 0x70]; // 70000 octets
        let mut bytes = ipv6(0, &[&option[..], &tcp(&[], &[7; 60])].concat());
        set16(&mut bytes, 4, 0);
        let packet = decode(101, &bytes, 70_040, &Options::default()).expect("a packet");
        assert_eq!((packet.ip_len, packet.dst_port()), (70_040, Some(23)));
        assert_eq!((packet.payload_len, packet.payload.len()), (Some(70_000 - 28), 60));
        // RFC 2675 section 3: not for lengths that the header could have held.
        bytes[44..48].copy_from_slice(&[0, 0, 0xff, 0xff]);
        let packet = read(&bytes).expect("a packet");
        assert_eq!((packet.ip_len, packet.transport), (40, Transport::Cut));
    }

    #[test]
    fn test_impossible_len() {
        let mut bytes = ipv6(6, &tcp(&[], b"abc"));
        set16(&mut bytes, 4, 0);
        let packet = read(&bytes).expect("an empty packet");
        assert_eq!((packet.ip_len, packet.src_port(), packet.payload_len), (40, None, None));
        set16(&mut bytes, 4, 500);
        let packet = read(&bytes).expect("a packet");
        assert_eq!((packet.ip_len, packet.dst_port(), packet.payload_len), (540, Some(23), Some(3)));
        let beyond = ipv6(0, &[&[6, 200][..], &PADDED, &tcp(&[], b"")].concat());
        let packet = read(&beyond).expect("a packet");
        assert_eq!((packet.proto, packet.src_port()), (6, None));
    }

    #[test]
    fn endless_extension_headers_end() {
        let chain = ipv6(60, &extension(60).repeat(8000));
        let packet = read(&chain).expect("a packet");
        assert_eq!(packet.transport, Transport::Cut);
    }

    #[test]
    fn a_source_route_moves_the_pseudo_header_to_its_end() {
        // Sum over 2001:db8::1, 2001:db8::3 and this UDP header and data, by hand: see the checksum field.
        let routing = [17, 2, 0, 1, 0, 0, 0, 0, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3];
        let words = [0x2001_u32, 0x0db8, 1, 0x2001, 0x0db8, 3, 10, 17, 0x9c40, 53, 10, 0x6162];
        let mut sum: u32 = words.iter().sum();
        while sum > 0xffff {
            sum = (sum >> 16) + (sum & 0xffff);
        }
        let [high, low] = u16::try_from(!sum & 0xffff).expect("16 bits").to_be_bytes();
        let datagram = [0x9c, 0x40, 0, 53, 0, 10, high, low, 0x61, 0x62];
        let bytes = ipv6(43, &[&routing[..], &datagram].concat());
        let opts = Options { checksums: true, ..Options::default() };
        let packet = decode(101, &bytes, 74, &opts).expect("a packet");
        assert_eq!(packet.checksum.map(|checksum| checksum.transport), Some(Verdict::Good));
    }
}
