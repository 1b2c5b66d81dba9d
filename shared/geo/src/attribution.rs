//! The licence lines that `make geo` writes beside the databases.

use std::fs;
use std::path::Path;

/// Name of the file with the licence lines: `file name: line`, one for each database in its folder, and
/// comment lines that start with `#`.
pub const ATTRIBUTION_FILE: &str = "ATTRIBUTION";

/// The licence line of a database, from the attribution file beside it where there is one that names it.
pub(crate) fn licence_line(database: &Path) -> Option<String> {
    let name = database.file_name()?.to_str()?;
    let text = fs::read_to_string(database.with_file_name(ATTRIBUTION_FILE)).ok()?;
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .find(|(file, _)| *file == name)
        .map(|(_, line)| line.trim().to_owned())
}
