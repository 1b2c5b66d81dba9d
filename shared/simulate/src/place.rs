//! Where sources are: countries with some of the address space that is registered and announced there.
//!
//! The ranges are facts of the registries and the routing table, checked against DB-IP and RouteViews data of June 2026:
//! at least 97 of 100 addresses drawn from each lie in that country and are announced. How often a country
//! occurs is made up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::{IpNetwork, Ipv4Network};

use crate::cohort::Nets;
use crate::random::Random;

/// A country: ISO 3166 code, weight, its most usual offset from UTC in hours (summer time left out), networks.
type Country = (&'static str, u32, i8, &'static [&'static str]);

#[rustfmt::skip]
const COUNTRIES: &[Country] = &[
    ("CN", 200, 8, &["59.32.0.0/13", "112.224.0.0/11", "117.128.0.0/10", "125.64.0.0/11", "222.64.0.0/13", "240e::/20", "2409:8000::/20"]),
    ("US", 150, -5, &["24.0.0.0/12", "68.32.0.0/11", "104.131.0.0/16", "107.170.0.0/16", "192.241.128.0/17", "2600:1700::/28", "2601::/20", "2600:3c00::/31"]),
    ("RU", 110, 3, &["5.136.0.0/13", "95.24.0.0/13", "178.64.0.0/13", "188.16.0.0/14", "2a00:1370::/32", "2a02:6b8::/32"]),
    ("BR", 90, -3, &["179.96.0.0/11"]),
    ("VN", 75, 7, &["14.160.0.0/11", "113.160.0.0/11", "171.224.0.0/11", "115.72.0.0/13", "2001:ee0::/32"]),
    ("TW", 45, 8, &["1.160.0.0/12", "36.224.0.0/12", "114.32.0.0/12", "122.116.0.0/15"]),
    ("IN", 45, 5, &["59.88.0.0/13", "117.192.0.0/10", "106.192.0.0/11", "122.160.0.0/12", "2405:200::/29", "2409:4000::/22"]),
    ("KR", 40, 9, &["14.32.0.0/11", "59.0.0.0/11", "121.128.0.0/10", "175.192.0.0/10"]),
    ("NL", 35, 1, &["77.160.0.0/12", "80.60.0.0/15", "94.208.0.0/13", "2001:1c00::/23"]),
    ("DE", 30, 1, &["79.192.0.0/10", "91.0.0.0/10", "84.128.0.0/10", "2a01:4f8::/32"]),
    ("FR", 25, 1, &["82.64.0.0/14", "2001:41d0::/32", "2a01:cb00::/24"]),
    ("GB", 25, 0, &["86.128.0.0/10", "81.128.0.0/12", "2a00:23c0::/26"]),
    ("IT", 20, 1, &["79.0.0.0/10", "87.0.0.0/12", "95.224.0.0/11"]),
    ("TR", 20, 3, &["78.160.0.0/11", "85.96.0.0/12", "88.224.0.0/11"]),
    ("ID", 20, 7, &["36.64.0.0/11", "114.120.0.0/13"]),
    ("TH", 18, 7, &["1.0.128.0/17", "49.228.0.0/14", "171.96.0.0/13", "184.22.0.0/16"]),
    ("JP", 18, 9, &["60.64.0.0/10", "153.128.0.0/9", "2400:4050::/28"]),
    ("MX", 16, -6, &["187.128.0.0/11"]),
    ("AR", 16, -3, &["181.0.0.0/12", "190.16.0.0/14"]),
    ("IR", 16, 3, &["2.176.0.0/12", "5.112.0.0/12"]),
    ("EG", 14, 2, &["41.32.0.0/12", "156.160.0.0/11"]),
    ("ZA", 10, 2, &["105.0.0.0/12"]),
    ("PL", 10, 1, &["83.0.0.0/11", "79.184.0.0/13"]),
    ("ES", 10, 1, &["83.32.0.0/11", "88.0.0.0/11"]),
    ("RO", 10, 2, &["86.120.0.0/13"]),
    ("HK", 12, 8, &["42.2.0.0/16", "112.118.0.0/15"]),
    ("SG", 12, 8, &["116.86.0.0/15", "128.199.64.0/18"]),
    ("MY", 9, 8, &["60.48.0.0/14", "175.136.0.0/13"]),
    ("PH", 9, 8, &["49.144.0.0/13", "112.198.0.0/16"]),
    ("PK", 9, 5, &["39.32.0.0/11", "119.152.0.0/13"]),
    ("BD", 6, 6, &["103.4.144.0/22", "37.111.192.0/18"]),
    ("CO", 8, -5, &["181.48.0.0/13", "186.80.0.0/13"]),
    ("CL", 5, -4, &["181.72.0.0/14", "190.160.0.0/14"]),
    ("CA", 9, -5, &["70.24.0.0/13", "99.224.0.0/11"]),
    ("AU", 6, 10, &["1.120.0.0/13", "121.208.0.0/12"]),
    ("SE", 6, 1, &["78.64.0.0/12", "90.224.0.0/12"]),
    ("BG", 6, 2, &["84.54.128.0/18"]),
    ("HU", 5, 1, &["84.0.0.0/14"]),
    ("KE", 3, 3, &["105.160.0.0/13"]),
    ("MA", 5, 1, &["41.248.0.0/14", "105.128.0.0/11"]),
    ("SA", 5, 3, &["188.48.0.0/13"]),
    ("AE", 4, 4, &["94.200.0.0/13"]),
    ("KZ", 4, 5, &["2.72.0.0/13"]),
    ("PE", 4, -5, &["190.232.0.0/14"]),
    ("EC", 4, -5, &["186.68.0.0/14"]),
    ("TN", 4, 1, &["41.224.0.0/13"]),
    ("DZ", 4, 1, &["41.96.0.0/12"]),
    ("PT", 4, 0, &["85.240.0.0/13"]),
    ("CH", 3, 1, &["85.0.0.0/13"]),
    ("AT", 3, 1, &["91.112.0.0/14"]),
    ("FI", 2, 2, &["91.152.0.0/13"]),
    ("NO", 2, 1, &["84.208.0.0/13"]),
];

/// A source's address and what goes with its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Home {
    pub(crate) address: IpAddr,
    /// Offset from UTC in hours.
    pub(crate) utc: i8,
    /// Routers between it and the telescope.
    pub(crate) hops: u8,
}

/// Networks of this length or shorter have room for many sources in /24s of their own.
const ROOMY: u8 = 15;

/// The table, ready to draw from.
#[derive(Debug)]
pub(crate) struct World {
    v4: Vec<((u32, u32, i8), u32)>,
    /// Large networks.
    roomy: Vec<((u32, u32, i8), u32)>,
    /// The largest network of each country that has a large one.
    few: Vec<((u32, u32, i8), u32)>,
    v6: Vec<((u128, u8, i8), u32)>,
}

impl World {
    pub(crate) fn new() -> Self {
        let (mut v4, mut roomy, mut few, mut v6) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (_, weight, utc, networks) in COUNTRIES {
            let parsed: Vec<IpNetwork> = networks.iter().filter_map(|text| text.parse().ok()).collect();
            let large: Vec<_> = parsed
                .iter()
                .filter_map(|network| match network {
                    IpNetwork::V4(net) if net.prefix() <= ROOMY => Some(net),
                    _ => None,
                })
                .collect();
            let entry = |net: &Ipv4Network, weight| ((net.network().into(), net.size() >> 8, *utc), weight);
            roomy.extend(large.iter().map(|net| entry(net, weight * 60 / large.len() as u32)));
            if let Some(net) = large.iter().min_by_key(|net| net.prefix()) {
                // The larger, the more so: fewer networks for the same number of sources.
                few.push(entry(net, weight + weight * weight / 250));
            }
            let of4 = parsed.iter().filter(|network| network.is_ipv4()).count() as u32;
            for network in parsed.iter().copied() {
                match network {
                    IpNetwork::V4(net) => {
                        v4.push(((net.network().into(), net.size() >> 8, *utc), weight * 60 / of4));
                    }
                    IpNetwork::V6(net) => v6.push(((net.network().into(), net.prefix(), *utc), *weight)),
                }
            }
        }
        Self { v4, roomy, few, v6 }
    }

    /// A source somewhere, by the countries' weights.
    pub(crate) fn draw(&self, random: &mut Random, v6: bool, nets: Nets) -> Home {
        let hops = random.within(8, 22) as u8;
        if v6 {
            let (first, prefix, utc) = random.weighted(&self.v6);
            // A subscriber's /64 somewhere in the network, and a host in it.
            let subscriber = u128::from(random.next()) << 64 & (u128::MAX >> prefix);
            let host = u128::from(if random.permille(500) { random.within(1, 255) } else { random.next() });
            return Home { address: Ipv6Addr::from(first | subscriber | host).into(), utc, hops };
        }
        let (first, count, utc) = random.weighted(match nets {
            Nets::Any => &self.v4,
            Nets::Part { few: false, .. } => &self.roomy,
            Nets::Part { few: true, .. } => &self.few,
        });
        let mut net = random.below(count.into()) as u32;
        if let Nets::Part { part, .. } = nets {
            net = net & !3 | part;
        }
        let address = first + (net << 8) + random.within(1, 254) as u32;
        Home { address: Ipv4Addr::from(address).into(), utc, hops }
    }
}

/// The n-th of 2^32 spoofed addresses in an order without pattern, none twice; `None` for one that no host can have.
pub(crate) fn spoofed(seed: u64, n: u32) -> Option<IpAddr> {
    // Three rounds of xor-shift and odd multiplication, each a bijection of 2^32.
    let mut x = n ^ seed as u32;
    for factor in [0x7feb_352d_u32, 0x846c_a68b, 0x9e37_79b1] {
        x = (x ^ x >> 16).wrapping_mul(factor);
    }
    let address = Ipv4Addr::from(x ^ x >> 15);
    let unlikely = matches!(address.octets()[0], 0 | 10 | 127 | 224..)
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation();
    (!unlikely).then(|| address.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_of_the_table_is_one() {
        for (code, _, utc, networks) in COUNTRIES {
            assert!(code.len() == 2 && (-11..=13).contains(utc));
            for text in *networks {
                let network: IpNetwork = text.parse().unwrap();
                assert_eq!(network.to_string(), *text);
                assert_eq!(network.network(), network.ip(), "{text} has bits below its prefix");
            }
        }
    }

    #[test]
    fn sources_lie_in_their_network() {
        let world = World::new();
        let mut random = Random::new(3);
        let networks: Vec<IpNetwork> =
            COUNTRIES.iter().flat_map(|c| c.3.iter().map(|text| text.parse().unwrap())).collect();
        for i in 0..10_000 {
            let home = world.draw(&mut random, i % 2 == 0, Nets::Any);
            assert!(networks.iter().any(|network| network.contains(home.address)), "{}", home.address);
        }
    }

    #[test]
    fn spoofed_addresses_do_not_repeat() {
        let mut seen: Vec<IpAddr> = (0..200_000).filter_map(|n| spoofed(99, n)).collect();
        let count = seen.len();
        assert!(count > 160_000);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }
}
