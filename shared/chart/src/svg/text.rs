//! How wide a text will be, and cutting it to a width.

use unicode_width::UnicodeWidthChar;

/// Font size of axis and label text in user units.
pub(crate) const SIZE: f64 = 13.0;
/// Font size of small print and numbers at bars.
pub(crate) const SMALL: f64 = 12.0;
/// Font size of the headline.
pub(crate) const HEAD: f64 = 15.0;

/// Width in user units. Which font a reader has is unknown; these advances by class of character lie between
/// Helvetica's and those of DejaVu Sans, the widest of the fonts asked for, whose excess the margins take up.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

fn advance(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' => 0.27,
        ' ' | '.' | ',' | ':' | ';' | 'I' | '!' => 0.31,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' | '·' => 0.37,
        'm' | 'W' | '%' | '@' => 0.93,
        'M' | 'w' | 'Q' | 'O' | 'G' | '+' | '=' | '<' | '>' | '~' | '−' => 0.78,
        'A'..='Z' => 0.68,
        '…' => 1.0,
        c => 0.58 * c.width().unwrap_or(0) as f64,
    }
}

/// The text cut to a width, an ellipsis telling that it was.
pub(crate) fn cut(text: &str, limit: f64, size: f64) -> String {
    if width(text, size) <= limit {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = advance('…') * size;
    for c in text.chars() {
        used += advance(c) * size;
        if used > limit {
            break;
        }
        out.push(c);
    }
    out.trim_end().to_owned() + "…"
}

/// The text in lines no wider than `limit`, broken at blanks; a single longer word is cut.
pub(crate) fn wrap(text: &str, limit: f64, size: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line, size) + width(" ", size) + width(word, size) <= limit => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(cut(word, limit, size)),
        }
    }
    lines
}

/// The text with what XML gives a meaning written as entities, and control characters as escapes.
pub(crate) fn escape(text: &str) -> String {
    let text = crate::width::printable(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML 1.0 §2.2 allows every other character but the last two of the basic plane.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A coordinate with at most two decimals.
pub(crate) fn number(value: f64) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A value for a tooltip: whole numbers with commas, others with up to six significant digits.
pub(crate) fn value(number: f64) -> String {
    if number == number.trunc() && number.abs() < 1e15 {
        return crate::table::thousands(&format!("{number:.0}"));
    }
    if number.abs() < 1e-4 || number.abs() >= 1e15 {
        return format!("{number:.3e}");
    }
    let decimals = (5 - number.abs().log10().floor() as i32).clamp(0, 9) as usize;
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_label_stays_text() {
        assert_eq!(escape("<script>'\"&\u{1}\u{ffff}"), "&lt;script&gt;&#39;&quot;&amp;\\u{1}\u{fffd}");
    }

    #[test]
    fn numbers_are_short_and_fixed() {
        for (value, want) in
            [(1.0, "1"), (1.005, "1"), (0.333333, "0.33"), (-0.001, "0"), (f64::NAN, "0"), (120.5, "120.5")]
        {
            assert_eq!(number(value), want);
        }
        assert_eq!(value(1e300), "1.000e300");
        for (v, want) in
            [(888_708.0, "888,708"), (0.1234567, "0.123457"), (0.00001, "1.000e-5"), (12.5, "12.5")]
        {
            assert_eq!(value(v), want);
        }
    }

    #[test]
    fn text_is_cut_and_wrapped_to_a_width() {
        assert_eq!(cut("short", 100.0, 10.0), "short");
        let cut = cut("a much longer label than fits", 80.0, 10.0);
        assert!(cut.ends_with('…') && width(&cut, 10.0) <= 80.0, "{cut}");
        assert_eq!(wrap("two words here", 60.0, 10.0), ["two words", "here"]);
    }
}
