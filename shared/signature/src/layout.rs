//! The order of TCP options, small enough to compare at once.

/// TCP option kinds in the order in which they were sent, packed into one number.
///
/// Kinds above 14 are alike and kinds behind the fifteenth are dropped: no layout that a rule asks for has either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout(u64);

/// Kinds that fit, four bits each; the highest four bits tell that there were more.
const FITTING: u32 = 15;

impl Layout {
    /// No options, or none captured.
    pub const NONE: Self = Self(0);

    /// These kinds.
    pub const fn of(kinds: &[u8]) -> Self {
        let mut layout = Self::NONE;
        let mut i = 0;
        while i < kinds.len() {
            layout = layout.push(i as u32, kinds[i] as u64);
            i += 1;
        }
        layout
    }

    /// From kinds in decimal, joined by `-`.
    #[inline]
    pub fn parse(text: &[u8]) -> Self {
        let mut layout = Self::NONE;
        let (mut at, mut kind) = (0, 0u64);
        for b in text {
            if *b == b'-' {
                layout = layout.push(at, kind);
                (at, kind) = (at + 1, 0);
            } else {
                kind = (kind * 10 + u64::from(b.wrapping_sub(b'0') & 15)) & 0xffff;
            }
        }
        if text.is_empty() { layout } else { layout.push(at, kind) }
    }

    /// Whether the first option is the maximum segment size.
    #[inline]
    pub(crate) fn starts_with_mss(self) -> bool {
        self.0 & 15 == 3
    }

    /// Half as many bits, for telling most layouts apart.
    pub(crate) fn fold(self) -> u32 {
        (self.0 >> 32) as u32 ^ self.0 as u32
    }

    const fn push(self, at: u32, kind: u64) -> Self {
        if at >= FITTING {
            return Self(self.0 | 0xf << (4 * FITTING));
        }
        let digit = if kind > 14 { 15 } else { kind + 1 };
        Self(self.0 | digit << (4 * at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_kinds_agree() {
        assert_eq!(Layout::parse(b"2-1-3-1-1-4"), Layout::of(&[2, 1, 3, 1, 1, 4]));
        assert_eq!(Layout::parse(b"0"), Layout::of(&[0]));
        assert_eq!(Layout::parse(b""), Layout::NONE);
        assert_ne!(Layout::parse(b"2"), Layout::parse(b"2-0"));
        assert_ne!(Layout::parse(b"2-4-8-1-3"), Layout::parse(b"2-4-8-1-3-255"));
        let long = [1u8; 40].map(|_| "1").join("-");
        assert_ne!(Layout::parse(long.as_bytes()), Layout::of(&[1; 15]));
    }
}
