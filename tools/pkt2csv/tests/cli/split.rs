//! One file for each hour or day.

use std::collections::BTreeMap;
use std::path::Path;

use probeline_testkit::Packet;
use probeline_testkit::pcap::{self, Precision};
use tempfile::TempDir;

use crate::run::{Ran, below, piped};

/// 2023-11-14T22:13:20Z.
const START: u64 = 1_700_000_000;

/// A packet every ten minutes for two days, the odd ones two hours late.
fn capture() -> Vec<u8> {
    let records = (0..288_u64).map(|n| {
        let syn = Packet::tcp("203.0.113.7", 1, "198.51.100.1", n as u16).flags("S");
        let second = START + n * 600 - if n % 2 == 1 { 7200 } else { 0 };
        (second * 1_000_000_000, syn.bytes())
    });
    pcap::file(Precision::Micros, 1, records)
}

fn split(period: &str, folder: &Path, more: &[&str]) -> Ran {
    let folder = folder.display().to_string();
    let args = ["--split", period, "-o", &folder].map(str::to_owned);
    piped(args.into_iter().chain(more.iter().map(ToString::to_string)), &capture())
}

#[test]
fn every_row_is_in_the_file_of_its_time() {
    let whole = piped(["--rfc3339"], &capture()).code(0).text();
    let (header, rows) = whole.split_once('\n').expect("a header");
    for (period, len, files) in [("hour", 13, 50), ("day", 10, 3)] {
        // By the first characters of the time, which is what the files are called.
        let mut expected: BTreeMap<String, String> = BTreeMap::new();
        for row in rows.lines() {
            let file =
                expected.entry(format!("{}.csv", &row[..len])).or_insert_with(|| format!("{header}\n"));
            file.push_str(row);
            file.push('\n');
        }
        assert_eq!(expected.len(), files);
        for threads in ["1", "2"] {
            let scratch = TempDir::new().expect("a folder");
            let folder = scratch.path().join("rows");
            let ran = split(period, &folder, &["--rfc3339", "--threads", threads]).code(0);
            assert!(ran.out.is_empty());
            let ran = ran.says(&format!("288 packets read = 288 rows + 0 skipped; {files} files"));
            let written: BTreeMap<String, String> = below(&folder)
                .iter()
                .map(|path| {
                    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                    (name, std::fs::read_to_string(path).expect("rows"))
                })
                .collect();
            assert!(written == expected, "{period}: {:?}; {}", written.keys(), ran.err);
        }
    }
}

#[test]
fn no_file_is_overwritten() {
    let scratch = TempDir::new().expect("a folder");
    let there = scratch.path().join("2023-11-15.ndjson");
    std::fs::write(&there, "precious").expect("a file");
    let ran = split("day", scratch.path(), &["--format", "ndjson"]).code(2);
    ran.says("2023-11-15.ndjson").says("exists");
    assert_eq!(std::fs::read_to_string(&there).expect("still there"), "precious");
    let first = std::fs::read_to_string(scratch.path().join("2023-11-14.ndjson")).expect("the day before");
    assert!(first.starts_with("{\"ts\":1700000000.000000,"));
}

#[test]
fn a_folder_needs_a_period_and_a_period_a_folder() {
    piped(["--split", "day"], &capture()).code(2).says("--output");
    piped(["-o", "rows"], &capture()).code(2).says("--split");
    piped(["--split", "week", "-o", "rows"], &capture()).code(2).says("week");
}
