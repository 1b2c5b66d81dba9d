//! Rows that wait for their verdict.

use std::collections::VecDeque;

/// How much is gathered in one block: large enough that blocks are rare.
const BLOCK: usize = 256 << 10;

/// A first-in-first-out store of byte strings in few large blocks, so that no row costs an allocation.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    blocks: VecDeque<Block>,
    spare: Option<Vec<u8>>,
}

#[derive(Debug, Default)]
struct Block {
    bytes: Vec<u8>,
    /// Where the strings end.
    ends: VecDeque<u32>,
    /// Where the first of them begins.
    start: u32,
}

impl Waiting {
    /// Stores what `write` appends.
    #[inline]
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let full = self.blocks.back().is_none_or(|block| block.bytes.len() >= BLOCK);
        if full {
            let mut bytes = self.spare.take().unwrap_or_default();
            bytes.clear();
            self.blocks.push_back(Block { bytes, ..Block::default() });
        }
        if let Some(block) = self.blocks.back_mut() {
            write(&mut block.bytes);
            block.ends.push_back(block.bytes.len() as u32);
        }
    }

    /// Shows the oldest string to `take` and lets it go.
    #[inline]
    pub(crate) fn pop<T>(&mut self, take: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let block = self.blocks.front_mut()?;
        let end = block.ends.pop_front()?;
        let taken = take(&block.bytes[block.start as usize..end as usize]);
        block.start = end;
        if block.ends.is_empty()
            && let Some(block) = self.blocks.pop_front()
        {
            self.spare = Some(block.bytes);
        }
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_in_first_out() {
        let mut waiting = Waiting::default();
        let text = |i: u32| format!("row {i} {}", "x".repeat((i % 50) as usize));
        let mut next = 0;
        for i in 0..200_000 {
            waiting.push(|bytes| bytes.extend_from_slice(text(i).as_bytes()));
            // The queue grows to a thousand, and runs empty now and then.
            while i - next > if i % 5000 == 0 { 0 } else { 1000 } {
                waiting.pop(|bytes| assert_eq!(bytes, text(next).as_bytes())).unwrap();
                next += 1;
            }
            assert!(waiting.blocks.len() <= 2);
        }
        while waiting.pop(|bytes| assert_eq!(bytes, text(next).as_bytes())).is_some() {
            next += 1;
        }
        assert_eq!(next, 200_000);
        waiting.push(|bytes| bytes.resize(3 * BLOCK, 7));
        assert_eq!(waiting.pop(<[u8]>::len), Some(3 * BLOCK));
    }
}
