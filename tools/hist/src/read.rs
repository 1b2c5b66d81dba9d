//! Reading rows into the counter, with every row accounted for.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Context, anyhow, bail};
use probeline_chart::Decimal;
use probeline_cli::{Account, Console, Outcome, input};
use probeline_record::{Chunk, Chunks, Col, Format, Pieces, Row, RowReader};

use crate::count::{Counter, OTHER};
use crate::keys::{Keys, push_cell};
use crate::{Task, hint};

/// Pieces of the input that wait in front of or behind each counting thread.
const DEPTH: usize = 2;

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
        let columns = Self { keys, by, weight, distinct, filters, hours };
        let all = columns.keys.iter().chain(&columns.by).chain(&columns.weight).chain(&columns.distinct);
        rows.only(all.chain(&columns.filters).copied());
        Ok(columns)
    }
}

/// Where rows come from, for people and for the series' name.
struct Source {
    name: String,
    stem: String,
}

impl Reading {
    pub(crate) fn new(task: &Task<'_>) -> Result<Self, anyhow::Error> {
        if task.args.count.by_file && task.args.files.is_empty() {
            bail!("--by-file wants files to be named");
        }
        Ok(Self::empty(task))
    }

    fn empty(task: &Task<'_>) -> Self {
        let count = &task.args.count;
        Self {
            counter: Counter::new(task.keys(), task.by(), count.distinct.is_some(), count.max_values),
            format: None,
            read: 0,
            counted: 0,
            absent: 0,
            spilled: 0,
            malformed: 0,
            skipped: [0; SKIPS.len()],
            label: Vec::new(),
        }
    }

    /// Reads every input to its end.
    pub(crate) fn all(&mut self, task: &Task<'_>, console: &mut Console) -> Outcome {
        let stdin = [PathBuf::from("-")];
        let files = if task.args.files.is_empty() { &stdin[..] } else { &task.args.files };
        for file in files {
            let name = input::name(Some(file));
            self.file(task, file, console).with_context(|| name)?;
        }
        Ok(())
    }

    fn file(&mut self, task: &Task<'_>, file: &Path, console: &mut Console) -> Outcome {
        let name = input::name(Some(file));
        let stem = file.file_stem().map_or(name.clone(), |stem| stem.to_string_lossy().into_owned());
        let source = Source { name, stem };
        let input = input::open_rows(Some(file))?;
        if task.threads == 1 {
            return self.alone(task, RowReader::new(input)?, &source, console);
        }
        match Chunks::open(input)? {
            Pieces::One(input) => self.alone(task, RowReader::new(input)?, &source, console),
            Pieces::Many(chunks) => self.together(task, chunks, &source, console),
        }
    }

    fn alone<R: Read>(
        &mut self,
        task: &Task<'_>,
        mut rows: RowReader<R>,
        source: &Source,
        console: &mut Console,
    ) -> Outcome {
        if rows.is_empty() {
            console.say(format_args!("{}: empty input, not even a header; nothing to count", source.name));
            return Ok(());
        }
        self.format.get_or_insert(rows.format());
        let columns = Columns::find(task, &mut rows)?;
        self.rows(task, &columns, &mut rows, source, &mut |fault| console.fault(fault))
    }

    /// One thread reads, others count pieces of the input by themselves, and this one adds up what they counted.
    fn together<R: Read + Send>(
        &mut self,
        task: &Task<'_>,
        mut chunks: Chunks<R>,
        source: &Source,
        console: &mut Console,
    ) -> Outcome {
        let head = chunks.head().to_vec();
        let mut first = RowReader::new(&head[..])?;
        self.format.get_or_insert(first.format());
        Columns::find(task, &mut first)?;
        thread::scope(|scope| {
            let (mut to_workers, mut from_workers) = (Vec::new(), Vec::new());
            for _ in 0..task.threads {
                let (work_in, work_out) = sync_channel::<Chunk>(DEPTH);
                let (done_in, done_out) = sync_channel::<Done>(DEPTH);
                let head = &head;
                scope.spawn(move || work(task, head, source, &work_out, &done_in));
                to_workers.push(work_in);
                from_workers.push(done_out);
            }
            let reader = scope.spawn(move || -> Outcome {
                // In turn, so that the order of pieces needs no sorting.
                for worker in to_workers.iter().cycle() {
                    let Some(chunk) = chunks.next_chunk()? else { break };
                    if worker.send(chunk).is_err() {
                        break;
                    }
                }
                Ok(())
            });
            let added = self.add_up(task, &head, source, &from_workers, console);
            // Without receivers the other threads end, whatever they wait for.
            drop(from_workers);
            let read = reader.join().map_err(|_| anyhow!("defect: the reading thread died"))?;
            added.and(read)
        })
    }

    fn add_up(
        &mut self,
        task: &Task<'_>,
        head: &[u8],
        source: &Source,
        workers: &[Receiver<Done>],
        console: &mut Console,
    ) -> Outcome {
        for worker in workers.iter().cycle() {
            let Ok(done) = worker.recv() else { break };
            let part = done.part.ok().filter(|part| self.counter.absorb(&part.counter));
            let Some(part) = part else {
                self.piece(task, head, &done.chunk, source, &mut |fault| console.fault(fault))?;
                continue;
            };
            self.read += part.read;
            self.counted += part.counted;
            self.absent += part.absent;
            self.malformed += part.malformed;
            for (count, more) in self.skipped.iter_mut().zip(part.skipped) {
                *count += more;
            }
            for fault in done.faults {
                console.fault(fault);
            }
        }
        Ok(())
    }

    /// Counts a piece of an input.
    fn piece(
        &mut self,
        task: &Task<'_>,
        head: &[u8],
        chunk: &Chunk,
        source: &Source,
        tell: &mut dyn FnMut(String),
    ) -> Outcome {
        let mut rows = chunk.rows(head)?;
        let columns = Columns::find(task, &mut rows)?;
        self.rows(task, &columns, &mut rows, source, tell)
    }

    /// Counts rows, and tells of those that are damaged.
    fn rows<R: Read>(
        &mut self,
        task: &Task<'_>,
        columns: &Columns,
        rows: &mut RowReader<R>,
        source: &Source,
        tell: &mut dyn FnMut(String),
    ) -> Outcome {
        let by_file = task.args.count.by_file;
        let fixed = if by_file { self.counter.series_id(source.stem.as_bytes()) } else { 0 };
        loop {
            match rows.next_row() {
                Ok(None) => return Ok(()),
                Ok(Some(row)) => {
                    self.read += 1;
                    match self.row(task, columns, &row, fixed)? {
                        None => self.counted += 1,
                        Some(skip) => self.skip(task, columns, &row, skip, source, tell),
                    }
                }
                Err(e) if e.is_row() => {
                    self.read += 1;
                    self.malformed += 1;
                    tell(format!("{}: {e}", source.name));
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
        source: &Source,
        tell: &mut dyn FnMut(String),
    ) {
        for (count, (reason, _)) in self.skipped.iter_mut().zip(SKIPS) {
            *count += u64::from(reason == skip);
        }
        let mut fault = |col: Col, column: &str, what: &str| {
            let text = String::from_utf8_lossy(&row.text(col)).escape_debug().to_string();
            let text: String = text.chars().take(40).collect();
            tell(format!("{}: line {}: column '{column}' is {what}: '{text}'", source.name, row.line()));
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

/// What became of a piece.
struct Done {
    part: Result<Reading, anyhow::Error>,
    faults: Vec<String>,
    chunk: Chunk,
}

/// Counts pieces, each by itself, until there are no more or nobody wants them.
fn work(task: &Task<'_>, head: &[u8], source: &Source, work: &Receiver<Chunk>, done: &SyncSender<Done>) {
    for chunk in work {
        let mut part = Reading::empty(task);
        let mut faults = Vec::new();
        let counted = part.piece(task, head, &chunk, source, &mut |fault| faults.push(fault));
        if done.send(Done { part: counted.map(|()| part), faults, chunk }).is_err() {
            return;
        }
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
