//! Tables and bars for people.

use std::io::IsTerminal;

use probeline_chart::share;
use probeline_chart::table::{Align, Table, thousands};
use probeline_chart::term;

use crate::Task;
use crate::args::Log;
use crate::rows::is_number;
use crate::summary::{Ident, Summary};
use crate::text::{ABSENT, percent};

/// Narrower is not readable.
const LEAST_WIDTH: usize = 20;

/// The rows as a table: counts with thousands apart, shares in per cent.
pub(crate) fn table(task: &Task<'_>, summary: &Summary) -> Table {
    let time = task.args.bin.every.is_some();
    let mut columns: Vec<(String, Align)> = task
        .key_names()
        .into_iter()
        .map(|name| {
            let align = if is_number(task, &name) && !time { Align::Right } else { Align::Left };
            (name, align)
        })
        .collect();
    let keys = columns.len();
    columns.extend(task.series_names(summary).into_iter().map(|name| (name, Align::Right)));
    columns.extend(["count", "share", "cumulative"].map(|name| (name.to_owned(), Align::Right)));
    if task.args.order.ccdf {
        columns.push(("ccdf".into(), Align::Right));
    }
    let mut table = Table::new(columns);
    let values = summary.values();
    for (at, row) in summary.rows.iter().enumerate() {
        let mut cells: Vec<String> = match summary.ident(row) {
            Ident::Absent => vec![ABSENT.into()],
            Ident::Range(..) if time => vec![task.key_text(summary, row)],
            _ => {
                let cells = task.key_cells(summary, row);
                cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
            }
        };
        cells.resize(keys, String::new());
        for (&amount, &whole) in summary.cells(at).iter().zip(&summary.series_totals) {
            let text =
                if task.args.order.shares { percent(amount, whole) } else { thousands(&task.amount(amount)) };
            cells.push(text);
        }
        cells.push(thousands(&task.amount(row.count)));
        cells.push(percent(row.count, summary.total));
        cells.push(percent(row.up_to, summary.total));
        if task.args.order.ccdf && matches!(summary.ident(row), Ident::Value(_)) {
            cells.push(share::decimal(values + row.count - row.up_to, values, 6));
        }
        table.push(cells);
    }
    table
}

/// The rows as bars, one per row or one per row and series.
pub(crate) fn bars(task: &Task<'_>, summary: &Summary, to_stdout: bool) -> String {
    let rows: Vec<term::Row> = summary
        .rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let (values, texts) = bar(task, summary, at);
            term::Row { label: task.key_text(summary, row), values, texts }
        })
        .collect();
    let to_terminal = to_stdout && std::io::stdout().is_terminal();
    let options = term::Options {
        width: width(task, to_stdout).unwrap_or(80).max(LEAST_WIDTH),
        log: matches!(task.args.output.log, Some(Log::Y | Log::Xy)),
        // https://no-color.org: any text but an empty one asks for none.
        colour: to_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        series: task.series_names(summary),
    };
    term::bars(&rows, &options)
}

/// The lengths of a row's bars and the numbers behind them.
pub(crate) fn bar(task: &Task<'_>, summary: &Summary, at: usize) -> (Vec<f64>, Vec<String>) {
    let row = &summary.rows[at];
    let number = |amount: u128| thousands(&task.amount(amount));
    if summary.series.is_empty() {
        let text = format!("{} ({})", number(row.count), percent(row.count, summary.total));
        return (vec![task.length(row.count)], vec![text]);
    }
    let cells = summary.cells(at).iter().zip(&summary.series_totals);
    cells
        .map(|(&amount, &whole)| {
            if task.args.order.shares {
                (100.0 * amount as f64 / (whole.max(1)) as f64, percent(amount, whole))
            } else {
                (task.length(amount), number(amount))
            }
        })
        .unzip()
}

/// Columns to write in: as asked, else the terminal's; a file has no width of its own.
pub(crate) fn width(task: &Task<'_>, to_stdout: bool) -> Option<usize> {
    if let Some(width) = task.args.output.width {
        return Some(usize::from(width));
    }
    let to_terminal = to_stdout && std::io::stdout().is_terminal();
    to_terminal.then(|| terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0)))
}
