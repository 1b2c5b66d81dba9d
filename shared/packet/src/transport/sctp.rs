//! SCTP, RFC 9260.

use super::{Decoded, ports};
use crate::bytes::Span;
use crate::packet::Transport;

const HEADER: usize = 12;
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;

pub(super) fn parse(span: Span<'_>) -> Decoded<'_> {
    let (src_port, dst_port) = ports(span);
    let chunk = span.u8(HEADER);
    let init_tag = match chunk {
        Some(INIT | INIT_ACK) => span.u32(HEADER + 4),
        _ => None,
    };
    let transport = Transport::Sctp { src_port, dst_port, tag: span.u32(4), chunk, init_tag };
    (transport, (span.wire >= HEADER).then(|| span.after(HEADER)))
}
