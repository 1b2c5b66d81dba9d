//! The flows that are alive.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::time::Duration;

use foldhash::quality::RandomState;
use hashbrown::{HashMap, HashTable};
use probeline_record::{Proto, TcpFlags, Ts};
use serde::{Deserialize, Serialize};

use crate::bogon::is_bogon;
use crate::classify::{Options, Probe, Tally};
use crate::first::first_packet;
use crate::flow::{FlowKey, Packet};
use crate::irregular::{self, Irregular};
use crate::names::{Class, Handshake, Reason, Reasons, SynStack, Technique};
use crate::ring::{Handle, Ring};
use crate::wire;

/// So many flows the table has room for at least.
const ROOM: usize = 1024;

/// A flow's number with the hash of its key, so that growing the table and passing over others touches no flow.
struct Entry {
    hash: u64,
    number: u64,
}

/// What is remembered of a flow that was written before it ended.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Written {
    #[serde(with = "wire::ts")]
    last: Ts,
    opened_by_syn: bool,
    forward: bool,
    answered: bool,
}

#[derive(Serialize, Deserialize)]
struct Flow {
    key: FlowKey,
    /// Whether the initiator is the key's first end point.
    forward: bool,
    opened_by_syn: bool,
    /// Whether the other side has sent a packet.
    answered: bool,
    superseded: bool,
    class: Class,
    technique: Option<Technique>,
    syn_stack: Option<SynStack>,
    handshake: State,
    src_port: Option<u16>,
    dst_port: Option<u16>,
    reasons: Reasons,
    #[serde(with = "wire::ts")]
    first: Ts,
    ts_digits: u8,
    #[serde(with = "wire::ts")]
    last: Ts,
    packets: u64,
    bytes: u64,
    #[serde(skip)]
    cells: Handle,
}

/// How far a handshake has come. No enum with data: what such a one leaves unset is copied with the fields beside it,
/// for which the processor has to wait.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct State {
    so_far: Handshake,
    /// When it was answered, where it was.
    #[serde(with = "wire::ts")]
    answered: Ts,
    /// The answer's sequence number, where captured.
    seq: Option<u32>,
}

impl State {
    const SILENT: Self = Self { so_far: Handshake::None, answered: Ts::MIN, seq: None };

    /// The state behind one more packet.
    #[inline]
    fn next(self, packet: &Packet, from_initiator: bool, settle: i64) -> Self {
        let Some(flags) = packet.flags else { return self };
        let flags = flags.classic();
        let syn_ack = flags == TcpFlags::SYN.with(TcpFlags::ACK);
        match (self.so_far, from_initiator) {
            (Handshake::None, false) if flags.has(TcpFlags::RST) => {
                Self { so_far: Handshake::Refused, ..self }
            }
            (Handshake::None | Handshake::Unanswered, false) if syn_ack => {
                Self { so_far: Handshake::Unanswered, answered: packet.ts, seq: packet.seq }
            }
            (Handshake::Unanswered, true) if packet.ts.since(self.answered) <= settle => {
                if flags.has(TcpFlags::RST) {
                    Self { so_far: Handshake::Reset, ..self }
                } else if flags.has(TcpFlags::ACK)
                    && !flags.has(TcpFlags::SYN)
                    && acknowledges(packet.ack, self.seq)
                {
                    Self { so_far: Handshake::Completed, ..self }
                } else {
                    self
                }
            }
            _ => self,
        }
    }
}

/// Whether an acknowledgment number is ahead of a sequence number, modulo 2^32 (RFC 9293 §3.4). True where either
/// was not captured.
fn acknowledges(ack: Option<u32>, seq: Option<u32>) -> bool {
    match (ack, seq) {
        (Some(ack), Some(seq)) => ack.wrapping_sub(seq) as i32 > 0,
        _ => true,
    }
}

/// What is kept from one input to the next.
#[derive(Serialize, Deserialize)]
pub(crate) struct Saved {
    flows: Vec<(Vec<u8>, Flow)>,
    written: Vec<(FlowKey, Written)>,
    irregular: irregular::Saved,
}

/// The flows that are alive, in order of their first packets, with what is remembered of others.
pub(crate) struct Flows {
    options: Options,
    timeout: i64,
    settle: i64,
    max_age: i64,
    /// Flows in order of their first packets; the one at the front has number `front`.
    flows: VecDeque<Flow>,
    front: u64,
    /// The flows that a packet may still join, by key, and some that are over: see [`Flows::enter`].
    table: HashTable<Entry>,
    hasher: RandomState,
    /// What the caller keeps of first packets.
    pub(crate) cells: Ring,
    /// Flows written before they ended.
    written: HashMap<FlowKey, Written, RandomState>,
    irregular: Irregular,
    tally: Tally,
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

impl Flows {
    /// None yet.
    pub(crate) fn new(options: Options) -> Self {
        Self {
            timeout: nanos(options.flow_timeout),
            settle: nanos(options.settle),
            max_age: nanos(options.max_age),
            irregular: Irregular::new(options.max_flows),
            options,
            flows: VecDeque::new(),
            front: 0,
            table: HashTable::new(),
            hasher: RandomState::default(),
            cells: Ring::default(),
            written: HashMap::default(),
            tally: Tally::default(),
        }
    }

    /// Hands out every flow that is left.
    pub(crate) fn finish<E>(&mut self, emit: &mut impl FnMut(Probe<'_>) -> Result<(), E>) -> Result<(), E> {
        while !self.flows.is_empty() {
            self.emit_front(Ts::MAX, emit)?;
        }
        Ok(())
    }

    /// Takes everything out.
    pub(crate) fn suspend(&mut self) -> Saved {
        let cells = &self.cells;
        let flows = std::mem::take(&mut self.flows)
            .into_iter()
            .map(|flow| (cells.get(flow.cells).to_vec(), flow))
            .collect();
        self.table.clear();
        // In order, so that the same input gives the same bytes.
        let mut written: Vec<_> = std::mem::take(&mut self.written).into_iter().collect();
        written.sort_unstable_by_key(|(key, _)| *key);
        Saved { flows, written, irregular: self.irregular.suspend() }
    }

    /// Goes on where others stopped.
    pub(crate) fn resume(&mut self, saved: Saved) {
        for (number, (cells, mut flow)) in saved.flows.into_iter().enumerate() {
            let hash = self.hasher.hash_one(flow.key);
            flow.cells = self.cells.push(&cells);
            if !flow.superseded {
                // Of several with one key only the last can still be joined.
                let flows = &self.flows;
                let earlier = self.table.find_entry(hash, |entry| {
                    flows.get(entry.number as usize).is_some_and(|earlier: &Flow| earlier.key == flow.key)
                });
                if let Ok(entry) = earlier {
                    entry.remove();
                }
                let number = number as u64;
                self.table.insert_unique(hash, Entry { hash, number }, |entry| entry.hash);
            }
            self.flows.push_back(flow);
        }
        self.written = saved.written.into_iter().collect();
        self.irregular.resume(saved.irregular);
    }

    /// Packets that are in the flows.
    pub(crate) fn packets(&self) -> u64 {
        self.flows.iter().map(|flow| flow.packets).sum()
    }

    /// Counts of packets that are in no flow.
    pub(crate) fn tally(&self) -> Tally {
        Tally { forgotten: self.tally.forgotten + self.irregular.forgotten(), ..self.tally }
    }

    /// The next packet in order of time.
    pub(crate) fn take<E>(
        &mut self,
        packet: &Packet,
        cells: Handle,
        emit: &mut impl FnMut(Probe<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let now = packet.ts;
        self.retire(now, emit)?;
        let (key, forward) = packet.key();
        let hash = self.hasher.hash_one(key);
        let two_phase = packet.is_syn() && self.irregular.note(packet);
        if (packet.is_icmp_error() && self.answers_a_flow(packet))
            || self.joins_a_flow(packet, &key, hash, forward)
        {
            self.cells.release(cells);
            return Ok(());
        }
        if self.flows.len() >= self.options.max_flows {
            self.tally.evicted += 1;
            self.emit_front(now, emit)?;
        }
        self.open(packet, hash, two_phase, cells);
        Ok(())
    }

    /// Hands out the flows at the front that are over.
    #[inline]
    fn retire<E>(&mut self, now: Ts, emit: &mut impl FnMut(Probe<'_>) -> Result<(), E>) -> Result<(), E> {
        while self.flows.front().is_some_and(|flow| self.is_over(flow, now)) {
            self.emit_front(now, emit)?;
        }
        Ok(())
    }

    /// Whether the packet belongs to a known flow, and then counts it there.
    fn joins_a_flow(&mut self, packet: &Packet, key: &FlowKey, hash: u64, forward: bool) -> bool {
        let Some(number) = self.find(key, hash, packet.ts) else {
            return self.continues_a_written_flow(key, packet, None);
        };
        let settle = self.settle;
        let flow = &mut self.flows[(number - self.front) as usize];
        if flow.opened_by_syn || !packet.is_syn() {
            flow.absorb(packet, forward, settle);
            return true;
        }
        flow.superseded = true;
        self.unlink(number, hash);
        false
    }

    /// Whether nothing can change the flow any more.
    #[inline]
    fn is_over(&self, flow: &Flow, now: Ts) -> bool {
        flow.superseded || now.since(flow.last) > self.timeout || now.since(flow.first) > self.max_age
    }

    /// The number of the flow with this key, which hashes so, that a packet of this time may join.
    #[inline]
    fn find(&mut self, key: &FlowKey, hash: u64, now: Ts) -> Option<u64> {
        let (flows, front) = (&self.flows, self.front);
        let entry = self.table.find(hash, |entry| {
            let flow = entry.number.checked_sub(front).and_then(|at| flows.get(at as usize));
            entry.hash == hash && flow.is_some_and(|flow| flow.key == *key)
        })?;
        let number = entry.number;
        if now.since(self.flows[(number - self.front) as usize].last) > self.timeout {
            self.unlink(number, hash);
            return None;
        }
        Some(number)
    }

    /// Takes a flow out of the table: no packet joins it any more.
    fn unlink(&mut self, number: u64, hash: u64) {
        if let Ok(entry) = self.table.find_entry(hash, |entry| entry.number == number) {
            entry.remove();
        }
    }

    /// Puts the flow at the back of the queue into the table.
    ///
    /// Flows that are over are not looked up again to be taken out, which waits for main memory twice where there are a
    /// million. When the table is full, those that a packet may still join are entered anew into an empty one.
    #[inline]
    fn enter(&mut self, hash: u64, now: Ts) {
        if self.table.len() >= self.table.capacity() {
            self.renew_table(now);
            return;
        }
        let number = self.front + self.flows.len() as u64 - 1;
        self.table.insert_unique(hash, Entry { hash, number }, |entry| entry.hash);
    }

    #[cold]
    fn renew_table(&mut self, now: Ts) {
        let mut table = std::mem::take(&mut self.table);
        table.clear();
        let alive = |flow: &&Flow| !self.is_over(flow, now);
        // Room for half as many again makes this a small part of the work for each.
        let room = self.flows.iter().filter(alive).count();
        table.reserve((room + room / 2).max(ROOM), |entry: &Entry| entry.hash);
        for (number, flow) in (self.front..).zip(&self.flows).filter(|(_, flow)| alive(flow)) {
            let hash = self.hasher.hash_one(flow.key);
            table.insert_unique(hash, Entry { hash, number }, |entry| entry.hash);
        }
        self.table = table;
    }

    /// Whether an ICMP error speaks of a packet of a known flow, and then counts it as an answer to it.
    fn answers_a_flow(&mut self, packet: &Packet) -> bool {
        let Some((key, forward)) = packet.quoted.as_ref().and_then(FlowKey::of_quoted) else { return false };
        let hash = self.hasher.hash_one(key);
        let Some(number) = self.find(&key, hash, packet.ts) else {
            return self.continues_a_written_flow(&key, packet, Some(forward));
        };
        let flow = &mut self.flows[(number - self.front) as usize];
        let quotes_initiator = flow.forward == forward || key.is_loop();
        if !quotes_initiator && !flow.answered {
            return false;
        }
        flow.count(packet);
        flow.reasons.add_if(quotes_initiator, Reason::AnsweredByIcmpError);
        true
    }

    /// Whether the packet belongs to a flow that was written before it ended. An ICMP error (`quoted`: the direction of
    /// what it quotes) belongs to it if it quotes a packet that was sent in it.
    fn continues_a_written_flow(&mut self, key: &FlowKey, packet: &Packet, quoted: Option<bool>) -> bool {
        if self.written.is_empty() {
            return false;
        }
        let Some(written) = self.written.get_mut(key) else { return false };
        if packet.ts.since(written.last) > self.timeout {
            self.written.remove(key);
            return false;
        }
        match quoted {
            Some(forward) if forward != written.forward && !written.answered && !key.is_loop() => {
                return false;
            }
            None if packet.is_syn() && !written.opened_by_syn => {
                self.written.remove(key);
                return false;
            }
            None => written.answered |= packet.key().1 != written.forward,
            Some(_) => {}
        }
        written.last = packet.ts;
        self.tally.continued += 1;
        true
    }

    #[inline(never)]
    fn open(&mut self, packet: &Packet, hash: u64, two_phase: bool, cells: Handle) {
        let mut reasons = Reasons::default();
        let (class, technique) = match &self.options.telescope {
            Some(telescope) if !telescope.contains(packet.dst) => {
                if telescope.contains(packet.src) {
                    (Class::Response, None)
                } else {
                    reasons.add(Reason::Transit);
                    (Class::Other, None)
                }
            }
            telescope => {
                let first = self.options.backscatter.judge(packet, first_packet(packet, telescope.is_some()));
                if let Some(reason) = first.reason {
                    reasons.add(reason);
                }
                (first.class, first.technique)
            }
        };
        let opened_by_syn = packet.is_syn();
        reasons.add_if(two_phase, Reason::TwoPhase);
        reasons.add_if(opened_by_syn && packet.payload_len > 0, Reason::Payload);
        reasons.add_if(packet.src_port == Some(0) || packet.dst_port == Some(0), Reason::PortZero);
        reasons.add_if(packet.src == packet.dst, Reason::SrcIsDst);
        reasons.add_if(is_bogon(packet.src), Reason::BogonSrc);
        // Made where it stays, its key anew: copying what was just written in pieces makes the processor wait.
        let (key, forward) = packet.key();
        self.flows.push_back(Flow {
            key,
            forward,
            opened_by_syn,
            answered: false,
            superseded: false,
            class,
            technique,
            syn_stack: packet.syn_stack,
            handshake: State::SILENT,
            src_port: packet.src_port,
            dst_port: packet.dst_port,
            reasons,
            first: packet.ts,
            ts_digits: packet.ts_digits,
            last: packet.ts,
            packets: 1,
            bytes: packet.ip_len.into(),
            cells,
        });
        if let Some(flow) = self.flows.back_mut().filter(|_| packet.payload_len > 0) {
            flow.look_for_conversation(packet, true);
        }
        self.enter(hash, packet.ts);
    }

    /// Hands out the oldest flow. One that could still go on is remembered, so that its later packets open nothing.
    fn emit_front<E>(&mut self, now: Ts, emit: &mut impl FnMut(Probe<'_>) -> Result<(), E>) -> Result<(), E> {
        let Some(flow) = self.flows.front_mut() else { return Ok(()) };
        let ended = flow.superseded || now == Ts::MAX;
        // At the end of its allowed age the flow was alive if its last packet was within the time-out of that moment.
        let aged = now.since(flow.first) > self.max_age
            && flow.last.since(flow.first) >= self.max_age.saturating_sub(self.timeout);
        if !ended && (aged || now.since(flow.last) <= self.timeout) {
            flow.reasons.add(if aged { Reason::MaxAge } else { Reason::Evicted });
            let Flow { key, last, opened_by_syn, forward, answered, .. } = *flow;
            self.remember_written(key, Written { last, opened_by_syn, forward, answered }, now);
        }
        let Some(flow) = self.flows.front() else { return Ok(()) };
        let cells = flow.cells;
        let emitted = emit(flow.probe(self.cells.get(cells)));
        self.cells.release(cells);
        self.flows.pop_front();
        self.front += 1;
        emitted
    }

    #[cold]
    fn remember_written(&mut self, key: FlowKey, written: Written, now: Ts) {
        if self.written.len() >= self.options.max_flows {
            let timeout = self.timeout;
            self.written.retain(|_, written| now.since(written.last) <= timeout);
            if self.written.len() > self.options.max_flows / 2 {
                self.written.clear();
                self.tally.forgotten += 1;
            }
        }
        self.written.insert(key, written);
    }
}

impl Flow {
    #[inline]
    fn count(&mut self, packet: &Packet) {
        self.packets += 1;
        self.bytes += u64::from(packet.ip_len);
        self.last = packet.ts;
    }

    fn absorb(&mut self, packet: &Packet, forward: bool, settle: i64) {
        self.count(packet);
        let from_initiator = forward == self.forward || self.key.is_loop();
        self.answered |= !from_initiator;
        if self.opened_by_syn {
            self.handshake = self.handshake.next(packet, from_initiator, settle);
        }
        self.look_for_conversation(packet, from_initiator);
    }

    /// A first packet other than a SYN names a TCP technique only while nothing speaks against it.
    fn look_for_conversation(&mut self, packet: &Packet, from_initiator: bool) {
        if self.class != Class::Scan || self.opened_by_syn || packet.proto != Proto::TCP {
            return;
        }
        let answered = !from_initiator && packet.flags.is_some_and(|flags| !flags.has(TcpFlags::RST));
        if packet.payload_len > 0 || answered {
            self.class = Class::Other;
            self.technique = None;
            self.reasons.add(Reason::Conversation);
        }
    }

    fn probe<'a>(&self, cells: &'a [u8]) -> Probe<'a> {
        let (src, dst) = self.key.addresses(self.forward);
        let handshake = self.opened_by_syn.then_some(self.handshake.so_far);
        let completed = self.technique == Some(Technique::Syn) && handshake == Some(Handshake::Completed);
        let mut reasons = self.reasons;
        if self.class != Class::Scan {
            reasons.remove(Reason::AnsweredByIcmpError);
        }
        Probe {
            ts: self.first,
            ts_digits: self.ts_digits,
            duration: self.last.since(self.first),
            src,
            dst,
            proto: self.key.proto(),
            src_port: self.src_port,
            dst_port: self.dst_port,
            class: self.class,
            technique: if completed { Some(Technique::Connect) } else { self.technique },
            handshake,
            syn_stack: self.syn_stack,
            reasons,
            packets: self.packets,
            bytes: self.bytes,
            cells,
        }
    }
}
