//! Random numbers of the GNU C library, told by the seconds they were seeded with.

use crate::packet::{Facts, Kind};

/// `random()` as seeded by `srandom()`: the additive feedback generator of 31 words (glibc, stdlib/random_r.c, TYPE_3).
#[derive(Clone, Debug)]
struct Random {
    words: [u32; 31],
    at: usize,
}

impl Random {
    fn new(seed: u32) -> Self {
        let mut words = [0; 31];
        // A multiplicative congruential generator modulo 2^31 - 1 fills the words.
        let mut word = i64::from(seed.max(1) as i32);
        for place in &mut words {
            *place = word as u32;
            word = word * 16_807 % 2_147_483_647;
            if word < 0 {
                word += 2_147_483_647;
            }
        }
        // The first word to change is the fourth.
        let mut random = Self { words, at: 3 };
        for _ in 0..310 {
            random.draw();
        }
        random
    }

    /// The next of 31 bits.
    #[inline]
    fn draw(&mut self) -> u32 {
        // The word of 31 draws ago stands here, the one of 3 draws ago 28 places on.
        let other = self.words[(self.at + 28) % 31];
        let word = self.words[self.at].wrapping_add(other);
        self.words[self.at] = word;
        self.at = (self.at + 1) % 31;
        word >> 1
    }
}

/// How long before the first packet of the source the program may have been started, in seconds.
const BEFORE: i64 = 60;
/// How many packets may have gone elsewhere before the first that was seen.
const UNSEEN: u32 = 1024;
/// How many packets of a stream under way may have gone elsewhere between two that were seen, and after how many in a
/// row that are not of it the stream is over: together they bound what a packet can cost.
const AHEAD: u32 = 512;
const MISSES: u32 = 64;
/// What a search is allowed to cost, in packets that the engine must have seen for it: a search takes about as long as
/// 20,000 packets.
pub(crate) const COST: u64 = 20_000;

/// hping3's first draw makes the source port.
const BASE_PORT: u32 = 1024;
const BASE_RANGE: u32 = 2000;

/// What of a packet was drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawn {
    udp: bool,
    sport: u16,
    seq: u32,
    ack: u32,
    id: u16,
}

impl Drawn {
    fn of(facts: &Facts) -> Self {
        let Facts { sport, seq, ack, id, .. } = *facts;
        Self { udp: facts.kind == Kind::Udp4, sport, seq, ack, id }
    }

    /// The same packet once more.
    fn is_copy(&self, other: &Self) -> bool {
        let fields = |p: &Self| (p.udp, p.sport, p.seq, p.ack, p.id);
        fields(self) == fields(other)
    }
}

/// One of the first packets, with the rows that wait for a verdict on it or on copies of it.
#[derive(Debug)]
pub(crate) struct Waiting {
    drawn: Drawn,
    rows: Vec<u64>,
}

/// Copies of one packet whose rows are remembered.
const COPIES: usize = 16;

/// A source's packets on the way to being recognised as such a stream.
#[derive(Debug)]
pub(crate) enum RandStream {
    /// The first packets, until there are enough to search by.
    Gathering { first_second: i64, packets: Vec<Waiting> },
    /// The seed is known.
    Found(Box<Found>),
    /// There is none.
    None,
}

/// A stream whose seed is known.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    start: u32,
    base: u16,
    random: Random,
    /// Packets of the stream drawn so far.
    packets: u32,
    udp: bool,
    /// Packets in a row that were not of it.
    misses: u32,
    /// The last packet that was held against it.
    last: Drawn,
}

/// Packets needed for a search.
const ENOUGH: usize = 3;

impl RandStream {
    pub(crate) fn new(facts: &Facts) -> Self {
        Self::Gathering { first_second: facts.ts.seconds(), packets: Vec::new() }
    }

    /// The second of the start, where it is known.
    pub(crate) fn start(&self) -> Option<u32> {
        if let Self::Found(found) = self { Some(found.start) } else { None }
    }

    /// Takes a packet in and returns whether it is of the stream. A search is made only if `allowed` says so when asked;
    /// `mark` is told of earlier rows that turn out to be of the stream.
    pub(crate) fn see(
        &mut self,
        facts: &Facts,
        row: Option<u64>,
        allowed: impl FnOnce() -> bool,
        mut mark: impl FnMut(u64),
    ) -> bool {
        let packet = Drawn::of(facts);
        let (first_second, packets) = match self {
            Self::None => return false,
            Self::Found(found) => {
                let holds = found.follows(&packet);
                if found.misses > MISSES {
                    *self = Self::None;
                }
                return holds;
            }
            Self::Gathering { first_second, packets } => (*first_second, packets),
        };
        match packets.last_mut() {
            Some(last) if last.drawn.is_copy(&packet) => {
                last.rows.extend(row.filter(|_| last.rows.len() < COPIES));
                return false;
            }
            Some(last) if !may_follow(&last.drawn, &packet) => packets.clear(),
            _ => {}
        }
        packets.push(Waiting { drawn: packet, rows: row.into_iter().collect() });
        if packets.len() < ENOUGH {
            return false;
        }
        if !allowed() {
            packets.remove(0);
            return false;
        }
        let last_second = facts.ts.seconds();
        match search(first_second.min(last_second), last_second, packets) {
            Some(found) => {
                packets.iter().flat_map(|earlier| &earlier.rows).for_each(|row| mark(*row));
                *self = Self::Found(Box::new(found));
                true
            }
            None => {
                *self = Self::None;
                false
            }
        }
    }

    /// Goes back to the beginning, for a second pass over the same packets; nothing new is looked for.
    pub(crate) fn rewind(&mut self) {
        match self {
            Self::Found(found) => {
                found.random = Random::new(found.start);
                found.random.draw();
                (found.packets, found.misses) = (0, 0);
            }
            Self::Gathering { .. } | Self::None => *self = Self::None,
        }
    }
}

/// The port stays or counts up.
fn may_follow(earlier: &Drawn, later: &Drawn) -> bool {
    if earlier.udp != later.udp {
        return false;
    }
    let step = later.sport.wrapping_sub(earlier.sport);
    if earlier.udp { (1..=64).contains(&step) } else { u32::from(step) <= UNSEEN }
}

/// The stream of these packets, from the last start that fits.
fn search(first: i64, last: i64, packets: &[Waiting]) -> Option<Found> {
    let Drawn { sport, udp, .. } = packets.first()?.drawn;
    let newest = packets.last()?.drawn;
    let earliest = first.saturating_sub(BEFORE);
    let seconds = (earliest..=last.min(first.saturating_add(BEFORE))).rev();
    seconds.filter_map(|second| u32::try_from(second).ok()).find_map(|start| {
        let mut random = Random::new(start);
        let base = (BASE_PORT + random.draw() % BASE_RANGE) as u16;
        let unseen = sport.checked_sub(base)?;
        if u32::from(unseen) > UNSEEN {
            return None;
        }
        let mut found = Found { start, base, random, packets: 0, udp, misses: 0, last: newest };
        packets.iter().all(|packet| found.holds(&packet.drawn, UNSEEN)).then_some(found)
    })
}

impl Found {
    /// Takes the next packet of the source in and returns whether it is of the stream.
    fn follows(&mut self, packet: &Drawn) -> bool {
        if self.misses == 0 && self.last.is_copy(packet) {
            return true;
        }
        self.last = *packet;
        let holds = self.holds(packet, if self.packets == 0 { UNSEEN } else { AHEAD });
        self.misses = if holds { 0 } else { self.misses + 1 };
        holds
    }

    /// Whether the packet is the stream's next, or one of those behind it.
    fn holds(&mut self, packet: &Drawn, reach: u32) -> bool {
        if packet.udp != self.udp {
            return false;
        }
        let Some(number) = packet.sport.checked_sub(self.base).map(u32::from) else { return false };
        let counts = number >= self.packets && number - self.packets <= reach;
        let mut ahead = self.clone();
        if counts {
            ahead.skip_to(number);
            if ahead.draws(packet) {
                *self = ahead;
                return true;
            }
        }
        // The port stays (-k, --scan): the next of the stream that fits.
        number == 0 && !self.udp && self.seek(packet, reach)
    }

    fn skip_to(&mut self, number: u32) {
        while self.packets < number {
            for _ in 0..if self.udp { 1 } else { 3 } {
                self.random.draw();
            }
            self.packets += 1;
        }
    }

    /// Draws one packet and compares.
    fn draws(&mut self, packet: &Drawn) -> bool {
        self.packets += 1;
        if self.udp {
            return self.random.draw() as u16 == packet.id;
        }
        let (seq, ack, id) = (self.random.draw(), self.random.draw(), self.random.draw() as u16);
        (seq, ack, id) == (packet.seq, packet.ack, packet.id)
    }

    fn seek(&mut self, packet: &Drawn, reach: u32) -> bool {
        let mut ahead = self.clone();
        for _ in 0..reach {
            if ahead.draws(packet) {
                *self = ahead;
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first values of glibc's random() after srandom(1), as its manual page's readers know them.
    #[test]
    fn is_the_c_librarys() {
        let mut random = Random::new(1);
        let drawn: Vec<u32> = (0..5).map(|_| random.draw()).collect();
        assert_eq!(drawn, [1_804_289_383, 846_930_886, 1_681_692_777, 1_714_636_915, 1_957_747_793]);
    }
}
