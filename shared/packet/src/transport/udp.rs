//! UDP, RFC 768.

use super::{Decoded, ports};
use crate::bytes::Span;
use crate::packet::Transport;

const HEADER: usize = 8;

#[inline]
pub(super) fn parse(span: Span<'_>, fragment: bool) -> Decoded<'_> {
    let (src_port, dst_port) = ports(span);
    let len = span.u16(4);
    let payload = match len.map(usize::from) {
        Some(length) if !fragment && (HEADER..=span.wire).contains(&length) => {
            Some(span.limit(length).after(HEADER))
        }
        _ if span.wire >= HEADER => Some(span.after(HEADER)),
        _ => None,
    };
    (Transport::Udp { src_port, dst_port, len, sum: span.u16(6) }, payload)
}
