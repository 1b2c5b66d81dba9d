//! One interface over the time of a capture: open, down, gone, back again.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use probeline_capture::{Counters, Error, LinkChange, LinkState, Live, LiveOptions, Packet};

use crate::log::{Log, time};
use crate::privileges::with_raw;

/// How often an interface that is gone is looked for, should no message tell of it.
const LOOK_FOR: Duration = Duration::from_secs(1);

/// Why an interface gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    NoCarrier,
    Down,
    Gone,
}

/// What looking after an interface came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    None,
    /// It has just gone.
    Gone,
    /// It was found and opened again; whether it is up is to be asked.
    Opened,
}

/// A time in which packets were missed, or may have been.
#[derive(Debug)]
struct Gap {
    since: Timestamp,
    begun: Instant,
}

/// What was counted of an interface.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Packets delivered to us.
    pub(crate) packets: u64,
    /// Bytes captured of them.
    pub(crate) bytes: u64,
    /// Bytes that they had on the wire.
    pub(crate) wire_bytes: u64,
    /// The kernel's counters.
    pub(crate) kernel: Counters,
    /// Times in which the interface was silent or the kernel dropped packets.
    pub(crate) gaps: u64,
    /// How long the interface was silent, all together.
    pub(crate) silent: Duration,
}

/// An interface that is captured from.
pub(crate) struct Source {
    pub(crate) name: String,
    options: LiveOptions,
    live: Option<Live>,
    index: Option<u32>,
    link_type: u32,
    /// Counters of the times that it was open before.
    before: Counters,
    tally: Tally,
    silence: Option<(Silence, Gap)>,
    dropping: Option<(Gap, u64)>,
    /// Set when it is to be closed, once what is in its buffer was read.
    closing: Option<Instant>,
    looked_for: Instant,
}

impl Source {
    /// Opens an interface.
    ///
    /// # Errors
    /// Those of [`Live::open`].
    pub(crate) fn open(name: &str, options: &LiveOptions) -> Result<Self, Error> {
        let live = Live::open(name, options)?;
        Ok(Self {
            name: name.to_owned(),
            options: options.clone(),
            index: live.index(),
            link_type: live.link_type(),
            live: Some(live),
            before: Counters::default(),
            tally: Tally::default(),
            silence: None,
            dropping: None,
            closing: None,
            looked_for: Instant::now(),
        })
    }

    /// The open interface, none while it is gone.
    pub(crate) fn live(&self) -> Option<&Live> {
        self.live.as_ref()
    }

    /// Its link type (the number in capture files).
    pub(crate) fn link_type(&self) -> u32 {
        self.link_type
    }

    /// What was counted up to now, the silence that lasts included.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = self.tally;
        if let Some((_, gap)) = &self.silence {
            tally.silent += gap.begun.elapsed();
        }
        tally
    }

    /// How it is, in a word.
    pub(crate) fn state(&self) -> &'static str {
        match self.silence {
            None => "up",
            Some((Silence::NoCarrier, _)) => "no carrier",
            Some((Silence::Down, _)) => "down",
            Some((Silence::Gone, _)) => "gone",
        }
    }

    /// Hands over what is there, at most `most` packets, and says how many. An interface that fails is closed soon.
    pub(crate) fn read(
        &mut self,
        most: usize,
        grace: Duration,
        mut take: impl FnMut(&Packet<'_>) -> bool,
    ) -> usize {
        let Some(live) = &mut self.live else { return 0 };
        let tally = &mut self.tally;
        let done = live.read(most, |packet| {
            if take(&packet) {
                tally.packets += 1;
                tally.bytes += u64::try_from(packet.data.len()).unwrap_or_default();
                tally.wire_bytes += u64::from(packet.wire_len);
            }
        });
        match done {
            Ok(count) => count,
            Err(_) => {
                // libpcap says so when the interface was removed; the kernel's message says it too, if one came.
                self.close_after(grace);
                0
            }
        }
    }

    fn close_after(&mut self, grace: Duration) {
        self.closing.get_or_insert_with(|| Instant::now() + grace);
    }

    /// Takes up a message of the kernel.
    pub(crate) fn changed(&mut self, change: &LinkChange, grace: Duration, log: &Log) {
        if self.live.is_none() {
            if change.name == self.name {
                // Time to look for it again.
                self.looked_for = self.looked_for.checked_sub(LOOK_FOR).unwrap_or(self.looked_for);
            }
            return;
        }
        if self.index != Some(change.index) || self.closing.is_some() {
            return;
        }
        match change.state {
            LinkState::Running => self.speaks_again(log),
            LinkState::NoCarrier => self.falls_silent(Silence::NoCarrier, log),
            LinkState::Down => self.falls_silent(Silence::Down, log),
            LinkState::Removed => {
                self.falls_silent(Silence::Gone, log);
                self.close_after(grace);
            }
        }
    }

    fn falls_silent(&mut self, why: Silence, log: &Log) {
        let was = self.silence.as_ref().map(|(why, _)| *why);
        if was == Some(why) {
            return;
        }
        let gap = match self.silence.take() {
            Some((_, gap)) => gap,
            None => {
                self.tally.gaps += 1;
                Gap { since: Timestamp::now(), begun: Instant::now() }
            }
        };
        self.silence = Some((why, gap));
        log.say(format_args!(
            "{} {}; waiting for it",
            self.name,
            match why {
                Silence::NoCarrier => "has no carrier",
                Silence::Down => "is down",
                Silence::Gone => "is gone",
            }
        ));
    }

    /// Ends the silence.
    pub(crate) fn speaks_again(&mut self, log: &Log) {
        let Some((_, gap)) = self.silence.take() else { return };
        let lasted = gap.begun.elapsed();
        self.tally.silent += lasted;
        log.say(format_args!(
            "{} is back: gap since {}, {:.3} s",
            self.name,
            time(gap.since),
            lasted.as_secs_f64()
        ));
    }

    /// Closes what is to be closed, and looks for an interface that is gone.
    ///
    /// # Errors
    /// When it came back as something else.
    pub(crate) fn look_after(&mut self, log: &Log) -> Result<Turn, anyhow::Error> {
        if self.closing.is_some_and(|when| when <= Instant::now()) {
            self.closing = None;
            self.count(log);
            let counters = self.tally.kernel;
            self.live = None;
            self.before = counters;
            self.falls_silent(Silence::Gone, log);
            return Ok(Turn::Gone);
        }
        if self.live.is_none() && self.looked_for.elapsed() >= LOOK_FOR {
            self.looked_for = Instant::now();
            if let Ok(live) = with_raw(|| Live::open(&self.name, &self.options))? {
                if live.link_type() != self.link_type {
                    anyhow::bail!(
                        "{} came back with link type {} instead of {}",
                        self.name,
                        live.link_type(),
                        self.link_type
                    );
                }
                self.index = live.index();
                self.live = Some(live);
                return Ok(Turn::Opened);
            }
        }
        Ok(Turn::None)
    }

    /// Asks for the kernel's counters, and says when packets begin to be dropped and when that is over.
    pub(crate) fn count(&mut self, log: &Log) {
        // Of an interface that is gone the last counters stand.
        let Some(Ok(now)) = self.live.as_mut().map(Live::counters) else { return };
        let kernel = Counters {
            received: self.before.received + now.received,
            dropped: self.before.dropped + now.dropped,
            dropped_by_interface: self.before.dropped_by_interface + now.dropped_by_interface,
        };
        let lost = |kernel: Counters| kernel.dropped + kernel.dropped_by_interface;
        let (was, is) = (lost(self.tally.kernel), lost(kernel));
        self.tally.kernel = kernel;
        match (&self.dropping, is > was) {
            (None, true) => {
                self.tally.gaps += 1;
                log.say(format_args!("{}: packets are being dropped, {} so far", self.name, is - was));
                let gap = Gap { since: Timestamp::now(), begun: Instant::now() };
                self.dropping = Some((gap, was));
            }
            (Some(_), false) => self.stops_dropping(log),
            _ => {}
        }
    }

    fn stops_dropping(&mut self, log: &Log) {
        let Some((gap, before)) = self.dropping.take() else { return };
        let lost = self.tally.kernel.dropped + self.tally.kernel.dropped_by_interface - before;
        log.say(format_args!("{}: gap since {}: {lost} packets dropped", self.name, time(gap.since)));
    }

    /// Closes the books: a silence or dropping that lasts ends with the capture.
    pub(crate) fn finish(&mut self, log: &Log) {
        self.count(log);
        self.stops_dropping(log);
        if let Some((_, gap)) = self.silence.take() {
            self.tally.silent += gap.begun.elapsed();
            log.say(format_args!("{}: gap since {}, to the end", self.name, time(gap.since)));
        }
    }
}
