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

#[cfg(test)]
mod tests {
    use crate::link::testing::{V4, ethernet, holds, refuses};
    use crate::{NotIp, Skip};

    #[test]
    fn test_llc() {
        holds(1, &ethernet(&[&[0, 48], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &V4, &[0; 9]]), None);
        holds(1, &ethernet(&[&[0, 48], &[0xaa, 0xaa, 3, 0, 0, 0xf8, 8, 0], &V4]), None);
        holds(1, &ethernet(&[&[0, 43], &[6, 6, 3], &V4]), None);
        refuses(1, &ethernet(&[&[0, 38], &[0x42, 0x42, 3], &[0; 35]]), Skip::NotIp(NotIp::Llc(0x42)));
        let cdp = [0xaa, 0xaa, 3, 0, 0, 12, 0x20, 0];
        refuses(1, &ethernet(&[&[0, 48], &cdp, &V4]), Skip::NotIp(NotIp::Snap(12)));
        refuses(1, &ethernet(&[&[0, 0], &V4]), Skip::BadLink);
    }
}
