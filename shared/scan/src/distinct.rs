//! Small exact sets and counts: most sessions hold one value, a few hold millions.

use serde::{Deserialize, Serialize};

/// A set of values that grows only when asked about or when it has doubled. The first value costs no allocation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Distinct<T> {
    first: T,
    rest: Vec<T>,
    /// How many of `rest`, from the front, are sorted and distinct.
    settled: usize,
}

/// Duplicates are weeded out first when this many values have gathered.
const SMALL: usize = 32;

impl<T: Ord + Copy> Distinct<T> {
    pub(crate) fn new(first: T) -> Self {
        Self { first, rest: Vec::new(), settled: 0 }
    }

    #[inline]
    pub(crate) fn insert(&mut self, value: T) {
        if value == self.first || self.rest.last() == Some(&value) {
            return;
        }
        self.rest.push(value);
        // Sorting after each doubling costs a constant number of comparisons per value and logarithm.
        if self.rest.len() >= 2 * self.settled.max(SMALL) {
            self.settle();
        }
    }

    fn settle(&mut self) {
        let first = self.first;
        self.rest.sort_unstable();
        self.rest.dedup();
        self.rest.retain(|value| *value != first);
        self.settled = self.rest.len();
    }

    pub(crate) fn count(&mut self) -> u64 {
        self.settle();
        1 + self.rest.len() as u64
    }

    /// The value, where there is only one.
    pub(crate) fn single(&mut self) -> Option<T> {
        if !self.rest.is_empty() {
            self.settle();
        }
        self.rest.is_empty().then_some(self.first)
    }

    /// Whether at least so many distinct values are known to be in the set. Looks at nothing that is not sorted yet.
    #[inline]
    pub(crate) fn holds_many(&self, many: usize) -> bool {
        self.settled >= many
    }

    /// Keeps the values for which `keep` holds, unless that would leave none; says whether it did.
    pub(crate) fn retain(&mut self, keep: impl Fn(&T) -> bool) -> bool {
        let kept: Vec<T> = self.sorted().into_iter().filter(keep).collect();
        let Some((first, rest)) = kept.split_first() else { return false };
        *self = Self { first: *first, rest: rest.to_vec(), settled: rest.len() };
        true
    }

    /// Every value, sorted.
    pub(crate) fn sorted(&mut self) -> Vec<T> {
        self.settle();
        let mut all = self.rest.clone();
        let at = all.partition_point(|value| *value < self.first);
        all.insert(at, self.first);
        all
    }
}

/// How often each of a few values came.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Counts<T> {
    first: (T, u64),
    rest: Vec<(T, u64)>,
}

impl<T: Copy + PartialEq> Counts<T> {
    pub(crate) fn new(first: T, times: u64) -> Self {
        Self { first: (first, times), rest: Vec::new() }
    }

    #[inline]
    pub(crate) fn add(&mut self, value: T, times: u64) {
        if self.first.0 == value {
            self.first.1 += times;
        } else if let Some((_, count)) = self.rest.iter_mut().find(|(v, _)| *v == value) {
            *count += times;
        } else {
            self.rest.push((value, times));
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (T, u64)> {
        std::iter::once(self.first).chain(self.rest.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn agrees_with_a_set(values in prop::collection::vec(0u32..60, 1..400)) {
            let mut distinct = Distinct::new(values[0]);
            values[1..].iter().for_each(|v| distinct.insert(*v));
            let set: BTreeSet<u32> = values.iter().copied().collect();
            prop_assert_eq!(distinct.count(), set.len() as u64);
            prop_assert_eq!(distinct.sorted(), set.into_iter().collect::<Vec<_>>());
            prop_assert!(distinct.rest.len() <= 60);
        }
    }
}
