//! State files: what a tool keeps between one input and the next.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What stands in a state file: for which tool, under which options, and the rest.
#[derive(Debug, Serialize, Deserialize)]
pub struct SavedState {
    /// The options that must be the same when it is used again, in words.
    pub options: String,
    /// The parts that the tool saves.
    pub parts: Vec<Vec<u8>>,
}

/// Why a state file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateFileError {
    /// It cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The state file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is none, of another tool or format, or damaged.
    #[error("{path}: {what}")]
    Format {
        /// The state file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// It was saved under other options.
    #[error("{path}: saved under other options: {saved}; asked for now: {asked}")]
    Options {
        /// The state file.
        path: PathBuf,
        /// Those it was saved under.
        saved: String,
        /// Those of this run.
        asked: String,
    },
}

/// A state file begins with this line: the tool, and the number of the format, which changes with every type in it.
fn head(tool: &str) -> Vec<u8> {
    format!("probeline {tool} state 2\n").into_bytes()
}

impl SavedState {
    /// The state that `tool` saved under these options; `None` where there is no such file yet.
    ///
    /// # Errors
    /// As [`StateFileError`] says.
    pub fn load(path: &Path, tool: &str, options: &str) -> Result<Option<Self>, StateFileError> {
        let format = |what: String| StateFileError::Format { path: path.to_owned(), what };
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateFileError::Io { path: path.to_owned(), source }),
        };
        let Some(body) = bytes.strip_prefix(&head(tool)[..]) else {
            return Err(format(format!("not a state of {tool}, or of another version")));
        };
        let state: Self = postcard::from_bytes(body).map_err(|e| format(format!("damaged state: {e}")))?;
        if state.options != options {
            let (path, saved, asked) = (path.to_owned(), state.options, options.to_owned());
            return Err(StateFileError::Options { path, saved, asked });
        }
        Ok(Some(state))
    }

    /// Writes the state so that an interruption leaves the old one: to a file beside it, which is brought to the disk
    /// and then takes its name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, path: &Path, tool: &str) -> Result<(), StateFileError> {
        let failed = |source| StateFileError::Io { path: path.to_owned(), source };
        let body = postcard::to_stdvec(self).map_err(|e| failed(io::Error::other(e)))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any output file: what the umask leaves.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.prefix(".state-").tempfile_in(folder).map_err(failed)?;
        file.write_all(&head(tool)).map_err(failed)?;
        file.write_all(&body).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(path).map_err(|e| failed(e.error))?;
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_and_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        assert!(SavedState::load(&path, "a", "x").unwrap().is_none());
        let state = SavedState { options: "x".to_owned(), parts: vec![vec![1, 2], vec![]] };
        state.save(&path, "a").unwrap();
        assert_eq!(SavedState::load(&path, "a", "x").unwrap().unwrap().parts, state.parts);
        assert!(matches!(SavedState::load(&path, "a", "y"), Err(StateFileError::Options { .. })));
        assert!(matches!(SavedState::load(&path, "b", "x"), Err(StateFileError::Format { .. })));
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(bytes.len() - 2);
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(SavedState::load(&path, "a", "x"), Err(StateFileError::Format { .. })));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "no temporary file is left");
        assert!(state.save(&folder.path().join("none/state"), "a").is_err());
    }
}
