//! Distributions of weighted numbers: quantiles, ECDF, CCDF.

use crate::{Decimal, share};

/// One distinct value and how often it occurs.
pub type Weighted = (Decimal, u128);

/// The `q`-quantile: the smallest value that at least a share `q` of all occurrences do not exceed.
///
/// This is the inverse of the empirical distribution function (type 1 of Hyndman and Fan, "Sample Quantiles in
/// Statistical Packages", The American Statistician 50(4), 1996): always a value that occurs, exact for integers.
/// `values` ascend; `q` is between 0 and 1. `None` when nothing occurs.
pub fn quantile(values: &[Weighted], q: Decimal) -> Option<Decimal> {
    let total = sum(values);
    if total == 0 {
        return None;
    }
    let unit = Decimal::ONE.units() as u128;
    let wanted = u128::try_from(q.units()).unwrap_or(0).min(unit);
    // ceil(q · total) without overflow: split total by the unit first.
    let rank = (total / unit) * wanted + ((total % unit) * wanted).div_ceil(unit);
    let mut seen = 0;
    values
        .iter()
        .find(|(_, weight)| {
            seen += weight;
            *weight > 0 && seen >= rank.max(1)
        })
        .map(|&(value, _)| value)
}

/// One step of a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The value.
    pub value: Decimal,
    /// Occurrences of exactly this value.
    pub count: u128,
    /// Occurrences up to and including it.
    pub at_most: u128,
    /// Occurrences of it and above.
    pub at_least: u128,
}

impl Step {
    /// P(X ≤ value) with six decimals.
    pub fn ecdf(&self, total: u128) -> String {
        share::decimal(self.at_most, total, 6)
    }

    /// P(X ≥ value) with six decimals: never nought, so it can be drawn on a logarithmic axis.
    pub fn ccdf(&self, total: u128) -> String {
        share::decimal(self.at_least, total, 6)
    }
}

/// The empirical distribution of ascending `values`, one step for each that occurs.
pub fn steps(values: &[Weighted]) -> Vec<Step> {
    let total = sum(values);
    let mut below = 0;
    values
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|&(value, count)| {
            let step = Step { value, count, at_most: below + count, at_least: total - below };
            below += count;
            step
        })
        .collect()
}

/// All occurrences.
pub fn sum(values: &[Weighted]) -> u128 {
    values.iter().fold(0, |total, (_, weight)| total.saturating_add(*weight))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(list: &[(i64, u128)]) -> Vec<Weighted> {
        list.iter().map(|&(v, w)| (Decimal::from_int(v).unwrap(), w)).collect()
    }

    fn q(text: &str, list: &[(i64, u128)]) -> Option<String> {
        quantile(&values(list), text.parse().unwrap()).map(|v| v.to_string())
    }

    #[test]
    fn quantiles_are_values_that_occur() {
        let list = [(1, 1), (2, 1), (3, 1), (10, 1)];
        assert_eq!(q("0.5", &list).as_deref(), Some("2"));
        assert_eq!(q("0.500000000001", &list).as_deref(), Some("3"));
        assert_eq!(q("0", &list).as_deref(), Some("1"));
        assert_eq!(q("1", &list).as_deref(), Some("10"));
        assert_eq!(q("0.5", &[(7, 0)]), None);
        assert_eq!(q("0.5", &[]), None);
    }

    #[test]
    fn steps_start_and_end_at_one() {
        let list = steps(&values(&[(1, 2), (5, 0), (9, 2)]));
        let shown: Vec<_> = list.iter().map(|s| (s.value.to_string(), s.ecdf(4), s.ccdf(4))).collect();
        let want = [("1", "0.500000", "1.000000"), ("9", "1.000000", "0.500000")];
        assert_eq!(shown, want.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    }

    proptest! {
        #[test]
        fn the_quantile_is_the_sorted_element(mut list in proptest::collection::vec(0i64..50, 1..60), per_mille in 0i64..=1000) {
            list.sort_unstable();
            let weighted: Vec<Weighted> = list.iter().map(|&v| (Decimal::from_int(v).unwrap(), 1)).collect();
            let q = Decimal::from_units(i128::from(per_mille) * 1_000_000_000);
            let rank = (per_mille as usize * list.len()).div_ceil(1000).max(1);
            prop_assert_eq!(quantile(&weighted, q), Decimal::from_int(list[rank - 1]));
        }
    }
}
