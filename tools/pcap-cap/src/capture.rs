//! The first thread: reads interfaces, and looks at clocks, signals and counters in between.

use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::bail;
use jiff::Timestamp;
use probeline_capfile::InterfaceStatistics;
use probeline_capture::LinkWatch;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::log::{Log, nanos};
use crate::record::Recorder;
use crate::signals::Signals;
use crate::source::{Source, Turn};
use crate::stats::{InterfaceStats, Stats};
use crate::writer::Shared;

/// How long the kernel may gather packets into one block before it hands them over.
pub(crate) const GATHER: Duration = Duration::from_millis(100);

/// How much later than its time a packet may come.
const GRACE: Duration = GATHER.saturating_mul(3);

/// How often the clock is looked at for what is due.
const TICK: Duration = Duration::from_millis(100);

/// How often the kernel's counters are asked for.
const COUNT: Duration = Duration::from_secs(1);

/// How often the counters are saved when `--status` does not say.
const SAVE: Duration = Duration::from_secs(10);

/// Packets read from one interface before the others, signals and the clock get their turn.
const BATCH: u64 = 128;

/// Everything that a capture consists of.
pub(crate) struct Capture {
    pub(crate) sources: Vec<Source>,
    pub(crate) recorder: Recorder,
    pub(crate) signals: Signals,
    pub(crate) links: Option<LinkWatch>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) options: Options,
    pub(crate) begun: Timestamp,
    pub(crate) log: Log,
}

/// How to go about it.
pub(crate) struct Options {
    pub(crate) deadline: Option<Instant>,
    pub(crate) each_packet: bool,
    pub(crate) reopen: bool,
    /// Whether interfaces have no filter, so that what they delivered is what they received.
    pub(crate) unfiltered: bool,
    pub(crate) status: Option<Duration>,
    pub(crate) stats: Vec<PathBuf>,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WaitFor {
    Both,
    /// Messages and signals.
    Calls,
    Packets,
}

/// When something that is done now and then was last done.
struct Every(Instant, Duration);

impl Every {
    fn new(every: Duration) -> Self {
        Self(Instant::now(), every)
    }

    fn is_due(&mut self, now: Instant) -> bool {
        let due = now.saturating_duration_since(self.0) >= self.1;
        if due {
            self.0 = now;
        }
        due
    }
}

impl Capture {
    /// Captures until the end: a limit, a time, a signal, or the writer's end.
    ///
    /// # Errors
    /// When it cannot go on. Everything before has been given to the writer.
    pub(crate) fn run(
        &mut self,
        writer: &JoinHandle<Result<(), anyhow::Error>>,
    ) -> Result<(), anyhow::Error> {
        let mut tick = Every::new(TICK);
        let mut count = Every::new(COUNT);
        let mut save = Every::new(self.options.status.unwrap_or(SAVE));
        self.ask();
        self.save_stats()?;
        let mut called = false;
        loop {
            let now = Instant::now();
            if self.signals.end() || self.options.deadline.is_some_and(|deadline| deadline <= now) {
                return self.drain();
            }
            if self.recorder.is_over() || writer.is_finished() {
                return Ok(());
            }
            let full = self.recorder.is_full();
            let read = if full { 0 } else { self.read() };
            if self.options.each_packet && read > 0 {
                self.recorder.flush();
            }
            let due = tick.is_due(now);
            if due || called {
                called = false;
                self.look_after()?;
            }
            if due {
                if count.is_due(now) {
                    self.count();
                }
                if save.is_due(now) {
                    if self.options.status.is_some() {
                        self.log.say(self.stats());
                    }
                    if let Err(e) = self.save_stats() {
                        self.log.say(format_args!("{e:#}"));
                    }
                }
                self.recorder
                    .tick(nanos(Timestamp::now()), i64::try_from(GRACE.as_nanos()).unwrap_or(i64::MAX));
            }
            if read == 0 {
                let due = TICK.saturating_sub(now.elapsed());
                let deadline = self.options.deadline.map(|deadline| deadline.saturating_duration_since(now));
                let what = if full { WaitFor::Calls } else { WaitFor::Both };
                called = self.wait(due.min(deadline.unwrap_or(due)), what)?;
            }
        }
    }

    /// Reads a batch from each interface, and says how many packets there were.
    fn read(&mut self) -> usize {
        let Self { sources, recorder, .. } = self;
        let mut all = 0;
        for (number, source) in (0..).zip(sources) {
            let most = usize::try_from(recorder.room().min(BATCH)).unwrap_or(usize::MAX);
            all += source.read(most, GRACE, |packet| recorder.packet(number, packet));
        }
        all
    }

    /// Waits for packets, messages and signals; when the writer is behind, only for the latter, and not long; at the end only
    /// for packets. Says whether there are messages or signals: they are to be looked after before it waits again.
    fn wait(&self, limit: Duration, what: WaitFor) -> Result<bool, anyhow::Error> {
        let limit = if what == WaitFor::Calls { limit.min(Duration::from_millis(10)) } else { limit };
        let mut watched = Vec::new();
        if what != WaitFor::Packets {
            watched.push(PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN));
            let links = self.links.iter();
            watched.extend(links.map(|links| PollFd::from_borrowed_fd(links.as_fd(), PollFlags::IN)));
        }
        let callers = watched.len();
        if what != WaitFor::Calls {
            let live = self.sources.iter().filter_map(Source::live);
            watched.extend(live.map(|live| PollFd::from_borrowed_fd(live.as_fd(), PollFlags::IN)));
        }
        let limit = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        };
        match poll(&mut watched, Some(&limit)) {
            Ok(_) => Ok(watched.iter().take(callers).any(|caller| !caller.revents().is_empty())),
            Err(rustix::io::Errno::INTR) => Ok(true),
            Err(e) => bail!("waiting for packets: {e}"),
        }
    }

    /// Signals that do not end, and interfaces that come and go.
    fn look_after(&mut self) -> Result<(), anyhow::Error> {
        self.signals.drain();
        if self.signals.rotate() {
            self.count();
            self.recorder.next_file(nanos(Timestamp::now()));
        }
        if self.signals.status() {
            self.count();
            self.log.say(self.stats());
        }
        let changes = self.links.as_mut().map(LinkWatch::changes);
        let mut ask = matches!(changes, Some(Ok(None) | Err(_)));
        for source in &mut self.sources {
            if let Some(Ok(Some(changes))) = &changes {
                for change in changes {
                    source.changed(change, GRACE, &self.log);
                }
            }
            match source.look_after(&self.log)? {
                Turn::Gone if !self.options.reopen => bail!("{} is gone", source.name),
                Turn::Opened if self.links.is_none() => source.speaks_again(&self.log),
                Turn::Opened => ask = true,
                Turn::None | Turn::Gone => {}
            }
        }
        if ask {
            self.ask();
        }
        Ok(())
    }

    /// Asks how all interfaces are.
    fn ask(&self) {
        if let Some(Err(e)) = self.links.as_ref().map(LinkWatch::ask) {
            self.log.say(e);
        }
    }

    /// Asks for the kernel's counters.
    fn count(&mut self) {
        let end_nanos = nanos(Timestamp::now());
        for (source, statistics) in self.sources.iter_mut().zip(&mut self.recorder.statistics) {
            source.count(&self.log);
            let tally = source.tally();
            *statistics = InterfaceStatistics {
                start_nanos: nanos(self.begun),
                end_nanos,
                received: self.options.unfiltered.then_some(tally.kernel.received),
                accepted: tally.kernel.received,
                dropped_by_interface: tally.kernel.dropped_by_interface,
                dropped_by_system: tally.kernel.dropped,
                delivered: tally.packets,
            };
        }
    }

    /// Takes out of the kernel's buffers what arrived before now. The kernel hands over a block that is not full only
    /// when its time is up, so the last packets come that much later.
    fn drain(&mut self) -> Result<(), anyhow::Error> {
        let until = Instant::now() + 2 * GATHER;
        while !self.recorder.is_over() {
            let left = until.saturating_duration_since(Instant::now());
            if self.recorder.is_full() && self.shared.stalled.load(Relaxed) {
                self.recorder.discard();
            }
            if self.recorder.is_full() && !self.recorder.is_discarding() {
                // A writer that is behind gets as much time as it takes.
                std::thread::sleep(Duration::from_millis(1));
            } else if self.read() == 0 {
                if left.is_zero() {
                    return Ok(());
                }
                self.wait(left, WaitFor::Packets)?;
            } else if left.is_zero() && left + 20 * GATHER < until.elapsed() {
                // More comes than can be read: what arrives now is after the end.
                return Ok(());
            }
        }
        Ok(())
    }

    /// Ends the capture: takes the last counters, hands on the last packets, and says how it was.
    pub(crate) fn finish(
        mut self,
        writer: JoinHandle<Result<(), anyhow::Error>>,
    ) -> (Stats, Result<(), anyhow::Error>) {
        self.shared.ending.store(true, Relaxed);
        for source in &mut self.sources {
            source.finish(&self.log);
        }
        self.count();
        let mut stats = self.stats();
        let saved = std::mem::take(&mut self.options.stats);
        let shared = Arc::clone(&self.shared);
        self.recorder.finish();
        let written = writer.join().unwrap_or_else(|_| Err(anyhow::anyhow!("defect: the writer panicked")));
        stats.take(&shared);
        for file in saved {
            if let Err(e) = stats.save(&file) {
                self.log.say(format_args!("{}: {e}", file.display()));
            }
        }
        (stats, written)
    }

    /// The counters at this time.
    fn stats(&self) -> Stats {
        let interfaces: Vec<InterfaceStats> = self
            .sources
            .iter()
            .map(|source| {
                let tally = source.tally();
                InterfaceStats {
                    name: source.name.clone(),
                    state: source.state(),
                    packets: tally.packets,
                    bytes: tally.bytes,
                    wire_bytes: tally.wire_bytes,
                    dropped_by_kernel: tally.kernel.dropped,
                    dropped_by_interface: tally.kernel.dropped_by_interface,
                    gaps: tally.gaps,
                    silent: tally.silent.as_secs_f64(),
                }
            })
            .collect();
        let seconds = |at: Timestamp| at.as_duration().as_secs_f64();
        let mut stats = Stats {
            time: seconds(Timestamp::now()),
            start: seconds(self.begun),
            packets: self.recorder.taken,
            untimed: self.recorder.untimed,
            gaps: interfaces.iter().map(|interface| interface.gaps).sum(),
            interfaces,
            ..Stats::default()
        };
        stats.take(&self.shared);
        stats
    }

    fn save_stats(&self) -> Result<(), anyhow::Error> {
        if self.options.stats.is_empty() {
            return Ok(());
        }
        let stats = self.stats();
        for file in &self.options.stats {
            use anyhow::Context;
            stats.save(file).with_context(|| file.display().to_string())?;
        }
        Ok(())
    }
}
