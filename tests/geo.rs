//! Where addresses are, held against readers that others wrote.

use std::time::Duration;

use probeline_testkit::{Bash, skipped, workspace};

#[test]
fn places_numbers_zones_and_hours_are_those_of_pythons_readers() {
    const TEST: &str = "places_numbers_zones_and_hours_are_those_of_pythons_readers";
    let python = workspace().join("target/venv/bin/python");
    if !python.exists() {
        skipped(TEST, "no target/venv; scripts/setup/python makes it where PyPI can be reached");
        return;
    }
    // All databases of the default folder lie beside the first that is listed.
    let listed = Bash::new("geo-enrich --list-databases | grep -m1 -o '^[^,]*[.]mmdb' | xargs dirname").run();
    let folder = listed.out().trim().to_owned();
    if folder.is_empty() {
        skipped(TEST, "no database of places; make geo gets them");
        return;
    }
    // The command alone does a hundred thousand.
    let script =
        "\"$python\" \"$crosscheck\" --addresses 5000 --geo-enrich \"$(command -v geo-enrich)\" \"$folder\"";
    let output = Bash::new(script)
        .env("python", python)
        .env("crosscheck", workspace().join("scripts/geo/crosscheck"))
        .env("folder", folder)
        .within(Duration::from_secs(300))
        .run();
    output.code(0).stdout_has(": 0 differences");
}
