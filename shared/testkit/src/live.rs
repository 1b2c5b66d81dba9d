//! A pipeline at work: fed in steps, its rows read as they come.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;

use crate::bins;

/// How long a line may take that is due: far more than any tool needs, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(20);

/// A bash script in a scratch directory of its own, which runs until it is [closed](Live::close) or dropped, which ends it and its children.
#[derive(Debug)]
pub struct Live {
    script: String,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    said: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    _scratch: TempDir,
}

impl Live {
    /// Starts a script with the tools first on PATH.
    ///
    /// # Panics
    /// When a tool it names does not compile, or bash does not start.
    #[track_caller]
    pub fn start(script: &str) -> Self {
        let scratch = TempDir::new().expect("a temporary directory");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(bins::ready_for(script)).chain(std::env::split_paths(&path));
        let mut child = Command::new("bash")
            .args(["--noprofile", "--norc", "-c", &format!("set -o pipefail\n{script}")])
            .env("PATH", std::env::join_paths(path).expect("a directory without a colon"))
            .current_dir(scratch.path())
            .env("LC_ALL", "C")
            .env_remove("TELESCOPE")
            .env_remove("BASH_ENV")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("{script}: {e}"));
        let (stdout, stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let (send, lines) = mpsc::channel();
        let rows = thread::spawn(move || {
            // Nobody who listens any more is no reason to stop reading.
            BufReader::new(stdout).lines().map_while(Result::ok).for_each(|line| drop(send.send(line)));
        });
        let said = Arc::new(Mutex::new(String::new()));
        let hears = Arc::clone(&said);
        let words = thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut said = hears.lock().unwrap_or_else(PoisonError::into_inner);
                said.push_str(&line);
                said.push('\n');
            }
        });
        let stdin = child.stdin.take();
        Self {
            script: script.to_owned(),
            child,
            stdin,
            lines,
            said,
            readers: vec![rows, words],
            _scratch: scratch,
        }
    }

    /// Writes to its standard input, which stays open.
    ///
    /// # Panics
    /// When nobody reads there.
    #[track_caller]
    pub fn feed(&mut self, bytes: impl AsRef<[u8]>) {
        let sent = self.stdin.as_mut().expect("still open").write_all(bytes.as_ref());
        sent.unwrap_or_else(|e| panic!("{}", self.about(&e.to_string())));
    }

    /// The next line of its standard output.
    ///
    /// # Panics
    /// When none comes in time.
    #[track_caller]
    pub fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap_or_else(|e| {
            let why = match e {
                RecvTimeoutError::Timeout => format!("no line within {PATIENCE:?}"),
                RecvTimeoutError::Disconnected => "it ended, and no line is left".to_owned(),
            };
            panic!("{}", self.about(&why))
        })
    }

    /// Whether no line comes within this time.
    pub fn is_silent(&self, time: Duration) -> bool {
        self.lines.recv_timeout(time).is_err()
    }

    /// What it wrote to its standard error so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Closes its standard input and waits for its end: the lines that were left, and the exit code.
    ///
    /// # Panics
    /// When it does not end in time.
    #[track_caller]
    pub fn close(mut self) -> (Vec<String>, Option<i32>) {
        drop(self.stdin.take());
        let mut left = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => left.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("{}", self.about("still running")),
            }
        }
        let code = self.child.wait().expect("our own child").code();
        self.readers.drain(..).for_each(|reader| reader.join().expect("only reads"));
        (left, code)
    }

    fn about(&self, what: &str) -> String {
        format!("{}\n{what}; stderr:\n{}", self.script, self.said())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // The whole group, whatever of it is left; after `close` there is none.
        if matches!(self.child.try_wait(), Ok(None)) {
            let group = format!("-{}", self.child.id());
            drop(Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status());
            drop(self.child.wait());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_before_the_input_ends() {
        let mut live = Live::start("echo begun >&2; while read -r word; do echo \"<$word>\"; done; exit 3");
        assert!(live.is_silent(Duration::from_millis(50)));
        for word in ["a", "b"] {
            live.feed(format!("{word}\n"));
            assert_eq!(live.line(), format!("<{word}>"));
        }
        live.feed("c\n");
        assert_eq!(live.said(), "begun\n");
        assert_eq!(live.close(), (vec!["<c>".to_owned()], Some(3)));
    }

    #[test]
    fn what_is_dropped_is_ended_with_its_children() {
        let live = Live::start("sleep 1000 & echo $!; wait");
        let sleeper: u32 = live.line().parse().expect("a process number");
        let runs = || {
            std::path::Path::new(&format!("/proc/{sleeper}/fd"))
                .read_dir()
                .is_ok_and(|mut fd| fd.next().is_some())
        };
        assert!(runs());
        drop(live);
        // Whoever adopts it may take a moment to bury it.
        let mut tries = 0;
        while runs() && tries < 100 {
            thread::sleep(Duration::from_millis(10));
            tries += 1;
        }
        assert!(!runs());
    }
}
