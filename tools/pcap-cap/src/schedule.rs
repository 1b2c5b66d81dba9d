//! When a new file begins.

use std::time::Duration;

use crate::args::Args;
use crate::units::Ring;

/// The rules by which one file ends and the next begins. Times are Unix nanoseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    bytes: Option<u64>,
    packets: Option<u64>,
    period: Option<i64>,
    /// A time at which a file begins; the others are whole periods away.
    origin: i64,
    boundary: Option<i64>,
    /// The clock when it was last looked at.
    now: i64,
}

impl Schedule {
    /// The rules that were asked for; the first file begins now.
    pub(crate) fn new(args: &Args, now: i64) -> Self {
        let mut schedule = Self { bytes: args.file_size, now, ..Self::default() };
        let nanos = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        if let Some(period) = args.rotate_seconds {
            (schedule.period, schedule.origin) = (Some(nanos(period)), now);
        }
        for when in &args.ring_buffer {
            match *when {
                Ring::Duration(period) => (schedule.period, schedule.origin) = (Some(nanos(period)), now),
                Ring::Interval(period) => (schedule.period, schedule.origin) = (Some(nanos(period)), 0),
                Ring::Bytes(bytes) => schedule.bytes = Some(bytes),
                Ring::Packets(packets) => schedule.packets = Some(packets),
                Ring::Files(_) => {}
            }
        }
        schedule.plan(now);
        schedule
    }

    /// Sets the next boundary after a time.
    fn plan(&mut self, from: i64) {
        self.boundary = self.period.map(|period| {
            let past = from.saturating_sub(self.origin).rem_euclid(period);
            from.saturating_add(period - past)
        });
    }

    /// Whether a packet of `length` bytes in the file belongs to the next file, and when that begins.
    pub(crate) fn before_packet(&mut self, time: i64, length: u64, file: &Extent) -> Option<i64> {
        // The clock, a tenth of a second old, keeps out the times of an adapter that knows no calendar.
        let second = 1_000_000_000;
        if let Some(boundary) = self.boundary
            && time >= boundary
            && self.now.saturating_add(second) >= boundary
        {
            // Where whole periods went by without a look, there is no file for each of them.
            let begins = self.period.map_or(boundary, |period| {
                boundary + (self.now.min(time).saturating_sub(boundary).max(0) / period) * period
            });
            self.plan(begins.max(boundary));
            return Some(begins);
        }
        let full = self.bytes.is_some_and(|most| file.packets > 0 && file.bytes + length > most)
            || self.packets.is_some_and(|most| file.packets >= most);
        full.then_some(time)
    }

    /// Whether by the clock the next file is due although no packet came, and when it begins. `grace` is how much later
    /// than its time a packet may come.
    pub(crate) fn at_time(&mut self, now: i64, grace: i64) -> Option<i64> {
        self.now = now;
        let (boundary, period) = self.boundary.zip(self.period)?;
        if boundary.saturating_sub(now) > period {
            // The clock was set back.
            self.plan(now);
            return None;
        }
        if now < boundary.saturating_add(grace) {
            return None;
        }
        self.plan(now - grace);
        Some(self.boundary.map_or(boundary, |next| next - period))
    }
}

/// How much is in the file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extent {
    /// Bytes before compression.
    pub(crate) bytes: u64,
    /// Packets.
    pub(crate) packets: u64,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn schedule(words: &str, now: i64) -> Schedule {
        let args = format!("pcap-cap -i lo -w x.pcap {words}");
        Schedule::new(&Args::try_parse_from(args.split(' ')).unwrap(), now)
    }

    #[test]
    fn by_the_hour_or_since_the_start() {
        let file = Extent::default();
        let start = 7_210 * SECOND;
        let mut hourly = schedule("-b interval:3600", start);
        hourly.at_time(10_799 * SECOND, SECOND);
        assert_eq!(hourly.before_packet(10_799 * SECOND, 60, &file), None);
        assert_eq!(hourly.before_packet(10_800 * SECOND, 60, &file), Some(10_800 * SECOND));
        assert_eq!(hourly.before_packet(10_801 * SECOND, 60, &file), None);
        let mut since = schedule("-G 3600", start);
        assert_eq!(since.at_time(10_810 * SECOND, SECOND), None, "packets may be late");
        assert_eq!(since.at_time(10_811 * SECOND, SECOND), Some(10_810 * SECOND));
        // A machine that slept: one file for all of it.
        assert_eq!(since.at_time(100_000 * SECOND, SECOND), Some((7_210 + 25 * 3600) * SECOND));
    }

    #[test]
    fn clocks_that_jump() {
        let file = Extent::default();
        let mut schedule = schedule("-G 60", 1_000_000 * SECOND);
        assert_eq!(schedule.before_packet(9_000_000 * SECOND, 60, &file), None, "an adapter's own time");
        assert_eq!(schedule.at_time(900_000 * SECOND, SECOND), None, "set back");
        assert!(schedule.at_time(900_061 * SECOND, SECOND).is_some(), "and the minute counts from there");
    }

    #[test]
    fn by_size_and_by_packets() {
        let mut by_size = schedule("-C 1k", 0);
        assert_eq!(by_size.before_packet(5, 100, &Extent { bytes: 924, packets: 8 }), None);
        assert_eq!(by_size.before_packet(5, 101, &Extent { bytes: 924, packets: 8 }), Some(5));
        assert_eq!(
            by_size.before_packet(5, 5000, &Extent { bytes: 24, packets: 0 }),
            None,
            "it must go somewhere"
        );
        let mut by_packets = schedule("-b packets:10", 0);
        assert_eq!(by_packets.before_packet(5, 100, &Extent { bytes: 924, packets: 9 }), None);
        assert_eq!(by_packets.before_packet(5, 100, &Extent { bytes: 924, packets: 10 }), Some(5));
    }
}
