//! Keys of sessions: short ones beside the session's counts, long ones in a ring.

use std::hash::{BuildHasher, Hasher};

use crate::ring::{Handle, Ring};

/// An IPv4 network as text behind the four bytes of its length fits, as do numbers and country codes.
const SHORT: usize = 22;

/// A key that was stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    /// Behind its end there are zeros, so that all of it can be compared.
    Short {
        len: u8,
        bytes: [u8; SHORT],
    },
    Long(Handle),
}

impl Default for Key {
    fn default() -> Self {
        Self::Short { len: 0, bytes: [0; SHORT] }
    }
}

/// Where long keys are kept.
#[derive(Debug, Default)]
pub(crate) struct Keys(Ring);

impl Keys {
    #[inline]
    pub(crate) fn keep(&mut self, key: &[u8]) -> Key {
        let mut bytes = [0; SHORT];
        match bytes.get_mut(..key.len()) {
            Some(place) => {
                place.copy_from_slice(key);
                Key::Short { len: key.len() as u8, bytes }
            }
            None => Key::Long(self.0.push(key)),
        }
    }

    #[inline]
    pub(crate) fn get<'a>(&'a self, key: &'a Key) -> &'a [u8] {
        match key {
            Key::Short { len, bytes } => &bytes[..usize::from(*len).min(SHORT)],
            Key::Long(handle) => self.0.get(*handle),
        }
    }

    /// Whether two keys hold the same bytes. Looks into the ring only for long ones.
    #[inline]
    pub(crate) fn same(&self, a: &Key, b: &Key) -> bool {
        match (a, b) {
            (Key::Short { len: a, bytes: left }, Key::Short { len: b, bytes: right }) => {
                a == b && left == right
            }
            (Key::Long(a), Key::Long(b)) => self.0.get(*a) == self.0.get(*b),
            _ => false,
        }
    }

    #[inline]
    pub(crate) fn hash<S: BuildHasher>(&self, key: &Key, proto: u8, hasher: &S) -> u64 {
        let mut state = hasher.build_hasher();
        state.write(self.get(key));
        state.write_u8(proto);
        state.finish()
    }

    #[inline]
    pub(crate) fn release(&mut self, key: Key) {
        if let Key::Long(handle) = key {
            self.0.release(handle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use foldhash::quality::RandomState;

    #[test]
    fn short_and_long_keys() {
        let mut keys = Keys::default();
        let hasher = RandomState::default();
        for len in [0, 1, SHORT - 1, SHORT, SHORT + 1, 1000] {
            let text = vec![b'x'; len];
            let (a, b) = (keys.keep(&text), keys.keep(&text));
            assert_eq!(keys.get(&a), text);
            assert!(keys.same(&a, &b));
            assert_eq!(keys.hash(&a, 6, &hasher), keys.hash(&b, 6, &hasher));
            let mut longer = text.clone();
            longer.push(0);
            let longer = keys.keep(&longer);
            assert!(!keys.same(&a, &longer) && !keys.same(&longer, &a), "{len}");
            [a, b, longer].into_iter().for_each(|key| keys.release(key));
        }
    }
}
