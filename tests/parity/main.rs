//! Every row of `pkt2csv` against tshark's decode of the same frame, column for column.
//!
//! Runs the binary over every well-formed capture of the collection, with and without `--inner`, and reads
//! its CSV; tshark reads the same file. Rows and frames meet in their order: every frame in which tshark shows
//! an IP packet has a row, no other has one, and what has none is what the accounting line says was skipped.
//! [`columns`] says which of tshark's fields each column must equal, [`explained`] where it differs and why.
//!
//! The decoder's own test (`shared/packet/tests/tshark`) holds facts of packets against tshark that no column
//! has; the order of the layers in a frame is read with its code.

#![allow(clippy::panic, reason = "in a test that is the report")]

mod columns;
mod explained;
mod fields;
#[path = "../../shared/packet/tests/tshark/layers.rs"]
mod layers;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use probeline_testkit::{Output, Table, captures, index, lab_index, skipped, tool};

use columns::{COLUMNS, Said};
use fields::Row;
use layers::Layers;

#[derive(Default)]
struct Tally {
    frames: usize,
    rows: usize,
    values: usize,
    explained: BTreeMap<&'static str, usize>,
    differences: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.frames += other.frames;
        self.rows += other.rows;
        self.values += other.values;
        for (reason, count) in other.explained {
            *self.explained.entry(reason).or_default() += count;
        }
        self.differences.extend(other.differences);
    }

    fn row(&mut self, place: &str, ours: probeline_testkit::Row<'_>, row: &Row, layers: &Layers) {
        self.rows += 1;
        for (column, theirs) in COLUMNS {
            let theirs = match theirs(row, layers) {
                Said::Value(text) => Some(text),
                Said::Nothing => None,
                Said::NoField => continue,
            };
            self.values += usize::from(theirs.is_some());
            let ours_is = ours.get(column);
            if ours_is == theirs.as_deref() {
                continue;
            }
            match explained::difference(column, ours, row, layers, theirs.as_deref()) {
                Some(reason) => *self.explained.entry(reason).or_default() += 1,
                None => self.differences.push(format!(
                    "{place}: {column}: ours {}, tshark {}; {ours:?}",
                    ours_is.unwrap_or("nothing"),
                    theirs.as_deref().unwrap_or("nothing")
                )),
            }
        }
    }
}

/// The packets that the accounting line says were skipped.
fn skipped_packets(output: &Output) -> usize {
    let text = output.err();
    let line = text.lines().find(|line| line.contains(" packets read = ")).expect("an accounting line");
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.windows(2).find(|pair| pair[1].starts_with("skipped")).expect("what was skipped");
    at[0].parse().expect("a number")
}

fn compare(path: &Path, frames: &[Row], whole: bool, inner: bool) -> Tally {
    let mut tally = Tally { frames: frames.len(), ..Tally::default() };
    let extra: Vec<String> = COLUMNS[columns::DEFAULT..].iter().map(|(name, _)| format!("+{name}")).collect();
    let mut run = tool("pkt2csv").args(["--columns", &extra.join(","), "--payload", "16"]).arg(path);
    if inner {
        run = run.arg("--inner");
    }
    let output = run.run();
    output.no_panic();
    let table: Table = output.table();
    assert_eq!(table.columns(), COLUMNS.map(|(name, _)| name), "a column came or went");
    let mut rows = table.rows();
    let mut without = 0;
    for (number, frame) in frames.iter().enumerate() {
        let layers = Layers::find(frame, inner);
        if layers.ip.is_none() {
            without += 1;
            continue;
        }
        if let Some(reason) = explained::no_row(frame) {
            *tally.explained.entry(reason).or_default() += 1;
            without += 1;
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let place = format!("{name} frame {} inner={inner}", number + 1);
        match rows.next() {
            Some(row) => tally.row(&place, row, frame, &layers),
            None => tally.differences.push(format!("{place}: no row")),
        }
    }
    let (name, said) = (path.display(), output.err());
    if output.code != Some(i32::from(!whole)) {
        tally.differences.push(format!("{name}: tshark found it whole: {whole}; {said}"));
    }
    let left = rows.count();
    if left > 0 || without != skipped_packets(&output) {
        tally.differences.push(format!("{name}: {left} rows too many, {without} frames without; {said}"));
    }
    tally
}

fn files(collection: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        lab_index(&collection.join("lab")).into_iter().map(|line| line.file).collect();
    files.extend(index(&collection.join("real")).into_iter().map(|line| line.path));
    // The longest first, so that no worker is left alone with it.
    files.sort_by_key(|path| std::cmp::Reverse(path.metadata().map_or(0, |m| m.len())));
    files
}

#[test]
fn every_column_equals_tshark() {
    const TEST: &str = "every_column_equals_tshark";
    let Some(collection) = captures(TEST) else { return };
    if !fields::tshark_is_installed() {
        return skipped(TEST, "tshark is not installed");
    }
    let files = files(&collection);
    let count = files.len();
    let queue = Mutex::new(files.into_iter());
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut tally = Tally::default();
                    loop {
                        let next = queue.lock().expect("a worker failed").next();
                        let Some(path) = next else { break tally };
                        let (frames, whole) = fields::rows(&path);
                        tally.add(compare(&path, &frames, whole, false));
                        tally.add(compare(&path, &frames, whole, true));
                    }
                })
            })
            .collect();
        for worker in workers {
            tally.add(worker.join().expect("a worker failed"));
        }
    });
    eprintln!(
        "{count} files, {} frames (with and without tunnels), {} rows, {} values of tshark; explained: {:#?}",
        tally.frames, tally.rows, tally.values, tally.explained
    );
    tally.differences.sort();
    let shown: Vec<_> = tally.differences.iter().take(40).map(String::as_str).collect();
    assert!(shown.is_empty(), "{} differences:\n{}", tally.differences.len(), shown.join("\n"));
    assert!(tally.rows > 100_000 && tally.values > 2_000_000, "too little was compared to mean anything");
}
