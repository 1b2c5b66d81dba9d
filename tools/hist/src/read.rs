//! Reading rows into the counter, with every row accounted for.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use probeline_chart::Decimal;
use probeline_cli::{Account, Console, Outcome, input};
use probeline_record::{Col, Format, Row, RowReader};

use crate::count::{Counter, OTHER};
use crate::keys::{Keys, push_cell};
use crate::{Task, hint};

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// Why a row was not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Skip {
    Filtered,
    Absent,
    NotNumber,
    NotHour,
    NoWeight,
    BadWeight,
}

const SKIPS: [(Skip, &str); 6] = [
    (Skip::Filtered, "filtered out"),
    (Skip::Absent, "absent"),
    (Skip::NotNumber, "not a number"),
    (Skip::NotHour, "not an hour"),
    (Skip::NoWeight, "no weight"),
    (Skip::BadWeight, "weight not a number from 0"),
];

/// The counter, and what became of each row.
pub(crate) struct Reading {
    counter: Counter,
    format: Option<Format>,
    read: u64,
    counted: u64,
    absent: u64,
    spilled: u64,
    malformed: u64,
    skipped: [u64; SKIPS.len()],
    label: Vec<u8>,
}

/// Where one input has the columns that matter.
struct Columns {
    keys: Vec<Col>,
    by: Option<Col>,
    weight: Option<Col>,
    distinct: Option<Col>,
    filters: Vec<Col>,
    /// Cells of the key are hours already.
    hours: bool,
}

impl Columns {
    fn find<R: Read>(task: &Task<'_>, rows: &mut RowReader<R>) -> Result<Self, anyhow::Error> {
        let mut find = |name: &str| -> Result<Col, anyhow::Error> {
            let mut end = hint(name);
            if end.is_empty() {
                end = format!("; its columns are {}", rows.names().join(", "));
            }
            Ok(rows.require_name(name, &end)?)
        };
        let count = &task.args.count;
        let keys = task.columns.iter().map(|name| find(name)).collect::<Result<_, _>>()?;
        let mut optional = |name: &Option<String>| name.as_deref().map(&mut find).transpose();
        let (by, weight, distinct) =
            (optional(&count.by)?, optional(&count.weight)?, optional(&count.distinct)?);
        let filters = count.filters.iter().map(|filter| filter.find(rows)).collect::<Result<_, _>>()?;
        let hours = task.columns[0].ends_with("hour");
        Ok(Self { keys, by, weight, distinct, filters, hours })
    }
}

impl Reading {
    pub(crate) fn new(task: &Task<'_>) -> Result<Self, anyhow::Error> {
        let count = &task.args.count;
        if count.by_file && task.args.files.is_empty() {
            bail!("--by-file wants files to be named");
        }
        let counter = Counter::new(task.keys(), task.by(), count.distinct.is_some(), count.max_values);
        Ok(Self {
            counter,
            format: None,
            read: 0,
            counted: 0,
            absent: 0,
            spilled: 0,
            malformed: 0,
            skipped: [0; SKIPS.len()],
            label: Vec::new(),
        })
    }

    /// Reads every input to its end.
    pub(crate) fn all(&mut self, task: &Task<'_>, console: &mut Console) -> Outcome {
        let stdin = [PathBuf::from("-")];
        let files = if task.args.files.is_empty() { &stdin[..] } else { &task.args.files };
        for file in files {
            let name = input::name(Some(file));
            self.file(task, file, &name, console).with_context(|| name.clone())?;
        }
        Ok(())
    }

    fn file(&mut self, task: &Task<'_>, file: &Path, name: &str, console: &mut Console) -> Outcome {
        let mut rows = RowReader::new(input::open_rows(Some(file))?)?;
        if rows.is_empty() {
            console.say(format_args!("{name}: empty input, not even a header; nothing to count"));
            return Ok(());
        }
        self.format.get_or_insert(rows.format());
        let columns = Columns::find(task, &mut rows)?;
        let stem = file.file_stem().map_or(name.to_owned(), |stem| stem.to_string_lossy().into_owned());
        let fixed = if task.args.count.by_file { self.counter.series_id(stem.as_bytes()) } else { 0 };
        loop {
            match rows.next_row() {
                Ok(None) => return Ok(()),
                Ok(Some(row)) => {
                    self.read += 1;
                    match self.row(task, &columns, &row, fixed)? {
                        None => self.counted += 1,
                        Some(skip) => self.skip(task, &columns, &row, skip, name, console),
                    }
                }
                Err(e) if e.is_row() => {
                    self.read += 1;
                    self.malformed += 1;
                    console.fault(format_args!("{name}: {e}"));
                }
                Err(e) => return Err(e.into()),
            }
        }
    }

    #[inline]
    fn row(
        &mut self,
        task: &Task<'_>,
        columns: &Columns,
        row: &Row<'_>,
        fixed: u32,
    ) -> Result<Option<Skip>, anyhow::Error> {
        for (filter, &col) in task.args.count.filters.iter().zip(&columns.filters) {
            if !filter.holds(row, col) {
                return Ok(Some(Skip::Filtered));
            }
        }
        let amount = match columns.weight {
            None => 1,
            Some(col) => match weight(row, col) {
                Ok(amount) => amount,
                Err(skip) => return Ok(Some(skip)),
            },
        };
        let (key, absent) = match self.key(task, columns, row) {
            Ok(found) => found,
            Err(skip) => return Ok(Some(skip)),
        };
        let series = match columns.by {
            None => fixed,
            Some(col) => self.counter.series_id(&row.text(col)),
        };
        let mut room = self.counter.add(key, series, amount);
        if let Some(col) = columns.distinct {
            let noted = self.counter.note(key, series, &row.text(col));
            if noted.is_err() {
                bail!(
                    "line {}: more than {} pairs of bin and distinct value; raise --max-values, at about 150 bytes each",
                    row.line(),
                    task.args.count.max_values
                );
            }
            room |= series != OTHER;
        }
        self.spilled += u64::from(!room);
        self.absent += u64::from(absent);
        Ok(None)
    }

    /// The number of the row's key, none where there is no more room, and whether the cell is empty.
    #[inline]
    fn key(
        &mut self,
        task: &Task<'_>,
        columns: &Columns,
        row: &Row<'_>,
    ) -> Result<(Option<u32>, bool), Skip> {
        let skip_absent = task.args.count.skip_absent;
        match &mut self.counter.keys {
            Keys::Labels { labels, cells: 1 } => {
                let text = row.text(columns.keys[0]);
                if skip_absent && text.is_empty() {
                    return Err(Skip::Absent);
                }
                Ok((labels.id(&text), text.is_empty()))
            }
            Keys::Labels { labels, .. } => {
                self.label.clear();
                let mut absent = false;
                for &col in &columns.keys {
                    let text = row.text(col);
                    absent |= text.is_empty();
                    push_cell(&mut self.label, &text);
                }
                if skip_absent && absent {
                    return Err(Skip::Absent);
                }
                Ok((labels.id(&self.label), absent))
            }
            Keys::Numbers(numbers) => {
                let text = row.text(columns.keys[0]);
                if text.is_empty() {
                    return if skip_absent { Err(Skip::Absent) } else { Ok((numbers.id(None), true)) };
                }
                let mut value = Decimal::parse(&text).ok_or(Skip::NotNumber)?;
                if task.args.bin.hour {
                    value = hour(value, columns.hours)?;
                }
                Ok((numbers.id(Some(value)), false))
            }
        }
    }

    fn skip(
        &mut self,
        task: &Task<'_>,
        columns: &Columns,
        row: &Row<'_>,
        skip: Skip,
        name: &str,
        console: &mut Console,
    ) {
        for (count, (reason, _)) in self.skipped.iter_mut().zip(SKIPS) {
            *count += u64::from(reason == skip);
        }
        let mut fault = |col: Col, column: &str, what: &str| {
            let text = String::from_utf8_lossy(&row.text(col)).escape_debug().to_string();
            let text: String = text.chars().take(40).collect();
            console.fault(format_args!("{name}: line {}: column '{column}' is {what}: '{text}'", row.line()));
        };
        match (skip, columns.weight, &task.args.count.weight) {
            (Skip::NotNumber, ..) => fault(columns.keys[0], &task.columns[0], "not a number"),
            (Skip::NotHour, ..) => fault(columns.keys[0], &task.columns[0], "not an hour from 0 to 23"),
            (Skip::BadWeight, Some(col), Some(column)) => fault(col, column, "not a number from 0"),
            _ => {}
        }
    }

    /// The counter, the format of the input, and the account; says what was absent and what found no room.
    pub(crate) fn finish(self, task: &Task<'_>, console: &mut Console) -> (Counter, Format, Account) {
        let columns = task.columns.join(",");
        if self.absent > 0 {
            let rows = if self.absent == 1 { "row has" } else { "rows have" };
            console.say(format_args!("{} {rows} no {columns} (an empty cell)", self.absent));
        }
        if self.spilled > 0 {
            console.fault(format_args!(
                "{} rows of values seen after the first {} are in (other): shares are right, ranks may not be; \
                 raise --max-values, at about 150 bytes each",
                self.spilled, task.args.count.max_values
            ));
        }
        let mut account = Account::new("rows", self.read)
            .part("counted", self.counted)
            .skipped("malformed", self.malformed);
        for (count, (_, reason)) in self.skipped.iter().zip(SKIPS) {
            account = account.skipped(reason, *count);
        }
        (self.counter, self.format.unwrap_or(Format::Csv), account)
    }
}

/// A row's weight in units of 10^-12.
fn weight(row: &Row<'_>, col: Col) -> Result<u128, Skip> {
    let text = row.text(col);
    if text.is_empty() {
        return Err(Skip::NoWeight);
    }
    let value = Decimal::parse(&text).ok_or(Skip::BadWeight)?;
    u128::try_from(value.units()).map_err(|_| Skip::BadWeight)
}

/// The hour of day of a time in UTC, or of a cell that is one.
fn hour(value: Decimal, already: bool) -> Result<Decimal, Skip> {
    let hour = if already { value.floor() } else { value.floor().rem_euclid(DAY) / HOUR };
    if !(0..24).contains(&hour) {
        return Err(Skip::NotHour);
    }
    Decimal::from_int(hour).ok_or(Skip::NotHour)
}
