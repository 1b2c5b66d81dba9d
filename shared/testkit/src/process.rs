//! A child process that cannot hang a test.

use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Output;

/// How long a command may run before it counts as hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the command with this on its stdin, collects what it writes, and kills it and its children when it
/// takes longer than `patience`.
pub(crate) fn run(mut command: Command, stdin: Vec<u8>, shown: String, patience: Duration) -> Output {
    // What a run writes must not depend on who runs the tests.
    command.env("LC_ALL", "C").env("TZ", "UTC");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let started = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{shown}: {e}"));
    let group = child.id();
    let mut input = child.stdin.take().expect("piped");
    // A reader that hangs up before it has read everything is what some tests are about.
    thread::spawn(move || drop(input.write_all(&stdin)));
    let stdout = collect(child.stdout.take().expect("piped"));
    let stderr = collect(child.stderr.take().expect("piped"));
    let status = loop {
        if let Some(status) = child.try_wait().expect("our own child") {
            break status;
        }
        if started.elapsed() > patience {
            drop(Command::new("kill").args(["-KILL", "--", &format!("-{group}")]).status());
            drop(child.wait());
            let stderr = stderr.join().expect("only reads");
            panic!("{shown}\nstill ran after {patience:?}; stderr:\n{}", String::from_utf8_lossy(&stderr));
        }
        thread::sleep(Duration::from_millis(if started.elapsed().as_millis() < 50 { 1 } else { 10 }));
    };
    let elapsed = started.elapsed();
    Output {
        shown,
        stdout: stdout.join().expect("only reads"),
        stderr: stderr.join().expect("only reads"),
        code: status.code(),
        signal: status.signal(),
        pipe_status: Vec::new(),
        elapsed,
    }
}

fn collect(mut from: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).expect("a pipe of our own child");
        bytes
    })
}
