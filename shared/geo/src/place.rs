//! The answer to a look-up.

use std::fmt;

use crate::zone::Zone;

/// How finely a location is known. A coordinate at country level is the centre of the country, where nobody
/// need live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Only the country is known.
    Country,
    /// The first subdivision of the country (state, province) is known.
    Region,
    /// The city is known.
    City,
}

impl Level {
    /// The word in a cell: `country`, `region` or `city`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Region => "region",
            Self::City => "city",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What the databases know of an address. Everything may be missing; a place of which nothing is known is the
/// default.
#[derive(Clone, Debug, Default)]
pub struct Place {
    pub(crate) country: Option<Box<str>>,
    pub(crate) city: Option<Box<str>>,
    pub(crate) coordinate: Option<(Box<str>, Box<str>)>,
    pub(crate) level: Option<Level>,
    pub(crate) zone: Option<(Box<str>, Zone)>,
    pub(crate) asn: Option<u32>,
    pub(crate) org: Option<Box<str>>,
    pub(crate) known: Option<Box<str>>,
}

impl Place {
    /// Whether nothing is known of the address, neither where nor whose it is.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.country.is_none()
            && self.city.is_none()
            && self.coordinate.is_none()
            && self.asn.is_none()
            && self.org.is_none()
            && self.known.is_none()
    }

    /// Country, ISO 3166-1 alpha-2 in upper case.
    #[must_use]
    pub fn country(&self) -> Option<&str> {
        self.country.as_deref()
    }

    /// City, in English where the database has it in English.
    #[must_use]
    pub fn city(&self) -> Option<&str> {
        self.city.as_deref()
    }

    /// Latitude in degrees north as decimal text, at most six decimals.
    #[must_use]
    pub fn lat(&self) -> Option<&str> {
        self.coordinate.as_ref().map(|(latitude, _)| &**latitude)
    }

    /// Longitude in degrees east as decimal text, at most six decimals.
    #[must_use]
    pub fn lon(&self) -> Option<&str> {
        self.coordinate.as_ref().map(|(_, longitude)| &**longitude)
    }

    /// How finely the location is known.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        self.level
    }

    /// IANA name of the time zone, where the location is fine enough to tell it.
    #[must_use]
    pub fn tz(&self) -> Option<&str> {
        self.zone.as_ref().map(|(name, _)| &**name)
    }

    /// The hour of day, 0 to 23, on the clocks of the place at an instant in Unix seconds.
    #[must_use]
    pub fn hour(&self, unix_seconds: i64) -> Option<u8> {
        self.zone.as_ref()?.1.hour(unix_seconds)
    }

    /// Number of the autonomous system that originates the route to the address.
    #[must_use]
    pub fn asn(&self) -> Option<u32> {
        self.asn
    }

    /// Name of the organization that runs the autonomous system, else of the Internet service provider.
    #[must_use]
    pub fn org(&self) -> Option<&str> {
        self.org.as_deref()
    }

    /// Names of the lists that hold the address, joined by `;`: the list with the smallest network around it first, of
    /// equally small ones the alphabetically first.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        self.known.as_deref()
    }
}
