//! Counts of what is too many to hold.

use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;

use foldhash::quality::{FixedState, FoldHasher};
use hyperloglogplus::{HyperLogLog, HyperLogLogPlus};
use serde::{Deserialize, Serialize};

use crate::distinct::Distinct;
use crate::sizes::{Sizes, Target};

/// A session with more distinct values than this is counted by sketches. Twice as many ports as there are, so that one
/// address never fills a sample.
const MANY: usize = 1 << 17;

/// 2^14 registers: a standard error of 1.04/√2^14 = 0.81 % (Flajolet et al., 2007).
const PRECISION: u8 = 14;

/// The hash of sketches: the same in every run, so that the same input gives the same estimate.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Fixed;

const SEED: FixedState = FixedState::with_seed(0x5052_4f42_454c_494e);

impl BuildHasher for Fixed {
    type Hasher = FoldHasher<'static>;

    fn build_hasher(&self) -> Self::Hasher {
        SEED.build_hasher()
    }
}

/// An estimate of how many distinct values were seen (HyperLogLog++, Heule et al., 2013), in 12 KiB.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "T: Hash")]
pub(crate) struct Sketch<T: Hash>(HyperLogLogPlus<T, Fixed>);

impl<T: Hash> Sketch<T> {
    fn of(values: impl IntoIterator<Item = T>) -> Option<Self> {
        // Precisions from 4 to 18 are known to the library.
        let mut sketch = Self(HyperLogLogPlus::new(PRECISION, Fixed).ok()?);
        values.into_iter().for_each(|value| sketch.0.insert(&value));
        Some(sketch)
    }

    fn count(&mut self) -> u64 {
        self.0.count().round() as u64
    }
}

/// Addresses: exact, or a sketch once they are many.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Addresses {
    Exact(Distinct<IpAddr>),
    Sketch(Box<Sketch<IpAddr>>),
}

impl Addresses {
    #[inline]
    pub(crate) fn insert(&mut self, address: IpAddr, approximate: bool) {
        match self {
            Self::Exact(set) => {
                set.insert(address);
                if approximate && set.holds_many(MANY) {
                    self.begin_sketch();
                }
            }
            Self::Sketch(sketch) => sketch.0.insert(&address),
        }
    }

    #[cold]
    fn begin_sketch(&mut self) {
        if let Self::Exact(set) = self
            && let Some(sketch) = Sketch::of(set.sorted())
        {
            *self = Self::Sketch(Box::new(sketch));
        }
    }

    pub(crate) fn count(&mut self) -> u64 {
        match self {
            Self::Exact(set) => set.count(),
            Self::Sketch(sketch) => sketch.count(),
        }
    }

    pub(crate) fn is_sketch(&self) -> bool {
        matches!(self, Self::Sketch(_))
    }
}

/// Targets: exact, or sketches and a sample once they are many.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Targets {
    Exact(Distinct<Target>),
    Sketch(Box<TargetSketch>),
}

/// Ports are few enough to be exact. Sizes per port and per address come from a sample: every target of those
/// addresses whose hash ends in `level` zero bits, which is one address in 2^level.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TargetSketch {
    dsts: Sketch<IpAddr>,
    targets: Sketch<Target>,
    ports: Vec<u64>,
    sample: Distinct<Target>,
    level: u32,
}

impl Targets {
    #[inline]
    pub(crate) fn insert(&mut self, target: Target, approximate: bool) {
        match self {
            Self::Exact(set) => {
                set.insert(target);
                if approximate && set.holds_many(MANY) {
                    self.begin_sketch();
                }
            }
            Self::Sketch(sketch) => sketch.insert(target),
        }
    }

    #[cold]
    fn begin_sketch(&mut self) {
        let Self::Exact(set) = self else { return };
        let all = set.sorted();
        if let (Some(dsts), Some(targets)) =
            (Sketch::of(all.iter().map(|(dst, _)| *dst)), Sketch::of(all.iter().copied()))
        {
            let mut sketch =
                TargetSketch { dsts, targets, ports: vec![0; 1024], sample: set.clone(), level: 0 };
            all.iter().for_each(|(_, port)| sketch.mark(*port));
            sketch.thin_out();
            *self = Self::Sketch(Box::new(sketch));
        }
    }

    pub(crate) fn sizes(&mut self) -> Sizes {
        match self {
            Self::Exact(set) => Sizes::of(set),
            Self::Sketch(sketch) => sketch.sizes(),
        }
    }

    /// The distinct ports in ascending order; none where there are only sketches.
    pub(crate) fn ports(&mut self) -> Vec<u16> {
        let Self::Exact(set) = self else { return Vec::new() };
        let mut ports: Vec<u16> =
            set.sorted().iter().filter_map(|(_, port)| u16::try_from(*port).ok()).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    pub(crate) fn is_sketch(&self) -> bool {
        matches!(self, Self::Sketch(_))
    }
}

/// The deepest level: beyond it there is no bit of the hash left.
const MAX_LEVEL: u32 = 63;

fn in_sample(dst: IpAddr, level: u32) -> bool {
    SEED.hash_one(dst).trailing_zeros() >= level
}

impl TargetSketch {
    fn insert(&mut self, target: Target) {
        self.dsts.0.insert(&target.0);
        self.targets.0.insert(&target);
        self.mark(target.1);
        if in_sample(target.0, self.level) {
            self.sample.insert(target);
            if self.sample.holds_many(MANY) {
                self.thin_out();
            }
        }
    }

    fn mark(&mut self, port: i32) {
        if let Ok(port) = usize::try_from(port)
            && let Some(word) = self.ports.get_mut(port / 64)
        {
            *word |= 1 << (port % 64);
        }
    }

    fn thin_out(&mut self) {
        while self.level < MAX_LEVEL && self.sample.holds_many(MANY / 2) {
            let level = self.level + 1;
            if !self.sample.retain(|(dst, _)| in_sample(*dst, level)) {
                break;
            }
            self.level = level;
        }
    }

    fn sizes(&mut self) -> Sizes {
        let sample = Sizes::of(&mut self.sample);
        let dsts = self.dsts.count();
        let scaled = sample.horizontal.0.saturating_mul(1 << self.level.min(MAX_LEVEL));
        Sizes {
            dsts,
            ports: self.ports.iter().map(|word| u64::from(word.count_ones())).sum(),
            targets: self.targets.count(),
            horizontal: (scaled.min(dsts), sample.horizontal.1),
            vertical: sample.vertical,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(n: u32) -> IpAddr {
        Ipv4Addr::from(n).into()
    }

    #[test]
    fn a_million_addresses() {
        let mut addresses = Addresses::Exact(Distinct::new(address(0)));
        let mut targets = Targets::Exact(Distinct::new((address(0), 80)));
        for n in 0..1_000_000 {
            addresses.insert(address(n), true);
            targets.insert((address(n), 80), true);
            if n % 2 == 0 {
                targets.insert((address(n), 443), true);
            }
        }
        assert!(addresses.is_sketch() && targets.is_sketch());
        let near = |count: u64, truth: f64, error: f64| (count as f64 / truth - 1.0).abs() < error;
        // Four standard errors.
        assert!(near(addresses.count(), 1e6, 0.0324), "{}", addresses.count());
        let sizes = targets.sizes();
        assert!(near(sizes.dsts, 1e6, 0.0324), "{sizes:?}");
        assert!(near(sizes.targets, 1.5e6, 0.0324), "{sizes:?}");
        assert!(near(sizes.horizontal.0, 1e6, 0.0324), "{sizes:?}");
        assert_eq!((sizes.ports, sizes.horizontal.1, sizes.vertical.0), (2, Some(80), 2));
    }

    #[test]
    fn few_are_exact() {
        let mut addresses = Addresses::Exact(Distinct::new(address(0)));
        (0..1000).for_each(|n| addresses.insert(address(n % 77), true));
        assert!(!addresses.is_sketch());
        assert_eq!(addresses.count(), 77);
    }

    /// One address with every port cannot be thinned out, and needs not be.
    #[test]
    fn one_deep_address() {
        let mut targets = Targets::Exact(Distinct::new((address(1), -1)));
        for port in 0..=65_535 {
            for dst in 1..=3 {
                targets.insert((address(dst), port), true);
            }
        }
        let sizes = targets.sizes();
        assert!(targets.is_sketch());
        assert_eq!((sizes.ports, sizes.vertical.0), (65_536, 65_536));
    }
}
