//! Sources, found by address, the longest silent first to go.

use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use probeline_record::Ts;

use crate::evidence::{Evidence, Found};
use crate::grade::Count;
use crate::packet::Facts;
use crate::pattern::{self, SpreadOf};
use crate::rule::Pattern;
use crate::rules;
use crate::table::TABLE;
use crate::tally::Tally;

/// No place.
pub(crate) const NONE: u32 = u32::MAX;

/// A source that was silent for this long, in nanoseconds, is a new one: dynamic addresses change hands.
const FORGET: i64 = 3600 * 1_000_000_000;

/// One source. Of most a telescope sees one packet, so that one is kept as it is, and [`Evidence`] begins with the
/// second.
pub(crate) struct Source {
    address: IpAddr,
    /// Packets that wait for a verdict.
    pub(crate) held: u32,
    /// Whether a first pass over the input has seen it all: nothing more is counted.
    frozen: bool,
    more: Option<Box<Evidence>>,
    first: Option<(Found, Option<u64>)>,
    last: Ts,
    older: u32,
    newer: u32,
}

impl Source {
    fn new(address: IpAddr) -> Self {
        Self {
            address,
            held: 0,
            frozen: false,
            more: None,
            first: None,
            last: Ts::MIN,
            older: NONE,
            newer: NONE,
        }
    }

    /// Puts a packet on record. `row` is its number where it waits for a verdict; `mark` is told the row of an earlier
    /// packet in which a rule about two packets has now found something.
    pub(crate) fn see(
        &mut self,
        found: &mut Found,
        row: Option<u64>,
        tally: &mut Tally,
        mut mark: impl FnMut(u64, usize),
    ) {
        let Some((first, first_row)) = &self.first else {
            self.first = Some((*found, row));
            return;
        };
        let frozen = self.frozen;
        let evidence = match &mut self.more {
            Some(evidence) => evidence,
            None if frozen => return,
            None => {
                let mut evidence = Box::new(Evidence::new());
                evidence.pair(&first.facts, *first_row, true, |_| {});
                learn(&mut evidence, first, tally);
                self.more.insert(evidence)
            }
        };
        evidence.pair(&found.facts, row, !frozen, |pair| {
            tally.ask(pair.place, pair.matched);
            if pair.matched {
                found.hits.insert(pair.place);
                if let Some(earlier) = pair.earlier {
                    mark(earlier, pair.place);
                }
            }
        });
        if !frozen {
            learn(evidence, found, tally);
        }
    }

    /// What is known of it beyond one packet.
    pub(crate) fn evidence(&self) -> Option<&Evidence> {
        self.more.as_deref()
    }

    /// The second in which its first packet came.
    pub(crate) fn first_second(&self) -> i64 {
        self.first.as_ref().map_or(0, |(first, _)| first.facts.ts.seconds())
    }

    /// Matches of the rule with this counter.
    pub(crate) fn counts(&self, counter: usize) -> Count {
        match (&self.more, &self.first) {
            (Some(evidence), _) => evidence.counts(counter),
            (None, Some((first, _))) => {
                let mut count = Count::default();
                if first.asked >> counter & 1 == 1 {
                    count.add(TABLE.matched(counter, first.hits));
                }
                count
            }
            (None, None) => Count::default(),
        }
    }
}

/// Puts on record what a packet says beyond itself.
fn learn(evidence: &mut Evidence, found: &Found, tally: &mut Tally) {
    evidence.count(found);
    evidence.key(&found.facts, |place, remembered, matched| tally.ask_many(place, remembered, matched));
    for (_, pattern) in &TABLE.of(found.facts.kind).pattern {
        see_pattern(evidence, *pattern, &found.facts);
    }
}

fn see_pattern(evidence: &mut Evidence, pattern: Pattern, facts: &Facts) {
    match pattern {
        Pattern::TtlSpread => {
            if rules::may_draw_ttl(facts)
                && let Some(of) = SpreadOf::kind(facts.kind)
            {
                evidence.spread[of as usize].see(facts.ttl);
            }
        }
        Pattern::Pool => {
            if let Some(target) = pattern::pool_target(facts) {
                evidence.pool.get_or_insert_default().see(target);
            }
        }
        Pattern::StartPort => {
            if rules::is_masscan(facts) {
                evidence.ports.see(facts.sport);
            }
        }
    }
}

/// All sources that are remembered.
pub(crate) struct Sources {
    slots: Vec<Source>,
    index: HashTable<u32>,
    hasher: RandomState,
    limit: usize,
    /// The one not seen for longest, and the one seen last.
    oldest: u32,
    newest: u32,
}

impl Sources {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            slots: Vec::new(),
            index: HashTable::new(),
            hasher: RandomState::default(),
            // Places are numbers of 32 bits, one of which means none.
            limit: limit.clamp(1, NONE as usize - 1),
            oldest: NONE,
            newest: NONE,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, place: u32) -> &mut Source {
        &mut self.slots[place as usize]
    }

    /// The source that would have to go for one more, where packets of it still wait for their verdict.
    pub(crate) fn is_blocked(&self, address: IpAddr) -> bool {
        self.slots.len() >= self.limit
            && self.slots.get(self.oldest as usize).is_some_and(|oldest| oldest.held > 0)
            && self.find(address).is_none()
    }

    fn find(&self, address: IpAddr) -> Option<u32> {
        let hash = self.hasher.hash_one(address);
        self.index.find(hash, |place| self.slots[*place as usize].address == address).copied()
    }

    /// The place of a source that has just sent a packet; the one not seen for longest makes room where there is none,
    /// and is counted.
    pub(crate) fn place(&mut self, address: IpAddr, ts: Ts, forgotten: &mut u64) -> u32 {
        let hash = self.hasher.hash_one(address);
        let known = self.index.find(hash, |place| self.slots[*place as usize].address == address).copied();
        let place = match known {
            Some(place) => {
                self.unlink(place);
                let source = &mut self.slots[place as usize];
                if source.held == 0 && !source.frozen && ts.since(source.last) > FORGET {
                    *source = Source::new(address);
                }
                place
            }
            None => self.insert(address, hash, forgotten),
        };
        self.link(place);
        let source = &mut self.slots[place as usize];
        source.last = source.last.max(ts);
        place
    }

    fn insert(&mut self, address: IpAddr, hash: u64, forgotten: &mut u64) -> u32 {
        let place = if self.slots.len() < self.limit {
            self.slots.push(Source::new(address));
            self.slots.len() as u32 - 1
        } else {
            *forgotten += 1;
            let place = self.oldest;
            self.unlink(place);
            let old = self.hasher.hash_one(self.slots[place as usize].address);
            if let Ok(entry) = self.index.find_entry(old, |other| *other == place) {
                entry.remove();
            }
            self.slots[place as usize] = Source::new(address);
            place
        };
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.index.insert_unique(hash, place, |place| hasher.hash_one(slots[*place as usize].address));
        place
    }

    fn unlink(&mut self, place: u32) {
        let Source { older, newer, .. } = self.slots[place as usize];
        match older {
            NONE => self.oldest = newer,
            older => self.slots[older as usize].newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => self.slots[newer as usize].older = older,
        }
    }

    fn link(&mut self, place: u32) {
        let newest = self.newest;
        let source = &mut self.slots[place as usize];
        (source.older, source.newer) = (newest, NONE);
        match newest {
            NONE => self.oldest = place,
            newest => self.slots[newest as usize].newer = place,
        }
        self.newest = place;
    }

    /// Ends the counting for all sources that are known now.
    pub(crate) fn freeze(&mut self) {
        for source in &mut self.slots {
            source.frozen = true;
            if let Some(evidence) = &mut source.more {
                evidence.forget_last();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn address(i: u32) -> IpAddr {
        IpAddr::V4(i.into())
    }

    /// Against a map with times: the source that goes is always the one not seen for longest.
    #[test]
    fn the_longest_silent_goes() {
        let mut sources = Sources::new(50);
        let mut seen: BTreeMap<u32, u64> = BTreeMap::new();
        let (mut forgotten, mut expected) = (0, 0);
        let mut x = 1u64;
        for now in 0..20_000 {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let who = (x >> 33) as u32 % 70;
            if !seen.contains_key(&who) && seen.len() == 50 {
                let (oldest, _) = seen.iter().min_by_key(|(_, at)| **at).map(|(k, v)| (*k, *v)).unwrap();
                seen.remove(&oldest);
                expected += 1;
            }
            seen.insert(who, now);
            let place = sources.place(address(who), Ts::from_nanos(now as i64), &mut forgotten);
            assert_eq!(sources.get_mut(place).address, address(who));
            assert_eq!(forgotten, expected);
        }
        assert!(seen.keys().all(|who| sources.find(address(*who)).is_some()));
        assert_eq!(sources.index.len(), 50);
    }

    #[test]
    fn a_source_with_packets_waiting_blocks() {
        let mut sources = Sources::new(1);
        let place = sources.place(address(1), Ts::from_nanos(0), &mut 0);
        assert!(!sources.is_blocked(address(2)));
        sources.get_mut(place).held = 1;
        assert!(sources.is_blocked(address(2)));
        assert!(!sources.is_blocked(address(1)));
    }
}
