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
    /// Compressed data is damaged here. The next read goes on behind it, or says that there is no more.
    Corrupt { layer: &'static str, at: u64, what: String },
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

    /// Fills the front of `into`; 0 means the end. Bytes that were unpacked before a damage are returned first.
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
pub(crate) struct Packed<R> {
    source: Source<R>,
    buffer: Vec<u8>,
    pos: usize,
    len: usize,
    ended: bool,
    /// Offset of the buffer's first byte in the compressed data.
    offset: u64,
}

/// Compressed bytes read at once.
const PACKED: usize = 64 << 10;

impl<R: Read> Packed<R> {
    /// `head` are the bytes already taken from `source` to see what it is.
    pub(crate) fn new(source: Source<R>, head: &[u8]) -> Self {
        let mut buffer = vec![0; PACKED.max(head.len())];
        if let Some(front) = buffer.get_mut(..head.len()) {
            front.copy_from_slice(head);
        }
        Self { source, buffer, pos: 0, len: head.len(), ended: false, offset: 0 }
    }

    /// Makes sure that there are bytes; `false` at the end.
    fn fill(&mut self) -> Result<bool, Fault> {
        if self.pos < self.len {
            return Ok(true);
        }
        if self.ended {
            return Ok(false);
        }
        let n = self.source.read(&mut self.buffer)?;
        self.offset += self.len as u64;
        self.pos = 0;
        self.len = n;
        self.ended = n == 0;
        Ok(n > 0)
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

    fn corrupt(&self, layer: &'static str, what: impl Into<String>) -> Fault {
        Fault::Corrupt { layer, at: self.at(), what: what.into() }
    }
}
