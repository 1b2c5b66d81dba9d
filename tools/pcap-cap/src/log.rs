//! What happens during a capture, with its time.

use std::fmt::Display;

use jiff::Timestamp;
use probeline_cli::Console;

/// Says what happens on stderr. Both threads have one.
#[derive(Debug)]
pub(crate) struct Log(Console);

impl Log {
    pub(crate) fn new() -> Self {
        Self(Console::new("pcap-cap"))
    }

    /// Says one line, with the time of day.
    pub(crate) fn say(&self, message: impl Display) {
        self.0.say(format_args!("{} {message}", time(Timestamp::now())));
    }
}

/// A time as people read it, to the millisecond.
pub(crate) fn time(at: Timestamp) -> impl Display {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
}

/// A time in Unix nanoseconds.
pub(crate) fn nanos(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)
}

/// The time of Unix nanoseconds.
pub(crate) fn timestamp(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanos.into()).unwrap_or(Timestamp::UNIX_EPOCH)
}
