//! The words of the technique and tool columns, by number.

use serde::{Deserialize, Serialize};

use crate::distinct::Counts;

/// Each distinct word once; a session counts their numbers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Words(Vec<Vec<u8>>);

/// Number of the empty word, and of every word beyond the limit.
pub(crate) const NO_WORD: u16 = u16::MAX;

/// More distinct words than any honest column has; a hostile one stops growing here.
const MAX_WORDS: usize = 4096;

impl Words {
    #[inline]
    pub(crate) fn number(&mut self, word: &[u8]) -> u16 {
        if word.is_empty() {
            return NO_WORD;
        }
        match self.0.iter().position(|known| known == word) {
            Some(at) => at as u16,
            None => self.add(word),
        }
    }

    #[cold]
    fn add(&mut self, word: &[u8]) -> u16 {
        if self.0.len() >= MAX_WORDS {
            return NO_WORD;
        }
        self.0.push(word.to_vec());
        self.0.len() as u16 - 1
    }

    /// The most frequent word and how often it came; the alphabetically first of several.
    pub(crate) fn most_frequent(&self, counts: &Counts<u16>) -> (&[u8], u64) {
        counts
            .iter()
            .filter_map(|(number, count)| self.0.get(usize::from(number)).map(|word| (&**word, count)))
            .min_by_key(|(word, count)| (std::cmp::Reverse(*count), *word))
            .unwrap_or((b"", 0))
    }
}
