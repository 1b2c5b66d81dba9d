//! Distinct cells to small numbers.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Distinct byte strings, each with a number in order of first appearance.
///
/// One arena holds all text: a new label costs its length and about 20 bytes, a known one costs no memory. The hash
/// seed is random, because whoever sends packets chooses the labels; nothing that leaves this crate depends on it.
#[derive(Debug)]
pub struct Labels {
    table: HashTable<u32>,
    /// Small numbers without leading noughts, such as ports, by their value: their number plus one. Tens of thousands of
    /// them miss the cache once here, and four times in the table.
    small: Vec<u32>,
    hasher: RandomState,
    text: Vec<u8>,
    /// Where each label ends in `text`.
    ends: Vec<usize>,
    limit: usize,
}

impl Labels {
    /// Holds at most `limit` distinct labels.
    pub fn new(limit: usize) -> Self {
        let limit = limit.min(u32::MAX as usize);
        Self {
            table: HashTable::new(),
            small: Vec::new(),
            hasher: RandomState::default(),
            text: Vec::new(),
            ends: Vec::new(),
            limit,
        }
    }

    /// The number of `label`, a new one if it was never seen; `None` when it is new and the limit is reached.
    #[inline]
    pub fn id(&mut self, label: &[u8]) -> Option<u32> {
        if let Some(value) = small(label) {
            return self.small_id(value, label);
        }
        let Self { table, hasher, text, ends, limit, .. } = self;
        let hash = hasher.hash_one(label);
        match table.entry(
            hash,
            |&id| slice(text, ends, id) == label,
            |&id| hasher.hash_one(slice(text, ends, id)),
        ) {
            Entry::Occupied(known) => Some(*known.get()),
            Entry::Vacant(free) => {
                if ends.len() >= *limit {
                    return None;
                }
                let id = ends.len() as u32;
                free.insert(id);
                text.extend_from_slice(label);
                ends.push(text.len());
                Some(id)
            }
        }
    }

    #[inline]
    fn small_id(&mut self, value: usize, label: &[u8]) -> Option<u32> {
        if let Some(known) = self.small.get(value).and_then(|known| known.checked_sub(1)) {
            return Some(known);
        }
        if self.ends.len() >= self.limit {
            return None;
        }
        if self.small.len() <= value {
            self.small.resize(if value < 1000 { 1000 } else { SMALL }, 0);
        }
        let id = self.ends.len() as u32;
        self.small[value] = id + 1;
        self.text.extend_from_slice(label);
        self.ends.push(self.text.len());
        Some(id)
    }

    /// The number of `label` if it was seen.
    pub fn find(&self, label: &[u8]) -> Option<u32> {
        if let Some(value) = small(label) {
            return self.small.get(value).and_then(|known| known.checked_sub(1));
        }
        let hash = self.hasher.hash_one(label);
        self.table.find(hash, |&id| slice(&self.text, &self.ends, id) == label).copied()
    }

    /// The label with number `id`; empty for a number never handed out.
    pub fn get(&self, id: u32) -> &[u8] {
        if (id as usize) < self.ends.len() { slice(&self.text, &self.ends, id) } else { &[] }
    }

    /// How many distinct labels there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether nothing was seen yet.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// Numbers below this are found by their value.
const SMALL: usize = 100_000;

/// The value of a label that is a number below [`SMALL`], written as such numbers are: equal values, equal labels.
#[inline]
fn small(label: &[u8]) -> Option<usize> {
    if label.is_empty() || label.len() > 5 || (label[0] == b'0' && label.len() > 1) {
        return None;
    }
    let mut value = 0;
    for &byte in label {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + usize::from(digit);
    }
    Some(value)
}

#[inline]
fn slice<'a>(text: &'a [u8], ends: &[usize], id: u32) -> &'a [u8] {
    let id = id as usize;
    let start = if id == 0 { 0 } else { ends[id - 1] };
    &text[start..ends[id]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_first_appearance() {
        let mut labels = Labels::new(10);
        assert_eq!(labels.id(b"b"), Some(0));
        assert_eq!(labels.id(b""), Some(1));
        assert_eq!(labels.id(b"b"), Some(0));
        assert_eq!((labels.get(0), labels.get(1), labels.len()), (&b"b"[..], &b""[..], 2));
        assert_eq!((labels.find(b""), labels.find(b"c")), (Some(1), None));
    }

    #[test]
    fn the_limit_stops_new_labels_only() {
        let mut labels = Labels::new(2);
        for i in 0..100u32 {
            let known = labels.id(i.to_string().as_bytes());
            assert_eq!(known, (i < 2).then_some(i));
        }
        assert_eq!(labels.id(b"1"), Some(1));
        assert_eq!(labels.len(), 2);
    }

    #[test]
    fn numbers_are_labels_like_others() {
        let mut labels = Labels::new(8);
        let cells = ["0", "00", "7", "07", "99999", "100000", "-7", "7 "];
        for (id, cell) in cells.iter().enumerate() {
            assert_eq!(labels.id(cell.as_bytes()), Some(id as u32), "{cell}");
        }
        for (id, cell) in cells.iter().enumerate() {
            assert_eq!(labels.find(cell.as_bytes()), Some(id as u32), "{cell}");
            assert_eq!(labels.get(id as u32), cell.as_bytes());
        }
        assert_eq!((labels.id(b"8"), labels.find(b"8"), labels.id(b"9x")), (None, None, None));
    }

    #[test]
    fn many_labels_stay_apart() {
        let mut labels = Labels::new(usize::MAX);
        for round in 0..2 {
            for i in 0..50_000u32 {
                assert_eq!(labels.id(&i.to_le_bytes()), Some(i), "round {round}");
            }
        }
    }
}
