//! Compressing what is written, so that it can be read up to the last flush.

use std::io::{self, Write};

/// How a capture is compressed as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// gzip (RFC 1952); levels 1 (fast) to 9 (small).
    Gzip(u32),
    /// Zstandard (RFC 8878); levels 1 (fast) to 19 (small).
    Zstd(i32),
}

/// A writer that compresses into another.
///
/// [`Write::flush`] ends a deflate or zstd block at a byte boundary and hands on all of it: a reader of the file gets
/// everything written before the flush, though the stream has no end yet. [`Compressor::finish`] writes that end.
pub struct Compressor<W: Write>(Encoder<W>);

enum Encoder<W: Write> {
    Gzip(flate2::write::GzEncoder<W>),
    Zstd(zstd::stream::write::Encoder<'static, W>),
}

impl<W: Write> Compressor<W> {
    /// Begins a stream.
    ///
    /// # Errors
    /// When the compressor cannot be set up.
    pub fn new(inner: W, how: Compression) -> io::Result<Self> {
        Ok(Self(match how {
            Compression::Gzip(level) => {
                Encoder::Gzip(flate2::write::GzEncoder::new(inner, flate2::Compression::new(level.min(9))))
            }
            Compression::Zstd(level) => {
                let mut encoder = zstd::stream::write::Encoder::new(inner, level)?;
                encoder.include_checksum(true)?;
                Encoder::Zstd(encoder)
            }
        }))
    }

    /// The inner writer.
    pub fn get_mut(&mut self) -> &mut W {
        match &mut self.0 {
            Encoder::Gzip(encoder) => encoder.get_mut(),
            Encoder::Zstd(encoder) => encoder.get_mut(),
        }
    }

    /// Ends the stream and gives the inner writer back.
    ///
    /// # Errors
    /// Those of the inner writer.
    pub fn finish(self) -> io::Result<W> {
        match self.0 {
            Encoder::Gzip(encoder) => encoder.finish(),
            Encoder::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Encoder::Gzip(encoder) => encoder.write(bytes),
            Encoder::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Encoder::Gzip(encoder) => encoder.flush(),
            Encoder::Zstd(encoder) => encoder.flush(),
        }
    }
}

impl<W: Write> std::fmt::Debug for Compressor<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Encoder::Gzip(_) => "Compressor(gzip)",
            Encoder::Zstd(_) => "Compressor(zstd)",
        })
    }
}
