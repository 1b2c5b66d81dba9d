//! MPLS label stacks (RFC 3032) and what lies below them.

use super::{Next, Step};
use crate::bytes::Span;
use crate::skip::{NotIp, Skip};

const BOTTOM_OF_STACK: u32 = 0x100;

/// One label stack entry. Below the last one nothing names the payload; the first nibble tells IP (RFC 4928), and
/// 0 is the control word of an Ethernet pseudowire (RFC 4448).
pub(super) fn step(span: Span<'_>) -> Next<'_> {
    let entry = span.u32(0).ok_or(Skip::TruncatedLink)?;
    let rest = span.after(4);
    if entry & BOTTOM_OF_STACK == 0 {
        return Ok((Step::Mpls, rest));
    }
    match rest.u8(0).ok_or(Skip::TruncatedLink)? >> 4 {
        4 => Ok((Step::Ipv4, rest)),
        6 => Ok((Step::Ipv6, rest)),
        0 => Ok((Step::Ethernet, rest.after(4))),
        _ => Err(Skip::NotIp(NotIp::Mpls)),
    }
}
