//! `probeline_packet::decode` on any bytes: it does not panic, and a prefix of a frame never contradicts the
//! frame.
//!
//! The first four bytes of the input: options and how to read the link type; the link type; octets on the
//! wire that were not captured. The rest is the frame.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use probeline_packet::{Options, Packet, Skip, Tcp, Transport, Verdict, decode};

/// The link types that are read, and one that is not.
const LINKS: [u32; 23] =
    [1, 101, 0, 9, 12, 14, 50, 51, 104, 105, 107, 108, 113, 119, 127, 163, 192, 197, 204, 228, 229, 239, 276];

fuzz_target!(|data: &[u8]| {
    let Some(([flags, low, high, extra], frame)) = data.split_first_chunk() else { return };
    let link = if flags & 4 == 0 {
        LINKS[usize::from(*low) % LINKS.len()]
    } else {
        u32::from(u16::from_le_bytes([*low, *high]))
    };
    // Bit 3: the capture claims less than it holds, as odd captures do.
    let wire = if flags & 8 == 0 { frame.len() as u32 + u32::from(*extra) } else { u32::from(*extra) };
    let options = Options { inner: flags & 1 != 0, checksums: flags & 2 != 0 };
    let whole = decode(link, frame, wire, &options);
    match &whole {
        Ok(packet) => sane(packet, frame, &options),
        Err(skip) => assert!(!skip.to_string().is_empty()),
    }
    // With tunnels followed, less of a frame may mean less of the tunnel, and so another packet.
    if options.inner {
        return;
    }
    let wire = wire.max(frame.len() as u32);
    let step = frame.len() / 96 + 1;
    for length in (0..frame.len()).step_by(step) {
        let part = decode(link, &frame[..length], wire, &options);
        match (&part, &whole) {
            (Ok(part), Ok(whole)) => agree(part, whole),
            (Err(Skip::TruncatedLink | Skip::TruncatedIp), _) => {}
            (part, whole) => assert_eq!(part, whole, "{length} octets say another thing than all"),
        }
    }
});

fn sane(packet: &Packet<'_>, frame: &[u8], options: &Options) {
    let inside = |bytes: &[u8]| bytes.is_empty() || frame.as_ptr_range().contains(&bytes.as_ptr());
    assert!(inside(packet.payload));
    assert!(
        packet.payload_len.is_some_and(|length| packet.payload.len() <= length as usize)
            || packet.payload.is_empty()
    );
    assert_eq!(packet.src.is_ipv4(), packet.dst.is_ipv4());
    assert_eq!(packet.ip_id.is_some(), packet.src.is_ipv4());
    assert_eq!(packet.df.is_some(), packet.src.is_ipv4());
    assert_eq!(packet.flow_label.is_some(), packet.src.is_ipv6());
    assert!(packet.flow_label.is_none_or(|label| label < 1 << 20));
    assert!(packet.vlan.is_none_or(|vlan| vlan < 1 << 12));
    assert_eq!(packet.checksum.is_some(), options.checksums);
    if let Transport::Tcp(tcp) = &packet.transport {
        assert!(tcp.flags.is_none_or(|flags| flags < 512));
        assert!(tcp.options.raw().len() <= 40);
        assert!(tcp.options.iter().count() <= 40);
        for option in &tcp.options {
            assert!(inside(option.data));
            assert!(option.data.len() < usize::from(option.len));
        }
    }
}

/// What a prefix knows, the whole knows.
fn known<T: PartialEq + Debug>(part: Option<T>, whole: Option<T>) {
    if part.is_some() {
        assert_eq!(part, whole);
    }
}

fn verdict(part: Verdict, whole: Verdict) {
    if part != Verdict::Unknown {
        assert_eq!(part, whole);
    }
}

fn agree(part: &Packet<'_>, whole: &Packet<'_>) {
    assert_eq!((part.src, part.dst), (whole.src, whole.dst));
    assert_eq!((part.ttl, part.tos), (whole.ttl, whole.tos));
    assert_eq!((part.ip_id, part.df, part.flow_label), (whole.ip_id, whole.df, whole.flow_label));
    known(part.frag, whole.frag);
    known(part.vlan, whole.vlan);
    known(part.payload_len, whole.payload_len);
    assert!(whole.payload.starts_with(part.payload), "payload");
    if let (Some(part), Some(whole)) = (part.checksum, whole.checksum) {
        verdict(part.ip, whole.ip);
        verdict(part.transport, whole.transport);
    }
    if part.transport == Transport::Cut {
        return;
    }
    assert_eq!((part.proto, part.ip_len), (whole.proto, whole.ip_len));
    match (&part.transport, &whole.transport) {
        (Transport::Tcp(part), Transport::Tcp(whole)) => tcp(part, whole),
        (
            Transport::Udp { src_port, dst_port, len, sum },
            Transport::Udp { src_port: s, dst_port: d, len: l, sum: c },
        ) => {
            known(*src_port, *s);
            known(*dst_port, *d);
            known(*len, *l);
            known(*sum, *c);
        }
        (Transport::Icmp(part), Transport::Icmp(whole)) => {
            known(part.kind, whole.kind);
            known(part.code, whole.code);
            known(part.sum, whole.sum);
            known(part.id, whole.id);
            known(part.seq, whole.seq);
            if let Some(part) = part.quoted {
                let whole = whole.quoted.expect("what a prefix quotes, the whole quotes");
                assert_eq!((part.src, part.dst), (whole.src, whole.dst));
                known(part.src_port, whole.src_port);
                known(part.dst_port, whole.dst_port);
            }
        }
        (
            Transport::Sctp { src_port, dst_port, tag, chunk, init_tag },
            Transport::Sctp { src_port: s, dst_port: d, tag: t, chunk: c, init_tag: i },
        ) => {
            known(*src_port, *s);
            known(*dst_port, *d);
            known(*tag, *t);
            known(*chunk, *c);
            known(*init_tag, *i);
        }
        (part, whole) => assert_eq!(part, whole),
    }
}

fn tcp(part: &Tcp<'_>, whole: &Tcp<'_>) {
    known(part.src_port, whole.src_port);
    known(part.dst_port, whole.dst_port);
    known(part.seq, whole.seq);
    known(part.ack, whole.ack);
    known(part.data_offset, whole.data_offset);
    known(part.flags, whole.flags);
    known(part.win, whole.win);
    known(part.sum, whole.sum);
    known(part.urg, whole.urg);
    known(part.options.mss(), whole.options.mss());
    known(part.options.wscale(), whole.options.wscale());
    known(part.options.tsval(), whole.options.tsval());
    known(part.options.tsecr(), whole.options.tsecr());
    assert!(whole.options.raw().starts_with(part.options.raw()));
    let mut of_whole = whole.options.iter();
    for option in &part.options {
        let other = of_whole.next().expect("no option comes of cutting");
        assert_eq!((option.kind, option.len), (other.kind, other.len));
        assert!(other.data.starts_with(option.data));
    }
}
