//! gzip members, one after the other (RFC 1952).
//!
//! Not flate2's `MultiGzDecoder`: when the data is damaged that one drops what it had unpacked in the same
//! call, which is up to a whole batch of packets. Here the members are taken apart by hand and only DEFLATE
//! is flate2's.

use std::io::Read;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::{Fault, Packed};
use crate::sniff;

pub(crate) struct Gzip<R> {
    packed: Packed<R>,
    inflate: Decompress,
    crc: Crc,
    state: State,
    /// Members begun so far.
    members: u64,
    /// Whether the newest ended as it says it should.
    sound: bool,
    /// Where the header at hand began.
    start: u64,
    /// Where the newest member began: a search never goes back to it.
    floor: u64,
    /// Packed bytes up to here, and no further, may go into the member at hand.
    clear: u64,
    splice: Splice,
    /// Unpacked bytes that go out next.
    held: Vec<u8>,
    /// Damage that was met behind bytes that go out first.
    fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// In a member's header.
    Header(Part),
    Body,
    /// In the eight bytes after the body: those seen so far, low byte first, and how many.
    Trailer(u64, u32),
    /// Zeros after a member: padding to a block size, which gzip(1) ignores too.
    Padding,
    /// After damage: looking for the next member.
    Hunt,
    Done,
}

/// Parts of a member header (RFC 1952 §2.3).
#[derive(Debug, Clone, Copy)]
enum Part {
    /// The ten fixed bytes: how many were seen, and the flags.
    Fixed(u8, u8),
    /// XLEN: flags, bytes seen, value.
    ExtraLength(u8, u8, u16),
    /// Extra field: flags, bytes left.
    Extra(u8, u16),
    Name(u8),
    Comment(u8),
    /// Header checksum: bytes left. Not compared; the data has its own.
    Crc(u8),
}

const FHCRC: u8 = 2;
const FEXTRA: u8 = 4;
const FNAME: u8 = 8;
const FCOMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;

const LAYER: &str = "gzip";

/// Bytes of a member header that say that it is one.
const MEMBER: usize = 10;

impl<R: Read> Gzip<R> {
    pub(crate) fn new(packed: Packed<R>) -> Self {
        Self {
            packed,
            inflate: Decompress::new(false),
            crc: Crc::new(),
            state: State::Header(Part::Fixed(0, 0)),
            members: 0,
            sound: true,
            start: 0,
            floor: 0,
            clear: 0,
            splice: Splice::default(),
            held: Vec::new(),
            fault: None,
        }
    }

    pub(crate) fn packed(&self) -> &Packed<R> {
        &self.packed
    }

    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        if !self.held.is_empty() {
            return Ok(self.release(into));
        }
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        loop {
            match self.state {
                State::Done => return Ok(0),
                State::Hunt => {
                    let found = self.packed.hunt(MEMBER, is_member)?;
                    self.floor = self.packed.at();
                    self.state = if found { State::Header(Part::Fixed(0, 0)) } else { State::Done };
                    continue;
                }
                _ => {}
            }
            if !self.packed.fill()? {
                let between = match self.state {
                    State::Header(Part::Fixed(0, _)) => self.members > 0,
                    State::Padding => true,
                    _ => false,
                };
                if between {
                    self.state = State::Done;
                    return Ok(0);
                }
                // The last bytes may have filled the room there was, with more to come out of them.
                if let State::Body = self.state
                    && let made @ 1.. = self.body(into)?
                {
                    return Ok(made);
                }
                return Err(self.give_up("ends early", true));
            }
            match self.state {
                State::Body => {
                    let n = self.body(into)?;
                    if n > 0 {
                        return Ok(n);
                    }
                }
                State::Header(part) => self.header(part)?,
                State::Trailer(value, count) => self.trailer(value, count)?,
                State::Padding => {
                    if self.packed.next() != Some(0) {
                        return Err(self.give_up("bytes behind the last member", !self.sound));
                    }
                }
                State::Hunt | State::Done => {}
            }
        }
    }

    fn body(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        let bytes = self.packed.bytes();
        let at = self.packed.at();
        if at >= self.clear {
            match self.splice.find(bytes, self.packed.ended()) {
                Seen::Begins(0) => {
                    // First what the bytes before still have to give.
                    let made = self.unpack(0, into)?;
                    return match self.state {
                        State::Body if made == 0 => self.cross(into),
                        _ => Ok(made),
                    };
                }
                Seen::Maybe(0) => {
                    // What comes next decides; how the bytes arrive must not.
                    self.packed.more()?;
                    return Ok(0);
                }
                Seen::Begins(clear) | Seen::Maybe(clear) | Seen::Nothing(clear) => {
                    self.clear = at + clear as u64;
                }
            }
        }
        let clear = usize::try_from(self.clear - at).unwrap_or(usize::MAX);
        self.unpack(clear, into)
    }

    /// Unpacks from at most `limit` bytes.
    fn unpack(&mut self, limit: usize, into: &mut [u8]) -> Result<usize, Fault> {
        let bytes = self.packed.bytes();
        let room = limit.min(bytes.len());
        let bytes = bytes.get(..room).unwrap_or_default();
        let (in_before, out_before) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(bytes, into, FlushDecompress::None);
        let used = usize::try_from(self.inflate.total_in() - in_before).unwrap_or(usize::MAX);
        // Counted also when the call failed: what came out before the damage is good.
        let made =
            usize::try_from(self.inflate.total_out() - out_before).unwrap_or(usize::MAX).min(into.len());
        self.packed.take(used);
        self.crc.update(into.get(..made).unwrap_or_default());
        match status {
            Ok(Status::StreamEnd) => self.state = State::Trailer(0, 0),
            Ok(Status::Ok | Status::BufError) if used > 0 || made > 0 => {}
            Ok(_) if room == 0 => {}
            Ok(_) => return Err(self.give_up("no progress", true)),
            // Its own words depend on how the bytes arrived.
            Err(_) => {
                let fault = self.give_up("invalid code", true);
                if made == 0 {
                    return Err(fault);
                }
                self.fault = Some(fault);
            }
        }
        Ok(made)
    }

    /// The packed bytes at hand look like another member with a capture in it. If they come out of this
    /// member as they are, this is a stored block of data that was packed before (RFC 1951 §3.2.4): nothing
    /// special. Otherwise the member at hand was cut off here.
    fn cross(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        let fault = self.packed.corrupt(LAYER, "cut off, another capture begins", true);
        let mut header = [0; MEMBER];
        header.copy_from_slice(self.packed.bytes().get(..MEMBER).unwrap_or(&[0; MEMBER]));
        let mut probe = [0; MEMBER];
        let (in_before, out_before) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(&header, &mut probe, FlushDecompress::None);
        let used = usize::try_from(self.inflate.total_in() - in_before).unwrap_or(usize::MAX);
        let made = usize::try_from(self.inflate.total_out() - out_before).unwrap_or(usize::MAX);
        if status.is_err() || used != MEMBER || made != MEMBER || probe != header {
            self.state = State::Header(Part::Fixed(0, 0));
            return Err(fault);
        }
        self.packed.take(MEMBER);
        self.clear = self.packed.at();
        self.crc.update(&probe);
        self.held.extend_from_slice(&probe);
        Ok(self.release(into))
    }

    /// Hands out what is held back, as far as there is room.
    fn release(&mut self, into: &mut [u8]) -> usize {
        let count = self.held.len().min(into.len());
        for (place, byte) in into.iter_mut().zip(self.held.drain(..count)) {
            *place = byte;
        }
        count
    }

    fn header(&mut self, part: Part) -> Result<(), Fault> {
        if let Part::Fixed(0, _) = part {
            self.start = self.packed.at();
        }
        let Some(byte) = self.packed.next() else { return Ok(()) };
        let after_extra = |flags: u8| match flags {
            f if f & FNAME != 0 => State::Header(Part::Name(f)),
            f if f & FCOMMENT != 0 => State::Header(Part::Comment(f)),
            f if f & FHCRC != 0 => State::Header(Part::Crc(2)),
            _ => State::Body,
        };
        self.state = match part {
            Part::Fixed(0, _) if byte == 0 && self.members > 0 => State::Padding,
            Part::Fixed(0, _) if byte == 0x1f => State::Header(Part::Fixed(1, 0)),
            Part::Fixed(1, _) if byte == 0x8b => State::Header(Part::Fixed(2, 0)),
            Part::Fixed(2, _) if byte == 8 => State::Header(Part::Fixed(3, 0)),
            Part::Fixed(3, _) if byte & RESERVED == 0 => State::Header(Part::Fixed(4, byte)),
            Part::Fixed(0..=3, _) if self.members > 0 => {
                return Err(self.give_up("bytes behind the last member", !self.sound));
            }
            Part::Fixed(0..=3, _) => return Err(self.give_up("no member header", false)),
            Part::Fixed(9, flags) if flags & FEXTRA != 0 => State::Header(Part::ExtraLength(flags, 0, 0)),
            Part::Fixed(9, flags) => after_extra(flags),
            Part::Fixed(count, flags) => State::Header(Part::Fixed(count + 1, flags)),
            Part::ExtraLength(flags, 0, _) => State::Header(Part::ExtraLength(flags, 1, u16::from(byte))),
            Part::ExtraLength(flags, _, low) => match low | u16::from(byte) << 8 {
                0 => after_extra(flags),
                length => State::Header(Part::Extra(flags, length)),
            },
            Part::Extra(flags, 1) => after_extra(flags),
            Part::Extra(flags, left) => State::Header(Part::Extra(flags, left.saturating_sub(1))),
            Part::Name(flags) if byte == 0 => after_extra(flags & !FNAME),
            Part::Comment(flags) if byte == 0 => after_extra(flags & !(FNAME | FCOMMENT)),
            Part::Crc(2) => State::Header(Part::Crc(1)),
            Part::Crc(_) => State::Body,
            Part::Name(_) | Part::Comment(_) => State::Header(part),
        };
        if let State::Body = self.state {
            self.members += 1;
            self.sound = false;
            self.floor = self.floor.max(self.start);
            self.clear = self.packed.at();
            self.inflate.reset(false);
            self.crc.reset();
        }
        Ok(())
    }

    fn trailer(&mut self, value: u64, count: u32) -> Result<(), Fault> {
        let Some(byte) = self.packed.next() else { return Ok(()) };
        let value = value | u64::from(byte) << (8 * count);
        if count < 7 {
            self.state = State::Trailer(value, count + 1);
            return Ok(());
        }
        self.state = State::Header(Part::Fixed(0, 0));
        // RFC 1952 §2.3.1: CRC32, then the length modulo 2^32, both little-endian.
        let (crc, length) = (value & 0xffff_ffff, value >> 32);
        if crc != u64::from(self.crc.sum()) {
            return Err(self.packed.corrupt(LAYER, "checksum differs", false));
        }
        if length != self.inflate.total_out() & 0xffff_ffff {
            return Err(self.packed.corrupt(LAYER, "length differs", false));
        }
        self.sound = true;
        Ok(())
    }

    fn give_up(&mut self, what: &str, gap: bool) -> Fault {
        let fault = self.packed.corrupt(LAYER, what, gap);
        self.state = State::Hunt;
        self.packed.back(self.floor);
        fault
    }
}

/// Whether a member begins here (RFC 1952 §2.3.1): magic, method, flags; any time; XFL as compressors set it;
/// and an operating system there is. Random bytes look like this once in 2^37 places.
fn is_member(bytes: &[u8]) -> bool {
    matches!(bytes, [0x1f, 0x8b, 8, flags, _, _, _, _, 0 | 2 | 4, 0..=13 | 255] if flags & RESERVED == 0)
}

/// Finds where a member was cut off and another appended.
///
/// DEFLATE takes the bytes of the second for more of the first, and repeats what it has seen before: packets
/// that were never captured. So each beginning of a member inside a member is tried: if it unpacks to the
/// header of a capture, the first one ends there, unless [`Gzip::cross`] finds that it is mere content.
#[derive(Default)]
struct Splice {
    trial: Option<Decompress>,
}

/// What [`Splice::find`] saw, and how many bytes are clear of it.
enum Seen {
    Nothing(usize),
    Begins(usize),
    /// The end of the bytes at hand hides it.
    Maybe(usize),
}

impl Splice {
    /// Magic and method of a member.
    const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
    /// Bytes of a member that are looked at: its header, and enough to unpack the header of a capture (a
    /// dynamic code table is at most 320 lengths of 14 bits).
    const LOOK: usize = 2_048;

    /// The first place in `bytes` where that is so. `last` says that no bytes follow.
    fn find(&mut self, bytes: &[u8], last: bool) -> Seen {
        for at in memchr::memmem::find_iter(bytes, &Self::MAGIC) {
            let member = bytes.get(at..).unwrap_or_default();
            let member = member.get(..Self::LOOK).unwrap_or(member);
            let member_header = member.get(..MEMBER);
            if member.len() < Self::LOOK && !last && member_header.is_none_or(is_member) {
                return Seen::Maybe(at);
            }
            if member_header.is_some_and(is_member) && self.begins_capture(member) {
                return Seen::Begins(at);
            }
        }
        // The magic itself may be cut.
        let cut =
            (1..Self::MAGIC.len()).rev().find(|&n| bytes.ends_with(Self::MAGIC.get(..n).unwrap_or_default()));
        match cut {
            Some(n) if !last => Seen::Maybe(bytes.len() - n),
            _ => Seen::Nothing(bytes.len()),
        }
    }

    fn begins_capture(&mut self, member: &[u8]) -> bool {
        let Some(body) = skip_header(member) else { return false };
        let trial = self.trial.get_or_insert_with(|| Decompress::new(false));
        trial.reset(false);
        let mut head = [0; 24];
        // A failure behind these first bytes is no matter.
        let _ = trial.decompress(body, &mut head, FlushDecompress::None);
        let made = usize::try_from(trial.total_out()).unwrap_or(0).min(head.len());
        sniff::is_header(head.get(..made).unwrap_or_default())
    }
}

/// What follows the header of a member (RFC 1952 §2.3), if all of it is there.
fn skip_header(member: &[u8]) -> Option<&[u8]> {
    let flags = *member.get(3)?;
    let mut rest = member.get(MEMBER..)?;
    if flags & FEXTRA != 0 {
        let length = usize::from(u16::from_le_bytes([*rest.first()?, *rest.get(1)?]));
        rest = rest.get(2 + length..)?;
    }
    for text in [FNAME, FCOMMENT] {
        if flags & text != 0 {
            rest = rest.get(memchr::memchr(0, rest)? + 1..)?;
        }
    }
    if flags & FHCRC != 0 { rest.get(2..) } else { Some(rest) }
}
