//! BSD loopback: a four-byte address family before the packet.

use super::{Next, Step};
use crate::bytes::{Span, array_at};
use crate::skip::{NotIp, Skip};

/// LINKTYPE_NULL: the family in the byte order of the machine that captured, which the file does not tell. All
/// families are below 65536, so the order is the one in which the upper half is zero.
pub(super) fn null(span: Span<'_>) -> Next<'_> {
    let bytes = array_at(span.data, 0).ok_or(Skip::TruncatedLink)?;
    let big = u32::from_be_bytes(bytes);
    family(if big > 0xffff { u32::from_le_bytes(bytes) } else { big }, span)
}

/// LINKTYPE_LOOP of OpenBSD: the family in network byte order.
pub(super) fn open_bsd(span: Span<'_>) -> Next<'_> {
    family(span.u32(0).ok_or(Skip::TruncatedLink)?, span)
}

fn family(number: u32, span: Span<'_>) -> Next<'_> {
    let step = match number {
        2 => Step::Ipv4,
        // AF_INET6 of NetBSD and OpenBSD, FreeBSD and DragonFly, Darwin; tcpdump.org's page of LINKTYPE_NULL.
        24 | 28 | 30 => Step::Ipv6,
        _ => return Err(Skip::NotIp(NotIp::Family(number))),
    };
    Ok((step, span.after(4)))
}
