//! Total orders on labels and counts, so that ties never follow a hash.

use std::cmp::{Ordering, Reverse};
use std::net::Ipv4Addr;

use crate::{Decimal, Labels};

/// A label as the natural order sees it: numbers by value, then IPv4 addresses by value, then text with its digit
/// runs by value, then the empty label (absent) last. Equal values fall back to the bytes, so only identical labels
/// are equal.
///
/// Made once per label, so that a sort does not read the same number over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NaturalKey<'a> {
    class: Class,
    value: i128,
    label: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Number,
    Address,
    Text,
    Absent,
}

impl<'a> NaturalKey<'a> {
    /// The key of a label.
    pub fn new(label: &'a [u8]) -> Self {
        let (class, value) = if label.is_empty() {
            (Class::Absent, 0)
        } else if let Some(number) = Decimal::parse(label) {
            (Class::Number, number.units())
        } else if let Some(address) = address(label) {
            (Class::Address, i128::from(u32::from(address)))
        } else {
            (Class::Text, 0)
        };
        Self { class, value, label }
    }
}

/// An IPv4 address; only canonical text, so that one value has one label.
fn address(label: &[u8]) -> Option<Ipv4Addr> {
    // Longest is 255.255.255.255; most text is told apart here.
    if label.len() > 15 || !label.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(label).ok()?.parse().ok()
}

impl Ord for NaturalKey<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let values = (self.class, self.value).cmp(&(other.class, other.value));
        let values = if self.class == Class::Text {
            values.then_with(|| digit_runs(self.label, other.label))
        } else {
            values
        };
        values.then_with(|| self.label.cmp(other.label))
    }
}

impl PartialOrd for NaturalKey<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Orders two labels by their [`NaturalKey`].
///
/// ```
/// use probeline_chart::order::natural;
/// let mut ports = vec!["", "443", "tcp", "23", "10.0.0.9", "10.0.0.10"];
/// ports.sort_by(|a, b| natural(a.as_bytes(), b.as_bytes()));
/// assert_eq!(ports, ["23", "443", "10.0.0.9", "10.0.0.10", "tcp", ""]);
/// ```
pub fn natural(a: &[u8], b: &[u8]) -> Ordering {
    NaturalKey::new(a).cmp(&NaturalKey::new(b))
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
    let count = |id: u32| counts.get(id as usize).copied().unwrap_or(0);
    let mut keys: Vec<_> = (0..labels.len() as u32)
        .map(|id| (Reverse(count(id)), NaturalKey::new(labels.get(id)), id))
        .collect();
    keys.sort_unstable();
    keys.into_iter().map(|(.., id)| id).collect()
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
