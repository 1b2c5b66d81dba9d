use std::collections::HashMap;
use std::fmt::Write;

use probeline_scan::{Geometry, Session};

/// How often each key came back (E5).
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    sessions_of: HashMap<Box<[u8]>, u64>,
    block: u64,
}

impl Repeats {
    pub(crate) fn count(&mut self, session: &Session<'_>) {
        self.block += u64::from(session.geometry() == Geometry::Block);
        match self.sessions_of.get_mut(session.key) {
            Some(count) => *count += 1,
            None => {
                self.sessions_of.insert(session.key.into(), 1);
            }
        }
    }

    /// What, how many, and of how many: the share's whole.
    fn lines(&self) -> [(&'static str, u64, u64); 5] {
        let keys = self.sessions_of.len() as u64;
        let sessions: u64 = self.sessions_of.values().sum();
        let again = || self.sessions_of.values().filter(|count| **count > 1);
        [
            ("keys", keys, keys),
            ("keys with two or more sessions", again().count() as u64, keys),
            ("sessions", sessions, sessions),
            ("sessions of those keys", again().sum(), sessions),
            ("block sessions", self.block, sessions),
        ]
    }

    /// `measure,count,share`: keys as a share of keys, sessions of sessions.
    pub(crate) fn csv(&self) -> String {
        let mut text = "measure,count,share\n".to_owned();
        for (what, count, whole) in self.lines() {
            let _ = writeln!(text, "{what},{count},{}", share(count, whole));
        }
        text
    }

    /// The same for people.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        for (what, count, whole) in self.lines() {
            let _ = write!(text, "\n{what:<31} {count:>12} {:>9}", share(count, whole));
        }
        text
    }

    /// The counts as bytes, in the order of the keys.
    pub(crate) fn save(&self) -> Vec<u8> {
        let mut all: Vec<_> = self.sessions_of.iter().collect();
        all.sort_unstable();
        let mut out = self.block.to_le_bytes().to_vec();
        for (key, count) in all {
            out.extend_from_slice(&count.to_le_bytes());
            out.extend_from_slice(&(key.len() as u32).to_le_bytes());
            out.extend_from_slice(key);
        }
        out
    }

    /// What [`Repeats::save`] wrote; `None` for anything else.
    pub(crate) fn load(bytes: &[u8]) -> Option<Self> {
        let (block, mut rest) = bytes.split_first_chunk()?;
        let mut repeats = Self { block: u64::from_le_bytes(*block), ..Self::default() };
        while !rest.is_empty() {
            let (count, behind) = rest.split_first_chunk()?;
            let (len, behind) = behind.split_first_chunk()?;
            let (key, behind) = behind.split_at_checked(u32::from_le_bytes(*len) as usize)?;
            repeats.sessions_of.insert(key.into(), u64::from_le_bytes(*count));
            rest = behind;
        }
        Some(repeats)
    }
}

/// A part of a whole with six decimals, rounded half up; empty of nothing.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let (part, whole) = (u128::from(part), u128::from(whole));
    let millionths = (2_000_000 * part + whole) / (2 * whole);
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_half_up() {
        for (part, whole, text) in [
            (1, 1, "1.000000"),
            (2, 3, "0.666667"),
            (1, 3, "0.333333"),
            (1, 2_000_000, "0.000001"),
            (0, 5, "0.000000"),
        ] {
            assert_eq!(share(part, whole), text);
        }
        assert_eq!(share(u64::MAX, u64::MAX), "1.000000");
        assert_eq!(share(0, 0), "");
    }

    #[test]
    fn saved_counts_come_back() {
        let mut repeats = Repeats { block: 3, ..Repeats::default() };
        repeats.sessions_of.insert(b"a"[..].into(), 2);
        repeats.sessions_of.insert(b""[..].into(), 1);
        let bytes = repeats.save();
        let again = Repeats::load(&bytes).unwrap();
        assert_eq!((again.csv(), again.save()), (repeats.csv(), bytes.clone()));
        assert!(Repeats::load(&bytes[..bytes.len() - 1]).is_none());
    }
}
