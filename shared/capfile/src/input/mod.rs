//! The input under the capture: counted bytes, unpacked as far as they are packed.

mod gzip;
mod zstandard;

use std::io::{self, Read};

pub(crate) use self::{gzip::Gzip, zstandard::Zstd};

/// Why a read gave no bytes although the input has not ended.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The underlying input failed.
    Io(io::Error),
    /// Compressed data is damaged here. The next read goes on behind it, or says that there is no more. With
    /// `gap`, what comes next does not follow on what came before.
    Corrupt { layer: &'static str, at: u64, what: String, gap: bool },
}

/// The underlying input, or a decompressor on another source.
pub(crate) enum Source<R> {
    Raw { input: R, count: u64 },
    Gzip(Box<Gzip<R>>),
    Zstd(Box<Zstd<R>>),
}

impl<R: Read> Source<R> {
    pub(crate) fn new(input: R) -> Self {
        Self::Raw { input, count: 0 }
    }

    /// Fills the front of `into`; 0 means the end. Bytes that were unpacked before a damage are returned
    /// first.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        match self {
            Self::Raw { input, count } => loop {
                match input.read(into) {
                    Ok(n) => {
                        // A Read that claims more than it was given room for must not be believed.
                        let n = n.min(into.len());
                        *count += n as u64;
                        return Ok(n);
                    }
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) => return Err(Fault::Io(e)),
                }
            },
            Self::Gzip(gzip) => gzip.read(into),
            Self::Zstd(zstd) => zstd.read(into),
        }
    }

    /// Bytes taken from the underlying input.
    pub(crate) fn bytes_read(&self) -> u64 {
        match self {
            Self::Raw { count, .. } => *count,
            Self::Gzip(gzip) => gzip.packed().source.bytes_read(),
            Self::Zstd(zstd) => zstd.packed().source.bytes_read(),
        }
    }
}

/// Compressed bytes on their way into a decompressor.
///
/// The last bytes that went in are kept for a while: where a stream was cut off and another appended (a
/// writer that crashed and was started again), the decompressor takes the beginning of the second for more of
/// the first and stumbles only later. The search for the second has to begin before that.
pub(crate) struct Packed<R> {
    source: Source<R>,
    buffer: Vec<u8>,
    pos: usize,
    len: usize,
    ended: bool,
    /// Offset of the buffer's first byte in the compressed data.
    offset: u64,
    /// Bytes gone back over so far.
    backed: u64,
}

/// Bytes kept behind the position: more than a zstd block, the most that is taken in before its damage shows.
const HISTORY: usize = 192 << 10;
/// Room there is at least for a read.
const READ: usize = 64 << 10;
const BUFFER: usize = 512 << 10;

impl<R: Read> Packed<R> {
    /// `head` are the bytes already taken from `source` to see what it is.
    pub(crate) fn new(source: Source<R>, head: &[u8]) -> Self {
        let mut buffer = vec![0; BUFFER.max(head.len() + READ)];
        if let Some(front) = buffer.get_mut(..head.len()) {
            front.copy_from_slice(head);
        }
        Self { source, buffer, pos: 0, len: head.len(), ended: false, offset: 0, backed: 0 }
    }

    /// Makes sure that there are bytes; `false` at the end.
    fn fill(&mut self) -> Result<bool, Fault> {
        if self.pos < self.len { Ok(true) } else { self.more() }
    }

    /// Adds to the bytes there are; `false` if there are no more.
    fn more(&mut self) -> Result<bool, Fault> {
        if self.ended {
            return Ok(false);
        }
        if self.buffer.len() - self.len < READ {
            let drop = self.pos.saturating_sub(HISTORY);
            self.buffer.copy_within(drop..self.len, 0);
            self.offset += drop as u64;
            self.pos -= drop;
            self.len -= drop;
        }
        let room = self.buffer.get_mut(self.len..).unwrap_or_default();
        let n = match self.source.read(room) {
            // A gap in the packed bytes is not yet one in what is unpacked from them; that one shows by
            // itself.
            Err(Fault::Corrupt { layer, at, what, .. }) => {
                return Err(Fault::Corrupt { layer, at, what, gap: false });
            }
            other => other?,
        };
        self.len += n;
        self.ended = n == 0;
        Ok(n > 0)
    }

    fn ended(&self) -> bool {
        self.ended
    }

    fn bytes(&self) -> &[u8] {
        self.buffer.get(self.pos..self.len).unwrap_or_default()
    }

    fn take(&mut self, count: usize) {
        self.pos = (self.pos + count).min(self.len);
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.bytes().first().copied();
        self.take(1);
        byte
    }

    fn at(&self) -> u64 {
        self.offset + self.pos as u64
    }

    /// Goes back as far as there is history, but stays behind `start`. All going back together stays below
    /// what was read, so that hostile input costs twice the time and not more.
    fn back(&mut self, start: u64) {
        let least = start.saturating_add(1).saturating_sub(self.offset);
        let least = usize::try_from(least).unwrap_or(usize::MAX).max(self.pos.saturating_sub(HISTORY));
        let count = self.pos.saturating_sub(least);
        if self.backed + count as u64 <= self.at() {
            self.backed += count as u64;
            self.pos -= count;
        }
    }

    /// Goes to the next place where `begins` says yes to the `size` bytes there; `false` if there is none,
    /// and then all bytes are taken.
    fn hunt(&mut self, size: usize, begins: impl Fn(&[u8]) -> bool) -> Result<bool, Fault> {
        loop {
            if let Some(found) = self.bytes().windows(size).position(&begins) {
                self.take(found);
                return Ok(true);
            }
            self.take(self.bytes().len().saturating_sub(size - 1));
            if !self.more()? {
                self.take(size);
                return Ok(false);
            }
        }
    }

    fn corrupt(&self, layer: &'static str, what: impl Into<String>, gap: bool) -> Fault {
        Fault::Corrupt { layer, at: self.at(), what: what.into(), gap }
    }
}
