//! What was asked and found over a whole input, to be held against chance.

use crate::rule::Rule;
use crate::rules::RULES;

/// Counts over all packets of an input.
#[derive(Debug)]
pub struct Tally {
    asked: Vec<Asked>,
    /// Verdicts given before their time, for want of memory.
    pub hurried: u64,
    /// Sources forgotten, for want of memory.
    pub forgotten: u64,
}

/// How often a rule was asked, and how often it matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Packets (pairs, comparisons) it was asked about.
    pub times: u64,
    /// Those that matched.
    pub matched: u64,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { asked: vec![Asked::default(); RULES.len()], hurried: 0, forgotten: 0 }
    }

    #[inline]
    pub(crate) fn ask(&mut self, place: usize, matched: bool) {
        self.ask_many(place, 1, matched);
    }

    #[inline]
    pub(crate) fn ask_many(&mut self, place: usize, times: u64, matched: bool) {
        let asked = &mut self.asked[place];
        asked.times += times;
        asked.matched += u64::from(matched);
    }

    /// Every rule with its counts.
    pub fn rules(&self) -> impl Iterator<Item = (&'static Rule, Asked)> {
        RULES.iter().copied().zip(self.asked.iter().copied())
    }
}

impl Asked {
    /// How many matches unrelated packets with uniform fields would have given.
    pub fn expected(self, rule: &Rule) -> Option<f64> {
        rule.chance().map(|chance| self.times as f64 * chance)
    }
}
