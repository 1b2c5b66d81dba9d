//! Ethernet II and IEEE 802.3 frames.

use super::{Next, Step};
use crate::bytes::Span;

/// Largest value of the field that is a length and not an EtherType: IEEE 802.3 clause 3.2.6.
pub(super) const MAX_LENGTH: u16 = 1500;

/// Destination, source, then EtherType or length.
#[inline]
pub(super) fn step(span: Span<'_>) -> Next<'_> {
    let kind = span.link_u16(12)?;
    Ok(type_or_length(kind, span.after(14)))
}

/// What follows a field that holds an EtherType or the length of an LLC frame.
#[inline]
pub(super) fn type_or_length(kind: u16, rest: Span<'_>) -> (Step, Span<'_>) {
    if kind > MAX_LENGTH { (Step::EtherType(kind), rest) } else { (Step::Llc, rest.limit(usize::from(kind))) }
}
