//! TCP flags as letters.

use std::sync::LazyLock;

/// The nine TCP flags, in header order from FIN (bit 0) to NS (bit 8) (RFC 9293 §3.1, RFC 3540).
///
/// Written as letters in bit order `FSRPAUECN`; `.` when none is set, which is what a Null scan sends and is not
/// the same as "not TCP", an empty cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TcpFlags(u16);

const LETTERS: &[u8; 9] = b"FSRPAUECN";

impl TcpFlags {
    /// FIN: the sender has no more data.
    pub const FIN: Self = Self(1);
    /// SYN: synchronise sequence numbers.
    pub const SYN: Self = Self(1 << 1);
    /// RST: reset the connection.
    pub const RST: Self = Self(1 << 2);
    /// PSH: push.
    pub const PSH: Self = Self(1 << 3);
    /// ACK: the acknowledgment field counts.
    pub const ACK: Self = Self(1 << 4);
    /// URG: the urgent pointer counts.
    pub const URG: Self = Self(1 << 5);
    /// ECE: explicit congestion notification, echoed.
    pub const ECE: Self = Self(1 << 6);
    /// CWR: congestion window reduced.
    pub const CWR: Self = Self(1 << 7);

    /// From the header's bits; bits above the ninth are dropped.
    pub fn from_bits(bits: u16) -> Self {
        Self(bits & 0x1ff)
    }

    /// The nine bits, FIN lowest.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// The six flags of RFC 793 alone (F S R P A U): ECE, CWR and NS say nothing about the technique.
    #[must_use]
    pub fn classic(self) -> Self {
        Self(self.0 & 0x3f)
    }

    /// Whether every flag of `other` is set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of flags together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Reads letters in any order, or `.`; `None` for anything else or a letter given twice.
    pub fn parse(text: &[u8]) -> Option<Self> {
        match text {
            b"" => None,
            b"S" => Some(Self::SYN),
            b"." => Some(Self(0)),
            _ => Self::parse_letters(text),
        }
    }

    fn parse_letters(text: &[u8]) -> Option<Self> {
        let mut bits = 0;
        for letter in text {
            let bit = 1 << LETTERS.iter().position(|l| l == letter)?;
            if bits & bit != 0 {
                return None;
            }
            bits |= bit;
        }
        Some(Self(bits))
    }

    /// The letters, or `.`.
    pub fn letters(self) -> &'static str {
        TEXTS[usize::from(self.0)]
    }
}

/// The text of each of the 512 sets of flags: one look-up a packet.
static TEXTS: LazyLock<[&str; 512]> = LazyLock::new(|| {
    std::array::from_fn(|bits| {
        let text: String = (0..9).filter(|i| bits >> i & 1 == 1).map(|i| char::from(LETTERS[i])).collect();
        if text.is_empty() { "." } else { text.leak() }
    })
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_round_trips() {
        for bits in 0..512 {
            let flags = TcpFlags::from_bits(bits);
            assert_eq!(TcpFlags::parse(flags.letters().as_bytes()), Some(flags));
        }
    }

    #[test]
    fn letters_in_bit_order() {
        assert_eq!(TcpFlags::from_bits(0x02).letters(), "S");
        assert_eq!(TcpFlags::from_bits(0x12).letters(), "SA");
        assert_eq!(TcpFlags::from_bits(0x29).letters(), "FPU");
        assert_eq!(TcpFlags::from_bits(0xc2).letters(), "SEC");
        assert_eq!(TcpFlags::from_bits(0).letters(), ".");
        assert_eq!(TcpFlags::from_bits(0xc2).classic(), TcpFlags::SYN);
        assert_eq!(TcpFlags::parse(b"SS"), None);
        assert_eq!(TcpFlags::parse(b""), None);
        assert_eq!(TcpFlags::parse(b"x"), None);
    }
}
