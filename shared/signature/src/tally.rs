//! What was asked and found over a whole input, to be held against chance.

use crate::packet::Kind;
use crate::rule::{Rule, Test};
use crate::rules::RULES;
use crate::table::RuleSet;

/// Counts over all packets of an input.
#[derive(Debug)]
pub struct Tally {
    asked: Vec<Asked>,
    /// Packets of each kind, all of which the rules about one packet without a condition were asked.
    kinds: [u64; Kind::COUNT],
    /// Packets of its kinds that a rule was not asked of, because they lack what it needs.
    passed_over: Vec<u64>,
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
        Self {
            kinds: [0; Kind::COUNT],
            asked: vec![Asked::default(); RULES.len()],
            passed_over: vec![0; RULES.len()],
            hurried: 0,
            forgotten: 0,
        }
    }

    /// Counts a packet, with what the rules about one packet found.
    #[inline]
    pub(crate) fn packet(&mut self, kind: Kind, hits: RuleSet) {
        self.kinds[kind as usize] += 1;
        hits.iter().for_each(|place| self.asked[place].matched += 1);
    }

    /// Counts a packet that lacks what the rule needs.
    #[cold]
    pub(crate) fn passes_over(&mut self, place: usize) {
        self.passed_over[place] += 1;
    }

    /// Counts a packet that satisfies the condition of a rule.
    #[inline]
    pub(crate) fn applies(&mut self, place: usize) {
        self.asked[place].times += 1;
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
        RULES.iter().copied().zip(&self.asked).zip(&self.passed_over).map(|((rule, asked), passed_over)| {
            let of_kinds = self.kinds.iter().enumerate().filter(|(kind, _)| rule.kinds.has_number(*kind));
            match rule.test {
                Test::Packet(_) => {
                    let of_kinds: u64 = of_kinds.map(|(_, count)| count).sum();
                    (rule, Asked { times: of_kinds - passed_over, ..*asked })
                }
                _ => (rule, *asked),
            }
        })
    }
}

impl Asked {
    /// How many matches unrelated packets with uniform fields would have given.
    pub fn expected(self, rule: &Rule) -> Option<f64> {
        rule.chance().map(|chance| self.times as f64 * chance)
    }
}
