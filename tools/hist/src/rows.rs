//! Bin rows, as CSV and NDJSON.

use std::io::{self, Write};

use probeline_chart::share;
use probeline_record::{Encoder, Format, field};

use crate::Task;
use crate::summary::{Ident, Summary};
use crate::text::OF_INPUT;

/// Decimals of shares: one in a million is seen.
pub(crate) const PLACES: u32 = 6;

/// Writes the rows.
pub(crate) fn write(
    task: &Task<'_>,
    summary: &Summary,
    format: Format,
    output: impl Write,
) -> io::Result<()> {
    let keys = task.key_names();
    let series = task.series_names(summary);
    let mut names: Vec<&str> = keys.iter().chain(&series).map(String::as_str).collect();
    names.extend(["count", "share", "cumulative"]);
    if task.args.order.ccdf {
        names.push("ccdf");
    }
    let values = summary.values();
    let numbers: Vec<bool> = keys.iter().map(|name| is_number(task, name)).collect();

    let mut out = Encoder::new(output, format);
    out.header(names);
    for (at, row) in summary.rows.iter().enumerate() {
        out.begin();
        for (cell, &number) in task.key_cells(summary, row).iter().zip(&numbers) {
            key(&mut out, cell, number);
        }
        for (&amount, &whole) in summary.cells(at).iter().zip(&summary.series_totals) {
            if task.args.order.shares {
                ratio(&mut out, amount, whole);
            } else {
                out.decimal(&task.amount(amount));
            }
        }
        out.decimal(&task.amount(row.count));
        ratio(&mut out, row.count, summary.total);
        ratio(&mut out, row.up_to, summary.total);
        if task.args.order.ccdf {
            match summary.ident(row) {
                // Empty cells are no values: the distribution is that of the others.
                Ident::Value(_) => ratio(&mut out, values + row.count - row.up_to, values),
                _ => out.absent(),
            }
        }
        out.end()?;
    }
    out.flush()
}

/// A key's cell: a number in NDJSON where it is one by the dictionary.
pub(crate) fn key<W: Write>(out: &mut Encoder<W>, cell: &[u8], number: bool) {
    match std::str::from_utf8(cell) {
        Ok("") => out.absent(),
        Ok(text) if number && out.format() == Format::Ndjson && is_json_number(text) => out.decimal(text),
        _ => out.text(cell),
    }
}

fn ratio<W: Write>(out: &mut Encoder<W>, part: u128, whole: u128) {
    if whole == 0 { out.absent() } else { out.decimal(&share::decimal(part, whole, PLACES)) }
}

/// Whether a key column holds numbers.
pub(crate) fn is_number(task: &Task<'_>, name: &str) -> bool {
    let name = name.strip_suffix(OF_INPUT).unwrap_or(name);
    task.numbers || field::by_name(name).is_some_and(|field| field.kind.is_number())
}

/// RFC 8259 §6: no leading nought or plus, digits on both sides of the point.
fn is_json_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction) && (whole.len() == 1 || !whole.starts_with('0'))
}

impl Summary {
    /// What was counted of values: of everything but the empty cells and what has no row.
    pub(crate) fn values(&self) -> u128 {
        self.rows.iter().filter(|row| matches!(self.ident(row), Ident::Value(_))).map(|row| row.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::is_json_number;

    #[test]
    fn json_numbers() {
        for good in ["0", "-1", "10", "0.5", "-3.25", "1500000000.250000"] {
            assert!(is_json_number(good), "{good}");
        }
        for bad in ["", "-", "007", "+1", ".5", "5.", "1e3", "0x1", "1.2.3", "--1"] {
            assert!(!is_json_number(bad), "{bad}");
        }
    }
}
