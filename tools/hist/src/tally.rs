//! One of the counts that are made in a pass over the rows.

use std::io::Read;

use anyhow::bail;
use probeline_chart::Decimal;
use probeline_cli::{Account, Console, Outcome};
use probeline_record::{Col, Row, RowReader};

use crate::count::{Counter, OTHER};
use crate::keys::{Keys, push_cell};
use crate::{Task, hint};

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// Why a row was not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skip {
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
pub(crate) struct Tally {
    counter: Counter,
    counted: u64,
    absent: u64,
    spilled: u64,
    skipped: [u64; SKIPS.len()],
    /// The series of the file that is read.
    series: u32,
    label: Vec<u8>,
}

/// Where one input has the columns that matter to a tally.
pub(crate) struct Columns {
    keys: Vec<Col>,
    by: Option<Col>,
    distinct: Option<Col>,
    /// Cells of the key are hours already.
    hours: bool,
}

/// The column of this name, or an error that says where it would come from.
pub(crate) fn column<R: Read>(rows: &mut RowReader<R>, name: &str) -> Result<Col, anyhow::Error> {
    let mut end = hint(name);
    if end.is_empty() {
        end = format!("; its columns are {}", rows.names().join(", "));
    }
    Ok(rows.require_name(name, &end)?)
}

/// What is wrong with a cell, and where it is.
pub(crate) fn fault(row: &Row<'_>, col: Col, column: &str, what: &str, source: &str) -> String {
    let text = String::from_utf8_lossy(&row.text(col)).escape_debug().to_string();
    let text: String = text.chars().take(40).collect();
    format!("{source}: line {}: column '{column}' is {what}: '{text}'", row.line())
}

impl Columns {
    pub(crate) fn find<R: Read>(task: &Task<'_>, rows: &mut RowReader<R>) -> Result<Self, anyhow::Error> {
        let count = &task.args.count;
        let keys = task.columns.iter().map(|name| column(rows, name)).collect::<Result<_, _>>()?;
        let by = count.by.as_deref().map(|name| column(rows, name)).transpose()?;
        let distinct = count.distinct.as_deref().map(|name| column(rows, name)).transpose()?;
        Ok(Self { keys, by, distinct, hours: task.columns[0].ends_with("hour") })
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = Col> + '_ {
        self.keys.iter().copied().chain(self.by).chain(self.distinct)
    }
}

impl Tally {
    pub(crate) fn new(task: &Task<'_>) -> Self {
        let count = &task.args.count;
        Self {
            counter: Counter::new(task.keys(), task.by(), count.distinct.is_some(), count.max_values),
            counted: 0,
            absent: 0,
            spilled: 0,
            skipped: [0; SKIPS.len()],
            series: 0,
            label: Vec::new(),
        }
    }

    /// Rows of the file of this name follow.
    pub(crate) fn begin(&mut self, task: &Task<'_>, stem: &[u8]) {
        self.series = if task.args.count.by_file { self.counter.series_id(stem) } else { 0 };
    }

    /// Whether it can take in what another counted as a whole.
    pub(crate) fn has_room_for(&self, part: &Self) -> bool {
        self.counter.has_room_for(&part.counter)
    }

    /// Adds what another counted, for which there must be room.
    pub(crate) fn absorb(&mut self, part: &Self) {
        self.counter.absorb(&part.counter);
        self.counted += part.counted;
        self.absent += part.absent;
        for (count, more) in self.skipped.iter_mut().zip(part.skipped) {
            *count += more;
        }
    }

    /// Counts a row of this amount, or why it is left out; tells of a key that cannot be read.
    #[inline]
    pub(crate) fn row(
        &mut self,
        task: &Task<'_>,
        columns: &Columns,
        row: &Row<'_>,
        amount: Result<u128, Skip>,
        tell: &mut dyn FnMut(Col, &str, &str),
    ) -> Outcome {
        let (amount, key, absent) = match amount
            .and_then(|amount| self.key(task, columns, row).map(|(key, absent)| (amount, key, absent)))
        {
            Ok(found) => found,
            Err(skip) => {
                self.skip(task, columns, skip, tell);
                return Ok(());
            }
        };
        let series = match columns.by {
            None => self.series,
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
        self.counted += 1;
        self.spilled += u64::from(!room);
        self.absent += u64::from(absent);
        Ok(())
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

    #[cold]
    fn skip(
        &mut self,
        task: &Task<'_>,
        columns: &Columns,
        skip: Skip,
        tell: &mut dyn FnMut(Col, &str, &str),
    ) {
        for (count, (reason, _)) in self.skipped.iter_mut().zip(SKIPS) {
            *count += u64::from(reason == skip);
        }
        match skip {
            Skip::NotNumber => tell(columns.keys[0], &task.columns[0], "not a number"),
            Skip::NotHour => tell(columns.keys[0], &task.columns[0], "not an hour from 0 to 23"),
            _ => {}
        }
    }

    /// The counter and its account; says what was absent and what found no room.
    pub(crate) fn finish(
        self,
        task: &Task<'_>,
        read: u64,
        malformed: u64,
        console: &mut Console,
    ) -> (Counter, Account) {
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
        let mut account =
            Account::new("rows", read).part("counted", self.counted).skipped("malformed", malformed);
        for (count, (_, reason)) in self.skipped.iter().zip(SKIPS) {
            account = account.skipped(reason, *count);
        }
        (self.counter, account)
    }
}

/// The hour of day of a time in UTC, or of a cell that is one.
fn hour(value: Decimal, already: bool) -> Result<Decimal, Skip> {
    let hour = if already { value.floor() } else { value.floor().rem_euclid(DAY) / HOUR };
    if !(0..24).contains(&hour) {
        return Err(Skip::NotHour);
    }
    Decimal::from_int(hour).ok_or(Skip::NotHour)
}
