//! Signals: end, new file, counters.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};

/// What signals asked for. Its descriptor can be polled.
pub(crate) struct Signals {
    end: Arc<AtomicBool>,
    rotate: Arc<AtomicBool>,
    status: Arc<AtomicBool>,
    wake: UnixStream,
}

impl Signals {
    /// Takes over the signals. A second signal to end ends the process at once, as one usually does.
    ///
    /// # Errors
    /// When the system does not let a signal be handled.
    pub(crate) fn new() -> io::Result<Self> {
        let (wake, waker) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let flag = || Arc::new(AtomicBool::new(false));
        let signals = Self { end: flag(), rotate: flag(), status: flag(), wake };
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag down and only raises it.
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&signals.end))?;
        }
        for (signal, flag) in [
            (SIGINT, &signals.end),
            (SIGTERM, &signals.end),
            (SIGHUP, &signals.rotate),
            (SIGUSR1, &signals.status),
        ] {
            signal_hook::flag::register(signal, Arc::clone(flag))?;
            // A signal may be handled by the other thread, and then interrupts nobody's waiting.
            signal_hook::low_level::pipe::register(signal, waker.try_clone()?)?;
        }
        Ok(signals)
    }

    /// Whether it is over.
    pub(crate) fn end(&self) -> bool {
        self.end.load(Ordering::Relaxed)
    }

    /// Whether a new file was asked for since the last time.
    pub(crate) fn rotate(&self) -> bool {
        self.rotate.load(Ordering::Relaxed) && self.rotate.swap(false, Ordering::Relaxed)
    }

    /// Whether the counters were asked for since the last time.
    pub(crate) fn status(&self) -> bool {
        self.status.load(Ordering::Relaxed) && self.status.swap(false, Ordering::Relaxed)
    }

    /// Forgets what woke us.
    pub(crate) fn drain(&self) {
        let mut bytes = [0; 64];
        while matches!((&self.wake).read(&mut bytes), Ok(1..)) {}
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
