//! Rows an author expects against rows that came.

use std::fmt::Write;

use serde::Deserialize;

use crate::{Row, Table};

/// One kind of row an author expects: what some of its columns hold, and how often it comes.
///
/// In TOML: `{ src_ip = "203.0.113.7", dst_port = 22, technique = "syn", times = 25 }`. Text must be equal,
/// numbers equal as numbers (`0` and `0.000000` are), and `""` says that the cell is absent. `times`, one
/// unless said otherwise, is no column.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "toml::Table")]
pub struct ExpectedRow {
    cells: Vec<(String, toml::Value)>,
    times: usize,
}

impl From<toml::Table> for ExpectedRow {
    fn from(mut table: toml::Table) -> Self {
        let times = table.remove("times").map_or(1, |times| {
            let times = times.as_integer().and_then(|times| usize::try_from(times).ok());
            times.unwrap_or_else(|| panic!("'times' is a whole number"))
        });
        Self { cells: table.into_iter().collect(), times }
    }
}

impl ExpectedRow {
    fn fits(&self, row: Row<'_>) -> bool {
        self.cells.iter().all(|(column, value)| row.has(column) && equal(value, row.get(column)))
    }

    /// The columns of a row that are not as expected.
    fn differences(&self, row: Row<'_>) -> Vec<String> {
        let mut differences = Vec::new();
        for (column, value) in &self.cells {
            if !row.has(column) {
                differences.push(format!("no column {column}"));
            } else if !equal(value, row.get(column)) {
                differences.push(format!(
                    "{column}={} instead of {}",
                    row.get(column).unwrap_or(""),
                    text(value)
                ));
            }
        }
        differences
    }

    fn show(&self) -> String {
        let cells: Vec<_> =
            self.cells.iter().map(|(column, value)| format!("{column}={}", text(value))).collect();
        cells.join(" ")
    }
}

fn text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(truth) => truth.to_string(),
        other => panic!("a cell is text, a number or a truth value, not {}", other.type_str()),
    }
}

fn equal(expected: &toml::Value, cell: Option<&str>) -> bool {
    let cell = cell.unwrap_or("");
    match expected {
        toml::Value::Integer(number) => cell.parse() == Ok(*number) || cell.parse() == Ok(*number as f64),
        toml::Value::Float(number) => cell.parse() == Ok(*number),
        other => cell == text(other),
    }
}

/// What becomes of rows that no one expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They are as wrong as missing ones.
    Forbidden,
    /// They may be there.
    Allowed,
}

/// Holds a table against the rows an author expects, whatever their order.
///
/// Each row of the table counts for one expected row at most; where it would fit several, it is given to the
/// one that makes most of them come true.
///
/// # Errors
/// A text that shows what is missing, with the nearest row that did come, and what is too much.
pub fn compare(expected: &[ExpectedRow], others: Others, table: &Table) -> Result<(), String> {
    let rows: Vec<Row<'_>> = table.rows().collect();
    let fits: Vec<Vec<usize>> =
        rows.iter().map(|row| (0..expected.len()).filter(|i| expected[*i].fits(*row)).collect()).collect();
    let mut given = Matching { fits: &fits, expected, given: vec![Vec::new(); expected.len()] };
    let left: Vec<usize> =
        (0..rows.len()).filter(|row| !given.place(*row, &mut vec![false; expected.len()])).collect();

    let mut report = String::new();
    for (want, got) in expected.iter().zip(&given.given) {
        let missing = want.times - got.len();
        if missing > 0 {
            writeln!(report, "missing {missing} of {}: {}", want.times, want.show()).unwrap();
            let nearest = left.iter().map(|row| want.differences(rows[*row])).min_by_key(Vec::len);
            if let Some(nearest) = nearest.filter(|differences| !differences.is_empty()) {
                writeln!(report, "    nearest: {}", nearest.join(", ")).unwrap();
            }
        }
    }
    if others == Others::Forbidden {
        for row in left.iter().take(20) {
            writeln!(report, "unexpected: row {}: {:?}", row + 1, rows[*row]).unwrap();
        }
        if left.len() > 20 {
            writeln!(report, "unexpected: {} rows more", left.len() - 20).unwrap();
        }
    }
    if report.is_empty() { Ok(()) } else { Err(report) }
}

/// A maximum bipartite matching between rows and expected rows, by augmenting paths.
struct Matching<'a> {
    fits: &'a [Vec<usize>],
    expected: &'a [ExpectedRow],
    given: Vec<Vec<usize>>,
}

impl Matching<'_> {
    fn place(&mut self, row: usize, tried: &mut Vec<bool>) -> bool {
        for &want in &self.fits[row] {
            if std::mem::replace(&mut tried[want], true) {
                continue;
            }
            if self.given[want].len() < self.expected[want].times {
                self.given[want].push(row);
                return true;
            }
            for i in 0..self.given[want].len() {
                if self.place(self.given[want][i], tried) {
                    self.given[want][i] = row;
                    return true;
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(toml: &str) -> Vec<ExpectedRow> {
        #[derive(Deserialize)]
        struct File {
            rows: Vec<ExpectedRow>,
        }
        toml::from_str::<File>(toml).unwrap().rows
    }

    #[test]
    fn partial_rows_in_any_order_with_numbers_as_numbers() {
        let table = Table::parse("a,duration,b\nx,0.000000,\ny,1.5,2\nx,3,\n").unwrap();
        let rows = expected(
            "rows = [{ a = 'x', b = '', times = 2 }, { duration = 1.5, b = 2 }, { a = 'z', times = 0 }]",
        );
        assert_eq!(compare(&rows, Others::Forbidden, &table), Ok(()));
    }

    #[test]
    fn a_row_is_given_to_where_it_is_needed() {
        // Both rows fit the first expectation, only the first row fits the second: a greedy choice would
        // fail.
        let table = Table::parse("a,b\n1,1\n1,2\n").unwrap();
        let rows = expected("rows = [{ a = 1 }, { b = 1 }]");
        assert_eq!(compare(&rows, Others::Forbidden, &table), Ok(()));
    }

    #[test]
    fn what_is_wrong_is_shown() {
        let table = Table::parse("a,b\n1,5\n2,2\n").unwrap();
        let rows = expected("rows = [{ a = 1, b = 1, times = 3 }, { a = 2 }]");
        let report = compare(&rows, Others::Forbidden, &table).unwrap_err();
        assert_eq!(
            report,
            "missing 3 of 3: a=1 b=1\n    nearest: b=5 instead of 1\nunexpected: row 1: a=1 b=5 \n"
        );
        assert!(!compare(&rows, Others::Allowed, &table).unwrap_err().contains("unexpected"));
        let unknown = expected("rows = [{ c = '' }]");
        assert!(compare(&unknown, Others::Allowed, &table).unwrap_err().contains("no column c"));
    }
}
