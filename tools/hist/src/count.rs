//! The counting itself: keys by series, with sums or with distinct values.

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use probeline_chart::Labels;

use crate::keys::Keys;

/// A cell per series is written in every row: more series than this are no table any more.
const MOST_SERIES: usize = 4096;

/// Series number of what no series has room for.
pub(crate) const OTHER: u32 = u32::MAX;

/// Distinct values exceed what may be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// Everything counted so far.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) keys: Keys,
    /// Names of the series; a single empty one without `--by`.
    pub(crate) series: Labels,
    pub(crate) sums: Sums,
    limit: u32,
}

/// What is held per key and series. Ids are our own small numbers, so a fast hash of them is safe from strangers.
#[derive(Debug)]
pub(crate) enum Sums {
    /// One sum per key.
    One { per_key: Vec<u128>, other: u128 },
    /// One sum per key and series that occurs.
    Many { per_cell: HashMap<(u32, u32), u128, RandomState>, other: HashMap<u32, u128, RandomState> },
    /// The distinct values of each key and series.
    Distinct { values: Labels, triples: HashSet<(u32, u32, u32), RandomState> },
}

impl Counter {
    pub(crate) fn new(keys: Keys, several: bool, distinct: bool, limit: u32) -> Self {
        let sums = if distinct {
            Sums::Distinct { values: Labels::new(limit as usize), triples: HashSet::default() }
        } else if several {
            Sums::Many { per_cell: HashMap::default(), other: HashMap::default() }
        } else {
            Sums::One { per_key: Vec::new(), other: 0 }
        };
        Self { keys, series: Labels::new(MOST_SERIES), sums, limit }
    }

    /// Whether there is room for all that another counted.
    ///
    /// Where there is room, what was counted by several comes to the same as what one would have counted, because
    /// nothing that is written depends on the numbers of keys. Where there is not, the order of rows decides what is
    /// left out, and they have to be counted one by one.
    pub(crate) fn has_room_for(&self, part: &Self) -> bool {
        let limit = self.limit as usize;
        let cells = match (&self.sums, &part.sums) {
            (Sums::Many { per_cell, .. }, Sums::Many { per_cell: more, .. }) => per_cell.len() + more.len(),
            (Sums::Distinct { values, triples }, Sums::Distinct { values: more_values, triples: more }) => {
                (triples.len() + more.len()).max(values.len() + more_values.len())
            }
            _ => 0,
        };
        let full = cells > limit
            || self.keys.len() + part.keys.len() > limit
            || self.series.len() + part.series.len() >= MOST_SERIES;
        !full && part.keys_found_room()
    }

    /// Adds what another counted, for all of which there must be room.
    pub(crate) fn absorb(&mut self, part: &Self) {
        let keys = self.keys.absorb(&part.keys);
        let series: Vec<u32> =
            (0..part.series.len() as u32).map(|id| self.series_id(part.series.get(id))).collect();
        let series_of = |id: u32| series.get(id as usize).copied().unwrap_or(0);
        match (&mut self.sums, &part.sums) {
            (Sums::One { per_key, .. }, Sums::One { per_key: more, .. }) => {
                for (&key, &amount) in keys.iter().zip(more) {
                    if key as usize >= per_key.len() {
                        per_key.resize(key as usize + 1, 0);
                    }
                    per_key[key as usize] += amount;
                }
            }
            (Sums::Many { per_cell, .. }, Sums::Many { per_cell: more, .. }) => {
                for (&(key, series), &amount) in more {
                    *per_cell.entry((keys[key as usize], series_of(series))).or_default() += amount;
                }
            }
            (Sums::Distinct { values, triples }, Sums::Distinct { values: labels, triples: more }) => {
                let ids: Vec<Option<u32>> =
                    (0..labels.len() as u32).map(|id| values.id(labels.get(id))).collect();
                for &(key, series, value) in more {
                    if let Some(value) = ids[value as usize] {
                        triples.insert((keys[key as usize], series_of(series), value));
                    }
                }
            }
            // Both count the same.
            _ => {}
        }
    }

    /// Whether nothing had to be counted without a key or cell of its own.
    fn keys_found_room(&self) -> bool {
        match &self.sums {
            Sums::One { other, .. } => *other == 0,
            Sums::Many { other, .. } => other.is_empty(),
            Sums::Distinct { .. } => true,
        }
    }

    /// Adds an amount under a key (`None`: no room for it) and a series; tells whether there was room for both.
    #[inline]
    pub(crate) fn add(&mut self, key: Option<u32>, series: u32, amount: u128) -> bool {
        match (&mut self.sums, key) {
            (Sums::One { per_key, .. }, Some(key)) => {
                let key = key as usize;
                if key >= per_key.len() {
                    per_key.resize(key + 1, 0);
                }
                per_key[key] += amount;
            }
            (Sums::One { other, .. }, None) => *other += amount,
            (Sums::Many { per_cell, other }, Some(key)) => {
                if let Some(sum) = per_cell.get_mut(&(key, series)) {
                    *sum += amount;
                } else if per_cell.len() < self.limit as usize {
                    per_cell.insert((key, series), amount);
                } else {
                    *other.entry(series).or_default() += amount;
                    return false;
                }
            }
            (Sums::Many { other, .. }, None) => *other.entry(series).or_default() += amount,
            (Sums::Distinct { .. }, _) => {}
        }
        key.is_some() && series != OTHER
    }

    /// Notes that `value` occurs under a key and a series.
    #[inline]
    pub(crate) fn note(&mut self, key: Option<u32>, series: u32, value: &[u8]) -> Result<(), Full> {
        let Sums::Distinct { values, triples } = &mut self.sums else { return Ok(()) };
        let (Some(key), Some(value)) = (key, values.id(value)) else { return Err(Full) };
        triples.insert((key, series, value));
        if triples.len() > self.limit as usize { Err(Full) } else { Ok(()) }
    }

    /// The number of a series; [`OTHER`] when there are too many.
    #[inline]
    pub(crate) fn series_id(&mut self, name: &[u8]) -> u32 {
        self.series.id(name).unwrap_or(OTHER)
    }
}
