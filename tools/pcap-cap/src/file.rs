//! One file (or pipe) that blocks of whole records are written to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use probeline_capfile::{Compression, Compressor};
use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};

use crate::names::{Names, unfinished};

/// An output that is open.
///
/// It ends with a whole record at all times: a block goes out with one write, and where the disk takes only a part of
/// it, that part is cut off again. (A kill in the middle of that one write can still leave a record cut at the end.)
pub(crate) struct OpenFile {
    file: File,
    compressor: Option<Compressor<Vec<u8>>>,
    /// Compressed bytes that are not in the file yet.
    compressed: Vec<u8>,
    /// Its length after the last whole block; none for what has no length (pipes, devices).
    length: Option<u64>,
    name: PathBuf,
    /// Whether it carries another name until it is finished.
    unfinished: bool,
    /// Whether there was nothing under its name before.
    new: bool,
    /// Packets in it.
    pub(crate) packets: u64,
}

impl OpenFile {
    fn new(file: File, name: PathBuf, unfinished: bool, how: Option<Compression>) -> io::Result<Self> {
        let kind = file.metadata()?.file_type();
        let compressor = how.map(|how| Compressor::new(Vec::new(), how)).transpose()?;
        let length = kind.is_file().then_some(0);
        Ok(Self { file, compressor, compressed: Vec::new(), length, name, unfinished, new: true, packets: 0 })
    }

    /// Standard output.
    pub(crate) fn stdout(how: Option<Compression>) -> io::Result<Self> {
        use std::os::fd::AsFd;
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let mut output = Self::new(file, PathBuf::from("<stdout>"), false, how)?;
        // `>>file` begins somewhere, and what is there is not ours to cut.
        output.length = None;
        Ok(output)
    }

    /// A file under the name given. What was in it is gone.
    pub(crate) fn create(path: &Path, how: Option<Compression>) -> io::Result<Self> {
        // Told apart so that only a file made here is given to somebody else.
        let (file, new) = match OpenOptions::new().write(true).create_new(true).open(path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                (OpenOptions::new().write(true).truncate(true).open(path)?, false)
            }
            other => (other?, true),
        };
        let mut output = Self::new(file, path.to_owned(), false, how)?;
        output.new = new;
        Ok(output)
    }

    /// The next file of a series, under a name that nothing has. Folders are made.
    pub(crate) fn create_next(
        names: &mut Names,
        at: Timestamp,
        how: Option<Compression>,
    ) -> io::Result<Self> {
        loop {
            let name = names.next(at)?;
            if name.try_exists()? {
                continue;
            }
            match create_locked(&unfinished(&name)) {
                Ok(file) => return Self::new(file, name, true, how),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// What to call it in messages: where it is now.
    pub(crate) fn path(&self) -> PathBuf {
        if self.unfinished { unfinished(&self.name) } else { self.name.clone() }
    }

    /// Whether it is a file on a disk, which may have room again later.
    pub(crate) fn is_regular(&self) -> bool {
        self.length.is_some()
    }

    /// Whether nobody removed it.
    pub(crate) fn is_there(&self) -> bool {
        self.length.is_none() || self.file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
    }

    /// Whether there was nothing under its name before: it is ours to give away.
    pub(crate) fn is_new(&self) -> bool {
        self.new
    }

    /// Gives it to a user.
    pub(crate) fn give_to(&self, uid: u32, gid: u32) -> io::Result<()> {
        std::os::unix::fs::fchown(&self.file, Some(uid), Some(gid))
    }

    /// Takes a block of whole records and says how many bytes it is in the file. When it fails, nothing of it is in the
    /// file, and [`OpenFile::retry`] tries again.
    pub(crate) fn put(&mut self, block: &[u8]) -> io::Result<u64> {
        if let Some(compressor) = &mut self.compressor {
            compressor.write_all(block)?;
            compressor.flush()?;
            self.compressed.append(compressor.get_mut());
        }
        self.retry(block)
    }

    /// Writes the block that `put` could not write.
    pub(crate) fn retry(&mut self, block: &[u8]) -> io::Result<u64> {
        let bytes = if self.compressor.is_some() { &self.compressed[..] } else { block };
        write_whole(&mut self.file, &mut self.length, bytes)?;
        let written = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.compressed.clear();
        Ok(written)
    }

    /// Ends the compressed stream, where there is one. When it fails, it can be called again.
    pub(crate) fn end_stream(&mut self) -> io::Result<u64> {
        if let Some(compressor) = self.compressor.take() {
            self.compressed.append(&mut compressor.finish()?);
        }
        write_whole(&mut self.file, &mut self.length, &self.compressed)?;
        let written = u64::try_from(self.compressed.len()).unwrap_or(u64::MAX);
        self.compressed.clear();
        Ok(written)
    }

    /// Gives it its name, and says what that is. Nothing is overwritten: when the name was taken meanwhile, it gets
    /// another one.
    pub(crate) fn name_it(&mut self, names: &mut Names, at: Timestamp) -> io::Result<PathBuf> {
        let from = unfinished(&self.name);
        rename_to_free(&from, &self.name, names, at)
    }
}

/// One write where the system takes it whole; all or nothing in any case, but for pipes.
fn write_whole(file: &mut File, length: &mut Option<u64>, bytes: &[u8]) -> io::Result<()> {
    let outcome = file.write_all(bytes);
    if let Some(length) = length {
        if outcome.is_ok() {
            *length += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        } else {
            file.set_len(*length)?;
            file.seek(SeekFrom::Start(*length))?;
        }
    }
    outcome
}

/// Makes a file that says, by its lock, that somebody is still writing it.
fn create_locked(path: &Path) -> io::Result<File> {
    let create = || OpenOptions::new().write(true).create_new(true).open(path);
    let file = match create() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            create()?
        }
        other => other?,
    };
    // Where a file system knows no locks there is nothing to take.
    let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
    Ok(file)
}

fn rename_to_free(from: &Path, to: &Path, names: &mut Names, at: Timestamp) -> io::Result<PathBuf> {
    let mut to = to.to_owned();
    loop {
        match renameat_with(CWD, from, CWD, &to, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(to),
            Err(rustix::io::Errno::EXIST) => to = names.next(at)?,
            // Some file systems cannot promise it.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) if !to.try_exists()? => {
                fs::rename(from, &to)?;
                return Ok(to);
            }
            Err(e) => return Err(e.into()),
        }
    }
}

/// Finishes the files that a run before this one could not, because it was killed: those of the series that are called
/// unfinished and that nobody has locked.
pub(crate) fn adopt_unfinished(names: &Names) -> io::Result<Vec<PathBuf>> {
    let Some(folder) = names.folder() else { return Ok(Vec::new()) };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut adopted = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path.to_str().and_then(|path| path.strip_suffix(crate::names::UNFINISHED)) else {
            continue;
        };
        let name = PathBuf::from(name);
        if !names.includes(&name) || name.try_exists()? {
            continue;
        }
        let file = File::open(&path)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            fs::rename(&path, &name)?;
            adopted.push(name);
        }
    }
    adopted.sort();
    Ok(adopted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let mut names = Names::new(&folder.path().join("x.pcap"), "eth0", ".pcap").unwrap();
        let second = Timestamp::from_second(1_800_000_000).unwrap();
        let mut first = OpenFile::create_next(&mut names, second, None).unwrap();
        let mut other = OpenFile::create_next(&mut names, second, None).unwrap();
        assert!(first.path().ends_with("x-20270115T080000Z.pcap.part"));
        assert!(other.path().ends_with("x-20270115T080000Z_0002.pcap.part"));
        // Somebody takes the name meanwhile.
        fs::write(folder.path().join("x-20270115T080000Z.pcap"), "theirs").unwrap();
        let named = first.name_it(&mut names, second).unwrap();
        assert!(named.ends_with("x-20270115T080000Z_0003.pcap"));
        assert!(other.name_it(&mut names, second).unwrap().ends_with("x-20270115T080000Z_0002.pcap"));
        assert_eq!(fs::read(folder.path().join("x-20270115T080000Z.pcap")).unwrap(), b"theirs");
    }

    #[test]
    fn only_what_nobody_writes_is_adopted() {
        let folder = tempfile::tempdir().unwrap();
        let mut names = Names::new(&folder.path().join("x.pcap"), "eth0", ".pcap").unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let dead = OpenFile::create_next(&mut names, at(1_800_000_000), None).unwrap();
        let living = OpenFile::create_next(&mut names, at(1_800_000_001), None).unwrap();
        fs::write(folder.path().join("other.pcap.part"), "").unwrap();
        drop(dead);
        let adopted = adopt_unfinished(&names).unwrap();
        assert_eq!(adopted, [folder.path().join("x-20270115T080000Z.pcap")]);
        assert!(living.path().exists() && folder.path().join("other.pcap.part").exists());
    }
}
