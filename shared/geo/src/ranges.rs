//! Address ranges: from overlapping to disjoint, from ranges to prefixes, and look-up by binary search.
//!
//! Addresses of one family are plain integers here (`u128` holds both), so that the same code serves IPv4 and
//! IPv6. The two families never share a list.

/// An inclusive range of addresses of one family with the value that holds for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range<V> {
    /// First address of the range.
    pub first: u128,
    /// Last address of the range, itself inside; never below `first`.
    pub last: u128,
    /// What holds for every address of the range.
    pub value: V,
}

/// Turns ranges that may nest or overlap into disjoint ones in ascending order.
///
/// A range inside another wins over it, as the longer prefix does in routing (RFC 4632 §5.1). Of two that
/// overlap without nesting, the one that starts later holds from its start on, and what is left of the
/// earlier one beyond it keeps the earlier value. Of two equal ranges the later in the list wins. Ranges
/// whose `last` is below `first` are left out. The second number returned counts the overlaps that were not
/// nestings.
#[must_use]
pub fn flatten<V: Copy + PartialEq>(mut ranges: Vec<Range<V>>) -> (Vec<Range<V>>, usize) {
    ranges.retain(|range| range.first <= range.last);
    ranges.sort_by(|a, b| a.first.cmp(&b.first).then(b.last.cmp(&a.last)));
    let mut disjoint = Vec::with_capacity(ranges.len());
    let mut open: Vec<Range<V>> = Vec::new();
    let mut partial = 0;
    // Everything below `from` is already written.
    let mut from = 0_u128;
    for range in ranges {
        close_until(&mut open, &mut disjoint, &mut from, Some(range.first));
        if let Some(outer) = open.last() {
            partial += usize::from(outer.last < range.last);
            if from < range.first {
                push(&mut disjoint, Range { first: from, last: range.first - 1, value: outer.value });
            }
        }
        from = range.first;
        open.push(range);
    }
    close_until(&mut open, &mut disjoint, &mut from, None);
    (disjoint, partial)
}

/// Writes and drops the innermost open ranges that end before `next` (all, where there is no next).
fn close_until<V: Copy + PartialEq>(
    open: &mut Vec<Range<V>>,
    disjoint: &mut Vec<Range<V>>,
    from: &mut u128,
    next: Option<u128>,
) {
    while let Some(inner) = open.last().copied() {
        if next.is_some_and(|next| inner.last >= next) {
            return;
        }
        open.pop();
        if inner.last < *from {
            continue;
        }
        push(disjoint, Range { first: *from, ..inner });
        let Some(after) = inner.last.checked_add(1) else {
            // The last address of all is written: no open range has anything left.
            open.clear();
            return;
        };
        *from = after;
    }
}

/// Appends a range, joining it to the one before where they touch and say the same.
fn push<V: Copy + PartialEq>(disjoint: &mut Vec<Range<V>>, range: Range<V>) {
    match disjoint.last_mut() {
        Some(before) if before.value == range.value && before.last.checked_add(1) == Some(range.first) => {
            before.last = range.last;
        }
        _ => disjoint.push(range),
    }
}

/// The fewest prefixes that together cover exactly `first..=last` of a family with `bits` (32 or 128) address
/// bits: pairs of network address and prefix length, in ascending order. Nothing where `last` is below
/// `first`.
#[must_use]
pub fn prefixes(first: u128, last: u128, bits: u8) -> Vec<(u128, u8)> {
    let mut prefixes = Vec::new();
    let mut at = first;
    while at <= last {
        // The largest block that starts here: as aligned as the address is, and no longer than what is left.
        let aligned = at.trailing_zeros().min(u32::from(bits));
        let left = last - at;
        let fitting = if left == u128::MAX { 128 } else { (left + 1).ilog2() };
        let host_bits = aligned.min(fitting);
        let length = bits - u8::try_from(host_bits).unwrap_or(bits).min(bits);
        prefixes.push((at, length));
        let size_less_one = if host_bits >= 128 { u128::MAX } else { (1_u128 << host_bits) - 1 };
        match at.checked_add(size_less_one).and_then(|end| end.checked_add(1)) {
            Some(next) => at = next,
            None => break,
        }
    }
    prefixes
}

/// Disjoint ranges of one family, looked up by binary search.
#[derive(Clone, Debug, Default)]
pub struct RangeMap<V> {
    ranges: Vec<Range<V>>,
}

impl<V: Copy + PartialEq> RangeMap<V> {
    /// A map of ranges that may nest or overlap; see [`flatten`] for which one wins.
    #[must_use]
    pub fn new(ranges: Vec<Range<V>>) -> Self {
        Self { ranges: flatten(ranges).0 }
    }

    /// The index of the range that holds `address`, stable for the life of the map, and its value.
    #[must_use]
    pub fn get(&self, address: u128) -> Option<(usize, V)> {
        let index = self.ranges.partition_point(|range| range.last < address);
        let range = self.ranges.get(index)?;
        (range.first <= address).then_some((index, range.value))
    }

    /// Number of disjoint ranges.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there is no range at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(first: u128, last: u128, value: u8) -> Range<u8> {
        Range { first, last, value }
    }

    #[test]
    fn an_inner_range_splits_the_outer() {
        let (flat, partial) = flatten(vec![range(10, 99, 1), range(20, 29, 2), range(25, 26, 3)]);
        let expected =
            vec![range(10, 19, 1), range(20, 24, 2), range(25, 26, 3), range(27, 29, 2), range(30, 99, 1)];
        assert_eq!((flat, partial), (expected, 0));
    }

    #[test]
    fn of_two_that_overlap_the_later_start_wins() {
        let (flat, partial) = flatten(vec![range(0, 20, 1), range(10, 30, 2)]);
        assert_eq!((flat, partial), (vec![range(0, 9, 1), range(10, 30, 2)], 1));
    }

    #[test]
    fn the_last_address_of_all_is_kept() {
        let (flat, _) = flatten(vec![range(0, u128::MAX, 1), range(5, u128::MAX, 2)]);
        assert_eq!(flat, vec![range(0, 4, 1), range(5, u128::MAX, 2)]);
        assert_eq!(prefixes(0, u128::MAX, 128), vec![(0, 0)]);
        assert_eq!(prefixes(0, u128::from(u32::MAX), 32), vec![(0, 0)]);
        assert_eq!(prefixes(u128::MAX, u128::MAX, 128), vec![(u128::MAX, 128)]);
    }

    #[test]
    fn a_backward_range_is_nothing() {
        assert!(prefixes(5, 4, 32).is_empty());
        assert!(flatten(vec![range(5, 4, 1)]).0.is_empty());
    }

    /// The rule of [`flatten`] said a second way: walk the address, take the holder that starts last, of
    /// these the shortest, of these the last listed.
    fn brute(ranges: &[Range<u8>], address: u128) -> Option<u8> {
        ranges
            .iter()
            .filter(|range| range.first <= address && address <= range.last)
            .enumerate()
            .max_by_key(|(index, range)| (range.first, u128::MAX - range.last, *index))
            .map(|(_, range)| range.value)
    }

    proptest! {
        #[test]
        fn flat_ranges_say_what_the_nested_ones_say(
            raw in proptest::collection::vec((0_u128..60, 0_u128..60, 0_u8..4), 0..12)
        ) {
            let ranges: Vec<_> = raw.into_iter().map(|(from, to, value)| range(from, to, value)).collect();
            let map = RangeMap::new(ranges.clone());
            for address in 0..62 {
                prop_assert_eq!(map.get(address).map(|(_, value)| value), brute(&ranges, address));
            }
            for pair in map.ranges.windows(2) {
                prop_assert!(pair[0].last < pair[1].first);
            }
        }

        #[test]
        fn prefixes_cover_the_range_and_nothing_else(first in 0_u128..5000, length in 0_u128..5000) {
            let last = first + length;
            let mut next = first;
            for (network, prefix) in prefixes(first, last, 32) {
                let size = 1_u128 << (32 - prefix);
                prop_assert_eq!(network, next);
                prop_assert_eq!(network % size, 0);
                next = network + size;
            }
            prop_assert_eq!(next, last + 1);
        }
    }
}
