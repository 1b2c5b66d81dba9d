//! A cell read as a number, without a float in between.

use std::fmt;
use std::str::FromStr;

/// Decimal places that are kept: enough for time to the picosecond and for any coordinate.
const PLACES: u32 = 12;
const ONE: i128 = 1_000_000_000_000;
/// Largest integer part, so that sums of 10^12 values still fit.
const MAX_INTEGER_DIGITS: usize = 14;

/// An exact decimal number: a whole count of 10^-12.
///
/// Cells become numbers without rounding, so that a value on a bin's edge falls on the same side on every machine
/// and `0.1 + 0.2` is `0.3`. The integer part may have 14 digits; digits behind the twelfth decimal
/// place are cut off.
///
/// ```
/// use probeline_chart::Decimal;
///
/// let value = Decimal::parse(b"1500000000.250000").unwrap();
/// assert_eq!(value.to_string(), "1500000000.25");
/// assert!(Decimal::parse(b"tcp").is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(i128);

impl Decimal {
    /// Nought.
    pub const ZERO: Self = Self(0);
    /// One.
    pub const ONE: Self = Self(ONE);

    /// Reads `-12`, `3.25`, `.5`, `1e-3`; `None` for anything else, for infinity, and beyond 14 integer digits.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if let Some(small) = parse_small(text) {
            return Some(Self(i128::from(small) * ONE));
        }
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let (mantissa, exponent) = match digits.iter().position(|b| matches!(b, b'e' | b'E')) {
            Some(at) => (&digits[..at], parse_exponent(&digits[at + 1..])?),
            None => (digits, 0),
        };
        let point = mantissa.iter().position(|&b| b == b'.').unwrap_or(mantissa.len());
        let (whole, fraction) = (&mantissa[..point], mantissa.get(point + 1..).unwrap_or_default());
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let magnitude = assemble(whole, fraction, exponent)?;
        Some(Self(if negative { -magnitude } else { magnitude }))
    }

    /// A whole number; `None` beyond 14 digits.
    pub fn from_int(value: i64) -> Option<Self> {
        (value.unsigned_abs() < 10u64.pow(MAX_INTEGER_DIGITS as u32)).then(|| Self(i128::from(value) * ONE))
    }

    /// From a count of 10^-12.
    pub fn from_units(units: i128) -> Self {
        Self(units)
    }

    /// The number as a count of 10^-12.
    pub fn units(self) -> i128 {
        self.0
    }

    /// The nearest float, for drawing only.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / ONE as f64
    }

    /// How many decimal places the number needs: 0 for a whole number, at most 12.
    pub fn places(self) -> u32 {
        if self.0 % ONE == 0 {
            return 0;
        }
        let mut rest = self.0;
        let mut places = PLACES;
        while rest % 10 == 0 {
            rest /= 10;
            places -= 1;
        }
        places
    }

    /// The whole part, rounded towards minus infinity.
    pub fn floor(self) -> i64 {
        // 14 integer digits fit in an i64, and so does every sum this crate hands out.
        i64::try_from(self.0.div_euclid(ONE)).unwrap_or(i64::MAX)
    }
}

/// The fast way for what most cells are: up to 14 digits and nothing else.
fn parse_small(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > MAX_INTEGER_DIGITS {
        return None;
    }
    let mut value = 0u64;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(value)
}

fn parse_exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.len() > 4 {
        return None;
    }
    let value = i32::try_from(parse_small(digits)?).ok()?;
    Some(if negative { -value } else { value })
}

/// Puts digits before and behind the point together as a count of 10^-12, the point shifted by `exponent`.
fn assemble(whole: &[u8], fraction: &[u8], exponent: i32) -> Option<i128> {
    let mut units = 0i128;
    let integer_digits = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
    // `place` is the power of ten of a digit: 0 for the last one before the point.
    for (at, &byte) in whole.iter().chain(fraction).enumerate() {
        if !byte.is_ascii_digit() {
            return None;
        }
        let place = integer_digits - 1 - i32::try_from(at).ok()?;
        if byte == b'0' || place < -(PLACES as i32) {
            continue;
        }
        if place >= MAX_INTEGER_DIGITS as i32 {
            return None;
        }
        units += i128::from(byte - b'0') * 10i128.pow((place + PLACES as i32) as u32);
    }
    Some(units)
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let (whole, rest) = (magnitude / ONE as u128, magnitude % ONE as u128);
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let fraction = format!("{rest:012}");
        write!(f, "{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }
}

/// The text is not a decimal number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number of at most 14 integer digits: '{0}'")]
pub struct NotDecimal(pub String);

impl FromStr for Decimal {
    type Err = NotDecimal;

    fn from_str(text: &str) -> Result<Self, NotDecimal> {
        Self::parse(text.as_bytes()).ok_or_else(|| NotDecimal(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn show(text: &str) -> String {
        Decimal::parse(text.as_bytes()).map_or("none".into(), |d| d.to_string())
    }

    #[test]
    fn reads_what_cells_hold() {
        for (text, want) in [
            ("0", "0"),
            ("-0", "0"),
            ("007", "7"),
            ("65535", "65535"),
            ("1500000000.250000", "1500000000.25"),
            ("-33.868800", "-33.8688"),
            (".5", "0.5"),
            ("5.", "5"),
            ("+3", "3"),
            ("1e3", "1000"),
            ("1.5E-3", "0.0015"),
            ("0.0000000000019", "0.000000000001"),
            ("1e-400", "0"),
            ("99999999999999.999999999999", "99999999999999.999999999999"),
        ] {
            assert_eq!(show(text), want, "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "-",
            ".",
            "e5",
            "1e",
            "1e99999",
            "nan",
            "inf",
            "0x10",
            "1 ",
            "1,5",
            "1.2.3",
            "100000000000000",
            "1e14",
        ] {
            assert_eq!(show(text), "none", "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_survives(whole in -99_999_999_999_999i64..=99_999_999_999_999, places in 0u32..=12, digits in 0u64..1_000_000_000_000) {
            let fraction = digits % 10u64.pow(places);
            let text = if places == 0 { format!("{whole}") } else { format!("{whole}.{fraction:0w$}", w = places as usize) };
            let value = Decimal::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(Decimal::parse(value.to_string().as_bytes()), Some(value));
            prop_assert!((value.to_f64() - text.parse::<f64>().unwrap()).abs() <= 0.02);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = Decimal::parse(&bytes);
        }
    }
}
