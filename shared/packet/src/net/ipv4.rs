//! IPv4, RFC 791.

use std::net::Ipv4Addr;

use super::{Follows, Ip, authentication};
use crate::bytes::Span;
use crate::packet::Frag;
use crate::proto;
use crate::skip::{BadIp, Skip};

/// Header octets without options; both addresses are in them.
const FIXED: usize = 20;

/// Reads a header whose version is known to be 4.
#[inline]
pub(crate) fn parse(span: Span<'_>) -> Result<Ip<'_>, Skip> {
    let header: &[u8; FIXED] = span.data.first_chunk().ok_or(Skip::TruncatedIp)?;
    let header_len = usize::from(header[0] & 0x0f) * 4;
    if header_len < FIXED {
        return Err(Skip::BadIp(BadIp::HeaderLen((header[0] & 0x0f) * 4)));
    }
    let total = u16::from_be_bytes([header[2], header[3]]);
    let ip_len = match usize::from(total) {
        // Segmentation offload: the capture saw the packet before the card filled the length in.
        0 => span.wire,
        total_len if total_len < header_len => return Err(Skip::BadIp(BadIp::TotalLen(total))),
        total_len => total_len,
    };
    let ip_id = u16::from_be_bytes([header[4], header[5]]);
    let flags = u16::from_be_bytes([header[6], header[7]]);
    let offset = (flags & 0x1fff) * 8;
    let more = flags & 0x2000 != 0;

    let mut proto = header[9];
    let mut payload = span.limit(ip_len).after(header_len);
    let mut follows = if offset == 0 { Follows::Transport } else { Follows::Fragment };
    while proto == proto::AH && follows == Follows::Transport {
        match authentication(payload) {
            Some(next) => (proto, payload) = next,
            None => follows = Follows::Cut,
        }
    }
    Ok(Ip {
        src: Ipv4Addr::new(header[12], header[13], header[14], header[15]).into(),
        dst: Ipv4Addr::new(header[16], header[17], header[18], header[19]).into(),
        proto,
        ip_len: u32::try_from(ip_len).unwrap_or(u32::MAX),
        ttl: header[8],
        tos: header[1],
        ip_id: Some(ip_id),
        df: Some(flags & 0x4000 != 0),
        flow_label: None,
        frag: (more || offset != 0).then_some(Frag { offset, more, id: u32::from(ip_id) }),
        payload,
        beyond: ip_len.saturating_sub(span.wire),
        follows,
        en_route: false,
    })
}
