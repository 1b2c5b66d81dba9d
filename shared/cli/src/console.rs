use std::fmt::{self, Display};
use std::io::Write;
use std::process::ExitCode;

use crate::Account;

/// Faults of the input are shown one by one up to this many, then only counted.
const SHOWN_FAULTS: u64 = 10;

/// A tool's voice on stderr, and its memory of whether the input was damaged.
pub struct Console {
    tool: &'static str,
    faults: u64,
}

impl Console {
    /// A console that starts every line with the tool's name.
    pub fn new(tool: &'static str) -> Self {
        Self { tool, faults: 0 }
    }

    /// Says one line. That stderr is gone is no reason to stop.
    pub fn say(&self, message: impl Display) {
        // One write a line, so that the lines of a pipeline's tools do not mix.
        let line = format!("{}: {message}\n", self.tool);
        drop(std::io::stderr().write_all(line.as_bytes()));
    }

    /// Reports damaged input: the exit code will be 1. The first ten are shown, the rest counted.
    pub fn fault(&mut self, message: impl Display) {
        self.faults += 1;
        if self.faults <= SHOWN_FAULTS {
            self.say(message);
        }
    }

    /// Faults reported so far.
    pub fn faults(&self) -> u64 {
        self.faults
    }

    /// The last line: how many faults were not shown, and the accounting.
    ///
    /// # Errors
    /// When the account does not add up, which is a defect of the tool, never of the input.
    pub fn account(&self, account: &Account) -> crate::Outcome {
        if self.faults > SHOWN_FAULTS {
            self.say(format_args!("… and {} more faults of the input", self.faults - SHOWN_FAULTS));
        }
        self.say(account);
        account.check()
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(u8::from(self.faults > 0))
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("tool", &self.tool).field("faults", &self.faults).finish()
    }
}
