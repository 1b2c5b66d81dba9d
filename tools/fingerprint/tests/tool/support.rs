//! Packet rows of the laboratory's captures, and what has been done to them.

use std::collections::BTreeMap;
use std::path::Path;

use probeline_testkit::{LabCapture, Table, captures, lab_index, tool};

/// The captures of one scanning tool each, or `None`, said aloud, where they are absent.
pub(crate) fn laboratory(test: &str) -> Option<Vec<LabCapture>> {
    let captures: Vec<_> = lab_index(&captures(test)?.join("lab"));
    assert!(captures.len() > 20, "an index without lines proves nothing");
    Some(captures)
}

/// The packet rows of a capture as lines, the header first.
#[track_caller]
pub(crate) fn rows(capture: &Path) -> Vec<String> {
    let out = tool("pkt2csv").arg("--payload").arg("32").arg(capture).run();
    out.code(0);
    out.out().lines().map(str::to_owned).collect()
}

/// One of the captures by its name.
pub(crate) fn named<'a>(captures: &'a [LabCapture], name: &str) -> &'a LabCapture {
    captures.iter().find(|capture| capture.file.ends_with(name)).expect("a capture of the index")
}

/// The name that rows carry for a tool of the index. What calls connect() is known by the system only.
pub(crate) fn expected(capture: &LabCapture) -> String {
    match (capture.tool.as_str(), capture.command.contains("-sT")) {
        ("pnscan", _) | (_, true) => "os-stack".to_owned(),
        (name, _) => name.to_lowercase(),
    }
}

/// What the tool makes of rows.
#[track_caller]
pub(crate) fn fingerprint(rows: &[String], args: &[&str]) -> Table {
    let out = tool("fingerprint").args(args).stdin(rows.join("\n") + "\n").run();
    out.code(0).no_panic();
    let table = out.table();
    assert_eq!(table.len(), rows.len() - 1);
    table
}

/// How often each tool is named on packets that are not neighbour discovery, which the scanner's host sends.
pub(crate) fn tools(table: &Table) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in table.rows().filter(|row| row.get("proto") != Some("icmp6")) {
        *counts.entry(row.get("tool").expect("every row has a tool").to_owned()).or_insert(0) += 1;
    }
    counts
}

/// The rows with one cell each changed.
pub(crate) fn with(rows: &[String], column: &str, change: impl Fn(usize, &str) -> String) -> Vec<String> {
    let place = rows[0].split(',').position(|name| name == column).expect("a column of packet rows");
    let changed = rows[1..].iter().enumerate().map(|(i, row)| {
        let mut cells: Vec<&str> = row.split(',').collect();
        let cell = change(i, cells[place]);
        cells[place] = &cell;
        cells.join(",")
    });
    std::iter::once(rows[0].clone()).chain(changed).collect()
}
