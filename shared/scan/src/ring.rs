//! Byte strings that are let go in the order in which they came.

use std::collections::VecDeque;

/// Block size: large enough that blocks are rare, small enough that an idle ring is cheap.
const BLOCK: usize = 256 << 10;

/// A first-in-first-out store of byte strings in few large blocks, so that no packet costs an allocation.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    blocks: VecDeque<Block>,
    /// Number of the block at the front, counted from the first ever.
    front: u64,
    spare: Option<Vec<u8>>,
}

#[derive(Debug, Default)]
struct Block {
    bytes: Vec<u8>,
    alive: u32,
}

/// Where a string lies.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Handle {
    block: u64,
    start: u32,
    len: u32,
}

impl Ring {
    /// Stores a string.
    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Handle {
        let fits = self.blocks.back().is_some_and(|b| b.bytes.len() + bytes.len() <= b.bytes.capacity());
        if !fits {
            let mut fresh = self.spare.take().unwrap_or_default();
            fresh.clear();
            fresh.reserve(BLOCK.max(bytes.len()));
            self.blocks.push_back(Block { bytes: fresh, alive: 0 });
        }
        let number = self.front + self.blocks.len() as u64 - 1;
        // The line above made sure that there is a block.
        let Some(block) = self.blocks.back_mut() else { unreachable!("a block was just pushed") };
        let start = block.bytes.len() as u32;
        block.bytes.extend_from_slice(bytes);
        block.alive += 1;
        Handle { block: number, start, len: bytes.len() as u32 }
    }

    /// A string that was stored and not yet let go.
    #[inline]
    pub(crate) fn get(&self, handle: Handle) -> &[u8] {
        let block = &self.blocks[(handle.block - self.front) as usize];
        &block.bytes[handle.start as usize..][..handle.len as usize]
    }

    /// Lets a string go. Blocks are freed from the front once all their strings are gone.
    #[inline]
    pub(crate) fn release(&mut self, handle: Handle) {
        self.blocks[(handle.block - self.front) as usize].alive -= 1;
        while self.blocks.len() > 1 && self.blocks[0].alive == 0 {
            if let Some(block) = self.blocks.pop_front() {
                self.spare = Some(block.bytes);
                self.front += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_it_was_given() {
        let mut ring = Ring::default();
        let mut live = VecDeque::new();
        for i in 0..200_000u32 {
            let text = format!("row {i} {}", "x".repeat((i % 50) as usize));
            live.push_back((ring.push(text.as_bytes()), text));
            if live.len() > 1000 {
                let (handle, text) = live.pop_front().unwrap();
                assert_eq!(ring.get(handle), text.as_bytes());
                ring.release(handle);
            }
        }
        assert!(ring.blocks.len() <= 2, "{}", ring.blocks.len());
        let big = vec![7; 3 * BLOCK];
        let handle = ring.push(&big);
        assert_eq!(ring.get(handle), big);
    }
}
