//! IEEE 802.11 data frames.

use super::{Next, Step};
use crate::bytes::Span;
use crate::skip::{NotIp, Skip};

// Frame control, first octet: IEEE 802.11 clause 9.2.4.1.
const TYPE_MASK: u8 = 0x0c;
const TYPE_MANAGEMENT: u8 = 0x00;
const TYPE_DATA: u8 = 0x08;
const SUBTYPE_NULL: u8 = 0x40;
const SUBTYPE_QOS: u8 = 0x80;
// Second octet.
const TO_AND_FROM_DS: u8 = 0x03;
const PROTECTED: u8 = 0x40;
const ORDER: u8 = 0x80;
/// QoS control, first octet: the body is an aggregate of frames (clause 9.2.4.5.9).
const AGGREGATE: u8 = 0x80;

/// Frame control, duration, three or four addresses, sequence control, QoS and HT control; then LLC.
/// Of an aggregate the first frame is read.
pub(super) fn step(span: Span<'_>, padded: bool) -> Next<'_> {
    let kind = span.link_u8(0)?;
    match kind & TYPE_MASK {
        TYPE_DATA => {}
        TYPE_MANAGEMENT => return Err(Skip::NotIp(NotIp::WlanManagement)),
        _ => return Err(Skip::NotIp(NotIp::WlanControl)),
    }
    if kind & SUBTYPE_NULL != 0 {
        return Err(Skip::NotIp(NotIp::WlanNull));
    }
    let flags = span.link_u8(1)?;
    if flags & PROTECTED != 0 {
        return Err(Skip::NotIp(NotIp::WlanEncrypted));
    }
    let mut length = 24;
    if flags & TO_AND_FROM_DS == TO_AND_FROM_DS {
        length += 6;
    }
    let mut aggregate = false;
    if kind & SUBTYPE_QOS != 0 {
        aggregate = span.link_u8(length)? & AGGREGATE != 0;
        length += 2;
        if flags & ORDER != 0 {
            length += 4;
        }
    }
    if padded {
        length = length.next_multiple_of(4);
    }
    let body = span.after(length);
    if aggregate {
        let frame = body.link_u16(12)?;
        return Ok((Step::Llc, body.after(14).limit(usize::from(frame))));
    }
    Ok((Step::Llc, body))
}

#[cfg(test)]
mod tests {
    use crate::link::testing::{MACS, V4, holds, join, refuses};
    use crate::{NotIp, Skip};

    #[test]
    fn test_wlan() {
        const SNAP: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
        let header = |kind: u8, flags: u8, addresses: usize| {
            join(&[&[kind, flags, 0, 0], &vec![2; addresses], &[0, 0]])
        };
        holds(105, &join(&[&header(0x08, 1, 18), &SNAP, &V4]), None);
        holds(105, &join(&[&header(0x08, 3, 24), &SNAP, &V4]), None);
        holds(105, &join(&[&header(0x88, 2, 18), &[0, 0], &SNAP, &V4]), None);
        holds(105, &join(&[&header(0x88, 0x82, 18), &[0, 0], &[0; 4], &SNAP, &V4]), None);
        // An aggregate: destination, source and length before each frame.
        holds(105, &join(&[&header(0x88, 2, 18), &[0x80, 0], &MACS, &[0, 48], &SNAP, &V4]), None);
        refuses(105, &header(0x80, 0, 18), Skip::NotIp(NotIp::WlanManagement));
        refuses(105, &header(0xd4, 0, 6), Skip::NotIp(NotIp::WlanControl));
        refuses(105, &header(0x48, 1, 18), Skip::NotIp(NotIp::WlanNull));
        refuses(105, &join(&[&header(0x08, 0x41, 18), &SNAP, &V4]), Skip::NotIp(NotIp::WlanEncrypted));
    }
}
