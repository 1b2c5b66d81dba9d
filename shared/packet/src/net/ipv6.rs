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

/// Reads a header whose version is known to be 6, and the extension headers behind it.
#[inline]
pub(crate) fn parse(span: Span<'_>) -> Result<Ip<'_>, Skip> {
    let header: &[u8; FIXED] = span.data.first_chunk().ok_or(Skip::TruncatedIp)?;
    let head = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
    let next = header[6];
    let payload_len = match usize::from(u16::from_be_bytes([header[4], header[5]])) {
        0 if next == proto::HOP_BY_HOP => jumbo_length(span.after(FIXED)).unwrap_or_default(),
        length => length,
    };
    let (src, dst) = (array_at::<16>(header, 8), array_at::<16>(header, 24));
    let (Some(src), Some(dst)) = (src, dst) else { return Err(Skip::TruncatedIp) };

    let ip = Ip {
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
    };
    Ok(if proto::is_extension(next) { extensions(ip) } else { ip })
}

/// Steps over extension headers. Each is at least 8 octets long, so the captured bytes bound their number.
fn extensions(mut ip: Ip<'_>) -> Ip<'_> {
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
