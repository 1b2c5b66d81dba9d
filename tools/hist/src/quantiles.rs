//! Quantiles of a column, per series and of all.

use std::io::{self, Write};

use probeline_chart::dist::{self, Weighted};
use probeline_chart::table::{Align, Table};
use probeline_record::{Encoder, Format};

use crate::Task;
use crate::summary::{Ident, Summary};

/// Writes one row per quantile: its share, the value in each series, the value in all.
pub(crate) fn write(
    task: &Task<'_>,
    summary: &Summary,
    format: Format,
    output: impl Write,
) -> io::Result<()> {
    let mut out = Encoder::new(output, format);
    let names = names(task, summary);
    out.header(names.iter().map(String::as_str));
    for row in rows(task, summary) {
        out.begin();
        for cell in row {
            if cell.is_empty() { out.absent() } else { out.decimal(&cell) }
        }
        out.end()?;
    }
    out.flush()
}

/// The same for people.
pub(crate) fn table(task: &Task<'_>, summary: &Summary) -> Table {
    let mut table = Table::new(names(task, summary).into_iter().map(|name| (name, Align::Right)));
    for row in rows(task, summary) {
        table.push(row);
    }
    table
}

fn names(task: &Task<'_>, summary: &Summary) -> Vec<String> {
    let mut names = vec!["quantile".to_owned()];
    names.extend(task.series_names(summary));
    names.push(task.columns[0].clone());
    names
}

fn rows(task: &Task<'_>, summary: &Summary) -> Vec<Vec<String>> {
    let values = |amount: &dyn Fn(usize) -> u128| -> Vec<Weighted> {
        let rows = summary.rows.iter().enumerate();
        rows.filter_map(|(at, row)| match summary.ident(row) {
            Ident::Value(value) => Some((value, amount(at))),
            _ => None,
        })
        .collect()
    };
    let mut lists: Vec<Vec<Weighted>> =
        (0..summary.series.len()).map(|series| values(&|row| summary.cells(row)[series])).collect();
    lists.push(values(&|row| summary.rows[row].count));
    let quantiles = task.args.bin.quantiles.iter();
    quantiles
        .map(|&q| {
            let found =
                lists.iter().map(|list| dist::quantile(list, q).map_or_else(String::new, |v| v.to_string()));
            std::iter::once(q.to_string()).chain(found).collect()
        })
        .collect()
}
