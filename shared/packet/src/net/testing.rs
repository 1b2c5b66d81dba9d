//! IP packets for tests, built byte by byte from the RFCs.

use crate::{Options, Packet, Skip, decode};

/// IPv4 from 192.0.2.1 to 198.51.100.2 with a right total length; no checksum.
pub(crate) fn ipv4(proto: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet =
        vec![0x45, 0xb9, 0, 0, 0xd4, 0x31, 0x40, 0, 64, proto, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2];
    packet.extend(payload);
    let length = u16::try_from(packet.len()).expect("short");
    set16(&mut packet, 2, length);
    packet
}

/// IPv6 from 2001:db8::1 to 2001:db8::2 with a right payload length.
pub(crate) fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x6a, 0x51, 0x23, 0x45, 0, 0, next, 55];
    for last in [1, 2] {
        packet.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    packet.extend(payload);
    let length = u16::try_from(payload.len()).expect("short");
    set16(&mut packet, 4, length);
    packet
}

/// A SYN from port 40000 to port 23 with these options and payload.
pub(crate) fn tcp(options: &[u8], payload: &[u8]) -> Vec<u8> {
    let offset = u8::try_from(5 + options.len() / 4).expect("short") << 4;
    let mut segment =
        vec![0x9c, 0x40, 0, 23, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, offset, 2, 4, 0];
    segment.extend([0xab, 0xcd, 0, 7]);
    segment.extend(options);
    segment.extend(payload);
    segment
}

/// A datagram from port 40000 to port 53 with a right length and the checksum 0x1234.
pub(crate) fn udp(payload: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0x9c, 0x40, 0, 53, 0, 0, 0x12, 0x34];
    datagram.extend(payload);
    let length = u16::try_from(datagram.len()).expect("short");
    set16(&mut datagram, 4, length);
    datagram
}

pub(crate) fn set16(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

/// The packet at the first byte, complete.
pub(crate) fn read(packet: &[u8]) -> Result<Packet<'_>, Skip> {
    read_cut(packet, packet.len())
}

/// The packet at the first byte, of which only this much was captured.
pub(crate) fn read_cut(packet: &[u8], captured: usize) -> Result<Packet<'_>, Skip> {
    let wire = u32::try_from(packet.len()).expect("short");
    decode(101, &packet[..captured], wire, &Options::default())
}

/// The innermost packet.
pub(crate) fn read_inner(packet: &[u8]) -> Result<Packet<'_>, Skip> {
    let wire = u32::try_from(packet.len()).expect("short");
    decode(101, packet, wire, &Options { inner: true, checksums: false })
}
