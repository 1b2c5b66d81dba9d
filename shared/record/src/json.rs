//! NDJSON rows: where the values of an object lie in its text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A key that the first row did not have, with the place of its value.
#[derive(Clone, Debug)]
pub(crate) struct Extra {
    pub(crate) name: String,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// The keys of an object, in order.
pub(crate) fn names(object: &[u8]) -> Result<Vec<String>, String> {
    struct Names(Vec<String>);
    impl<'de> Deserialize<'de> for Names {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            d.deserialize_map(NamesVisitor).map(Self)
        }
    }
    struct NamesVisitor;
    impl<'de> Visitor<'de> for NamesVisitor {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut names: Vec<String> = Vec::new();
            while let Some((name, IgnoredAny)) = map.next_entry::<String, _>()? {
                if names.contains(&name) {
                    return Err(serde::de::Error::custom(format!("key '{name}' stands twice")));
                }
                names.push(name);
            }
            Ok(names)
        }
    }
    match serde_json::from_slice::<Names>(object) {
        Ok(Names(names)) if names.is_empty() => Err("it has no keys".to_owned()),
        Ok(Names(names)) => Ok(names),
        Err(e) => Err(e.to_string()),
    }
}

/// Writes the start of each value and the place behind its separator (its end and one), in the order of `names`, to
/// `places`; missing keys get an empty place.
pub(crate) fn split(
    object: &[u8],
    names: &[String],
    places: &mut Vec<u32>,
    extras: &mut Vec<Extra>,
) -> Result<(), String> {
    places.clear();
    places.extend(names.iter().flat_map(|_| [0, 1]));
    extras.clear();
    let mut deserializer = serde_json::Deserializer::from_slice(object);
    let base = object.as_ptr() as usize;
    let visitor = Places { base, names, places, extras };
    deserializer.deserialize_map(visitor).map_err(|e| e.to_string())?;
    deserializer.end().map_err(|e| e.to_string())
}

struct Places<'p> {
    base: usize,
    names: &'p [String],
    places: &'p mut Vec<u32>,
    extras: &'p mut Vec<Extra>,
}

impl<'de> Visitor<'de> for Places<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut expected = 0;
        while let Some(Key(key)) = map.next_key()? {
            let value: &RawValue = map.next_value()?;
            let start = value.get().as_ptr() as usize - self.base;
            let (start, end) = (start as u32, (start + value.get().len()) as u32);
            // Rows of one stream have their keys in one order, so the next name is nearly always the right one.
            let place = match self.names.get(expected) {
                Some(name) if **name == *key => Some(expected),
                _ => self.names.iter().position(|name| **name == *key),
            };
            match place {
                Some(i) => {
                    self.places[2 * i] = start;
                    self.places[2 * i + 1] = end + 1;
                    expected = i + 1;
                }
                None => self.extras.push(Extra { name: key.into_owned(), start, end }),
            }
        }
        Ok(())
    }
}

#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// The text of a JSON value: strings unescaped, `null` empty, anything else as it stands.
pub(crate) fn text(token: &[u8]) -> Cow<'_, [u8]> {
    match token {
        b"null" => Cow::Borrowed(b""),
        [b'"', inner @ .., b'"'] if memchr::memchr(b'\\', inner).is_none() => Cow::Borrowed(inner),
        [b'"', ..] => match serde_json::from_slice::<String>(token) {
            Ok(text) => Cow::Owned(text.into_bytes()),
            Err(_) => Cow::Borrowed(token),
        },
        _ => Cow::Borrowed(token),
    }
}

/// Whether a text is a JSON number (RFC 8259 §6): no leading zeros, plus sign or bare point.
pub(crate) fn is_number(text: &[u8]) -> bool {
    let digits = |from: usize| from + text[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let start = usize::from(text.first() == Some(&b'-'));
    let mut at = digits(start);
    if at == start || (at > start + 1 && text[start] == b'0') {
        return false;
    }
    if text.get(at) == Some(&b'.') {
        let behind = digits(at + 1);
        if behind == at + 1 {
            return false;
        }
        at = behind;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = at + 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        at = if sign <= text.len() { digits(sign) } else { return false };
        if at == sign {
            return false;
        }
    }
    at == text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_agree_with_serde_json(text in "[-+0-9.eE]{0,8}") {
            let expected = serde_json::from_str::<serde_json::Number>(&text).is_ok();
            // serde_json refuses numbers beyond f64, which the grammar allows.
            prop_assume!(!text.contains(['e', 'E']));
            prop_assert_eq!(is_number(text.as_bytes()), expected, "{}", text);
        }
    }

    #[test]
    fn exponents() {
        for (text, expected) in [("1e5", true), ("1E-5", true), ("1e", false), ("1e+", false), ("e1", false)]
        {
            assert_eq!(is_number(text.as_bytes()), expected, "{text}");
        }
    }
}
