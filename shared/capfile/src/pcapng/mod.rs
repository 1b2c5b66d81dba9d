//! pcapng: blocks with their length at both ends (draft-ietf-opsawg-pcapng).

mod interface;
mod writer;

use self::interface::Interface;
pub use self::writer::{InterfaceInfo, InterfaceStatistics, PcapngWriter, SectionInfo};
use crate::{
    batch::Record,
    damage::DamageKind,
    sniff::{self, BYTE_ORDER_MAGIC, SECTION_HEADER, SECTION_START},
    walk::{HARD_MAX, Lost, Next, STOP, Sink, Walked, Window, u16_at, u32_at},
};

/// Block types (draft-ietf-opsawg-pcapng §11.1).
const INTERFACE_DESCRIPTION: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
/// Every type that a search believes: those above and Name Resolution, systemd Journal
/// Export, Decryption Secrets, Custom.
const KNOWN: [u32; 10] = [
    INTERFACE_DESCRIPTION,
    PACKET,
    SIMPLE_PACKET,
    4,
    INTERFACE_STATISTICS,
    ENHANCED_PACKET,
    9,
    10,
    0x0000_0BAD,
    0x4000_0BAD,
];

/// Type, length, and length again.
const FRAME: usize = 12;
/// An Enhanced or obsolete Packet Block: frame and fixed fields.
const PACKET_FIXED: usize = FRAME + 20;
/// A search believes no block above this: the largest packets and their options are far below.
const SEARCH_MAX: u32 = 1 << 20;
/// Interfaces kept per section.
const INTERFACES: usize = 65_536;

/// The walker of a pcapng file, section after section.
#[derive(Debug)]
pub(crate) struct PcapNg {
    big: bool,
    interfaces: Vec<Interface>,
    /// Number that interface 0 of this section has in the whole input.
    base: u32,
    finer_than_micros: bool,
    lost: Option<Lost>,
}

/// What a block came to.
enum Step {
    To(usize),
    Lost(DamageKind),
    Stop(Next),
    End,
}

enum Found {
    At(usize),
    HeaderAt(usize),
    More(usize, usize),
    Nothing,
}

impl PcapNg {
    /// A walker whose first section begins at the front of the first window; `base` interfaces came before.
    pub(crate) fn new(base: u32) -> Self {
        Self { big: false, interfaces: Vec::new(), base, finer_than_micros: false, lost: None }
    }

    /// Interfaces described so far in the whole input.
    pub(crate) fn interfaces_so_far(&self) -> u32 {
        self.base.saturating_add(u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX))
    }

    /// Whether any interface so far has timestamps that microseconds cannot hold.
    pub(crate) fn finer_than_micros(&self) -> bool {
        self.finer_than_micros
    }

    /// What comes next, at `offset`, does not follow on what came before.
    pub(crate) fn break_at(&mut self, offset: u64) {
        self.lost = Some(Lost { kind: DamageKind::AfterBreak, since: offset });
    }

    /// Walks over the window from its byte `from` on.
    pub(crate) fn walk(&mut self, window: Window<'_>, from: usize, sink: &mut Sink<'_>) -> Walked {
        let mut pos = from;
        loop {
            if self.lost.is_some() {
                match self.search(window, pos, window.bytes.len()) {
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
            pos = if self.big {
                self.ordinary::<true>(window, pos, sink)
            } else {
                self.ordinary::<false>(window, pos, sink)
            };
            if pos >= STOP && !sink.records.is_empty() {
                return Walked { consumed: pos, next: Next::More(1) };
            }
            let step = if self.big {
                self.one::<true>(window, pos, sink)
            } else {
                self.one::<false>(window, pos, sink)
            };
            match step {
                Step::To(next) => pos = next,
                Step::Lost(kind) => self.lost = Some(Lost { kind, since: window.at(pos) }),
                Step::Stop(next) => return Walked { consumed: pos, next },
                Step::End => return Walked { consumed: window.bytes.len(), next: Next::More(1) },
            }
        }
    }

    /// The hot loop: whole and sound Enhanced Packet Blocks. Stops at the first block that is anything else.
    fn ordinary<const BIG: bool>(&self, window: Window<'_>, mut pos: usize, sink: &mut Sink<'_>) -> usize {
        let bytes = window.bytes;
        let mut packets = sink.packets;
        while pos < STOP
            && let Some(Ok(raw)) = bytes.get(pos..pos.wrapping_add(28)).map(<&[u8; 28]>::try_from)
        {
            let length = u32_at::<BIG>(raw, 4) as usize;
            let end = pos.wrapping_add(length);
            let cap_len = u32_at::<BIG>(raw, 20);
            let sound = u32_at::<BIG>(raw, 0) == ENHANCED_PACKET
                && length.is_multiple_of(4)
                && length >= PACKET_FIXED
                && end <= bytes.len()
                && u32_at::<BIG>(bytes, end.wrapping_sub(4)) as usize == length
                && cap_len as usize <= length.wrapping_sub(PACKET_FIXED);
            if !sound {
                break;
            }
            let number = u32_at::<BIG>(raw, 8);
            let Some(interface) = self.interfaces.get(number as usize) else { break };
            let ticks = u64::from(u32_at::<BIG>(raw, 12)) << 32 | u64::from(u32_at::<BIG>(raw, 16));
            let Ok(ts_nanos) = interface.time(ticks) else { break };
            packets = packets.wrapping_add(1);
            sink.records.push(Record {
                ts_nanos,
                number: packets,
                offset: window.at(pos),
                cap_len,
                wire_len: u32_at::<BIG>(raw, 24),
                link: interface.link,
                interface: self.base.wrapping_add(number),
                input: 0,
                start: pos.wrapping_add(28) as u32,
            });
            pos = end;
        }
        sink.packets = packets;
        pos
    }

    /// One block of whatever kind.
    fn one<const BIG: bool>(&mut self, window: Window<'_>, pos: usize, sink: &mut Sink<'_>) -> Step {
        let left = window.left(pos);
        if left < FRAME {
            if !window.last {
                return Step::Stop(Next::More(FRAME));
            }
            if left > 0 {
                sink.note(DamageKind::Truncated, window.at(pos), left as u64);
            }
            return Step::End;
        }
        let block = window.bytes.get(pos..).unwrap_or_default();
        if u32_at::<BIG>(block, 0) == SECTION_HEADER {
            return match byte_order(block) {
                // From here on the other byte order may hold, the length of this very block included.
                Some(true) => self.section::<true>(window, pos, sink),
                Some(false) => self.section::<false>(window, pos, sink),
                None => Step::Lost(DamageKind::ByteOrder),
            };
        }
        let end = match self.frame::<BIG>(window, pos, FRAME, sink) {
            Ok(end) => end,
            Err(step) => return step,
        };
        let whole = window.bytes.get(pos..end).unwrap_or_default();
        if let Some(kind) = self.block::<BIG>(whole, window.at(pos), pos, sink) {
            sink.note(kind, window.at(pos), (end - pos) as u64);
        }
        Step::To(end)
    }

    /// Where the block at `pos` ends, if its length holds.
    fn frame<const BIG: bool>(
        &self,
        window: Window<'_>,
        pos: usize,
        least: usize,
        sink: &mut Sink<'_>,
    ) -> Result<usize, Step> {
        let block = window.bytes.get(pos..).unwrap_or_default();
        let leading = u32_at::<BIG>(block, 4);
        let length = leading as usize;
        // Before the length is looked at: read in its own byte order, version 2.4 of pcap is a length like others.
        if sniff::is_pcap_header(block) {
            return Err(Step::Stop(Next::Header));
        }
        if length < least || leading > HARD_MAX {
            let zeros = leading == 0 && u32_at::<BIG>(block, 0) == 0;
            return Err(Step::Lost(if zeros {
                DamageKind::ZeroFilled
            } else {
                DamageKind::BlockLength { length: leading }
            }));
        }
        // Some writers leave the padding out of the length, some leave it out of the file.
        let padded = length.next_multiple_of(4);
        if block.len() < padded {
            if !window.last {
                return Err(Step::Stop(Next::More(padded)));
            }
            let exact = block.len() >= length && trailer::<BIG>(block, length) == leading;
            if !exact {
                return Err(self.cut::<BIG>(window, pos, sink));
            }
        }
        if trailer::<BIG>(block, length) == leading {
            return Ok(pos + length);
        }
        if trailer::<BIG>(block, padded) == leading {
            return Ok(pos + padded);
        }
        // The first length may be right all the same: if a block begins where it says, or if it is what the
        // packet in the block needs and there is no other block inside.
        let trailing = trailer::<BIG>(block, padded);
        let kind = DamageKind::BlockTrailer { leading, trailing };
        let next = pos + padded;
        if window.left(next) < FRAME && !window.last {
            return Err(Step::Stop(Next::More(padded + FRAME)));
        }
        let follows = window.left(next) == 0 || begins::<BIG>(window.bytes.get(next..).unwrap_or_default());
        if !follows {
            let ahead = padded + SEARCH_MAX as usize;
            if !window.last && block.len() < ahead {
                return Err(Step::Stop(Next::More(ahead)));
            }
            let inside =
                self.search(window, pos.saturating_add(self.filling::<BIG>(block).unwrap_or(FRAME)), next);
            if !self.suits::<BIG>(block) || matches!(inside, Found::At(_)) {
                return Err(Step::Lost(kind));
            }
        }
        sink.note(kind, window.at(pos), 0);
        Ok(next)
    }

    /// The input ends inside the block at `pos`, if its length is right. It is not if it does not suit what
    /// is in the block, or if another block begins behind that.
    fn cut<const BIG: bool>(&self, window: Window<'_>, pos: usize, sink: &mut Sink<'_>) -> Step {
        let block = window.bytes.get(pos..).unwrap_or_default();
        let filling = self.filling::<BIG>(block);
        let whole = if filling.is_some() { self.suits::<BIG>(block) } else { begins::<BIG>(block) };
        let inside = self.search(window, pos.saturating_add(filling.unwrap_or(FRAME)), window.bytes.len());
        if !whole || matches!(inside, Found::At(_)) {
            return Step::Lost(DamageKind::BlockLength { length: u32_at::<BIG>(block, 4) });
        }
        sink.note(DamageKind::Truncated, window.at(pos), window.left(pos) as u64);
        Step::End
    }

    /// Bytes from the beginning of a packet block to the end of its packet: other blocks can begin behind,
    /// but what looks like one before is what somebody sent. Nothing, if there is no packet to go by.
    fn filling<const BIG: bool>(&self, block: &[u8]) -> Option<usize> {
        let (fixed, cap_len) = match u32_at::<BIG>(block, 0) {
            ENHANCED_PACKET | PACKET if block.len() >= 24 => (28, u32_at::<BIG>(block, 20)),
            SIMPLE_PACKET => {
                let snaplen =
                    self.interfaces.first().map(|interface| interface.snaplen).filter(|&len| len > 0);
                (12, u32_at::<BIG>(block, 8).min(snaplen.unwrap_or(u32::MAX)))
            }
            _ => return None,
        };
        Some((cap_len as usize).saturating_add(fixed))
    }

    /// Whether the length of a packet block is what its packet needs, options of up to 4 KiB included (an
    /// option can be 64 KiB, but writers' options are a few hundred bytes).
    fn suits<const BIG: bool>(&self, block: &[u8]) -> bool {
        let length = u32_at::<BIG>(block, 4) as usize;
        self.filling::<BIG>(block).is_some_and(|filling| {
            length >= filling.saturating_add(4) && length <= filling.saturating_add(4 + 4096)
        })
    }

    /// A Section Header Block with a good byte-order magic begins at `pos`.
    fn section<const BIG: bool>(&mut self, window: Window<'_>, pos: usize, sink: &mut Sink<'_>) -> Step {
        let block = window.bytes.get(pos..).unwrap_or_default();
        // Frame, magic, version, section length.
        const LEAST: usize = FRAME + 16;
        if block.len() < LEAST && !window.last {
            return Step::Stop(Next::More(LEAST));
        }
        let end = self.frame::<BIG>(window, pos, LEAST, sink);
        if let Err(Step::Stop(next)) = end {
            return Step::Stop(next);
        }
        // Even if its length is damaged: the magic says that a section begins and how to read it. The section
        // length is of no use here; blocks are walked one by one and the next section says itself that it
        // begins.
        self.base = self.interfaces_so_far();
        self.interfaces.clear();
        self.big = BIG;
        let (major, minor) = (u16_at::<BIG>(block, 12), u16_at::<BIG>(block, 14));
        // §4.1: 1.0, and 1.2 is to be read like it.
        if block.len() >= LEAST && !matches!((major, minor), (1, 0 | 2)) {
            sink.note(DamageKind::Version { major, minor }, window.at(pos), 0);
        }
        match end {
            Ok(end) => Step::To(end),
            Err(step) => step,
        }
    }

    /// Takes what there is to take from a whole block; says what is wrong with it, if it has to be left out.
    fn block<const BIG: bool>(
        &mut self,
        block: &[u8],
        offset: u64,
        pos: usize,
        sink: &mut Sink<'_>,
    ) -> Option<DamageKind> {
        let block_type = u32_at::<BIG>(block, 0);
        let room = |fixed: usize| block.len().checked_sub(fixed);
        match block_type {
            INTERFACE_DESCRIPTION => {
                if room(FRAME + 8).is_none() {
                    return Some(DamageKind::BlockContent { block_type });
                }
                if self.interfaces.len() >= INTERFACES {
                    return Some(DamageKind::TooManyInterfaces);
                }
                let interface = Interface::decode::<BIG>(block, offset, sink);
                self.finer_than_micros |= interface.unit.finer_than_micros();
                self.interfaces.push(interface);
                None
            }
            ENHANCED_PACKET | PACKET => {
                let Some(room) = room(PACKET_FIXED) else {
                    return Some(DamageKind::BlockContent { block_type });
                };
                // The obsolete block has 16 bits of interface and 16 of drops where the other has 32 of
                // interface.
                let number = match block_type {
                    PACKET => u32::from(u16_at::<BIG>(block, 8)),
                    _ => u32_at::<BIG>(block, 8),
                };
                let Some(interface) = self.interfaces.get(number as usize) else {
                    return Some(DamageKind::UnknownInterface { interface: number });
                };
                let cap_len = fit(u32_at::<BIG>(block, 20), room, block_type, offset, sink);
                let ticks = u64::from(u32_at::<BIG>(block, 12)) << 32 | u64::from(u32_at::<BIG>(block, 16));
                let ts_nanos = interface.time(ticks).unwrap_or_else(|nearest| {
                    sink.note(DamageKind::Timestamp, offset, 0);
                    nearest
                });
                sink.packets += 1;
                sink.records.push(Record {
                    ts_nanos,
                    number: sink.packets,
                    offset,
                    cap_len,
                    wire_len: u32_at::<BIG>(block, 24),
                    link: interface.link,
                    interface: self.base.wrapping_add(number),
                    input: 0,
                    start: (pos + 28) as u32,
                });
                None
            }
            SIMPLE_PACKET => {
                let Some(interface) = self.interfaces.first() else {
                    return Some(DamageKind::UnknownInterface { interface: 0 });
                };
                let Some(room) = room(FRAME + 4) else {
                    return Some(DamageKind::BlockContent { block_type });
                };
                // §4.4: of interface 0, without a time, cut at the snapshot length of that interface.
                let wire_len = u32_at::<BIG>(block, 8);
                let cap_len = if interface.snaplen == 0 { wire_len } else { wire_len.min(interface.snaplen) };
                let cap_len = fit(cap_len, room, block_type, offset, sink);
                sink.packets += 1;
                sink.records.push(Record {
                    ts_nanos: 0,
                    number: sink.packets,
                    offset,
                    cap_len,
                    wire_len,
                    link: interface.link,
                    interface: self.base,
                    input: 0,
                    start: (pos + 12) as u32,
                });
                None
            }
            _ => None,
        }
    }

    /// Looks for a block that can be believed and begins in `from..to`. At every byte: what was lost or put
    /// in need not be a multiple of four long.
    fn search(&self, window: Window<'_>, from: usize, to: usize) -> Found {
        for pos in from..to {
            // The block that did not hold.
            let failed = |lost: &Lost| lost.since == window.at(pos) && lost.kind != DamageKind::AfterBreak;
            if self.lost.as_ref().is_some_and(failed) {
                continue;
            }
            if window.left(pos) < FRAME {
                return if window.last { Found::Nothing } else { Found::More(pos, FRAME) };
            }
            match self.plausible(window, pos) {
                Plausible::Yes => return Found::At(pos),
                Plausible::More(need) => return Found::More(pos, need),
                Plausible::No => {}
            }
            if window.bytes.get(pos..).is_some_and(sniff::is_pcap_header) {
                // The whole header, so that the other walker can begin at once.
                return if window.left(pos) < sniff::PCAP_HEADER && !window.last {
                    Found::More(pos, sniff::PCAP_HEADER)
                } else {
                    Found::HeaderAt(pos)
                };
            }
        }
        if window.last || to < window.bytes.len() { Found::Nothing } else { Found::More(to, FRAME) }
    }

    #[inline]
    fn plausible(&self, window: Window<'_>, pos: usize) -> Plausible {
        if self.big {
            self.plausible_as::<true>(window, pos)
        } else {
            self.plausible_as::<false>(window, pos)
        }
    }

    /// Whether a block begins at `pos`: a type there is, a length that suits it, and the same length at its
    /// end.
    #[inline]
    fn plausible_as<const BIG: bool>(&self, window: Window<'_>, pos: usize) -> Plausible {
        let Some(block) = window.bytes.get(pos..).filter(|block| block.len() >= FRAME) else {
            return if window.last { Plausible::No } else { Plausible::More(FRAME) };
        };
        let kind = u32_at::<BIG>(block, 0);
        if kind == SECTION_HEADER {
            return if byte_order(block).is_some() { Plausible::Yes } else { Plausible::No };
        }
        if !KNOWN.contains(&kind) {
            return Plausible::No;
        }
        let length = u32_at::<BIG>(block, 4);
        if !length.is_multiple_of(4) || (length as usize) < least(kind) || length > SEARCH_MAX {
            return Plausible::No;
        }
        if block.len() < length as usize {
            return if window.last { Plausible::No } else { Plausible::More(length as usize) };
        }
        if trailer::<BIG>(block, length as usize) == length { Plausible::Yes } else { Plausible::No }
    }

    fn settle(&mut self, now: u64, sink: &mut Sink<'_>) {
        if let Some(lost) = self.lost.take() {
            lost.settle(now, sink);
        }
    }
}

enum Plausible {
    Yes,
    No,
    /// Not known without this many bytes from the place on.
    More(usize),
}

/// A captured length that fits into its block. What a block holds of a packet that claims to be longer is
/// kept.
fn fit(cap_len: u32, room: usize, block_type: u32, offset: u64, sink: &mut Sink<'_>) -> u32 {
    match u32::try_from(room) {
        Ok(room) if cap_len > room => {
            sink.note(DamageKind::BlockContent { block_type }, offset, 0);
            room
        }
        _ => cap_len,
    }
}

/// The least length of a block of a known type.
fn least(block_type: u32) -> usize {
    match block_type {
        ENHANCED_PACKET | PACKET => PACKET_FIXED,
        INTERFACE_DESCRIPTION => FRAME + 8,
        SIMPLE_PACKET => FRAME + 4,
        _ => FRAME,
    }
}

/// Whether a known type and a length that suits it are at the front of `block`, whatever its end says.
fn begins<const BIG: bool>(block: &[u8]) -> bool {
    let (kind, length) = (u32_at::<BIG>(block, 0), u32_at::<BIG>(block, 4));
    (kind == SECTION_HEADER || KNOWN.contains(&kind))
        && length.is_multiple_of(4)
        && length as usize >= least(kind)
        && length <= SEARCH_MAX
}

/// The length at the end of a block of `length` bytes.
#[inline]
fn trailer<const BIG: bool>(block: &[u8], length: usize) -> u32 {
    u32_at::<BIG>(block, length.wrapping_sub(4))
}

/// The byte order that a section header at the front of `block` states; `true` is big-endian.
fn byte_order(block: &[u8]) -> Option<bool> {
    match <[u8; 4]>::try_from(block.get(8..SECTION_START)?).ok()? {
        magic if magic == BYTE_ORDER_MAGIC.to_be_bytes() => Some(true),
        magic if magic == BYTE_ORDER_MAGIC.to_le_bytes() => Some(false),
        _ => None,
    }
}
