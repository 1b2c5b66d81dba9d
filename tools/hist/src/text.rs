//! How keys, amounts and columns are written, for rows and for people.

use std::borrow::Cow;

use probeline_chart::{Decimal, share};
use probeline_record::{Ts, field};

use crate::Task;
use crate::keys::{Keys, split};
use crate::summary::{BinRow, Ident, Series, Summary};

/// Stands for a missing value where people read.
pub(crate) const ABSENT: &str = "(absent)";
/// Columns that are written beside what is counted.
const WRITTEN: [&str; 5] = ["count", "share", "cumulative", "ccdf", "quantile"];
/// Ends the name of a counted column that is called as one of those.
pub(crate) const OF_INPUT: &str = "_value";
/// Stands for everything without a row or column of its own.
pub(crate) const OTHER: &str = "(other)";

impl Task<'_> {
    /// Whether bins have two edges to write.
    pub(crate) fn ranges(&self) -> bool {
        self.args.bin.bins.is_some()
    }

    /// The columns that say what a row is about.
    pub(crate) fn key_names(&self) -> Vec<String> {
        if self.ranges() {
            vec!["lo".into(), "hi".into()]
        } else if self.args.bin.hour && !self.columns[0].ends_with("hour") {
            vec!["hour".into()]
        } else {
            // Rows of hist may be counted in turn: two columns of one name would be no use to whoever reads them.
            let own = |name: &String| {
                if WRITTEN.contains(&name.as_str()) { format!("{name}{OF_INPUT}") } else { name.clone() }
            };
            self.columns.iter().map(own).collect()
        }
    }

    /// The column of a series; where its name is taken, with the column it comes from.
    pub(crate) fn series_names(&self, summary: &Summary) -> Vec<String> {
        let mut taken = self.key_names();
        taken.extend(WRITTEN.map(str::to_owned));
        let by = self.args.count.by.as_deref().unwrap_or("file");
        summary
            .series
            .iter()
            .map(|series| match series {
                Series::Other => OTHER.to_owned(),
                Series::Name(name) if name.is_empty() => ABSENT.to_owned(),
                Series::Name(name) if taken.contains(name) => format!("{by}={name}"),
                Series::Name(name) => name.clone(),
            })
            .collect()
    }

    /// An amount: a whole number, or with the decimals of the weights.
    pub(crate) fn amount(&self, amount: u128) -> String {
        if self.args.count.weight.is_none() {
            return amount.to_string();
        }
        i128::try_from(amount).map(Decimal::from_units).unwrap_or_default().to_string()
    }

    /// An amount to draw.
    pub(crate) fn length(&self, amount: u128) -> f64 {
        if self.args.count.weight.is_none() { amount as f64 } else { amount as f64 / 1e12 }
    }

    /// The cells of a row that say what it is about; an empty one is absent.
    pub(crate) fn key_cells<'s>(&self, summary: &'s Summary, row: &BinRow) -> Vec<Cow<'s, [u8]>> {
        let edge =
            |edge: Option<Decimal>| Cow::Owned(edge.map_or_else(String::new, |e| e.to_string()).into_bytes());
        let all = |text: &'static [u8]| {
            let mut cells = vec![Cow::Borrowed(text)];
            cells.resize(self.key_names().len(), Cow::Borrowed(&b""[..]));
            cells
        };
        match (summary.ident(row), &summary.keys) {
            (Ident::Label(id), Keys::Labels { labels, cells: 1 }) => vec![Cow::Borrowed(labels.get(id))],
            (Ident::Label(id), Keys::Labels { labels, .. }) => {
                split(labels.get(id)).map(Cow::Borrowed).collect()
            }
            (Ident::Value(value), _) => vec![edge(Some(value))],
            (Ident::Range(lo, hi), _) if self.ranges() => vec![edge(lo), edge(hi)],
            (Ident::Range(lo, _), _) => vec![edge(lo)],
            (Ident::Other, _) => all(OTHER.as_bytes()),
            (Ident::Absent | Ident::Label(_), _) => all(b""),
        }
    }

    /// What a row is about, in one text for people.
    pub(crate) fn key_text(&self, summary: &Summary, row: &BinRow) -> String {
        match summary.ident(row) {
            Ident::Absent => ABSENT.into(),
            Ident::Other => OTHER.into(),
            Ident::Range(lo, _) if self.args.bin.every.is_some() => lo.map_or_else(String::new, instant),
            Ident::Range(Some(lo), Some(hi)) => format!("[{lo}, {hi})"),
            Ident::Range(None, Some(hi)) => format!("below {hi}"),
            Ident::Range(lo, None) => format!("from {}", lo.unwrap_or_default()),
            _ => {
                let cells = self.key_cells(summary, row);
                let texts = cells.iter().map(|cell| {
                    if cell.is_empty() { ABSENT.into() } else { String::from_utf8_lossy(cell).into_owned() }
                });
                texts.collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// What is counted, for an axis.
    pub(crate) fn counted(&self) -> String {
        let count = &self.args.count;
        match (&count.weight, &count.distinct) {
            (Some(weight), _) => format!("sum of {}", with_unit(weight)),
            (_, Some(distinct)) => format!("different {distinct}"),
            _ => "rows".into(),
        }
    }
}

/// A column's name with its unit in brackets.
pub(crate) fn with_unit(column: &str) -> String {
    match field::by_name(column).map(|field| field.unit).filter(|unit| !unit.is_empty()) {
        Some(unit) => format!("{column} ({unit})"),
        None => column.to_owned(),
    }
}

/// A time as people write it: to the minute, or to the second where it has some.
pub(crate) fn instant(at: Decimal) -> String {
    let mut text = Vec::new();
    let nanos = i64::try_from(at.units() / 1000).unwrap_or(i64::MAX);
    Ts::from_nanos(nanos).write_rfc3339(6, &mut text);
    let text = String::from_utf8_lossy(&text).replace('T', " ");
    let to_the_minute = at.floor() % 60 == 0 && at.places() == 0;
    text.chars().take(if to_the_minute { 16 } else { 19 }).collect()
}

/// The series' share in per cent, for people.
pub(crate) fn percent(part: u128, whole: u128) -> String {
    if whole == 0 { String::new() } else { share::percent(part, whole, 1) + "%" }
}
