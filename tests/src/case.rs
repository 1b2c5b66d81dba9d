//! The folders of `tests/cases`: one pipeline each.
//!
//! | file | what |
//! |---|---|
//! | `cmd` | one or more pipelines, for bash with `-e` and `pipefail` |
//! | `scenario.toml` | packets, made into `scenario.pcap`; its `telescope` is the variable `$telescope` |
//! | `expected.out` | stdout, exactly |
//! | `expected.err` | stderr; `*` stands for any text, a line `...` for any lines |
//! | `expected.code` | the exit code, where it is not 0 |
//! | anything else | there while the command runs |
//!
//! What a scenario's author expects is held against stdout (`[expect.stdout]`) or a file that the command
//! writes (`[expect.probes]`: `probes.csv` or `probes.ndjson`). That is a statement; `BLESS=1`, which
//! rewrites the other expectations, leaves it alone.

use std::fs;
use std::path::Path;

use probeline_testkit::{Bash, Output, Scenario, Table};

use crate::{bless, lines};

/// Runs one case: what is wrong, if anything.
///
/// # Panics
/// When the case itself is malformed.
pub fn run(dir: &Path) -> Vec<String> {
    let text = |name: &str| fs::read_to_string(dir.join(name)).ok();
    let cmd = text("cmd").unwrap_or_else(|| panic!("{}: no 'cmd'", dir.display()));
    let scenario = dir.join("scenario.toml");
    let scenario = scenario.is_file().then(|| Scenario::load(scenario));
    let expected_out = text("expected.out");
    let states_something =
        expected_out.is_some() || scenario.as_ref().is_some_and(|s| s.expects().next().is_some());
    assert!(states_something || bless(), "{}: states nothing, so it cannot fail", dir.display());

    let shell = shell(dir, &cmd, scenario.as_ref());
    let output = shell.run();
    let mut faults = Vec::new();
    let mut fault = |why: String| faults.push(format!("{}: {why}\n{}", dir.display(), output.report()));

    let code: i32 =
        text("expected.code").map_or(0, |code| code.trim().parse().expect("'expected.code' is a number"));
    if output.code != Some(code) {
        fault(format!("expected exit code {code}"));
    }
    if let Some(scenario) = &scenario {
        for name in scenario.expects() {
            if let Err(why) = table(name, &output, &shell).and_then(|table| scenario.check(name, &table)) {
                fault(why);
            }
        }
    }
    let out = output.out();
    match &expected_out {
        Some(expected) if *expected == out => {}
        Some(_) | None if bless() && !states_tables(scenario.as_ref()) => {
            fs::write(dir.join("expected.out"), &out).expect("the project's own file");
        }
        Some(expected) => {
            fault(format!("stdout is not expected.out:\n--- expected\n{expected}--- got\n{out}"));
        }
        None => {}
    }
    if let Some(expected) = text("expected.err") {
        let err = output.err();
        let (want, got): (Vec<_>, Vec<_>) = (expected.lines().collect(), err.lines().collect());
        if !lines::fit_wild(&want, &got) {
            if bless() {
                fs::write(dir.join("expected.err"), &err).expect("the project's own file");
            } else {
                fault(format!("stderr is not expected.err:\n--- expected\n{expected}--- got\n{err}"));
            }
        }
    }
    faults
}

fn states_tables(scenario: Option<&Scenario>) -> bool {
    scenario.is_some_and(|scenario| scenario.expects().next().is_some())
}

fn shell(dir: &Path, cmd: &str, scenario: Option<&Scenario>) -> Bash {
    const OWN: [&str; 5] = ["cmd", "scenario.toml", "expected.out", "expected.err", "expected.code"];
    // A command that fails in the middle of several is a failure.
    let mut shell = Bash::new(&format!("set -e\n{cmd}"));
    if let Some(scenario) = scenario {
        shell = shell.file("scenario.pcap", scenario.to_pcap()).env("telescope", scenario.telescope());
    }
    for entry in fs::read_dir(dir).expect("a folder of cases") {
        let path = entry.expect("a folder of cases").path();
        if !OWN.iter().any(|own| path.ends_with(own)) {
            shell = shell.link(path);
        }
    }
    shell
}

/// The table that an expectation of this name is about.
fn table(name: &str, output: &Output, shell: &Bash) -> Result<Table, String> {
    if name == "stdout" {
        return Table::parse(&output.out());
    }
    for extension in ["csv", "ndjson"] {
        if let Ok(text) = fs::read_to_string(shell.scratch().join(name).with_extension(extension)) {
            return Table::parse(&text).map_err(|why| format!("{name}.{extension}: {why}"));
        }
    }
    Err(format!("the command left no {name}.csv or {name}.ndjson"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(files: &[(&str, &str)]) -> Vec<String> {
        let dir =
            std::env::temp_dir().join(format!("probeline-case-{}-{}", std::process::id(), files[0].1.len()));
        fs::create_dir_all(&dir).unwrap();
        for (name, content) in files {
            fs::write(dir.join(name), content).unwrap();
        }
        let faults = run(&dir);
        fs::remove_dir_all(&dir).unwrap();
        faults
    }

    #[test]
    fn a_case_that_holds() {
        let faults = case(&[
            (
                "cmd",
                "cat input; wc -c <scenario.pcap >&2; echo $telescope >&2; echo a >probes.csv; (exit 3); echo",
            ),
            ("input", "x\n"),
            ("scenario.toml", "name = 'n'\ntelescope = ['192.0.2.1']\n[expect.probes]\nrows = []\n"),
            ("expected.out", "x\n"),
            ("expected.err", "2*\n...\n"),
            ("expected.code", "3\n"),
        ]);
        assert_eq!(faults, Vec::<String>::new());
    }

    #[test]
    fn every_expectation_can_fail() {
        let faults = case(&[
            ("cmd", "echo x; echo y >&2; exit 1"),
            (
                "scenario.toml",
                "name = 'n'\n[expect.stdout]\nrows = [{ x = 1 }]\n[expect.probes]\nrows = []\n",
            ),
            ("expected.out", "z\n"),
            ("expected.err", "z\n"),
        ]);
        for (fault, part) in faults.iter().zip([
            "exit code 0",
            "no probes.csv",
            "missing 1 of 1",
            "expected.out",
            "expected.err",
        ]) {
            assert!(fault.contains(part), "{part}: {fault}");
        }
        assert_eq!(faults.len(), 5);
    }
}
