//! Cisco HDLC, and serial lines that carry either it or PPP.

use super::{Next, Step};
use crate::bytes::Span;

const UNICAST: u8 = 0x0f;
const MULTICAST: u8 = 0x8f;

/// LINKTYPE_PPP_HDLC: the first octet tells PPP (0xff) from Cisco HDLC.
pub(super) fn ppp_or_cisco(span: Span<'_>) -> Next<'_> {
    match span.link_u8(0)? {
        UNICAST | MULTICAST => Ok((Step::CiscoHdlc, span)),
        _ => Ok((Step::Ppp, span)),
    }
}

/// Address, control, EtherType.
pub(super) fn step(span: Span<'_>) -> Next<'_> {
    let number = span.link_u16(2)?;
    Ok((Step::EtherType(number), span.after(4)))
}

#[cfg(test)]
mod tests {
    use crate::link::testing::{V4, V6, holds, join, refuses};
    use crate::{NotIp, Skip};

    #[test]
    fn test_hdlc() {
        for link in [50, 104] {
            holds(link, &join(&[&[0x0f, 0, 8, 0], &V4]), None);
            holds(link, &join(&[&[0x8f, 0, 0x86, 0xdd], &V6]), None);
        }
        holds(50, &join(&[&[0xff, 3, 0, 0x21], &V4]), None);
        refuses(104, &join(&[&[0x8f, 0, 0x80, 0x35], &[0; 18]]), Skip::NotIp(NotIp::Arp));
    }
}
