//! Reading rows into the counter, with every row accounted for.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Context, anyhow, bail};
use probeline_chart::Decimal;
use probeline_cli::{Account, Console, Outcome, input};
use probeline_record::{Chunk, Chunks, Col, Format, Pieces, Row, RowReader};

use crate::Task;
use crate::count::Counter;
use crate::tally::{self, Skip, Tally};

/// Pieces of the input that wait in front of or behind each counting thread.
const DEPTH: usize = 2;

/// What was counted, and what became of each row.
pub(crate) struct Reading {
    tallies: Vec<Tally>,
    format: Option<Format>,
    read: u64,
    malformed: u64,
}

/// Where one input has the columns that matter.
struct Columns {
    weight: Option<Col>,
    filters: Vec<Col>,
    /// Those of each tally.
    tallies: Vec<tally::Columns>,
}

impl Columns {
    fn find<R: Read>(tasks: &[Task<'_>], rows: &mut RowReader<R>) -> Result<Self, anyhow::Error> {
        let count = &tasks[0].args.count;
        let weight = count.weight.as_deref().map(|name| tally::column(rows, name)).transpose()?;
        let filters = count.filters.iter().map(|filter| filter.find(rows)).collect::<Result<Vec<_>, _>>()?;
        let tallies =
            tasks.iter().map(|task| tally::Columns::find(task, rows)).collect::<Result<Vec<_>, _>>()?;
        let of_tallies = tallies.iter().flat_map(tally::Columns::all);
        rows.only(of_tallies.chain(weight).chain(filters.iter().copied()));
        Ok(Self { weight, filters, tallies })
    }
}

/// Where rows come from, for people and for the series' name.
struct Source {
    name: String,
    stem: String,
}

impl Reading {
    pub(crate) fn new(tasks: &[Task<'_>]) -> Result<Self, anyhow::Error> {
        if tasks[0].args.count.by_file && tasks[0].args.files.is_empty() {
            bail!("--by-file wants files to be named");
        }
        Ok(Self::empty(tasks))
    }

    fn empty(tasks: &[Task<'_>]) -> Self {
        let tallies = tasks.iter().map(Tally::new).collect();
        Self { tallies, format: None, read: 0, malformed: 0 }
    }

    /// Reads every input to its end.
    pub(crate) fn all(&mut self, tasks: &[Task<'_>], console: &mut Console) -> Outcome {
        let stdin = [PathBuf::from("-")];
        let files = if tasks[0].args.files.is_empty() { &stdin[..] } else { &tasks[0].args.files };
        for file in files {
            let name = input::name(Some(file));
            self.file(tasks, file, console).with_context(|| name)?;
        }
        Ok(())
    }

    fn file(&mut self, tasks: &[Task<'_>], file: &Path, console: &mut Console) -> Outcome {
        let name = input::name(Some(file));
        let stem = file.file_stem().map_or(name.clone(), |stem| stem.to_string_lossy().into_owned());
        let source = Source { name, stem };
        let input = input::open_rows(Some(file))?;
        if tasks[0].threads == 1 {
            return self.alone(tasks, RowReader::new(input)?, &source, console);
        }
        match Chunks::open(input)? {
            Pieces::One(input) => self.alone(tasks, RowReader::new(input)?, &source, console),
            Pieces::Many(chunks) => self.together(tasks, chunks, &source, console),
        }
    }

    fn alone<R: Read>(
        &mut self,
        tasks: &[Task<'_>],
        mut rows: RowReader<R>,
        source: &Source,
        console: &mut Console,
    ) -> Outcome {
        if rows.is_empty() {
            console.say(format_args!("{}: empty input, not even a header; nothing to count", source.name));
            return Ok(());
        }
        self.format.get_or_insert(rows.format());
        let columns = Columns::find(tasks, &mut rows)?;
        self.rows(tasks, &columns, &mut rows, source, &mut |fault| console.fault(fault))
    }

    /// One thread reads, others count pieces of the input by themselves, and this one adds up what they counted.
    fn together<R: Read + Send>(
        &mut self,
        tasks: &[Task<'_>],
        mut chunks: Chunks<R>,
        source: &Source,
        console: &mut Console,
    ) -> Outcome {
        let head = chunks.head().to_vec();
        let mut first = RowReader::new(&head[..])?;
        self.format.get_or_insert(first.format());
        Columns::find(tasks, &mut first)?;
        thread::scope(|scope| {
            let (mut to_workers, mut from_workers) = (Vec::new(), Vec::new());
            for _ in 0..tasks[0].threads {
                let (work_in, work_out) = sync_channel::<Chunk>(DEPTH);
                let (done_in, done_out) = sync_channel::<Done>(DEPTH);
                let head = &head;
                scope.spawn(move || work(tasks, head, source, &work_out, &done_in));
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
            let added = self.add_up(tasks, &head, source, &from_workers, console);
            // Without receivers the other threads end, whatever they wait for.
            drop(from_workers);
            let read = reader.join().map_err(|_| anyhow!("defect: the reading thread died"))?;
            added.and(read)
        })
    }

    fn add_up(
        &mut self,
        tasks: &[Task<'_>],
        head: &[u8],
        source: &Source,
        workers: &[Receiver<Done>],
        console: &mut Console,
    ) -> Outcome {
        for worker in workers.iter().cycle() {
            let Ok(done) = worker.recv() else { break };
            if !done.part.is_ok_and(|part| self.absorb(&part)) {
                self.piece(tasks, head, &done.chunk, source, &mut |fault| console.fault(fault))?;
                continue;
            }
            for fault in done.faults {
                console.fault(fault);
            }
        }
        Ok(())
    }

    /// Adds what another counted, if each tally has room for all of it; if not, nothing is added.
    fn absorb(&mut self, part: &Self) -> bool {
        if !self.tallies.iter().zip(&part.tallies).all(|(tally, more)| tally.has_room_for(more)) {
            return false;
        }
        for (tally, more) in self.tallies.iter_mut().zip(&part.tallies) {
            tally.absorb(more);
        }
        self.read += part.read;
        self.malformed += part.malformed;
        true
    }

    /// Counts a piece of an input.
    fn piece(
        &mut self,
        tasks: &[Task<'_>],
        head: &[u8],
        chunk: &Chunk,
        source: &Source,
        tell: &mut dyn FnMut(String),
    ) -> Outcome {
        let mut rows = chunk.rows(head)?;
        let columns = Columns::find(tasks, &mut rows)?;
        self.rows(tasks, &columns, &mut rows, source, tell)
    }

    /// Counts rows, and tells of those that are damaged.
    fn rows<R: Read>(
        &mut self,
        tasks: &[Task<'_>],
        columns: &Columns,
        rows: &mut RowReader<R>,
        source: &Source,
        tell: &mut dyn FnMut(String),
    ) -> Outcome {
        let count = &tasks[0].args.count;
        for (tally, task) in self.tallies.iter_mut().zip(tasks) {
            tally.begin(task, source.stem.as_bytes());
        }
        loop {
            match rows.next_row() {
                Ok(None) => return Ok(()),
                Ok(Some(row)) => {
                    self.read += 1;
                    let holds = count
                        .filters
                        .iter()
                        .zip(&columns.filters)
                        .all(|(filter, &col)| filter.holds(&row, col));
                    let amount = if holds { amount(&row, columns.weight) } else { Err(Skip::Filtered) };
                    if let (Err(Skip::BadWeight), Some(col), Some(name)) =
                        (amount, columns.weight, &count.weight)
                    {
                        tell(tally::fault(&row, col, name, "not a number from 0", &source.name));
                    }
                    for ((tally, task), columns) in self.tallies.iter_mut().zip(tasks).zip(&columns.tallies) {
                        tally.row(task, columns, &row, amount, &mut |col, name, what| {
                            tell(tally::fault(&row, col, name, what, &source.name));
                        })?;
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

    /// The counters and their accounts, and the format of the input; says what was absent and what found no room.
    pub(crate) fn finish(
        self,
        tasks: &[Task<'_>],
        console: &mut Console,
    ) -> (Vec<(Counter, Account)>, Format) {
        let (read, malformed) = (self.read, self.malformed);
        let tallies = self.tallies.into_iter().zip(tasks);
        let counted = tallies.map(|(tally, task)| tally.finish(task, read, malformed, console)).collect();
        (counted, self.format.unwrap_or(Format::Csv))
    }
}

/// What became of a piece.
struct Done {
    part: Result<Reading, anyhow::Error>,
    faults: Vec<String>,
    chunk: Chunk,
}

/// Counts pieces, each by itself, until there are no more or nobody wants them.
fn work(tasks: &[Task<'_>], head: &[u8], source: &Source, work: &Receiver<Chunk>, done: &SyncSender<Done>) {
    for chunk in work {
        let mut part = Reading::empty(tasks);
        let mut faults = Vec::new();
        let counted = part.piece(tasks, head, &chunk, source, &mut |fault| faults.push(fault));
        if done.send(Done { part: counted.map(|()| part), faults, chunk }).is_err() {
            return;
        }
    }
}

/// How much a row counts, in units of 10^-12 where there are weights.
#[inline]
fn amount(row: &Row<'_>, weight: Option<Col>) -> Result<u128, Skip> {
    let Some(col) = weight else { return Ok(1) };
    let text = row.text(col);
    if text.is_empty() {
        return Err(Skip::NoWeight);
    }
    let value = Decimal::parse(&text).ok_or(Skip::BadWeight)?;
    u128::try_from(value.units()).map_err(|_| Skip::BadWeight)
}
