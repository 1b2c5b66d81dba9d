//! How sure an attribution is: matches out of applicable packets.

use std::fmt;

/// How sure it is that a packet comes from the named tool.
///
/// The order is the one in which a least confidence filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// One 16-bit match and nothing else, or fields that others may set alike.
    Possible,
    /// Two matches that are half of the source's packets or more; or one match with every other field as the tool
    /// sets it.
    Probable,
    /// Five matches or more among a tenth to nine tenths of the source's packets: two tools behind one address that
    /// could not be told apart by window, options or port.
    Mixed,
    /// Three matches that are nine tenths of the source's packets or more; or one match of 32 bits.
    Certain,
}

impl Confidence {
    /// Every value, from the least.
    pub const ALL: &[Self] = &[Self::Possible, Self::Probable, Self::Mixed, Self::Certain];

    /// The word that rows carry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Probable => "probable",
            Self::Mixed => "mixed",
            Self::Certain => "certain",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A chance so small that one match names the tool: at 2^-32, the tool may be one in 100,000 of all senders and the
/// match is still right in more than 99.99 % of cases.
pub(crate) const ALONE: f64 = 1.0 / 4_294_967_296.0;

/// Matches of a rule out of the packets it could be asked of, of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) asked: u16,
    pub(crate) matched: u16,
}

impl Count {
    #[inline]
    pub(crate) fn add(&mut self, matched: bool) {
        if self.asked == u16::MAX {
            self.asked /= 2;
            self.matched /= 2;
        }
        self.asked += 1;
        self.matched += u16::from(matched);
    }

    fn share(self) -> f64 {
        f64::from(self.matched) / f64::from(self.asked.max(1))
    }

    /// Whether too many packets match for chance, and too few for the source to use nothing else: the packets of the
    /// source are then to be graded in parts.
    #[inline]
    pub(crate) fn is_mixture(self, chance: f64) -> bool {
        self.matched >= 5
            && u32::from(self.matched) * 10 < u32::from(self.asked) * 9
            && (self.share() > 0.1 || self.is_no_accident(chance))
    }

    /// Whether this many matches come by chance less than once in 10^9 sources, by Chernoff's bound on the Poisson
    /// tail: P(X >= m) <= e^-l (e l / m)^m with l = n f.
    fn is_no_accident(self, chance: f64) -> bool {
        let expected = f64::from(self.asked) * chance;
        let matched = f64::from(self.matched);
        matched > expected && matched - expected + matched * (expected / matched).ln() < -20.723
    }

    /// The grade of one of the matching packets.
    #[inline]
    pub(crate) fn grade(self, chance: f64) -> Option<Confidence> {
        let share = self.share();
        match self.matched {
            0 => None,
            _ if chance <= ALONE => Some(Confidence::Certain),
            3.. if share >= 0.9 => Some(Confidence::Certain),
            5.. if share > 0.1 => Some(Confidence::Mixed),
            2.. if share >= 0.5 => Some(Confidence::Probable),
            1 if self.asked == 1 => Some(Confidence::Possible),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grade(asked: u16, matched: u16) -> Option<Confidence> {
        Count { asked, matched }.grade(1.0 / 65_536.0)
    }

    /// The thresholds, one by one.
    #[test]
    fn thresholds() {
        assert_eq!(grade(1, 1), Some(Confidence::Possible));
        assert_eq!(grade(2, 1), None);
        assert_eq!(grade(2, 2), Some(Confidence::Probable));
        assert_eq!(grade(3, 3), Some(Confidence::Certain));
        assert_eq!(grade(10, 9), Some(Confidence::Certain));
        assert_eq!(grade(10, 8), Some(Confidence::Mixed));
        assert_eq!(grade(8, 4), Some(Confidence::Probable));
        assert_eq!(grade(9, 4), None);
        assert_eq!(grade(49, 5), Some(Confidence::Mixed));
        assert_eq!(grade(50, 5), None);
        assert_eq!(Count { asked: 9999, matched: 1 }.grade(ALONE), Some(Confidence::Certain));
    }

    #[test]
    fn accidents() {
        let chance = 1.0 / 65_536.0;
        assert!(!Count { asked: 8000, matched: 5 }.is_mixture(chance), "five of 8000 happen");
        assert!(Count { asked: 8000, matched: 9 }.is_mixture(chance));
        assert!(Count { asked: 40, matched: 5 }.is_mixture(chance));
        assert!(!Count { asked: 40, matched: 4 }.is_mixture(chance));
        assert!(!Count { asked: 40, matched: 39 }.is_mixture(chance));
    }

    #[test]
    fn halving_keeps_the_share() {
        let mut count = Count::default();
        for i in 0..100_000u32 {
            count.add(i % 4 == 0);
        }
        assert!((count.share() - 0.25).abs() < 0.01, "{count:?}");
    }
}
