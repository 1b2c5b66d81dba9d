//! Probes to sessions.

use std::net::IpAddr;
use std::time::Duration;

use probeline_record::{Proto, Ts};
use serde::{Deserialize, Serialize};

use crate::distinct::{Counts, Distinct};
use crate::keep::Keys;
use crate::names::{ClosedBy, Geometry};
use crate::reorder::{Reorder, Waiting};
use crate::sessions::{self, Held, Sessions};
use crate::sizes::Sizes;
use crate::units::{Part, Unit, Weight};
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
    /// Whether sessions name their ports.
    pub port_lists: bool,
    /// The most sessions held; beyond it the oldest ends early.
    pub max_sessions: usize,
}

impl GroupOptions {
    /// Exact counts of whole sessions, 4194304 of them.
    pub fn new(window: Window, reorder: Duration) -> Self {
        Self {
            window,
            reorder,
            units: false,
            approximate: false,
            bursts: false,
            port_lists: false,
            max_sessions: 1 << 22,
        }
    }
}

/// A probe to be grouped.
#[derive(Clone, Copy, Debug)]
pub struct NewProbe<'a> {
    /// Time of its first packet.
    pub ts: Ts,
    /// Digits behind the point that its time came with, 6 or 9.
    pub ts_digits: u8,
    /// What it is grouped by: any bytes; equal bytes are one key. In a grouper of several groupings the key of each, in
    /// turn, written by [`join_key`].
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
    /// The distinct destination ports in ascending order, where asked for and exact; of the whole session in each of its
    /// units.
    pub port_list: &'a [u16],
    /// Whether counts are estimates.
    pub approximate: bool,
    /// Why it ended.
    pub closed_by: ClosedBy,
    pub(crate) parts: &'a [(Part, Weight)],
    pub(crate) words: &'a Words,
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

/// What a grouper keeps from one input to the next.
#[derive(Serialize, Deserialize)]
struct Saved {
    words: Words,
    sessions: Vec<sessions::Saved>,
    waiting: Waiting<(Vec<u8>, Held)>,
}

/// Why a saved state cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("not a saved state, or a damaged one: {0}")]
pub struct StateError(#[from] postcard::Error);

/// Turns probes, in order of time, into sessions, in order of their first probes.
pub struct Grouper {
    waiting: Reorder<Held>,
    /// Keys of what waits.
    keys: Keys,
    words: Words,
    /// One for each grouping.
    sessions: Vec<Sessions>,
}

/// The most probes held back to put them in order.
const MAX_HELD: usize = 1 << 20;

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Adds a part to a key of several: its bytes, which `write` appends, behind their length.
#[inline]
pub fn join_key(keys: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = keys.len();
    keys.extend_from_slice(&[0; 4]);
    write(keys);
    let len = (keys.len() - start - 4) as u32;
    keys[start..start + 4].copy_from_slice(&len.to_le_bytes());
}

/// The parts of a key that [`join_key`] wrote.
#[inline]
pub fn key_parts(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = key;
    std::iter::from_fn(move || {
        let (len, behind) = rest.split_first_chunk::<4>()?;
        let (part, behind) = behind.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        rest = behind;
        Some(part)
    })
}

impl Window {
    /// Whether a session with these times can take no probe of time `now` any more.
    #[inline]
    pub(crate) fn is_over(self, start: Ts, end: Ts, now: Ts) -> bool {
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
    pub(crate) fn closed_by(self, start: Ts, end: Ts) -> ClosedBy {
        match self {
            Self::Anchored(_) | Self::Aligned(_) => ClosedBy::Window,
            Self::Gap { gap, max_age } if end.plus(gap) < start.plus(max_age) => ClosedBy::Gap,
            Self::Gap { .. } => ClosedBy::MaxAge,
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
        Self::of_several(&[options])
    }

    /// Several groupings of the same probes, by a key each: they wait for their turn together, as the first of them says.
    pub fn of_several(options: &[GroupOptions]) -> Self {
        let reorder = options.first().map_or(Duration::ZERO, |options| options.reorder);
        Self {
            waiting: Reorder::new(reorder, MAX_HELD),
            keys: Keys::default(),
            words: Words::default(),
            sessions: options.iter().copied().map(Sessions::new).collect(),
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
        self.push_each(probe, false, &mut |_, session| emit(session))
    }

    /// As [`Grouper::push`], for a probe that sessions may count among their marked ones, and with the number of the
    /// grouping that a session is of.
    ///
    /// # Errors
    /// What `emit` returns.
    pub fn push_each<E>(
        &mut self,
        probe: &NewProbe<'_>,
        marked: bool,
        emit: &mut impl FnMut(usize, Session<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { waiting, keys, words, sessions } = self;
        if waiting.admits(probe.ts) {
            waiting.put(probe.ts, Held::new(probe, keys.keep(probe.key), marked, words));
        }
        while let Some(taken) = waiting.pop(|held| take(sessions, held, keys, words, emit)) {
            taken?;
        }
        Ok(())
    }

    /// Hands out every session that is left: the input has ended.
    ///
    /// # Errors
    /// What `emit` returns.
    pub fn finish<E>(&mut self, emit: &mut impl FnMut(Session<'_>) -> Result<(), E>) -> Result<(), E> {
        self.finish_each(&mut |_, session| emit(session))
    }

    /// As [`Grouper::finish`], with the number of the grouping that a session is of: those of one after those of another.
    ///
    /// # Errors
    /// What `emit` returns.
    pub fn finish_each<E>(
        &mut self,
        emit: &mut impl FnMut(usize, Session<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { waiting, keys, words, sessions } = self;
        while let Some(taken) = waiting.pop_any(|held| take(sessions, held, keys, words, emit)) {
            taken?;
        }
        for (number, sessions) in sessions.iter_mut().enumerate() {
            sessions.finish(words, &mut |session| emit(number, session))?;
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
        let waiting = self.waiting.suspend().map(|held| (keys.get(&held.key).to_vec(), held));
        let sessions = self.sessions.iter_mut().map(Sessions::suspend).collect();
        let words = std::mem::take(&mut self.words);
        Ok(postcard::to_stdvec(&Saved { words, sessions, waiting })?)
    }

    /// A grouper that goes on where another one with the same options was suspended.
    ///
    /// # Errors
    /// When the bytes are not what [`Grouper::suspend`] returned.
    pub fn resume(options: GroupOptions, state: &[u8]) -> Result<Self, StateError> {
        let saved: Saved = postcard::from_bytes(state)?;
        let mut grouper = Self::of_several(&vec![options; saved.sessions.len()]);
        grouper.words = saved.words;
        for (sessions, saved) in grouper.sessions.iter_mut().zip(saved.sessions) {
            sessions.resume(saved);
        }
        let keys = &mut grouper.keys;
        grouper.waiting.resume(saved.waiting.map(|(key, mut held)| {
            held.key = keys.keep(&key);
            held
        }));
        Ok(grouper)
    }

    /// Probes that are in no finished session of a grouping yet.
    pub fn unfinished(&self, grouping: usize) -> u64 {
        self.sessions.get(grouping).map_or(0, Sessions::probes) + self.waiting.len() as u64
    }

    /// Sessions of a grouping that ended early because too many were held.
    pub fn evicted(&self, grouping: usize) -> u64 {
        self.sessions.get(grouping).map_or(0, Sessions::evicted)
    }

    /// Probes that came too late to be put in order.
    pub fn late(&self) -> u64 {
        self.waiting.late()
    }
}

/// Gives a probe whose turn has come to each grouping, with its key.
#[inline]
fn take<E>(
    groupings: &mut [Sessions],
    probe: &Held,
    keys: &mut Keys,
    words: &Words,
    emit: &mut impl FnMut(usize, Session<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let key = keys.get(&probe.key);
    if let [only] = groupings {
        only.take(probe, key, words, &mut |session| emit(0, session))?;
    } else {
        for ((number, sessions), key) in groupings.iter_mut().enumerate().zip(key_parts(key)) {
            sessions.take(probe, key, words, &mut |session| emit(number, session))?;
        }
    }
    keys.release(probe.key);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (i64, i64, u64, u64, u64, (u64, Option<u16>), ClosedBy);

    fn probe(seconds: i64, key: &str) -> NewProbe<'_> {
        NewProbe {
            ts: Ts::from_nanos(seconds * 1_000_000_000),
            ts_digits: 6,
            key: key.as_bytes(),
            proto: Proto::TCP,
            src: IpAddr::from([198, 51, 100, 1]),
            dst: IpAddr::from([192, 0, 2, 1]),
            dst_port: None,
            technique: b"syn",
            tool: b"",
            packets: 1,
            bytes: 40,
        }
    }

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
            let probe = NewProbe { dst: dst.parse().unwrap(), dst_port: *port, ..probe(*seconds, key) };
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
        let probe = NewProbe { packets: u64::MAX, bytes: u64::MAX - 1, ..probe(0, "x") };
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

    /// Ended by the bound is only what could have grown: the second session of `x` ends its first, which then waits.
    #[test]
    fn too_many_sessions_end_the_oldest() {
        let options = GroupOptions {
            max_sessions: 2,
            ..GroupOptions::new(Window::Gap { gap: 10 * S, max_age: 100 * S }, S)
        };
        let mut grouper = Grouper::with_options(options);
        let mut out = Vec::new();
        let mut emit = |s: Session<'_>| -> Result<(), ()> {
            out.push((String::from_utf8(s.key.to_vec()).unwrap(), s.start.seconds(), s.probes, s.closed_by));
            Ok(())
        };
        for (seconds, key) in
            [(0, "x"), (1, "y"), (2, "x"), (3, "z"), (4, "x"), (9, "z"), (10, "z"), (16, "x"), (17, "x")]
        {
            grouper.push(&probe(seconds, key), &mut emit).unwrap();
        }
        grouper.finish(&mut emit).unwrap();
        assert_eq!(grouper.evicted(0), 3);
        let row = |key: &str, start, probes, closed_by| (key.to_owned(), start, probes, closed_by);
        assert_eq!(
            out,
            [
                row("x", 0, 2, ClosedBy::Evicted),
                row("y", 1, 1, ClosedBy::Evicted),
                row("z", 3, 3, ClosedBy::Evicted),
                row("x", 4, 1, ClosedBy::Gap),
                row("x", 16, 2, ClosedBy::Eof),
            ]
        );
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
