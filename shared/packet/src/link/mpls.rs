//! MPLS label stacks (RFC 3032) and what lies below them.

use super::{Next, Step, ethertype};
use crate::bytes::Span;
use crate::skip::{NotIp, Skip};

const BOTTOM_OF_STACK: u32 = 0x100;
/// Octets of a pseudowire control word.
const CONTROL_WORD: usize = 4;
// IANA "MPLS Generalized Associated Channel Types".
const CHANNEL_IPV4: u16 = 0x0021;
const CHANNEL_IPV6: u16 = 0x0057;

/// One label stack entry. Below the last one nothing names the payload; the first nibble tells IP (RFC 4928),
/// 0 an Ethernet pseudowire, 1 an associated channel (RFC 4385).
pub(super) fn step(span: Span<'_>) -> Next<'_> {
    let entry = span.link_u32(0)?;
    let rest = span.after(4);
    if entry & BOTTOM_OF_STACK == 0 {
        return Ok((Step::Mpls, rest));
    }
    match rest.link_u8(0)? >> 4 {
        4 => Ok((Step::Ip, rest)),
        6 => Ok((Step::Ipv6, rest)),
        0 => Ok((Step::Ethernet, pseudowire(rest)?)),
        1 => match rest.link_u16(2)? {
            CHANNEL_IPV4 => Ok((Step::Ip, rest.after(4))),
            CHANNEL_IPV6 => Ok((Step::Ipv6, rest.after(4))),
            _ => Err(Skip::NotIp(NotIp::Mpls)),
        },
        _ => Err(Skip::NotIp(NotIp::Mpls)),
    }
}

/// The frame of an Ethernet pseudowire whose first nibble is 0: behind a control word (RFC 4448), unless only without
/// one an EtherType we know stands where it must. tshark asks instead whether both addresses have known makers.
/// Both places must be there: a frame cut between them must not be taken for another.
fn pseudowire(span: Span<'_>) -> Result<Span<'_>, Skip> {
    let behind_word = ethertype::is_known(span.link_u16(CONTROL_WORD + 12)?);
    let control_word = behind_word || !ethertype::is_known(span.link_u16(12)?);
    Ok(if control_word { span.after(CONTROL_WORD) } else { span })
}

#[cfg(test)]
mod tests {
    use crate::link::testing::{V4, V6, ethernet, holds, refuses};
    use crate::{NotIp, Skip};

    #[test]
    fn test_mpls() {
        let top = [0, 6, 0x40, 64];
        let bottom = [0, 12, 0x81, 64];
        holds(1, &ethernet(&[&[0x88, 0x47], &bottom, &V4]), None);
        holds(1, &ethernet(&[&[0x88, 0x48], &top, &top, &bottom, &V6]), None);
        // A pseudowire with and without control word, and an associated channel.
        let inside = ethernet(&[&[8, 0], &V4]);
        holds(1, &ethernet(&[&[0x88, 0x47], &bottom, &[0, 0, 0, 9], &inside]), None);
        holds(1, &ethernet(&[&[0x88, 0x47], &bottom, &inside]), None);
        holds(1, &ethernet(&[&[0x88, 0x47], &bottom, &[0x10, 0, 0, 0x21], &V4]), None);
        refuses(1, &ethernet(&[&[0x88, 0x47], &bottom, &[0x20; 40]]), Skip::NotIp(NotIp::Mpls));
    }

    /// An EtherType stands where it must be without a control word, and another where it must be with one.
    #[test]
    fn a_pseudowire_cut_between_both_places() {
        let both = [&[0, 0, 0, 9][..], &[0; 8], &[8, 0], &[0, 0], &[8, 6], &[0; 28]].concat();
        let frame = ethernet(&[&[0x88, 0x47], &[0, 12, 0x81, 64], &both]);
        refuses(1, &frame, Skip::NotIp(NotIp::Arp));
        for captured in 18..18 + 18 {
            let part = crate::decode(1, &frame[..captured], frame.len() as u32, &crate::Options::default());
            assert_eq!(part, Err(Skip::TruncatedLink), "{captured}");
        }
    }
}
