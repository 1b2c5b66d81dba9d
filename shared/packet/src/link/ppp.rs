//! PPP (RFC 1661, RFC 1662) and PPP over Ethernet (RFC 2516).

use super::{Next, Step};
use crate::bytes::Span;
use crate::skip::{NotIp, Skip};

const ALL_STATIONS: u16 = 0xff03; // RFC 1662 section 3.1: address and control, often compressed away
const IPV4: u16 = 0x0021;
const IPV6: u16 = 0x0057;
const MPLS_UNICAST: u16 = 0x0281;
const MPLS_MULTICAST: u16 = 0x0283;

/// Address and control if present, then the protocol number in one or two octets.
pub(super) fn step(span: Span<'_>) -> Next<'_> {
    let addressed = span.link_u8(0)? == 0xff && span.link_u16(0)? == ALL_STATIONS;
    let span = if addressed { span.after(2) } else { span };
    let first = span.link_u8(0)?;
    // RFC 1661 section 6.5: an odd first octet is a compressed protocol number, complete in itself.
    let (number, octets) = if first & 1 == 1 { (u16::from(first), 1) } else { (span.link_u16(0)?, 2) };
    let rest = span.after(octets);
    match number {
        IPV4 => Ok((Step::Ip, rest)),
        IPV6 => Ok((Step::Ipv6, rest)),
        MPLS_UNICAST | MPLS_MULTICAST => Ok((Step::Mpls, rest)),
        _ => Err(Skip::NotIp(NotIp::Ppp(number))),
    }
}

/// Version and type, code, session, length. The code is 0 in this stage; as in tshark, it is not asked for.
pub(super) fn pppoe(span: Span<'_>) -> Next<'_> {
    let length = span.link_u16(4)?;
    Ok((Step::Ppp, span.after(6).limit(usize::from(length))))
}

#[cfg(test)]
mod tests {
    use crate::link::testing::{V4, V6, ethernet, holds, join, refuses};
    use crate::{NotIp, Skip};

    #[test]
    fn test_ppp() {
        holds(9, &join(&[&[0xff, 3, 0, 0x21], &V4]), None);
        holds(9, &join(&[&[0, 0x57], &V6]), None);
        holds(9, &join(&[&[0x21], &V4]), None);
        holds(9, &join(&[&[0xff, 3, 2, 0x81, 0, 0, 0x51, 64], &V4]), None);
        holds(204, &join(&[&[1, 0xff, 3, 0, 0x21], &V4]), None);
        refuses(9, &[0xff, 3, 0xc0, 0x21, 1, 1, 0, 4], Skip::NotIp(NotIp::Ppp(0xc021)));
    }

    #[test]
    fn test_pppoe() {
        let session = [0x11, 0, 0, 1, 0, 42, 0, 0x21];
        holds(1, &ethernet(&[&[0x88, 0x64], &session, &V4, &[0; 3]]), None);
        holds(51, &join(&[&session, &V4]), None);
        refuses(1, &ethernet(&[&[0x88, 0x63], &[0x11, 9, 0, 0, 0, 0]]), Skip::NotIp(NotIp::PppoeDiscovery));
        refuses(1, &ethernet(&[&[0x88, 0x64], &[0x11, 0, 0, 1, 0, 0, 0, 0x21], &V4]), Skip::BadLink);
    }
}
