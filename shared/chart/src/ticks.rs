//! Round numbers along an axis, and how to write them.

use jiff::Timestamp;
use jiff::tz::Offset;

/// A place on an axis and what stands there; an empty text is a minor tick.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) at: f64,
    pub(crate) text: String,
}

/// Steps of 1, 2 or 5 times a power of ten from `min` to `max`, about `wanted` of them; whole steps if `whole`.
pub(crate) fn linear(min: f64, max: f64, wanted: usize, whole: bool) -> Vec<Tick> {
    let (step, exponent) = nice_step((max - min) / wanted.max(1) as f64, whole);
    let first = (min / step - 1e-9).ceil() as i64;
    let last = (max / step + 1e-9).floor() as i64;
    let largest = (first.unsigned_abs().max(last.unsigned_abs())) as f64 * step;
    (first..=last)
        .take(100)
        .map(|i| {
            let at = i as f64 * step;
            Tick { at, text: short(at, largest, exponent) }
        })
        .collect()
}

/// Every third hour; of what is no day, a few round numbers.
pub(crate) fn hours(min: f64, max: f64) -> Vec<Tick> {
    if min < 0.0 || max > 24.0 {
        return linear(min, max, 8, true);
    }
    (0..=8)
        .map(|third| third * 3)
        .filter(|&hour| f64::from(hour) <= max)
        .map(|hour| Tick { at: f64::from(hour), text: hour.to_string() })
        .collect()
}

/// The least step of 1, 2, 5 · 10^k that is not below `rough`, and k.
fn nice_step(rough: f64, whole: bool) -> (f64, i32) {
    let rough = if rough.is_finite() && rough > 0.0 { rough } else { 1.0 };
    let mut exponent = rough.log10().floor() as i32;
    let part = rough / 10f64.powi(exponent);
    let mut digit = match part {
        p if p <= 1.0 + 1e-9 => 1.0,
        p if p <= 2.0 + 1e-9 => 2.0,
        p if p <= 5.0 + 1e-9 => 5.0,
        _ => 10.0,
    };
    if digit >= 10.0 {
        (digit, exponent) = (1.0, exponent + 1);
    }
    if whole && exponent < 0 {
        (digit, exponent) = (1.0, 0);
    }
    (digit * 10f64.powi(exponent), exponent)
}

/// Powers of ten from `min` to `max` with their texts; minor ticks at 2 to 9 between them. On less than two
/// decades the minor ticks 2 and 5 have texts too.
pub(crate) fn log(min: f64, max: f64) -> Vec<Tick> {
    let (low, high) = (min.log10(), max.log10());
    let decades = high - low;
    // More than eight texts do not fit a column's width.
    let every = ((decades / 8.0).ceil() as i32).max(1);
    // One axis, one notation: where 0.0001 is too coarse, 0.1 is a power of ten too.
    let powers = low < -4.0 - 1e-9 || high > 15.0;
    let mut ticks = Vec::new();
    for exponent in (low - 1e-9).floor() as i32..=(high + 1e-9).ceil() as i32 {
        for digit in 1..10 {
            let at = power_of_ten(exponent) * f64::from(digit);
            if at < min * (1.0 - 1e-9) || at > max * (1.0 + 1e-9) {
                continue;
            }
            let named = match digit {
                1 => exponent % every == 0,
                2 | 5 => decades < 2.0,
                _ => decades < 0.5,
            };
            if digit > 1 && every > 1 {
                continue;
            }
            ticks
                .push(Tick { at, text: if named { magnitude(at, exponent, powers) } else { String::new() } });
        }
    }
    ticks
}

/// 10^exponent by division below one, which rounds correctly where a product of tenths would not.
fn power_of_ten(exponent: i32) -> f64 {
    if exponent < 0 { 1.0 / 10f64.powi(-exponent) } else { 10f64.powi(exponent) }
}

/// A number on a logarithmic axis: `1`, `500`, `10k`, `1M`, `0.01`, or `10⁻⁵` with `powers`.
fn magnitude(at: f64, exponent: i32, powers: bool) -> String {
    if powers && exponent != 0 {
        let digit = (at / power_of_ten(exponent)).round();
        let power = format!("10{}", superscript(exponent));
        return if digit > 1.0 { format!("{digit}·{power}") } else { power };
    }
    if exponent < 0 {
        return format!("{at:.*}", exponent.unsigned_abs() as usize);
    }
    short(at, at, exponent)
}

/// A number in the unit (none, k, M, G, T) that fits the axis' largest, with the decimals its step needs.
fn short(at: f64, largest: f64, exponent: i32) -> String {
    let (unit, suffix, shift) = match largest.abs() {
        v if v < 9_999.5 => (1.0, "", 0),
        v if v < 1e6 => (1e3, "k", 3),
        v if v < 1e9 => (1e6, "M", 6),
        v if v < 1e12 => (1e9, "G", 9),
        _ => (1e12, "T", 12),
    };
    if at == 0.0 {
        return "0".into();
    }
    if largest.abs() >= 1e15 {
        return format!("{at:.1e}").replace(".0e", "e").replace('-', "−");
    }
    let decimals = (shift - exponent).max(0) as usize;
    let text = format!("{:.*}", decimals, at / unit);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{suffix}").replace('-', "−")
}

/// A round number as an axis of its magnitude writes it: 30k for 30,000.
pub(crate) fn magnitude_of(at: f64) -> String {
    let exponent = at.abs().log10().floor() as i32 - 1;
    short(at, at, exponent)
}

fn superscript(number: i32) -> String {
    number
        .to_string()
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            c => c.to_digit(10).and_then(|d| char::from_u32(0x2070 + d)).unwrap_or(c),
        })
        .collect()
}

/// Steps of time in seconds; longer ones go by months.
const TIME_STEPS: [i64; 18] = [
    1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600,
    2_678_400, 31_622_400,
];

/// Round instants between two Unix times, at most `wanted` of them, in UTC.
///
/// Hours are written `15:00` and midnight as its date; days `14 Jul`; months `Jul 2017`; years `2017`.
pub(crate) fn time(min: f64, max: f64, wanted: usize) -> Vec<Tick> {
    // Beyond the years that a calendar has, there is nothing to write.
    if min.abs().max(max.abs()) > 253_402_300_800.0 {
        return Vec::new();
    }
    let rough = (max - min) / wanted.max(1) as f64;
    let step = TIME_STEPS.iter().copied().find(|&step| step as f64 >= rough).unwrap_or(31_622_400);
    if step >= 2_678_400 {
        return months(
            min,
            max,
            if step > 2_678_400 { ((rough / 31_557_600.0).ceil() as i64).max(1) * 12 } else { 1 },
        );
    }
    // Weeks begin on Monday: 5 January 1970 was one.
    let origin = if step % 604_800 == 0 { 4 * 86_400 } else { 0 };
    let first = ((min - origin as f64) / step as f64).ceil() as i64;
    let last = ((max - origin as f64) / step as f64).floor() as i64;
    (first..=last)
        .take(100)
        .map(|i| i * step + origin)
        .map(|second| {
            let pattern = match step {
                s if s >= 86_400 => "%-d %b",
                _ if second % 86_400 == 0 => "%-d %b",
                s if s < 60 => "%H:%M:%S",
                _ => "%H:%M",
            };
            Tick { at: second as f64, text: utc(second, pattern) }
        })
        .collect()
}

fn months(min: f64, max: f64, every: i64) -> Vec<Tick> {
    let mut ticks = Vec::new();
    let Ok(start) = Timestamp::from_second(min as i64) else { return ticks };
    let start = Offset::UTC.to_datetime(start);
    let begin = i64::from(start.year()) * 12 + i64::from(start.month()) - 1;
    let begin = begin.div_euclid(every) * every;
    for month in (0..100).map(|i| begin + i * every) {
        let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
        let (Ok(year), Ok(month)) = (i16::try_from(year), i8::try_from(month)) else { break };
        let Ok(date) = jiff::civil::Date::new(year, month, 1) else { break };
        let Ok(instant) = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)) else { break };
        let second = instant.as_second();
        if second as f64 > max {
            break;
        }
        if second as f64 >= min {
            let text = if every >= 12 { format!("{year}") } else { utc(second, "%b %Y") };
            ticks.push(Tick { at: second as f64, text });
        }
    }
    ticks
}

/// An instant as text; empty beyond the years −9999 to 9999.
pub(crate) fn utc(second: i64, pattern: &str) -> String {
    Timestamp::from_second(second)
        .map(|instant| Offset::UTC.to_datetime(instant).strftime(pattern).to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.text.as_str()).filter(|text| !text.is_empty()).collect()
    }

    #[test]
    fn linear_steps_are_round() {
        assert_eq!(texts(&linear(0.0, 10.0, 5, true)), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(texts(&linear(0.0, 888_708.0, 5, true)), ["0", "200k", "400k", "600k", "800k"]);
        assert_eq!(texts(&linear(0.0, 1_200_000.0, 5, true)), ["0", "0.5M", "1M"]);
        assert_eq!(texts(&linear(0.0, 1.0, 5, false)), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(texts(&linear(0.0, 2.0, 5, true)), ["0", "1", "2"]);
        assert_eq!(texts(&linear(-10.0, 10.0, 2, true)), ["−10", "0", "10"]);
        assert_eq!(texts(&linear(0.0, 0.0, 5, true)), ["0"]);
    }

    #[test]
    fn log_ticks_are_decades() {
        assert_eq!(texts(&log(1.0, 1e6)), ["1", "10", "100", "1000", "10k", "100k", "1M"]);
        assert_eq!(texts(&log(1.0, 50.0)), ["1", "2", "5", "10", "20", "50"]);
        assert_eq!(texts(&log(1e-6, 1.0)), ["10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "1"]);
        assert_eq!(log(1.0, 1000.0).len(), 28);
        assert_eq!(texts(&log(1.0, 1e12)), ["1", "100", "10k", "1M", "100M", "10G", "1T"]);
    }

    #[test]
    fn time_ticks_are_civil() {
        let hour = 3_600.0;
        // 14 July 2017 02:40 UTC.
        let t = 1_500_000_000.0;
        assert_eq!(
            texts(&time(t, t + 24.0 * hour, 8)),
            ["03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "15 Jul"]
        );
        assert_eq!(texts(&time(t, t + 4.0 * 24.0 * hour, 5)), ["15 Jul", "16 Jul", "17 Jul", "18 Jul"]);
        assert_eq!(
            texts(&time(t, t + 120.0 * 24.0 * hour, 5)),
            ["Aug 2017", "Sep 2017", "Oct 2017", "Nov 2017"]
        );
        assert_eq!(texts(&time(t, t + 8.0 * 365.0 * 24.0 * hour, 4)), ["2018", "2020", "2022", "2024"]);
    }
}
