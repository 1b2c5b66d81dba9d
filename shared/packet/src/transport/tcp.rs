//! TCP, RFC 9293.

use super::{Decoded, TcpOptions, ports};
use crate::bytes::Span;
use crate::packet::Transport;

/// Octets of the header without options.
const FIXED: usize = 20;

/// A TCP header. Every field is there if its own bytes were captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tcp<'a> {
    /// Source port.
    pub src_port: Option<u16>,
    /// Destination port.
    pub dst_port: Option<u16>,
    /// Sequence number.
    pub seq: Option<u32>,
    /// Acknowledgment number, whether or not the ACK flag says it means something.
    pub ack: Option<u32>,
    /// Data offset: header length in units of 4 octets; below 5 is impossible and yet seen.
    pub data_offset: Option<u8>,
    /// Nine flags: FIN 0x001, SYN 0x002, RST 0x004, PSH 0x008, ACK 0x010, URG 0x020, ECE 0x040, CWR 0x080,
    /// NS 0x100 (RFC 3540, today the AE flag).
    pub flags: Option<u16>,
    /// Window as it stands in the header, not scaled.
    pub win: Option<u16>,
    /// Checksum.
    pub sum: Option<u16>,
    /// Urgent pointer.
    pub urg: Option<u16>,
    /// The options that were captured.
    pub options: TcpOptions<'a>,
}

#[inline(always)]
pub(super) fn parse(span: Span<'_>) -> Decoded<'_> {
    let Some(header) = span.data.first_chunk::<FIXED>() else { return parse_cut(span) };
    let flags = u16::from_be_bytes([header[12], header[13]]);
    let data_offset = header[12] >> 4;
    let length = usize::from(data_offset) * 4;
    let mut tcp = Tcp {
        src_port: Some(u16::from_be_bytes([header[0], header[1]])),
        dst_port: Some(u16::from_be_bytes([header[2], header[3]])),
        seq: Some(u32::from_be_bytes([header[4], header[5], header[6], header[7]])),
        ack: Some(u32::from_be_bytes([header[8], header[9], header[10], header[11]])),
        data_offset: Some(data_offset),
        flags: Some(flags & 0x01ff),
        win: Some(u16::from_be_bytes([header[14], header[15]])),
        sum: Some(u16::from_be_bytes([header[16], header[17]])),
        urg: Some(u16::from_be_bytes([header[18], header[19]])),
        options: TcpOptions::default(),
    };
    if length > FIXED {
        tcp.options = TcpOptions::new(span.limit(length).after(FIXED).data, length - FIXED);
    }
    (Transport::Tcp(tcp), payload(span, length))
}

/// A header of which the capture or the packet has less than 20 octets.
#[cold]
fn parse_cut(span: Span<'_>) -> Decoded<'_> {
    let (src_port, dst_port) = ports(span);
    let data_offset = span.u8(12).map(|octet| octet >> 4);
    let tcp = Tcp {
        src_port,
        dst_port,
        seq: span.u32(4),
        ack: span.u32(8),
        data_offset,
        flags: span.u16(12).map(|both| both & 0x01ff),
        win: span.u16(14),
        sum: span.u16(16),
        urg: span.u16(18),
        options: TcpOptions::default(),
    };
    (Transport::Tcp(tcp), data_offset.and_then(|words| payload(span, usize::from(words) * 4)))
}

#[inline(always)]
fn payload(span: Span<'_>, header_len: usize) -> Option<Span<'_>> {
    (FIXED..=span.wire).contains(&header_len).then(|| span.after(header_len))
}

#[cfg(test)]
mod tests {
    use crate::net::testing::{ipv4, read, read_cut, tcp};
    use crate::{Packet, Tcp, Transport};

    fn header<'a>(packet: &Packet<'a>) -> Tcp<'a> {
        let Transport::Tcp(tcp) = packet.transport else { panic!("{:?}", packet.transport) };
        tcp
    }

    #[test]
    fn test_parse() {
        let bytes = ipv4(6, &tcp(&[2, 4, 5, 0xb4], b"abc"));
        let packet = read(&bytes).expect("a packet");
        let tcp = header(&packet);
        assert_eq!((tcp.src_port, tcp.dst_port), (Some(40_000), Some(23)));
        assert_eq!((tcp.seq, tcp.ack), (Some(0x1122_3344), Some(0x5566_7788)));
        assert_eq!((tcp.data_offset, tcp.flags, tcp.win), (Some(6), Some(2), Some(1024)));
        assert_eq!((tcp.sum, tcp.urg), (Some(0xabcd), Some(7)));
        assert_eq!((tcp.options.raw(), tcp.options.mss()), (&[2, 4, 5, 0xb4][..], Some(1460)));
        assert_eq!((packet.payload, packet.payload_len), (&b"abc"[..], Some(3)));
    }

    #[test]
    fn the_ninth_flag_is_kept_and_the_reserved_bits_are_not() {
        let mut bytes = ipv4(6, &tcp(&[], b""));
        (bytes[32], bytes[33]) = (0x5f, 0xff);
        assert_eq!(header(&read(&bytes).expect("a packet")).flags, Some(0x1ff));
    }

    /// A field is there exactly when its own last byte was captured.
    #[test]
    fn test_truncated() {
        let bytes = ipv4(6, &tcp(&[2, 4, 5, 0xb4], b"abc"));
        for captured in 0..=27 {
            let packet = read_cut(&bytes, 20 + captured).expect("a packet");
            let tcp = header(&packet);
            let there = |end: usize| captured >= end;
            assert_eq!(tcp.src_port.is_some(), there(2));
            assert_eq!(tcp.dst_port.is_some(), there(4));
            assert_eq!(tcp.seq.is_some(), there(8));
            assert_eq!(tcp.ack.is_some(), there(12));
            assert_eq!(tcp.data_offset.is_some(), there(13));
            assert_eq!(tcp.flags.is_some(), there(14));
            assert_eq!(tcp.win.is_some(), there(16));
            assert_eq!(tcp.sum.is_some(), there(18));
            assert_eq!(tcp.urg.is_some(), there(20));
            assert_eq!(tcp.options.mss().is_some(), there(24));
            assert_eq!(packet.payload_len, there(13).then_some(3));
            assert_eq!(packet.payload.len(), captured.saturating_sub(24));
        }
    }

    #[test]
    fn test_impossible_len() {
        for words in [0, 4, 15] {
            let mut bytes = ipv4(6, &tcp(&[2, 4, 5, 0xb4], b"abc"));
            bytes[32] = words << 4;
            let packet = read(&bytes).expect("a packet");
            let tcp = header(&packet);
            assert_eq!((tcp.dst_port, tcp.flags, tcp.data_offset), (Some(23), Some(2), Some(words)));
            assert_eq!((packet.payload, packet.payload_len), (&[][..], None));
            assert_eq!(tcp.options.mss(), (words == 15).then_some(1460));
        }
    }
}
