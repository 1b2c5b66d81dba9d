//! What is remembered of a source that has sent more than one packet.

use crate::grade::Count;
use crate::packet::{Facts, Kind};
use crate::pattern::{Pool, Ports, Spread, SpreadOf};
use crate::table::{COUNTERS, RuleSet, TABLE};

/// Keys remembered per rule: the phases of a scan that can be under way at once.
const KEYS_PER_RULE: usize = 4;
/// Keys remembered per source.
const KEYS: usize = 16;
/// Parts told apart where two tools share an address.
const PARTS: usize = 16;

/// The evidence of one source: about 500 octets, more where tools share an address.
#[derive(Debug)]
pub(crate) struct Evidence {
    counts: [Count; COUNTERS],
    /// Marks of the last packets, so that a copy counts once.
    copies: [u16; 8],
    next_copy: u8,
    keys: Vec<SeenKey>,
    last: Vec<Last>,
    parts: Vec<Part>,
    pub(crate) spread: [Spread; SpreadOf::COUNT],
    pub(crate) pool: Option<Box<Pool>>,
    pub(crate) ports: Ports,
}

/// A value that packets of the source shared.
#[derive(Debug)]
struct SeenKey {
    place: u8,
    count: u32,
    value: u64,
    differs: u64,
}

/// The last packet of a kind, and the number of its row.
#[derive(Debug)]
struct Last {
    facts: Facts,
    row: Option<u64>,
}

/// Counts of one counter for the packets of a source that look alike.
#[derive(Debug)]
struct Part {
    counter: u8,
    look: u32,
    count: Count,
}

/// What tells the packets of two tools behind one address apart.
fn look(f: &Facts) -> u32 {
    match f.kind {
        Kind::Syn4 | Kind::Syn6 | Kind::Tcp4 | Kind::Tcp6 => {
            let options = f.opts.fold() ^ u32::from(f.mss.unwrap_or(0));
            u32::from(f.win) << 16 ^ options << 1 ^ u32::from(f.df)
        }
        Kind::Udp4 | Kind::Udp6 | Kind::Sctp4 => u32::from(f.sport),
        Kind::Icmp4 | Kind::Icmp6 | Kind::Other => f.payload_len,
    }
}

/// A packet with what the rules about one packet found in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) facts: Facts,
    /// Rules that matched.
    pub(crate) hits: RuleSet,
    /// Counters of the rules that could be asked, a bit each.
    pub(crate) asked: u64,
}

/// What a pair of packets showed.
pub(crate) struct PairFound {
    pub(crate) place: usize,
    pub(crate) matched: bool,
    /// Row of the earlier packet.
    pub(crate) earlier: Option<u64>,
}

impl Evidence {
    pub(crate) fn new() -> Self {
        Self {
            counts: [Count::default(); COUNTERS],
            copies: [0; 8],
            next_copy: 0,
            keys: Vec::new(),
            last: Vec::new(),
            parts: Vec::new(),
            spread: Default::default(),
            pool: None,
            ports: Ports::default(),
        }
    }

    /// Counts what was found in a packet, unless it is a copy of a recent one.
    pub(crate) fn count(&mut self, found: &Found) {
        let copy = found.facts.copy_mark();
        if self.copies.contains(&copy) {
            return;
        }
        self.copies[usize::from(self.next_copy)] = copy;
        self.next_copy = (self.next_copy + 1) % self.copies.len() as u8;
        let mut asked = found.asked;
        while asked != 0 {
            let counter = asked.trailing_zeros() as usize;
            asked &= asked - 1;
            let matched = TABLE.matched(counter, found.hits);
            self.counts[counter].add(matched);
            if let Some(chance) = TABLE.chance(counter)
                && (!self.parts.is_empty() || (matched && self.counts[counter].is_mixture(chance)))
            {
                self.count_part(counter as u8, look(&found.facts), matched);
            }
        }
    }

    fn count_part(&mut self, counter: u8, look: u32, matched: bool) {
        let known = self.parts.iter_mut().find(|part| part.counter == counter && part.look == look);
        if let Some(part) = known {
            part.count.add(matched);
        } else if self.parts.len() < PARTS {
            let mut count = Count::default();
            count.add(matched);
            self.parts.push(Part { counter, look, count });
        }
    }

    /// The counts of a counter, over all packets.
    pub(crate) fn counts(&self, counter: usize) -> Count {
        self.counts[counter]
    }

    /// The counts of a counter over the packets that look like this one.
    pub(crate) fn counts_of_part(&self, counter: usize, facts: &Facts) -> Option<Count> {
        let look = look(facts);
        let part =
            self.parts.iter().find(|part| usize::from(part.counter) == counter && part.look == look)?;
        Some(part.count)
    }

    /// Holds a packet against the one of its kind before it, and remembers it for the next.
    pub(crate) fn pair(
        &mut self,
        facts: &Facts,
        row: Option<u64>,
        count: bool,
        mut tell: impl FnMut(PairFound),
    ) {
        let rules = &TABLE.of(facts.kind).pair;
        if rules.is_empty() {
            return;
        }
        let Some(last) = self.last.iter_mut().find(|last| last.facts.kind == facts.kind) else {
            self.last.push(Last { facts: *facts, row });
            return;
        };
        for rule in rules {
            if !(rule.applies)(&last.facts, facts) {
                continue;
            }
            let matched = (rule.holds)(&last.facts, facts);
            if let Some(counter) = rule.counter
                && count
            {
                self.counts[counter].add(matched);
            }
            tell(PairFound { place: rule.place, matched, earlier: last.row });
        }
        *last = Last { facts: *facts, row };
    }

    /// Forgets the packets that the next ones would be held against.
    pub(crate) fn forget_last(&mut self) {
        self.last.clear();
    }

    /// Remembers the values that packets of one run share. Tells, by rule, how many values the packet's was held
    /// against, and whether it was among them.
    pub(crate) fn key(&mut self, facts: &Facts, mut tell: impl FnMut(usize, u64, bool)) {
        for rule in &TABLE.of(facts.kind).key {
            let Some(value) = (rule.key.value)(facts) else { continue };
            let differs = (rule.key.differs)(facts);
            let place = rule.place as u8;
            let remembered = self.keys.iter().filter(|seen| seen.place == place).count() as u64;
            if let Some(seen) = self.keys.iter_mut().find(|seen| seen.place == place && seen.value == value) {
                if seen.differs != differs {
                    seen.count = seen.count.saturating_add(1);
                    seen.differs = differs;
                    tell(rule.place, remembered, true);
                }
                continue;
            }
            tell(rule.place, remembered, false);
            self.remember(SeenKey { place, count: 1, value, differs });
        }
    }

    fn remember(&mut self, key: SeenKey) {
        let of_rule = self.keys.iter().filter(|seen| seen.place == key.place).count();
        if of_rule < KEYS_PER_RULE && self.keys.len() < KEYS {
            self.keys.push(key);
            return;
        }
        // The least shared goes; the oldest of several.
        let least = (0..self.keys.len())
            .filter(|i| of_rule < KEYS_PER_RULE || self.keys[*i].place == key.place)
            .min_by_key(|i| self.keys[*i].count);
        if let Some(least) = least {
            self.keys.remove(least);
            self.keys.push(key);
        }
    }

    /// How many packets share this value.
    pub(crate) fn sharing(&self, place: usize, value: u64) -> u32 {
        let seen = self.keys.iter().find(|seen| usize::from(seen.place) == place && seen.value == value);
        seen.map_or(0, |seen| seen.count)
    }
}
