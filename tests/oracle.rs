//! The classification written a second time, in Python: it agrees with the document's own cases, and the tools agree
//! with it row for row.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use probeline_testkit::{Bash, bin, skipped};

/// Where the second implementation lies, if it can run here.
fn oracle(test: &str) -> Option<&'static Path> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/oracle"));
    let runs =
        Command::new("python3").arg("-c").arg("import sys; sys.exit(sys.version_info < (3, 11))").status();
    if runs.is_ok_and(|status| status.success()) {
        return Some(folder);
    }
    skipped(test, "no Python 3.11");
    None
}

#[test]
fn the_oracle_agrees_with_the_document() {
    let Some(folder) = oracle("the_oracle_agrees_with_the_document") else { return };
    let script = format!("cd '{}' && python3 -B -m unittest", folder.display());
    Bash::new(&script).run().code(0);
}

#[test]
fn the_tools_agree_with_the_oracle() {
    let Some(folder) = oracle("the_tools_agree_with_the_oracle") else { return };
    let tools = bin("scan-group");
    let _ = (bin("scan-classify"), bin("pkt2csv"));
    let bins = tools.parent().expect("a folder of tools");
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let script = format!(
        "python3 -B '{}/compare' --bin '{}' --seeds 1-6 --rows 150 --captures '{}'",
        folder.display(),
        bins.display(),
        captures.display()
    );
    Bash::new(&script).within(Duration::from_secs(120)).run().code(0).stdout_has(" 0 differ, 0 not compared");
}
