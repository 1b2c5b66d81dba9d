//! What one record of a MaxMind DB says, whichever layout it has.
//!
//! Layouts are told apart by the keys of each record and never by the database's type string, which the
//! makers of flat databases fill as they like:
//!
//! | layout | keys |
//! |---|---|
//! | MaxMind, nested | `country.iso_code`, `city.names.en`, `subdivisions`, `location.latitude` …, `traits` |
//! | MaxMind ASN, ISP | `autonomous_system_number`, `autonomous_system_organization`, `isp`, `organization` |
//! | flat (ip-location-db) | `country_code`, `state1`, `city`, `latitude`, `longitude`, `timezone` |
//! | flat (IPinfo) | `country` or `country_code`, `region`, `lat`, `lng`, `asn` as `AS15169`, `as_name` |

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::coordinate::Degrees;

/// The fields of one record. Empty strings, which the flat databases use for "not known", are already
/// missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields<'a> {
    pub(crate) country: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
    pub(crate) city: Option<&'a str>,
    pub(crate) latitude: Option<Degrees>,
    pub(crate) longitude: Option<Degrees>,
    pub(crate) time_zone: Option<&'a str>,
    pub(crate) asn: Option<u32>,
    pub(crate) as_organization: Option<&'a str>,
    pub(crate) isp: Option<&'a str>,
    pub(crate) organization: Option<&'a str>,
    pub(crate) shape: Shape,
}

/// Which keys a record has, whether or not they hold anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Country, city or location as maps of their own: MaxMind's layout.
    pub(crate) nested: bool,
    pub(crate) country: bool,
    pub(crate) city: bool,
    pub(crate) asn: bool,
    pub(crate) isp: bool,
}

impl Shape {
    pub(crate) fn join(&mut self, other: Self) {
        self.nested |= other.nested;
        self.country |= other.country;
        self.city |= other.city;
        self.asn |= other.asn;
        self.isp |= other.isp;
    }

    /// Whether such records say where an address is.
    pub(crate) fn places(self) -> bool {
        self.country || self.city
    }

    /// Whether such records say whose an address is.
    pub(crate) fn names_operators(self) -> bool {
        self.asn || self.isp
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match (self.city, self.country) {
            (true, _) => Some("city"),
            (false, true) => Some("country"),
            (false, false) => None,
        };
        let operator = match (self.isp, self.asn) {
            (true, _) => Some("ISP"),
            (false, true) => Some("ASN"),
            (false, false) => None,
        };
        let style = if self.nested { "nested " } else { "flat " };
        match (place, operator) {
            (Some(place), Some(operator)) => write!(f, "{style}{place} and {operator}"),
            (Some(place), None) => write!(f, "{style}{place}"),
            (None, Some(operator)) => f.write_str(operator),
            (None, None) => f.write_str("neither places nor AS numbers"),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RecordVisitor { fields: Fields::default() })
    }
}

struct RecordVisitor<'a> {
    fields: Fields<'a>,
}

impl<'de: 'a, 'a> Visitor<'de> for RecordVisitor<'a> {
    type Value = Fields<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record that is a map")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut fields = self.fields;
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "country" => {
                    let node: Node = map.next_value()?;
                    fields.shape.nested |= node.map;
                    fields.shape.country |= node.map || node.text.is_some_and(is_country);
                    let code = node.iso_code.or(node.text).filter(|code| is_country(code));
                    fields.country = code.or(fields.country);
                }
                "country_code" => {
                    fields.shape.country = true;
                    let code = map.next_value::<Text>()?.0.filter(|code| is_country(code));
                    fields.country = code.or(fields.country);
                }
                "city" => {
                    let node: Node = map.next_value()?;
                    fields.shape.nested |= node.map;
                    fields.shape.city = true;
                    fields.city = node.name.or(node.text);
                }
                "registered_country" => {
                    // Where a block is registered is not where it is used, so it never stands in for the
                    // country.
                    map.next_value::<IgnoredAny>()?;
                    fields.shape.nested = true;
                    fields.shape.country = true;
                }
                "subdivisions" => {
                    fields.shape.nested = true;
                    fields.region = map.next_value::<FirstCode>()?.0;
                }
                "state1" | "region" => fields.region = map.next_value::<Text>()?.0,
                "location" => {
                    fields.shape.nested = true;
                    fields.shape.city = true;
                    let location: Location = map.next_value()?;
                    fields.latitude = location.latitude;
                    fields.longitude = location.longitude;
                    fields.time_zone = location.time_zone;
                }
                "latitude" | "lat" => fields.latitude = map.next_value::<Number>()?.0,
                "longitude" | "lng" | "lon" => fields.longitude = map.next_value::<Number>()?.0,
                "timezone" | "time_zone" => fields.time_zone = map.next_value::<Text>()?.0,
                "traits" => map.next_value_seed(Traits(&mut fields))?,
                _ => operator_field(key, &mut map, &mut fields)?,
            }
        }
        Ok(fields)
    }
}

/// Reads the value of a key that says whose an address is; skips any other.
fn operator_field<'de: 'a, 'a, M: MapAccess<'de>>(
    key: &str,
    map: &mut M,
    fields: &mut Fields<'a>,
) -> Result<(), M::Error> {
    match key {
        "autonomous_system_number" | "asn" => {
            fields.shape.asn = true;
            fields.asn = map.next_value::<AsNumber>()?.0;
        }
        "autonomous_system_organization" | "as_name" => {
            fields.shape.asn = true;
            fields.as_organization = map.next_value::<Text>()?.0;
        }
        "isp" => {
            fields.shape.isp = true;
            fields.isp = map.next_value::<Text>()?.0;
        }
        "organization" => {
            fields.shape.isp = true;
            fields.organization = map.next_value::<Text>()?.0;
        }
        _ => {
            map.next_value::<IgnoredAny>()?;
        }
    }
    Ok(())
}

/// ISO 3166-1 alpha-2, without the codes that say "unknown": XX and ZZ, user-assigned and used so by
/// registries.
fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) && !matches!(code, "XX" | "ZZ")
}

/// MaxMind's `traits`, where Enterprise and Insights records keep what an ISP database has at the top.
struct Traits<'f, 'a>(&'f mut Fields<'a>);

impl<'de: 'a, 'a> serde::de::DeserializeSeed<'de> for Traits<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Traits<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of traits")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<&str>()? {
            operator_field(key, &mut map, self.0)?;
        }
        Ok(())
    }
}

/// Implements the visits of values that a lenient field passes over, so that a key with a value of a foreign
/// type is a missing field and not a broken record.
macro_rules! pass_over {
    ($($visit:ident: $value:ty),* $(,)?) => {
        $(fn $visit<E: serde::de::Error>(self, _: $value) -> Result<Self::Value, E> {
            Ok(Default::default())
        })*
    };
}

macro_rules! pass_over_containers {
    () => {
        fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Self::Value, S::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
}

macro_rules! pass_over_maps {
    () => {
        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
}

/// Non-empty text; anything else is nothing.
#[derive(Default)]
struct Text<'a>(Option<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(deserializer.deserialize_any(NodeVisitor)?.text))
    }
}

/// Text, or a map with a code and a name: `country` and `city` are either, by layout.
#[derive(Default)]
struct Node<'a> {
    map: bool,
    text: Option<&'a str>,
    iso_code: Option<&'a str>,
    name: Option<&'a str>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a map")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Node { text: Some(text.trim()).filter(|text| !text.is_empty()), ..Node::default() })
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut node = Node { map: true, ..Node::default() };
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "iso_code" => node.iso_code = map.next_value::<Text>()?.0,
                "names" => node.name = map.next_value::<English>()?.0,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(node)
    }

    pass_over!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_u128: u128);
    pass_over!(visit_f32: f32, visit_f64: f64, visit_bytes: &[u8]);
    pass_over_containers!();
}

/// The English name out of a map of names by language.
#[derive(Default)]
struct English<'a>(Option<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for English<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EnglishVisitor).map(Self)
    }
}

struct EnglishVisitor;

impl<'de> Visitor<'de> for EnglishVisitor {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of names")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut english = None;
        while let Some(key) = map.next_key::<&str>()? {
            if key == "en" {
                english = map.next_value::<Text>()?.0;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(english)
    }

    pass_over!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);
    pass_over_containers!();
}

/// MaxMind's `location`.
#[derive(Default)]
struct Location<'a> {
    latitude: Option<Degrees>,
    longitude: Option<Degrees>,
    time_zone: Option<&'a str>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Location<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LocationVisitor)
    }
}

struct LocationVisitor;

impl<'de> Visitor<'de> for LocationVisitor {
    type Value = Location<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map with a location")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut location = Location::default();
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "latitude" => location.latitude = map.next_value::<Number>()?.0,
                "longitude" => location.longitude = map.next_value::<Number>()?.0,
                "time_zone" => location.time_zone = map.next_value::<Text>()?.0,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(location)
    }

    pass_over!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);
    pass_over_containers!();
}

/// The code, else the English name, of the first of a list of subdivisions: the largest.
#[derive(Default)]
struct FirstCode<'a>(Option<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for FirstCode<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FirstCodeVisitor).map(Self)
    }
}

struct FirstCodeVisitor;

impl<'de> Visitor<'de> for FirstCodeVisitor {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of subdivisions")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Self::Value, S::Error> {
        let first: Option<Node> = seq.next_element()?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first.and_then(|node| node.iso_code.or(node.name).or(node.text)))
    }

    pass_over!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);
    pass_over_maps!();
}

/// A number of degrees in any of the types that databases use for it.
#[derive(Default)]
struct Number(Option<Degrees>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor).map(Self)
    }
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Option<Degrees>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of degrees")
    }

    fn visit_f32<E>(self, degrees: f32) -> Result<Self::Value, E> {
        Ok(Some(Degrees::Single(degrees)))
    }

    fn visit_f64<E>(self, degrees: f64) -> Result<Self::Value, E> {
        Ok(Some(Degrees::Double(degrees)))
    }

    fn visit_i64<E>(self, degrees: i64) -> Result<Self::Value, E> {
        Ok(i16::try_from(degrees).ok().map(|degrees| Degrees::Single(f32::from(degrees))))
    }

    fn visit_u64<E>(self, degrees: u64) -> Result<Self::Value, E> {
        Ok(i16::try_from(degrees).ok().map(|degrees| Degrees::Single(f32::from(degrees))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.trim().parse().ok().map(Degrees::Double))
    }

    pass_over!(visit_bool: bool, visit_u128: u128);
    pass_over_containers!();
    pass_over_maps!();
}

/// An AS number as an integer, or as text with or without `AS` before it. 0 names no operator (RFC 7607).
#[derive(Default)]
struct AsNumber(Option<u32>);

impl<'de> Deserialize<'de> for AsNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(deserializer.deserialize_any(AsNumberVisitor)?.filter(|number| *number != 0)))
    }
}

struct AsNumberVisitor;

impl<'de> Visitor<'de> for AsNumberVisitor {
    type Value = Option<u32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an AS number")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(u32::try_from(number).ok())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(u32::try_from(number).ok())
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        let text = text.trim();
        let digits = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).unwrap_or(text);
        Ok(digits.parse().ok())
    }

    pass_over!(visit_bool: bool, visit_u128: u128, visit_f32: f32, visit_f64: f64);
    pass_over_containers!();
    pass_over_maps!();
}
