//! The tool as a user runs it, and its files as others read them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "for tests only: whatever is wrong here fails the test"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use probeline_testkit::{Output, bundled, skipped, tool, workspace};

/// Rows of the bundled capture: packets, or what a pipeline makes of them.
fn rows(stages: &[(&str, &[&str])], folder: &Path) -> PathBuf {
    let mut bytes = tool("pkt2csv").arg(bundled("lab-honeypot.pcap")).run().stdout;
    for (name, args) in stages {
        bytes = tool(name).args(*args).stdin(bytes).run().stdout;
    }
    let path = folder.join("rows.csv");
    std::fs::write(&path, bytes).unwrap();
    path
}

fn convert(rows: &Path, args: &[&str]) -> (PathBuf, Output) {
    let path = rows.with_extension("parquet");
    let output = tool("csv2parquet").arg(rows).arg("-o").arg(&path).args(args).run();
    (path, output)
}

/// A Python that has these readers, as the project's own script installs it.
fn python(test: &str, module: &str) -> Option<PathBuf> {
    let path = workspace().join("target/venv/bin/python");
    let has = Command::new(&path).args(["-c", &format!("import {module}")]).output();
    if has.is_ok_and(|output| output.status.success()) {
        return Some(path);
    }
    skipped(test, &format!("no {module}: scripts/setup/python"));
    None
}

#[track_caller]
fn witness(python: &Path, rows: &Path, parquet: &Path, reader: &str) {
    let script = workspace().join("tools/csv2parquet/tests/witness.py");
    let output = Command::new(python).arg(script).arg(rows).arg(parquet).arg(reader).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("all values equal"), "{said}");
}

/// Every value of packet rows and probe rows, with IPv6, ICMP errors and absent cells among them.
fn read_by(test: &str, module: &str, reader: &str) {
    let Some(python) = python(test, module) else { return };
    for stages in [&[][..], &[("scan-classify", &["--class", "all"][..])]] {
        let folder = tempfile::tempdir().unwrap();
        let rows = rows(stages, folder.path());
        let (parquet, output) = convert(&rows, &[]);
        output.code(0).stderr_has(" + 0 skipped");
        witness(&python, &rows, &parquet, reader);
        assert!(parquet.metadata().unwrap().len() < rows.metadata().unwrap().len() / 4);
    }
}

#[test]
fn duckdb_reads_it() {
    read_by("duckdb_reads_it", "duckdb", "duckdb");
}

#[test]
fn polars_reads_it() {
    read_by("polars_reads_it", "polars", "polars");
}

#[test]
fn spark_reads_it() {
    read_by("spark_reads_it", "pyspark", "spark");
}

#[test]
fn the_input_may_be_json_and_the_output_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let csv = rows(&[], folder.path());
    let (parquet, _) = convert(&csv, &[]);
    let json = tool("pkt2csv").args(["--format", "ndjson"]).arg(bundled("lab-honeypot.pcap")).run();
    let piped = tool("csv2parquet").args(["-o", "-"]).stdin(json.stdout).run();
    piped.code(0);
    assert_eq!(piped.stdout, std::fs::read(&parquet).unwrap());
    assert!(piped.stdout.starts_with(b"PAR1") && piped.stdout.ends_with(b"PAR1"));
}

#[test]
fn a_cell_of_another_type_costs_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    std::fs::write(&path, "ts,src_ip,ttl,note\n1.5,a,64,x\n2.5,b,256,y\n3,c\n4.5,d,,\"z,z\"\nnever,e,1,\n")
        .unwrap();
    let (parquet, output) = convert(&path, &[]);
    output
        .code(1)
        .stderr_has("line 3: column 'ttl' is not a whole number in range: '256'")
        .stderr_has("line 4: 2 cells where the header has 4")
        .stderr_has("line 6: column 'ts' is not Unix seconds: 'never'")
        .stderr_has("5 rows read = 2 written + 3 skipped");
    let Some(python) = python("a_cell_of_another_type_costs_its_row", "duckdb") else { return };
    let query = format!(
        "import duckdb; print(duckdb.sql(\"SELECT src_ip, ttl, note FROM '{}'\").fetchall())",
        parquet.display()
    );
    let said = Command::new(python).args(["-c", &query]).output().unwrap().stdout;
    assert_eq!(String::from_utf8_lossy(&said).trim(), "[('a', 64, 'x'), ('d', None, 'z,z')]");
}

#[test]
fn nanoseconds_on_request() {
    let Some(python) = python("nanoseconds_on_request", "polars") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    std::fs::write(&path, "ts\n1700000000.123456789\n").unwrap();
    for (args, expected) in [(&["--nanoseconds"][..], "1700000000123456789"), (&[], "1700000000123456000")] {
        let (parquet, output) = convert(&path, args);
        output.code(0);
        let query = format!(
            "import polars; print(polars.read_parquet('{}')['ts'].dt.epoch('ns')[0])",
            parquet.display()
        );
        let said = Command::new(&python).args(["-c", &query]).output().unwrap().stdout;
        assert_eq!(String::from_utf8_lossy(&said).trim(), expected);
    }
}

#[test]
fn what_cannot_be_done_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    for (text, complaint) in
        [("", "empty input"), ("a,a\n1,2\n", "stands twice"), ("\0\0\0\0", "binary data")]
    {
        std::fs::write(&path, text).unwrap();
        let (parquet, output) = convert(&path, &[]);
        output.code(2).no_panic().stderr_has(complaint);
        assert!(!parquet.exists(), "{complaint}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{complaint}");
    }
    std::fs::write(&path, "a\n1\n").unwrap();
    tool("csv2parquet")
        .arg(&path)
        .args(["-o", "/no/such/folder/x"])
        .run()
        .code(2)
        .stderr_has("/no/such/folder/x");
}
