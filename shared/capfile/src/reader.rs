//! Reading a capture, batch by batch.

use std::io::Read;

use crate::{
    batch::Batch,
    damage::{Damage, DamageKind, DamageLog},
    error::Error,
    input::{Fault, Gzip, Packed, Source, Zstd},
    pcap::Pcap,
    pcapng::PcapNg,
    sniff::{self, Kind},
    walk::{HARD_MAX, Next, Sink, Window},
};

/// Capture bytes that a batch aims at. With the records found in 60-byte packets (48 bytes each) it stays
/// within a second-level cache of 1 MiB. `cargo bench -p probeline-capfile` on one core of an EPYC with that
/// much: 190 million packets/s of pcap and 150 of pcapng from a warm file, 13 through gzip, 45 through zstd;
/// batches of 1 MiB and more are slower, of 64 KiB no faster.
const BATCH: usize = 256 << 10;

/// The most that is ever asked for at once: the largest record, its header and the longest look ahead.
const MOST: usize = HARD_MAX as usize + (2 << 20);

/// Compression inside compression is followed this deep.
const LAYERS: usize = 3;

/// Bytes read at once while finding out what an input is.
const HEAD: usize = 4 << 10;

/// Reads a capture from any [`Read`].
///
/// Memory: one batch of about 256 KiB and, in a batch, the largest record met (at most 8 MiB plus 2 MiB of
/// look ahead where a capture is damaged); gzip and zstd add about 0.6 MiB, zstd also the window of the
/// frame, at most 8 MiB: frames made with `--ultra` or `--long` can have larger ones and are refused.
/// Nothing is allocated because the input claims a length, only because bytes arrived.
pub struct Reader<R> {
    source: Source<R>,
    walker: Walker,
    /// Bytes read but not used yet, and the offset of the first in the capture.
    carry: Vec<u8>,
    offset: u64,
    /// Bytes the walker needs to go on.
    need: usize,
    live: bool,
    ended: bool,
    /// What is read next does not follow on what has been read.
    broken: bool,
    failed: Option<Error>,
    log: DamageLog,
    /// Damage to the compression at these offsets, to be noted after the packets before it.
    unnoted: Vec<(DamageKind, u64)>,
    packets: u64,
    nanos: bool,
    name: String,
}

enum Walker {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

impl<R> std::fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("format", &self.name)
            .field("packets", &self.packets)
            .finish_non_exhaustive()
    }
}

impl<R: Read> Reader<R> {
    /// Finds out what `input` is, unpacks it if need be, and reads the header of the capture.
    ///
    /// Reads only as much as that takes, plus at most 4 KiB of what is there already.
    ///
    /// # Errors
    /// [`Error`], if the input is empty, no capture, shorter than the header of one, or cannot be read.
    pub fn new(input: R) -> Result<Self, Error> {
        let mut source = Source::new(input);
        let mut layers = Vec::new();
        let mut log = DamageLog::default();
        let mut head = Vec::new();
        loop {
            fill_head(&mut source, &mut head, 4, &mut log)?;
            if head.len() < 4
                && let Some(error) = broken(&log)
            {
                return Err(error);
            }
            if head.is_empty() {
                return Err(Error::Empty { layers });
            }
            let kind = sniff::kind(&head);
            match kind {
                Some(Kind::Gzip | Kind::Zstd) if layers.len() == LAYERS => {
                    let hint = Some("compression inside compression, deeper than is followed here");
                    return Err(Error::NotACapture { first: first(&head), hint, layers });
                }
                Some(Kind::Gzip) => {
                    source = Source::Gzip(Box::new(Gzip::new(Packed::new(source, &head))));
                    layers.push("gzip");
                }
                Some(Kind::Zstd) => {
                    let zstd = Zstd::new(Packed::new(source, &head)).map_err(|fault| error(fault, 0, 0))?;
                    source = Source::Zstd(Box::new(zstd));
                    layers.push("zstd");
                }
                Some(Kind::Pcap(_) | Kind::PcapNg) => break,
                None => {
                    let hint = sniff::hint(&head);
                    return Err(Error::NotACapture { first: first(&head), hint, layers });
                }
            }
            head.clear();
        }
        let (format, need) = match sniff::kind(&head) {
            Some(Kind::PcapNg) => ("pcapng", sniff::SECTION_START),
            _ => ("pcap", sniff::PCAP_HEADER),
        };
        fill_head(&mut source, &mut head, need, &mut log)?;
        if head.len() < need {
            return Err(broken(&log).unwrap_or(Error::HeaderTruncated { format, have: head.len(), need }));
        }
        let name =
            std::iter::once(format).chain(layers.iter().rev().copied()).collect::<Vec<_>>().join(" in ");
        let mut sink = Sink { records: &mut Vec::new(), log: &mut log, packets: 0 };
        let Some((walker, used)) = Walker::new(&head, 0, 0, &mut sink) else {
            return Err(Error::NotACapture { first: first(&head), hint: None, layers });
        };
        head.drain(..used);
        Ok(Self {
            source,
            nanos: walker.finer_than_micros(),
            walker,
            carry: head,
            offset: used as u64,
            need: 1,
            live: false,
            ended: false,
            broken: false,
            failed: None,
            log,
            unnoted: Vec::new(),
            packets: 0,
            name,
        })
    }

    /// Whether the input is live: a pipe, a socket, a file that still grows (behind a `Read` that waits for
    /// it).
    ///
    /// A live reader hands out a batch as soon as it holds a whole record and the input has no more right
    /// now, that is, when a read gave less than there was room for. Otherwise (the default) batches are
    /// filled. A record that looks odd (see [`DamageKind::Length`]) waits for the header of the next one.
    #[must_use]
    pub fn live(mut self, yes: bool) -> Self {
        self.live = yes;
        self
    }

    /// Refills `batch` with the next records. `Ok(true)` means at least one record, `Ok(false)` the end.
    ///
    /// # Errors
    /// [`Error::Io`] if the underlying input cannot be read; the packets before have been handed out by
    /// earlier calls. Calling again tries to read on.
    pub fn read_batch(&mut self, batch: &mut Batch) -> Result<bool, Error> {
        batch.clear();
        if let Some(failure) = self.failed.take() {
            return Err(failure);
        }
        self.uncarry(batch);
        loop {
            // What a live input gave already goes out before it is asked for more: asking may take hours.
            if !self.live || batch.byte_len() < self.need {
                self.fill(batch);
            }
            let (consumed, need) = self.walk(batch);
            if self.broken && consumed == batch.byte_len() {
                self.broken = false;
                self.walker.break_at(self.offset + consumed as u64);
            }
            self.need = need.clamp(1, MOST);
            if !batch.is_empty() {
                self.keep(batch, consumed);
                return Ok(true);
            }
            batch.drop_front(consumed);
            self.offset += consumed as u64;
            if self.ended || self.failed.is_some() {
                self.keep(batch, 0);
                batch.clear();
                return self.failed.take().map_or(Ok(false), Err);
            }
        }
    }

    /// The damage met so far: the first 64, in file order. [`Reader::damage_count`] counts all.
    pub fn damage(&self) -> &[Damage] {
        self.log.kept()
    }

    /// How often damage was met so far.
    pub fn damage_count(&self) -> u64 {
        self.log.count()
    }

    /// Bytes of the uncompressed capture that yielded nothing because of damage.
    pub fn damage_bytes(&self) -> u64 {
        self.log.skipped()
    }

    /// Packets handed out so far.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Digits after the second that timestamps need: 9 if anything met so far is finer than a microsecond
    /// (nanosecond pcap, a pcapng interface whose unit is not a whole number of microseconds), else 6.
    pub fn time_digits(&self) -> u8 {
        if self.nanos { 9 } else { 6 }
    }

    /// What the input is, such as `pcap`, `pcapng in gzip` or `pcap in gzip in zstd`: what it began with,
    /// where captures follow each other.
    pub fn format_name(&self) -> &str {
        &self.name
    }

    /// Bytes taken from the underlying, possibly compressed, input.
    pub fn bytes_read(&self) -> u64 {
        self.source.bytes_read()
    }

    /// Moves what was left over to the front of the batch.
    fn uncarry(&mut self, batch: &mut Batch) {
        let len = self.carry.len();
        if let Some(room) = batch.room(BATCH.max(len)).get_mut(..len) {
            room.copy_from_slice(&self.carry);
        }
        batch.advance(len);
        self.carry.clear();
    }

    /// Keeps everything after the first `consumed` bytes for the next call.
    fn keep(&mut self, batch: &Batch, consumed: usize) {
        self.carry.clear();
        self.carry.extend_from_slice(batch.filled().get(consumed..).unwrap_or_default());
        self.carry.shrink_to(BATCH);
        self.offset += consumed as u64;
    }

    /// Reads until the batch is full, the input ends or fails, or (live) has no more for now.
    fn fill(&mut self, batch: &mut Batch) {
        // A large need gets a batch on top, so that the rest is moved once per batch and not once per step.
        let target = if self.need > BATCH { self.need + BATCH } else { BATCH };
        while !self.ended && !self.broken && self.failed.is_none() && batch.byte_len() < target {
            // Room grows with the bytes that arrive, not with what a record claims.
            let size = target.min((batch.byte_len() * 2).max(BATCH));
            let room = batch.room(size);
            let asked = room.len();
            match self.source.read(room) {
                Ok(0) => self.ended = true,
                Ok(n) => {
                    batch.advance(n);
                    if self.live && n < asked && batch.byte_len() >= self.need {
                        return;
                    }
                }
                Err(Fault::Corrupt { layer, at, what, gap }) => {
                    self.broken |= gap;
                    let offset = self.offset + batch.byte_len() as u64;
                    self.unnoted.push((DamageKind::Compressed { layer, at, what }, offset));
                }
                Err(fault) => self.failed = Some(error(fault, self.packets, self.source.bytes_read())),
            }
        }
    }

    /// Finds the records among the filled bytes. Returns how many bytes are done with, and how many are
    /// needed from there to go on.
    fn walk(&mut self, batch: &mut Batch) -> (usize, usize) {
        let (bytes, records) = batch.parts();
        let window = Window { bytes, offset: self.offset, last: self.ended || self.broken };
        let mut sink = Sink { records, log: &mut self.log, packets: self.packets };
        let mut from = 0;
        let (consumed, need) = loop {
            let walked = match &mut self.walker {
                Walker::Pcap(pcap) => pcap.walk(window, from, &mut sink),
                Walker::PcapNg(pcapng) => pcapng.walk(window, from, &mut sink),
            };
            let Next::More(need) = walked.next else {
                let at = walked.consumed;
                self.nanos |= self.walker.finer_than_micros();
                match self.walker.follow(bytes.get(at..).unwrap_or_default(), window.at(at), &mut sink) {
                    Some(used) => {
                        from = at + used;
                        continue;
                    }
                    None if window.last => {
                        sink.note(DamageKind::Truncated, window.at(at), window.left(at) as u64);
                        break (bytes.len(), 1);
                    }
                    None => break (at, sniff::PCAP_HEADER),
                }
            };
            break (walked.consumed, need);
        };
        let before = self.packets;
        self.packets = sink.packets;
        let done = self.offset + consumed as u64;
        for (kind, offset) in self.unnoted.extract_if(.., |(_, offset)| *offset <= done) {
            let in_batch = records.partition_point(|record| record.offset < offset);
            self.log.note(kind, before + in_batch as u64, offset, 0);
        }
        self.nanos |= self.walker.finer_than_micros();
        if let Some(Error::Io { packets, .. }) = &mut self.failed {
            *packets = self.packets;
        }
        (consumed, need)
    }
}

impl Walker {
    /// The walker for the capture that begins with `head`, and how many bytes its file header takes. Nothing
    /// if `head` is too short or no capture. `interfaces` came before.
    fn new(head: &[u8], offset: u64, interfaces: u32, sink: &mut Sink<'_>) -> Option<(Self, usize)> {
        match sniff::kind(head)? {
            Kind::Pcap(variant) => {
                let header = head.get(..sniff::PCAP_HEADER)?;
                Some((Self::Pcap(Pcap::new(variant, header, offset, interfaces, sink)), sniff::PCAP_HEADER))
            }
            // Its section header is a block like others.
            Kind::PcapNg => Some((Self::PcapNg(PcapNg::new(interfaces)), 0)),
            Kind::Gzip | Kind::Zstd => None,
        }
    }

    /// Goes over to the capture that begins with `head`, like [`Walker::new`].
    fn follow(&mut self, head: &[u8], offset: u64, sink: &mut Sink<'_>) -> Option<usize> {
        let interfaces = match self {
            Self::Pcap(pcap) => pcap.interfaces_so_far(),
            Self::PcapNg(pcapng) => pcapng.interfaces_so_far(),
        };
        let (walker, used) = Self::new(head, offset, interfaces, sink)?;
        *self = walker;
        Some(used)
    }

    fn break_at(&mut self, offset: u64) {
        match self {
            Self::Pcap(pcap) => pcap.break_at(offset),
            Self::PcapNg(pcapng) => pcapng.break_at(offset),
        }
    }

    fn finer_than_micros(&self) -> bool {
        match self {
            Self::Pcap(pcap) => pcap.finer_than_micros(),
            Self::PcapNg(pcapng) => pcapng.finer_than_micros(),
        }
    }
}

/// Reads until `head` has `want` bytes or the input ends.
fn fill_head<R: Read>(
    source: &mut Source<R>,
    head: &mut Vec<u8>,
    want: usize,
    log: &mut DamageLog,
) -> Result<(), Error> {
    while head.len() < want {
        let have = head.len();
        head.resize(have + HEAD, 0);
        let read = source.read(head.get_mut(have..).unwrap_or_default());
        head.truncate(have + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => break,
            Ok(_) => {}
            Err(Fault::Corrupt { layer, at, what, .. }) => {
                log.note(DamageKind::Compressed { layer, at, what }, 0, have as u64, 0);
            }
            Err(fault) => return Err(error(fault, 0, source.bytes_read())),
        }
    }
    Ok(())
}

/// The damage to the compression, if that is why there are too few bytes.
fn broken(log: &DamageLog) -> Option<Error> {
    log.kept().iter().find_map(|damage| match damage.kind.clone() {
        DamageKind::Compressed { layer, at, what } => Some(Error::Compressed { layer, at, what }),
        _ => None,
    })
}

fn first(head: &[u8]) -> Vec<u8> {
    head.get(..head.len().min(16)).unwrap_or_default().to_vec()
}

fn error(fault: Fault, packets: u64, at: u64) -> Error {
    match fault {
        Fault::Io(source) => Error::Io { packets, at, source },
        Fault::Corrupt { layer, at, what, .. } => Error::Compressed { layer, at, what },
    }
}
