//! What rows are counted under: the text of a cell, a number, or a bin of numbers.

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use probeline_chart::{Bins, Decimal, Labels};

/// The distinct keys seen, numbered in order of first appearance.
#[derive(Debug)]
pub(crate) enum Keys {
    /// Cells as they are; several cells of a row with their lengths before them.
    Labels { labels: Labels, cells: usize },
    /// Numbers, or the bins they fall in.
    Numbers(Numbers),
}

/// Numbers or bins, and the absent cell.
#[derive(Debug)]
pub(crate) struct Numbers {
    /// None: each number is its own key.
    bins: Option<Bins>,
    ids: HashMap<Option<i128>, u32, RandomState>,
    keys: Vec<Option<i128>>,
    limit: usize,
    /// Decimals of the number that has most.
    pub(crate) places: u32,
}

impl Keys {
    pub(crate) fn labels(cells: usize, limit: u32) -> Self {
        Self::Labels { labels: Labels::new(limit as usize), cells }
    }

    pub(crate) fn numbers(bins: Option<Bins>, limit: u32) -> Self {
        Self::Numbers(Numbers {
            bins,
            ids: HashMap::with_hasher(RandomState::default()),
            keys: Vec::new(),
            limit: limit as usize,
            places: 0,
        })
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Labels { labels, .. } => labels.len(),
            Self::Numbers(numbers) => numbers.keys.len(),
        }
    }

    /// Takes in the keys of another, which there must be room for; gives the number here of each.
    pub(crate) fn absorb(&mut self, part: &Self) -> Vec<u32> {
        let ids = 0..part.len() as u32;
        match (self, part) {
            (Self::Labels { labels, .. }, Self::Labels { labels: more, .. }) => {
                ids.map(|id| labels.id(more.get(id)).unwrap_or_default()).collect()
            }
            (Self::Numbers(numbers), Self::Numbers(more)) => {
                numbers.places = numbers.places.max(more.places);
                more.keys.iter().map(|&key| numbers.id_of_key(key).unwrap_or_default()).collect()
            }
            // Both count the same column.
            _ => Vec::new(),
        }
    }

    /// Whether the key stands for empty cells (all of them, where there are several).
    pub(crate) fn is_absent(&self, id: u32) -> bool {
        match self {
            Self::Labels { labels, cells: 1 } => labels.get(id).is_empty(),
            Self::Labels { labels, .. } => split(labels.get(id)).all(<[u8]>::is_empty),
            Self::Numbers(numbers) => numbers.get(id).is_none(),
        }
    }
}

impl Numbers {
    /// The number of the key that holds `value`; `None` when it is new and there is no more room.
    #[inline]
    pub(crate) fn id(&mut self, value: Option<Decimal>) -> Option<u32> {
        let key = value.map(|value| match &self.bins {
            Some(bins) => bins.key(value),
            None => {
                self.places = self.places.max(value.places());
                value.units()
            }
        });
        self.id_of_key(key)
    }

    #[inline]
    fn id_of_key(&mut self, key: Option<i128>) -> Option<u32> {
        let full = self.keys.len() >= self.limit;
        match self.ids.entry(key) {
            Entry::Occupied(known) => Some(*known.get()),
            Entry::Vacant(_) if full => None,
            Entry::Vacant(free) => {
                let id = self.keys.len() as u32;
                free.insert(id);
                self.keys.push(key);
                Some(id)
            }
        }
    }

    /// The bin's key, or the number's units; `None` for the absent cell.
    pub(crate) fn get(&self, id: u32) -> Option<i128> {
        self.keys.get(id as usize).copied().flatten()
    }

    /// The number itself, where keys are numbers.
    pub(crate) fn value(&self, id: u32) -> Option<Decimal> {
        self.get(id).map(Decimal::from_units)
    }

    pub(crate) fn bins(&self) -> Option<&Bins> {
        self.bins.as_ref()
    }
}

/// Adds a cell to a label of several.
pub(crate) fn push_cell(label: &mut Vec<u8>, cell: &[u8]) {
    label.extend_from_slice(&(cell.len() as u32).to_le_bytes());
    label.extend_from_slice(cell);
}

/// The cells of a label of several.
pub(crate) fn split(mut label: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = label.split_first_chunk::<4>()?;
        let (cell, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        label = rest;
        Some(cell)
    })
}
