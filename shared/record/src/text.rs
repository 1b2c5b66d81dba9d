//! Numbers and addresses to and from text, written by hand because every packet passes here some thirty times.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// "00" to "99", so that two digits cost one table look-up.
const PAIRS: [u8; 200] = {
    let mut table = [0; 200];
    let mut i = 0;
    while i < 100 {
        table[2 * i] = b'0' + (i / 10) as u8;
        table[2 * i + 1] = b'0' + (i % 10) as u8;
        i += 1;
    }
    table
};

/// The text of every octet, with its length in the last byte.
const OCTETS: [[u8; 4]; 256] = {
    let mut table = [[0; 4]; 256];
    let mut i = 0;
    while i < 256 {
        let (hundreds, tens, ones) = ((i / 100) as u8, (i / 10 % 10) as u8, (i % 10) as u8);
        table[i] = if i >= 100 {
            [b'0' + hundreds, b'0' + tens, b'0' + ones, 3]
        } else if i >= 10 {
            [b'0' + tens, b'0' + ones, 0, 2]
        } else {
            [b'0' + ones, 0, 0, 1]
        };
        i += 1;
    }
    table
};

/// Appends a number in decimal.
#[inline]
pub fn write_uint(value: u64, out: &mut Vec<u8>) {
    if value < 10 {
        out.push(b'0' + value as u8);
    } else {
        out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }
}

/// Appends a number in decimal, with leading zeros up to `width` digits. The value must fit.
#[inline]
pub fn write_padded(mut value: u64, width: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + width, b'0');
    let digits = &mut out[start..];
    let mut at = width;
    while at >= 2 {
        let pair = (value % 100) as usize * 2;
        value /= 100;
        digits[at - 2] = PAIRS[pair];
        digits[at - 1] = PAIRS[pair + 1];
        at -= 2;
    }
    if at == 1 {
        digits[0] = b'0' + (value % 10) as u8;
    }
}

/// Appends an address in its canonical text: dotted decimal, or RFC 5952.
#[inline]
pub fn write_ip(ip: IpAddr, out: &mut Vec<u8>) {
    match ip {
        IpAddr::V4(v4) => write_ipv4(v4, out),
        // Writing to a Vec cannot fail.
        IpAddr::V6(v6) => drop(write!(out, "{v6}")),
    }
}

#[inline]
fn write_ipv4(ip: Ipv4Addr, out: &mut Vec<u8>) {
    let mut text = [b'.'; 16];
    let mut at = 0;
    for octet in ip.octets() {
        let entry = &OCTETS[usize::from(octet)];
        // Three bytes are always stored and the cursor moves by what counts: no branch on the length.
        text[at] = entry[0];
        text[at + 1] = entry[1];
        text[at + 2] = entry[2];
        at += usize::from(entry[3]);
        text[at] = b'.';
        at += 1;
    }
    out.extend_from_slice(&text[..at - 1]);
}

/// Appends bytes as lower-case hexadecimal.
pub fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for b in bytes {
        out.push(DIGITS[usize::from(b >> 4)]);
        out.push(DIGITS[usize::from(b & 15)]);
    }
}

/// Reads a decimal number; `None` for anything but digits, or above `u64`.
#[inline]
pub fn parse_uint(text: &[u8]) -> Option<u64> {
    match text.len() {
        0 => None,
        1..=3 => parse_few(text),
        4..=8 => parse_four_to_eight(text),
        9..=16 => {
            // 16 digits fit, so nothing can wrap.
            let (low, high) = (text.last_chunk()?, text.len() - 8);
            let high = if high < 4 { parse_few(&text[..high])? } else { parse_four_to_eight(&text[..high])? };
            Some(high.wrapping_mul(100_000_000).wrapping_add(parse_eight(*low)?.into()))
        }
        17..=20 => {
            let mut value: u64 = 0;
            for b in text {
                let digit = b.wrapping_sub(b'0');
                if digit > 9 {
                    return None;
                }
                value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
            }
            Some(value)
        }
        _ => None,
    }
}

#[inline]
fn parse_few(text: &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for b in text {
        let digit = b.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    Some(value)
}

/// Reads four to eight digits as eight with zeros before them: the first and the last four, laid over each other where
/// they overlap.
#[inline]
fn parse_four_to_eight(text: &[u8]) -> Option<u64> {
    let first = u64::from(u32::from_le_bytes(*text.first_chunk()?));
    let last = u64::from(u32::from_le_bytes(*text.last_chunk()?));
    let missing = (8 - text.len() as u32) * 8;
    let zeros = 0x3030_3030 & (1u64 << missing).wrapping_sub(1);
    parse_eight((last << 32 | first << missing | zeros).to_le_bytes()).map(u64::from)
}

/// Reads the decimal number that begins at `from` and ends where `text` does. Of one of up to eight digits, as nearly all
/// are, the octets before it are loaded with it and shifted out again: no loop over its digits.
#[inline]
pub(crate) fn parse_last_uint(text: &[u8], from: usize) -> Option<u64> {
    let length = text.len().wrapping_sub(from);
    if (1..=4).contains(&length)
        && let Some(last) = text.last_chunk()
    {
        let foreign = 32 - 8 * length as u32;
        let digits = (u32::from_le_bytes(*last) ^ ZEROS as u32).wrapping_shr(foreign).wrapping_shl(foreign);
        return four_digits(digits).map(u64::from);
    }
    if (5..=8).contains(&length)
        && let Some(last) = text.last_chunk()
    {
        let foreign = 64 - 8 * length as u32;
        let digits = (u64::from_le_bytes(*last) ^ ZEROS).wrapping_shr(foreign).wrapping_shl(foreign);
        return eight_digits(digits).map(u64::from);
    }
    parse_long(text.get(from..)?)
}

#[inline(never)]
fn parse_long(text: &[u8]) -> Option<u64> {
    parse_uint(text)
}

/// The text of eight zeros.
const ZEROS: u64 = u64::from_le_bytes(*b"00000000");

/// Reads exactly eight digits.
#[inline]
pub(crate) fn parse_eight(text: [u8; 8]) -> Option<u32> {
    eight_digits(u64::from_le_bytes(text) ^ ZEROS)
}

/// The number of four digits, as [`eight_digits`].
#[inline]
fn four_digits(digits: u32) -> Option<u32> {
    if (digits | digits.wrapping_add(0x0606_0606)) & 0xf0f0_f0f0 != 0 {
        return None;
    }
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff;
    Some(pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0xffff)
}

/// The number of eight digits, four pairs at a time (the method of Daniel Lemire, "Quickly parsing eight digits", 2018).
#[inline]
fn eight_digits(digits: u64) -> Option<u32> {
    // The high nibble was 3 in every byte, and no low nibble is above 9.
    if (digits | digits.wrapping_add(0x0606_0606_0606_0606)) & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
        return None;
    }
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some((fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff) as u32)
}

/// Reads an IPv4 or IPv6 address.
#[inline]
pub fn parse_ip(text: &[u8]) -> Option<IpAddr> {
    match parse_ipv4(text) {
        Some(v4) => Some(IpAddr::V4(Ipv4Addr::from_bits(v4))),
        None => parse_ipv6(text),
    }
}

#[cold]
fn parse_ipv6(text: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(text).ok()?.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

fn parse_ipv4(text: &[u8]) -> Option<u32> {
    let mut padded = [0; LONGEST_IPV4 + 3];
    padded.get_mut(..text.len())?.copy_from_slice(text);
    parse_ipv4_within(&padded, 0, text.len())
}

const LONGEST_IPV4: usize = "255.255.255.255".len();

/// Reads the IPv4 address that stands in `text` between `from` and `end`, as a number, which comes back in a register.
/// `None` as well where fewer than four octets are left from the beginning of its last part on, because four are loaded
/// for each.
#[inline(never)]
pub(crate) fn parse_ipv4_within(text: &[u8], from: usize, end: usize) -> Option<u32> {
    let word = |at: usize| text.get(at..)?.first_chunk().map(|octets| u32::from_le_bytes(*octets));
    let (mut address, mut at) = (0, from);
    for _ in 0..3 {
        let word = word(at)?;
        let x = word ^ 0x2e2e_2e2e;
        // The high bit of each byte that is a point; a borrow may set others, behind the first.
        let points = x.wrapping_sub(0x0101_0101) & !x & 0x8080_8080;
        if points == 0 {
            return None;
        }
        address = address << 8 | octet_of(word, points)?;
        at = at.wrapping_add(points.trailing_zeros() as usize / 8 + 1);
    }
    let length = end.wrapping_sub(at);
    if !(1..=3).contains(&length) {
        return None;
    }
    Some(address << 8 | octet_of(word(at)?, 0x80 << (8 * length))?)
}

/// The octet whose digits stand in a word before the lowest byte in which `behind` has a bit, its highest. A leading zero
/// is refused, as by the standard library: some readers take it for octal (RFC 6943 §3.1.1).
#[inline]
fn octet_of(word: u32, behind: u32) -> Option<u32> {
    let end = behind & behind.wrapping_neg();
    let digits = word & end.wrapping_sub(1) >> 7;
    let entry = OCTET_OF[octet_place(digits)];
    (entry as u32 == digits | end).then_some((entry >> 32) as u32)
}

/// Where the digits of an octet, the first in the lowest byte, stand in [`OCTET_OF`]. Found by trial: with this factor, no
/// two octets share a place among 512.
#[inline]
const fn octet_place(digits: u32) -> usize {
    (digits.wrapping_mul(0x9674_0109) >> 23) as usize
}

/// Digits in the lower half, with a bit that says where they end, and the octet in the upper: one look-up and one comparison
/// check the digits, their number and the range. Without that bit, `1` and a NUL would be `1`.
static OCTET_OF: [u64; 512] = {
    let mut table = [0; 512];
    let mut i = 0;
    while i < 256 {
        let [a, b, c, len] = OCTETS[i];
        let digits = u32::from_le_bytes([a, b, c, 0]);
        assert!(table[octet_place(digits)] == 0, "two octets share a place");
        table[octet_place(digits)] = (digits | 0x80 << (8 * (len as u32))) as u64 | (i as u64) << 32;
        i += 1;
    }
    table
};

/// Reads pairs of hexadecimal digits; `None` for an odd count or another character.
pub fn parse_hex(text: &[u8]) -> Option<Vec<u8>> {
    let nibble = |b: u8| char::from(b).to_digit(16).map(|n| n as u8);
    text.chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever bytes there are, the standard library's answer.
        #[test]
        fn addresses_are_those_of_the_standard_library(
            parts in prop::collection::vec("[0-9]{1,3}|[0-9\\x00./: a\u{7f}\u{80}]{0,3}", 1..6),
            points in prop::collection::vec(prop_oneof![8 => Just("."), 1 => Just(""), 1 => Just("\0")], 6),
        ) {
            let text: String = parts.iter().zip(&points).flat_map(|(part, point)| [part.as_str(), point]).collect();
            for text in [text.as_str(), text.strip_suffix('.').unwrap_or(&text)] {
                prop_assert_eq!(parse_ip(text.as_bytes()), text.parse().ok(), "{:?}", text);
            }
        }
    }

    /// An octet is its digits and nothing around them.
    #[test]
    fn octets_and_what_is_none() {
        for bad in [
            "1\0.0.0.1",
            "1.0.0.1\0",
            "1\0\0.0.0.1",
            "\x001.0.0.1",
            "1.2.3.\0",
            "1.2.3.4.",
            "01.2.3.4",
            "1.2.3.256",
        ] {
            assert_eq!(parse_ip(bad.as_bytes()), None, "{bad:?}");
        }
        for octet in 0..=255_u8 {
            let text = format!("{octet}.0.{octet}.{octet}");
            assert_eq!(parse_ip(text.as_bytes()), Some([octet, 0, octet, octet].into()));
        }
    }

    fn ip_text(ip: &str) -> String {
        let mut out = Vec::new();
        write_ip(ip.parse().unwrap(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn addresses_agree_with_the_standard_library() {
        for ip in
            ["0.0.0.0", "255.255.255.255", "1.22.133.4", "10.0.100.9", "::", "2001:db8::1", "::ffff:1.2.3.4"]
        {
            assert_eq!(ip_text(ip), ip);
            assert_eq!(parse_ip(ip.as_bytes()), ip.parse().ok());
        }
        for octet in 0..=255 {
            let ip = Ipv4Addr::new(octet, 0, octet, 7);
            assert_eq!(parse_ip(ip_text(&ip.to_string()).as_bytes()), Some(IpAddr::V4(ip)));
        }
        for bad in [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "1..2.3",
            "1.2.3.",
            ".1.2.3",
            "0001.2.3.4",
            "01.2.3.4",
            "1.2.3.00",
            "1.2.3.4 ",
            ":::",
        ] {
            assert_eq!(parse_ip(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn numbers() {
        for value in [0, 9, 10, 99, 100, 65535, u64::MAX] {
            let mut out = Vec::new();
            write_uint(value, &mut out);
            assert_eq!(out, value.to_string().as_bytes());
            assert_eq!(parse_uint(&out), Some(value));
        }
        for (value, width, expected) in [(7, 6, "000007"), (123_456_789, 9, "123456789"), (0, 9, "000000000")]
        {
            let mut out = Vec::new();
            write_padded(value, width, &mut out);
            assert_eq!(out, expected.as_bytes());
        }
        for (text, expected) in
            [("00000000", Some(0)), ("12345678", Some(12_345_678)), ("99999999", Some(99_999_999))]
        {
            assert_eq!(parse_eight(text.as_bytes().try_into().unwrap()), expected);
        }
        // Every length, with every octet in every place, as the standard library reads it, but for its plus sign.
        for length in 0..=22 {
            for at in 0..length {
                for byte in 0..=255u8 {
                    let mut text = b"1234567890987654321012"[..length].to_vec();
                    text[at] = byte;
                    let digits = str::from_utf8(&text).ok().filter(|text| !text.starts_with('+'));
                    let expected = digits.and_then(|text| text.parse().ok());
                    assert_eq!(parse_uint(&text), expected, "{text:?}");
                    let behind_others = [b"1,/:", text.as_slice()].concat();
                    assert_eq!(parse_last_uint(&behind_others, 4), expected, "{text:?}");
                    if let Ok(eight) = text.as_slice().try_into() {
                        assert_eq!(parse_eight(eight).map(u64::from), expected, "{text:?}");
                    }
                }
            }
        }
        for bad in ["", "-1", "1.0", "18446744073709551616", "1 "] {
            assert_eq!(parse_uint(bad.as_bytes()), None);
        }
    }

    #[test]
    fn hex() {
        let mut out = Vec::new();
        write_hex(&[0, 0xab, 0x7f], &mut out);
        assert_eq!(out, b"00ab7f");
        assert_eq!(parse_hex(&out), Some(vec![0, 0xab, 0x7f]));
        assert_eq!(parse_hex(b"0"), None);
        assert_eq!(parse_hex(b"0g"), None);
    }
}
