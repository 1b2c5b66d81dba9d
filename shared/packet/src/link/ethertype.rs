//! EtherTypes, and the IEEE 802.1Q tags that stand between an EtherType and the next.

use super::{Next, Step, ethernet, not_ip};
use crate::bytes::Span;

pub(super) const IPV4: u16 = 0x0800;
pub(super) const ARP: u16 = 0x0806;
pub(super) const RARP: u16 = 0x8035;
pub(super) const IPV6: u16 = 0x86dd;
pub(super) const PPPOE_DISCOVERY: u16 = 0x8863;
const TRANSPARENT_ETHERNET: u16 = 0x6558; // RFC 1701, RFC 7637: a whole frame follows
const LLC: u16 = 0x8870; // draft-ietf-isis-ext-eth: LLC frames too long for a length field
const PPP: u16 = 0x880b; // RFC 2637 and IANA
const MPLS_UNICAST: u16 = 0x8847; // RFC 3032
const MPLS_MULTICAST: u16 = 0x8848; // RFC 5332
const PPPOE_SESSION: u16 = 0x8864; // RFC 2516
const FABRIC_PATH: u16 = 0x8903; // Cisco FabricPath: a forwarding tag, then a whole frame
const VLAN: u16 = 0x8100; // IEEE 802.1Q customer tag
const VLAN_SERVICE: u16 = 0x88a8; // IEEE 802.1ad
const VLAN_OLD: u16 = 0x9100; // stacked tags before 802.1ad

/// Whether this EtherType is one that [`step`] or the walk acts on.
pub(super) fn is_known(number: u16) -> bool {
    matches!(
        number,
        IPV4 | IPV6 | ARP | VLAN | VLAN_SERVICE | VLAN_OLD | MPLS_UNICAST | MPLS_MULTICAST | PPPOE_SESSION
    )
}

/// What follows an EtherType other than those of IP.
pub(super) fn step<'a>(number: u16, span: Span<'a>, vlan: &mut Option<u16>) -> Next<'a> {
    match number {
        VLAN | VLAN_SERVICE | VLAN_OLD => {
            let tag = span.link_u16(0)?;
            vlan.get_or_insert(tag & 0x0fff);
            let kind = span.link_u16(2)?;
            Ok(ethernet::type_or_length(kind, span.after(4)))
        }
        MPLS_UNICAST | MPLS_MULTICAST => Ok((Step::Mpls, span)),
        PPPOE_SESSION => Ok((Step::Pppoe, span)),
        TRANSPARENT_ETHERNET => Ok((Step::Ethernet, span)),
        FABRIC_PATH => Ok((Step::Ethernet, span.after(2))),
        LLC => Ok((Step::Llc, span)),
        PPP => Ok((Step::Ppp, span)),
        _ => Err(not_ip(number)),
    }
}

#[cfg(test)]
mod tests {
    use crate::link::testing::{V4, V6, ethernet, holds, refuses};
    use crate::{BadIp, Skip};

    #[test]
    fn the_version_decides_behind_the_ethertype_of_ipv4_only() {
        holds(1, &ethernet(&[&[8, 0], &V6]), None);
        refuses(1, &ethernet(&[&[0x86, 0xdd], &V4]), Skip::BadIp(BadIp::Version(4)));
    }

    #[test]
    fn test_vlan() {
        let c_tag = [0x81, 0, 0x60, 100];
        let s_tag = [0x88, 0xa8, 0xe0, 200];
        let old = [0x91, 0, 0, 7];
        holds(1, &ethernet(&[&c_tag, &[8, 0], &V4]), Some(100));
        holds(1, &ethernet(&[&s_tag, &c_tag, &[0x86, 0xdd], &V6]), Some(200));
        holds(1, &ethernet(&[&old, &c_tag, &c_tag, &c_tag, &c_tag, &[8, 0], &V4]), Some(7));
        let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
        holds(1, &ethernet(&[&c_tag, &[0, 48], &snap, &V4]), Some(100));
    }

    #[test]
    fn test_fabric_path() {
        let tag = [0x89, 3, 0x40, 0x20];
        holds(1, &ethernet(&[&tag, &ethernet(&[&[0x81, 0, 0, 7, 8, 0], &V4])]), Some(7));
    }
}
