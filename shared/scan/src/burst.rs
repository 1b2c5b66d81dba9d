//! The busiest minute.

use probeline_record::Ts;
use serde::{Deserialize, Serialize};

/// A minute moves by this much at a time, as in corsaro's `dos` plugin.
const STEP: i64 = 10_000_000_000;

const STEPS: usize = 6;

/// The most packets in any 60 seconds that begin at a multiple of 10 seconds (Moore et al., "Inferring Internet
/// Denial-of-Service Activity", 2006, as in CAIDA corsaro3's `dos` plugin, commit 9e899da).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Burst {
    counts: [u64; STEPS],
    /// Number of the step that holds the last packet.
    step: i64,
    pub(crate) most: u64,
}

impl Default for Burst {
    fn default() -> Self {
        Self { counts: [0; STEPS], step: i64::MIN, most: 0 }
    }
}

impl Burst {
    /// Counts packets; times never go back.
    pub(crate) fn add(&mut self, ts: Ts, packets: u64) {
        let step = ts.nanos().div_euclid(STEP);
        let ahead = step.saturating_sub(self.step).clamp(0, STEPS as i64);
        for passed in 0..ahead {
            self.counts[step.wrapping_sub(passed).rem_euclid(STEPS as i64) as usize] = 0;
        }
        self.step = self.step.max(step);
        let count = &mut self.counts[step.rem_euclid(STEPS as i64) as usize];
        *count = count.saturating_add(packets);
        self.most = self.most.max(self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Every window counted again from the list of times.
        #[test]
        fn agrees_with_every_window(pauses in prop::collection::vec(0i64..40, 1..60), origin in -1000i64..1000) {
            let mut now = origin;
            let times: Vec<i64> = pauses.iter().map(|pause| { now += pause; now }).collect();
            let mut burst = Burst::default();
            times.iter().for_each(|t| burst.add(Ts::from_nanos(t * 1_000_000_000), 1));
            let starts = (origin.div_euclid(10) - 6)..=now.div_euclid(10);
            let most = starts
                .map(|start| times.iter().filter(|t| (start * 10..start * 10 + 60).contains(*t)).count())
                .max();
            prop_assert_eq!(Some(burst.most as usize), most);
        }
    }
}
