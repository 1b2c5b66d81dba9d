//! Captures that others recorded, and what is known about them.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{skipped, workspace};

/// The folder of captures beside the workspace (`../shared/captures`), or where `PROBELINE_CAPTURES` says.
/// They are not ours to pass on, so they are absent from most machines: `None`, with a visible line that
/// names the test.
pub fn captures(test: &str) -> Option<PathBuf> {
    let dir = match std::env::var_os("PROBELINE_CAPTURES") {
        Some(dir) => PathBuf::from(dir),
        None => workspace().join("../shared/captures"),
    };
    let found = dir.canonicalize().ok().filter(|dir| dir.is_dir());
    if found.is_none() {
        skipped(test, &format!("no captures in {}; see PROBELINE_CAPTURES", dir.display()));
    }
    found
}

/// A capture that comes with the project: `bundled("lab-passive.pcap")`.
///
/// # Panics
/// When there is none of this name.
pub fn bundled(name: &str) -> PathBuf {
    let path = workspace().join("tests/captures").join(name);
    assert!(path.is_file(), "no bundled capture {name}: {} is missing", path.display());
    path
}

/// One line of an `INDEX.csv` of captures found in public repositories.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Indexed {
    /// The file, relative to its index.
    pub path: PathBuf,
    /// What it was collected for: `telescope`, `scan`, `formats`, `malformed` and so on.
    pub group: String,
    /// Link type by capinfos' name.
    pub linktype: String,
    /// How many packets it has, by capinfos; `None` where that could not tell.
    pub packets: Option<u64>,
    /// What is in it.
    pub contains: String,
    /// What is known of it, and from where.
    pub ground_truth: String,
    /// Which tests it is good for.
    pub suitable_for: String,
}

/// One line of the `INDEX.csv` of captures of one scanning tool each.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct LabCapture {
    /// The file, relative to its index.
    pub file: PathBuf,
    /// The tool that ran.
    pub tool: String,
    /// Its version.
    pub version: String,
    /// Protocols of its packets.
    pub protocols: String,
    /// How many packets the file has.
    pub packets: u64,
    /// The command, exactly as run.
    pub command: String,
}

/// The lines of `INDEX.csv` in this folder, each with its path made absolute.
///
/// # Panics
/// When it is missing or not such a file.
pub fn index(folder: &Path) -> Vec<Indexed> {
    let mut lines: Vec<Indexed> = read(folder);
    for line in &mut lines {
        line.path = folder.join(&line.path);
    }
    lines
}

/// The lines of `INDEX.csv` in the laboratory's folder, each with its path made absolute.
///
/// # Panics
/// When it is missing or not such a file.
pub fn lab_index(folder: &Path) -> Vec<LabCapture> {
    let mut lines: Vec<LabCapture> = read(folder);
    for line in &mut lines {
        line.file = folder.join(&line.file);
    }
    lines
}

fn read<T: serde::de::DeserializeOwned>(folder: &Path) -> Vec<T> {
    let path = folder.join("INDEX.csv");
    let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    reader.deserialize().map(|line| line.unwrap_or_else(|e| panic!("{}: {e}", path.display()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_indexed_capture_is_there() {
        let Some(dir) = captures("every_indexed_capture_is_there") else { return };
        let lines: Vec<_> =
            ["real", "malformed"].iter().flat_map(|folder| index(&dir.join(folder))).collect();
        let lab = lab_index(&dir.join("lab"));
        let files = lines.iter().map(|line| &line.path).chain(lab.iter().map(|line| &line.file));
        let missing: Vec<_> = files.clone().filter(|path| !path.is_file()).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(files.count() > 100, "an index without lines proves nothing");
    }
}
