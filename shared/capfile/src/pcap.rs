//! Classic pcap: one file header, then records of a small header and the captured bytes.
//!
//! Layout from draft-ietf-opsawg-pcap and libpcap's `sf-pcap.c`, which also says what old versions did
//! differently.

use crate::{
    batch::{LinkType, Record},
    damage::DamageKind,
    sniff::{self, Variant},
    walk::{HARD_MAX, Lost, Next, STOP, Sink, USUAL_MAX, Walked, Window, u16_at, u32_at},
};

/// Record header up to the lengths; Kuznetzov's form has eight more bytes (interface, protocol, packet type).
const HEADER: usize = 16;
const MODIFIED_HEADER: usize = 24;

/// Consecutive record headers that must make sense before a search is over.
const CHAIN: usize = 4;

/// The most that a chain can span, and so what a search looks ahead.
const CHAIN_SPAN: usize = CHAIN * (USUAL_MAX as usize + MODIFIED_HEADER) + HEADER;

/// Zeros from which on an all-zero record header is a hole in the file and not a record of no bytes.
const ZERO_RUN: usize = 64;

/// How far timestamps may go back and forth between neighbours in a chain, seconds: a day back (reordering,
/// clock steps) and 30 days on (a sparse capture). Enough to reject random bytes, for which 32-bit seconds
/// are near by chance one time in 1,600.
const BACK: u32 = 86_400;
const FORTH: u32 = 30 * 86_400;

/// The walker of one classic pcap file.
#[derive(Debug)]
pub(crate) struct Pcap {
    big: bool,
    header: usize,
    link: LinkType,
    /// Number of its one interface in the whole input.
    interface: u32,
    /// Nanoseconds in one unit of the fraction, and units in a second.
    unit: i64,
    units: u32,
    /// Captured lengths up to this are ordinary; above, what follows is looked at first.
    usual: u32,
    /// Captured lengths above this are never read.
    limit: u32,
    lengths: Lengths,
    /// Seconds of the last good record.
    last_sec: Option<u32>,
    lost: Option<Lost>,
}

/// Order of the two lengths in a record header. libpcap: before version 2.3 (and in DG/UX's 543.0) the wire
/// length came first; in 2.3 either, and the smaller one is the captured length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    WireFirst,
    SmallerIsCaptured,
}

/// A record header, decoded.
#[derive(Debug, Clone, Copy)]
struct Head {
    sec: u32,
    frac: u32,
    cap_len: u32,
    wire_len: u32,
}

/// Whether a chain of records begins at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chain {
    Yes,
    No,
    /// Not known without this many bytes from the place on.
    More(usize),
}

/// What a search came to.
enum Found {
    At(usize),
    /// The header of another capture.
    HeaderAt(usize),
    /// Undecided: nothing before this place, and so many bytes are needed from it on.
    More(usize, usize),
    Nothing,
}

impl Pcap {
    /// `header` is the file header, found at `offset`; `interface` interfaces came before.
    pub(crate) fn new(
        variant: Variant,
        header: &[u8],
        offset: u64,
        interface: u32,
        sink: &mut Sink<'_>,
    ) -> Self {
        let (major, minor, snaplen, field) = if variant.big {
            (
                u16_at::<true>(header, 4),
                u16_at::<true>(header, 6),
                u32_at::<true>(header, 16),
                u32_at::<true>(header, 20),
            )
        } else {
            (
                u16_at::<false>(header, 4),
                u16_at::<false>(header, 6),
                u32_at::<false>(header, 16),
                u32_at::<false>(header, 20),
            )
        };
        let lengths = match (major, minor) {
            (2, 0..=2) | (543, _) => Lengths::WireFirst,
            (2, 3) => Lengths::SmallerIsCaptured,
            _ => Lengths::CapturedFirst,
        };
        if !matches!((major, minor), (2, 0..=4) | (543, 0)) {
            sink.note(DamageKind::Version { major, minor }, offset, 0);
        }
        // draft-ietf-opsawg-pcap §4: 16 bits of link type, 10 reserved (bits 16 to 25), R, P and the FCS
        // length.
        if field & 0x03ff_0000 != 0 {
            sink.note(DamageKind::LinkTypeBits { field }, offset, 0);
        }
        let usual = if snaplen == 0 { USUAL_MAX } else { snaplen.min(USUAL_MAX) };
        Self {
            big: variant.big,
            header: if variant.modified { MODIFIED_HEADER } else { HEADER },
            link: LinkType(field & 0xffff),
            interface,
            unit: if variant.nanos { 1 } else { 1_000 },
            units: if variant.nanos { 1_000_000_000 } else { 1_000_000 },
            usual,
            limit: snaplen.clamp(USUAL_MAX, HARD_MAX),
            lengths,
            last_sec: None,
            lost: None,
        }
    }

    /// Interfaces so far in the whole input, this one included.
    pub(crate) fn interfaces_so_far(&self) -> u32 {
        self.interface.saturating_add(1)
    }

    /// Whether its times have nanoseconds.
    pub(crate) fn finer_than_micros(&self) -> bool {
        self.unit < 1_000
    }

    /// What comes next, at `offset`, does not follow on what came before.
    pub(crate) fn break_at(&mut self, offset: u64) {
        self.lost = Some(Lost { kind: DamageKind::AfterBreak, since: offset });
    }

    /// Walks over the window from its byte `from` on.
    pub(crate) fn walk(&mut self, window: Window<'_>, from: usize, sink: &mut Sink<'_>) -> Walked {
        if self.big { self.run::<true>(window, from, sink) } else { self.run::<false>(window, from, sink) }
    }

    fn run<const BIG: bool>(&mut self, window: Window<'_>, from: usize, sink: &mut Sink<'_>) -> Walked {
        let mut pos = from;
        loop {
            if self.lost.is_some() {
                match self.search::<BIG>(window, pos, window.bytes.len()) {
                    Found::At(found) => {
                        self.settle(window.at(found), sink);
                        pos = found;
                    }
                    Found::HeaderAt(found) => {
                        self.settle(window.at(found), sink);
                        return Walked { consumed: found, next: Next::Header };
                    }
                    Found::More(found, need) => return Walked { consumed: found, next: Next::More(need) },
                    Found::Nothing => {
                        let end = window.bytes.len();
                        self.settle(window.at(end), sink);
                        return Walked { consumed: end, next: Next::More(1) };
                    }
                }
            }
            if self.lengths == Lengths::CapturedFirst {
                pos = self.ordinary::<BIG>(window, pos, sink);
            }
            if pos >= STOP && !sink.records.is_empty() {
                return Walked { consumed: pos, next: Next::More(1) };
            }
            match self.one::<BIG>(window, pos, sink) {
                Step::To(next) => pos = next,
                Step::Lost(kind) => self.lost = Some(Lost { kind, since: window.at(pos) }),
                Step::Stop(next) => return Walked { consumed: pos, next },
                Step::End => return Walked { consumed: window.bytes.len(), next: Next::More(1) },
            }
        }
    }

    /// The hot loop: ordinary whole records. Stops at the first that is anything else.
    fn ordinary<const BIG: bool>(
        &mut self,
        window: Window<'_>,
        mut pos: usize,
        sink: &mut Sink<'_>,
    ) -> usize {
        let bytes = window.bytes;
        let mut packets = sink.packets;
        let Some(mut last_sec) = self.last_sec else { return pos };
        while pos < STOP
            && let Some(Ok(raw)) = bytes.get(pos..pos.wrapping_add(HEADER)).map(<&[u8; HEADER]>::try_from)
        {
            let head = Head::decode::<BIG>(raw);
            let start = pos.wrapping_add(self.header);
            let end = start.wrapping_add(head.cap_len as usize);
            let lengths = head.cap_len.wrapping_sub(1) < self.usual && head.cap_len <= head.wire_len;
            if !lengths || head.frac >= self.units || !near(head.sec, last_sec) || end > bytes.len() {
                break;
            }
            packets = packets.wrapping_add(1);
            last_sec = head.sec;
            sink.records.push(self.record(head, packets, window.at(pos), start));
            pos = end;
        }
        sink.packets = packets;
        self.last_sec = Some(last_sec);
        pos
    }

    /// One record of whatever kind.
    fn one<const BIG: bool>(&mut self, window: Window<'_>, pos: usize, sink: &mut Sink<'_>) -> Step {
        let bytes = window.bytes;
        let left = window.left(pos);
        let Some(head) = self.head::<BIG>(bytes, pos) else {
            if !window.last {
                return Step::Stop(Next::More(self.header));
            }
            if left > 0 {
                sink.note(DamageKind::Truncated, window.at(pos), left as u64);
            }
            return Step::End;
        };
        if head.cap_len == 0 && head.wire_len == 0 || head.cap_len > self.limit {
            if bytes.get(pos..).is_some_and(sniff::is_header) {
                return Step::Stop(Next::Header);
            }
            if head.sec | head.frac | head.cap_len == 0 {
                let run = bytes.get(pos..).unwrap_or_default();
                let zeros = run.iter().take(ZERO_RUN).take_while(|&&byte| byte == 0).count();
                if zeros >= ZERO_RUN {
                    return Step::Lost(DamageKind::ZeroFilled);
                }
                if zeros == run.len() && !window.last {
                    return Step::Stop(Next::More(ZERO_RUN));
                }
            }
        }
        if head.cap_len > self.limit {
            return Step::Lost(DamageKind::Length { cap_len: head.cap_len });
        }
        let start = pos + self.header;
        let end = start + head.cap_len as usize;
        if !self.ordinary_head(head, self.last_sec) {
            match self.doubtful::<BIG>(window, pos, head, end) {
                Doubt::Believe => {}
                Doubt::Lie => return Step::Lost(DamageKind::Length { cap_len: head.cap_len }),
                Doubt::More(need) => return Step::Stop(Next::More(need)),
            }
        }
        if end > bytes.len() {
            if !window.last {
                return Step::Stop(Next::More(end - pos));
            }
            sink.note(DamageKind::Truncated, window.at(pos), left as u64);
            return Step::End;
        }
        sink.packets += 1;
        sink.records.push(self.record(head, sink.packets, window.at(pos), start));
        self.last_sec = Some(head.sec);
        Step::To(end)
    }

    /// Whether lengths and time are as in almost every capture: anything else may be a damaged header.
    fn ordinary_head(&self, head: Head, before: Option<u32>) -> bool {
        head.cap_len <= self.usual
            && head.cap_len <= head.wire_len
            && head.frac < self.units
            && before.is_none_or(|sec| near(head.sec, sec))
    }

    /// Whether to believe a record whose captured length is above the wire length or the snapshot length, or
    /// whose time is far off. Such records exist, but a damaged header looks the same and its length would
    /// swallow good records. It is a lie if what follows is no record while inside the claimed bytes there is
    /// a chain of good ones.
    fn doubtful<const BIG: bool>(&self, window: Window<'_>, pos: usize, head: Head, end: usize) -> Doubt {
        let bytes = window.bytes;
        if end == bytes.len() && window.last {
            return Doubt::Believe;
        }
        match self.head::<BIG>(bytes, end) {
            Some(next)
                if next.cap_len <= self.limit
                    && next.frac < self.units
                    && (near(next.sec, head.sec) || self.last_sec.is_some_and(|sec| near(next.sec, sec)))
                    && (next.sec | next.cap_len | next.wire_len) != 0 =>
            {
                return Doubt::Believe;
            }
            Some(_) if bytes.get(end..).is_some_and(sniff::is_header) => return Doubt::Believe,
            None if !window.last => return Doubt::More(end - pos + self.header),
            // No record follows, or the input ends inside this one or in the header of the next.
            _ => {}
        }
        let ahead = end - pos + CHAIN_SPAN;
        if !window.last && window.left(pos) < ahead {
            return Doubt::More(ahead);
        }
        match self.search::<BIG>(window, pos + 1, end) {
            Found::At(_) => Doubt::Lie,
            // A file header inside a packet is a transferred capture.
            Found::HeaderAt(_) | Found::More(..) | Found::Nothing => Doubt::Believe,
        }
    }

    /// Looks for a chain of records, or the header of another capture, that begins in `from..to`.
    fn search<const BIG: bool>(&self, window: Window<'_>, from: usize, to: usize) -> Found {
        let bytes = window.bytes;
        let to = to.min(bytes.len());
        for pos in from..to {
            let left = window.left(pos);
            if left < HEADER {
                return if window.last { Found::Nothing } else { Found::More(pos, HEADER) };
            }
            if bytes.get(pos..).is_some_and(sniff::is_header) {
                // The whole header, so that the other walker can begin at once.
                return if window.left(pos) < sniff::PCAP_HEADER && !window.last {
                    Found::More(pos, sniff::PCAP_HEADER)
                } else {
                    Found::HeaderAt(pos)
                };
            }
            match self.chain::<BIG>(window, pos) {
                Chain::Yes => return Found::At(pos),
                Chain::No => {}
                Chain::More(need) => return Found::More(pos, need),
            }
        }
        if window.last || to < bytes.len() { Found::Nothing } else { Found::More(to, HEADER) }
    }

    /// Whether good records follow each other from `pos` on.
    #[inline]
    fn chain<const BIG: bool>(&self, window: Window<'_>, pos: usize) -> Chain {
        let mut before = self.last_sec;
        let mut at = pos;
        for links in 0..CHAIN {
            if window.last && at == window.bytes.len() && links > 0 {
                return Chain::Yes;
            }
            let Some(head) = self.head::<BIG>(window.bytes, at) else {
                // Cut inside a header: two whole records before it will do.
                return match window.last {
                    true if links > 1 => Chain::Yes,
                    true => Chain::No,
                    false => Chain::More(at - pos + self.header),
                };
            };
            let lengths = head.cap_len > 0 && head.cap_len <= head.wire_len && head.wire_len <= USUAL_MAX;
            if !lengths || head.frac >= self.units || !before.is_none_or(|sec| near(head.sec, sec)) {
                return Chain::No;
            }
            before = Some(head.sec);
            at += self.header + head.cap_len as usize;
            if at > window.bytes.len() {
                return match window.last {
                    true if links > 1 => Chain::Yes,
                    true => Chain::No,
                    false => Chain::More(at - pos),
                };
            }
        }
        Chain::Yes
    }

    /// Ends a search and writes down what it cost.
    fn settle(&mut self, now: u64, sink: &mut Sink<'_>) {
        if let Some(lost) = self.lost.take() {
            lost.settle(now, sink);
        }
    }

    /// The record header at `pos`, if it is there in whole.
    fn head<const BIG: bool>(&self, bytes: &[u8], pos: usize) -> Option<Head> {
        let whole = bytes.get(pos..pos.checked_add(self.header)?)?;
        let mut head = Head::decode::<BIG>(whole.first_chunk()?);
        let swap = match self.lengths {
            Lengths::CapturedFirst => false,
            Lengths::WireFirst => true,
            Lengths::SmallerIsCaptured => head.cap_len > head.wire_len,
        };
        if swap {
            std::mem::swap(&mut head.cap_len, &mut head.wire_len);
        }
        Some(head)
    }

    #[inline(always)]
    fn record(&self, head: Head, number: u64, offset: u64, start: usize) -> Record {
        Record {
            // 2^32 seconds and 2^32 units of a microsecond are far below 2^63 nanoseconds.
            ts_nanos: i64::from(head.sec)
                .wrapping_mul(1_000_000_000)
                .wrapping_add(i64::from(head.frac).wrapping_mul(self.unit)),
            number,
            offset,
            cap_len: head.cap_len,
            wire_len: head.wire_len,
            link: self.link,
            interface: self.interface,
            input: 0,
            start: start as u32,
        }
    }
}

impl Head {
    #[inline(always)]
    fn decode<const BIG: bool>(raw: &[u8; HEADER]) -> Self {
        Self {
            sec: u32_at::<BIG>(raw, 0),
            frac: u32_at::<BIG>(raw, 4),
            cap_len: u32_at::<BIG>(raw, 8),
            wire_len: u32_at::<BIG>(raw, 12),
        }
    }
}

/// Whether two neighbours can have these seconds.
#[inline(always)]
fn near(sec: u32, before: u32) -> bool {
    sec.wrapping_sub(before.wrapping_sub(BACK)) <= BACK + FORTH
}

/// What one record came to.
enum Step {
    To(usize),
    Lost(DamageKind),
    Stop(Next),
    End,
}

enum Doubt {
    Believe,
    Lie,
    More(usize),
}
