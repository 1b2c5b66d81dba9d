//! A wire between two network namespaces of the test's own, and processes on it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do"
)]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The user that a capture started by root becomes when nothing speaks for another.
pub(crate) const NOBODY: u32 = 65534;

/// A folder that the user `nobody` may write to.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    folder
}

/// Waits until something is so; what it is not after twenty seconds, it never will be.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !so() {
        assert!(Instant::now() < patience, "waited in vain for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The two ends: packets sent in `near` to 203.0.113.0/24 arrive at `wire1` of `far`, where nothing answers.
pub(crate) struct Wire {
    near: String,
    far: String,
}

impl Wire {
    /// Makes it; none, with a visible line, where the test may not.
    pub(crate) fn new(test: &str) -> Option<Self> {
        let id = std::process::id();
        let wire = Self { near: format!("pcapcap-{test}-n-{id}"), far: format!("pcapcap-{test}-f-{id}") };
        let made = Command::new("ip").args(["netns", "add", &wire.near]).output();
        match made {
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                eprintln!("SKIPPED: {test}: no network namespaces here (needs root): {reason}");
                return None;
            }
            Err(e) => {
                eprintln!("SKIPPED: {test}: cannot run ip: {e}");
                return None;
            }
        }
        ip(&["netns", "add", &wire.far]);
        // No IPv6 of the kernel's own: only what the test sends is on the wire.
        for end in [&wire.near, &wire.far] {
            let quiet = ["net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"];
            assert!(wire.run(end, "sysctl", &["-qw", quiet[0], quiet[1]]).status.success());
        }
        ip(&["-n", &wire.far, "link", "set", "lo", "up"]);
        wire.connect();
        Some(wire)
    }

    /// Puts the wire between them, up at both ends.
    pub(crate) fn connect(&self) {
        let (near, far) = (self.near.as_str(), self.far.as_str());
        let mac = "02:00:00:00:00:02";
        ip(&[
            "link", "add", "wire0", "netns", near, "type", "veth", "peer", "name", "wire1", "address", mac,
            "netns", far,
        ]);
        ip(&["-n", near, "link", "set", "wire0", "up"]);
        ip(&["-n", far, "link", "set", "wire1", "up"]);
        ip(&["-n", near, "address", "add", "198.51.100.1/24", "dev", "wire0"]);
        ip(&[
            "-n",
            near,
            "neighbour",
            "add",
            "198.51.100.2",
            "lladdr",
            mac,
            "dev",
            "wire0",
            "nud",
            "permanent",
        ]);
        ip(&["-n", near, "route", "add", "203.0.113.0/24", "via", "198.51.100.2"]);
    }

    fn run(&self, end: &str, program: &str, args: &[&str]) -> Output {
        Command::new("ip").args(["netns", "exec", end, program]).args(args).output().unwrap()
    }

    /// Sends `count` UDP datagrams of `payload` bytes to 203.0.113.10, port 9.
    pub(crate) fn send(&self, count: u32, payload: usize) {
        // bash's own /dev/udp: one datagram for each redirection of less than 1,500 bytes.
        let script = format!(
            "printf -v text '%*s' {payload} x; for ((i = 0; i < {count}; i++)); do printf %s \"$text\" >/dev/udp/203.0.113.10/9; done"
        );
        let output = self.run(&self.near, "bash", &["-c", &script]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Takes the far end of the wire away.
    pub(crate) fn cut(&self) {
        ip(&["-n", &self.far, "link", "delete", "wire1"]);
    }

    /// Takes the far end down or up.
    pub(crate) fn set(&self, state: &str) {
        ip(&["-n", &self.far, "link", "set", "wire1", state]);
    }

    /// Takes the near end down or up.
    pub(crate) fn set_near(&self, state: &str) {
        ip(&["-n", &self.near, "link", "set", "wire0", state]);
    }

    /// Begins to send `count` numbered UDP datagrams of 200 bytes, as fast as it goes.
    pub(crate) fn blast(&self, count: u32) -> Blast {
        let script = format!(
            r#"
import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("wire0", 0))
head = bytes.fromhex("020000000002" "020000000001" "0800") + bytes.fromhex(
    "450000e4000040004011" "0000" "c6336401" "cb00710a") + bytes.fromhex("0009000900d00000")
for n in range({count}):
    s.send(head + struct.pack("!I", n) + bytes(196))
"#
        );
        let child = Command::new("ip")
            .args(["netns", "exec", &self.near, "python3", "-c", &script])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Blast(child)
    }

    /// Starts a program at the far end and waits until it says `ready` on stderr.
    pub(crate) fn start(&self, program: &str, args: &[&str], ready: &str) -> Running {
        let mut child = Command::new("ip")
            .args(["netns", "exec", &self.far, program])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (hearing, stderr) = (Arc::clone(&said), child.stderr.take().unwrap());
        let listener = std::thread::spawn(move || {
            let mut stderr = BufReader::new(stderr);
            let mut line = String::new();
            while stderr.read_line(&mut line).is_ok_and(|length| length > 0) {
                hearing.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        let mut running = Running { child, said, listener: Some(listener) };
        running.until(ready);
        running
    }

    /// Runs pcap-cap at the far end to its end.
    pub(crate) fn pcap_cap(&self, args: &[&str]) -> Output {
        self.run(&self.far, env!("CARGO_BIN_EXE_pcap-cap"), args)
    }

    /// Starts pcap-cap at the far end.
    pub(crate) fn start_pcap_cap(&self, args: &[&str]) -> Running {
        self.start(env!("CARGO_BIN_EXE_pcap-cap"), args, "capturing from")
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for end in [&self.near, &self.far] {
            drop(Command::new("ip").args(["netns", "delete", end]).output());
        }
    }
}

fn ip(args: &[&str]) {
    let output = Command::new("ip").args(args).output().unwrap();
    assert!(output.status.success(), "ip {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Packets on their way.
pub(crate) struct Blast(Child);

impl Blast {
    /// Waits until all are sent.
    pub(crate) fn wait(mut self) {
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Blast {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A program at work. It ends with its owner.
pub(crate) struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
    listener: Option<JoinHandle<()>>,
}

/// What a program left behind.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// What it has said on stderr.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until it says something on stderr.
    pub(crate) fn until(&mut self, words: &str) {
        let patience = Instant::now() + Duration::from_secs(20);
        while !self.said().contains(words) {
            if self.listener.as_ref().is_none_or(JoinHandle::is_finished) && !self.said().contains(words) {
                panic!("ended without saying {words:?}: {}", self.said());
            }
            assert!(Instant::now() < patience, "waited in vain for {words:?}: {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ended {
        let mut stdout = self.child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            stdout.read_to_end(&mut bytes).map(|_| bytes)
        });
        let code = self.code();
        self.listener.take().unwrap().join().unwrap();
        Ended { code, stdout: reader.join().unwrap().unwrap(), stderr: self.said() }
    }

    /// Closes the reading end of its standard output.
    pub(crate) fn hang_up(&mut self) {
        drop(self.child.stdout.take());
    }

    /// Its exit code, as soon as there is one; ends it by force when that takes more than ten seconds.
    pub(crate) fn code(&mut self) -> Option<i32> {
        let patience = Instant::now() + Duration::from_secs(10);
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return status.code(),
                None if Instant::now() > patience => {
                    panic!("still running after ten seconds: {}", self.said())
                }
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The files in a folder, by name.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Captured and wire length of each packet, by a reader that knows little-endian pcap and nothing else.
pub(crate) fn lengths(pcap: &[u8]) -> Vec<(u32, u32)> {
    let number = |at: usize| u32::from_le_bytes(pcap[at..at + 4].try_into().unwrap());
    let mut lengths = Vec::new();
    let mut at = 24;
    while at < pcap.len() {
        lengths.push((number(at + 8), number(at + 12)));
        at += 16 + number(at + 8) as usize;
    }
    assert_eq!(at, pcap.len(), "the last packet is cut");
    lengths
}

/// The only file in a folder.
pub(crate) fn only_file(folder: &Path) -> PathBuf {
    let mut files = files(folder);
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}
