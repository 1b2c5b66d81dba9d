//! Profiles: which cohorts there are, and how much each sends.

mod general;
mod study;

use crate::cohort::Cohort;

/// A population of sources by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// What a small telescope sees of the Internet: 7460 packets a day to each address.
    Telescope,
    /// Every technique and tool in one dense stream: 2000 flows a second, sources that stay for minutes or hours.
    Mixed,
    /// The two configurations of the study, by its published findings.
    Study,
    /// SYNs from spoofed addresses, none of them twice: 100,000 a second.
    Flood,
}

impl Profile {
    /// Flows a second to so many addresses.
    pub(crate) fn rate(self, addresses: u32) -> f64 {
        match self {
            // 1.91 to 2.29 million packets a day per /24 at operational telescopes in 2023 (IMC 2023, "Meta-telescope",
            // table 2), less what is sent again.
            Self::Telescope => f64::from(addresses) * 7460.0 / 86_400.0 / 1.08,
            Self::Mixed => 2000.0,
            // 888,708 probes in 28 days, and what is none besides.
            Self::Study => 0.385,
            Self::Flood => 100_000.0,
        }
    }

    pub(crate) fn cohorts(self, honeypot: bool) -> Vec<Cohort> {
        match self {
            Self::Telescope => general::cohorts(1),
            Self::Mixed => general::cohorts(60),
            Self::Study => study::cohorts(honeypot),
            Self::Flood => vec![general::FLOOD],
        }
    }

    /// Ports on which a honeypot accepts connections.
    pub(crate) fn open_ports(self) -> &'static [u16] {
        &[22, 23, 80, 443, 2323, 3389, 5555, 8080, 8443, 5060, 1900, 53]
    }

    /// The monitored addresses where none are given.
    pub fn telescope(self) -> &'static str {
        match self {
            Self::Telescope | Self::Study => "203.0.113.10-203.0.113.34",
            Self::Mixed => "203.0.113.0/24,2001:db8:113::/48",
            Self::Flood => "203.0.113.0/24",
        }
    }

    /// Probes after which it ends by itself: those that the study counted.
    pub fn probes(self, honeypot: bool) -> Option<u64> {
        (self == Self::Study).then_some(if honeypot { 916_513 } else { 888_708 })
    }
}
