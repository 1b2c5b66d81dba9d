//! Verdicts on the checksums of RFC 1071.

use std::net::IpAddr;

use crate::bytes::Span;
use crate::net::{Follows, Ip, ipv6};
use crate::packet::{ChecksumVerdict, Verdict};
use crate::proto;

/// One's complement sum of 16-bit words, not yet folded.
#[derive(Debug, Clone, Copy, Default)]
struct Sum(u64);

impl Sum {
    fn bytes(mut self, data: &[u8]) -> Self {
        // Four octets at a time: 2^16 = 1 modulo 2^16 - 1, so wider words fold to the same sum.
        let (quads, rest) = data.as_chunks::<4>();
        self.0 += quads.iter().map(|quad| u64::from(u32::from_be_bytes(*quad))).sum::<u64>();
        let mut tail = [0; 4];
        for (to, from) in tail.iter_mut().zip(rest) {
            *to = *from;
        }
        self.0 += u64::from(u32::from_be_bytes(tail));
        self
    }

    fn number(mut self, number: u32) -> Self {
        self.0 += u64::from(number);
        self
    }

    /// Whether the words, the checksum among them, add up to minus zero.
    fn fits(self) -> bool {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum >> 16) + (sum & 0xffff);
        }
        sum == 0xffff
    }
}

fn good(fits: bool) -> Verdict {
    if fits { Verdict::Good } else { Verdict::Bad }
}

/// Both verdicts. `span` begins at the IP header.
pub(crate) fn verdict(span: Span<'_>, ip: &Ip<'_>) -> ChecksumVerdict {
    ChecksumVerdict { ip: header(span, ip), transport: transport(span, ip) }
}

fn header(span: Span<'_>, ip: &Ip<'_>) -> Verdict {
    if ip.src.is_ipv6() {
        return Verdict::Absent;
    }
    let length = span.data.first().map_or(0, |octet| usize::from(octet & 0x0f) * 4);
    span.data.get(..length).map_or(Verdict::Unknown, |header| good(Sum::default().bytes(header).fits()))
}

fn transport(whole: Span<'_>, ip: &Ip<'_>) -> Verdict {
    let span = ip.payload;
    if ip.follows != Follows::Transport {
        return Verdict::Unknown;
    }
    if ip.proto == proto::UDP && span.u16(6) == Some(0) {
        // RFC 8200 section 8.1: not allowed over IPv6 (but for the tunnels of RFC 6935).
        return if ip.src.is_ipv4() { Verdict::Absent } else { Verdict::Bad };
    }
    if ip.frag.is_some() {
        return Verdict::Unknown;
    }
    let length = match ip.proto {
        // Too short to have a checksum field.
        proto::TCP if span.wire < 18 => return Verdict::Unknown,
        proto::ICMP | proto::ICMPV6 if span.wire < 4 => return Verdict::Unknown,
        proto::TCP | proto::ICMP | proto::ICMPV6 => span.wire,
        proto::UDP => match span.u16(4).map(usize::from) {
            Some(length) if length >= 8 => length,
            _ => return Verdict::Unknown,
        },
        _ => return Verdict::Unknown,
    };
    let Some(data) = span.data.get(..length) else { return Verdict::Unknown };
    let sum = match ip.proto {
        proto::ICMP => Sum::default(),
        _ => match destination(whole, ip) {
            Some(dst) => pseudo_header(ip, dst, length),
            None => return Verdict::Unknown,
        },
    };
    good(sum.bytes(data).fits())
}

/// The destination that the sender put into the pseudo-header: behind a routing header, the last one.
fn destination(whole: Span<'_>, ip: &Ip<'_>) -> Option<IpAddr> {
    if ip.en_route { ipv6::final_destination(whole) } else { Some(ip.dst) }
}

/// RFC 9293 section 3.1 and RFC 8200 section 8.1.
fn pseudo_header(ip: &Ip<'_>, dst: IpAddr, length: usize) -> Sum {
    let sum = Sum::default().number(u32::try_from(length).unwrap_or(u32::MAX)).number(u32::from(ip.proto));
    match (ip.src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => sum.bytes(&src.octets()).bytes(&dst.octets()),
        (IpAddr::V6(src), IpAddr::V6(dst)) => sum.bytes(&src.octets()).bytes(&dst.octets()),
        _ => sum,
    }
}

#[cfg(test)]
mod tests {
    use crate::net::testing::{ipv4, ipv6, set16, tcp, udp};
    use crate::{ChecksumVerdict, Options, Verdict, decode};

    fn verdict(bytes: &[u8], captured: usize) -> ChecksumVerdict {
        let wire = u32::try_from(bytes.len()).expect("short");
        let opts = Options { checksums: true, ..Options::default() };
        decode(101, &bytes[..captured], wire, &opts).expect("a packet").checksum.expect("asked for")
    }

    /// The example of RFC 1071 section 3: 0001 f203 f4f5 f6f7 add up to ddf2.
    #[test]
    fn test_sum() {
        let words = [0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7];
        assert!(super::Sum::default().bytes(&words).number(!0xddf2 & 0xffff).fits());
        assert!(!super::Sum::default().bytes(&words).number(0xddf2).fits());
        // An octet left over is the upper half of a word.
        assert!(super::Sum::default().bytes(&[0x12, 0x34, 0x56]).number(0xffff - 0x1234 - 0x5600).fits());
    }

    #[test]
    fn nobody_asked() {
        let bytes = ipv4(6, &tcp(&[], b""));
        assert_eq!(decode(101, &bytes, 40, &Options::default()).expect("a packet").checksum, None);
    }

    #[test]
    fn test_ipv4_header() {
        let mut bytes = ipv4(6, &tcp(&[], b""));
        assert_eq!(verdict(&bytes, 40).ip, Verdict::Bad);
        // 45b9 0028 d431 4000 4006 c000 0201 c633 6402 add up to 0x3864e, folded 0x8651.
        set16(&mut bytes, 10, !0x8651);
        assert_eq!(verdict(&bytes, 40).ip, Verdict::Good);
        bytes[0] = 0x46;
        assert_eq!(verdict(&bytes, 22).ip, Verdict::Unknown);
        assert_eq!(verdict(&ipv6(6, &tcp(&[], b"")), 60).ip, Verdict::Absent);
    }

    #[test]
    fn test_cut_and_fragment() {
        let mut bytes = ipv4(6, &tcp(&[], b"abc"));
        assert_eq!(verdict(&bytes, 43).transport, Verdict::Bad);
        assert_eq!(verdict(&bytes, 42).transport, Verdict::Unknown);
        bytes[6] = 0x20;
        assert_eq!(verdict(&bytes, 43).transport, Verdict::Unknown);
        bytes[7] = 1;
        assert_eq!(verdict(&bytes, 43).transport, Verdict::Unknown);
        assert_eq!(verdict(&ipv4(47, b"other"), 25).transport, Verdict::Unknown);
        assert_eq!(verdict(&ipv4(6, &tcp(&[], b"")[..12]), 32).transport, Verdict::Unknown);
    }

    #[test]
    fn a_datagram_may_have_none() {
        let mut datagram = udp(b"abc");
        set16(&mut datagram, 6, 0);
        assert_eq!(verdict(&ipv4(17, &datagram), 31).transport, Verdict::Absent);
        assert_eq!(verdict(&ipv6(17, &datagram), 51).transport, Verdict::Bad);
    }

    #[test]
    fn test_icmp() {
        // 0800 0102 0304 add up to 0c06.
        let mut message = [8, 0, 0, 0, 1, 2, 3, 4];
        set16(&mut message, 2, !0x0c06);
        assert_eq!(verdict(&ipv4(1, &message), 28).transport, Verdict::Good);
        message[7] ^= 1;
        assert_eq!(verdict(&ipv4(1, &message), 28).transport, Verdict::Bad);
    }
}
