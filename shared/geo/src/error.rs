//! What can go wrong with a database.

use std::io;
use std::path::PathBuf;

/// A database that cannot be used, or is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be opened, read or mapped.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not a sound MaxMind DB.
    #[error("{}: not a usable MaxMind DB: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What the reader found wrong, with its place in the file where it knows one.
        reason: String,
    },
    /// A line of a prefix-to-AS file is not a prefix with its AS number.
    #[error("{}:{line}: {reason}", path.display())]
    Prefix {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A file is no list of networks.
    #[error("{}: {reason}", path.display())]
    List {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A database was named for something that its records do not tell.
    #[error("{}: no {wanted} in its records (layout: {layout})", path.display())]
    Lacks {
        /// The file.
        path: PathBuf,
        /// What it was named for.
        wanted: &'static str,
        /// What its records look like.
        layout: String,
    },
    /// No database of a kind was found in any folder.
    #[error("no {wanted} database found (looked in {looked}); get the default ones with: make geo")]
    Missing {
        /// The kind that is missing.
        wanted: &'static str,
        /// The folders, in the order in which they were searched.
        looked: String,
    },
}
