//! `csv2parquet`: rows to a Parquet file.
//!
//! A **sink**: reads rows of any kind and writes the same rows, typed by the dictionary of columns. Encodings were
//! chosen by measuring packet rows: times as differences, no dictionary for columns of random numbers, zstd. Written by
//! the parquet crate alone: without Arrow in between it builds in a fraction of the time.
//!
//! Every row read is in the file, or skipped as malformed.

mod args;
mod column;

pub use args::Args;

use std::fs::File;
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type};
use probeline_cli::{Account, Console, Outcome, input, row_error, stdout};
use probeline_record::RowReader;

use column::Column;

/// Rows of a row group: enough that a column's pages are worth compressing, few enough to gather in memory.
const GROUP: usize = 1 << 18;

/// A row group ends early when its texts take so much.
const GROUP_TEXT: usize = 256 << 20;

/// Runs the tool.
///
/// # Errors
/// When the input cannot be read or holds no rows, or the output cannot be written.
pub fn run(args: &Args, console: &mut Console) -> Outcome {
    let name = input::name(args.file.as_deref());
    let mut rows = RowReader::new(input::open_rows(args.file.as_deref())?).with_context(|| name.clone())?;
    if rows.is_empty() {
        bail!("{name}: empty input, not even a header; a Parquet file needs columns");
    }
    let columns = columns(&rows, args.nanoseconds)?;
    let output = Output::create(&args.output)?;
    let counts = match output.file()? {
        Some(file) => convert(args, &name, &mut rows, columns, file, console),
        None => convert(args, &name, &mut rows, columns, stdout(), console),
    }?;
    output.complete()?;
    console.account(
        &Account::new("rows", counts.read)
            .part("written", counts.read - counts.malformed)
            .skipped("malformed", counts.malformed),
    )
}

fn columns<R: Read>(rows: &RowReader<R>, nanoseconds: bool) -> Result<Vec<Column>, anyhow::Error> {
    let columns: Vec<Column> =
        rows.columns().map(|(col, name)| Column::new(col, name, nanoseconds)).collect();
    for (i, column) in columns.iter().enumerate() {
        if columns[..i].iter().any(|earlier| earlier.name() == column.name()) {
            bail!("column '{}' stands twice in the header", column.name());
        }
    }
    Ok(columns)
}

#[derive(Default)]
struct Counts {
    read: u64,
    malformed: u64,
}

fn convert<R: Read, W: Write + Send>(
    args: &Args,
    name: &str,
    rows: &mut RowReader<R>,
    mut columns: Vec<Column>,
    output: W,
    console: &mut Console,
) -> Result<Counts, anyhow::Error> {
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("probeline csv2parquet ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(args.level)?));
    let mut fields = Vec::new();
    for column in &columns {
        fields.push(column.schema()?);
        let path = ColumnPath::new(vec![column.name().to_owned()]);
        if column.is_time() {
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        } else if column.is_random() {
            properties = properties.set_column_dictionary_enabled(path, false);
        }
    }
    let schema = Type::group_type_builder("rows").with_fields(fields).build()?;
    let mut file = SerializedFileWriter::new(output, Arc::new(schema), Arc::new(properties.build()))?;
    let mut counts = Counts::default();
    let mut gathered = 0;
    loop {
        let row = match rows.next_row() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(e) if e.is_row() => {
                (counts.read, counts.malformed) = (counts.read + 1, counts.malformed + 1);
                console.fault(format_args!("{name}: {e}"));
                continue;
            }
            Err(e) => return Err(row_error(e, name)),
        };
        counts.read += 1;
        match columns.iter_mut().try_for_each(|column| column.take(&row)) {
            Ok(()) => gathered += 1,
            Err(e) => {
                columns.iter_mut().for_each(|column| column.cut(gathered));
                counts.malformed += 1;
                console.fault(format_args!("{name}: line {}: {e}", row.line()));
            }
        }
        if gathered == GROUP || columns.iter().map(Column::text_len).sum::<usize>() > GROUP_TEXT {
            write_group(&mut columns, &mut file)?;
            gathered = 0;
        }
    }
    if gathered > 0 {
        write_group(&mut columns, &mut file)?;
    }
    file.close()?;
    Ok(counts)
}

fn write_group<W: Write + Send>(columns: &mut [Column], file: &mut SerializedFileWriter<W>) -> Outcome {
    let mut group = file.next_row_group()?;
    for column in columns {
        let mut writer =
            group.next_column()?.context("defect: fewer columns in the file than in the rows")?;
        column.write(writer.untyped())?;
        writer.close()?;
    }
    group.close()?;
    Ok(())
}

/// Where the file goes: under another name until it is complete.
struct Output<'a> {
    /// The name it was asked for, and the one it has until then; none for standard output.
    names: Option<(&'a Path, PathBuf)>,
}

impl<'a> Output<'a> {
    fn create(path: &'a Path) -> Result<Self, anyhow::Error> {
        if path == Path::new("-") {
            if std::io::stdout().is_terminal() {
                bail!("a Parquet file is nothing for a terminal; -o FILE, or send it on");
            }
            return Ok(Self { names: None });
        }
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        Ok(Self { names: Some((path, part.into())) })
    }

    fn file(&self) -> Result<Option<File>, anyhow::Error> {
        let Some((_, part)) = &self.names else { return Ok(None) };
        File::create(part).with_context(|| part.display().to_string()).map(Some)
    }

    fn complete(mut self) -> Outcome {
        let Some((path, part)) = self.names.take() else { return Ok(()) };
        std::fs::rename(&part, path).with_context(|| path.display().to_string())
    }
}

impl Drop for Output<'_> {
    /// What is not complete is of no use: the file's directory of columns stands at its end.
    fn drop(&mut self) {
        if let Some((_, part)) = &self.names {
            drop(std::fs::remove_file(part));
        }
    }
}
