//! One tool, run alone.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::{Output, bin, process};

/// A tool about to run.
#[derive(Debug)]
pub struct Tool {
    name: String,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    dir: Option<PathBuf>,
    stdin: Vec<u8>,
    patience: Duration,
}

/// The compiled tool of this name, with nothing on its stdin.
///
/// ```no_run
/// probeline_testkit::tool("pkt2csv").arg("--help").run().code(0).stdout_has("Usage").stderr_is_empty();
/// ```
pub fn tool(name: &str) -> Tool {
    Tool {
        name: name.to_owned(),
        args: Vec::new(),
        env: Vec::new(),
        dir: None,
        stdin: Vec::new(),
        patience: process::PATIENCE,
    }
}

impl Tool {
    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// The directory it runs in.
    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// What it reads from stdin.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// How long it may take; two minutes unless told otherwise.
    #[must_use]
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it cannot be built or started, or takes too long.
    #[track_caller]
    pub fn run(self) -> Output {
        let mut command = Command::new(bin(&self.name));
        let words: Vec<_> = self.args.iter().map(|arg| arg.to_string_lossy()).collect();
        let shown = format!("{} {}", self.name, words.join(" "));
        command.args(&self.args);
        if let Some(dir) = self.dir {
            command.current_dir(dir);
        }
        command.env_remove("TELESCOPE").envs(self.env);
        process::run(command, self.stdin, shown, self.patience)
    }
}
