//! Every folder of `tests/cases` is a pipeline and what comes of it; `probeline_pipelines::case` says how
//! they look.

use std::path::PathBuf;

use probeline_pipelines::case;
use probeline_testkit::workspace;

#[test]
fn every_case_holds() {
    let cases = workspace().join("tests/cases");
    let mut dirs: Vec<PathBuf> = std::fs::read_dir(&cases)
        .expect("tests/cases")
        .map(|entry| entry.expect("tests/cases").path())
        .collect();
    dirs.sort();
    assert!(!dirs.is_empty(), "no cases: nothing was tested");
    let faults: Vec<String> = dirs.iter().flat_map(|dir| case::run(dir)).collect();
    assert!(faults.is_empty(), "{} faults in {} cases:\n{}", faults.len(), dirs.len(), faults.join("\n\n"));
}
