use std::io::{self, Write};

use probeline_record::{Encoder, Field, Format};

/// The argument of a tool that reads no rows but lists its columns.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct ListFields {
    /// List the columns this tool writes, with their meaning, and exit
    #[arg(long)]
    pub list_fields: bool,
}

/// Writes the table of `--list-fields`: a CSV of name, type, unit, what absent means, and description.
///
/// # Errors
/// When it cannot be written.
pub fn list_fields(fields: &[&Field], output: impl Write) -> io::Result<()> {
    let mut rows = Encoder::new(output, Format::Csv);
    rows.header(["name", "type", "unit", "absent", "description"]);
    for field in fields {
        rows.begin();
        rows.word(field.name);
        rows.word(field.kind.name());
        rows.word(field.unit);
        rows.text(field.absent.as_bytes());
        rows.text(field.doc.as_bytes());
        rows.end()?;
    }
    rows.flush()
}
