//! Sources, found by address, the longest silent first to go.

use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use probeline_record::Ts;

use crate::evidence::{Evidence, Found};
use crate::grade::Count;
use crate::packet::{Facts, Packet};
use crate::pattern::{self, SpreadOf};
use crate::rand_stream::{self, RandStream};
use crate::rule::Pattern;
use crate::rules;
use crate::table::{Counter, Table};
use crate::tally::Tally;

/// No place.
pub(crate) const NONE: u32 = u32::MAX;

/// A source that was silent for this long, in nanoseconds, is a new one: dynamic addresses change hands.
const FORGET: i64 = 3600 * 1_000_000_000;

/// One source. Of most a telescope sees one packet, so that one is kept as it is, and [`Evidence`] begins with the
/// second.
///
/// In this order all but the packet itself stands in one line of the cache: with a quarter of a million sources, each
/// line is waited for.
#[repr(C, align(64))]
pub(crate) struct Source {
    address: IpAddr,
    /// Whether a first pass over the input has seen it all: nothing more is counted.
    frozen: bool,
    /// Whether it has sent a packet since room was last looked for.
    lively: bool,
    /// Packets that wait for a verdict.
    held: u32,
    last: Ts,
    first_second: i64,
    seen: Seen,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Source>() == 3 * 64);

/// What is kept besides the sources while packets are put on record.
pub(crate) struct Books<'a> {
    pub(crate) table: &'a Table,
    pub(crate) tally: &'a mut Tally,
    pub(crate) searches: &'a mut Searches,
}

/// What a source has sent.
enum Seen {
    Nothing,
    One(Facts, Found, Option<u64>),
    Several(Box<Evidence>),
}

impl Source {
    fn new(address: IpAddr) -> Self {
        Self {
            address,
            frozen: false,
            lively: true,
            held: 0,
            last: Ts::MIN,
            first_second: 0,
            seen: Seen::Nothing,
        }
    }

    /// Puts a packet on record. `row` is its number where it waits for a verdict; `mark` is told the row of an earlier
    /// packet in which a rule about several packets has now found something.
    pub(crate) fn see(
        &mut self,
        facts: &Facts,
        found: &mut Found,
        row: Option<u64>,
        books: Books<'_>,
        mut mark: impl FnMut(u64, usize),
    ) {
        let Books { table, tally, searches } = books;
        let frozen = self.frozen;
        let evidence = match &mut self.seen {
            Seen::Several(evidence) => evidence,
            Seen::Nothing => {
                self.first_second = facts.ts.seconds();
                self.seen = Seen::One(*facts, *found, row);
                return;
            }
            Seen::One(..) if frozen => return,
            Seen::One(first, first_found, first_row) => {
                let mut evidence = Box::new(Evidence::new());
                evidence.pair(first, *first_row, true, table, |_| {});
                learn(&mut evidence, first, first_found, table, tally);
                see_stream(&mut evidence, first, *first_row, table, searches, |_, _| {});
                self.seen = Seen::Several(evidence);
                let Seen::Several(evidence) = &mut self.seen else { return };
                evidence
            }
        };
        evidence.pair(facts, row, !frozen, table, |pair| {
            tally.ask(pair.place, pair.matched);
            if pair.matched {
                found.hits.insert(pair.place);
                if let Some(earlier) = pair.earlier {
                    mark(earlier, pair.place);
                }
            }
        });
        if !frozen {
            learn(evidence, facts, found, table, tally);
        }
        if let Some(place) = see_stream(evidence, facts, row, table, searches, &mut mark) {
            tally.ask(place, true);
            found.hits.insert(place);
        }
    }

    /// Its address.
    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    /// What is known of it beyond one packet.
    #[inline]
    pub(crate) fn evidence(&self) -> Option<&Evidence> {
        if let Seen::Several(evidence) = &self.seen { Some(evidence) } else { None }
    }

    /// The second in which its first packet came.
    pub(crate) fn first_second(&self) -> i64 {
        self.first_second
    }

    /// Matches of a counted rule.
    #[inline]
    pub(crate) fn counts(&self, counter: &Counter, table: &Table) -> Count {
        match &self.seen {
            Seen::Several(evidence) => evidence.counts(counter),
            Seen::One(facts, found, _) => {
                let asked = match counter.group {
                    Some(group) => found.groups >> group & 1 == 1,
                    None => counter.kinds.has(facts.kind),
                };
                let mut count = Count::default();
                if asked {
                    count.add(table.counters(found.hits).any(|other| other.number == counter.number));
                }
                count
            }
            Seen::Nothing => Count::default(),
        }
    }
}

/// Puts on record what a packet says beyond itself.
fn learn(evidence: &mut Evidence, facts: &Facts, found: &Found, table: &Table, tally: &mut Tally) {
    evidence.count(facts, found, table);
    evidence.key(facts, table, |place, times, matched| tally.ask_many(place, times, matched));
    for rule in &table.of(facts.kind).pattern {
        if facts.traits.has(rule.of) && !facts.lacks.any_of(rule.needs) {
            see_pattern(evidence, rule.pattern, facts, found, table);
        }
    }
}

/// Looks for a stream of random numbers. Returns the rule's place where the packet is of one.
fn see_stream(
    evidence: &mut Evidence,
    facts: &Facts,
    row: Option<u64>,
    table: &Table,
    searches: &mut Searches,
    mut mark: impl FnMut(u64, usize),
) -> Option<usize> {
    let rule = table.of(facts.kind).pattern.iter().find(|rule| rule.pattern == Pattern::RandStream)?;
    let place = rule.place;
    if !facts.traits.has(rule.of) || facts.lacks.any_of(rule.needs) || !rules::may_be_stream(facts) {
        return None;
    }
    let stream = evidence.stream.get_or_insert_with(|| Box::new(RandStream::new(facts)));
    stream.see(facts, row, || searches.allow(), |earlier| mark(earlier, place)).then_some(place)
}

/// What searches for streams may cost: a flood of sources must not buy one each.
#[derive(Debug)]
pub(crate) struct Searches {
    credit: u64,
}

impl Searches {
    /// Ten to begin with; one more for every [`rand_stream::COST`] packets, ten at most saved up.
    const MOST: u64 = 10 * rand_stream::COST;

    pub(crate) fn new() -> Self {
        Self { credit: Self::MOST }
    }

    /// Counts a packet.
    #[inline]
    pub(crate) fn earn(&mut self) {
        self.credit = (self.credit + 1).min(Self::MOST);
    }

    fn allow(&mut self) -> bool {
        let left = self.credit.checked_sub(rand_stream::COST);
        self.credit = left.unwrap_or(self.credit);
        left.is_some()
    }
}

fn see_pattern(evidence: &mut Evidence, pattern: Pattern, facts: &Facts, found: &Found, table: &Table) {
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
                evidence.pool.see(target);
            }
        }
        // Looked for elsewhere: by its clock, over all sources, and when it is asked.
        Pattern::RandStream | Pattern::Moved | Pattern::SamePort => {}
        Pattern::StartPort => {
            if !found.hits.and(table.masscan).is_empty() {
                evidence.ports.see(facts.sport);
            }
        }
    }
}

/// What was found of a source when a packet of it was announced.
struct Guess {
    address: IpAddr,
    hash: u64,
    /// Its place, or [`NONE`].
    place: u32,
}

/// All sources that are remembered.
pub(crate) struct Sources {
    slots: Vec<Source>,
    index: HashTable<u32>,
    hasher: RandomState,
    limit: usize,
    /// Sources with packets that wait for a verdict.
    busy: usize,
    /// Where room is looked for next: round and round, past sources that sent something since the last round.
    hand: usize,
    /// The source whose last waiting packet had its verdict last.
    freed: u32,
    /// The sources of the packets that were announced, and how many of those packets have come.
    guesses: Vec<Guess>,
    guessed: usize,
}

impl Sources {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            slots: Vec::new(),
            index: HashTable::new(),
            hasher: RandomState::default(),
            // Places are numbers of 32 bits, one of which means none.
            limit: limit.clamp(1, NONE as usize - 1),
            busy: 0,
            hand: 0,
            freed: 0,
            guesses: Vec::new(),
            guessed: 0,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, place: u32) -> &mut Source {
        &mut self.slots[place as usize]
    }

    /// Looks the sources of these packets up, and reads what is known of them for its place in memory only.
    pub(crate) fn warm(&mut self, packets: &[Packet]) {
        let mut guesses = std::mem::take(&mut self.guesses);
        guesses.clear();
        guesses.extend(packets.iter().map(|packet| {
            let (address, hash) = (packet.src(), self.hash(packet.src()));
            Guess { address, hash, place: NONE }
        }));
        // Nothing but the look-ups in one loop: the shorter the way from one to the next, the more of them wait for memory
        // at a time.
        for guess in &mut guesses {
            guess.place = self.find(guess.address, guess.hash).unwrap_or(NONE);
        }
        self.warm_places(guesses.iter().map(|guess| guess.place));
        self.guesses = guesses;
        self.guessed = 0;
    }

    /// Reads, for its place in memory only, what is known of the sources at these places.
    pub(crate) fn warm_places(&self, places: impl Iterator<Item = u32>) {
        let sum = places.filter_map(|place| self.slots.get(place as usize)).fold(0, |sum, source| {
            sum ^ source.held ^ source.last.nanos() as u32 ^ source.evidence().map_or(0, Evidence::warm)
        });
        std::hint::black_box(sum);
    }

    /// Notes that a packet of the source waits for its verdict.
    #[inline]
    pub(crate) fn hold(&mut self, place: u32) {
        let source = &mut self.slots[place as usize];
        self.busy += usize::from(source.held == 0);
        source.held += 1;
    }

    /// Notes that a packet of the source waits no longer.
    #[inline]
    pub(crate) fn release(&mut self, place: u32) -> &Source {
        let source = &mut self.slots[place as usize];
        source.held -= 1;
        if source.held == 0 {
            self.busy -= 1;
            self.freed = place;
        }
        &self.slots[place as usize]
    }

    /// Whether a source would have to go for this one, while packets of every source wait for their verdict.
    #[inline]
    pub(crate) fn is_blocked(&self, address: IpAddr) -> bool {
        self.busy >= self.limit && self.find(address, self.hash(address)).is_none()
    }

    /// The hash of an address. As a number of 128 bits it takes one step of the hasher; as the enumeration that it is,
    /// three. An address of IPv4 shares its hash with one of IPv6 that nobody routes (RFC 4291 §2.5.5.2).
    #[inline]
    fn hash(&self, address: IpAddr) -> u64 {
        self.hasher.hash_one(match address {
            IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
            IpAddr::V6(address) => address.to_bits(),
        })
    }

    #[inline]
    fn find(&self, address: IpAddr, hash: u64) -> Option<u32> {
        self.index.find(hash, |place| self.slots[*place as usize].address == address).copied()
    }

    /// The hash of the next packet's source, and its place where it is known.
    #[inline]
    fn look_up(&mut self, address: IpAddr) -> (u64, Option<u32>) {
        let guess = self.guesses.get(self.guessed).filter(|guess| guess.address == address);
        self.guessed += 1;
        match guess {
            // A source that was found when its packet was announced may have gone since, and one that was not may have come.
            Some(guess)
                if self.slots.get(guess.place as usize).is_some_and(|source| source.address == address) =>
            {
                (guess.hash, Some(guess.place))
            }
            Some(guess) => (guess.hash, self.find(address, guess.hash)),
            None => {
                let hash = self.hash(address);
                (hash, self.find(address, hash))
            }
        }
    }

    /// The place of a source that has just sent a packet. Where there is no room, one that was silent of late goes, and
    /// is counted.
    #[inline]
    pub(crate) fn place(&mut self, address: IpAddr, ts: Ts, forgotten: &mut u64) -> u32 {
        let (hash, known) = self.look_up(address);
        let place = known.unwrap_or_else(|| self.insert(address, hash, forgotten));
        let source = &mut self.slots[place as usize];
        if source.held == 0 && !source.frozen && ts.since(source.last) > FORGET && source.last > Ts::MIN {
            *source = Source::new(address);
        }
        source.lively = true;
        source.last = source.last.max(ts);
        place
    }

    fn insert(&mut self, address: IpAddr, hash: u64, forgotten: &mut u64) -> u32 {
        let place = if self.slots.len() < self.limit {
            self.slots.push(Source::new(address));
            self.slots.len() as u32 - 1
        } else {
            *forgotten += 1;
            let place = self.silent();
            let old = self.hash(self.slots[place as usize].address);
            if let Ok(entry) = self.index.find_entry(old, |other| *other == place) {
                entry.remove();
            }
            self.slots[place as usize] = Source::new(address);
            place
        };
        let mut index = std::mem::take(&mut self.index);
        index.insert_unique(hash, place, |place| self.hash(self.slots[*place as usize].address));
        self.index = index;
        place
    }

    /// A source that has sent nothing since the last round and waits for nothing. There is one: not all are busy.
    fn silent(&mut self) -> u32 {
        // In a flood nearly all are busy, and the way round to one that is not would be as long as the table.
        let crowded = self.busy > self.slots.len() / 8 * 7;
        if crowded && self.slots[self.freed as usize].held == 0 {
            return self.freed;
        }
        loop {
            let place = self.hand;
            self.hand = (self.hand + 1) % self.slots.len();
            let source = &mut self.slots[place];
            if source.held == 0 && !std::mem::take(&mut source.lively) {
                return place as u32;
            }
        }
    }

    /// Ends the counting for all sources that are known now.
    pub(crate) fn freeze(&mut self) {
        for source in &mut self.slots {
            source.frozen = true;
            if let Seen::Several(evidence) = &mut source.seen {
                evidence.rewind();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(i: u32) -> IpAddr {
        IpAddr::V4(i.into())
    }

    /// Where all but one are busy, that one goes, and nothing is searched.
    #[test]
    fn a_flood_does_not_go_round() {
        let mut sources = Sources::new(1000);
        let mut forgotten = 0;
        for i in 0..5000 {
            if i >= 1000 {
                sources.release(i % 1000);
            }
            let place = sources.place(address(i), Ts::from_nanos(i.into()), &mut forgotten);
            assert_eq!((place, sources.hand), (i % 1000, 0));
            sources.hold(place);
        }
        assert_eq!(forgotten, 4000);
    }

    /// Sources that go on sending outlive a flood of sources of one packet.
    #[test]
    fn the_silent_go() {
        let mut sources = Sources::new(1000);
        let mut forgotten = 0;
        for now in 0..100_000u32 {
            let ts = Ts::from_nanos(now.into());
            sources.place(address(1_000_000 + now), ts, &mut forgotten);
            let steady = sources.place(address(now % 100), ts, &mut forgotten);
            assert_eq!(sources.get_mut(steady).address, address(now % 100));
            assert!(now < 100 || sources.slots[steady as usize].first_second == 0);
            sources.slots[steady as usize].first_second = 0;
        }
        assert_eq!((sources.slots.len(), sources.index.len()), (1000, 1000));
        assert_eq!(forgotten, 100_100 - 1000, "none of the steady sources was forgotten");
    }

    #[test]
    fn a_source_with_packets_waiting_stays() {
        let mut sources = Sources::new(1);
        let place = sources.place(address(1), Ts::from_nanos(0), &mut 0);
        assert!(!sources.is_blocked(address(2)));
        sources.hold(place);
        assert!(sources.is_blocked(address(2)));
        assert!(!sources.is_blocked(address(1)));
        sources.release(place);
        assert!(!sources.is_blocked(address(2)));
    }

    #[test]
    fn an_hour_of_silence_makes_a_new_source() {
        let mut sources = Sources::new(10);
        let at = |seconds: i64| Ts::from_nanos(seconds * 1_000_000_000);
        let place = sources.place(address(1), at(0), &mut 0);
        sources.get_mut(place).first_second = 7;
        sources.place(address(1), at(3600), &mut 0);
        assert_eq!(sources.get_mut(place).first_second, 7);
        sources.place(address(1), at(7201), &mut 0);
        assert_eq!(sources.get_mut(place).first_second, 0);
    }
}
