use std::io::Read;

use anyhow::Context;
use probeline_record::RowReader;

use crate::{Console, RowOptions, input};

/// Opens the rows that a tool reads, and says so where there is nothing to read.
///
/// # Errors
/// When the input cannot be opened or does not hold rows.
pub fn open_rows(
    options: &RowOptions,
    console: &Console,
) -> Result<RowReader<Box<dyn Read + Send>>, anyhow::Error> {
    rows_from(input::open_rows(options.file.as_deref())?, options, console)
}

/// As [`open_rows`], for a tool that has opened the input and put something of its own before the rows.
///
/// # Errors
/// When the input does not hold rows.
pub fn rows_from<R: Read>(
    input: R,
    options: &RowOptions,
    console: &Console,
) -> Result<RowReader<R>, anyhow::Error> {
    let name = input::name(options.file.as_deref());
    let rows = RowReader::new(input).with_context(|| name.clone())?;
    if rows.is_empty() {
        console.say(format_args!("{name}: empty input, not even a header; nothing to do"));
    }
    Ok(rows)
}

/// An error of reading rows, as the tool tells it: with the input's name, unless the output was what failed.
pub fn row_error(error: probeline_record::Error, input: &str) -> anyhow::Error {
    match error {
        probeline_record::Error::BeforeRead(e) => anyhow::Error::new(e).context("writing rows"),
        other => anyhow::Error::new(other).context(input.to_owned()),
    }
}
