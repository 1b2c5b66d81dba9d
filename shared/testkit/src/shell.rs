//! Pipelines, through bash.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::{Output, bins, process};

/// A bash script about to run, in a scratch directory of its own.
#[derive(Debug)]
pub struct Bash {
    script: String,
    env: Vec<(OsString, OsString)>,
    stdin: Vec<u8>,
    patience: Duration,
    scratch: TempDir,
}

/// Runs a bash script with `pipefail`, the tools first on PATH, in an empty scratch directory.
///
/// # Panics
/// When a tool it names does not compile, or it takes longer than two minutes.
#[track_caller]
pub fn bash(script: &str) -> Output {
    Bash::new(script).run()
}

impl Bash {
    /// A script to run.
    pub fn new(script: &str) -> Self {
        Self {
            script: script.to_owned(),
            env: Vec::new(),
            stdin: Vec::new(),
            patience: process::PATIENCE,
            scratch: TempDir::new().expect("a temporary directory"),
        }
    }

    /// A file in the scratch directory.
    #[must_use]
    pub fn file(self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Self {
        let path = self.scratch.path().join(name);
        std::fs::write(&path, content).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        self
    }

    /// A link in the scratch directory to a file that is too large to copy.
    #[must_use]
    pub fn link(self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let name = path.file_name().unwrap_or_else(|| panic!("{} has no name", path.display()));
        std::os::unix::fs::symlink(path, self.scratch.path().join(name))
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
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

    /// The scratch directory, which lasts as long as this.
    pub fn scratch(&self) -> PathBuf {
        self.scratch.path().to_path_buf()
    }

    /// Runs it to its end. What it left in the scratch directory can be read until this is dropped.
    ///
    /// # Panics
    /// When a tool it names does not compile, or it takes too long.
    #[track_caller]
    pub fn run(&self) -> Output {
        let bins = bins::ready_for(&self.script);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(bins).chain(std::env::split_paths(&path)))
            .expect("a directory without a colon");
        let pipe_status = tempfile::NamedTempFile::new().expect("a temporary file");
        // Both are expanded before either is assigned, so the status is still that of the script's last
        // pipeline.
        let script = format!(
            "set -o pipefail\n{}\n__code=$? __pipe=\"${{PIPESTATUS[*]}}\"\n\
             echo \"$__pipe\" >\"$__pipe_status\"\nexit \"$__code\"\n",
            self.script.trim_end()
        );
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-c", &script]).current_dir(self.scratch.path());
        command.env_remove("TELESCOPE").env_remove("BASH_ENV").envs(self.env.iter().cloned());
        command.env("PATH", path).env("__pipe_status", pipe_status.path());
        let mut output =
            process::run(command, self.stdin.clone(), self.script.trim_end().to_owned(), self.patience);
        let codes = std::fs::read_to_string(pipe_status.path()).expect("our own file");
        output.pipe_status =
            codes.split_whitespace().map(|code| code.parse().expect("bash writes numbers")).collect();
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_the_last_pipeline_is_heard() {
        let output = bash("true\nsh -c 'exit 3' | cat | sh -c 'exit 1'");
        output.pipe_status(&[3, 0, 1]).code(1).stdout_is_empty().stderr_is_empty();
        bash("(exit 2) | true").code(2).pipe_status(&[2, 0]);
        bash("exit 4").code(4).pipe_status(&[]);
    }

    #[test]
    fn the_place_is_clean_and_the_same_everywhere() {
        let script =
            Bash::new("pwd; echo \"$LC_ALL $TZ ${TELESCOPE-unset}\"; cat a -; echo x > left").file("a", "1");
        let output = script.stdin("2").run_and_keep();
        assert_eq!(output.0.out(), format!("{}\nC UTC unset\n12", output.1.display()));
    }

    #[test]
    #[should_panic(expected = "still ran after")]
    fn a_script_that_hangs_is_ended_with_its_children() {
        Bash::new("sleep 1000 | cat").within(Duration::from_millis(100)).run();
    }

    impl Bash {
        fn run_and_keep(self) -> (Output, PathBuf) {
            let output = self.run();
            assert_eq!(std::fs::read_to_string(self.scratch().join("left")).unwrap(), "x\n");
            (output, self.scratch().canonicalize().unwrap())
        }
    }
}
