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
