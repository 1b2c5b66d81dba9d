//! Every console block of the project's pages is run and must write what the page says. `BLESS=1` rewrites
//! the pages.

use std::path::PathBuf;

use probeline_pipelines::{bless, transcript};
use probeline_testkit::{Bash, skipped, workspace};

fn pages() -> Vec<PathBuf> {
    let root = workspace();
    let mut pages = vec![root.join("README.md")];
    for folder in ["docs", "tools"] {
        for entry in std::fs::read_dir(root.join(folder)).into_iter().flatten() {
            let path = entry.expect("the project's own folder").path();
            pages.push(if path.is_dir() { path.join("README.md") } else { path });
        }
    }
    pages.retain(|page| page.is_file() && page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

/// A shell whose scratch directory holds the captures that come with the project.
fn with_captures(script: &str) -> Bash {
    let mut shell = Bash::new(script);
    for entry in std::fs::read_dir(workspace().join("tests/captures")).expect("tests/captures") {
        shell = shell.link(entry.expect("tests/captures").path());
    }
    shell
}

#[test]
fn every_console_block_is_true() {
    let mut faults = Vec::new();
    for path in pages() {
        let page = std::fs::read_to_string(&path).expect("the project's own page");
        assert!(
            path != workspace().join("README.md") || !transcript::steps(&page).is_empty(),
            "{} shows nothing that could be run",
            path.display()
        );
        let outcome = transcript::run(&page, with_captures);
        for step in &outcome.skipped {
            skipped(&path.display().to_string(), step);
        }
        if bless() && outcome.rewritten != page {
            std::fs::write(&path, outcome.rewritten).expect("the project's own page");
        }
        faults.extend(outcome.faults.iter().map(|fault| format!("{}: {fault}", path.display())));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
