//! From the first captured byte to the IP header: one step for each header in between.

mod erf;
mod ethernet;
mod ethertype;
mod frame_relay;
mod hdlc;
mod llc;
mod loopback;
mod monitor;
mod mpls;
mod nflog;
mod ppp;
mod sll;
mod wlan;

#[cfg(test)]
mod testing;

use crate::bytes::Span;
use crate::skip::{NotIp, Skip};

/// What the bytes ahead are.
///
/// Each step reads one header and moves the span forward, so the number of steps is bounded by the bytes captured
/// and nothing recurses, however deep a sender stacks its tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// IP of the version its header states. Whoever announces IPv4 is believed no further than that: tshark, too,
    /// reads an IPv6 header behind EtherType 0x0800.
    Ip,
    /// IPv6, as announced by the layer below.
    Ipv6,
    /// What this EtherType announces.
    EtherType(u16),
    /// An Ethernet frame from its destination address.
    Ethernet,
    /// IEEE 802.2 LLC.
    Llc,
    /// An MPLS label stack entry.
    Mpls,
    /// PPPoE session stage, at its version.
    Pppoe,
    /// PPP, at the address field or the protocol number.
    Ppp,
    /// Cisco HDLC, at its address byte.
    CiscoHdlc,
    /// An IEEE 802.11 frame at its frame control field; whether its header is padded to a multiple of 4.
    Wlan { padded: bool },
}

/// The IP header found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Of the version it states.
    Any,
    /// Which must be version 6.
    V6,
}

const ETHERNET: u32 = 1;

/// A header read: what follows it, and where.
type Next<'a> = Result<(Step, Span<'a>), Skip>;

/// Finds the IP header of a captured frame. `vlan` receives the outermost VLAN identifier.
#[inline(always)]
pub(crate) fn find<'a>(link: u32, span: Span<'a>, vlan: &mut Option<u16>) -> Result<(Found, Span<'a>), Skip> {
    // Nearly every frame there is; the walk below comes to the same.
    match span.u16(12) {
        Some(ethertype::IPV4) if link == ETHERNET => return Ok((Found::Any, span.after(14))),
        Some(ethertype::IPV6) if link == ETHERNET => return Ok((Found::V6, span.after(14))),
        _ => {}
    }
    let (step, span) = first(link, span)?;
    walk(step, span, vlan)
}

/// Reads the capture's own header for this link type.
fn first(link: u32, span: Span<'_>) -> Next<'_> {
    match link {
        // Numbers: the LINKTYPE_ registry of tcpdump.org; 12 and 14 are the DLT_RAW of some systems' own files.
        ETHERNET => Ok((Step::Ethernet, span)),
        12 | 14 | 101 | 228 => Ok((Step::Ip, span)),
        229 => Ok((Step::Ipv6, span)),
        0 => loopback::null(span),
        108 => loopback::open_bsd(span),
        113 => sll::version1(span),
        276 => sll::version2(span),
        9 => Ok((Step::Ppp, span)),
        50 => hdlc::ppp_or_cisco(span),
        51 => Ok((Step::Pppoe, span)),
        104 => Ok((Step::CiscoHdlc, span)),
        107 => frame_relay::step(span),
        204 => Ok((Step::Ppp, span.after(1))),
        105 => Ok((Step::Wlan { padded: false }, span)),
        119 => monitor::prism(span),
        127 => monitor::radiotap(span),
        163 => monitor::avs(span),
        192 => monitor::ppi(span),
        197 => erf::step(span),
        239 => nflog::step(span),
        _ => Err(Skip::UnknownLink(link)),
    }
}

/// Takes steps until an IP header is ahead. `vlan` receives the outermost VLAN identifier unless it has one already.
pub(crate) fn walk<'a>(
    mut step: Step,
    mut span: Span<'a>,
    vlan: &mut Option<u16>,
) -> Result<(Found, Span<'a>), Skip> {
    loop {
        (step, span) = match step {
            Step::Ip => return Ok((Found::Any, span)),
            Step::Ipv6 => return Ok((Found::V6, span)),
            Step::Ethernet => ethernet::step(span)?,
            Step::EtherType(ethertype::IPV4) => (Step::Ip, span),
            Step::EtherType(ethertype::IPV6) => (Step::Ipv6, span),
            Step::EtherType(number) => ethertype::step(number, span, vlan)?,
            Step::Llc => llc::step(span)?,
            Step::Mpls => mpls::step(span)?,
            Step::Pppoe => ppp::pppoe(span)?,
            Step::Ppp => ppp::step(span)?,
            Step::CiscoHdlc => hdlc::step(span)?,
            Step::Wlan { padded } => wlan::step(span, padded)?,
        };
    }
}

/// An EtherType that leads nowhere.
fn not_ip(number: u16) -> Skip {
    Skip::NotIp(match number {
        ethertype::ARP | ethertype::RARP => NotIp::Arp,
        ethertype::PPPOE_DISCOVERY => NotIp::PppoeDiscovery,
        _ => NotIp::EtherType(number),
    })
}

#[cfg(test)]
mod tests {
    use crate::link::testing::{MACS, V4, V6, ethernet, holds, join, read, refuses};
    use crate::{BadIp, Reason, Skip};

    #[test]
    fn test_raw() {
        for link in [12, 14, 101] {
            holds(link, &V4, None);
            holds(link, &V6, None);
        }
        holds(228, &V4, None);
        holds(229, &V6, None);
        refuses(229, &V4, Skip::BadIp(BadIp::Version(4)));
        refuses(101, &[0x55; 40], Skip::BadIp(BadIp::Version(5)));
        refuses(101, &[], Skip::TruncatedIp);
    }

    #[test]
    fn an_unknown_link_type_is_never_guessed() {
        let frame = ethernet(&[&[8, 0], &V4]);
        refuses(187, &frame, Skip::UnknownLink(187));
        assert_eq!(Skip::UnknownLink(187).reason(), Reason::UnknownLink);
    }

    #[test]
    fn endless_tags_end() {
        let mut frame = MACS.to_vec();
        while frame.len() < 60_000 {
            frame.extend([0x81, 0, 0, 1]);
        }
        assert!(matches!(read(1, &frame), Err(Skip::BadLink)));
        let labels = join(&[&MACS, &[0x88, 0x47], &vec![0; 60_000]]);
        assert!(matches!(read(1, &labels), Err(Skip::BadLink)));
    }
}
