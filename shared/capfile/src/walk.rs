//! What the walkers of the two formats share: the window they look at and what they hand back.

use crate::{
    batch::Record,
    damage::{DamageKind, DamageLog},
};

/// No captured length above this is believed without a look at what follows: libpcap's `MAXIMUM_SNAPLEN`
/// (pcap-int.h) and Wireshark's `WTAP_MAX_PACKET_SIZE_STANDARD`.
pub(crate) const USUAL_MAX: u32 = 262_144;

/// No record or block above this is ever read, whatever the file says. IP packets end at 64 KiB, and the
/// largest snapshot length of any link type that carries them is 256 KiB.
pub(crate) const HARD_MAX: u32 = 8 << 20;

/// A walk stops at the first record after this many bytes of the window, so that a window that grew for one
/// huge record does not yield a huge list of tiny ones.
pub(crate) const STOP: usize = 512 << 10;

/// Bytes of the capture as far as they have been read, from the first one not used yet.
#[derive(Clone, Copy)]
pub(crate) struct Window<'a> {
    pub(crate) bytes: &'a [u8],
    /// Offset of the first byte in the uncompressed capture.
    pub(crate) offset: u64,
    /// Nothing comes after these bytes.
    pub(crate) last: bool,
}

impl Window<'_> {
    pub(crate) fn at(&self, pos: usize) -> u64 {
        self.offset + pos as u64
    }

    pub(crate) fn left(&self, pos: usize) -> usize {
        self.bytes.len().saturating_sub(pos)
    }
}

/// Where found packets and damage go.
pub(crate) struct Sink<'a> {
    pub(crate) records: &'a mut Vec<Record>,
    pub(crate) log: &'a mut DamageLog,
    pub(crate) packets: u64,
}

impl Sink<'_> {
    pub(crate) fn note(&mut self, kind: DamageKind, offset: u64, skipped: u64) {
        self.log.note(kind, self.packets, offset, skipped);
    }
}

/// How far a walk came.
#[derive(Debug)]
pub(crate) struct Walked {
    /// Bytes of the window that are done with.
    pub(crate) consumed: usize,
    pub(crate) next: Next,
}

/// What a walk needs to go on.
#[derive(Debug)]
pub(crate) enum Next {
    /// At least this many bytes from `consumed` on, or the word that there are none.
    More(usize),
    /// The header of another capture begins at `consumed`.
    Header,
}

/// A search for the next good place that is under way.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) kind: DamageKind,
    /// Offset in the capture where it began.
    pub(crate) since: u64,
}

impl Lost {
    /// Notes what a search that ended at the offset `now` cost. A break right behind a record cost nothing.
    pub(crate) fn settle(self, now: u64, sink: &mut Sink<'_>) {
        let skipped = now.saturating_sub(self.since);
        if skipped > 0 || self.kind != DamageKind::AfterBreak {
            sink.note(self.kind, self.since, skipped);
        }
    }
}

/// Reads a `u16` at `pos`; 0 beyond the end.
#[inline(always)]
pub(crate) fn u16_at<const BIG: bool>(bytes: &[u8], pos: usize) -> u16 {
    let Some(Ok(four)) = bytes.get(pos..pos.wrapping_add(2)).map(<[u8; 2]>::try_from) else { return 0 };
    if BIG { u16::from_be_bytes(four) } else { u16::from_le_bytes(four) }
}

/// Reads a `u32` at `pos`; 0 beyond the end.
#[inline(always)]
pub(crate) fn u32_at<const BIG: bool>(bytes: &[u8], pos: usize) -> u32 {
    let Some(Ok(four)) = bytes.get(pos..pos.wrapping_add(4)).map(<[u8; 4]>::try_from) else { return 0 };
    if BIG { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
}
