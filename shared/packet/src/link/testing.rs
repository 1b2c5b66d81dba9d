//! One known packet for the tests of each link type, and what must hold of a frame around it.

use std::net::{IpAddr, Ipv4Addr};

use crate::{Options, Packet, Skip, decode};

/// IPv4 and TCP: a SYN from 192.0.2.1:40000 to 198.51.100.2:23.
pub(super) const V4: [u8; 40] = [
    0x45, 0, 0, 40, 0xd4, 0x31, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2, //
    0x9c, 0x40, 0, 23, 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0, 0x50, 2, 4, 0, 0xab, 0xcd, 0, 0,
];

/// IPv6 and TCP, the same SYN between 2001:db8::1 and 2001:db8::2.
pub(super) const V6: [u8; 60] = [
    0x60, 0, 0, 0, 0, 20, 6, 55, //
    0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, //
    0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, //
    0x9c, 0x40, 0, 23, 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0, 0x50, 2, 4, 0, 0xab, 0xcd, 0, 0,
];

/// Destination and source address of an Ethernet frame.
pub(super) const MACS: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

pub(super) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub(super) fn ethernet(rest: &[&[u8]]) -> Vec<u8> {
    join(&[&MACS, &rest.concat()])
}

pub(super) fn read(link: u32, frame: &[u8]) -> Result<Packet<'_>, Skip> {
    decode(link, frame, u32::try_from(frame.len()).expect("short"), &Options::default())
}

/// The frame holds the SYN, and cut anywhere it gives a reason or a packet that says nothing else.
#[track_caller]
pub(super) fn holds(link: u32, frame: &[u8], vlan: Option<u16>) {
    let wire = u32::try_from(frame.len()).expect("short");
    let whole = read(link, frame).expect("a packet");
    assert_eq!((whole.src_port(), whole.dst_port()), (Some(40_000), Some(23)));
    assert_eq!(whole.vlan, vlan);
    assert_eq!(whole.payload_len, Some(0));
    let source = whole.src;
    assert!(source == IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)) || source.to_string() == "2001:db8::1");
    let mut packets = 0;
    for cut in 0..frame.len() {
        match decode(link, &frame[..cut], wire, &Options::default()) {
            Ok(packet) => {
                packets += 1;
                assert_eq!((packet.src, packet.dst, packet.proto), (whole.src, whole.dst, 6), "cut at {cut}");
            }
            Err(Skip::TruncatedLink | Skip::TruncatedIp) => {}
            Err(other) => assert_eq!(other, Skip::TruncatedLink, "cut at {cut}"),
        }
    }
    assert!(packets >= 20, "a cut TCP header is no reason to lose the packet");
}

#[track_caller]
pub(super) fn refuses(link: u32, frame: &[u8], skip: Skip) {
    assert_eq!(read(link, frame).map(|packet| packet.src), Err(skip));
}
