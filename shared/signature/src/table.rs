//! The rules as the engine asks them: by kind of packet.

use std::sync::LazyLock;

use crate::packet::{Facts, Kind, Packet};
use crate::rule::{Key, Pattern, Test, Weight};
use crate::rules::RULES;

/// A set of rules, by their place in [`RULES`](crate::RULES).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleSet(u128);

impl RuleSet {
    /// No rule.
    pub const EMPTY: Self = Self(0);

    /// Whether no rule is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the rule at this place is in it.
    #[inline]
    pub fn has(self, place: usize) -> bool {
        self.0 >> place & 1 == 1
    }

    /// Puts the rule at this place in.
    #[inline]
    pub(crate) fn insert(&mut self, place: usize) {
        self.0 |= 1 << place;
    }

    /// The places, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            (rest != 0).then(|| {
                let place = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                place
            })
        })
    }
}

/// The most rules whose matches are counted per source.
pub(crate) const COUNTERS: usize = 64;

/// A rule about one packet.
pub(crate) struct PacketTest {
    pub(crate) place: usize,
    pub(crate) applies: Option<fn(&Packet) -> bool>,
    pub(crate) holds: fn(&Packet) -> bool,
    pub(crate) counter: Option<usize>,
}

/// A rule about two packets.
pub(crate) struct PairTest {
    pub(crate) place: usize,
    pub(crate) applies: fn(&Facts, &Facts) -> bool,
    pub(crate) holds: fn(&Facts, &Facts) -> bool,
    pub(crate) counter: Option<usize>,
}

/// A rule about a shared value.
pub(crate) struct KeyTest {
    pub(crate) place: usize,
    pub(crate) key: Key,
}

/// The rules that can be asked of one kind of packet.
#[derive(Default)]
pub(crate) struct OfKind {
    pub(crate) packet: Vec<PacketTest>,
    pub(crate) pair: Vec<PairTest>,
    pub(crate) key: Vec<KeyTest>,
    pub(crate) pattern: Vec<(usize, Pattern)>,
}

pub(crate) struct Table {
    kinds: [OfKind; Kind::COUNT],
    /// The counter of each rule.
    counters: Vec<Option<usize>>,
    /// The rule of each counter, and its chance where it is a mark.
    counted: Vec<(usize, Option<f64>)>,
}

const KINDS: [Kind; Kind::COUNT] = [
    Kind::Syn4,
    Kind::Syn6,
    Kind::Tcp4,
    Kind::Tcp6,
    Kind::Udp4,
    Kind::Udp6,
    Kind::Icmp4,
    Kind::Icmp6,
    Kind::Sctp4,
    Kind::Other,
];

pub(crate) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { kinds: Default::default(), counters: Vec::new(), counted: Vec::new() };
    for (place, rule) in RULES.iter().enumerate() {
        let counted = matches!(
            (rule.weight, rule.test),
            (Weight::Mark(_) | Weight::Shape(Some(_)), Test::Packet(_) | Test::PacketIf(..) | Test::Pair(..))
        );
        let counter = counted.then_some(table.counted.len());
        if counted {
            let chance = if let Weight::Mark(chance) = rule.weight { Some(chance) } else { None };
            table.counted.push((place, chance));
        }
        table.counters.push(counter);
        for kind in KINDS.into_iter().filter(|kind| rule.kinds.has(*kind)) {
            let of_kind = &mut table.kinds[kind as usize];
            match rule.test {
                Test::Packet(holds) => {
                    of_kind.packet.push(PacketTest { place, applies: None, holds, counter });
                }
                Test::PacketIf(applies, holds) => {
                    of_kind.packet.push(PacketTest { place, applies: Some(applies), holds, counter });
                }
                Test::Pair(applies, holds) => of_kind.pair.push(PairTest { place, applies, holds, counter }),
                Test::Key(key) => of_kind.key.push(KeyTest { place, key }),
                Test::Source(pattern) => of_kind.pattern.push((place, pattern)),
            }
        }
    }
    debug_assert!(table.counted.len() <= COUNTERS && RULES.len() <= 128);
    table
});

impl Table {
    #[inline]
    pub(crate) fn of(&self, kind: Kind) -> &OfKind {
        &self.kinds[kind as usize]
    }

    #[inline]
    pub(crate) fn counter(&self, place: usize) -> Option<usize> {
        self.counters[place]
    }

    /// Whether the rule of this counter is among the matches.
    #[inline]
    pub(crate) fn matched(&self, counter: usize, hits: RuleSet) -> bool {
        hits.has(self.counted[counter].0)
    }

    /// The chance of the mark of this counter.
    #[inline]
    pub(crate) fn chance(&self, counter: usize) -> Option<f64> {
        self.counted[counter].1
    }
}
