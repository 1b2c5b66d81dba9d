//! Headers that monitoring wireless drivers put before an IEEE 802.11 frame: radiotap, Prism, AVS, PPI.

use super::{Next, Step};
use crate::bytes::Span;
use crate::skip::Skip;

/// LINKTYPE_IEEE802_11_RADIOTAP: version 0, padding, length, then words of presence bits (little-endian).
/// Of the fields only the flags matter here. <https://www.radiotap.org/>
pub(super) fn radiotap(span: Span<'_>) -> Next<'_> {
    const TSFT: u32 = 1;
    const FLAGS: u32 = 2;
    const MORE: u32 = 1 << 31;
    const FCS_AT_END: u8 = 0x10;
    const PADDED: u8 = 0x20;

    if span.link_u8(0)? != 0 {
        return Err(Skip::BadLink);
    }
    let length = usize::from(span.link_u16(2)?.swap_bytes());
    if length < 8 {
        return Err(Skip::BadLink);
    }
    let header = span.limit(length);
    let present = header.link_u32(4)?.swap_bytes();
    let mut at = 8;
    let mut word = present;
    while word & MORE != 0 && at + 4 <= header.wire {
        word = header.link_u32(at)?.swap_bytes();
        at += 4;
    }
    let mut flags = 0;
    if present & FLAGS != 0 {
        if present & TSFT != 0 {
            at = at.next_multiple_of(8) + 8;
        }
        flags = if at < header.wire { header.link_u8(at)? } else { 0 };
    }
    let mut frame = span.after(length);
    if flags & FCS_AT_END != 0 {
        frame = frame.limit(frame.wire.saturating_sub(4));
    }
    Ok((Step::Wlan { padded: flags & PADDED != 0 }, frame))
}

/// LINKTYPE_IEEE802_11_PRISM: message code and length in the byte order of the capturing machine. Some drivers write
/// an AVS header under this link type; its magic number tells.
pub(super) fn prism(span: Span<'_>) -> Next<'_> {
    const AVS_MAGIC: u32 = 0x8021_1000;
    /// A whole header of the wlan-ng driver: 24 octets and ten items of 12.
    const USUAL_LENGTH: usize = 144;

    let code = span.link_u32(0)?;
    if code & 0xffff_f000 == AVS_MAGIC {
        return avs(span);
    }
    let length = span.link_u32(4)?;
    let length = length.min(length.swap_bytes()) as usize;
    if !(8..=USUAL_LENGTH * 2).contains(&length) {
        return Err(Skip::BadLink);
    }
    Ok((Step::Wlan { padded: false }, span.after(length)))
}

/// LINKTYPE_IEEE802_11_AVS: magic number and version, then the header's length (big-endian).
pub(super) fn avs(span: Span<'_>) -> Next<'_> {
    let length = span.link_u32(4)?;
    if !(8..=0xffff).contains(&length) {
        return Err(Skip::BadLink);
    }
    Ok((Step::Wlan { padded: false }, span.after(length as usize)))
}

/// LINKTYPE_PPI: version, flags, length, link type of what follows (little-endian).
pub(super) fn ppi(span: Span<'_>) -> Next<'_> {
    const PPI: u32 = 192;

    let length = span.link_u16(2)?.swap_bytes();
    let link = span.link_u32(4)?.swap_bytes();
    if length < 8 || link == PPI {
        return Err(Skip::BadLink);
    }
    super::first(link, span.after(usize::from(length)))
}

#[cfg(test)]
mod tests {
    use crate::link::testing::{V4, ethernet, holds, join, read, refuses};
    use crate::{NotIp, Skip};

    #[test]
    fn test_wlan_monitors() {
        let frame =
            join(&[&[0x88, 2, 0, 0], &[2; 18], &[0, 0], &[0, 0], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &V4]);
        // Only flags; time and flags behind a second word of presence bits; flags that tell of padding.
        holds(127, &join(&[&[0, 0, 9, 0, 2, 0, 0, 0, 0], &frame]), None);
        let long = [0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0x10];
        let with_check_sequence = join(&[&long, &frame, &[9; 4]]);
        let packet = read(127, &with_check_sequence).expect("a packet");
        assert_eq!((packet.dst_port(), packet.payload_len), (Some(23), Some(0)));
        let padded = join(&[&[0, 0, 9, 0, 2, 0, 0, 0, 0x20], &frame[..26], &[0, 0], &frame[26..]]);
        holds(127, &padded, None);
        holds(119, &join(&[&[0x44, 0, 0, 0, 144, 0, 0, 0], &[0; 136], &frame]), None);
        holds(119, &join(&[&[0, 0, 0, 0x44, 0, 0, 0, 144], &[0; 136], &frame]), None);
        let avs = join(&[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64], &[0; 56], &frame]);
        holds(119, &avs, None);
        holds(163, &avs, None);
        holds(192, &join(&[&[0, 0, 8, 0, 105, 0, 0, 0], &frame]), None);
        holds(192, &join(&[&[0, 0, 12, 0, 1, 0, 0, 0], &[0; 4], &ethernet(&[&[8, 0], &V4])]), None);
        refuses(192, &[0, 0, 8, 0, 192, 0, 0, 0, 0, 0, 8, 0], Skip::BadLink);
        refuses(127, &[9; 40], Skip::BadLink);
    }

    /// Presence bits or flags that were not captured must not be taken from elsewhere, or for none.
    #[test]
    fn a_radiotap_header_that_was_cut() {
        let header = [0, 0, 17, 0, 2, 0, 0, 0x80, 0xff, 0, 0, 0x80, 0, 0, 0, 0, 0];
        let frame = join(&[&header, &[0xc4, 0, 0, 0]]);
        refuses(127, &frame, Skip::NotIp(NotIp::WlanControl));
        for captured in 0..=header.len() {
            let part = crate::decode(127, &frame[..captured], frame.len() as u32, &crate::Options::default());
            assert_eq!(part, Err(Skip::TruncatedLink), "{captured}");
        }
    }
}
