//! Readers that we did not write, and the one that pkt2csv has.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};

use probeline_capfile::{Batch, Reader};

/// What a reader says of a file.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) packets: usize,
    /// Whether it was content.
    pub(crate) content: bool,
}

fn run(program: &str, args: &[&str]) -> Option<Output> {
    match Command::new(program).args(args).output() {
        Ok(output) => Some(output),
        Err(e) => {
            say(&format!("SKIPPED: reading with {program}: {e}"));
            None
        }
    }
}

/// A line that shows even in a passing run.
pub(crate) fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// pkt2csv's reader: times in nanoseconds, and whether nothing was damaged.
pub(crate) fn times(path: &Path) -> (Vec<i64>, bool) {
    let mut reader = Reader::new(File::open(path).unwrap()).unwrap();
    let mut batch = Batch::new();
    let mut times = Vec::new();
    while reader.read_batch(&mut batch).unwrap() {
        times.extend(batch.records().iter().map(|record| record.ts_nanos));
    }
    (times, reader.damage_count() == 0)
}

/// Every reader that is here: name, and what it says.
pub(crate) fn readings(path: &Path) -> Vec<(&'static str, Reading)> {
    let (times, content) = times(path);
    let mut readings = vec![("pkt2csv", Reading { packets: times.len(), content })];
    let file = path.to_str().unwrap();
    let lines = |output: &Output| output.stdout.iter().filter(|byte| **byte == b'\n').count();
    let tshark = run("tshark", &["-n", "-r", file, "-T", "fields", "-e", "frame.number"]);
    readings.extend(
        tshark
            .map(|output| ("tshark", Reading { packets: lines(&output), content: output.status.success() })),
    );
    let compressed = file.ends_with(".gz") || file.ends_with(".zst");
    // tcpdump reads plain files only.
    let tcpdump = if compressed { None } else { run("tcpdump", &["-n", "-t", "-r", file]) };
    readings
        .extend(tcpdump.map(|output| {
            ("tcpdump", Reading { packets: lines(&output), content: output.status.success() })
        }));
    let capinfos = run("capinfos", &["-c", "-M", "-r", "-T", file]);
    readings.extend(capinfos.map(|output| {
        let text = String::from_utf8_lossy(&output.stdout);
        let packets = text.trim_end().rsplit('\t').next().and_then(|count| count.parse().ok());
        ("capinfos", Reading { packets: packets.unwrap_or_default(), content: output.status.success() })
    }));
    readings
}

/// Holds that every reader finds so many packets and is content.
pub(crate) fn all_read(path: &Path, packets: usize) {
    for (reader, reading) in readings(path) {
        assert!(
            reading.content && reading.packets == packets,
            "{reader} of {}: {reading:?}, not {packets}",
            path.display()
        );
    }
}
