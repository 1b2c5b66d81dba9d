//! Probes to sessions.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use probeline_record::{Proto, Ts};
use serde::{Deserialize, Serialize};

use crate::burst::Burst;
use crate::distinct::{Counts, Distinct};
use crate::keep::{Key, Keys};
use crate::names::{ClosedBy, Geometry};
use crate::reorder::{Reorder, Waiting};
use crate::sizes::{Sizes, Target};
use crate::sketch::{Addresses, Targets};
use crate::units::{Part, Parts, Unit, Weight};
use crate::wire;
use crate::words::Words;

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

/// What a grouper counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupOptions {
    /// When a session ends.
    pub window: Window,
    /// How far out of order probes may come.
    pub reorder: Duration,
    /// Whether sessions can be asked for their units: costs 104 bytes per distinct source, target, technique and tool.
    pub units: bool,
    /// Whether to count by sketches what is too many to hold.
    pub approximate: bool,
    /// Whether to look for the busiest minute.
    pub bursts: bool,
}

impl GroupOptions {
    /// Exact counts of whole sessions.
    pub fn new(window: Window, reorder: Duration) -> Self {
        Self { window, reorder, units: false, approximate: false, bursts: false }
    }
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

/// The probes of one key and protocol inside one window, or one [`Unit`] of them.
#[derive(Clone, Copy, Debug)]
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
    /// Probes with that technique.
    pub technique_probes: u64,
    /// The most frequent tool, likewise.
    pub tool: &'a [u8],
    /// Probes with that tool.
    pub tool_probes: u64,
    /// Number of probes.
    pub probes: u64,
    /// Probes that were marked when they were pushed; of the whole session in each of its units.
    pub marked: u64,
    /// Their packets; a row may claim any number of them, so the sum saturates.
    pub packets: u64,
    /// Their octets, likewise.
    pub bytes: u64,
    /// Distinct source addresses.
    pub srcs: u64,
    /// Distinct destination addresses.
    pub dsts: u64,
    /// Distinct destination ports.
    pub ports: u64,
    /// Distinct pairs of destination address and port, an absent port being one.
    pub targets: u64,
    /// Largest number of destinations on one port, and the lowest such port, a numbered one before an absent one.
    pub horizontal: (u64, Option<u16>),
    /// Largest number of numbered ports of one destination, and the lowest such address.
    pub vertical: (u64, IpAddr),
    /// The most packets in 60 seconds, where asked for; else 0. Of the whole session in each of its units.
    pub burst: u64,
    /// Whether counts are estimates.
    pub approximate: bool,
    /// Why it ended.
    pub closed_by: ClosedBy,
    parts: &'a [(Part, Weight)],
    words: &'a Words,
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

    /// The session's units, by port or address: each a session of what is its own, with the times, marks and burst of
    /// the whole. A grouper that was not asked for units has none to give but the session.
    pub fn units(&self, unit: Unit) -> Vec<Self> {
        if unit == Unit::Session || self.parts.is_empty() {
            return vec![*self];
        }
        let mut parts = self.parts.to_vec();
        if unit == Unit::Horizontal {
            parts.sort_unstable_by_key(|(part, _)| (part.target.1, *part));
        }
        parts.chunk_by(|(a, _), (b, _)| unit.joins(a, b)).filter_map(|run| self.unit(run)).collect()
    }

    /// What these parts, sorted by address or by port, say of themselves.
    fn unit(&self, parts: &[(Part, Weight)]) -> Option<Self> {
        let mut sum = Weight::default();
        let (first, _) = parts.first()?;
        let mut techniques = Counts::new(first.technique, 0);
        let mut tools = Counts::new(first.tool, 0);
        let mut srcs = Distinct::new(first.src);
        let mut targets = Distinct::new(first.target);
        for (part, weight) in parts {
            sum.add(*weight);
            techniques.add(part.technique, weight.probes);
            tools.add(part.tool, weight.probes);
            srcs.insert(part.src);
            targets.insert(part.target);
        }
        let sizes = Sizes::of(&mut targets);
        let (technique, technique_probes) = self.words.most_frequent(&techniques);
        let (tool, tool_probes) = self.words.most_frequent(&tools);
        Some(Self {
            technique,
            technique_probes,
            tool,
            tool_probes,
            probes: sum.probes,
            packets: sum.packets,
            bytes: sum.bytes,
            srcs: srcs.count(),
            dsts: sizes.dsts,
            ports: sizes.ports,
            targets: sizes.targets,
            horizontal: sizes.horizontal,
            vertical: sizes.vertical,
            approximate: false,
            parts: &[],
            ..*self
        })
    }
}

/// A probe held back until its turn, its texts stored.
#[derive(Debug, Serialize, Deserialize)]
struct Held {
    #[serde(with = "wire::ts")]
    ts: Ts,
    ts_digits: u8,
    #[serde(skip)]
    key: Key,
    #[serde(with = "wire::proto")]
    proto: Proto,
    marked: bool,
    src: IpAddr,
    target: Target,
    technique: u16,
    tool: u16,
    packets: u64,
    bytes: u64,
}

impl Held {
    fn weight(&self) -> Weight {
        Weight { probes: 1, packets: self.packets, bytes: self.bytes }
    }

    fn part(&self) -> Part {
        Part { target: self.target, src: self.src, technique: self.technique, tool: self.tool }
    }
}

/// What a grouper keeps from one input to the next.
#[derive(Serialize, Deserialize)]
struct Saved {
    words: Words,
    #[serde(with = "wire::ts")]
    now: Ts,
    sessions: Vec<(Vec<u8>, Open)>,
    waiting: Waiting<(Vec<u8>, Held)>,
}

/// Why a saved state cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("not a saved state, or a damaged one: {0}")]
pub struct StateError(#[from] postcard::Error);

/// A session's number with the hash of its key.
struct Entry {
    hash: u64,
    number: u64,
}

/// One session while it can grow. What each probe looks at comes first, in one cache line.
#[derive(Serialize, Deserialize)]
#[repr(C)]
struct Open {
    #[serde(skip)]
    key: Key,
    #[serde(with = "wire::proto")]
    proto: Proto,
    ts_digits: u8,
    /// Whether a later session of the same key has begun.
    superseded: bool,
    #[serde(with = "wire::ts")]
    start: Ts,
    #[serde(with = "wire::ts")]
    end: Ts,
    sum: Weight,
    srcs: Addresses,
    targets: Targets,
    techniques: Counts<u16>,
    tools: Counts<u16>,
    marked: u64,
    /// What only some runs ask for.
    parts: Option<Box<Parts>>,
    burst: Option<Box<Burst>>,
    #[serde(skip)]
    hash: u64,
}

/// Turns probes, in order of time, into sessions, in order of their first probes.
pub struct Grouper {
    window: Window,
    options: GroupOptions,
    sessions: VecDeque<Open>,
    front: u64,
    table: HashTable<Entry>,
    hasher: RandomState,
    keys: Keys,
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
    fn new(probe: &Held, hash: u64, options: &GroupOptions) -> Self {
        let mut open = Self {
            key: probe.key,
            hash,
            proto: probe.proto,
            start: probe.ts,
            end: probe.ts,
            ts_digits: probe.ts_digits,
            sum: probe.weight(),
            srcs: Addresses::Exact(Distinct::new(probe.src)),
            targets: Targets::Exact(Distinct::new(probe.target)),
            techniques: Counts::new(probe.technique, 1),
            tools: Counts::new(probe.tool, 1),
            marked: u64::from(probe.marked),
            parts: options.units.then(Box::default),
            burst: options.bursts.then(Box::default),
            superseded: false,
        };
        open.add_extra(probe);
        open
    }

    #[inline]
    fn add(&mut self, probe: &Held, approximate: bool) {
        self.end = self.end.max(probe.ts);
        self.sum.add(probe.weight());
        self.srcs.insert(probe.src, approximate);
        self.targets.insert(probe.target, approximate);
        self.techniques.add(probe.technique, 1);
        self.tools.add(probe.tool, 1);
        self.marked += u64::from(probe.marked);
        self.add_extra(probe);
    }

    #[inline]
    fn add_extra(&mut self, probe: &Held) {
        if let Some(parts) = &mut self.parts {
            parts.add(probe.part(), probe.weight());
        }
        if let Some(burst) = &mut self.burst {
            burst.add(probe.ts, probe.packets);
        }
    }
}

impl Grouper {
    /// A grouper that has seen nothing and counts whole sessions exactly, for probes that come out of order by up to
    /// `reorder`.
    pub fn new(window: Window, reorder: Duration) -> Self {
        Self::with_options(GroupOptions::new(window, reorder))
    }

    /// A grouper that has seen nothing.
    pub fn with_options(options: GroupOptions) -> Self {
        Self {
            window: options.window,
            options,
            waiting: Reorder::new(options.reorder, MAX_HELD),
            sessions: VecDeque::new(),
            front: 0,
            table: HashTable::new(),
            hasher: RandomState::default(),
            keys: Keys::default(),
            words: Words::default(),
            now: Ts::MIN,
        }
    }

    /// Takes the next probe. Sessions that can no longer grow go to `emit`.
    ///
    /// # Errors
    /// What `emit` returns.
    #[inline]
    pub fn push<E>(
        &mut self,
        probe: &NewProbe<'_>,
        emit: &mut impl FnMut(Session<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.push_marked(probe, false, emit)
    }

    /// As [`Grouper::push`], for a probe that sessions count among their marked ones.
    ///
    /// # Errors
    /// What `emit` returns.
    pub fn push_marked<E>(
        &mut self,
        probe: &NewProbe<'_>,
        marked: bool,
        emit: &mut impl FnMut(Session<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let held = Held {
            ts: probe.ts,
            ts_digits: probe.ts_digits,
            key: self.keys.keep(probe.key),
            proto: probe.proto,
            marked,
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

    /// Takes out all that another grouper with the same options needs to go on with the next input: what is open and
    /// what waits. Keys are any bytes, and so is the result.
    ///
    /// # Errors
    /// When it cannot be encoded, which would be a defect.
    pub fn suspend(&mut self) -> Result<Vec<u8>, StateError> {
        let keys = &self.keys;
        let own = |key: &Key| keys.get(key).to_vec();
        let waiting = self.waiting.suspend().map(|held| (own(&held.key), held));
        let sessions = std::mem::take(&mut self.sessions).into_iter().map(|open| (own(&open.key), open));
        let saved = Saved {
            words: std::mem::take(&mut self.words),
            now: self.now,
            sessions: sessions.collect(),
            waiting,
        };
        self.table.clear();
        Ok(postcard::to_stdvec(&saved)?)
    }

    /// A grouper that goes on where another one with the same options was suspended.
    ///
    /// # Errors
    /// When the bytes are not what [`Grouper::suspend`] returned.
    pub fn resume(options: GroupOptions, state: &[u8]) -> Result<Self, StateError> {
        let saved: Saved = postcard::from_bytes(state)?;
        let mut grouper = Self::with_options(options);
        grouper.words = saved.words;
        grouper.now = saved.now;
        for (number, (key, mut open)) in saved.sessions.into_iter().enumerate() {
            open.key = grouper.keys.keep(&key);
            let hash = grouper.keys.hash(&open.key, open.proto.0, &grouper.hasher);
            open.hash = hash;
            if !open.superseded {
                let number = number as u64;
                grouper.table.insert_unique(hash, Entry { hash, number }, |entry| entry.hash);
            }
            grouper.sessions.push_back(open);
        }
        let keys = &mut grouper.keys;
        grouper.waiting.resume(saved.waiting.map(|(key, held)| Held { key: keys.keep(&key), ..held }));
        Ok(grouper)
    }

    /// Probes that are in no finished session yet.
    pub fn unfinished(&self) -> u64 {
        self.sessions.iter().map(|open| open.sum.probes).sum::<u64>() + self.waiting.len() as u64
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
        let hash = self.keys.hash(&probe.key, probe.proto.0, &self.hasher);
        let (sessions, front, keys) = (&self.sessions, self.front, &self.keys);
        let found = self.table.find_entry(hash, |entry| {
            let session = &sessions[(entry.number - front) as usize];
            entry.hash == hash && session.proto == probe.proto && keys.same(&session.key, &probe.key)
        });
        if let Ok(entry) = found {
            let session = &mut self.sessions[(entry.get().number - front) as usize];
            if !self.window.is_over(session.start, session.end, probe.ts) {
                session.add(probe, self.options.approximate);
                self.keys.release(probe.key);
                return Ok(());
            }
            session.superseded = true;
            entry.remove();
        }
        let number = self.front + self.sessions.len() as u64;
        self.sessions.push_back(Open::new(probe, hash, &self.options));
        self.table.insert_unique(hash, Entry { hash, number }, |entry| entry.hash);
        Ok(())
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
        let sizes = open.targets.sizes();
        let (technique, technique_probes) = self.words.most_frequent(&open.techniques);
        let (tool, tool_probes) = self.words.most_frequent(&open.tools);
        let session = Session {
            key: self.keys.get(&open.key),
            proto: open.proto,
            start: open.start,
            end: open.end,
            ts_digits: open.ts_digits,
            technique,
            technique_probes,
            tool,
            tool_probes,
            probes: open.sum.probes,
            marked: open.marked,
            packets: open.sum.packets,
            bytes: open.sum.bytes,
            srcs: open.srcs.count(),
            dsts: sizes.dsts,
            ports: sizes.ports,
            targets: sizes.targets,
            horizontal: sizes.horizontal,
            vertical: sizes.vertical,
            burst: open.burst.as_ref().map_or(0, |burst| burst.most),
            approximate: open.srcs.is_sketch() || open.targets.is_sketch(),
            closed_by,
            parts: open.parts.as_mut().map_or(&[], |parts| parts.settled()),
            words: &self.words,
        };
        let emitted = emit(session);
        self.keys.release(open.key);
        emitted
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

    /// Rows may claim any count; a panic would be their doing.
    #[test]
    fn counts_saturate() {
        let mut grouper = Grouper::new(Window::Anchored(S), S);
        let address = IpAddr::from([192, 0, 2, 1]);
        let probe = NewProbe {
            ts: Ts::from_nanos(0),
            ts_digits: 6,
            key: b"x",
            proto: Proto::TCP,
            src: address,
            dst: address,
            dst_port: None,
            technique: b"",
            tool: b"",
            packets: u64::MAX,
            bytes: u64::MAX - 1,
        };
        let mut out = Vec::new();
        let mut emit = |s: Session<'_>| -> Result<(), ()> {
            out.push((s.probes, s.packets, s.bytes));
            Ok(())
        };
        grouper.push(&probe, &mut emit).unwrap();
        grouper.push(&probe, &mut emit).unwrap();
        grouper.finish(&mut emit).unwrap();
        assert_eq!(out, [(2, u64::MAX, u64::MAX)]);
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
