//! What is remembered of a source that has sent more than one packet.

use crate::grade::Count;
use crate::packet::{Facts, Kind};
use crate::pattern::{Pool, Ports, Spread, SpreadOf};
use crate::rand_stream::RandStream;
use crate::table::{COUNTERS, Counter, GROUPS, RuleSet, Table};

/// Shared values remembered per rule: the phases of a scan that can be under way at once.
const KEYS_PER_RULE: usize = 4;
/// Values remembered per source.
const KEYS: usize = 16;
/// Parts told apart where two tools share an address.
const PARTS: usize = 16;
/// Counts are halved here, so that a source that takes up another tool is known for it in the end.
const HALVE_AT: u16 = 8192;

/// The evidence of one source: about 500 octets, more where tools share an address.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// Packets by group: by kind, and those that a rule with a condition could be asked of.
    asked: [u16; GROUPS],
    /// Matches by counter.
    matched: [u16; COUNTERS],
    /// Marks of the last packets, so that a copy counts once.
    copies: [u16; 8],
    next_copy: u8,
    keys: Vec<SeenKey>,
    /// Whether any value was shared.
    any_shared: bool,
    /// The last packet that a next one may be held against.
    last: Option<Last>,
    parts: Vec<Part>,
    pub(crate) spread: [Spread; SpreadOf::COUNT],
    pub(crate) pool: Pool,
    pub(crate) ports: Ports,
    pub(crate) stream: Option<Box<RandStream>>,
}

/// A value that packets of the source shared, or may yet share.
#[derive(Debug)]
struct SeenKey {
    place: u8,
    count: u32,
    value: u64,
    differs: u64,
}

/// A packet, and the number of its row.
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
    let own = match f.kind {
        Kind::Syn4 | Kind::Syn6 | Kind::Tcp4 | Kind::Tcp6 => {
            let options = f.opts.fold() ^ u32::from(f.mss.unwrap_or(0));
            u32::from(f.win) << 12 ^ options << 1 ^ u32::from(f.df)
        }
        Kind::Udp4 | Kind::Udp6 | Kind::Sctp4 => u32::from(f.sport),
        Kind::Icmp4 | Kind::Icmp6 | Kind::Other => f.payload_len,
    };
    own ^ (f.kind as u32) << 28
}

/// What the rules about one packet found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// Rules that matched.
    pub(crate) hits: RuleSet,
    /// Groups of rules with a condition that it satisfies, a bit each.
    pub(crate) groups: u32,
}

/// What a pair of packets showed.
pub(crate) struct PairFound {
    pub(crate) place: usize,
    pub(crate) matched: bool,
    /// Row of the earlier packet.
    pub(crate) earlier: Option<u64>,
}

/// Counts a packet of this group.
#[inline]
fn ask(asked: &mut [u16; GROUPS], matched: &mut [u16; COUNTERS], group: u8) {
    let count = &mut asked[usize::from(group)];
    *count += 1;
    if *count >= HALVE_AT {
        asked.iter_mut().chain(matched).for_each(|count| *count /= 2);
    }
}

impl Evidence {
    pub(crate) fn new() -> Self {
        Self {
            asked: [0; GROUPS],
            matched: [0; COUNTERS],
            copies: [0; 8],
            next_copy: 0,
            keys: Vec::new(),
            any_shared: false,
            last: None,
            parts: Vec::new(),
            spread: Default::default(),
            pool: Pool::default(),
            ports: Ports::default(),
            stream: None,
        }
    }

    /// A number out of every line of cache that a packet touches.
    pub(crate) fn warm(&self) -> u32 {
        let counts = self.asked[0] ^ self.asked[31] ^ self.matched[0] ^ self.matched[31] ^ self.matched[47];
        let last = self.last.as_ref().map_or(0, |last| last.facts.len ^ u32::from(last.facts.dport));
        let keys = self.keys.first().map_or(0, |key| key.count) ^ self.keys.get(2).map_or(0, |key| key.count);
        u32::from(counts ^ self.copies[0] ^ self.spread[2].packets()) ^ last ^ keys
    }

    /// Counts what was found in a packet, unless it is a copy of a recent one.
    pub(crate) fn count(&mut self, facts: &Facts, found: &Found, table: &Table) {
        let copy = facts.copy_mark();
        if self.copies.contains(&copy) {
            return;
        }
        self.copies[usize::from(self.next_copy)] = copy;
        self.next_copy = (self.next_copy + 1) % self.copies.len() as u8;
        ask(&mut self.asked, &mut self.matched, facts.kind as u8);
        let mut groups = found.groups;
        while groups != 0 {
            ask(&mut self.asked, &mut self.matched, groups.trailing_zeros() as u8);
            groups &= groups - 1;
        }
        for counter in table.counters(found.hits) {
            self.matched[usize::from(counter.number)] += 1;
            let Some(chance) = counter.chance else { continue };
            if self.counts(counter).is_mixture(chance) {
                self.part(counter.number, facts);
            }
        }
        if !self.parts.is_empty() {
            self.count_parts(facts, found, table);
        }
    }

    /// Begins to count the packets that look like this one on their own.
    #[cold]
    fn part(&mut self, counter: u8, facts: &Facts) {
        let look = look(facts);
        let known = self.parts.iter().any(|part| part.counter == counter && part.look == look);
        if !known && self.parts.len() < PARTS {
            self.parts.push(Part { counter, look, count: Count::default() });
        }
    }

    fn count_parts(&mut self, facts: &Facts, found: &Found, table: &Table) {
        let look = look(facts);
        for part in self.parts.iter_mut().filter(|part| part.look == look) {
            let matched = table.counters(found.hits).any(|counter| counter.number == part.counter);
            part.count.add(matched);
        }
    }

    /// Matches of a counter out of all packets that could be asked.
    #[inline]
    pub(crate) fn counts(&self, counter: &Counter) -> Count {
        let asked = match counter.group {
            Some(group) => self.asked[usize::from(group)],
            None => {
                let of_kinds = self.asked[..Kind::COUNT].iter().enumerate();
                of_kinds.filter(|(kind, _)| counter.kinds.has_number(*kind)).map(|(_, asked)| asked).sum()
            }
        };
        Count { asked, matched: self.matched[usize::from(counter.number)] }
    }

    /// The same out of the packets that look like this one, where they are counted on their own.
    pub(crate) fn counts_of_part(&self, counter: &Counter, facts: &Facts) -> Option<Count> {
        if self.parts.is_empty() {
            return None;
        }
        let look = look(facts);
        let part = self.parts.iter().find(|part| part.counter == counter.number && part.look == look)?;
        Some(part.count)
    }

    /// Holds a packet against the one before it, and remembers it for the next.
    pub(crate) fn pair(
        &mut self,
        facts: &Facts,
        row: Option<u64>,
        count: bool,
        table: &Table,
        mut tell: impl FnMut(PairFound),
    ) {
        let rules = &table.of(facts.kind).pair;
        if rules.is_empty() {
            return;
        }
        if let Some(last) = self.last.as_ref().filter(|last| last.facts.kind == facts.kind) {
            let (lacks, traits) = (last.facts.lacks.or(facts.lacks), last.facts.traits.and(facts.traits));
            for rule in rules {
                if !traits.has(rule.of) || lacks.any_of(rule.needs) || !(rule.applies)(&last.facts, facts) {
                    continue;
                }
                let matched = (rule.holds)(&last.facts, facts);
                tell(PairFound { place: rule.place, matched, earlier: last.row });
                if count && let Some(counter) = rule.counter {
                    counter
                        .group
                        .into_iter()
                        .for_each(|group| ask(&mut self.asked, &mut self.matched, group));
                    self.matched[usize::from(counter.number)] += u16::from(matched);
                }
            }
        }
        self.last = Some(Last { facts: *facts, row });
    }

    /// Makes ready for a second pass over the same packets.
    pub(crate) fn rewind(&mut self) {
        self.last = None;
        if let Some(stream) = &mut self.stream {
            stream.rewind();
        }
    }

    /// Remembers the values that packets of one run share. Tells, by rule, how many values the packet's was held
    /// against, and whether it was among them.
    pub(crate) fn key(&mut self, facts: &Facts, table: &Table, mut tell: impl FnMut(usize, u64, bool)) {
        for rule in &table.of(facts.kind).key {
            if !facts.traits.has(rule.of) || facts.lacks.any_of(rule.needs) {
                continue;
            }
            let Some(value) = (rule.key.value)(facts) else { continue };
            let differs = (rule.key.differs)(facts);
            let place = rule.place as u8;
            let (mut remembered, mut compared, mut same, mut unshared) = (0, 0, None, None);
            for (i, seen) in self.keys.iter().enumerate().filter(|(_, seen)| seen.place == place) {
                remembered += 1;
                compared += u64::from(seen.differs != differs);
                if seen.value == value {
                    same = Some(i);
                } else if seen.count == 1 {
                    unshared = Some(i);
                }
            }
            if let Some(same) = same {
                let seen = &mut self.keys[same];
                let is_another = seen.differs != differs;
                if is_another {
                    seen.count = seen.count.saturating_add(1);
                    seen.differs = differs;
                    self.any_shared = true;
                }
                tell(rule.place, compared, is_another);
                continue;
            }
            tell(rule.place, compared, false);
            let key = SeenKey { place, count: 1, value, differs };
            match unshared {
                // Of values that nothing has shared yet the last one is enough: runs send many packets in a row.
                Some(unshared) => self.keys[unshared] = key,
                None => self.remember(key, remembered),
            }
        }
    }

    fn remember(&mut self, key: SeenKey, of_rule: usize) {
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

    /// Whether any packets share any value.
    #[inline]
    pub(crate) fn any_shared(&self) -> bool {
        self.any_shared
    }

    /// How many packets share this value.
    #[inline]
    pub(crate) fn sharing(&self, place: usize, value: u64) -> u32 {
        let seen = self.keys.iter().find(|seen| usize::from(seen.place) == place && seen.value == value);
        seen.map_or(0, |seen| seen.count)
    }

    /// Whether so many packets share this value that it is no chance: by the bits of the value, and where one of these
    /// few values is always met, by nine tenths of the packets having it.
    pub(crate) fn is_shared(&self, place: usize, value: u64, bits: u32) -> bool {
        let sharing = self.sharing(place, value);
        let others =
            || self.keys.iter().filter(|seen| usize::from(seen.place) == place).map(|seen| seen.count);
        let no_chance = sharing >= 2 && (sharing - 1).saturating_mul(bits) >= 16;
        no_chance && (bits >= 16 || u64::from(sharing) * 10 >= others().map(u64::from).sum::<u64>() * 9)
    }
}
