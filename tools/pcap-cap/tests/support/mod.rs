//! A wire between two network namespaces of the test's own, and processes on it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do"
)]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

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
        let (near, far) = (wire.near.as_str(), wire.far.as_str());
        let mac = "02:00:00:00:00:02";
        ip(&[
            "link", "add", "wire0", "netns", near, "type", "veth", "peer", "name", "wire1", "address", mac,
            "netns", far,
        ]);
        // No IPv6 of the kernel's own: only what the test sends is on the wire.
        for end in [near, far] {
            let quiet = ["net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"];
            assert!(wire.run(end, "sysctl", &["-qw", quiet[0], quiet[1]]).status.success());
        }
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
        Some(wire)
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
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains(ready) {
            let got = stderr.read_line(&mut said).unwrap();
            assert!(got > 0, "{program} ended before it was ready: {said}");
        }
        Running { child, stderr, said }
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

/// A program at work.
pub(crate) struct Running {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    said: String,
}

/// What a program left behind.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Running {
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ended {
        let mut stdout = self.child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            stdout.read_to_end(&mut bytes).map(|_| bytes)
        });
        let code = self.code();
        self.stderr.read_to_string(&mut self.said).unwrap();
        Ended { code, stdout: reader.join().unwrap().unwrap(), stderr: self.said }
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
                    self.child.kill().unwrap();
                    panic!("still running after ten seconds: {}", self.said);
                }
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
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
pub(crate) fn only_file(folder: &Path) -> std::path::PathBuf {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}
