//! From packets in the order of capture to a verdict on each.

use std::collections::VecDeque;
use std::time::Duration;

use probeline_record::Ts;

use crate::evidence::Found;
use crate::packet::{Facts, Kind, Lacks, Packet};
use crate::pattern::Input;
use crate::source::{Books, NONE, Searches, Sources};
use crate::table::{RuleSet, TABLE, Table};
use crate::tally::Tally;
use crate::verdict::{self, Verdict};

/// What bounds the engine's memory and its patience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long, in packet time, a verdict waits for further packets of its source.
    pub settle: Duration,
    /// The most packets that wait; beyond it the oldest gets its verdict early.
    pub max_held: usize,
    /// The most sources remembered; beyond it the one not seen for longest is forgotten.
    pub max_sources: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { settle: Duration::from_secs(10), max_held: 1 << 18, max_sources: 1 << 18 }
    }
}

/// A packet that waits for its verdict.
struct Held {
    facts: Facts,
    hits: RuleSet,
    /// Place of its source, or [`NONE`] for a packet that no rule was asked of.
    source: u32,
}

/// Attributes packets to tools. Packets go in by [`Engine::push`] in the order of capture; verdicts come out by
/// [`Engine::pop`] in the same order, one for each.
///
/// Memory: about 200 octets for each packet that waits, the same for each source of one packet, and about 900 for a
/// source of several; [`Options`] bounds both.
pub struct Engine {
    settle: i64,
    max_held: usize,
    sources: Sources,
    held: VecDeque<Held>,
    /// Number of the packet at the front of `held`.
    front: u64,
    /// Verdicts given before their time, to make room for a source.
    early: VecDeque<Verdict>,
    newest: Ts,
    input: Input,
    tally: Tally,
    searches: Searches,
    learned: bool,
    finished: bool,
}

impl Engine {
    /// An engine that has seen nothing.
    pub fn new(options: &Options) -> Self {
        Self {
            settle: i64::try_from(options.settle.as_nanos()).unwrap_or(i64::MAX),
            max_held: options.max_held.max(1),
            sources: Sources::new(options.max_sources),
            held: VecDeque::new(),
            front: 0,
            early: VecDeque::new(),
            newest: Ts::MIN,
            input: Input::default(),
            tally: Tally::new(),
            searches: Searches::new(),
            learned: false,
            finished: false,
        }
    }

    /// Takes a packet in.
    pub fn push(&mut self, packet: &Packet) {
        let mut facts = *packet.facts();
        if facts.ts == Ts::MIN {
            // A packet that could not be read has no time of its own and goes with its neighbours.
            facts.ts = self.newest;
        }
        self.newest = self.newest.max(facts.ts);
        let (source, hits) = self.observe(packet, true);
        self.held.push_back(Held { facts, hits, source });
    }

    /// Tells which packets come next, so that what is known of their sources, and of those whose packets have waited
    /// longest, is read from memory side by side and not one after the other. Changes nothing but the time it takes.
    pub fn expect(&mut self, packets: &[Packet]) {
        self.sources.warm(packets);
        let oldest = self.held.iter().take(packets.len());
        self.sources.warm_places(oldest.map(|held| held.source));
    }

    /// Takes a packet in for what it says about its source, without a verdict on it: the first of two passes.
    pub fn learn(&mut self, packet: &Packet) {
        self.observe(packet, false);
    }

    /// Ends the first of two passes: what is known of the sources stays as it is. Sources that were forgotten in the
    /// first pass are learned anew in the second.
    pub fn learned(&mut self) {
        self.sources.freeze();
        self.learned = true;
        self.tally = Tally::new();
    }

    /// The next verdict whose time has come.
    #[inline]
    pub fn pop(&mut self) -> Option<Verdict> {
        if let Some(verdict) = self.early.pop_front() {
            return Some(verdict);
        }
        let first = self.held.front()?;
        if !self.finished && self.newest.since(first.facts.ts) < self.settle {
            if self.held.len() <= self.max_held {
                return None;
            }
            self.tally.hurried += 1;
        }
        self.decide()
    }

    /// Ends the input: every verdict's time has come.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// What was counted on the way.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The verdict on the packet that has waited longest.
    fn decide(&mut self) -> Option<Verdict> {
        let held = self.held.front()?;
        let verdict = if held.source == NONE {
            Some(Verdict::UNKNOWN)
        } else {
            let source = self.sources.release(held.source);
            Some(verdict::decide(&held.facts, held.hits, source, &self.input))
        };
        self.held.pop_front();
        self.front += 1;
        verdict
    }

    /// Puts on record what a packet says. Returns the place of its source and the rules that match it so far.
    fn observe(&mut self, packet: &Packet, waits: bool) -> (u32, RuleSet) {
        let table = &*TABLE;
        if packet.kind == Kind::Other {
            return (NONE, RuleSet::EMPTY);
        }
        if packet.dst.is_ipv4() {
            self.input.dsts.see(packet.dst4());
        }
        if packet.kind == Kind::Syn4 && !self.learned {
            self.input.moved.see(packet.src(), packet);
        }
        self.searches.earn();
        let mut found = self.ask(packet, table);
        while self.sources.is_blocked(packet.src()) {
            self.tally.hurried += 1;
            let verdict = self.decide();
            self.early.extend(verdict);
        }
        let place = self.sources.place(packet.src(), packet.ts, &mut self.tally.forgotten);
        let row = waits.then(|| self.front + self.held.len() as u64);
        let (held, front) = (&mut self.held, self.front);
        if waits {
            self.sources.hold(place);
        }
        let books = Books { table, tally: &mut self.tally, searches: &mut self.searches };
        let source = self.sources.get_mut(place);
        source.see(packet.facts(), &mut found, row, books, |earlier, rule| {
            let index = earlier.checked_sub(front).and_then(|index| usize::try_from(index).ok());
            if let Some(earlier) = index.and_then(|index| held.get_mut(index)) {
                earlier.hits.insert(rule);
            }
        });
        (place, found.hits)
    }

    /// Asks the rules about one packet.
    #[inline]
    fn ask(&mut self, packet: &Packet, table: &Table) -> Found {
        let mut found = Found { hits: RuleSet::EMPTY, groups: 0 };
        let of_kind = table.of(packet.kind);
        if packet.lacks != Lacks::default() {
            let lacking = of_kind.packet.iter().filter(|rule| packet.lacks.any_of(rule.needs));
            lacking.for_each(|rule| self.tally.passes_over(rule.place));
        }
        for rule in of_kind.of_traits(packet.traits) {
            if packet.lacks.any_of(rule.needs) {
                continue;
            }
            if let Some(condition) = &rule.condition {
                if !(condition.holds)(packet) {
                    continue;
                }
                self.tally.applies(rule.place);
                if let Some(group) = condition.group {
                    found.groups |= 1 << group;
                }
            }
            if (rule.holds)(packet) {
                found.hits = found.hits.or(rule.alone);
            }
        }
        self.tally.packet(packet.kind, found.hits);
        found
    }
}
