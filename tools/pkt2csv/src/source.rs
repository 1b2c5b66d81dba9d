use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use probeline_capfile::{Batch, Damage, DamageKind, MergeReader, Reader};
use probeline_cli::{Progress, input};

use crate::follow::Follow;

/// The captures of a run, as one stream of batches.
pub(crate) struct Source {
    captures: Captures,
    inputs: Inputs,
    /// The capture whose packets are older than those of the one before it: the first such pair.
    out_of_order: Option<(String, String)>,
}

enum Captures {
    /// One after the other.
    Chain {
        /// Files still to be read, the next one last.
        left: Vec<Option<PathBuf>>,
        current: Option<Current>,
        done: Vec<Damaged>,
    },
    /// All at once, in order of time.
    Merge { names: Vec<String>, reader: MergeReader<Input> },
}

struct Current {
    name: String,
    reader: Box<Reader<Input>>,
    /// Time of its last packet.
    last: Option<i64>,
    /// Name and last time of the capture before it, until it has packets itself.
    before: Option<(String, i64)>,
}

type Input = Box<dyn Read + Send>;

/// How captures are opened.
pub(crate) struct Inputs {
    pub(crate) progress: Progress,
    /// Set where the file is followed: the flag that ends it.
    pub(crate) follow: Option<Arc<AtomicBool>>,
}

/// What was wrong with a capture.
pub(crate) struct Damaged {
    pub(crate) name: String,
    pub(crate) damage: Vec<Damage>,
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

impl Damaged {
    fn of<R: Read>(name: &str, reader: &Reader<R>) -> Self {
        Self {
            name: name.to_owned(),
            damage: reader.damage().to_vec(),
            count: reader.damage_count(),
            bytes: reader.damage_bytes(),
        }
    }

    /// Takes away that the input ends inside a record, which in a file that is still being written is no
    /// damage. Returns whether it does.
    pub(crate) fn forgive_end(&mut self) -> bool {
        if self.count != self.damage.len() as u64 {
            return false;
        }
        let last = self.damage.pop_if(|last| last.kind == DamageKind::Truncated);
        if let Some(last) = &last {
            self.count -= 1;
            self.bytes -= last.skipped;
        }
        last.is_some()
    }
}

impl Inputs {
    fn open(&self, path: Option<&Path>) -> Result<(String, Reader<Input>), anyhow::Error> {
        let name = input::name(path);
        let file = path.filter(|path| *path != Path::new("-"));
        let (input, live): (Input, bool) = match (file, &self.follow) {
            (Some(path), Some(stop)) => {
                let file = File::open(path).with_context(|| name.clone())?;
                (Box::new(Follow::new(file, Arc::clone(stop))), true)
            }
            // What is no regular file may be a live capture: rows leave as soon as there are packets.
            (Some(path), None) => {
                (input::open(Some(path))?, path.metadata().is_ok_and(|about| !about.is_file()))
            }
            (None, _) => (input::open(None)?, !input::stdin_is_file()),
        };
        let reader = Reader::new(self.progress.watch(input)).with_context(|| name.clone())?.live(live);
        Ok((name, reader))
    }
}

impl Source {
    /// Opens the first of the files, or all where they are merged; standard input for none.
    pub(crate) fn open(files: &[PathBuf], merge: bool, inputs: Inputs) -> Result<Self, anyhow::Error> {
        if merge {
            let opened = files
                .iter()
                .map(|path| inputs.open(Some(path)))
                .collect::<Result<Vec<_>, anyhow::Error>>()?;
            let (names, readers): (Vec<_>, Vec<_>) = opened.into_iter().unzip();
            let captures = Captures::Merge { names, reader: MergeReader::new(readers) };
            return Ok(Self { captures, inputs, out_of_order: None });
        }
        let mut left: Vec<Option<PathBuf>> = files.iter().rev().cloned().map(Some).collect();
        if left.is_empty() {
            left.push(None);
        }
        let captures = Captures::Chain { left, current: None, done: Vec::new() };
        let mut source = Self { captures, inputs, out_of_order: None };
        source.next_file()?;
        Ok(source)
    }

    fn next_file(&mut self) -> Result<bool, anyhow::Error> {
        let Captures::Chain { left, current, done } = &mut self.captures else { return Ok(false) };
        let mut before = None;
        if let Some(finished) = current.take() {
            done.push(Damaged::of(&finished.name, &finished.reader));
            before = match finished.last {
                Some(last) => Some((finished.name, last)),
                None => finished.before,
            };
        }
        let Some(path) = left.pop() else { return Ok(false) };
        let (name, reader) = self.inputs.open(path.as_deref())?;
        *current = Some(Current { name, reader: Box::new(reader), last: None, before });
        Ok(true)
    }

    /// The next batch, and the digits its times need; `None` at the end of the last capture.
    pub(crate) fn read_batch(&mut self, batch: &mut Batch) -> Result<Option<u8>, anyhow::Error> {
        loop {
            match &mut self.captures {
                Captures::Merge { names, reader } => {
                    let more = reader.read_batch(batch).map_err(|e| {
                        let name = names.get(e.input).cloned().unwrap_or_default();
                        anyhow::Error::new(e).context(name)
                    })?;
                    return Ok(more.then(|| reader.time_digits()));
                }
                Captures::Chain { current: Some(current), .. } => {
                    if current.reader.read_batch(batch).with_context(|| current.name.clone())? {
                        if let Some((name, last)) = current.before.take()
                            && batch.records().first().is_some_and(|first| first.ts_nanos < last)
                        {
                            self.out_of_order.get_or_insert_with(|| (current.name.clone(), name));
                        }
                        current.last = batch.records().last().map(|record| record.ts_nanos);
                        return Ok(Some(current.reader.time_digits()));
                    }
                }
                Captures::Chain { current: None, .. } => return Ok(None),
            }
            if !self.next_file()? {
                return Ok(None);
            }
        }
    }

    /// Takes the bar away, so that what is said next stands alone.
    pub(crate) fn hide_progress(&mut self) {
        self.inputs.progress = Progress::none();
    }

    /// A capture that begins before the end of the one read before it, and that one: their packets are not in
    /// order of time.
    pub(crate) fn out_of_order(&self) -> Option<(&str, &str)> {
        self.out_of_order.as_ref().map(|(later, earlier)| (later.as_str(), earlier.as_str()))
    }

    /// What was wrong with each capture.
    pub(crate) fn damaged(self) -> Vec<Damaged> {
        match self.captures {
            Captures::Chain { current, mut done, .. } => {
                done.extend(current.map(|current| Damaged::of(&current.name, &current.reader)));
                done
            }
            Captures::Merge { names, reader } => {
                names.iter().zip(reader.readers()).map(|(name, reader)| Damaged::of(name, reader)).collect()
            }
        }
    }
}
