//! Two-phase scanners: an irregular SYN first, then a regular one to the same address and port.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use probeline_record::Ts;
use serde::{Deserialize, Serialize};

use crate::flow::{Packet, hash_addresses};

/// Within this time a regular SYN behind an irregular one marks a two-phase scanner (Spoki, USENIX Security 2022).
const REACH: i64 = Duration::from_secs(600).as_nanos() as i64;

/// A source, and the address and port it knocks at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Target {
    src: IpAddr,
    dst: IpAddr,
    dst_port: Option<u16>,
}

impl Hash for Target {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_addresses(self.src, self.dst, state);
        state.write_u32(port_word(self.dst_port));
    }
}

/// The same between two IPv4 addresses, of which a flood may leave millions: a third of the size.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Target4 {
    src: u32,
    dst: u32,
    port: u32,
}

impl Hash for Target4 {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.src) << 32 | u64::from(self.dst));
        state.write_u32(self.port);
    }
}

/// A time in words of four octets, so that an entry needs no padding.
#[derive(Clone, Copy)]
struct Moment([u32; 2]);

impl Moment {
    #[inline]
    fn new(ts: Ts) -> Self {
        let nanos = ts.nanos() as u64;
        Self([(nanos >> 32) as u32, nanos as u32])
    }

    #[inline]
    fn ts(self) -> Ts {
        Ts::from_nanos((u64::from(self.0[0]) << 32 | u64::from(self.0[1])) as i64)
    }
}

const NO_PORT: u32 = u32::MAX;

#[inline]
fn port_word(port: Option<u16>) -> u32 {
    port.map_or(NO_PORT, u32::from)
}

/// The last irregular SYN of each source to each address and port.
pub(crate) struct Irregular {
    v4: HashMap<Target4, Moment, RandomState>,
    others: HashMap<Target, Ts, RandomState>,
    limit: usize,
    sweep_at: usize,
    forgotten: u64,
}

/// What is kept from one input to the next.
#[derive(Serialize, Deserialize)]
pub(crate) struct Saved {
    seen: Vec<(Target, i64)>,
    sweep_at: u64,
}

impl Irregular {
    /// Remembers at most `limit` targets; beyond it all are forgotten, and that is counted.
    pub(crate) fn new(limit: usize) -> Self {
        Self { v4: HashMap::default(), others: HashMap::default(), limit, sweep_at: 1024, forgotten: 0 }
    }

    /// Remembers an irregular SYN; says of a regular one whether an irregular one went before it.
    #[inline]
    pub(crate) fn note(&mut self, syn: &Packet) -> bool {
        if !syn.irregular {
            return self.last(syn).is_some_and(|seen| syn.ts.since(seen) <= REACH);
        }
        match target(syn) {
            Ok(target) => drop(self.v4.insert(target, Moment::new(syn.ts))),
            Err(target) => drop(self.others.insert(target, syn.ts)),
        }
        if self.len() > self.sweep_at {
            self.sweep(syn.ts);
        }
        false
    }

    /// When the last irregular SYN to the same target came.
    #[inline]
    pub(crate) fn last(&self, syn: &Packet) -> Option<Ts> {
        match target(syn) {
            Ok(target) => self.v4.get(&target).map(|seen| seen.ts()),
            Err(target) => self.others.get(&target).copied(),
        }
    }

    /// How often the memory was full and dropped.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn len(&self) -> usize {
        self.v4.len() + self.others.len()
    }

    #[cold]
    fn sweep(&mut self, now: Ts) {
        self.v4.retain(|_, seen| now.since(seen.ts()) <= REACH);
        self.others.retain(|_, seen| now.since(*seen) <= REACH);
        if self.len() > self.limit {
            self.v4.clear();
            self.others.clear();
            self.forgotten += 1;
        }
        // Sweeping again only after as many new entries as were left keeps the cost per SYN constant.
        self.sweep_at = (2 * self.len()).max(1024);
    }

    /// Takes everything out, in order, so that the same input gives the same bytes.
    pub(crate) fn suspend(&mut self) -> Saved {
        let v4 =
            std::mem::take(&mut self.v4).into_iter().map(|(target, seen)| (Target::from(target), seen.ts()));
        let others = std::mem::take(&mut self.others).into_iter();
        let mut seen: Vec<_> = v4.chain(others).map(|(target, seen)| (target, seen.nanos())).collect();
        seen.sort_unstable();
        Saved { seen, sweep_at: self.sweep_at as u64 }
    }

    /// Goes on where another stopped.
    pub(crate) fn resume(&mut self, saved: Saved) {
        for (target, nanos) in saved.seen {
            let ts = Ts::from_nanos(nanos);
            match compact(&target) {
                Some(target) => drop(self.v4.insert(target, Moment::new(ts))),
                None => drop(self.others.insert(target, ts)),
            }
        }
        self.sweep_at = usize::try_from(saved.sweep_at).unwrap_or(usize::MAX);
    }
}

#[inline]
fn target(syn: &Packet) -> Result<Target4, Target> {
    let target = Target { src: syn.src, dst: syn.dst, dst_port: syn.dst_port };
    compact(&target).ok_or(target)
}

#[inline]
fn compact(target: &Target) -> Option<Target4> {
    match (target.src, target.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            Some(Target4 { src: src.into(), dst: dst.into(), port: port_word(target.dst_port) })
        }
        _ => None,
    }
}

impl From<Target4> for Target {
    fn from(target: Target4) -> Self {
        Self {
            src: Ipv4Addr::from(target.src).into(),
            dst: Ipv4Addr::from(target.dst).into(),
            dst_port: u16::try_from(target.port).ok(),
        }
    }
}
