//! Text made safe and measured for a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text with control characters and direction overrides written as escapes.
///
/// Cells hold what strangers sent: an escape sequence in a payload must not reach a terminal, nor a line break a
/// table.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Columns that the text takes in a terminal.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// The text cut to `limit` terminal columns, an ellipsis telling that it was.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    if columns(text) <= limit {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > limit {
            break;
        }
        out.push(c);
    }
    if limit > 0 {
        out.push('…');
    }
    out
}

/// The text filled with blanks to `width` terminal columns, at its right end or its left.
pub(crate) fn fill(text: &str, width: usize, right: bool) -> String {
    let blanks = " ".repeat(width.saturating_sub(columns(text)));
    if right { blanks + text } else { text.to_owned() + &blanks }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_is_shown_not_sent() {
        assert_eq!(printable("a\x1b[31mb\n"), "a\\u{1b}[31mb\\n");
        assert_eq!(printable("Zürich 東京"), "Zürich 東京");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(columns("東京"), 4);
        assert_eq!(cut("東京都", 5), "東京…");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(fill("東", 4, true), "  東");
    }
}
