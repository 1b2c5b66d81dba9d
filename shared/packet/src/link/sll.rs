//! Linux cooked capture, versions 1 and 2: what the "any" device and devices without a header of their own give.

use super::{Next, Step};
use crate::bytes::Span;
use crate::skip::{NotIp, Skip};

// ARPHRD_ numbers of Linux <linux/if_arp.h> whose packets are not told by the protocol field.
const ARPHRD_NETLINK: u16 = 824;
const ARPHRD_IEEE80211: u16 = 801;
const ARPHRD_IEEE80211_RADIOTAP: u16 = 803;
// Protocol numbers below 1536 are not EtherTypes; <linux/if_ether.h> ETH_P_802_2.
const PROTOCOL_LLC: u16 = 4;

/// LINKTYPE_LINUX_SLL: packet type, device type, address length and address, protocol.
pub(super) fn version1(span: Span<'_>) -> Next<'_> {
    let device = span.link_u16(2)?;
    let protocol = span.link_u16(14)?;
    cooked(device, protocol, span.after(16))
}

/// LINKTYPE_LINUX_SLL2: protocol first, then interface number, device type, packet type and address.
pub(super) fn version2(span: Span<'_>) -> Next<'_> {
    let protocol = span.link_u16(0)?;
    let device = span.link_u16(8)?;
    cooked(device, protocol, span.after(20))
}

fn cooked(device: u16, protocol: u16, rest: Span<'_>) -> Next<'_> {
    match (device, protocol) {
        (ARPHRD_NETLINK, _) => Err(Skip::NotIp(NotIp::Device(device))),
        (ARPHRD_IEEE80211, _) => Ok((Step::Wlan { padded: false }, rest)),
        (ARPHRD_IEEE80211_RADIOTAP, _) => super::monitor::radiotap(rest),
        (_, PROTOCOL_LLC) => Ok((Step::Llc, rest)),
        (_, 0..1536) => Err(Skip::NotIp(NotIp::Device(device))),
        _ => Ok((Step::EtherType(protocol), rest)),
    }
}

#[cfg(test)]
mod tests {
    use crate::link::testing::{V4, V6, holds, join, refuses};
    use crate::{NotIp, Skip};

    #[test]
    fn test_linux_cooked() {
        let version1 = |device: [u8; 2], protocol: [u8; 2]| {
            join(&[&[0, 0], &device, &[0, 6, 2, 0, 0, 0, 0, 1, 0, 0], &protocol])
        };
        holds(113, &join(&[&version1([0, 1], [8, 0]), &V4]), None);
        holds(113, &join(&[&version1([0, 1], [0x81, 0]), &[0, 9, 8, 0], &V4]), Some(9));
        holds(113, &join(&[&version1([0, 1], [0, 4]), &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &V4]), None);
        refuses(113, &join(&[&version1([3, 0x38], [8, 0]), &V4]), Skip::NotIp(NotIp::Device(824)));
        refuses(113, &join(&[&version1([1, 0x18], [0, 12]), &V4]), Skip::NotIp(NotIp::Device(280)));
        let version2 = [0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
        holds(276, &join(&[&version2, &V6]), None);
    }
}
