//! BSD loopback: a four-byte address family before the packet.

use super::{Next, Step};
use crate::bytes::Span;
use crate::skip::{NotIp, Skip};

/// LINKTYPE_NULL: the family in the byte order of the machine that captured, which the file does not tell. All
/// families are below 65536, so the order is the one in which the upper half is zero.
pub(super) fn null(span: Span<'_>) -> Next<'_> {
    let number = span.link_u32(0)?;
    family(if number > 0xffff { number.swap_bytes() } else { number }, span)
}

/// LINKTYPE_LOOP of OpenBSD: the family in network byte order.
pub(super) fn open_bsd(span: Span<'_>) -> Next<'_> {
    family(span.link_u32(0)?, span)
}

fn family(number: u32, span: Span<'_>) -> Next<'_> {
    let step = match number {
        2 => Step::Ip,
        // AF_INET6 of NetBSD and OpenBSD, FreeBSD and DragonFly, Darwin; tcpdump.org's page of LINKTYPE_NULL.
        24 | 28 | 30 => Step::Ipv6,
        _ => return Err(Skip::NotIp(NotIp::Family(number))),
    };
    Ok((step, span.after(4)))
}

#[cfg(test)]
mod tests {
    use crate::link::testing::{V4, V6, holds, join, refuses};
    use crate::{NotIp, Skip};

    #[test]
    fn test_loopback() {
        for family in [[2, 0, 0, 0], [0, 0, 0, 2]] {
            holds(0, &join(&[&family, &V4]), None);
        }
        for family in [24, 28, 30] {
            holds(0, &join(&[&[family, 0, 0, 0], &V6]), None);
            holds(0, &join(&[&[0, 0, 0, family], &V6]), None);
            holds(108, &join(&[&[0, 0, 0, family], &V6]), None);
        }
        refuses(0, &join(&[&[7, 0, 0, 0], &V4]), Skip::NotIp(NotIp::Family(7)));
        refuses(108, &join(&[&[2, 0, 0, 0], &V4]), Skip::NotIp(NotIp::Family(0x0200_0000)));
    }
}
