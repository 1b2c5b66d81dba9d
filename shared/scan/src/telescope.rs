//! The set of monitored addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use ipnetwork::IpNetwork;

/// The addresses of a telescope: prefixes, single addresses and ranges, merged and sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telescope {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

/// Why a telescope cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelescopeError {
    /// Not a prefix, address or range.
    #[error("'{0}' is no prefix (192.0.2.0/24), address or range (192.0.2.1-192.0.2.25)")]
    Syntax(String),
    /// The ends of a range are of two families, or the wrong way round.
    #[error("'{0}' is a range from a later to an earlier address, or across families")]
    Range(String),
    /// A list of addresses cannot be read.
    #[error("{path}: {source}")]
    File {
        /// The list.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line of a list is wrong.
    #[error("{path}:{line}: {source}")]
    Line {
        /// The list.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        source: Box<TelescopeError>,
    },
}

impl Telescope {
    /// Reads specifications: `CIDR`, `ADDR`, `A-B`, or `@FILE` with one of these a line (`#` begins a comment). Each
    /// may hold several, separated by commas or white space.
    ///
    /// # Errors
    /// The first one that is wrong.
    pub fn parse<S: AsRef<str>>(specs: impl IntoIterator<Item = S>) -> Result<Self, TelescopeError> {
        let mut telescope = Self::default();
        for spec in specs {
            for item in spec.as_ref().split([',', ' ', '\t', '\n']).filter(|item| !item.is_empty()) {
                match item.strip_prefix('@') {
                    Some(path) => telescope.add_file(Path::new(path))?,
                    None => telescope.add(item)?,
                }
            }
        }
        merge(&mut telescope.v4, |high| high.checked_add(1));
        merge(&mut telescope.v6, |high| high.checked_add(1));
        Ok(telescope)
    }

    fn add_file(&mut self, path: &Path) -> Result<(), TelescopeError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| TelescopeError::File { path: path.to_owned(), source })?;
        for (i, line) in text.lines().enumerate() {
            let items = line.split('#').next().unwrap_or_default();
            for item in items.split([',', ' ', '\t']).filter(|item| !item.is_empty()) {
                self.add(item).map_err(|source| TelescopeError::Line {
                    path: path.to_owned(),
                    line: i + 1,
                    source: Box::new(source),
                })?;
            }
        }
        Ok(())
    }

    fn add(&mut self, item: &str) -> Result<(), TelescopeError> {
        let syntax = || TelescopeError::Syntax(item.to_owned());
        if let Some((low, high)) = item.split_once('-') {
            let low: IpAddr = low.trim().parse().map_err(|_| syntax())?;
            let high: IpAddr = high.trim().parse().map_err(|_| syntax())?;
            return match (low, high) {
                (IpAddr::V4(low), IpAddr::V4(high)) if low <= high => {
                    self.v4.push((low.into(), high.into()));
                    Ok(())
                }
                (IpAddr::V6(low), IpAddr::V6(high)) if low <= high => {
                    self.v6.push((low.into(), high.into()));
                    Ok(())
                }
                _ => Err(TelescopeError::Range(item.to_owned())),
            };
        }
        match item.parse::<IpNetwork>().map_err(|_| syntax())? {
            IpNetwork::V4(net) => self.v4.push((net.network().into(), net.broadcast().into())),
            IpNetwork::V6(net) => self.v6.push((net.network().into(), net.broadcast().into())),
        }
        Ok(())
    }

    /// Whether the telescope watches this address. IPv4-mapped IPv6 addresses are IPv6.
    #[inline]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(v4) => holds(&self.v4, v4.into()),
            IpAddr::V6(v6) => holds(&self.v6, v6.into()),
        }
    }

    /// How many addresses it watches, IPv4 and IPv6 together, saturating.
    pub fn size(&self) -> u128 {
        let v4: u128 = self.v4.iter().map(|(low, high)| u128::from(high - low) + 1).sum();
        self.v6.iter().fold(v4, |sum, (low, high)| sum.saturating_add((high - low).saturating_add(1)))
    }

    /// How many IPv4 addresses it watches.
    pub fn v4_size(&self) -> u64 {
        self.v4.iter().map(|(low, high)| u64::from(high - low) + 1).sum()
    }

    /// Whether it watches nothing.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// First and last address of each separate range, IPv4 first.
    pub fn ranges(&self) -> impl Iterator<Item = (IpAddr, IpAddr)> {
        let v4 =
            self.v4.iter().map(|(low, high)| (Ipv4Addr::from(*low).into(), Ipv4Addr::from(*high).into()));
        let v6 =
            self.v6.iter().map(|(low, high)| (Ipv6Addr::from(*low).into(), Ipv6Addr::from(*high).into()));
        v4.chain(v6)
    }
}

#[inline]
fn holds<T: Ord + Copy>(ranges: &[(T, T)], address: T) -> bool {
    let behind = ranges.partition_point(|(low, _)| *low <= address);
    behind > 0 && address <= ranges[behind - 1].1
}

fn merge<T: Ord + Copy>(ranges: &mut Vec<(T, T)>, next: impl Fn(T) -> Option<T>) {
    ranges.sort_unstable();
    ranges.dedup_by(|later, earlier| {
        let touches = next(earlier.1).is_none_or(|behind| later.0 <= behind);
        if touches {
            earlier.1 = earlier.1.max(later.1);
        }
        touches
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn specifications() {
        let t = Telescope::parse(["192.0.2.0/28,192.0.2.16-192.0.2.24", "2001:db8::/125", "198.51.100.7"])
            .unwrap();
        assert_eq!(t.size(), 25 + 8 + 1);
        for (ip, expected) in [
            ("192.0.2.0", true),
            ("192.0.2.24", true),
            ("192.0.2.25", false),
            ("198.51.100.7", true),
            ("198.51.100.6", false),
            ("2001:db8::7", true),
            ("2001:db8::8", false),
            ("::ffff:192.0.2.1", false),
        ] {
            assert_eq!(t.contains(ip.parse().unwrap()), expected, "{ip}");
        }
        assert_eq!(t.ranges().count(), 3);
        assert_eq!(Telescope::parse(["::/0", "::1"]).unwrap().size(), u128::MAX);
        for bad in ["x", "1.2.3.4/33", "1.2.3.4-1.2.3.3", "1.2.3.4-::1", "@/nonexistent"] {
            assert!(Telescope::parse([bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn lists_name_the_line() {
        let dir = std::env::temp_dir().join(format!("probeline-telescope-{}", std::process::id()));
        std::fs::write(&dir, "# mine\n192.0.2.1 # one\n\n192.0.2.3\nbad\n").unwrap();
        let error = Telescope::parse([format!("@{}", dir.display())]).unwrap_err().to_string();
        std::fs::remove_file(&dir).unwrap();
        assert!(error.contains(":5: 'bad'"), "{error}");
    }

    proptest! {
        #[test]
        fn agrees_with_ipnetwork(nets in prop::collection::vec((any::<u32>(), 20u8..=32), 0..8), probe in any::<u32>(), near in 0usize..8) {
            let nets: Vec<IpNetwork> = nets.into_iter().map(|(a, l)| IpNetwork::new(Ipv4Addr::from(a).into(), l).unwrap()).collect();
            let t = Telescope::parse(nets.iter().map(ToString::to_string)).unwrap();
            // A random address is hardly ever inside: look at one beside a network, too.
            let beside = nets.get(near).map_or(probe, |n| match n.network() {
                IpAddr::V4(v4) => u32::from(v4).wrapping_add(probe % 5000),
                IpAddr::V6(_) => 0,
            });
            for address in [probe, beside] {
                let ip = IpAddr::V4(Ipv4Addr::from(address));
                prop_assert_eq!(t.contains(ip), nets.iter().any(|n| n.contains(ip)));
            }
        }
    }
}
