//! Every capture of the collection beside the workspace, against the packet counts of its index.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use probeline_capfile::{Batch, Error, Reader};

fn collection() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: no capture collection at {}", path.display());
    None
}

/// Paths and packet counts of one INDEX.csv.
fn index(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut reader = csv::Reader::from_path(folder.join("INDEX.csv")).expect("index");
    let headers = reader.headers().expect("headers").clone();
    let column = |names: &[&str]| headers.iter().position(|name| names.contains(&name)).expect("column");
    let (path, packets) = (column(&["path", "file"]), column(&["packets"]));
    reader
        .records()
        .map(|row| {
            let row = row.expect("row");
            (folder.join(&row[path]), row[packets].parse().expect("count"))
        })
        .collect()
}

struct Read {
    packets: u64,
    before_damage: u64,
    damage: Vec<String>,
    took: Duration,
}

fn read(path: &Path) -> Result<Read, Error> {
    let begun = Instant::now();
    let mut reader = Reader::new(File::open(path).expect("open"))?;
    let mut batch = Batch::new();
    let mut packets = 0;
    while reader.read_batch(&mut batch)? {
        packets += batch.len() as u64;
    }
    assert_eq!(packets, reader.packets());
    let before_damage = reader.damage().iter().map(|d| d.after).min().unwrap_or(packets);
    let damage = reader.damage().iter().map(ToString::to_string).collect();
    Ok(Read { packets, before_damage, damage, took: begun.elapsed() })
}

#[test]
fn packet_counts() {
    let Some(collection) = collection() else { return };
    let mut wrong = Vec::new();
    for folder in ["lab", "real", "malformed"] {
        for (path, expected) in index(&collection.join(folder)) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            eprintln!("{name}");
            match read(&path) {
                Ok(read) => {
                    if read.took > Duration::from_secs(2) {
                        wrong.push(format!("{name}: slow"));
                    }
                    if read.packets != expected {
                        wrong.push(format!(
                            "{name}: expected {expected}, {} read, {} before damage {:?}",
                            read.packets, read.before_damage, read.damage
                        ));
                    }
                }
                Err(e) => {
                    if expected != 0 {
                        wrong.push(format!("{name}: expected {expected}, {e}"))
                    }
                }
            }
        }
    }
    let _ = fs::metadata(".");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
