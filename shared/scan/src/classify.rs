//! Packets to probes.

use std::net::IpAddr;
use std::time::Duration;

use probeline_record::{Proto, Ts};
use serde::{Deserialize, Serialize};

use crate::backscatter::BackscatterRule;
use crate::flow::Packet;
use crate::flows::{self, Flows};
use crate::group::StateError;
use crate::names::{Class, Handshake, Reasons, SynStack, Technique};
use crate::reorder::{Reorder, Waiting};
use crate::ring::Handle;
use crate::telescope::Telescope;

/// How flows are made and ended. Times as in docs/CLASSIFICATION.md.
#[derive(Clone, Debug)]
pub struct Options {
    /// The monitored addresses, where known.
    pub telescope: Option<Telescope>,
    /// A flow ends after this long without a packet.
    pub flow_timeout: Duration,
    /// How long behind a SYN/ACK an ACK or RST still answers it.
    pub settle: Duration,
    /// A flow is written when it is older than this, even if it goes on.
    pub max_age: Duration,
    /// The most flows held at a time.
    pub max_flows: usize,
    /// How far out of order packets may come.
    pub reorder: Duration,
    /// By whose rules a first packet is backscatter.
    pub backscatter: BackscatterRule,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            telescope: None,
            flow_timeout: Duration::from_secs(300),
            settle: Duration::from_secs(60),
            max_age: Duration::from_secs(3600),
            max_flows: 1 << 20,
            reorder: Duration::from_secs(5),
            backscatter: BackscatterRule::Default,
        }
    }
}

/// The most packets held back to put them in order; 5 s of 200,000 packets/s, about 300 MB.
const MAX_HELD: usize = 1 << 20;

/// One scan attempt, or a flow of another class.
#[derive(Clone, Copy, Debug)]
pub struct Probe<'a> {
    /// Time of the first packet.
    pub ts: Ts,
    /// Digits behind the point that its time came with, 6 or 9.
    pub ts_digits: u8,
    /// Time from the first packet to the last, in nanoseconds.
    pub duration: i64,
    /// Who sent the first packet.
    pub src: IpAddr,
    /// To whom.
    pub dst: IpAddr,
    /// Protocol.
    pub proto: Proto,
    /// Source port of the first packet.
    pub src_port: Option<u16>,
    /// Destination port of the first packet.
    pub dst_port: Option<u16>,
    /// What the flow is.
    pub class: Class,
    /// How it scans.
    pub technique: Option<Technique>,
    /// What became of the handshake, if a SYN opened the flow.
    pub handshake: Option<Handshake>,
    /// Who made the SYN.
    pub syn_stack: Option<SynStack>,
    /// Evidence and marks.
    pub reasons: Reasons,
    /// Packets in both directions.
    pub packets: u64,
    /// Their IP lengths added up, in octets.
    pub bytes: u64,
    /// What the caller attached to the first packet.
    pub cells: &'a [u8],
}

/// What became of packets that are in no probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets of flows that had been written before they ended.
    pub continued: u64,
    /// Flows written early to bound the memory.
    pub evicted: u64,
    /// Packets that came too late to be put in order.
    pub late: u64,
    /// Packets taken before their time because too many were held.
    pub hurried: u64,
    /// How often the memory of irregular SYNs, or of flows written early, was full and dropped.
    pub forgotten: u64,
}

/// What a classifier keeps from one input to the next.
#[derive(Serialize, Deserialize)]
struct Saved {
    flows: flows::Saved,
    waiting: Waiting<(Packet, Vec<u8>)>,
}

/// Turns packets, in order of time, into probes, in order of their first packets.
pub struct Classifier {
    waiting: Reorder<(Packet, Handle)>,
    flows: Flows,
}

impl Classifier {
    /// A classifier that has seen nothing.
    pub fn new(options: Options) -> Self {
        Self { waiting: Reorder::new(options.reorder, MAX_HELD), flows: Flows::new(options) }
    }

    /// Takes the next packet, with what the caller wants back with its probe if it opens one. Probes that can no
    /// longer change go to `emit`.
    ///
    /// # Errors
    /// What `emit` returns.
    pub fn push<E>(
        &mut self,
        packet: &Packet,
        cells: &[u8],
        emit: &mut impl FnMut(Probe<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.waiting.admits(packet.ts) {
            let handle = self.flows.cells.push(cells);
            self.waiting.put(packet.ts, (*packet, handle));
        }
        let flows = &mut self.flows;
        while let Some(taken) = self.waiting.pop(|(packet, handle)| flows.take(packet, *handle, emit)) {
            taken?;
        }
        Ok(())
    }

    /// Hands out every probe that is left: the input has ended.
    ///
    /// # Errors
    /// What `emit` returns.
    pub fn finish<E>(&mut self, emit: &mut impl FnMut(Probe<'_>) -> Result<(), E>) -> Result<(), E> {
        let flows = &mut self.flows;
        while let Some(taken) = self.waiting.pop_any(|(packet, handle)| flows.take(packet, *handle, emit)) {
            taken?;
        }
        flows.finish(emit)
    }

    /// Takes out all that another classifier with the same options needs to go on with the next input.
    ///
    /// # Errors
    /// When it cannot be encoded, which would be a defect.
    pub fn suspend(&mut self) -> Result<Vec<u8>, StateError> {
        let cells = &self.flows.cells;
        let waiting = self.waiting.suspend().map(|(packet, handle)| (packet, cells.get(handle).to_vec()));
        let flows = self.flows.suspend();
        Ok(postcard::to_stdvec(&Saved { flows, waiting })?)
    }

    /// A classifier that goes on where another one with the same options was suspended.
    ///
    /// # Errors
    /// When the bytes are not what [`Classifier::suspend`] returned.
    pub fn resume(options: Options, state: &[u8]) -> Result<Self, StateError> {
        let saved: Saved = postcard::from_bytes(state)?;
        let mut classifier = Self::new(options);
        classifier.flows.resume(saved.flows);
        let cells = &mut classifier.flows.cells;
        classifier.waiting.resume(saved.waiting.map(|(packet, bytes)| (packet, cells.push(&bytes))));
        Ok(classifier)
    }

    /// Packets that are in no finished probe yet.
    pub fn unfinished(&self) -> u64 {
        self.flows.packets() + self.waiting.len() as u64
    }

    /// Counts of packets that are in no probe.
    pub fn tally(&self) -> Tally {
        Tally { late: self.waiting.late(), hurried: self.waiting.hurried(), ..self.flows.tally() }
    }
}
