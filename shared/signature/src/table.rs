//! The rules as the engine asks them: by kind of packet.

use std::sync::LazyLock;

use crate::grade::ALONE;
use crate::packet::{Facts, Kind, Kinds, Lacks, Packet};
use crate::rule::{Key, Pattern, Test, Weight};
use crate::rules::RULES;
use crate::tool::Tool;
use crate::traits::Traits;

/// A set of rules, by their place in [`RULES`](crate::RULES).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleSet(u128);

impl RuleSet {
    /// No rule.
    pub const EMPTY: Self = Self(0);

    /// A bit for each rule.
    #[inline]
    pub fn bits(self) -> u128 {
        self.0
    }

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

    /// The rules that are in both.
    #[inline]
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The rules that are in either.
    #[inline]
    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The places, in the order of the table.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = usize> {
        let (mut rest, mut high, mut base) = (self.0 as u64, (self.0 >> 64) as u64, 0);
        std::iter::from_fn(move || {
            if rest == 0 {
                (rest, high, base) = (high, 0, 64);
            }
            (rest != 0).then(|| {
                let place = base + rest.trailing_zeros() as usize;
                rest &= rest - 1;
                place
            })
        })
    }
}

/// The most rules whose matches are counted per source.
pub(crate) const COUNTERS: usize = 48;

/// The most groups of packets that are counted per source: each kind, and the packets of each rule that has a
/// condition of its own.
pub(crate) const GROUPS: usize = 32;

/// A rule about one packet.
pub(crate) struct PacketTest {
    pub(crate) place: usize,
    /// The rule alone.
    pub(crate) alone: RuleSet,
    pub(crate) needs: Lacks,
    pub(crate) condition: Option<Condition>,
    pub(crate) holds: fn(&Packet) -> bool,
}

/// What a packet must be to be asked, and the group of those that are.
pub(crate) struct Condition {
    pub(crate) holds: fn(&Packet) -> bool,
    pub(crate) group: Option<u8>,
}

/// A rule about two packets.
pub(crate) struct PairTest {
    pub(crate) place: usize,
    pub(crate) needs: Lacks,
    pub(crate) of: Traits,
    pub(crate) applies: fn(&Facts, &Facts) -> bool,
    pub(crate) holds: fn(&Facts, &Facts) -> bool,
    pub(crate) counter: Option<Counter>,
}

/// A rule about a shared value.
pub(crate) struct KeyTest {
    pub(crate) place: usize,
    pub(crate) needs: Lacks,
    pub(crate) of: Traits,
    pub(crate) key: Key,
}

/// A rule about what many packets have in common.
pub(crate) struct PatternTest {
    pub(crate) place: usize,
    pub(crate) needs: Lacks,
    pub(crate) of: Traits,
    pub(crate) pattern: Pattern,
}

/// The rules that can be asked of one kind of packet.
#[derive(Default)]
pub(crate) struct OfKind {
    pub(crate) packet: Vec<PacketTest>,
    /// By either half of a packet's traits, a bit for each of the rules about one packet that needs no others.
    by_traits: [Vec<u64>; 2],
    pub(crate) pair: Vec<PairTest>,
    pub(crate) key: Vec<KeyTest>,
    pub(crate) pattern: Vec<PatternTest>,
}

impl OfKind {
    fn add(&mut self, test: PacketTest, of: Traits) {
        let bit = 1u64 << self.packet.len();
        for (by_half, needed) in self.by_traits.iter_mut().zip(of.halves()) {
            by_half.resize(1 << 8, 0);
            let having = by_half.iter_mut().enumerate().filter(|(half, _)| *half as u8 & needed == needed);
            having.for_each(|(_, rules)| *rules |= bit);
        }
        self.packet.push(test);
    }

    /// The rules about one packet that may match one with these traits, in order.
    #[inline]
    pub(crate) fn of_traits(&self, traits: Traits) -> impl Iterator<Item = &PacketTest> {
        let [low, high] = traits.halves().map(usize::from);
        let [by_low, by_high] = &self.by_traits;
        let mut rest = by_low.get(low).copied().unwrap_or(0) & by_high.get(high).copied().unwrap_or(0);
        std::iter::from_fn(move || {
            let test = self.packet.get(rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(test)
        })
    }
}

/// Where the matches of a rule are counted, and out of which packets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counter {
    pub(crate) number: u8,
    /// The rule's own group, or none for all packets of its kinds.
    pub(crate) group: Option<u8>,
    pub(crate) kinds: Kinds,
    /// The chance of a match, where it is a mark.
    pub(crate) chance: Option<f64>,
}

/// What a verdict needs to know of a rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worth {
    pub(crate) tool: Tool,
    pub(crate) weight: Weight,
    pub(crate) test: Test,
    pub(crate) counter: Option<Counter>,
    pub(crate) tells: Option<&'static str>,
}

pub(crate) struct Table {
    kinds: [OfKind; Kind::COUNT],
    worth: Vec<Worth>,
    /// The rules whose matches are counted.
    counted: RuleSet,
    /// The marks that make a packet masscan's.
    pub(crate) masscan: RuleSet,
    /// The shapes of each tool.
    shapes: Vec<RuleSet>,
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
    let mut table = Table {
        kinds: Default::default(),
        worth: Vec::new(),
        counted: RuleSet::EMPTY,
        masscan: RuleSet::EMPTY,
        shapes: vec![RuleSet::EMPTY; Tool::ALL.len()],
    };
    let (mut counters, mut groups) = (0u8, Kind::COUNT as u8);
    for (place, rule) in RULES.iter().enumerate() {
        let about_packets = matches!(rule.test, Test::Packet(_) | Test::PacketIf(..) | Test::Pair(..));
        // A mark that names the tool alone needs no counts.
        let graded_by_counts = match rule.weight {
            Weight::Mark(chance) => chance > ALONE,
            Weight::Shape(enough) => enough.is_some(),
            Weight::Detail => false,
        };
        let is_counted = about_packets && graded_by_counts;
        let group = (is_counted && !matches!(rule.test, Test::Packet(_))).then_some(groups);
        groups += u8::from(group.is_some());
        let counter = is_counted.then(|| {
            table.counted.insert(place);
            counters += 1;
            let chance = if let Weight::Mark(chance) = rule.weight { Some(chance) } else { None };
            Counter { number: counters - 1, group, kinds: rule.kinds, chance }
        });
        table.worth.push(Worth {
            tool: rule.tool,
            weight: rule.weight,
            test: rule.test,
            counter,
            tells: rule.tells,
        });
        match rule.weight {
            Weight::Mark(_) if rule.tool == Tool::Masscan => table.masscan.insert(place),
            Weight::Shape(_) => table.shapes[rule.tool as usize].insert(place),
            _ => {}
        }
        for kind in KINDS.into_iter().filter(|kind| rule.kinds.has(*kind)) {
            let of_kind = &mut table.kinds[kind as usize];
            let (needs, of) = (Lacks::of(rule.needs), rule.of);
            let mut alone = RuleSet::EMPTY;
            alone.insert(place);
            match rule.test {
                Test::Packet(holds) => {
                    of_kind.add(PacketTest { place, alone, needs, condition: None, holds }, of);
                }
                Test::PacketIf(applies, holds) => {
                    let condition = Some(Condition { holds: applies, group });
                    of_kind.add(PacketTest { place, alone, needs, condition, holds }, of);
                }
                Test::Pair(applies, holds) => {
                    of_kind.pair.push(PairTest { place, needs, of, applies, holds, counter });
                }
                Test::Key(key) => of_kind.key.push(KeyTest { place, needs, of, key }),
                Test::Source(pattern) => of_kind.pattern.push(PatternTest { place, needs, of, pattern }),
            }
        }
    }
    assert!(usize::from(counters) <= COUNTERS && usize::from(groups) <= GROUPS && RULES.len() <= 128);
    assert!(table.kinds.iter().all(|of_kind| of_kind.packet.len() <= 64));
    table
});

impl Table {
    #[inline]
    pub(crate) fn of(&self, kind: Kind) -> &OfKind {
        &self.kinds[kind as usize]
    }

    #[inline]
    pub(crate) fn worth(&self, place: usize) -> &Worth {
        &self.worth[place]
    }

    /// The counters of these matches.
    #[inline]
    pub(crate) fn counters(&self, hits: RuleSet) -> impl Iterator<Item = &Counter> {
        hits.and(self.counted).iter().filter_map(|place| self.worth[place].counter.as_ref())
    }

    /// Whether a shape of this tool is among the matches.
    #[inline]
    pub(crate) fn has_shape(&self, tool: Tool, hits: RuleSet) -> bool {
        !hits.and(self.shapes[tool as usize]).is_empty()
    }
}
