//! Keeping the newest files of a series and removing the others.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::log::Log;
use crate::names::Names;

/// The finished files of a series, oldest first, and how much of them is kept.
#[derive(Debug)]
pub(crate) struct Ring {
    files: VecDeque<(PathBuf, u64)>,
    bytes: u64,
    most_files: Option<u64>,
    most_bytes: Option<u64>,
}

impl Ring {
    /// A ring with the files that earlier runs left.
    pub(crate) fn new(names: &Names, most_files: Option<u64>, most_bytes: Option<u64>) -> io::Result<Self> {
        let mut ring = Self { files: VecDeque::new(), bytes: 0, most_files, most_bytes };
        let limited = most_files.is_some() || most_bytes.is_some();
        let Some(folder) = names.folder().filter(|_| limited) else { return Ok(ring) };
        let mut found: Vec<(SystemTime, PathBuf, u64)> = Vec::new();
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(ring),
            Err(e) => return Err(e),
        };
        for entry in entries {
            let path = entry?.path();
            if names.includes(&path) {
                let metadata = fs::metadata(&path)?;
                found.push((metadata.modified()?, path, metadata.len()));
            }
        }
        found.sort();
        for (_, path, size) in found {
            ring.bytes += size;
            ring.files.push_back((path, size));
        }
        Ok(ring)
    }

    /// Takes up a finished file, and removes what is too much.
    pub(crate) fn push(&mut self, path: PathBuf, log: &Log) {
        if self.most_files.is_none() && self.most_bytes.is_none() {
            return;
        }
        let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        self.bytes += size;
        self.files.push_back((path, size));
        self.trim(self.most_files.unwrap_or(u64::MAX), log);
    }

    /// Makes room for a file that is about to begin.
    pub(crate) fn make_room(&mut self, log: &Log) {
        self.trim(self.most_files.unwrap_or(u64::MAX).saturating_sub(1), log);
    }

    /// Removes the oldest files until there are at most so many, and not too many bytes in them. Whatever its size, the
    /// newest is not too large.
    fn trim(&mut self, most: u64, log: &Log) {
        loop {
            let files = u64::try_from(self.files.len()).unwrap_or(u64::MAX);
            let large = files > 1 && self.most_bytes.is_some_and(|most| self.bytes > most);
            if files <= most && !large {
                return;
            }
            let Some((path, size)) = self.files.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(size);
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => log.say(format_args!("cannot remove {}: {e}", path.display())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_newest_stay_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let names = Names::new(&folder.path().join("x-%s.pcap"), "eth0", ".pcap").unwrap();
        let file = |second: u32| folder.path().join(format!("x-{second}.pcap"));
        for second in 1..=3 {
            fs::write(file(second), [0; 100]).unwrap();
            let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second.into());
            fs::File::options().write(true).open(file(second)).unwrap().set_modified(time).unwrap();
        }
        fs::write(folder.path().join("mine.pcap"), [0; 100]).unwrap();
        let log = Log::new();
        let mut ring = Ring::new(&names, Some(3), None).unwrap();
        fs::write(file(4), [0; 100]).unwrap();
        ring.push(file(4), &log);
        assert_eq!(names_in(folder.path()), ["mine.pcap", "x-2.pcap", "x-3.pcap", "x-4.pcap"]);
        ring.make_room(&log);
        assert_eq!(names_in(folder.path()), ["mine.pcap", "x-3.pcap", "x-4.pcap"]);

        let mut ring = Ring::new(&names, None, Some(250)).unwrap();
        fs::write(file(5), [0; 200]).unwrap();
        ring.push(file(5), &log);
        assert_eq!(names_in(folder.path()), ["mine.pcap", "x-5.pcap"]);
        fs::write(file(6), [0; 2000]).unwrap();
        ring.push(file(6), &log);
        assert_eq!(names_in(folder.path()), ["mine.pcap", "x-6.pcap"], "the newest stays, whatever its size");
    }
}
