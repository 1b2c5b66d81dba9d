//! The horizontal and vertical scans that a session is made of.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::sizes::Target;

/// What one row is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// A session.
    #[default]
    Session,
    /// One destination port of a session: a horizontal scan.
    Horizontal,
    /// One destination address of a session: a vertical scan.
    Vertical,
}

/// What is counted apart, so that any unit can be told from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) target: Target,
    pub(crate) src: IpAddr,
    pub(crate) technique: u16,
    pub(crate) tool: u16,
}

/// How much of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Weight {
    pub(crate) probes: u64,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
}

impl Weight {
    pub(crate) fn add(&mut self, other: Self) {
        self.probes += other.probes;
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// Weights of distinct parts; about 104 bytes each.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Parts {
    all: Vec<(Part, Weight)>,
    /// How many, from the front, are sorted and distinct.
    settled: usize,
}

/// Parts are merged first when this many have gathered.
const SMALL: usize = 16;

impl Parts {
    pub(crate) fn add(&mut self, part: Part, weight: Weight) {
        match self.all.last_mut() {
            Some((last, sum)) if *last == part => return sum.add(weight),
            _ => self.all.push((part, weight)),
        }
        if self.all.len() >= 2 * self.settled.max(SMALL) {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.all.sort_unstable_by_key(|(part, _)| *part);
        self.all.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1.add(later.1);
            }
            same
        });
        self.settled = self.all.len();
    }

    /// All parts in order, each once.
    pub(crate) fn settled(&mut self) -> &[(Part, Weight)] {
        self.settle();
        &self.all
    }
}

impl Unit {
    /// Whether two parts belong to one unit.
    pub(crate) fn joins(self, a: &Part, b: &Part) -> bool {
        match self {
            Self::Session => true,
            Self::Horizontal => a.target.1 == b.target.1,
            Self::Vertical => a.target.0 == b.target.0,
        }
    }
}
