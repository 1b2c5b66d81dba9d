//! zstd frames, one after the other (RFC 8878).
//!
//! Not the zstd crate's stream reader: it hands the decompressor as much as there is, and when a block turns
//! out to be damaged, the blocks unpacked before it in the same call are gone. Here each call gets one block
//! at most.

use std::io::Read;

use zstd::stream::raw::{DParameter, Decoder, Operation};

use super::{Fault, Packed};

pub(crate) struct Zstd<R> {
    packed: Packed<R>,
    decoder: Decoder<'static>,
    /// What the decompressor wants next; 0 at the end of a frame.
    wanted: usize,
    /// Frames begun so far, and where the newest began.
    frames: u64,
    start: u64,
    /// Whether anything came out of it, and so it is one.
    opened: bool,
    /// Where the newest frame that is one began: a search never goes back to it.
    floor: u64,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Frames,
    /// After damage: looking for the next frame.
    Hunt,
    Done,
}

/// Largest window, as a power of two, that is accepted: 8 MiB, what RFC 8878 §3.1.1.1.2 asks of every decoder and
/// tells encoders to stay within. Only `--ultra` and `--long` of zstd(1) make larger ones, up to 2 GiB, and that
/// much memory would be taken because the input says so.
const WINDOW_LOG_MAX: u32 = 23;

/// What zstd says of a larger one (`ZSTD_error_frameParameter_windowTooLarge`).
const TOO_LARGE: &str = "Frame requires too much memory for decoding";

const LAYER: &str = "zstd";
/// Bytes of a frame that say that it is one.
const FRAME: usize = 5;
/// The largest block (RFC 8878 §3.1.1.2.3); skippable frames can want more.
const STEP: usize = 128 << 10;
/// RFC 8878 §3.1.1.2.
const BLOCK_HEADER: usize = 3;

impl<R: Read> Zstd<R> {
    pub(crate) fn new(packed: Packed<R>) -> Result<Self, Fault> {
        let mut decoder = Decoder::new().map_err(Fault::Io)?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX)).map_err(Fault::Io)?;
        Ok(Self {
            packed,
            decoder,
            wanted: 0,
            frames: 0,
            start: 0,
            opened: false,
            floor: 0,
            state: State::Frames,
        })
    }

    pub(crate) fn packed(&self) -> &Packed<R> {
        &self.packed
    }

    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        loop {
            match self.state {
                State::Done => return Ok(0),
                State::Hunt => {
                    let found = self.packed.hunt(FRAME, is_frame)?;
                    self.floor = self.packed.at();
                    self.state = if found { State::Frames } else { State::Done };
                    continue;
                }
                State::Frames => {}
            }
            let more = self.packed.fill()?;
            if self.wanted == 0 {
                if !more {
                    self.state = State::Done;
                    return Ok(0);
                }
                self.decoder.reinit().map_err(Fault::Io)?;
                self.frames += 1;
                self.start = self.packed.at();
                self.opened = false;
            }
            let step = self.step();
            // A block goes in whole, so that how the bytes arrive makes no difference, not even to damaged
            // ones.
            while self.packed.bytes().len() < step && self.packed.more()? {}
            let bytes = self.packed.bytes();
            match self.decoder.run_on_buffers(bytes.get(..step).unwrap_or(bytes), into) {
                Ok(status) => {
                    self.packed.take(status.bytes_read);
                    self.wanted = status.remaining;
                    if status.bytes_written > 0 {
                        self.opened = true;
                        self.floor = self.floor.max(self.start);
                        return Ok(status.bytes_written);
                    }
                    if status.bytes_read == 0 && status.remaining > 0 {
                        return Err(self.give_up(if more { "no progress" } else { "ends early" }, true));
                    }
                }
                Err(e) if e.to_string().contains(TOO_LARGE) => {
                    let what = "a window above 8 MiB; unpack it with zstd -dc --long=31";
                    return Err(self.give_up(what, true));
                }
                Err(_) if !self.opened && self.frames > 1 => {
                    return Err(self.give_up("bytes behind the last frame", false));
                }
                Err(e) => return Err(self.give_up(&e.to_string(), true)),
            }
        }
    }

    fn give_up(&mut self, what: &str, gap: bool) -> Fault {
        let fault = self.packed.corrupt(LAYER, what, gap);
        self.state = State::Hunt;
        self.wanted = 0;
        self.packed.back(self.floor);
        fault
    }

    /// How much of the packed bytes one call may see. The decompressor asks for a block together with the
    /// header of the next one; without that header, a damaged one cannot spoil the block before it.
    fn step(&self) -> usize {
        let wanted = if self.wanted > BLOCK_HEADER { self.wanted - BLOCK_HEADER } else { self.wanted.max(1) };
        wanted.min(STEP)
    }
}

/// Whether a frame begins here (RFC 8878 §3.1.1): magic, and a descriptor whose reserved bit is not set.
fn is_frame(bytes: &[u8]) -> bool {
    matches!(bytes, [0x28, 0xB5, 0x2F, 0xFD, descriptor] if descriptor & 8 == 0)
}
