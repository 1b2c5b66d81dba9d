//! The second thread: compresses, writes, names and removes files, and waits out disks that are full.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nix::unistd::User;
use probeline_capfile::Compression;

use crate::commands::Commands;
use crate::file::{OpenFile, adopt_unfinished};
use crate::log::{Log, timestamp};
use crate::names::Names;
use crate::ring::Ring;

/// How often an output that failed is tried again, and a file looked after.
const AGAIN: Duration = Duration::from_millis(250);

/// Whole records for one file.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    pub(crate) packets: u64,
}

/// What the writer is told to do, in this order.
#[derive(Debug)]
pub(crate) enum Work {
    /// Write this to the file.
    Write(Block),
    /// Finish the file; the next one begins at this time (Unix nanoseconds).
    NextFile(i64),
}

/// What both threads know.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Bytes that wait to be written.
    pub(crate) waiting: AtomicU64,
    /// Packets written.
    pub(crate) written: AtomicU64,
    /// Bytes written, as they are in the files.
    pub(crate) bytes: AtomicU64,
    /// Files finished.
    pub(crate) files: AtomicU64,
    /// Packets that could not be written before the end.
    pub(crate) unwritten: AtomicU64,
    /// Packets in files that somebody removed while they were written.
    pub(crate) removed: AtomicU64,
    /// Times that the output could not be written for a while, or was removed.
    pub(crate) stalls: AtomicU64,
    /// Commands that failed.
    pub(crate) commands_failed: AtomicU64,
    /// Whether the output cannot be written at the moment.
    pub(crate) stalled: AtomicBool,
    /// Whether it is over, and nothing shall be waited out any more.
    pub(crate) ending: AtomicBool,
}

/// Where the packets go.
#[derive(Debug)]
pub(crate) enum Target {
    Stdout,
    File(PathBuf),
    Series(Names),
}

/// What to do with files.
pub(crate) struct Options {
    pub(crate) target: Target,
    pub(crate) compression: Option<Compression>,
    pub(crate) files_kept: Option<u64>,
    pub(crate) bytes_kept: Option<u64>,
    pub(crate) command: Option<String>,
}

/// The output, owned by the second thread.
pub(crate) struct Writer {
    target: Target,
    compression: Option<Compression>,
    /// What stands at the front of each file.
    header: Vec<u8>,
    file: OpenFile,
    /// Whether there is no file any more, because the next one could not be made before the end.
    closed: bool,
    /// Whether nothing more is written, because the output failed to the end.
    given_up: bool,
    begun: Timestamp,
    ring: Option<Ring>,
    commands: Commands,
    shared: Arc<Shared>,
    log: Log,
    looked: Instant,
}

/// What is opened before privileges are given up: a file that only root may be able to make.
///
/// # Errors
/// When it cannot be made, or standard output is a terminal.
pub(crate) fn open_early(options: &Options, user: Option<&User>) -> Result<Option<OpenFile>, anyhow::Error> {
    use anyhow::{Context, bail};
    let file = match &options.target {
        Target::Stdout if io::IsTerminal::is_terminal(&io::stdout()) => {
            bail!("standard output is a terminal; write to a file or a folder with -w, or pipe it on");
        }
        Target::Stdout => OpenFile::stdout(options.compression)?,
        Target::File(path) => {
            let file =
                OpenFile::create(path, options.compression).with_context(|| path.display().to_string())?;
            if let Some(user) = user.filter(|_| file.is_new()) {
                let given = file.give_to(user.uid.as_raw(), user.gid.as_raw());
                given.with_context(|| format!("giving {} to {}", path.display(), user.name))?;
            }
            file
        }
        Target::Series(_) => return Ok(None),
    };
    Ok(Some(file))
}

impl Writer {
    /// Opens the output, where that was not done early, and writes the header.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub(crate) fn new(
        options: Options,
        header: Vec<u8>,
        early: Option<OpenFile>,
        begun: Timestamp,
        shared: Arc<Shared>,
    ) -> Result<Self, anyhow::Error> {
        let log = Log::new();
        let Options { mut target, compression, files_kept, bytes_kept, command } = options;
        let mut commands = Commands::new(command);
        let mut ring = None;
        let file = match (early, &mut target) {
            (Some(file), _) => file,
            (None, Target::Series(names)) => {
                let folder = names.folder().unwrap_or_default();
                let failed =
                    |e: io::Error| anyhow::Error::new(e).context(format!("files in {}", folder.display()));
                for path in adopt_unfinished(names).map_err(failed)? {
                    log.say(format_args!(
                        "{}: left unfinished by an earlier run, finished now",
                        path.display()
                    ));
                    commands.run(path, &log);
                }
                let mut kept = Ring::new(names, files_kept, bytes_kept).map_err(failed)?;
                kept.make_room(&log);
                ring = Some(kept);
                OpenFile::create_next(names, begun, compression).map_err(failed)?
            }
            (None, _) => anyhow::bail!("defect: no output; please report this"),
        };
        let looked = Instant::now();
        let mut writer = Self {
            target,
            compression,
            header,
            file,
            closed: false,
            given_up: false,
            begun,
            ring,
            commands,
            shared,
            log,
            looked,
        };
        let header = writer.header.clone();
        let put = writer.file.put(&header);
        let written = put.map_err(|e| writer.failed(e))?;
        writer.shared.bytes.fetch_add(written, Relaxed);
        Ok(writer)
    }

    /// What to call the output.
    pub(crate) fn name(&self) -> String {
        self.file.path().display().to_string()
    }

    /// Does what it is told until there is no more, then finishes the file. Emptied blocks go back.
    ///
    /// # Errors
    /// When the output cannot be written and there is no waiting for it: a pipe without a reader, a device.
    pub(crate) fn run(mut self, work: &Receiver<Work>, empty: &Sender<Vec<u8>>) -> Result<(), anyhow::Error> {
        loop {
            match work.recv_timeout(AGAIN) {
                Ok(Work::Write(block)) => {
                    self.write(&block)?;
                    let length = u64::try_from(block.bytes.len()).unwrap_or(u64::MAX);
                    self.shared.waiting.fetch_sub(length, Relaxed);
                    let mut bytes = block.bytes;
                    bytes.clear();
                    // At the end nobody wants it back.
                    drop(empty.send(bytes));
                }
                Ok(Work::NextFile(at)) => self.next_file(timestamp(at))?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.looked.elapsed() >= AGAIN {
                self.look_after()?;
            }
        }
        self.finish_file()?;
        self.commands.finish(&self.log);
        self.shared.commands_failed.store(self.commands.failed, Relaxed);
        Ok(())
    }

    fn write(&mut self, block: &Block) -> Result<(), anyhow::Error> {
        let outcome = if self.given_up {
            None
        } else {
            match self.file.put(&block.bytes) {
                Ok(written) => Some(written),
                Err(e) => self.wait_out(e, |writer| writer.file.retry(&block.bytes))?,
            }
        };
        match outcome {
            Some(written) => {
                self.file.packets += block.packets;
                self.shared.written.fetch_add(block.packets, Relaxed);
                self.shared.bytes.fetch_add(written, Relaxed);
            }
            None => {
                self.shared.unwritten.fetch_add(block.packets, Relaxed);
            }
        }
        Ok(())
    }

    /// Tries something again and again until it works; none when it never did before the end.
    fn wait_out<T>(
        &mut self,
        first: io::Error,
        mut act: impl FnMut(&mut Self) -> io::Result<T>,
    ) -> Result<Option<T>, anyhow::Error> {
        if !self.file.is_regular() || first.kind() == io::ErrorKind::BrokenPipe {
            return Err(self.failed(first));
        }
        self.shared.stalls.fetch_add(1, Relaxed);
        self.shared.stalled.store(true, Relaxed);
        self.log.say(format_args!(
            "cannot write {}: {first}; packets wait, and it is tried again until it works",
            self.name()
        ));
        let since = Instant::now();
        loop {
            // Looked at before trying: there is one more try after the end has come.
            let ending = self.shared.ending.load(Relaxed);
            match act(self) {
                Ok(done) => {
                    self.shared.stalled.store(false, Relaxed);
                    self.log.say(format_args!("writing again, after {:.1} s", since.elapsed().as_secs_f64()));
                    return Ok(Some(done));
                }
                Err(e) if ending => {
                    self.log.say(format_args!("cannot write {}: {e}; given up at the end", self.name()));
                    self.given_up = true;
                    return Ok(None);
                }
                Err(_) => {}
            }
            self.commands.look_after(&self.log);
            std::thread::sleep(AGAIN.min(Duration::from_millis(100)));
        }
    }

    /// Looks whether the file is still there, and after commands.
    fn look_after(&mut self) -> Result<(), anyhow::Error> {
        self.looked = Instant::now();
        self.commands.look_after(&self.log);
        self.shared.commands_failed.store(self.commands.failed, Relaxed);
        if !self.closed && !self.file.is_there() {
            self.log.say(format_args!(
                "{} was removed by somebody, and {} packets with it; going on in a new file",
                self.name(),
                self.file.packets
            ));
            self.shared.removed.fetch_add(self.file.packets, Relaxed);
            self.shared.stalls.fetch_add(1, Relaxed);
            self.open_next(Timestamp::now())?;
        }
        Ok(())
    }

    /// Finishes the file and begins the next one.
    fn next_file(&mut self, at: Timestamp) -> Result<(), anyhow::Error> {
        match &self.target {
            Target::Stdout => {
                self.log.say("SIGHUP: standard output cannot be rotated");
                return Ok(());
            }
            // As log files are rotated: somebody has moved it away and wants a new one under its name.
            Target::File(path) if path.exists() => {
                self.log.say(format_args!("SIGHUP: {} goes on, for it was not moved away", path.display()));
                return Ok(());
            }
            Target::File(_) | Target::Series(_) => {}
        }
        self.finish_file()?;
        if let Some(ring) = &mut self.ring {
            ring.make_room(&self.log);
        }
        self.open_next(at)
    }

    /// Makes the next file and writes its header.
    fn open_next(&mut self, at: Timestamp) -> Result<(), anyhow::Error> {
        let open = |writer: &mut Self| match &mut writer.target {
            Target::Series(names) => OpenFile::create_next(names, at, writer.compression),
            Target::File(path) => {
                if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                    std::fs::create_dir_all(folder)?;
                }
                OpenFile::create(path, writer.compression)
            }
            Target::Stdout => Err(io::Error::other("standard output is there once")),
        };
        let begin = move |writer: &mut Self| {
            let mut file = open(writer)?;
            match file.put(&writer.header) {
                Ok(written) => Ok((file, written)),
                Err(e) => {
                    // Half a header is no file.
                    drop(std::fs::remove_file(file.path()));
                    Err(e)
                }
            }
        };
        let begun = match begin(self) {
            Ok(begun) => Some(begun),
            Err(e) => self.wait_out(e, begin)?,
        };
        match begun {
            Some((file, written)) => {
                self.file = file;
                self.begun = at;
                self.shared.bytes.fetch_add(written, Relaxed);
            }
            None => self.closed = true,
        }
        Ok(())
    }

    /// Ends the stream, gives the file its name, and hands it on.
    fn finish_file(&mut self) -> Result<(), anyhow::Error> {
        if self.closed {
            return Ok(());
        }
        let ended = match self.file.end_stream() {
            Ok(written) => Some(written),
            Err(_) if self.given_up => None,
            Err(e) => self.wait_out(e, |writer| writer.file.end_stream())?,
        };
        self.shared.bytes.fetch_add(ended.unwrap_or_default(), Relaxed);
        self.shared.files.fetch_add(1, Relaxed);
        let Target::Series(names) = &mut self.target else { return Ok(()) };
        match self.file.name_it(names, self.begun) {
            Ok(path) => {
                self.commands.run(path.clone(), &self.log);
                if let Some(ring) = &mut self.ring {
                    ring.push(path, &self.log);
                }
            }
            Err(e) => self.log.say(format_args!("cannot rename {}: {e}; it stays as it is", self.name())),
        }
        Ok(())
    }

    fn failed(&self, error: io::Error) -> anyhow::Error {
        anyhow::Error::new(error).context(format!("writing {}", self.name()))
    }
}
