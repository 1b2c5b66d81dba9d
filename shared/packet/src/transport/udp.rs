//! UDP, RFC 768.

use super::{Decoded, ports};
use crate::bytes::Span;
use crate::packet::Transport;

const HEADER: usize = 8;

/// `beyond`: octets by which the wire fell short of the IP length.
#[inline]
pub(super) fn parse(span: Span<'_>, beyond: usize, fragment: bool) -> Decoded<'_> {
    let (src_port, dst_port) = ports(span);
    let len = span.u16(4);
    // ZMap 3 and 4 send SSDP probes (module upnp) of 28 octets that claim 125. What a sender means to send is what its
    // headers say, so this length is bounded by the IP length and not by the wire.
    let said = Span { wire: span.wire + beyond, ..span };
    let payload = match len.map(usize::from) {
        Some(length) if !fragment && (HEADER..=said.wire).contains(&length) => {
            Some(said.limit(length).after(HEADER))
        }
        _ if said.wire >= HEADER => Some(said.after(HEADER)),
        _ => None,
    };
    (Transport::Udp { src_port, dst_port, len, sum: span.u16(6) }, payload)
}
