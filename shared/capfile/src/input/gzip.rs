//! gzip members, one after the other (RFC 1952).
//!
//! Not flate2's `MultiGzDecoder`: when the data is damaged that one drops what it had unpacked in the same call,
//! which is up to a whole batch of packets. Here the members are taken apart by hand and only DEFLATE is flate2's.

use std::io::Read;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::{Fault, Packed};

pub(crate) struct Gzip<R> {
    packed: Packed<R>,
    inflate: Decompress,
    crc: Crc,
    state: State,
    /// Members begun so far.
    members: u64,
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

impl<R: Read> Gzip<R> {
    pub(crate) fn new(packed: Packed<R>) -> Self {
        Self {
            packed,
            inflate: Decompress::new(false),
            crc: Crc::new(),
            state: State::Header(Part::Fixed(0, 0)),
            members: 0,
        }
    }

    pub(crate) fn packed(&self) -> &Packed<R> {
        &self.packed
    }

    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        loop {
            if let State::Done = self.state {
                return Ok(0);
            }
            if !self.packed.fill()? {
                let between = match self.state {
                    State::Header(Part::Fixed(0, _)) => self.members > 0,
                    State::Padding => true,
                    _ => false,
                };
                self.state = State::Done;
                return if between { Ok(0) } else { Err(self.packed.corrupt(LAYER, "ends early")) };
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
                        return Err(self.give_up("bytes behind the last member"));
                    }
                }
                State::Done => {}
            }
        }
    }

    fn body(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        let (in_before, out_before) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(self.packed.bytes(), into, FlushDecompress::None);
        let used = usize::try_from(self.inflate.total_in() - in_before).unwrap_or(usize::MAX);
        // Counted also when the call failed: what came out before the damage is good.
        let made =
            usize::try_from(self.inflate.total_out() - out_before).unwrap_or(usize::MAX).min(into.len());
        self.packed.take(used);
        self.crc.update(into.get(..made).unwrap_or_default());
        match status {
            Ok(Status::StreamEnd) => self.state = State::Trailer(0, 0),
            Ok(Status::Ok | Status::BufError) if used > 0 || made > 0 => {}
            Ok(_) => return Err(self.give_up("no progress")),
            // The next call fails at the same place, without output then.
            Err(_) if made > 0 => {}
            Err(e) => {
                let what = e.to_string();
                return Err(self.give_up(&what));
            }
        }
        Ok(made)
    }

    fn header(&mut self, part: Part) -> Result<(), Fault> {
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
                return Err(self.give_up("bytes behind the last member"));
            }
            Part::Fixed(0..=3, _) => return Err(self.give_up("no member header")),
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
            return Err(self.packed.corrupt(LAYER, "checksum differs"));
        }
        if length != self.inflate.total_out() & 0xffff_ffff {
            return Err(self.packed.corrupt(LAYER, "length differs"));
        }
        Ok(())
    }

    fn give_up(&mut self, what: &str) -> Fault {
        self.state = State::Done;
        self.packed.corrupt(LAYER, what)
    }
}
