//! A file that is still being written, read as it grows.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::frames;
use crate::run::{pkt2csv, run};

/// Length of a record of [`frames::one_a_second`].
const RECORD: usize = 16 + 54;

struct Following {
    child: Child,
    rows: Lines<BufReader<ChildStdout>>,
    writer: File,
    capture: PathBuf,
    _scratch: TempDir,
}

impl Following {
    /// Follows a file that holds this so far.
    fn start(begin: &[u8], threads: &str) -> Self {
        let scratch = TempDir::new().expect("a folder");
        let capture = scratch.path().join("growing.pcap");
        std::fs::write(&capture, begin).expect("a file");
        let args =
            [Path::new("--follow"), Path::new("--threads"), Path::new(threads), Path::new("--columns")];
        let mut child = pkt2csv(args.into_iter().chain([Path::new("dst_port"), &capture]))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let rows = BufReader::new(child.stdout.take().expect("piped")).lines();
        let writer = OpenOptions::new().append(true).open(&capture).expect("our file");
        Self { child, rows, writer, capture, _scratch: scratch }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).expect("our file");
    }

    fn next(&mut self) -> Option<String> {
        self.rows.next().map(|line| line.expect("text"))
    }

    /// Signals it, and gives its exit code, what was left of its rows, and its stderr.
    fn stop(mut self, signal: &str) -> (Option<i32>, Vec<String>, String) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.expect("kill").success());
        let left = self.rows.map(|line| line.expect("text")).collect();
        let begun = Instant::now();
        let code = loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                break status.code();
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not end");
            thread::sleep(Duration::from_millis(5));
        };
        let mut err = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
        (code, left, err)
    }
}

#[test]
fn rows_come_as_the_file_grows() {
    let capture = frames::one_a_second(1_700_000_000, 6, 9);
    for (threads, signal) in [("1", "-INT"), ("2", "-TERM")] {
        // Half of the first record is there at first.
        let mut following = Following::start(&capture[..24 + 30], threads);
        assert_eq!(following.next().as_deref(), Some("dst_port"));
        following.write(&capture[24 + 30..24 + RECORD]);
        assert_eq!(following.next().as_deref(), Some("0"));
        following.write(&capture[24 + RECORD..24 + 3 * RECORD]);
        assert_eq!((following.next().as_deref(), following.next().as_deref()), (Some("1"), Some("2")));
        // Two more, and one that is not finished when the signal comes.
        following.write(&capture[24 + 3 * RECORD..24 + 5 * RECORD + 20]);
        assert_eq!((following.next().as_deref(), following.next().as_deref()), (Some("3"), Some("4")));
        let name = following.capture.display().to_string();
        let (code, left, err) = following.stop(signal);
        assert_eq!((code, left.len()), (Some(0), 0), "{err}");
        assert!(err.contains(&format!("{name}: the last packet was still being written")), "{err}");
        assert!(err.ends_with("5 packets read = 5 rows + 0 skipped\n"), "{err}");
    }
}

#[test]
fn damage_before_the_end_is_damage_all_the_same() {
    let mut capture = frames::one_a_second(1_700_000_000, 12, 9);
    capture[24 + 2 * RECORD + 8..24 + 2 * RECORD + 12].copy_from_slice(&[0xff; 4]);
    let mut following = Following::start(&capture, "2");
    let rows: Vec<_> = (0..12).map_while(|_| following.next()).collect();
    assert_eq!(rows.len(), 12);
    let (code, _, err) = following.stop("-INT");
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("impossible captured length"), "{err}");
}

#[test]
fn a_file_that_is_cut_while_it_is_followed_is_an_error() {
    let capture = frames::one_a_second(1_700_000_000, 6, 9);
    let mut following = Following::start(&capture, "1");
    assert!((0..7).all(|_| following.next().is_some()));
    following.writer.set_len(30).expect("our file");
    let code = following.child.wait().expect("its end").code();
    let mut err = String::new();
    following.child.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
    assert_eq!(code, Some(2));
    assert!(err.contains("the file became shorter while it was followed"), "{err}");
    assert!(err.contains("6 packets read = 6 rows"), "{err}");
}

#[test]
fn only_one_named_file_can_be_followed() {
    for args in [&["--follow"][..], &["--follow", "-"], &["--follow", "a", "b"]] {
        run(args).code(2).says("--follow takes the name of one capture");
    }
}
