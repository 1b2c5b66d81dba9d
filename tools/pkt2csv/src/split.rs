//! One file for each hour or day of packet time.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use probeline_record::{Format, Ts};

/// What one file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Period {
    /// An hour
    Hour,
    /// A day
    Day,
}

impl Period {
    fn nanos(self) -> i64 {
        match self {
            Self::Hour => 3_600_000_000_000,
            Self::Day => 86_400_000_000_000,
        }
    }

    /// The number of the period that this instant is in, counted from 1970.
    pub(crate) fn of(self, ts_nanos: i64) -> i64 {
        ts_nanos.div_euclid(self.nanos())
    }

    /// `2026-03-01T13` or `2026-03-01`.
    fn name(self, number: i64) -> String {
        let mut text = Vec::new();
        Ts::from_nanos(number.saturating_mul(self.nanos())).write_rfc3339(6, &mut text);
        let end = text.iter().position(|b| *b == if self == Self::Day { b'T' } else { b':' });
        text.truncate(end.unwrap_or(text.len()));
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// Rows, and where in them a new period begins.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) text: Vec<u8>,
    /// Offset in the text, number of the period. Only where rows are split.
    pub(crate) cuts: Vec<(usize, i64)>,
}

/// Where rows go.
pub(crate) enum Output {
    Stream(Box<dyn Write + Send>),
    Files(Files),
}

impl Output {
    pub(crate) fn write(&mut self, rows: &Rows) -> Result<(), anyhow::Error> {
        match self {
            Self::Stream(stream) => Ok(stream.write_all(&rows.text)?),
            Self::Files(files) => files.write(rows),
        }
    }

    pub(crate) fn flush(&mut self) -> Result<(), anyhow::Error> {
        match self {
            Self::Stream(stream) => Ok(stream.flush()?),
            Self::Files(_) => Ok(()),
        }
    }

    /// Files written so far, if it is files.
    pub(crate) fn files(&self) -> Option<u64> {
        match self {
            Self::Stream(_) => None,
            Self::Files(files) => Some(files.begun.len() as u64),
        }
    }
}

/// Files open at the same time: packets out of order go back and forth between few.
const OPEN: usize = 16;

/// More files than ten years of hours: no capture is that long, its times are wrong.
const MOST: usize = 100_000;

/// The files of a folder, one for each period that has rows.
pub(crate) struct Files {
    folder: PathBuf,
    period: Period,
    extension: &'static str,
    header: Vec<u8>,
    begun: BTreeSet<i64>,
    /// The one written last comes last.
    open: Vec<(i64, File)>,
}

impl Files {
    /// Files in this folder, which is made if need be. `header` goes to the top of each.
    pub(crate) fn new(
        folder: &Path,
        period: Period,
        format: Format,
        header: Vec<u8>,
    ) -> Result<Self, anyhow::Error> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let extension = match format {
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
        };
        let folder = folder.to_path_buf();
        Ok(Self { folder, period, extension, header, begun: BTreeSet::new(), open: Vec::new() })
    }

    fn write(&mut self, rows: &Rows) -> Result<(), anyhow::Error> {
        let ends = rows.cuts.iter().skip(1).map(|(at, _)| *at).chain([rows.text.len()]);
        for ((begin, number), end) in rows.cuts.iter().zip(ends) {
            let (path, file) = self.file(*number)?;
            file.write_all(rows.text.get(*begin..end).unwrap_or_default())
                .with_context(|| path.display().to_string())?;
        }
        Ok(())
    }

    fn file(&mut self, number: i64) -> Result<(PathBuf, &mut File), anyhow::Error> {
        let path = self.folder.join(format!("{}.{}", self.period.name(number), self.extension));
        match self.open.iter().position(|(known, _)| *known == number) {
            Some(at) => self.open[at..].rotate_left(1),
            None => {
                let file = self.begin(number, &path).with_context(|| path.display().to_string())?;
                if self.open.len() == OPEN {
                    self.open.remove(0);
                }
                self.open.push((number, file));
            }
        }
        match self.open.last_mut() {
            Some((_, file)) => Ok((path, file)),
            None => bail!("defect: no file for {}", path.display()),
        }
    }

    fn begin(&mut self, number: i64, path: &Path) -> Result<File, anyhow::Error> {
        if self.begun.contains(&number) {
            return Ok(OpenOptions::new().append(true).open(path)?);
        }
        if self.begun.len() == MOST {
            bail!("this would be file number {}; the times of this capture cannot be right", MOST + 1);
        }
        let mut file = File::create_new(path)?;
        file.write_all(&self.header)?;
        self.begun.insert(number);
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected names from `date -u -d @SECONDS +%FT%H`.
    #[test]
    fn periods_are_named_by_their_beginning() {
        for (seconds, hour, day) in [
            (0, "1970-01-01T00", "1970-01-01"),
            (951_868_799, "2000-02-29T23", "2000-02-29"),
            (951_868_800, "2000-03-01T00", "2000-03-01"),
            (-1, "1969-12-31T23", "1969-12-31"),
        ] {
            let nanos = seconds * 1_000_000_000;
            assert_eq!(Period::Hour.name(Period::Hour.of(nanos)), hour);
            assert_eq!(Period::Day.name(Period::Day.of(nanos)), day);
        }
    }
}
