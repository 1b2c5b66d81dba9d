//! A command for each finished file.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::log::Log;

/// Commands running at a time.
const AT_A_TIME: usize = 2;

/// The commands that run, and the files that wait for theirs.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    command: Option<String>,
    waiting: VecDeque<PathBuf>,
    running: Vec<(Child, PathBuf)>,
    /// How many failed.
    pub(crate) failed: u64,
}

impl Commands {
    pub(crate) fn new(command: Option<String>) -> Self {
        Self { command, ..Self::default() }
    }

    /// Sees to it that the command is run for a file.
    pub(crate) fn run(&mut self, file: PathBuf, log: &Log) {
        if self.command.is_some() {
            self.waiting.push_back(file);
            self.look_after(log);
        }
    }

    /// Takes note of commands that ended and starts those that can be.
    pub(crate) fn look_after(&mut self, log: &Log) {
        let failed = &mut self.failed;
        self.running.retain_mut(|(child, file)| match child.try_wait() {
            Ok(None) => true,
            Ok(Some(status)) if status.success() => false,
            Ok(Some(status)) => {
                *failed += 1;
                log.say(format_args!("the command for {} failed: {status}", file.display()));
                false
            }
            Err(e) => {
                *failed += 1;
                log.say(format_args!("the command for {}: {e}", file.display()));
                false
            }
        });
        while self.running.len() < AT_A_TIME {
            let Some((command, file)) = self.command.as_ref().zip(self.waiting.pop_front()) else { return };
            // The shell splits the command, as people expect of `-z 'zstd -q --rm'`; the name stays one word.
            let started = Command::new("sh")
                .args(["-c", &format!("{command} \"$1\""), "sh"])
                .arg(&file)
                .stdin(Stdio::null())
                .spawn();
            match started {
                Ok(child) => self.running.push((child, file)),
                Err(e) => {
                    self.failed += 1;
                    log.say(format_args!("the command for {} cannot be run: {e}", file.display()));
                }
            }
        }
    }

    /// Waits for all of them.
    pub(crate) fn finish(&mut self, log: &Log) {
        self.look_after(log);
        while !self.running.is_empty() {
            std::thread::sleep(Duration::from_millis(20));
            self.look_after(log);
        }
    }
}
