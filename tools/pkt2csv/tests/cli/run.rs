//! Running this package's binary.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use probeline_testkit::{Table, bundled, captures};

/// How long a run may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a run did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Ran {
    /// Ended with this exit code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    /// Said this on stderr, among other things.
    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Self {
        assert!(self.err.contains(part), "expected on stderr: {part}\n{}", self.err);
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.out.clone()).expect("rows are UTF-8")
    }

    /// The rows, read by the csv crate or serde_json.
    #[track_caller]
    pub(crate) fn table(&self) -> Table {
        Table::parse(&self.text()).expect("rows")
    }
}

/// The binary with these arguments.
pub(crate) fn pkt2csv<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pkt2csv"));
    command.args(args).env("LC_ALL", "C").env("TZ", "UTC");
    command
}

/// Runs it with nothing on its stdin.
#[track_caller]
pub(crate) fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ran {
    piped(args, &[])
}

/// Runs it with this on its stdin, through a pipe.
#[track_caller]
pub(crate) fn piped<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>, stdin: &[u8]) -> Ran {
    let mut command = pkt2csv(args);
    command.stdin(Stdio::piped());
    finish(command, stdin)
}

/// Runs a command to its end, and kills it when it takes too long.
#[track_caller]
pub(crate) fn finish(mut command: Command, stdin: &[u8]) -> Ran {
    let shown = format!("{command:?}");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let id = child.id();
    if let Some(mut pipe) = child.stdin.take() {
        let bytes = stdin.to_vec();
        // A tool that stops early hangs up on what is left.
        thread::spawn(move || drop(pipe.write_all(&bytes)));
    }
    let (done, wait) = mpsc::channel();
    thread::spawn(move || done.send(child.wait_with_output()));
    let Ok(output) = wait.recv_timeout(PATIENCE) else {
        drop(Command::new("kill").args(["-KILL", &id.to_string()]).status());
        panic!("{shown}\nstill ran after {PATIENCE:?}");
    };
    let output = output.expect("its output");
    let mut err = String::from_utf8_lossy(&output.stderr).into_owned();
    write!(err, "\n({shown})").expect("a string grows");
    Ran { code: output.status.code(), out: output.stdout, err }
}

/// The captures that come with the project, and, where they are, those that others recorded.
pub(crate) fn well_formed(test: &str) -> Vec<PathBuf> {
    let mut files = vec![bundled("lab-passive.pcap"), bundled("lab-honeypot.pcap")];
    if let Some(collection) = captures(test) {
        files.extend(below(&collection.join("lab")));
        for line in probeline_testkit::index(&collection.join("real")) {
            files.push(line.path);
        }
    }
    files
}

/// The files of a folder, sorted.
pub(crate) fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.file_name().is_some_and(|name| name != "INDEX.csv"));
    files.sort();
    files
}
