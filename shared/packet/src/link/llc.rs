//! IEEE 802.2 logical link control and its SNAP extension (RFC 1042).

use super::{Next, Step};
use crate::bytes::Span;
use crate::skip::{NotIp, Skip};

const SAP_SNAP: u8 = 0xaa;
const SAP_IP: u8 = 0x06;
const UNNUMBERED_INFORMATION: u8 = 0x03;

/// Service access points and control, then, with SNAP, organization code and EtherType.
pub(super) fn step(span: Span<'_>) -> Next<'_> {
    let destination = span.link_u8(0)?;
    let source = span.link_u8(1)?;
    let control = span.link_u8(2)?;
    match (destination, source, control) {
        (SAP_IP, _, UNNUMBERED_INFORMATION) => Ok((Step::Ip, span.after(3))),
        (SAP_SNAP, SAP_SNAP, UNNUMBERED_INFORMATION) => snap(span.after(3)),
        _ => Err(Skip::NotIp(NotIp::Llc(destination))),
    }
}

/// Organization code and protocol identifier.
pub(super) fn snap(span: Span<'_>) -> Next<'_> {
    let organization = span.link_u32(0)? >> 8;
    let number = span.link_u16(3)?;
    match organization {
        // RFC 1042 and IEEE 802.1H bridging: the protocol identifier is an EtherType.
        0x00_0000 | 0x00_00f8 => Ok((Step::EtherType(number), span.after(5))),
        _ => Err(Skip::NotIp(NotIp::Snap(organization))),
    }
}
