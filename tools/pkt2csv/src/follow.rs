//! Reading a file that is still being written.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How long to wait at the end of the file before looking again: short for a reader, long for a processor.
const WAIT: Duration = Duration::from_millis(50);

/// Takes over the signals that end a run: the flag goes up. A second signal ends the process at once.
pub(crate) fn stop_signal() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // In this order: the first signal finds the flag down and only raises it.
        signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// A file whose end is only the end once the flag is up.
pub(crate) struct Follow {
    file: File,
    read: u64,
    stop: Arc<AtomicBool>,
}

impl Follow {
    pub(crate) fn new(file: File, stop: Arc<AtomicBool>) -> Self {
        Self { file, read: 0, stop }
    }
}

impl Read for Follow {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            // Before the read: what was written before the signal is read.
            let stopped = self.stop.load(Ordering::Relaxed);
            let count = match self.file.read(into) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            self.read += count as u64;
            if count > 0 || stopped {
                return Ok(count);
            }
            let about = self.file.metadata()?;
            if about.is_file() && about.len() < self.read {
                return Err(io::Error::other("the file became shorter while it was followed"));
            }
            thread::sleep(WAIT);
        }
    }
}
