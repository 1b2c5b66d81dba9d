//! Keys of sessions: short ones beside the session's counts, long ones in a ring.

use std::hash::{BuildHasher, Hasher};

use crate::ring::{Handle, Ring};

/// An IPv4 network as text behind the four bytes of its length fits, as do numbers and country codes.
const SHORT: usize = 22;

/// A key that was stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    Short { len: u8, bytes: [u8; SHORT] },
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
        let mut kept = Key::default();
        self.keep_at(key, &mut kept);
        kept
    }

    /// As [`Keys::keep`], into a place that holds [`Key::default`].
    #[inline]
    pub(crate) fn keep_at(&mut self, key: &[u8], place: &mut Key) {
        if let Key::Short { len, bytes } = place
            && let Some(bytes) = bytes.get_mut(..key.len())
        {
            bytes.copy_from_slice(key);
            *len = key.len() as u8;
        } else {
            *place = Key::Long(self.0.push(key));
        }
    }

    #[inline]
    pub(crate) fn get<'a>(&'a self, key: &'a Key) -> &'a [u8] {
        match key {
            Key::Short { len, bytes } => &bytes[..usize::from(*len).min(SHORT)],
            Key::Long(handle) => self.0.get(*handle),
        }
    }

    /// Whether a key holds these bytes.
    #[inline]
    pub(crate) fn is(&self, key: &Key, bytes: &[u8]) -> bool {
        self.get(key) == bytes
    }

    #[inline]
    pub(crate) fn release(&mut self, key: Key) {
        if let Key::Long(handle) = key {
            self.0.release(handle);
        }
    }
}

/// The hash of a key and a protocol.
#[inline]
pub(crate) fn hash<S: BuildHasher>(key: &[u8], proto: u8, hasher: &S) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(key);
    state.write_u8(proto);
    state.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_keys() {
        let mut keys = Keys::default();
        for len in [0, 1, SHORT - 1, SHORT, SHORT + 1, 1000] {
            let text = vec![b'x'; len];
            let (a, b) = (keys.keep(&text), keys.keep(&text));
            assert!(keys.is(&a, &text) && keys.is(&b, &text));
            let mut longer = text.clone();
            longer.push(0);
            let longer = keys.keep(&longer);
            assert!(!keys.is(&longer, &text), "{len}");
            [a, b, longer].into_iter().for_each(|key| keys.release(key));
        }
    }
}
