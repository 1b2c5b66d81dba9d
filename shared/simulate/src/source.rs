//! A source: where it is in its visits.

use std::net::IpAddr;

use crate::addresses::Addresses;
use crate::cohort::{Cohort, Emits, PortPlan, Ports};
use crate::place::Home;
use crate::random::{Random, Size};
use crate::tool::{Run, Tool};

pub(crate) const SECOND: u64 = 1_000_000_000;

/// A source that will send something yet.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) cohort: u8,
    pub(crate) tool: Tool,
    pub(crate) home: Home,
    pub(crate) random: Random,
    pub(crate) run: Run,
    pub(crate) number: u32,
    pub(crate) session: u32,
    /// Visits behind this one.
    pub(crate) visits: u32,
    pub(crate) visit: Visit,
}

/// What one visit is to reach, and how far it has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit {
    pub(crate) dsts: u32,
    pub(crate) width: u32,
    /// The next probe, out of `total`; a member of a campaign takes every `stride`-th.
    pub(crate) next: u32,
    pub(crate) total: u32,
    pub(crate) stride: u32,
    /// Order of the targets: factor * n + shift modulo total, which visits each once.
    factor: u32,
    shift: u32,
    first_dst: u32,
    /// Nanoseconds between probes, in the mean.
    pub(crate) gap: u64,
    ports: PortPlan,
}

impl Visit {
    pub(crate) fn draw(cohort: &Cohort, addresses: u32, random: &mut Random) -> Self {
        let dsts = match cohort.emits {
            // One error of a kind from a router to an address: more of them are one flow.
            Emits::Backscatter(_) | Emits::Flood => addresses,
            _ => cohort.dsts.draw(random, addresses),
        };
        let width = cohort.width.draw(random, PortPlan::most(cohort.ports));
        let total = match cohort.emits {
            Emits::Backscatter(_) | Emits::Flood => cohort.dsts.draw(random, u32::MAX - 1),
            _ => dsts.saturating_mul(width),
        };
        let lasts = u64::from(cohort.lasts.draw(random, u32::MAX - 1)) * SECOND;
        let mut factor = random.within(1, u64::from(total)) as u32;
        while gcd(factor, total) != 1 {
            factor = factor % total + 1;
        }
        Self {
            dsts,
            width,
            next: 0,
            total,
            stride: 1,
            factor,
            shift: random.below(total.into()) as u32,
            first_dst: random.below(addresses.into()) as u32,
            // The last probe ends the visit.
            gap: lasts / u64::from(total.saturating_sub(1).max(1)),
            ports: PortPlan::draw(cohort.ports, width, random),
        }
    }

    /// Place of the destination and port of the next probe.
    pub(crate) fn target(&self) -> (u32, u16) {
        let n =
            (u64::from(self.factor) * u64::from(self.next) + u64::from(self.shift)) % u64::from(self.total);
        let (dst, place) = (n as u32 % self.dsts, n as u32 / self.dsts);
        (self.first_dst.wrapping_add(dst), self.ports.port(place, dst))
    }

    /// What a port of a service would be: the first of its ports.
    pub(crate) fn service(&self) -> u16 {
        self.ports.port(0, 0)
    }

    /// Time to the next probe, by half up or down of the mean.
    pub(crate) fn wait(&self, random: &mut Random) -> u64 {
        let gap = self.gap * u64::from(self.stride);
        gap / 2 + random.below(gap + 1)
    }

    pub(crate) fn geometry(&self, ports: Ports) -> &'static str {
        let several = self.width > 1 || matches!(ports, Ports::Mirai) && self.dsts > 3;
        match (self.dsts > 1, several) {
            (false, false) => "point",
            (true, false) => "horizontal",
            (false, true) => "vertical",
            (true, true) => "block",
        }
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Seconds until a visit that would begin at this time is by day where the source is: from 8 to 20 o'clock.
pub(crate) fn until_day(now: u64, utc: i8, random: &mut Random) -> u64 {
    let local = (now / SECOND).wrapping_add_signed(i64::from(utc) * 3600) % 86_400;
    if (8 * 3600..20 * 3600).contains(&local) {
        return 0;
    }
    let morning = (8 * 3600 + 86_400 - local) % 86_400;
    (morning + random.below(12 * 3600)) * SECOND
}

/// An address of the telescope.
pub(crate) fn address(addresses: &Addresses, v6: bool, place: u32) -> IpAddr {
    if v6 { addresses.v6(place) } else { addresses.v4(place) }
}

/// Flows that a source of the cohort sends in the mean, from a sample of them.
pub(crate) fn flows_each(cohort: &Cohort, addresses: u32) -> f64 {
    const SAMPLE: u32 = 3000;
    // A flood is one source and many addresses: its size is drawn alike.
    let mut random = Random::new(0x5eed);
    let sum: f64 = (0..SAMPLE)
        .map(|_| {
            let visits = cohort.visits.draw(&mut random, u32::MAX - 1);
            (0..visits.min(64))
                .map(|_| f64::from(Visit::draw(cohort, addresses, &mut random).total))
                .sum::<f64>()
                * (f64::from(visits) / f64::from(visits.min(64)))
        })
        .sum();
    sum / f64::from(SAMPLE)
}

/// The longest that a source of the cohort may stay, in seconds, for sources that are there when the capture begins.
pub(crate) fn stay(cohort: &Cohort) -> f64 {
    let most = |size: Size| match size {
        Size::Just(n) | Size::Even(_, n) | Size::Log(_, n) | Size::Heavy(_, _, n) => f64::from(n),
        Size::AllOrHeavy(_) => 1.0,
    };
    most(cohort.visits) * most(cohort.lasts) + (most(cohort.visits) - 1.0) * most(cohort.away)
}
