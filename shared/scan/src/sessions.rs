//! The sessions that are open.

use std::collections::VecDeque;
use std::net::IpAddr;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use probeline_record::{Proto, Ts};
use serde::{Deserialize, Serialize};

use crate::burst::Burst;
use crate::distinct::{Counts, Distinct};
use crate::group::{GroupOptions, NewProbe, Session};
use crate::keep::{self, Key, Keys};
use crate::names::ClosedBy;
use crate::sizes::Target;
use crate::sketch::{Addresses, Targets};
use crate::units::{Part, Parts, Weight};
use crate::wire;
use crate::words::Words;

/// A probe held back until its turn, its texts stored.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Held {
    #[serde(with = "wire::ts")]
    ts: Ts,
    ts_digits: u8,
    #[serde(skip)]
    pub(crate) key: Key,
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
    /// What a probe says, with a key that was stored.
    #[inline(always)]
    pub(crate) fn new(probe: &NewProbe<'_>, key: Key, marked: bool, words: &mut Words) -> Self {
        Self {
            ts: probe.ts,
            ts_digits: probe.ts_digits,
            key,
            proto: probe.proto,
            marked,
            src: probe.src,
            target: (probe.dst, probe.dst_port.map_or(-1, i32::from)),
            technique: words.number(probe.technique),
            tool: words.number(probe.tool),
            packets: probe.packets,
            bytes: probe.bytes,
        }
    }

    fn weight(&self) -> Weight {
        Weight { probes: 1, packets: self.packets, bytes: self.bytes }
    }

    fn part(&self) -> Part {
        Part { target: self.target, src: self.src, technique: self.technique, tool: self.tool }
    }
}

/// What is kept from one input to the next.
#[derive(Serialize, Deserialize)]
pub(crate) struct Saved {
    #[serde(with = "wire::ts")]
    now: Ts,
    open: Vec<(Vec<u8>, Open)>,
}

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

/// The sessions that can grow, in order of their first probes.
pub(crate) struct Sessions {
    options: GroupOptions,
    open: VecDeque<Open>,
    /// Number of the session at the front.
    front: u64,
    table: HashTable<Entry>,
    hasher: RandomState,
    keys: Keys,
    now: Ts,
    evicted: u64,
}

impl Open {
    /// Of its first probe; its key is still to be stored.
    #[inline(always)]
    fn new(probe: &Held, hash: u64, options: &GroupOptions) -> Self {
        Self {
            key: Key::default(),
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
        }
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

impl Sessions {
    /// None yet.
    pub(crate) fn new(options: GroupOptions) -> Self {
        Self {
            options,
            open: VecDeque::new(),
            front: 0,
            table: HashTable::new(),
            hasher: RandomState::default(),
            keys: Keys::default(),
            now: Ts::MIN,
            evicted: 0,
        }
    }

    /// Hands out every session that is left.
    pub(crate) fn finish<E>(
        &mut self,
        words: &Words,
        emit: &mut impl FnMut(Session<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while !self.open.is_empty() {
            self.emit_front(ClosedBy::Eof, words, emit)?;
        }
        Ok(())
    }

    /// Takes everything out.
    pub(crate) fn suspend(&mut self) -> Saved {
        let keys = &self.keys;
        let open = std::mem::take(&mut self.open)
            .into_iter()
            .map(|session| (keys.get(&session.key).to_vec(), session))
            .collect();
        self.table.clear();
        Saved { now: self.now, open }
    }

    /// Goes on where others stopped.
    pub(crate) fn resume(&mut self, saved: Saved) {
        self.now = saved.now;
        for (number, (key, mut session)) in saved.open.into_iter().enumerate() {
            session.key = self.keys.keep(&key);
            let hash = keep::hash(&key, session.proto.0, &self.hasher);
            session.hash = hash;
            if !session.superseded {
                let number = number as u64;
                self.table.insert_unique(hash, Entry { hash, number }, |entry| entry.hash);
            }
            self.open.push_back(session);
        }
    }

    /// Sessions that ended early because too many were held.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Probes that are in them.
    pub(crate) fn probes(&self) -> u64 {
        self.open.iter().map(|session| session.sum.probes).sum()
    }

    /// The next probe in order of time, and its key.
    pub(crate) fn take<E>(
        &mut self,
        probe: &Held,
        key: &[u8],
        words: &Words,
        emit: &mut impl FnMut(Session<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.now = probe.ts;
        while self
            .open
            .front()
            .is_some_and(|s| s.superseded || self.options.window.is_over(s.start, s.end, self.now))
        {
            self.emit_front(ClosedBy::Evicted, words, emit)?;
        }
        let hash = keep::hash(key, probe.proto.0, &self.hasher);
        let (sessions, front, keys) = (&self.open, self.front, &self.keys);
        let found = self.table.find_entry(hash, |entry| {
            let session = &sessions[(entry.number - front) as usize];
            entry.hash == hash && session.proto == probe.proto && keys.is(&session.key, key)
        });
        if let Ok(entry) = found {
            let session = &mut self.open[(entry.get().number - front) as usize];
            if !self.options.window.is_over(session.start, session.end, probe.ts) {
                session.add(probe, self.options.approximate);
                return Ok(());
            }
            session.superseded = true;
            entry.remove();
        }
        while self.open.len() >= self.options.max_sessions.max(1) {
            self.emit_front(ClosedBy::Evicted, words, emit)?;
        }
        let number = self.front + self.open.len() as u64;
        // Made where it stays, its key anew: copying what was just written in pieces makes the processor wait.
        self.open.push_back(Open::new(probe, hash, &self.options));
        if let Some(open) = self.open.back_mut() {
            self.keys.keep_at(key, &mut open.key);
            open.add_extra(probe);
        }
        self.table.insert_unique(hash, Entry { hash, number }, |entry| entry.hash);
        Ok(())
    }

    /// Hands out the oldest; `unless_over` says why it ends if it could still have grown.
    fn emit_front<E>(
        &mut self,
        unless_over: ClosedBy,
        words: &Words,
        emit: &mut impl FnMut(Session<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(open) = self.open.front_mut() else { return Ok(()) };
        let number = self.front;
        if let Ok(entry) = self.table.find_entry(open.hash, |entry| entry.number == number) {
            entry.remove();
        }
        self.front += 1;
        let over = open.superseded || self.options.window.is_over(open.start, open.end, self.now);
        let closed_by = if over { self.options.window.closed_by(open.start, open.end) } else { unless_over };
        self.evicted += u64::from(closed_by == ClosedBy::Evicted);
        let sizes = open.targets.sizes();
        let port_list = if self.options.port_lists { open.targets.ports() } else { Vec::new() };
        let (technique, technique_probes) = words.most_frequent(&open.techniques);
        let (tool, tool_probes) = words.most_frequent(&open.tools);
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
            port_list: &port_list,
            approximate: open.srcs.is_sketch() || open.targets.is_sketch(),
            closed_by,
            parts: open.parts.as_mut().map_or(&[], |parts| parts.settled()),
            words,
        };
        let emitted = emit(session);
        self.keys.release(open.key);
        // Dropped where it lies: sessions are large, and most probes begin one.
        self.open.drain(..1);
        emitted
    }
}
