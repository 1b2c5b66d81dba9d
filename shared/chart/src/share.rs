//! Parts of a whole, as fixed decimals by integer arithmetic.

/// `part / whole` with `places` decimals, rounded half up; an empty text when the whole is nought.
///
/// Integers all the way: no float can make the same rows print differently on two machines.
///
/// ```
/// assert_eq!(probeline_chart::share::decimal(1, 8, 2), "0.13");
/// assert_eq!(probeline_chart::share::decimal(0, 0, 2), "");
/// ```
pub fn decimal(part: u128, whole: u128, places: u32) -> String {
    scaled(part, whole, places).map_or_else(String::new, |value| point(value, places))
}

/// `part / whole` in per cent with `places` decimals and no sign, for people: `12.5`.
pub fn percent(part: u128, whole: u128, places: u32) -> String {
    scaled(part, whole, places + 2).map_or_else(String::new, |value| point(value, places))
}

/// `part / whole` in units of 10^-`places`, rounded half up.
fn scaled(mut part: u128, mut whole: u128, places: u32) -> Option<u128> {
    if whole == 0 {
        return None;
    }
    let unit = 10u128.checked_pow(places)?;
    // Sums above 2^96 lose their last bits here, a relative error of 2^-64 at most.
    while part.checked_mul(unit).and_then(|v| v.checked_add(whole)).is_none() {
        part >>= 8;
        whole = (whole >> 8).max(1);
    }
    Some((part * unit + whole / 2) / whole)
}

/// An integer count of 10^-`places` as text.
fn point(value: u128, places: u32) -> String {
    if places == 0 {
        return value.to_string();
    }
    let unit = 10u128.pow(places);
    format!("{}.{:0width$}", value / unit, value % unit, width = places as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_half_up() {
        assert_eq!(decimal(1, 3, 6), "0.333333");
        assert_eq!(decimal(2, 3, 6), "0.666667");
        assert_eq!(decimal(5, 5, 6), "1.000000");
        assert_eq!(decimal(1, 2_000_000, 6), "0.000001");
        assert_eq!(decimal(7, 2, 0), "4");
        assert_eq!(percent(1, 8, 1), "12.5");
    }

    #[test]
    fn huge_sums_do_not_overflow() {
        assert_eq!(decimal(u128::MAX, u128::MAX, 6), "1.000000");
        assert_eq!(decimal(u128::MAX / 4, u128::MAX, 6), "0.250000");
    }
}
