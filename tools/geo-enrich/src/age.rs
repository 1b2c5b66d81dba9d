//! Databases of another time than the rows.

use probeline_cli::Console;
use probeline_geo::Description;

/// A year in seconds: routes and operators of more than about that long ago are others' by now.
const YEAR: i64 = 366 * 86_400;

/// Watches the times of the rows and warns once of each database that was built more than a year away from
/// them.
#[derive(Debug)]
pub(crate) struct Age {
    unsuspected: Vec<Description>,
    first: i64,
    last: i64,
}

impl Age {
    /// A watch over these databases; those that do not say when they were built cannot be watched.
    #[must_use]
    pub(crate) fn new(databases: Vec<Description>) -> Self {
        let unsuspected = databases.into_iter().filter(|database| database.built.is_some()).collect();
        Self { unsuspected, first: i64::MAX, last: i64::MIN }
    }

    /// Notes the time of a row, in Unix seconds, and warns at the first one.
    #[inline]
    pub(crate) fn see(&mut self, seconds: i64, console: &Console) {
        let first = self.last == i64::MIN;
        self.first = self.first.min(seconds);
        self.last = self.last.max(seconds);
        if first {
            self.warn(console);
        }
    }

    /// Warns of what the later rows have shown.
    pub(crate) fn end(mut self, console: &Console) {
        if self.last > i64::MIN {
            self.warn(console);
        }
    }

    #[cold]
    fn warn(&mut self, console: &Console) {
        let (first, last) = (self.first, self.last);
        self.unsuspected.retain(|database| {
            let Some(built) = database.built else { return false };
            let apart = built.saturating_sub(first).max(last.saturating_sub(built));
            if apart <= YEAR {
                return true;
            }
            console.say(format_args!(
                "warning: {} was built on {}, {} from rows here: addresses may have changed hands; a database \
                 of their time can be named with --city-db and --asn-db",
                database.path.display(),
                database.built_day().unwrap_or_default(),
                span(apart),
            ));
            false
        });
    }
}

/// A long span in words.
fn span(seconds: i64) -> String {
    let months = seconds / 2_629_746;
    match months / 12 {
        0 | 1 => format!("{months} months"),
        years => format!("{years} years"),
    }
}
