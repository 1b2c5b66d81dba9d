//! Expected lines with wildcards.

/// The line that stands for any number of lines.
pub const ANY: &str = "...";

/// Whether the lines are as expected; an expected line `...` stands for any number of lines, none included.
pub fn fit(expected: &[&str], got: &[&str]) -> bool {
    fit_by(expected, got, ANY, |expected, got| expected == got)
}

/// Whether the lines are as expected; `...` stands for any number of lines, and `*` inside a line for any
/// text.
pub fn fit_wild(expected: &[&str], got: &[&str]) -> bool {
    fit_by(expected, got, ANY, |expected, got| {
        fit_by(
            &expected.chars().collect::<Vec<_>>(),
            &got.chars().collect::<Vec<_>>(),
            '*',
            |expected, got| expected == got,
        )
    })
}

/// Matching with a wildcard for any run: on a mismatch, the latest wildcard takes one element more. Earlier
/// ones need no second thought, because the latest could take up whatever they give.
fn fit_by<T: PartialEq + Copy>(expected: &[T], got: &[T], any: T, equal: impl Fn(T, T) -> bool) -> bool {
    let (mut e, mut g) = (0, 0);
    let mut latest = None;
    while g < got.len() {
        if e < expected.len() && expected[e] == any {
            latest = Some((e, g));
            e += 1;
        } else if e < expected.len() && equal(expected[e], got[g]) {
            e += 1;
            g += 1;
        } else if let Some((at, taken)) = latest {
            latest = Some((at, taken + 1));
            (e, g) = (at + 1, taken + 1);
        } else {
            return false;
        }
    }
    expected[e..].iter().all(|element| *element == any)
}

/// New lines in the shape of the expected ones: as many before a single `...` and as many after it. Where
/// there is no such line, or more than one, or too few lines came to leave any out, all of them.
pub fn reshape<'a>(expected: &[&str], got: &[&'a str]) -> Vec<&'a str> {
    let mut wildcards = expected.iter().enumerate().filter(|(_, line)| **line == ANY);
    if let (Some((at, _)), None) = (wildcards.next(), wildcards.next()) {
        let after = expected.len() - at - 1;
        if got.len() > at + after {
            return [&got[..at], &[ANY], &got[got.len() - after..]].concat();
        }
    }
    got.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        text.split(' ').filter(|line| !line.is_empty()).collect()
    }

    #[test]
    fn dots_stand_for_any_lines() {
        for (expected, got) in [
            ("a b", "a b"),
            ("...", ""),
            ("... b", "a b"),
            ("a ... c", "a c"),
            ("a ... c", "a b c b c"),
            ("", ""),
        ] {
            assert!(fit(&split(expected), &split(got)), "{expected} | {got}");
        }
        for (expected, got) in
            [("a", "a b"), ("a b", "a"), ("... b", "a"), ("a ... c", "a b"), ("", "a"), ("*", "a")]
        {
            assert!(!fit(&split(expected), &split(got)), "{expected} | {got}");
        }
    }

    #[test]
    fn stars_stand_for_any_text() {
        let wild = |expected: &str, got: &str| fit_wild(&split(expected), &split(got));
        assert!(wild("x:*read=*(* ... *", "x:3-read=1+2(*) b c"));
        assert!(!wild("x*y", "xz"));
        assert!(!wild("*", "a b"));
    }

    #[test]
    fn a_blessed_block_keeps_its_shape() {
        assert_eq!(reshape(&split("a ... c"), &split("1 2 3 4")), split("1 ... 4"));
        assert_eq!(reshape(&split("a b ..."), &split("1 2 3 4")), split("1 2 ..."));
        assert_eq!(reshape(&split("a ... c"), &split("1 2")), split("1 2"));
        assert_eq!(reshape(&split("a"), &split("1 2")), split("1 2"));
    }
}
