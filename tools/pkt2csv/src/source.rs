use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use probeline_capfile::{Batch, Damage, MergeReader, Reader};
use probeline_cli::input;

/// The captures of a run, as one stream of batches.
pub(crate) enum Source {
    /// One after the other.
    Chain {
        /// Files still to be read, the next one last.
        left: Vec<Option<PathBuf>>,
        current: Option<(String, Box<Reader<Input>>)>,
        done: Vec<Damaged>,
    },
    /// All at once, in order of time.
    Merge { names: Vec<String>, reader: MergeReader<Input> },
}

type Input = Box<dyn Read + Send>;

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
}

fn open(path: Option<&Path>) -> Result<(String, Reader<Input>), anyhow::Error> {
    let name = input::name(path);
    let input = input::open(path)?;
    // What is no regular file may be a live capture: rows leave as soon as there are packets.
    let live = match path {
        Some(path) if path != Path::new("-") => {
            File::open(path).and_then(|f| f.metadata()).is_ok_and(|m| !m.is_file())
        }
        _ => !input::stdin_is_file(),
    };
    let reader = Reader::new(input).with_context(|| name.clone())?.live(live);
    Ok((name, reader))
}

impl Source {
    /// Opens the first of the files, or all where they are merged; standard input for none.
    pub(crate) fn open(files: &[PathBuf], merge: bool) -> Result<Self, anyhow::Error> {
        if merge {
            let opened =
                files.iter().map(|path| open(Some(path))).collect::<Result<Vec<_>, anyhow::Error>>()?;
            let (names, readers): (Vec<_>, Vec<_>) = opened.into_iter().unzip();
            return Ok(Self::Merge { names, reader: MergeReader::new(readers) });
        }
        let mut left: Vec<Option<PathBuf>> = files.iter().rev().cloned().map(Some).collect();
        if left.is_empty() {
            left.push(None);
        }
        let mut source = Self::Chain { left, current: None, done: Vec::new() };
        source.next_file()?;
        Ok(source)
    }

    fn next_file(&mut self) -> Result<bool, anyhow::Error> {
        let Self::Chain { left, current, done } = self else { return Ok(false) };
        if let Some((name, reader)) = current.take() {
            done.push(Damaged::of(&name, &reader));
        }
        let Some(path) = left.pop() else { return Ok(false) };
        let (name, reader) = open(path.as_deref())?;
        *current = Some((name, Box::new(reader)));
        Ok(true)
    }

    /// The next batch, and the digits its times need; `None` at the end of the last capture.
    pub(crate) fn read_batch(&mut self, batch: &mut Batch) -> Result<Option<u8>, anyhow::Error> {
        loop {
            match self {
                Self::Merge { names, reader } => {
                    let more = reader.read_batch(batch).map_err(|e| {
                        let name = names.get(e.input).cloned().unwrap_or_default();
                        anyhow::Error::new(e).context(name)
                    })?;
                    return Ok(more.then(|| reader.time_digits()));
                }
                Self::Chain { current: Some((name, reader)), .. } => {
                    if reader.read_batch(batch).with_context(|| name.clone())? {
                        return Ok(Some(reader.time_digits()));
                    }
                }
                Self::Chain { current: None, .. } => return Ok(None),
            }
            if !self.next_file()? {
                return Ok(None);
            }
        }
    }

    /// What was wrong with each capture.
    pub(crate) fn damaged(self) -> Vec<Damaged> {
        match self {
            Self::Chain { current, mut done, .. } => {
                done.extend(current.map(|(name, reader)| Damaged::of(&name, &reader)));
                done
            }
            Self::Merge { names, reader } => {
                names.iter().zip(reader.readers()).map(|(name, reader)| Damaged::of(name, reader)).collect()
            }
        }
    }
}
