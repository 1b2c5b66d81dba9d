//! Every capture of the collection beside the workspace, against the packet counts of its index.
//!
//! The index counts by structure: capinfos' figure where the file is sound, and in damaged files every record
//! whose header makes sense, *including* one whose bytes are cut off by the end of the file or by the damage.
//! We deliver no part of a cut record, and we go on after damage, so the two figures relate by the classes
//! below.

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use probeline_capfile::{Batch, Damage, DamageKind, Error, Reader};

use crate::say;

/// Compressed with xz, which is told and not read.
const XZ: [&str; 2] = ["DNS-OARC_dnscap__dns.pcap.xz", "zeek_zeek__mpls-6in6-broken.pcap.xz"];

/// Where the collection is, or a word on stderr that there is none.
pub(crate) fn collection() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    if path.is_dir() {
        return Some(path);
    }
    say(&format!("SKIPPED: no capture collection at {}", path.display()));
    None
}

/// Paths, packet counts and remarks of one INDEX.csv.
fn index(folder: &Path) -> Vec<(PathBuf, u64, String)> {
    let mut reader = csv::Reader::from_path(folder.join("INDEX.csv")).expect("index");
    let headers = reader.headers().expect("headers").clone();
    let column = |names: &[&str]| headers.iter().position(|name| names.contains(&name)).expect("column");
    let (path, packets) = (column(&["path", "file"]), column(&["packets"]));
    let remark = column(&["contains", "command"]);
    let row = |row: csv::Result<csv::StringRecord>| {
        let row = row.expect("row");
        (folder.join(&row[path]), row[packets].parse().expect("count"), row[remark].to_owned())
    };
    reader.records().map(row).collect()
}

struct Outcome {
    packets: u64,
    damage: Vec<Damage>,
}

fn read(path: &Path) -> Result<Outcome, Error> {
    let mut reader = Reader::new(File::open(path).expect("open"))?;
    let mut batch = Batch::new();
    let mut packets = 0;
    while reader.read_batch(&mut batch)? {
        assert!(!batch.is_empty(), "a batch without a record");
        for (record, bytes) in batch.iter() {
            packets += 1;
            assert_eq!(record.number, packets);
            assert_eq!(record.cap_len as usize, bytes.len());
        }
    }
    assert_eq!(packets, reader.packets());
    Ok(Outcome { packets, damage: reader.damage().to_vec() })
}

/// Whether what we read and what the index says agree.
fn agrees(outcome: &Outcome, expected: u64, remark: &str) -> bool {
    // Damage that cost nothing (a bad trailer, an odd version) is no place where another reader has to stop.
    let Some(first) = outcome.damage.iter().find(|damage| damage.skipped > 0) else {
        return outcome.packets == expected;
    };
    let cut = remark.contains("truncated record body");
    match first.kind {
        DamageKind::Truncated => first.after == outcome.packets && expected == first.after + u64::from(cut),
        DamageKind::Length { .. } => expected == first.after + u64::from(cut),
        // Of classic pcap the index counts one empty record for every 16 zeros.
        DamageKind::ZeroFilled => [0, first.skipped / 16].contains(&expected.saturating_sub(first.after)),
        _ => expected == first.after,
    }
}

#[test]
fn packet_counts_of_the_index() {
    let Some(collection) = collection() else { return };
    let mut wrong = Vec::new();
    let mut files = 0;
    for folder in ["lab", "real", "malformed"] {
        for (path, expected, remark) in index(&collection.join(folder)) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let begun = Instant::now();
            let outcome = read(&path);
            files += 1;
            if begun.elapsed() > Duration::from_secs(2) {
                wrong.push(format!("{name}: took {:?}", begun.elapsed()));
            }
            match outcome {
                Ok(outcome) if agrees(&outcome, expected, &remark) => {}
                Ok(Outcome { packets, damage }) => {
                    wrong.push(format!("{name}: {packets} packets, not {expected}; {damage:?} ({remark})"));
                }
                Err(Error::NotACapture { hint: Some(hint), .. })
                    if XZ.contains(&&*name) && hint.contains("xz") => {}
                Err(_) if expected == 0 => {}
                Err(e) => wrong.push(format!("{name}: no packets, not {expected}: {e}")),
            }
        }
    }
    say(&format!("{files} captures read"));
    assert!(files > 4000, "the index is short");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// First and last time of the real captures, as the index has them from capinfos: the earliest and the latest.
#[test]
fn times_of_the_index() {
    let Some(collection) = collection() else { return };
    let folder = collection.join("real");
    let mut reader = csv::Reader::from_path(folder.join("INDEX.csv")).expect("index");
    let headers = reader.headers().expect("headers").clone();
    let column = |name: &str| headers.iter().position(|header| header == name).expect("column");
    let (path, first, last) = (column("path"), column("first_ts"), column("last_ts"));
    let mut compared = 0;
    for row in reader.records() {
        let row = row.expect("row");
        let mut reader = Reader::new(File::open(folder.join(&row[path])).expect("open")).expect("a capture");
        let mut batch = Batch::new();
        let mut times = Vec::new();
        while reader.read_batch(&mut batch).expect("readable") {
            times.extend(batch.records().iter().map(|record| record.ts_nanos));
        }
        let micros = |time: Option<&i64>| {
            // The index rounds nanoseconds to the nearest microsecond.
            let time = time.copied().unwrap_or_default() + 500;
            format!("{}.{:06}", time.div_euclid(1_000_000_000), time.rem_euclid(1_000_000_000) / 1_000)
        };
        let seen = (micros(times.iter().min()), micros(times.iter().max()));
        assert_eq!(seen, (row[first].to_owned(), row[last].to_owned()), "{}", &row[path]);
        compared += 1;
    }
    assert!(compared > 40, "the index is short");
}
