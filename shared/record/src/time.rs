//! Instants as the rows carry them.

use std::time::Duration;

/// An instant: nanoseconds since 1970-01-01T00:00:00 UTC, without leap seconds, as captures count them.
///
/// Written as a decimal number of seconds with six or nine digits behind the point. 64 bits of nanoseconds reach
/// from the year 1677 to 2262; classic pcap ends in 2106.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ts(i64);

const NANOS: i64 = 1_000_000_000;

impl Ts {
    /// The earliest instant.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant.
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds since the Unix epoch.
    pub fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub fn nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(NANOS)
    }

    /// The time from `earlier` to this instant; negative where `earlier` is later. In nanoseconds, saturating.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This instant moved forward, saturating.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// How many digits behind the point a time of this text is written with: 9 if it has more than 6, else 6.
    #[inline]
    pub fn digits_of(text: &[u8]) -> u8 {
        // As nearly every capture has them.
        if text.len() > 6 && text[text.len() - 7] == b'.' {
            return 6;
        }
        let behind = text.iter().position(|b| *b == b'.').map_or(0, |point| text.len() - point - 1);
        if behind > 6 { 9 } else { 6 }
    }

    /// Reads decimal seconds: an optional sign, digits, and up to nine digits behind a point (more are cut).
    /// `None` for anything else or out of range.
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Self> {
        // Seconds of ten digits and six behind the point, as nearly every capture since 2001 has them.
        if let [head @ .., b'.', c, d, e, f, g, h] = text
            && let [a0, a1, seconds @ ..] = head
            && let Ok(seconds) = seconds.try_into()
            && a0.is_ascii_digit()
            && a1.is_ascii_digit()
            && let Some(low) = crate::text::parse_eight(seconds)
            && let Some(micros) = crate::text::parse_eight([b'0', b'0', *c, *d, *e, *f, *g, *h])
        {
            let high = i64::from(a0.wrapping_sub(b'0')) * 10 + i64::from(a1.wrapping_sub(b'0'));
            let seconds = high * 100_000_000 + i64::from(low);
            return seconds.checked_mul(NANOS)?.checked_add(i64::from(micros) * 1000).map(Self);
        }
        Self::parse_any(text)
    }

    fn parse_any(text: &[u8]) -> Option<Self> {
        let (negative, digits) = match text.split_first() {
            Some((b'-', rest)) => (true, rest),
            _ => (false, text),
        };
        let mut seconds: i64 = 0;
        let mut i = 0;
        while let Some(d) = digits.get(i).map(|b| b.wrapping_sub(b'0')).filter(|d| *d < 10) {
            seconds = seconds.checked_mul(10)?.checked_add(i64::from(d))?;
            i += 1;
        }
        if i == 0 {
            return None;
        }
        let mut fraction: i64 = 0;
        let mut scale = NANOS;
        if i < digits.len() {
            if digits[i] != b'.' || i + 1 == digits.len() {
                return None;
            }
            for b in &digits[i + 1..] {
                let d = b.wrapping_sub(b'0');
                if d > 9 {
                    return None;
                }
                scale /= 10;
                fraction += i64::from(d) * scale;
            }
        }
        let nanos = seconds.checked_mul(NANOS)?.checked_add(fraction)?;
        Some(Self(if negative { -nanos } else { nanos }))
    }

    /// Appends decimal seconds with `digits` (0, 6 or 9) behind the point.
    pub fn write(self, digits: u8, out: &mut Vec<u8>) {
        write_seconds(self.0, digits, out);
    }

    /// Appends RFC 3339 in UTC, such as `2026-03-01T12:00:00.000137Z`, with `digits` (6 or 9) behind the point.
    pub fn write_rfc3339(self, digits: u8, out: &mut Vec<u8>) {
        let (year, month, day) = civil(self.seconds().div_euclid(86_400));
        let of_day = self.seconds().rem_euclid(86_400);
        let fraction = self.0.rem_euclid(NANOS);
        let pad = |value: i64, width: usize, out: &mut Vec<u8>| {
            let mut buffer = itoa::Buffer::new();
            let text = buffer.format(value);
            out.extend(std::iter::repeat_n(b'0', width.saturating_sub(text.len())));
            out.extend_from_slice(text.as_bytes());
        };
        for (value, width, after) in [
            (year, 4, b'-'),
            (month, 2, b'-'),
            (day, 2, b'T'),
            (of_day / 3600, 2, b':'),
            (of_day / 60 % 60, 2, b':'),
            (of_day % 60, 2, b'.'),
        ] {
            pad(value, width, out);
            out.push(after);
        }
        let (value, width) = if digits == 9 { (fraction, 9) } else { (fraction / 1000, 6) };
        pad(value, width, out);
        out.push(b'Z');
    }
}

/// Appends `nanos` as decimal seconds with `digits` (0, 6 or 9) behind the point; finer digits are cut.
pub(crate) fn write_seconds(nanos: i64, digits: u8, out: &mut Vec<u8>) {
    if nanos < 0 {
        out.push(b'-');
    }
    if nanos == 0 && digits == 6 {
        // The duration of a probe of one packet, which most are.
        return out.extend_from_slice(b"0.000000");
    }
    let magnitude = nanos.unsigned_abs();
    let (seconds, fraction) = (magnitude / 1_000_000_000, magnitude % 1_000_000_000);
    crate::text::write_uint(seconds, out);
    match digits {
        0 => {}
        9 => {
            out.push(b'.');
            crate::text::write_padded(fraction, 9, out);
        }
        _ => {
            out.push(b'.');
            crate::text::write_padded(fraction / 1000, 6, out);
        }
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar: years are counted
/// from 1 March, so that the leap day ends a year and month lengths follow one linear rule.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468; // days from 0000-03-01 to 1970-01-01
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(nanos: i64, digits: u8) -> String {
        let mut out = Vec::new();
        Ts::from_nanos(nanos).write(digits, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn writes_and_reads_seconds() {
        assert_eq!(text(1_700_000_000_000_137_000, 6), "1700000000.000137");
        assert_eq!(text(1_700_000_000_000_137_001, 9), "1700000000.000137001");
        assert_eq!(text(-1_500_000_000, 6), "-1.500000");
        assert_eq!(text(-500_000_000, 6), "-0.500000");
        for nanos in [0, 1, -1, 999_999_999, i64::MAX, i64::MIN + 1, 1_700_000_000_123_456_789] {
            assert_eq!(Ts::parse(text(nanos, 9).as_bytes()), Some(Ts::from_nanos(nanos)), "{nanos}");
        }
        assert_eq!(Ts::parse(b"12"), Some(Ts::from_nanos(12 * NANOS)));
        for (text, nanos) in [
            ("1700000000.000001", 1_700_000_000_000_001_000),
            ("9223372036.854775", 9_223_372_036_854_775_000),
        ] {
            assert_eq!(Ts::parse(text.as_bytes()), Some(Ts::from_nanos(nanos)));
            assert_eq!(Ts::parse_any(text.as_bytes()), Some(Ts::from_nanos(nanos)));
        }
        assert_eq!(Ts::parse(b"9999999999.000000"), None);
        assert_eq!(Ts::parse(b"12.5"), Some(Ts::from_nanos(12 * NANOS + NANOS / 2)));
        for bad in [&b""[..], b".", b"1.", b"-", b"1e9", b"1.2.3", b" 1", b"99999999999999999999"] {
            assert_eq!(Ts::parse(bad), None, "{bad:?}");
        }
    }

    /// Expected values from `date -u -d @SECONDS +%FT%TZ`.
    #[test]
    fn writes_rfc3339() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_399, "2000-02-28T23:59:59.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (4_294_967_295, "2106-02-07T06:28:15.000000Z"),
            (-1, "1969-12-31T23:59:59.000000Z"),
        ] {
            let mut out = Vec::new();
            Ts::from_nanos(seconds * NANOS).write_rfc3339(6, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
