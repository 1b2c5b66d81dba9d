//! Endace's Extensible Record Format, which capture cards of large telescopes write.

use super::{Next, Step};
use crate::bytes::Span;
use crate::skip::{NotIp, Skip};

const FIXED: usize = 16;
const TYPE: usize = 8;
const MORE: u8 = 0x80;
/// Octets of an extension header; its first bit tells whether another follows.
const EXTENSION: usize = 8;

/// LINKTYPE_ERF: the record header with its extension headers, then by its type the frame.
pub(super) fn step(span: Span<'_>) -> Next<'_> {
    let kind = span.link_u8(TYPE)?;
    let mut length = FIXED;
    let mut more = kind & MORE != 0;
    while more {
        more = span.link_u8(length)? & MORE != 0;
        length += EXTENSION;
    }
    let rest = span.after(length);
    // Type numbers: "ERF Types Reference Guide"; the second and third of a group add colours or hashes to the header.
    match kind & !MORE {
        // Packets over SONET, in PPP or Cisco framing.
        1 | 10 | 15 | 17 => super::hdlc::ppp_or_cisco(rest),
        // Two octets of offset and padding come before the destination address.
        2 | 11 | 16 | 20 => Ok((Step::Ethernet, rest.after(2))),
        22 => Ok((Step::Ip, rest)),
        23 => Ok((Step::Ipv6, rest)),
        other => Err(Skip::NotIp(NotIp::Device(u16::from(other)))),
    }
}

#[cfg(test)]
mod tests {
    use crate::link::testing::{V4, V6, ethernet, holds, join, refuses};
    use crate::{NotIp, Skip};

    #[test]
    fn test_erf() {
        let record = |kind: u8| join(&[&[0; 8], &[kind, 4, 0, 0, 0, 0, 0, 0]]);
        holds(197, &join(&[&record(2), &[0, 0], &ethernet(&[&[8, 0], &V4])]), None);
        holds(197, &join(&[&record(0x82), &[0x80; 8], &[0; 8], &[0, 0], &ethernet(&[&[8, 0], &V4])]), None);
        holds(197, &join(&[&record(1), &[0x0f, 0, 8, 0], &V4]), None);
        holds(197, &join(&[&record(22), &V4]), None);
        holds(197, &join(&[&record(23), &V6]), None);
        refuses(197, &join(&[&record(21), &V6]), Skip::NotIp(NotIp::Device(21)));
    }
}
