//! The telescope's addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnetwork::IpNetwork;

use crate::random::mix;

/// Of a large IPv6 network, so many addresses have visitors: half of them the lowest, half drawn from all.
const IN_USE: u32 = 4096;

/// A set of monitored addresses: networks, single addresses and ranges.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

/// Why a text names no addresses.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Neither CIDR, ADDR nor A-B.
    #[error("'{0}' is no network, address or range; write 192.0.2.0/24, 192.0.2.7 or 192.0.2.10-192.0.2.34")]
    Malformed(String),
    /// More IPv4 addresses than the simulation counts.
    #[error("a telescope of more than 2^24 IPv4 addresses is not simulated")]
    TooLarge,
}

impl Addresses {
    /// Reads CIDR, ADDR or A-B, several of them joined by commas.
    ///
    /// # Errors
    /// When one of them is none of these, or there are more than 2^24 IPv4 addresses.
    pub fn parse<S: AsRef<str>>(texts: &[S]) -> Result<Self, AddressError> {
        let mut set = Self::default();
        for part in texts.iter().flat_map(|text| text.as_ref().split(',')).filter(|part| !part.is_empty()) {
            let malformed = || AddressError::Malformed(part.to_owned());
            let (first, last) = ends(part.trim()).ok_or_else(malformed)?;
            match (first, last) {
                (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
                    let count = u64::from(u32::from(last)) - u64::from(u32::from(first)) + 1;
                    if count + u64::from(set.count4()) > 1 << 24 {
                        return Err(AddressError::TooLarge);
                    }
                    set.v4.push((first.into(), count as u32));
                }
                (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
                    set.v6.push((first.into(), u128::from(last) - u128::from(first)));
                }
                _ => return Err(malformed()),
            }
        }
        Ok(set)
    }

    /// Whether there is no address at all.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// How many IPv4 addresses.
    pub fn count4(&self) -> u32 {
        self.v4.iter().map(|(_, count)| count).sum()
    }

    /// How many IPv6 addresses have visitors.
    pub fn count6(&self) -> u32 {
        self.v6.iter().map(|(_, more)| visited(*more)).sum()
    }

    /// The IPv4 address at this place, counted around.
    #[inline]
    pub(crate) fn v4(&self, place: u32) -> IpAddr {
        let mut place = place % self.count4();
        for (first, count) in &self.v4 {
            if place < *count {
                return Ipv4Addr::from(first + place).into();
            }
            place -= count;
        }
        Ipv4Addr::UNSPECIFIED.into()
    }

    /// The IPv6 address at this place, counted around.
    #[inline]
    pub(crate) fn v6(&self, place: u32) -> IpAddr {
        let mut place = place % self.count6();
        for (first, more) in &self.v6 {
            let visited = visited(*more);
            if place < visited {
                let at = if *more < u128::from(IN_USE) {
                    u128::from(place)
                } else if place < IN_USE / 2 {
                    // ::1 and up.
                    u128::from(place) + 1
                } else {
                    u128::from(mix(place.into())) << 64 >> (more.leading_zeros()) & more
                        | u128::from(mix(!u64::from(place))) & more
                };
                return Ipv6Addr::from(first + at.min(*more)).into();
            }
            place -= visited;
        }
        Ipv6Addr::UNSPECIFIED.into()
    }
}

fn visited(more: u128) -> u32 {
    if more < u128::from(IN_USE) { more as u32 + 1 } else { IN_USE }
}

fn ends(text: &str) -> Option<(IpAddr, IpAddr)> {
    if let Some((first, last)) = text.split_once('-') {
        return Some((first.trim().parse().ok()?, last.trim().parse().ok()?));
    }
    let network = IpNetwork::from_str(text).ok()?;
    Some(match network {
        IpNetwork::V4(network) => (network.network().into(), network.broadcast().into()),
        IpNetwork::V6(network) => (network.network().into(), network.broadcast().into()),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ranges_networks_and_lists() {
        let set = Addresses::parse(&["203.0.113.10-203.0.113.34,198.51.100.0/30", "2001:db8::/126"]).unwrap();
        assert_eq!((set.count4(), set.count6()), (29, 4));
        assert_eq!(set.v4(0).to_string(), "203.0.113.10");
        assert_eq!(set.v4(24).to_string(), "203.0.113.34");
        assert_eq!(set.v4(28).to_string(), "198.51.100.3");
        assert_eq!(set.v6(3).to_string(), "2001:db8::3");
        for bad in ["x", "192.0.2.9-192.0.2.1", "192.0.2.1-2001:db8::1", "0.0.0.0/0", "192.0.2.0/33"] {
            assert!(Addresses::parse(&[bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_large_ipv6_network_has_visitors_everywhere_inside() {
        let network: ipnetwork::Ipv6Network = "2001:db8:113::/48".parse().unwrap();
        let set = Addresses::parse(&["2001:db8:113::/48"]).unwrap();
        let mut seen = HashSet::new();
        for place in 0..set.count6() {
            let IpAddr::V6(address) = set.v6(place) else { panic!("IPv6 asked for") };
            assert!(network.contains(address), "{address}");
            seen.insert(address);
        }
        assert!(seen.len() > 4000, "{}", seen.len());
        assert!(seen.iter().filter(|a| u128::from(**a) >> 64 & 0xffff != 0).count() > 1500);
    }
}
