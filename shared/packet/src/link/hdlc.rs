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
