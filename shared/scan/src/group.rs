//! Probes to sessions.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::time::Duration;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use probeline_record::{Proto, Ts};

use crate::distinct::{Counts, Distinct};
use crate::names::{ClosedBy, Geometry};
use crate::reorder::Reorder;
use crate::ring::{Handle, Ring};

/// When a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// This long after its first probe.
    Anchored(Duration),
    /// At the next multiple of this since the epoch.
    Aligned(Duration),
    /// After this long without a probe, or at this age.
    Gap {
        /// The longest silence inside a session.
        gap: Duration,
        /// The age at which an endless session is cut.
        max_age: Duration,
    },
}

/// A probe to be grouped.
#[derive(Clone, Copy, Debug)]
pub struct NewProbe<'a> {
    /// Time of its first packet.
    pub ts: Ts,
    /// Digits behind the point that its time came with, 6 or 9.
    pub ts_digits: u8,
    /// What it is grouped by: any bytes; equal bytes are one key.
    pub key: &'a [u8],
    /// Its protocol, which belongs to the key.
    pub proto: Proto,
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// Destination port, where there is one.
    pub dst_port: Option<u16>,
    /// Technique by name; empty for none.
    pub technique: &'a [u8],
    /// Tool by name; empty for none.
    pub tool: &'a [u8],
    /// Packets of the probe.
    pub packets: u64,
    /// Their octets.
    pub bytes: u64,
}

/// The probes of one key and protocol inside one window.
#[derive(Clone, Debug)]
pub struct Session<'a> {
    /// The key as it was given.
    pub key: &'a [u8],
    /// Protocol.
    pub proto: Proto,
    /// Time of the first probe.
    pub start: Ts,
    /// Time of the last probe.
    pub end: Ts,
    /// Digits behind the point that the times came with, 6 or 9.
    pub ts_digits: u8,
    /// The most frequent technique, the alphabetically first of several; empty for none.
    pub technique: &'a [u8],
    /// The most frequent tool, likewise.
    pub tool: &'a [u8],
    /// Number of probes.
    pub probes: u64,
    /// Their packets.
    pub packets: u64,
    /// Their octets.
    pub bytes: u64,
    /// Distinct source addresses.
    pub srcs: u64,
    /// Distinct destination addresses.
    pub dsts: u64,
    /// Distinct destination ports.
    pub ports: u64,
    /// Largest number of destinations on one port, and the lowest such port.
    pub horizontal: (u64, Option<u16>),
    /// Largest number of ports of one destination, and the lowest such address.
    pub vertical: (u64, IpAddr),
    /// Why it ended.
    pub closed_by: ClosedBy,
}

impl Session<'_> {
    /// The shape of the session.
    pub fn geometry(&self) -> Geometry {
        match (self.dsts > 1, self.ports > 1) {
            (false, false) => Geometry::Point,
            (true, false) => Geometry::Horizontal,
            (false, true) => Geometry::Vertical,
            (true, true) => Geometry::Block,
        }
    }
}

/// A probe held back until its turn, its texts stored.
#[derive(Debug)]
struct Held {
    ts: Ts,
    ts_digits: u8,
    key: Handle,
    proto: Proto,
    src: IpAddr,
    /// Destination and port; -1 for none, so that it comes before port 0.
    target: (IpAddr, i32),
    technique: u16,
    tool: u16,
    packets: u64,
    bytes: u64,
}

/// A session's number with the hash of its key.
struct Entry {
    hash: u64,
    number: u64,
}

/// One session while it can grow.
struct Open {
    key: Handle,
    hash: u64,
    proto: Proto,
    start: Ts,
    end: Ts,
    ts_digits: u8,
    probes: u64,
    packets: u64,
    bytes: u64,
    srcs: Distinct<IpAddr>,
    targets: Distinct<(IpAddr, i32)>,
    techniques: Counts<u16>,
    tools: Counts<u16>,
    /// Whether a later session of the same key has begun.
    superseded: bool,
}

/// Turns probes, in order of time, into sessions, in order of their first probes.
pub struct Grouper {
    window: Window,
    sessions: VecDeque<Open>,
    front: u64,
    table: HashTable<Entry>,
    hasher: RandomState,
    keys: Ring,
    words: Words,
    waiting: Reorder<Held>,
    now: Ts,
}

/// The most probes held back to put them in order.
const MAX_HELD: usize = 1 << 20;

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

impl Window {
    /// Whether a session with these times can take no probe of time `now` any more.
    #[inline]
    fn is_over(self, start: Ts, end: Ts, now: Ts) -> bool {
        match self {
            Self::Anchored(window) => now.since(start) >= nanos(window),
            Self::Aligned(window) => {
                let window = nanos(window);
                now.nanos().div_euclid(window) > start.nanos().div_euclid(window)
            }
            Self::Gap { gap, max_age } => now.since(end) > nanos(gap) || now.since(start) >= nanos(max_age),
        }
    }

    /// Which limit a session that is over reached first.
    fn closed_by(self, start: Ts, end: Ts) -> ClosedBy {
        match self {
            Self::Anchored(_) | Self::Aligned(_) => ClosedBy::Window,
            Self::Gap { gap, max_age } if end.plus(gap) < start.plus(max_age) => ClosedBy::Gap,
            Self::Gap { .. } => ClosedBy::MaxAge,
        }
    }
}

impl Open {
    fn new(probe: &Held, hash: u64) -> Self {
        Self {
            key: probe.key,
            hash,
            proto: probe.proto,
            start: probe.ts,
            end: probe.ts,
            ts_digits: probe.ts_digits,
            probes: 1,
            packets: probe.packets,
            bytes: probe.bytes,
            srcs: Distinct::new(probe.src),
            targets: Distinct::new(probe.target),
            techniques: Counts::new(probe.technique),
            tools: Counts::new(probe.tool),
            superseded: false,
        }
    }

    fn add(&mut self, probe: &Held) {
        self.end = self.end.max(probe.ts);
        self.probes += 1;
        self.packets += probe.packets;
        self.bytes += probe.bytes;
        self.srcs.insert(probe.src);
        self.targets.insert(probe.target);
        self.techniques.add(probe.technique);
        self.tools.add(probe.tool);
    }
}

impl Grouper {
    /// A grouper that has seen nothing, for probes that come out of order by up to `reorder`.
    pub fn new(window: Window, reorder: Duration) -> Self {
        Self {
            window,
            waiting: Reorder::new(reorder, MAX_HELD),
            sessions: VecDeque::new(),
            front: 0,
            table: HashTable::new(),
            hasher: RandomState::default(),
            keys: Ring::default(),
            words: Words::default(),
            now: Ts::MIN,
        }
    }

    /// Takes the next probe. Sessions that can no longer grow go to `emit`.
    ///
    /// # Errors
    /// What `emit` returns.
    pub fn push<E>(
        &mut self,
        probe: &NewProbe<'_>,
        emit: &mut impl FnMut(Session<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let held = Held {
            ts: probe.ts,
            ts_digits: probe.ts_digits,
            key: self.keys.push(probe.key),
            proto: probe.proto,
            src: probe.src,
            target: (probe.dst, probe.dst_port.map_or(-1, i32::from)),
            technique: self.words.number(probe.technique),
            tool: self.words.number(probe.tool),
            packets: probe.packets,
            bytes: probe.bytes,
        };
        if let Err(late) = self.waiting.push(probe.ts, held) {
            self.keys.release(late.key);
        }
        while let Some(held) = self.waiting.pop() {
            self.take(&held, emit)?;
        }
        Ok(())
    }

    /// Hands out every session that is left: the input has ended.
    ///
    /// # Errors
    /// What `emit` returns.
    pub fn finish<E>(&mut self, emit: &mut impl FnMut(Session<'_>) -> Result<(), E>) -> Result<(), E> {
        while let Some(held) = self.waiting.pop_any() {
            self.take(&held, emit)?;
        }
        while !self.sessions.is_empty() {
            self.emit_front(emit)?;
        }
        Ok(())
    }

    /// Probes that came too late to be put in order.
    pub fn late(&self) -> u64 {
        self.waiting.late()
    }

    /// The next probe in order of time.
    fn take<E>(
        &mut self,
        probe: &Held,
        emit: &mut impl FnMut(Session<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.now = probe.ts;
        while self
            .sessions
            .front()
            .is_some_and(|s| s.superseded || self.window.is_over(s.start, s.end, self.now))
        {
            self.emit_front(emit)?;
        }
        let hash = self.hash(self.keys.get(probe.key), probe.proto);
        let (sessions, front, keys) = (&self.sessions, self.front, &self.keys);
        let found = self.table.find_entry(hash, |entry| {
            let session = &sessions[(entry.number - front) as usize];
            entry.hash == hash && session.proto == probe.proto && keys.get(session.key) == keys.get(probe.key)
        });
        if let Ok(entry) = found {
            let session = &mut self.sessions[(entry.get().number - front) as usize];
            if !self.window.is_over(session.start, session.end, probe.ts) {
                session.add(probe);
                self.keys.release(probe.key);
                return Ok(());
            }
            session.superseded = true;
            entry.remove();
        }
        let number = self.front + self.sessions.len() as u64;
        self.sessions.push_back(Open::new(probe, hash));
        self.table.insert_unique(hash, Entry { hash, number }, |entry| entry.hash);
        Ok(())
    }

    fn hash(&self, key: &[u8], proto: Proto) -> u64 {
        self.hasher.hash_one((key, proto))
    }

    fn emit_front<E>(&mut self, emit: &mut impl FnMut(Session<'_>) -> Result<(), E>) -> Result<(), E> {
        let Some(mut open) = self.sessions.pop_front() else { return Ok(()) };
        let number = self.front;
        if let Ok(entry) = self.table.find_entry(open.hash, |entry| entry.number == number) {
            entry.remove();
        }
        self.front += 1;
        let over = open.superseded || self.window.is_over(open.start, open.end, self.now);
        let closed_by = if over { self.window.closed_by(open.start, open.end) } else { ClosedBy::Eof };
        let sizes = Sizes::of(&mut open.targets);
        let session = Session {
            key: self.keys.get(open.key),
            proto: open.proto,
            start: open.start,
            end: open.end,
            ts_digits: open.ts_digits,
            technique: self.words.most_frequent(&open.techniques),
            tool: self.words.most_frequent(&open.tools),
            probes: open.probes,
            packets: open.packets,
            bytes: open.bytes,
            srcs: open.srcs.count(),
            dsts: sizes.dsts,
            ports: sizes.ports,
            horizontal: sizes.horizontal,
            vertical: sizes.vertical,
            closed_by,
        };
        let emitted = emit(session);
        self.keys.release(open.key);
        emitted
    }
}

struct Sizes {
    dsts: u64,
    ports: u64,
    horizontal: (u64, Option<u16>),
    vertical: (u64, IpAddr),
}

impl Sizes {
    fn of(targets: &mut Distinct<(IpAddr, i32)>) -> Self {
        let mut pairs = targets.sorted();
        // No destination address is smaller than this one, so it stands only until the first run is counted.
        let mut vertical = (0, pairs[0].0);
        let mut dsts = 0;
        for run in pairs.chunk_by(|a, b| a.0 == b.0) {
            dsts += 1;
            let ports = run.iter().filter(|(_, port)| *port >= 0).count() as u64;
            if ports > vertical.0 {
                vertical = (ports, run[0].0);
            }
        }
        pairs.sort_unstable_by_key(|(dst, port)| (*port, *dst));
        let mut ports = 0;
        let mut horizontal = (0, None);
        for run in pairs.chunk_by(|a, b| a.1 == b.1) {
            let port = u16::try_from(run[0].1).ok();
            ports += u64::from(port.is_some());
            if run.len() as u64 > horizontal.0 {
                horizontal = (run.len() as u64, port);
            }
        }
        Self { dsts, ports, horizontal, vertical }
    }
}

/// The words of the technique and tool columns, by number.
#[derive(Default)]
struct Words(Vec<Box<[u8]>>);

/// Number of the empty word, and of every word beyond the limit.
const NO_WORD: u16 = u16::MAX;

/// More distinct words than any honest column has; a hostile one stops growing here.
const MAX_WORDS: usize = 4096;

impl Words {
    #[inline]
    fn number(&mut self, word: &[u8]) -> u16 {
        if word.is_empty() {
            return NO_WORD;
        }
        if let Some(at) = self.0.iter().position(|known| **known == *word) {
            return at as u16;
        }
        if self.0.len() == MAX_WORDS {
            return NO_WORD;
        }
        self.0.push(word.into());
        self.0.len() as u16 - 1
    }

    fn most_frequent(&self, counts: &Counts<u16>) -> &[u8] {
        counts
            .iter()
            .filter_map(|(number, count)| self.0.get(usize::from(number)).map(|word| (&**word, count)))
            .min_by_key(|(word, count)| (std::cmp::Reverse(*count), *word))
            .map_or(b"", |(word, _)| word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (i64, i64, u64, u64, u64, (u64, Option<u16>), ClosedBy);

    fn group(window: Window, probes: &[(i64, &str, &str, Option<u16>)]) -> Vec<Row> {
        let mut grouper = Grouper::new(window, Duration::from_secs(5));
        let mut out: Vec<Row> = Vec::new();
        let mut emit = |s: Session<'_>| -> Result<(), ()> {
            out.push((
                s.start.seconds(),
                s.end.seconds(),
                s.probes,
                s.dsts,
                s.ports,
                s.horizontal,
                s.closed_by,
            ));
            Ok(())
        };
        for (seconds, key, dst, port) in probes {
            let probe = NewProbe {
                ts: Ts::from_nanos(seconds * 1_000_000_000),
                ts_digits: 6,
                key: key.as_bytes(),
                proto: Proto::TCP,
                src: "198.51.100.1".parse().unwrap(),
                dst: dst.parse().unwrap(),
                dst_port: *port,
                technique: b"syn",
                tool: b"",
                packets: 1,
                bytes: 40,
            };
            grouper.push(&probe, &mut emit).unwrap();
        }
        grouper.finish(&mut emit).unwrap();
        out
    }

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn an_anchored_window_ends_exactly() {
        let (a, b) = ("192.0.2.1", "192.0.2.2");
        let rows = group(
            Window::Anchored(300 * S),
            &[(0, "x", a, Some(80)), (299, "x", b, Some(80)), (300, "x", a, Some(81)), (301, "y", a, None)],
        );
        assert_eq!(
            rows,
            [
                (0, 299, 2, 2, 1, (2, Some(80)), ClosedBy::Window),
                (300, 300, 1, 1, 1, (1, Some(81)), ClosedBy::Eof),
                (301, 301, 1, 1, 0, (1, None), ClosedBy::Eof),
            ]
        );
    }

    #[test]
    fn a_gap_never_hides_inside() {
        let a = "192.0.2.1";
        let window = Window::Gap { gap: 10 * S, max_age: 25 * S };
        let at = |t| (t, "x", a, Some(1));
        let rows = group(window, &[at(0), at(10), at(20), at(25), at(36)]);
        let times: Vec<_> = rows.iter().map(|r| (r.0, r.1, r.6)).collect();
        assert_eq!(times, [(0, 20, ClosedBy::MaxAge), (25, 25, ClosedBy::Gap), (36, 36, ClosedBy::Eof)]);
    }

    #[test]
    fn aligned_windows_start_at_multiples() {
        let a = "192.0.2.1";
        let rows =
            group(Window::Aligned(100 * S), &[(99, "x", a, None), (100, "x", a, None), (199, "x", a, None)]);
        let times: Vec<_> = rows.iter().map(|r| (r.0, r.1, r.2)).collect();
        assert_eq!(times, [(99, 99, 1), (100, 199, 2)]);
    }
}
