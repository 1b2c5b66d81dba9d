//! From packets to blocks: encodes, decides which file a packet belongs to, and hands blocks to the writer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use probeline_capfile::InterfaceStatistics;
use probeline_capture::Packet;

use crate::encode::Encoder;
use crate::schedule::{Extent, Schedule};
use crate::writer::{Block, Shared, Work};

/// Bytes gathered before they are written: large enough that the write costs nothing beside the packets, small enough to
/// stay in the processor's cache.
const BLOCK: usize = 256 * 1024;

/// Bytes that may wait for the writer before packets are left to the kernel's buffer.
const WAITING: u64 = 16 << 20;

/// Packets on their way to the writer.
pub(crate) struct Recorder {
    encoder: Encoder,
    /// Packets in the encoder's buffer.
    packets: u64,
    schedule: Schedule,
    file: Extent,
    header: u64,
    work: Sender<Work>,
    empty: Receiver<Vec<u8>>,
    shared: Arc<Shared>,
    flush_every: Duration,
    flushed: Instant,
    limits: Limits,
    over: bool,
    discarding: bool,
    /// The counters of each interface when they were last asked for.
    pub(crate) statistics: Vec<InterfaceStatistics>,
    /// Packets taken, and given to the writer or about to be.
    pub(crate) taken: u64,
    /// Packets whose time stamp the format has no room for.
    pub(crate) untimed: u64,
    /// Bytes of all files, before compression.
    bytes: u64,
    /// Files begun.
    files: u64,
}

/// What ends a capture, time and signals aside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) packets: u64,
    pub(crate) files: u64,
    /// Bytes of all files, before compression.
    pub(crate) bytes: u64,
}

/// What a recorder needs to begin.
pub(crate) struct Plan {
    pub(crate) encoder: Encoder,
    /// Length of what stands at the front of each file.
    pub(crate) header: usize,
    pub(crate) interfaces: usize,
    pub(crate) schedule: Schedule,
    pub(crate) flush_every: Duration,
    pub(crate) limits: Limits,
}

impl Recorder {
    pub(crate) fn new(plan: Plan, work: Sender<Work>, empty: Receiver<Vec<u8>>, shared: Arc<Shared>) -> Self {
        let header = u64::try_from(plan.header).unwrap_or(u64::MAX);
        Self {
            encoder: plan.encoder,
            packets: 0,
            schedule: plan.schedule,
            file: Extent { bytes: header, packets: 0 },
            header,
            work,
            empty,
            shared,
            flush_every: plan.flush_every,
            flushed: Instant::now(),
            limits: plan.limits,
            over: false,
            discarding: false,
            statistics: vec![InterfaceStatistics::default(); plan.interfaces],
            taken: 0,
            untimed: 0,
            bytes: header,
            files: 1,
        }
    }

    /// Whether so much waits for the writer that no more shall be read.
    pub(crate) fn is_full(&self) -> bool {
        self.shared.waiting.load(Relaxed) >= WAITING
    }

    /// Whether a limit is reached.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// From now on only counts: it is over, the output does not take any more, and what is left shall be known.
    pub(crate) fn discard(&mut self) {
        self.discarding = true;
    }

    /// Whether it only counts.
    pub(crate) fn is_discarding(&self) -> bool {
        self.discarding
    }

    /// How many packets there are until the limit of packets.
    pub(crate) fn room(&self) -> u64 {
        self.limits.packets - self.taken
    }

    /// Takes one packet of an interface (by number), unless a limit is reached. Never waits and never fails.
    pub(crate) fn packet(&mut self, interface: u32, packet: &Packet<'_>) -> bool {
        let length = self.encoder.length(packet.data.len());
        if let Some(begins) = self.schedule.before_packet(packet.ts_ns, length, &self.file) {
            self.next_file(begins);
        }
        self.over = self.over || self.taken >= self.limits.packets || self.bytes + length > self.limits.bytes;
        if self.over {
            return false;
        }
        self.taken += 1;
        self.over = self.taken >= self.limits.packets;
        if self.discarding {
            self.shared.unwritten.fetch_add(1, Relaxed);
            return true;
        }
        if self.encoder.packet(interface, packet.ts_ns, packet.wire_len, packet.data).is_err() {
            // Writing to memory fails for no other reason.
            self.untimed += 1;
            return true;
        }
        self.packets += 1;
        self.file.packets += 1;
        self.file.bytes += length;
        self.bytes += length;
        if self.encoder.buffer().len() >= BLOCK {
            self.flush();
        }
        true
    }

    /// Looks at the clock: begins the next file if its time has come, and hands on what has waited long enough. Times are
    /// Unix nanoseconds.
    pub(crate) fn tick(&mut self, now: i64, grace: i64) {
        if let Some(begins) = self.schedule.at_time(now, grace) {
            self.next_file(begins);
        }
        if self.flushed.elapsed() >= self.flush_every {
            self.flush();
        }
    }

    /// Hands on everything so far.
    pub(crate) fn flush(&mut self) {
        self.flushed = Instant::now();
        if self.encoder.buffer().is_empty() {
            return;
        }
        let room = self.empty.try_recv().unwrap_or_else(|_| Vec::with_capacity(BLOCK + BLOCK / 4));
        let bytes = std::mem::replace(self.encoder.buffer(), room);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.shared.waiting.fetch_add(length, Relaxed);
        let block = Block { bytes, packets: std::mem::take(&mut self.packets) };
        // When the writer is gone, whoever holds its thread learns why.
        drop(self.work.send(Work::Write(block)));
    }

    /// Ends the file, with the counters in it, and begins another at a time (Unix nanoseconds).
    pub(crate) fn next_file(&mut self, begins: i64) {
        if self.over || self.files >= self.limits.files {
            self.over = true;
            return;
        }
        self.write_statistics();
        self.flush();
        drop(self.work.send(Work::NextFile(begins)));
        self.file = Extent { bytes: self.header, packets: 0 };
        self.bytes += self.header;
        self.files += 1;
    }

    /// Adds the counters of every interface to the file.
    fn write_statistics(&mut self) {
        for (interface, counts) in (0..).zip(&self.statistics) {
            // A clock before 1970 is no reason to stop.
            let _: io::Result<()> = self.encoder.statistics(interface, counts);
        }
    }

    /// Hands on the rest, with the counters; the writer ends when it has done that.
    pub(crate) fn finish(mut self) {
        self.write_statistics();
        self.flush();
    }
}
