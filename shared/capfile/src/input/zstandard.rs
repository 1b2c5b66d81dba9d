//! zstd frames, one after the other (RFC 8878).
//!
//! Not the zstd crate's stream reader: it hands the decompressor as much as there is, and when a block turns out to
//! be damaged, the blocks unpacked before it in the same call are gone. Here each call gets one block at most.

use std::{io::Read, ops::Range};

use zstd::stream::raw::{DParameter, Decoder, Operation};

use super::{Fault, Packed};

pub(crate) struct Zstd<R> {
    packed: Packed<R>,
    decoder: Option<Decoder<'static>>,
    /// What the decompressor wants next; 0 at the end of a frame.
    wanted: usize,
    frames: u64,
}

/// Largest window, as a power of two, that is accepted: 128 MiB, what zstd(1) accepts by itself, so that whatever
/// it unpacks can be read here. Only `--ultra` and `--long` make windows above 8 MiB.
const WINDOW_LOG_MAX: u32 = 27;

const LAYER: &str = "zstd";
/// RFC 8878 §3.1.1.2.
const BLOCK_HEADER: usize = 3;

impl<R: Read> Zstd<R> {
    pub(crate) fn new(packed: Packed<R>) -> Result<Self, Fault> {
        let mut decoder = Decoder::new().map_err(Fault::Io)?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX)).map_err(Fault::Io)?;
        Ok(Self { packed, decoder: Some(decoder), wanted: 0, frames: 0 })
    }

    pub(crate) fn packed(&self) -> &Packed<R> {
        &self.packed
    }

    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        loop {
            if self.decoder.is_none() {
                return Ok(0);
            }
            let more = self.packed.fill()?;
            if !more && self.wanted == 0 {
                self.decoder = None;
                return Ok(0);
            }
            let step = self.step();
            let Some(decoder) = self.decoder.as_mut() else { return Ok(0) };
            if self.wanted == 0 && self.frames > 0 {
                decoder.reinit().map_err(Fault::Io)?;
            }
            if self.wanted == 0 {
                self.frames += 1;
            }
            match decoder.run_on_buffers(self.packed.bytes().get(step).unwrap_or_default(), into) {
                Ok(status) => {
                    self.packed.take(status.bytes_read);
                    self.wanted = status.remaining;
                    if status.bytes_written > 0 {
                        return Ok(status.bytes_written);
                    }
                    if !more && status.remaining > 0 {
                        self.decoder = None;
                        return Err(self.packed.corrupt(LAYER, "ends early"));
                    }
                    if status.bytes_read == 0 && status.remaining > 0 {
                        self.decoder = None;
                        return Err(self.packed.corrupt(LAYER, "no progress"));
                    }
                }
                Err(e) => {
                    self.decoder = None;
                    let what = if self.frames > 1 && self.wanted == 0 {
                        "bytes behind the last frame".to_owned()
                    } else {
                        e.to_string()
                    };
                    return Err(self.packed.corrupt(LAYER, what));
                }
            }
        }
    }

    /// How much of the packed bytes one call may see. The decompressor asks for a block together with the header of
    /// the next one; without that header, a damaged one cannot spoil the block before it.
    fn step(&self) -> Range<usize> {
        let wanted = if self.wanted > BLOCK_HEADER { self.wanted - BLOCK_HEADER } else { self.wanted.max(1) };
        0..self.packed.bytes().len().min(wanted)
    }
}
