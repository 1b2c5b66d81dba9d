//! Bins of numbers: linear, fixed width, logarithmic, explicit edges.

use std::str::FromStr;

use crate::Decimal;

/// Most edges a scheme may ask for.
const MAX_EDGES: usize = 100_000;

/// How to cut a range of numbers, as a user writes it.
///
/// | text | meaning |
/// |---|---|
/// | `linear:N` | N bins of equal width from the smallest to the largest value |
/// | `width:W` | bins of width W whose edges are multiples of W |
/// | `log:B` | \[0, 1), \[1, B), \[B, B²) … with a whole base B |
/// | `log:B:FIRST` | the same, beginning at FIRST instead of 1 |
/// | `edges:a,b,c` | \[a, b), \[b, c), and what lies outside |
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// This many bins of equal width between the smallest and the largest value.
    Linear(u32),
    /// Bins of this width; edges are multiples of it.
    Width(Decimal),
    /// Edges 0, `first`, `first`·`base`, `first`·`base`² …
    Log {
        /// Factor from edge to edge, at least 2.
        base: u32,
        /// The first edge above nought.
        first: Decimal,
    },
    /// Ascending edges.
    Edges(Vec<Decimal>),
}

/// A scheme that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write linear:N, width:W, log:B, log:B:FIRST or edges:a,b,c")]
pub struct BinsError(String);

impl FromStr for Scheme {
    type Err = BinsError;

    fn from_str(text: &str) -> Result<Self, BinsError> {
        let (kind, rest) =
            text.split_once(':').ok_or_else(|| BinsError(format!("bins '{text}' name no size")))?;
        let number =
            |part: &str| part.parse::<Decimal>().map_err(|e| BinsError(format!("bins '{text}': {e}")));
        match kind {
            "linear" => match rest.parse::<u32>() {
                Ok(n) if n >= 1 && n as usize <= MAX_EDGES => Ok(Self::Linear(n)),
                _ => Err(BinsError(format!("linear bins want a number from 1 to {MAX_EDGES}, not '{rest}'"))),
            },
            "width" => {
                let width = number(rest)?;
                if width <= Decimal::ZERO {
                    return Err(BinsError(format!("bins '{text}': a width is above nought")));
                }
                Ok(Self::Width(width))
            }
            "log" => {
                let (base, first) = match rest.split_once(':') {
                    Some((base, first)) => (base, number(first)?),
                    None => (rest, Decimal::ONE),
                };
                let base = base.parse::<u32>().ok().filter(|&b| b >= 2);
                let base =
                    base.ok_or_else(|| BinsError(format!("bins '{text}': a base is a whole number from 2")))?;
                if first <= Decimal::ZERO {
                    return Err(BinsError(format!("bins '{text}': the first edge is above nought")));
                }
                Ok(Self::Log { base, first })
            }
            "edges" => {
                let edges = rest.split(',').map(|part| number(part.trim())).collect::<Result<Vec<_>, _>>()?;
                if edges.len() < 2
                    || edges.len() > MAX_EDGES
                    || edges.windows(2).any(|pair| pair[0] >= pair[1])
                {
                    return Err(BinsError(format!("bins '{text}': edges are two or more ascending numbers")));
                }
                Ok(Self::Edges(edges))
            }
            _ => Err(BinsError(format!("no bins of kind '{kind}'"))),
        }
    }
}

/// Bins whose edges are fixed: every number has a key, every key a half-open range `[lo, hi)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bins {
    /// Edges at multiples of a width; key k is \[k·width, (k+1)·width).
    Width(Decimal),
    /// Ascending edges; key k is \[edge k-1, edge k), 0 lies below all of them and n above.
    Edges(Vec<Decimal>),
}

impl Bins {
    /// Fixes the edges of `scheme`; `None` for [`Scheme::Linear`], which needs the data first: see [`Bins::linear`].
    pub fn new(scheme: &Scheme) -> Option<Self> {
        match scheme {
            Scheme::Linear(_) => None,
            Scheme::Width(width) => Some(Self::Width(*width)),
            Scheme::Edges(edges) => Some(Self::Edges(edges.clone())),
            Scheme::Log { base, first } => {
                let mut edges = vec![Decimal::ZERO];
                let mut edge = first.units();
                // 10^26 units is the first number that no cell can hold.
                while edge < 10i128.pow(26) {
                    edges.push(Decimal::from_units(edge));
                    edge *= i128::from(*base);
                }
                edges.push(Decimal::from_units(edge));
                Some(Self::Edges(edges))
            }
        }
    }

    /// `n` bins of equal width over values from `min` to `max` that have at most `places` decimals.
    ///
    /// Edges are rounded up to that many decimals. This moves no value into another bin, since none lies between an
    /// edge and its rounding, and it prints whole edges for whole numbers. Values that leave room for fewer than `n`
    /// distinct edges get fewer bins.
    pub fn linear(n: u32, min: Decimal, max: Decimal, places: u32) -> Self {
        let grid = 10i128.pow(12u32.saturating_sub(places));
        let low = min.units().div_euclid(grid);
        let steps = max.units().div_euclid(grid) - low + 1;
        let n = i128::from(n.max(1)).min(steps.max(1));
        let edges =
            (0..=n).map(|i| Decimal::from_units((low + (i * steps + n - 1).div_euclid(n)) * grid)).collect();
        Self::Edges(edges)
    }

    /// The key of the bin that holds `value`; keys ascend with values.
    #[inline]
    pub fn key(&self, value: Decimal) -> i128 {
        match self {
            Self::Width(width) => value.units().div_euclid(width.units()),
            Self::Edges(edges) => edges.partition_point(|&edge| edge <= value) as i128,
        }
    }

    /// The bin's lower (inclusive) and upper (exclusive) edge; `None` where it is open.
    pub fn range(&self, key: i128) -> (Option<Decimal>, Option<Decimal>) {
        match self {
            Self::Width(width) => {
                let low = key.saturating_mul(width.units());
                (Some(Decimal::from_units(low)), Some(Decimal::from_units(low.saturating_add(width.units()))))
            }
            Self::Edges(edges) => {
                let at = usize::try_from(key).unwrap_or(0);
                (at.checked_sub(1).and_then(|below| edges.get(below)).copied(), edges.get(at).copied())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn shown(bins: &Bins, value: &str) -> String {
        let (lo, hi) = bins.range(bins.key(d(value)));
        let text = |edge: Option<Decimal>| edge.map_or(String::new(), |e| e.to_string());
        format!("{}..{}", text(lo), text(hi))
    }

    #[test]
    fn log_edges_are_exact_powers() {
        let bins = Bins::new(&"log:10".parse().unwrap()).unwrap();
        for (value, want) in [
            ("0", "0..1"),
            ("0.999", "0..1"),
            ("1", "1..10"),
            ("9", "1..10"),
            ("10", "10..100"),
            ("1000", "1000..10000"),
            ("99999999999999", "10000000000000..100000000000000"),
            ("-1", "..0"),
        ] {
            assert_eq!(shown(&bins, value), want, "{value}");
        }
        let fine = Bins::new(&"log:10:0.001".parse().unwrap()).unwrap();
        assert_eq!(shown(&fine, "0.01"), "0.01..0.1");
        assert_eq!(shown(&fine, "0.0009"), "0..0.001");
    }

    #[test]
    fn width_edges_are_multiples_below_nought_too() {
        let bins = Bins::new(&"width:0.5".parse().unwrap()).unwrap();
        assert_eq!(shown(&bins, "-0.1"), "-0.5..0");
        assert_eq!(shown(&bins, "0.5"), "0.5..1");
    }

    #[test]
    fn explicit_edges_keep_what_lies_outside() {
        let bins = Bins::new(&"edges:0,1024,49152,65536".parse().unwrap()).unwrap();
        assert_eq!(shown(&bins, "1023"), "0..1024");
        assert_eq!(shown(&bins, "1024"), "1024..49152");
        assert_eq!(shown(&bins, "-1"), "..0");
        assert_eq!(shown(&bins, "65536"), "65536..");
    }

    #[test]
    fn linear_bins_of_whole_numbers_have_whole_edges() {
        assert_eq!(Bins::linear(3, d("1"), d("10"), 0), Bins::Edges(vec![d("1"), d("5"), d("8"), d("11")]),);
        // Only two values: no more than two bins, whatever was asked for.
        assert_eq!(Bins::linear(9, d("4"), d("5"), 0), Bins::Edges(vec![d("4"), d("5"), d("6")]));
    }

    #[test]
    fn schemes_that_make_no_sense_are_refused() {
        for text in [
            "",
            "ten",
            "linear:0",
            "linear:x",
            "width:0",
            "width:-1",
            "log:1",
            "log:10:0",
            "edges:1",
            "edges:2,1",
            "edges:1,1",
            "cube:3",
        ] {
            assert!(text.parse::<Scheme>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_value_lies_in_its_bin(value in -1_000_000i64..1_000_000, places in 0u32..4, n in 1u32..50, span in 0i64..100_000) {
            let unit = 10i128.pow(12 - places);
            let value_d = Decimal::from_units(i128::from(value) * unit);
            let min = Decimal::from_units(i128::from(value - span / 3) * unit);
            let max = Decimal::from_units(i128::from(value + span) * unit);
            for bins in [
                Bins::linear(n, min, max, places),
                Bins::Width(Decimal::from_units(i128::from(n) * unit)),
                Bins::new(&Scheme::Log { base: n + 1, first: Decimal::ONE }).unwrap(),
            ] {
                let (lo, hi) = bins.range(bins.key(value_d));
                prop_assert!(lo.is_none_or(|lo| lo <= value_d));
                prop_assert!(hi.is_some_and(|hi| value_d < hi));
                if let Bins::Edges(edges) = &bins {
                    prop_assert!(edges.windows(2).all(|pair| pair[0] < pair[1]));
                }
            }
        }

        #[test]
        fn rounding_an_edge_moves_no_value(min in -500i128..500, steps in 1i128..300, n in 1u32..40) {
            // The exact rule, written as a fraction: value v is in bin floor((v - min) * n / steps).
            let bins = Bins::linear(n, Decimal::from_units(min * 10i128.pow(12)), Decimal::from_units((min + steps - 1) * 10i128.pow(12)), 0);
            let m = i128::from(n).min(steps);
            for v in min..min + steps {
                prop_assert_eq!(bins.key(Decimal::from_units(v * 10i128.pow(12))) - 1, (v - min) * m / steps);
            }
        }
    }
}
