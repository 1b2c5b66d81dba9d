use std::io;

/// Why rows could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input itself failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What the caller does before each read failed: in a tool, handing on its output.
    #[error("{0}")]
    BeforeRead(#[source] io::Error),
    /// One row is malformed; the reader stands behind it and can go on.
    #[error("line {line}: {what}")]
    Row {
        /// Line on which the row begins, the header being line 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The first line is not a header of columns.
    #[error("not rows: {0}")]
    NotRows(String),
    /// A column that the tool cannot do without is not in the input.
    #[error("no column '{name}' in the input{hint}")]
    MissingColumn {
        /// The column's name.
        name: String,
        /// Which tool adds it, where one does.
        hint: String,
    },
    /// A needed column stands twice in the header.
    #[error("column '{0}' stands twice in the header")]
    AmbiguousColumn(String),
}

impl Error {
    /// Whether reading may go on behind this error: one row is lost, not the input.
    pub fn is_row(&self) -> bool {
        matches!(self, Self::Row { .. })
    }
}

/// A cell that does not hold what its column promises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column '{column}' is not {expected}: '{found}'")]
pub struct CellError {
    /// The column's name.
    pub column: String,
    /// What the dictionary promises, in words.
    pub expected: &'static str,
    /// The cell's text, cut to 40 bytes.
    pub found: String,
}

impl CellError {
    /// A cell error with the found text made printable.
    pub fn new(column: &str, expected: &'static str, found: &[u8]) -> Self {
        let cut = &found[..found.len().min(40)];
        Self {
            column: column.to_owned(),
            expected,
            found: String::from_utf8_lossy(cut).escape_debug().to_string(),
        }
    }
}
