use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// When a capture is over, packets aside: at a time, or on a signal.
pub(crate) struct Stop {
    signalled: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Stop {
    /// Takes over the signals. A second signal of a kind ends the process at once, as one usually does.
    ///
    /// # Errors
    /// When the system does not let a signal be handled.
    pub(crate) fn new(after: Option<Duration>) -> io::Result<Self> {
        let signalled = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // In this order: the first signal finds the flag down and only raises it.
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&signalled))?;
            signal_hook::flag::register(signal, Arc::clone(&signalled))?;
        }
        let deadline = after.and_then(|after| Instant::now().checked_add(after));
        Ok(Self { signalled, deadline })
    }

    /// Whether it is over.
    pub(crate) fn now(&self) -> bool {
        self.signalled.load(Ordering::Relaxed)
            || self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    /// How long there is to wait for packets before looking again, at most `limit`.
    pub(crate) fn wait(&self, limit: Duration) -> Duration {
        self.deadline.map_or(limit, |deadline| deadline.saturating_duration_since(Instant::now()).min(limit))
    }
}
