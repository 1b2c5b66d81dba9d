//! Time zones: from a place to its zone, from an instant to the hour on the clocks there.
//!
//! The rules come from the time zone database that is compiled in and never from the machine's own, so that
//! the same rows give the same hours everywhere.

use std::cell::Cell;

use hashbrown::HashMap;
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use tzf_rs::EmbeddedFinder;

use crate::coordinate::Coordinate;
use crate::country_zones::COUNTRY_ZONES;
use crate::place::Level;

/// Seconds of a day, leap seconds aside as in Unix time.
const DAY: i64 = 86_400;

/// A zone of the IANA time zone database, with its rules.
#[derive(Clone, Debug)]
pub struct Zone {
    rules: TimeZone,
    steady: Cell<Steady>,
}

/// A span of time, in Unix seconds, without a change of the clocks. Rows come in order of time, so that the next one
/// nearly always lies in it: asking the rules for each took a fifth of all instructions.
#[derive(Clone, Copy, Debug, Default)]
struct Steady {
    from: i64,
    /// The first second that is not in it.
    until: i64,
    /// What the clocks are ahead of UTC, in seconds.
    offset: i64,
}

impl Zone {
    /// The zone of this IANA name (`Europe/London`), or nothing where there is no such zone.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let rules = TimeZoneDatabase::bundled().get(name).ok()?;
        Some(Self { rules, steady: Cell::default() })
    }

    /// The hour of day, 0 to 23, that clocks show there at an instant in Unix seconds, daylight saving
    /// included. Nothing for instants outside the years −9999 to 9999.
    #[must_use]
    pub fn hour(&self, unix_seconds: i64) -> Option<u8> {
        let mut steady = self.steady.get();
        if !(steady.from..steady.until).contains(&unix_seconds) {
            steady = self.steady_at(unix_seconds)?;
            self.steady.set(steady);
        }
        u8::try_from((unix_seconds + steady.offset).rem_euclid(DAY) / 3600).ok()
    }

    /// The span around an instant, within the years that the rules are made for.
    #[cold]
    fn steady_at(&self, unix_seconds: i64) -> Option<Steady> {
        let instant = Timestamp::from_second(unix_seconds).ok()?;
        // A change at this very second is in force, and `preceding` tells only those before.
        let next = Timestamp::from_second(unix_seconds + 1).unwrap_or(instant);
        let second = |change: jiff::tz::TimeZoneTransition<'_>| change.timestamp().as_second();
        let from = self.rules.preceding(next).next().map_or(Timestamp::MIN.as_second(), second);
        let until = self.rules.following(instant).next().map_or(Timestamp::MAX.as_second(), second);
        let offset = i64::from(self.rules.to_offset(instant).seconds());
        Some(Steady { from: from.min(unix_seconds), until, offset })
    }
}

/// Finds the zone of a place, and keeps the zones met.
pub(crate) struct Zones {
    /// Made when the first coordinate asks for it: a database that names its zones never does.
    finder: Option<EmbeddedFinder>,
    met: HashMap<Box<str>, Option<Zone>, foldhash::fast::RandomState>,
}

impl Zones {
    pub(crate) fn new() -> Self {
        Self { finder: None, met: HashMap::default() }
    }

    /// The zone by name and with its rules.
    ///
    /// The database's own zone counts only where it knows the city, the coordinate only where it stands for a
    /// city or a region: a record that knows no more than the country carries the country's centre and the
    /// zone there, which for the United States puts three quarters of the addresses on the clocks of Kansas.
    /// What is left is a country that has one zone.
    pub(crate) fn find(
        &mut self,
        level: Option<Level>,
        stated: Option<&str>,
        coordinate: Option<Coordinate>,
        country: Option<&str>,
    ) -> Option<(Box<str>, Zone)> {
        if level == Some(Level::City)
            && let Some(found) = stated.and_then(|name| self.zone(name))
        {
            return Some(found);
        }
        if matches!(level, Some(Level::City | Level::Region))
            && let Some(coordinate) = coordinate
        {
            let (latitude, longitude) = coordinate.degrees();
            let finder = self.finder.get_or_insert_with(EmbeddedFinder::new);
            let name = finder.get_tz_name(longitude, latitude).to_owned();
            if let Some(found) = self.zone(&name) {
                return Some(found);
            }
        }
        self.zone(only_zone(country?)?)
    }

    fn zone(&mut self, name: &str) -> Option<(Box<str>, Zone)> {
        if !self.met.contains_key(name) {
            self.met.insert(name.into(), Zone::named(name));
        }
        let zone = self.met.get(name)?.clone()?;
        Some((name.into(), zone))
    }
}

/// The zone of a country that has only one.
fn only_zone(country: &str) -> Option<&'static str> {
    let index = COUNTRY_ZONES.binary_search_by_key(&country, |(code, _)| code).ok()?;
    COUNTRY_ZONES.get(index).map(|(_, zone)| *zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordinate::Degrees;

    #[test]
    fn every_country_of_the_table_has_a_known_zone() {
        assert!(COUNTRY_ZONES.is_sorted());
        for (country, zone) in COUNTRY_ZONES {
            assert!(Zone::named(zone).is_some(), "{country}: {zone}");
        }
        assert_eq!(only_zone("DE"), None, "Germany has Büsingen");
        assert_eq!(only_zone("NL"), Some("Europe/Amsterdam"));
        assert_eq!(only_zone("US"), None);
    }

    #[test]
    fn hours_follow_daylight_saving() {
        // The United States moved their clocks forward on 10 March 2024 at 07:00 UTC in the Eastern zone
        // (15 U.S.C. § 260a: second Sunday of March at two o'clock local time).
        let eastern = Zone::named("America/New_York").unwrap();
        assert_eq!(eastern.hour(1_710_053_999), Some(1));
        assert_eq!(eastern.hour(1_710_054_000), Some(3));
        // Nepal is 5 h 45 min ahead: 18:14:59 UTC is 23:59:59 there.
        let nepal = Zone::named("Asia/Kathmandu").unwrap();
        assert_eq!(nepal.hour(1_709_230_499), Some(23));
        assert_eq!(nepal.hour(1_709_230_500), Some(0));
        assert_eq!(nepal.hour(i64::MAX), None);
        assert!(Zone::named("Moon/Tycho").is_none());
    }

    #[test]
    fn what_was_asked_before_changes_no_answer() {
        let names =
            ["America/New_York", "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Kathmandu", "Etc/UTC"];
        for name in names {
            let zone = Zone::named(name).unwrap();
            // From 1901 to 2096 in steps of nine days and some, then around each change in turn.
            let mut instants: Vec<i64> = (-2_200_000_000..4_000_000_000).step_by(800_003).collect();
            let start = Timestamp::from_second(1_600_000_000).unwrap();
            for change in zone.rules.following(start).take(10) {
                let at = change.timestamp().as_second();
                instants.extend([at, at - 1, at + 1, at, at + 3599, at - 3600]);
            }
            instants.extend([Timestamp::MAX.as_second(), Timestamp::MIN.as_second(), 0]);
            for instant in instants {
                assert_eq!(
                    zone.hour(instant),
                    Zone::named(name).unwrap().hour(instant),
                    "{name} at {instant}"
                );
                let offset = zone.rules.to_offset(Timestamp::from_second(instant).unwrap()).seconds();
                let hour = (instant + i64::from(offset)).rem_euclid(DAY) / 3600;
                assert_eq!(zone.hour(instant).map(i64::from), Some(hour), "{name} at {instant}");
            }
            assert_eq!(zone.hour(i64::MIN), None);
            assert_eq!(zone.hour(i64::MAX), None);
        }
    }

    #[test]
    fn a_country_centre_gives_no_zone_in_a_country_with_several() {
        let kansas = Coordinate::new(Some(Degrees::Double(37.751)), Some(Degrees::Double(-97.822)));
        let mut zones = Zones::new();
        let mut name = |level, stated, country| {
            zones.find(Some(level), stated, kansas, Some(country)).map(|(name, _)| name.to_string())
        };
        assert_eq!(name(Level::Country, Some("America/Chicago"), "US"), None);
        assert_eq!(name(Level::Region, Some("Asia/Tokyo"), "US").as_deref(), Some("America/Chicago"));
        assert_eq!(name(Level::City, Some("America/Denver"), "US").as_deref(), Some("America/Denver"));
        assert_eq!(name(Level::City, Some("America/Nowhere"), "US").as_deref(), Some("America/Chicago"));
        assert_eq!(name(Level::Country, None, "JP").as_deref(), Some("Asia/Tokyo"));
    }
}
