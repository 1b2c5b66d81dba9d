//! Patterns over many packets of a source, and the state each needs.

use std::net::IpAddr;

use crate::packet::{Facts, Kind};
use crate::rules;

/// Packets of one source whose time to live may be drawn anew for each: kept apart by kind, as Nmap draws for all alike
/// but other tools behind the address may send only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpreadOf {
    Syn,
    OtherTcp,
    Udp,
}

impl SpreadOf {
    pub(crate) const COUNT: usize = 3;

    pub(crate) fn kind(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Syn4 | Kind::Syn6 => Some(Self::Syn),
            Kind::Tcp4 | Kind::Tcp6 => Some(Self::OtherTcp),
            Kind::Udp4 | Kind::Udp6 => Some(Self::Udp),
            _ => None,
        }
    }
}

/// Times to live of 1 to 63 that a source was seen with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread {
    seen: u64,
    packets: u16,
    falls: u16,
    last: u8,
}

/// Width of the range that Nmap draws from: `rand % 23 + 37` (tcpip.cc).
const RANGE: u32 = 23;

impl Spread {
    #[inline]
    pub(crate) fn see(&mut self, ttl: u8) {
        // A copy, or a stack that draws nothing.
        if ttl == self.last {
            return;
        }
        self.seen |= 1 << (ttl & 63);
        self.packets = self.packets.saturating_add(1);
        self.falls = self.falls.saturating_add(u16::from(ttl < self.last));
        self.last = ttl;
    }

    /// At least a dozen packets over eight values or more of a range of 23, in no order: a traceroute climbs, and
    /// routes that change give two or three neighbouring values.
    pub(crate) fn is_drawn(&self) -> bool {
        let range = || u64::BITS - self.seen.leading_zeros() - self.seen.trailing_zeros();
        self.packets >= 12
            && self.seen.count_ones() >= 8
            && range() <= RANGE
            && u32::from(self.falls) * 4 >= u32::from(self.packets)
    }

    /// Packets seen whose value was not that of the one before.
    pub(crate) fn packets(&self) -> u16 {
        self.packets
    }
}

/// Distinct destinations needed before a common remainder means anything: 2^-11 by chance for a pool of two.
const POOL_TARGETS: usize = 12;

/// Remainder that the destinations of a source have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    divisor: Divisor,
    distinct: Vec<u32>,
}

impl Pool {
    pub(crate) fn see(&mut self, dst: u32) {
        self.divisor.see(dst);
        if self.distinct.len() < POOL_TARGETS && !self.distinct.contains(&dst) {
            self.distinct.push(dst);
        }
    }

    /// Size of the pool, where the destinations of this source leave one remainder and those of the input do not.
    pub(crate) fn size(&self, input: &Divisor) -> Option<u32> {
        let enough = self.distinct.len() >= POOL_TARGETS;
        let common = self.divisor.divisor;
        (enough && common >= 2 && gcd(common, input.divisor) != common).then_some(common)
    }
}

/// The greatest number by which destinations differ in whole multiples.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Divisor {
    first: Option<u32>,
    divisor: u32,
}

impl Divisor {
    #[inline]
    pub(crate) fn see(&mut self, dst: u32) {
        match self.first {
            None => self.first = Some(dst),
            Some(first) if self.divisor != 1 => self.divisor = gcd(first.abs_diff(dst), self.divisor),
            Some(_) => {}
        }
    }
}

fn gcd(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// What packets of different sources have in common.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// By how much the destinations differ.
    pub(crate) dsts: Divisor,
    pub(crate) moved: Moved,
}

/// Values by which packets that look like masscan's miss its relation: where addresses are translated on the way, or a
/// capture is rewritten with one mask, all of them by one value.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    values: Vec<MovedBy>,
}

#[derive(Debug)]
struct MovedBy {
    value: u16,
    packets: u32,
    source: IpAddr,
    several_sources: bool,
    last_copy: u16,
}

impl Moved {
    /// Values remembered; a new one beyond them takes a packet off each (Misra and Gries, "Finding repeated elements",
    /// 1982), so that values of single packets do not crowd out the one that returns.
    const MOST: usize = 64;
    /// Packets that make a value more than chance: with 64 remembered, three of random values share one in 2 * 10^6.
    const ENOUGH: u32 = 3;

    fn value(facts: &Facts) -> Option<u16> {
        let value = rules::masscan_low_bits(facts) ^ facts.dst4() as u16;
        (value != 0 && rules::may_be_moved(facts)).then_some(value)
    }

    pub(crate) fn see(&mut self, source: IpAddr, facts: &Facts) {
        let Some(value) = Self::value(facts) else { return };
        let copy = facts.copy_mark();
        if let Some(seen) = self.values.iter_mut().find(|seen| seen.value == value) {
            // A flood of one packet under many addresses is one packet.
            if seen.last_copy != copy {
                seen.packets = seen.packets.saturating_add(1);
                seen.last_copy = copy;
                seen.several_sources |= seen.source != source;
            }
        } else if self.values.len() < Self::MOST {
            self.values.push(MovedBy { value, packets: 1, source, several_sources: false, last_copy: copy });
        } else {
            self.values.retain_mut(|seen| {
                seen.packets -= 1;
                seen.packets > 0
            });
        }
    }

    /// Whether a packet misses the relation by a value that those of other sources do as well.
    pub(crate) fn holds(&self, facts: &Facts) -> bool {
        Self::value(facts).is_some_and(|value| {
            let enough = |seen: &MovedBy| seen.packets >= Self::ENOUGH && seen.several_sources;
            self.values.iter().any(|seen| seen.value == value && enough(seen))
        })
    }
}

/// The last two source ports of masscan's packets.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ports {
    last: u16,
    before: u16,
    /// Packets in a row from these ports, or from one of them where they do not belong together.
    packets: u16,
}

/// How far apart the two source ports of masscan since 2023-11-13 are: `port + (cookie & 16)`.
const PORT_STEP: u16 = 16;

impl Ports {
    #[inline]
    pub(crate) fn see(&mut self, port: u16) {
        if port != self.last {
            if port != self.before || !self.are_one_run() {
                self.before = self.last;
                self.last = port;
            }
            if !self.are_one_run() {
                self.packets = 0;
            }
        }
        self.packets = self.packets.saturating_add(1);
    }

    fn are_one_run(&self) -> bool {
        self.last.abs_diff(self.before) == PORT_STEP
    }

    /// Whether three marked packets or more in a row came from this port, or from it and its neighbour.
    pub(crate) fn has(&self, port: u16) -> bool {
        self.packets >= 3 && (port == self.last || (port == self.before && self.are_one_run()))
    }

    /// The port that the second of the start made, for a packet from this port.
    pub(crate) fn base(&self, port: u16) -> u16 {
        let is_upper = self.are_one_run() && port == self.last.max(self.before);
        if is_upper { port - PORT_STEP } else { port }
    }
}

/// The second of masscan's start modulo 20000, from its default source port.
pub(crate) fn start_residue(base: u16) -> Option<u16> {
    base.checked_sub(rules::START_PORT).filter(|residue| *residue < rules::START_CYCLE)
}

/// Whether that second is the one of the source's first packet, or up to two seconds before it: what was measured was
/// 0.1 to 1.8 seconds.
pub(crate) fn is_start(residue: u16, first_second: i64) -> bool {
    (first_second - i64::from(residue)).rem_euclid(i64::from(rules::START_CYCLE)) <= 2
}

/// The destination as a number, of packets that may come from a pool.
pub(crate) fn pool_target(facts: &Facts) -> Option<u32> {
    match facts.dst {
        IpAddr::V4(dst) if rules::may_be_pool(facts) => Some(u32::from(dst)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_times_to_live() {
        let spread = |ttls: &[u8]| {
            let mut spread = Spread::default();
            ttls.iter().for_each(|ttl| spread.see(*ttl));
            spread.is_drawn()
        };
        assert!(spread(&[41, 58, 37, 44, 52, 39, 59, 48, 42, 55, 40, 51]));
        assert!(!spread(&[41, 58, 37, 44, 52, 39, 59, 48, 42, 55, 40]), "eleven packets");
        assert!(!spread(&[30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41]), "a traceroute climbs");
        assert!(!spread(&[50, 51, 50, 52, 51, 50, 51, 50, 52, 51, 50, 51]), "routes change");
        assert!(!spread(&[]));
        assert!(!spread(&[0; 20]));
        assert!(!spread(&[20, 58, 37, 44, 52, 39, 59, 48, 42, 55, 40, 51]), "wider than Nmap draws");
    }

    #[test]
    fn pools() {
        let (mut pool, mut input) = (Pool::default(), Divisor::default());
        for i in 0..13 {
            assert_eq!(pool.size(&input), None, "{i}");
            pool.see(1000 + 8 * i * i);
            input.see(1000 + 8 * i * i);
        }
        assert_eq!(pool.size(&input), None, "the whole input has that remainder");
        input.see(1003);
        assert_eq!(pool.size(&input), Some(8));
    }

    #[test]
    fn start_ports() {
        let mut ports = Ports::default();
        ports.see(43814);
        assert_eq!(ports.base(43814), 43814);
        ports.see(43798);
        assert_eq!((ports.base(43814), ports.base(43798)), (43798, 43798));
        assert!(!ports.has(43814));
        ports.see(43814);
        assert!(ports.has(43814) && ports.has(43798) && !ports.has(43799));
        ports.see(50000);
        assert!(!ports.has(50000) && !ports.has(43814));
        assert_eq!(start_residue(43798), Some(3798));
        assert!(is_start(3798, 1_795_383_799) && !is_start(3798, 1_795_383_801));
        assert_eq!(start_residue(61000), None);
    }
}
