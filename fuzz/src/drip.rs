use std::io::{self, Read};

/// Hands out its bytes in short reads, as pipes and sockets do, with an interruption now and then.
///
/// The lengths follow from `seed` alone, so that a finding can be repeated.
pub struct Drip<'a> {
    rest: &'a [u8],
    state: u64,
    longest: u64,
}

impl<'a> Drip<'a> {
    /// Reads of 1 to `longest` bytes.
    pub fn new(bytes: &'a [u8], seed: u64, longest: u64) -> Self {
        Self { rest: bytes, state: seed, longest: longest.max(1) }
    }

    /// A linear congruential generator (Knuth, MMIX); the upper bits are the good ones.
    fn next(&mut self) -> u64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.state >> 33
    }
}

impl Read for Drip<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let draw = self.next();
        if draw % 16 == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = ((draw % self.longest) as usize + 1).min(into.len()).min(self.rest.len());
        let (head, rest) = self.rest.split_at(count);
        into[..count].copy_from_slice(head);
        self.rest = rest;
        Ok(count)
    }
}
