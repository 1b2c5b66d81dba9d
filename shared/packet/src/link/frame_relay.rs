//! Frame Relay: multiprotocol encapsulation of RFC 2427, and Cisco's own.

use super::{Next, Step, llc};
use crate::bytes::Span;
use crate::skip::{NotIp, Skip};

const UNNUMBERED_INFORMATION: u8 = 0x03;
// Network layer protocol identifiers, ISO/IEC TR 9577.
const NLPID_PADDING: u8 = 0x00;
const NLPID_SNAP: u8 = 0x80;
const NLPID_IPV6: u8 = 0x8e;
const NLPID_IP: u8 = 0xcc;
const NLPID_PPP: u8 = 0xcf;

/// LINKTYPE_FRELAY: an address of two to four octets, then control and protocol identifier, or an EtherType.
pub(super) fn step(span: Span<'_>) -> Next<'_> {
    let mut length = 1;
    // Q.922: the lowest bit of the last address octet is set.
    while span.link_u8(length)? & 1 == 0 {
        length += 1;
        if length == 4 {
            return Err(Skip::BadLink);
        }
    }
    let rest = span.after(length + 1);
    if rest.link_u8(0)? != UNNUMBERED_INFORMATION {
        return Ok((Step::EtherType(rest.link_u16(0)?), rest.after(2)));
    }
    let mut rest = rest.after(1);
    if rest.link_u8(0)? == NLPID_PADDING {
        rest = rest.after(1);
    }
    let identifier = rest.link_u8(0)?;
    let rest = rest.after(1);
    match identifier {
        NLPID_IP => Ok((Step::Ip, rest)),
        NLPID_IPV6 => Ok((Step::Ipv6, rest)),
        NLPID_PPP => Ok((Step::Ppp, rest)),
        NLPID_SNAP => llc::snap(rest),
        other => Err(Skip::NotIp(NotIp::Device(u16::from(other)))),
    }
}

#[cfg(test)]
mod tests {
    use crate::Skip;
    use crate::link::testing::{V4, V6, holds, join, refuses};

    #[test]
    fn test_frame_relay() {
        holds(107, &join(&[&[0x18, 0x41, 3, 0xcc], &V4]), None);
        holds(107, &join(&[&[0x18, 0x40, 0x02, 0x41, 3, 0x8e], &V6]), None);
        holds(107, &join(&[&[0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0], &V4]), None);
        holds(107, &join(&[&[0x18, 0x41, 8, 0], &V4]), None);
        refuses(107, &[0x18, 0, 0, 0, 0, 0], Skip::BadLink);
    }
}
