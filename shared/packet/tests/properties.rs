//! What must hold of every frame: no input makes the decoder panic or read outside the frame, and what it says of the
//! beginning of a frame is never contradicted by the rest.

use std::ops::Range;

use probeline_packet::{Icmp, Options, Packet, Tcp, Transport, Verdict, decode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Every link type that is read, and one that is not.
const LINKS: [u32; 24] = [
    0, 1, 9, 12, 14, 50, 51, 101, 104, 105, 107, 108, 113, 119, 127, 163, 192, 197, 204, 228, 229, 239, 276,
    7777,
];

/// Whole parts of frames: random bytes seldom make a header that leads to another.
fn link_header() -> impl Strategy<Value = (u32, Vec<u8>, bool)> {
    let macs = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    let tags = vec(
        prop_oneof![
            Just(vec![0x81, 0, 0x20, 5]),
            Just(vec![0x88, 0xa8, 0, 9]),
            Just(vec![0x91, 0, 0xff, 0xff]),
            Just(vec![0x88, 0x47, 0, 6, 0x40, 64, 0, 7, 0x41, 64]),
            Just(vec![0x88, 0x64, 0x11, 0, 0, 1, 1, 0, 0, 0x21]),
            Just(vec![0, 200, 0xaa, 0xaa, 3, 0, 0, 0]),
        ],
        0..3,
    );
    let ethernet = (tags, any::<bool>()).prop_map(move |(tags, six)| {
        let kind = if six { [0x86, 0xdd] } else { [8, 0] };
        (1, [&macs[..], &tags.concat(), &kind].concat(), six)
    });
    let cooked = any::<bool>().prop_map(|six| {
        let kind = if six { [0x86, 0xdd] } else { [8, 0] };
        (113, [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0][..], &kind].concat(), six)
    });
    let bare = (select(&[0, 9, 101, 104][..]), any::<bool>()).prop_map(|(link, six)| {
        let header = match (link, six) {
            (0, false) => vec![2, 0, 0, 0],
            (0, true) => vec![0, 0, 0, 30],
            (9, false) => vec![0xff, 3, 0, 0x21],
            (9, true) => vec![0x57],
            (104, false) => vec![0x0f, 0, 8, 0],
            (104, true) => vec![0x0f, 0, 0x86, 0xdd],
            _ => Vec::new(),
        };
        (link, header, six)
    });
    prop_oneof![4 => ethernet, 1 => cooked, 2 => bare]
}

fn tcp() -> impl Strategy<Value = Vec<u8>> {
    let option = prop_oneof![
        Just(vec![0]),
        Just(vec![1]),
        any::<[u8; 2]>().prop_map(|mss| [&[2, 4][..], &mss].concat()),
        any::<u8>().prop_map(|shift| vec![3, 3, shift]),
        Just(vec![4, 2]),
        any::<[u8; 8]>().prop_map(|times| [&[8, 10][..], &times].concat()),
        vec(any::<u8>(), 1..5),
    ];
    (any::<[u8; 20]>(), vec(option, 0..6), 0_u8..12, vec(any::<u8>(), 0..30)).prop_map(
        |(mut header, options, odd, payload)| {
            let options = options.concat();
            let words = 5 + options.len().div_ceil(4);
            let words = if odd == 0 { header[12] >> 4 } else { words.min(15) as u8 };
            header[12] = words << 4 | header[12] & 0xf;
            let padding = vec![0; options.len().next_multiple_of(4) - options.len()];
            [&header[..], &options, &padding, &payload].concat()
        },
    )
}

fn udp() -> impl Strategy<Value = Vec<u8>> {
    (any::<[u8; 4]>(), 0_u16..60, any::<[u8; 2]>(), vec(any::<u8>(), 0..40)).prop_map(
        |(ports, length, sum, payload)| [&ports[..], &length.to_be_bytes(), &sum, &payload].concat(),
    )
}

fn sctp() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..24).prop_map(|mut bytes| {
        if let Some(chunk) = bytes.get_mut(12) {
            *chunk &= 3;
        }
        bytes
    })
}

fn transport() -> BoxedStrategy<(u8, Vec<u8>)> {
    prop_oneof![
        tcp().prop_map(|bytes| (6, bytes)),
        udp().prop_map(|bytes| (17, bytes)),
        sctp().prop_map(|bytes| (132, bytes)),
        vec(any::<u8>(), 0..40).prop_map(|bytes| (1, bytes)),
        vec(any::<u8>(), 0..40).prop_map(|bytes| (58, bytes)),
        (any::<u8>(), vec(any::<u8>(), 0..40)),
    ]
    .boxed()
}

fn ipv4(proto: u8, fixed: [u8; 20], options: &[u8], payload: &[u8], odd: u8) -> Vec<u8> {
    let mut header = fixed;
    let words = 5 + options.len() / 4;
    header[0] = 0x40 | words as u8;
    let length = (words * 4 + payload.len()) as u16;
    // One packet in twelve says something else, one in twelve zero.
    let length = match odd {
        0 => u16::from_be_bytes([header[2], header[3]]),
        1 => 0,
        _ => length,
    };
    header[2..4].copy_from_slice(&length.to_be_bytes());
    if odd > 3 {
        (header[6], header[7]) = (0x40, 0);
    } else if odd > 1 {
        (header[6], header[7]) = (header[6] & 0x20, 0);
    }
    header[9] = proto;
    [&header[..], options, payload].concat()
}

fn ipv6(next: u8, fixed: [u8; 40], extensions: &[(u8, [u8; 14])], payload: &[u8], odd: u8) -> Vec<u8> {
    let mut header = fixed;
    header[0] = 0x60 | header[0] & 0xf;
    let mut body = payload.to_vec();
    let mut next = next;
    for (kind, bytes) in extensions {
        let head = [next, u8::from(*kind != 44)];
        let size = if *kind == 44 {
            6
        } else if *kind == 51 {
            10
        } else {
            14
        };
        body = [&head[..], &bytes[..size], &body].concat();
        next = *kind;
    }
    header[6] = next;
    let length = if odd == 0 { u16::from_be_bytes([header[4], header[5]]) } else { body.len() as u16 };
    header[4..6].copy_from_slice(&length.to_be_bytes());
    [&header[..], &body].concat()
}

/// An IP packet; errors quote another.
fn ip(six: bool, depth: u32) -> BoxedStrategy<Vec<u8>> {
    let carried = if depth == 0 {
        transport()
    } else {
        let quote = (1_u8..13, any::<[u8; 7]>(), ip(six, depth - 1)).prop_map(move |(kind, rest, quoted)| {
            (if six { 58 } else { 1 }, [&[kind][..], &rest, &quoted].concat())
        });
        let tunnel = ip(!six, depth - 1).prop_map(move |inside| (if six { 4 } else { 41 }, inside));
        let gre = ip(six, depth - 1).prop_map(move |inside| {
            let head = if six { [0, 0, 0x86, 0xdd] } else { [0, 0, 8, 0] };
            (47, [&head[..], &inside].concat())
        });
        prop_oneof![4 => transport(), 2 => quote, 1 => tunnel, 1 => gre].boxed()
    };
    if six {
        let extension = (select(&[0, 43, 44, 51, 60, 135, 140][..]), any::<[u8; 14]>());
        (any::<[u8; 32]>(), any::<u64>(), vec(extension, 0..3), carried, 0_u8..12)
            .prop_map(|(addresses, first, extensions, (next, payload), odd)| {
                let mut fixed = [0; 40];
                fixed[..8].copy_from_slice(&first.to_be_bytes());
                fixed[8..].copy_from_slice(&addresses);
                ipv6(next, fixed, &extensions, &payload, odd)
            })
            .boxed()
    } else {
        (any::<[u8; 20]>(), vec(any::<[u8; 4]>(), 0..3), carried, 0_u8..12)
            .prop_map(|(fixed, options, (proto, payload), odd)| {
                ipv4(proto, fixed, &options.concat(), &payload, odd)
            })
            .boxed()
    }
}

/// A frame as a sender makes it, a few octets of it changed, and perhaps padding behind.
fn frame() -> impl Strategy<Value = (u32, Vec<u8>)> {
    link_header().prop_flat_map(|(link, header, six)| {
        let damage = vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
        (ip(six, 2), damage, vec(any::<u8>(), 0..4)).prop_map(move |(packet, damage, padding)| {
            let mut bytes = [&header[..], &packet, &padding].concat();
            for (place, value) in damage {
                let place = place.index(bytes.len());
                bytes[place] = value;
            }
            (link, bytes)
        })
    })
}

fn addresses(bytes: &[u8]) -> Range<*const u8> {
    bytes.as_ptr_range()
}

/// The payload lies in the frame and is no longer than it claims.
fn check_bounds(data: &[u8], packet: &Packet<'_>) -> Result<(), TestCaseError> {
    let (frame, payload) = (addresses(data), addresses(packet.payload));
    prop_assert!(packet.payload.is_empty() || frame.start <= payload.start && payload.end <= frame.end);
    prop_assert!(packet.payload.len() <= packet.payload_len.unwrap_or(0) as usize);
    Ok(())
}

/// What is said of the beginning is said of the whole.
fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    part: Option<T>,
    whole: Option<T>,
) -> Result<(), TestCaseError> {
    if part.is_some() {
        prop_assert_eq!(part, whole, "{}", what);
    }
    Ok(())
}

fn check_verdict(what: &str, part: Verdict, whole: Verdict) -> Result<(), TestCaseError> {
    if part != Verdict::Unknown {
        prop_assert_eq!(part, whole, "{} checksum", what);
    }
    Ok(())
}

fn check_tcp(part: &Tcp<'_>, whole: &Tcp<'_>) -> Result<(), TestCaseError> {
    same("src_port", part.src_port, whole.src_port)?;
    same("dst_port", part.dst_port, whole.dst_port)?;
    same("seq", part.seq, whole.seq)?;
    same("ack", part.ack, whole.ack)?;
    same("data_offset", part.data_offset, whole.data_offset)?;
    same("flags", part.flags, whole.flags)?;
    same("win", part.win, whole.win)?;
    same("sum", part.sum, whole.sum)?;
    same("urg", part.urg, whole.urg)?;
    same("mss", part.options.mss(), whole.options.mss())?;
    same("wscale", part.options.wscale(), whole.options.wscale())?;
    same("tsval", part.options.tsval(), whole.options.tsval())?;
    same("tsecr", part.options.tsecr(), whole.options.tsecr())?;
    prop_assert!(whole.options.raw().starts_with(part.options.raw()));
    let kinds =
        |tcp: &Tcp<'_>| tcp.options.iter().map(|option| (option.kind, option.len)).collect::<Vec<_>>();
    prop_assert!(kinds(whole).starts_with(&kinds(part)));
    Ok(())
}

fn check_icmp(part: &Icmp, whole: &Icmp) -> Result<(), TestCaseError> {
    same("type", part.kind, whole.kind)?;
    same("code", part.code, whole.code)?;
    same("sum", part.sum, whole.sum)?;
    same("id", part.id, whole.id)?;
    same("seq", part.seq, whole.seq)?;
    let Some(quoted) = part.quoted else { return Ok(()) };
    prop_assert!(whole.quoted.is_some());
    let Some(other) = whole.quoted else { return Ok(()) };
    prop_assert_eq!((quoted.src, quoted.dst), (other.src, other.dst));
    // A cut chain of extension headers is named by the header it was cut in.
    if !matches!(quoted.proto, 0 | 43 | 44 | 51 | 60 | 135 | 139 | 140) {
        prop_assert_eq!(quoted.proto, other.proto);
    }
    same("quoted src_port", quoted.src_port, other.src_port)?;
    same("quoted dst_port", quoted.dst_port, other.dst_port)
}

fn check_part(part: &Packet<'_>, whole: &Packet<'_>) -> Result<(), TestCaseError> {
    prop_assert_eq!((part.src, part.dst, part.ip_len), (whole.src, whole.dst, whole.ip_len));
    prop_assert_eq!((part.ttl, part.tos, part.ip_id, part.df), (whole.ttl, whole.tos, whole.ip_id, whole.df));
    prop_assert_eq!((part.flow_label, part.vlan), (whole.flow_label, whole.vlan));
    same("frag", part.frag, whole.frag)?;
    same("payload_len", part.payload_len, whole.payload_len)?;
    prop_assert!(whole.payload.starts_with(part.payload));
    if let (Some(part), Some(whole)) = (part.checksum, whole.checksum) {
        check_verdict("IP", part.ip, whole.ip)?;
        check_verdict("transport", part.transport, whole.transport)?;
    }
    if part.transport == Transport::Cut {
        return Ok(());
    }
    prop_assert_eq!(part.proto, whole.proto);
    match (&part.transport, &whole.transport) {
        (Transport::Tcp(part), Transport::Tcp(whole)) => check_tcp(part, whole),
        (Transport::Icmp(part), Transport::Icmp(whole)) => check_icmp(part, whole),
        (
            Transport::Udp { src_port, dst_port, len, sum },
            Transport::Udp { src_port: whole_src, dst_port: whole_dst, len: whole_len, sum: whole_sum },
        ) => {
            same("src_port", *src_port, *whole_src)?;
            same("dst_port", *dst_port, *whole_dst)?;
            same("len", *len, *whole_len)?;
            same("sum", *sum, *whole_sum)
        }
        (
            Transport::Sctp { src_port, dst_port, tag, chunk, init_tag },
            Transport::Sctp { src_port: s, dst_port: d, tag: t, chunk: c, init_tag: i },
        ) => {
            same("src_port", *src_port, *s)?;
            same("dst_port", *dst_port, *d)?;
            same("tag", *tag, *t)?;
            same("chunk", *chunk, *c)?;
            same("init_tag", *init_tag, *i)
        }
        (part, whole) => {
            prop_assert_eq!(part, whole);
            Ok(())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_decoded_or_skipped(
        link in select(&LINKS[..]), data in vec(any::<u8>(), 0..200), wire in any::<u32>(), inner: bool, checksums: bool,
    ) {
        if let Ok(packet) = decode(link, &data, wire, &Options { inner, checksums }) {
            check_bounds(&data, &packet)?;
        }
    }

    #[test]
    fn damaged_frames_are_decoded_or_skipped((link, data) in frame(), wire in any::<u32>(), cut in any::<prop::sample::Index>()) {
        let data = &data[..=cut.index(data.len())];
        if let Ok(packet) = decode(link, data, wire, &Options { inner: true, checksums: true }) {
            check_bounds(data, &packet)?;
        }
    }

    #[test]
    fn the_beginning_of_a_frame_says_nothing_that_the_whole_denies((link, data) in frame()) {
        let opts = Options { inner: false, checksums: true };
        let wire = data.len() as u32;
        let whole = decode(link, &data, wire, &opts);
        for cut in 0..data.len() {
            let part = decode(link, &data[..cut], wire, &opts);
            if let Ok(part) = &part {
                prop_assert!(whole.is_ok(), "{part:?} of {cut} octets, {whole:?} of all");
                if let Ok(whole) = &whole {
                    check_part(part, whole)?;
                }
            }
        }
    }
}

/// The frames above are not all refused: a test that compares nothing proves nothing.
#[test]
fn most_frames_made_here_hold_a_packet() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let strategy = frame();
    let mut transports = [0; 5];
    for _ in 0..2000 {
        let (link, data) = strategy.new_tree(&mut runner).expect("a frame").current();
        if let Ok(packet) = decode(link, &data, data.len() as u32, &Options::default()) {
            let place = match packet.transport {
                Transport::Tcp(_) => 0,
                Transport::Udp { .. } => 1,
                Transport::Icmp(_) => 2,
                Transport::Sctp { .. } => 3,
                _ => 4,
            };
            transports[place] += 1;
        }
    }
    assert!(transports.iter().all(|count| *count > 80), "{transports:?}");
}
