//! Total orders on labels and counts, so that ties never follow a hash.

use std::cmp::Ordering;

use crate::{Decimal, Labels};

/// Orders labels as a reader expects: numbers by value, then text with its digit runs by value, then the empty
/// label (absent) last. Equal values fall back to the bytes, so only identical labels compare equal.
///
/// ```
/// use probeline_chart::order::natural;
/// let mut ports = vec!["", "443", "tcp", "23", "10.0.0.9", "10.0.0.10"];
/// ports.sort_by(|a, b| natural(a.as_bytes(), b.as_bytes()));
/// assert_eq!(ports, ["23", "443", "10.0.0.9", "10.0.0.10", "tcp", ""]);
/// ```
pub fn natural(a: &[u8], b: &[u8]) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    match (Decimal::parse(a), Decimal::parse(b)) {
        (Some(x), Some(y)) => x.cmp(&y).then_with(|| a.cmp(b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => digit_runs(a, b).then_with(|| a.cmp(b)),
    }
}

/// Compares byte by byte, except that two runs of digits compare by value.
fn digit_runs(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        match (a, b) {
            ([], []) => return Ordering::Equal,
            ([], _) => return Ordering::Less,
            (_, []) => return Ordering::Greater,
            ([x, ..], [y, ..]) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (run_a, rest_a) = split_digits(a);
                let (run_b, rest_b) = split_digits(b);
                let unequal = run_a.len().cmp(&run_b.len()).then_with(|| run_a.cmp(run_b));
                if unequal != Ordering::Equal {
                    return unequal;
                }
                (a, b) = (rest_a, rest_b);
            }
            ([x, rest_a @ ..], [y, rest_b @ ..]) => {
                if x != y {
                    return x.cmp(y);
                }
                (a, b) = (rest_a, rest_b);
            }
        }
    }
}

/// The leading digits without their leading noughts, and what follows.
fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (run, rest) = text.split_at(end);
    let start = run.iter().position(|&b| b != b'0').unwrap_or(run.len());
    (&run[start..], rest)
}

/// All ids, the largest count first; equal counts in [`natural`] order of their labels.
pub fn by_count(labels: &Labels, counts: &[u128]) -> Vec<u32> {
    let mut ids: Vec<u32> = (0..labels.len() as u32).collect();
    ids.sort_unstable_by(|&a, &b| {
        let (x, y) = (counts.get(a as usize), counts.get(b as usize));
        y.cmp(&x).then_with(|| natural(labels.get(a), labels.get(b)))
    });
    ids
}

/// All ids in [`natural`] order of their labels.
pub fn by_value(labels: &Labels) -> Vec<u32> {
    let mut ids: Vec<u32> = (0..labels.len() as u32).collect();
    ids.sort_unstable_by(|&a, &b| natural(labels.get(a), labels.get(b)));
    ids
}

/// All ids in the order of their labels' bytes, the empty label last.
pub fn by_label(labels: &Labels) -> Vec<u32> {
    let mut ids: Vec<u32> = (0..labels.len() as u32).collect();
    ids.sort_unstable_by_key(|&id| (labels.get(id).is_empty(), labels.get(id)));
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_follow_the_value() {
        let mut labels = Labels::new(100);
        for label in ["80", "9", "", "443", "1e2"] {
            labels.id(label.as_bytes());
        }
        let text = |ids: Vec<u32>| -> Vec<String> {
            ids.iter().map(|&id| String::from_utf8_lossy(labels.get(id)).into_owned()).collect()
        };
        assert_eq!(text(by_count(&labels, &[1, 1, 1, 2, 1])), ["443", "9", "80", "1e2", ""]);
        assert_eq!(text(by_value(&labels)), ["9", "80", "1e2", "443", ""]);
        assert_eq!(text(by_label(&labels)), ["1e2", "443", "80", "9", ""]);
    }

    proptest! {
        #[test]
        fn the_order_is_total(mut texts in proptest::collection::vec("[0-9a.]{0,4}", 0..12)) {
            for a in &texts {
                for b in &texts {
                    let there = natural(a.as_bytes(), b.as_bytes());
                    prop_assert_eq!(there.reverse(), natural(b.as_bytes(), a.as_bytes()));
                    prop_assert_eq!(there == Ordering::Equal, a == b);
                    for c in &texts {
                        if there == Ordering::Less && natural(b.as_bytes(), c.as_bytes()) == Ordering::Less {
                            prop_assert_eq!(natural(a.as_bytes(), c.as_bytes()), Ordering::Less);
                        }
                    }
                }
            }
            texts.sort_by(|a, b| natural(a.as_bytes(), b.as_bytes()));
        }
    }
}
