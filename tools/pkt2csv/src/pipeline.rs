//! Reading, formatting and writing at the same time.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::anyhow;
use probeline_capfile::Batch;

use crate::budget::Budget;
use crate::filter;
use crate::format::{Formatter, Plan};
use crate::source::Source;
use crate::split::{Output, Rows};
use crate::tally::Tally;

/// Batches that wait in front of or behind each formatting thread.
const DEPTH: usize = 2;

/// Bytes of a batch that is worth keeping; rows take about twice as much.
const ORDINARY: usize = 512 << 10;

/// What the pipeline leaves behind.
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    /// An input that failed under way; everything before it was written.
    pub(crate) failed: Option<anyhow::Error>,
    pub(crate) source: Source,
}

/// Formats every packet of `source` and writes the rows in order, with this many formatting threads.
///
/// # Errors
/// When the output cannot be written, or the filter does not compile for a link type that is met.
pub(crate) fn run(
    source: Source,
    plan: &Plan,
    threads: usize,
    output: &mut Output,
) -> Result<Outcome, anyhow::Error> {
    if threads == 1 { alone(source, plan, output) } else { together(source, plan, threads, output) }
}

fn alone(mut source: Source, plan: &Plan, output: &mut Output) -> Result<Outcome, anyhow::Error> {
    let mut formatter = Formatter::new(plan);
    let (mut batch, mut rows, mut tally) = (Batch::new(), Rows::default(), Tally::new());
    let failed = loop {
        match source.read_batch(&mut batch) {
            Ok(Some(ts_digits)) => {
                tally.add(&formatter.format(&batch, ts_digits, &mut rows)?);
                output.write(&rows)?;
            }
            Ok(None) => break None,
            Err(e) => break Some(e),
        }
    };
    Ok(Outcome { tally, failed, source })
}

struct Work {
    batch: Batch,
    ts_digits: u8,
    rows: Rows,
    /// What it spends of the budget.
    cost: usize,
}

struct Done {
    batch: Batch,
    rows: Rows,
    cost: usize,
    tally: Result<Tally, filter::Error>,
}

/// One thread reads, `threads` format, this one writes. Batches go round in turn, so that their order needs
/// no sorting, and come back to be filled again, so that nothing is allocated once all are under way.
fn together(
    source: Source,
    plan: &Plan,
    threads: usize,
    output: &mut Output,
) -> Result<Outcome, anyhow::Error> {
    let budget = Budget::new();
    thread::scope(|scope| {
        let (spare_in, spare_out) = sync_channel::<(Batch, Rows)>(threads * 2 * (DEPTH + 1));
        let mut to_workers = Vec::new();
        let mut from_workers = Vec::new();
        for _ in 0..threads {
            let (work_in, work_out) = sync_channel::<Work>(DEPTH);
            let (done_in, done_out) = sync_channel::<Done>(DEPTH);
            scope.spawn(move || work(plan, &work_out, &done_in));
            to_workers.push(work_in);
            from_workers.push(done_out);
        }
        let reader = scope.spawn(|| read(source, plan, &budget, spare_out, to_workers));
        let mut tally = Tally::new();
        let written = write(&from_workers, &spare_in, &budget, &mut tally, output);
        // Without receivers the other threads end, whatever they wait for.
        drop((from_workers, spare_in));
        budget.close();
        let (source, failed) = reader.join().map_err(|_| anyhow!("defect: the reading thread died"))?;
        written?;
        Ok(Outcome { tally, failed, source })
    })
}

/// Fills batches and deals them out until the input ends or nobody wants more.
#[expect(clippy::needless_pass_by_value, reason = "its ends of the channels close with it")]
fn read(
    mut source: Source,
    plan: &Plan,
    budget: &Budget,
    spare: Receiver<(Batch, Rows)>,
    workers: Vec<SyncSender<Work>>,
) -> (Source, Option<anyhow::Error>) {
    for worker in workers.iter().cycle() {
        let (mut batch, rows) = spare.try_recv().unwrap_or_default();
        match source.read_batch(&mut batch) {
            Ok(Some(ts_digits)) => {
                let cost = plan.cost(&batch);
                budget.spend(cost);
                if worker.send(Work { batch, ts_digits, rows, cost }).is_err() {
                    break;
                }
            }
            Ok(None) => break,
            Err(e) => return (source, Some(e)),
        }
    }
    (source, None)
}

fn work(plan: &Plan, work: &Receiver<Work>, done: &SyncSender<Done>) {
    let mut formatter = Formatter::new(plan);
    for Work { batch, ts_digits, mut rows, cost } in work {
        let tally = formatter.format(&batch, ts_digits, &mut rows);
        if done.send(Done { batch, rows, cost, tally }).is_err() {
            return;
        }
    }
}

fn write(
    workers: &[Receiver<Done>],
    spare: &SyncSender<(Batch, Rows)>,
    budget: &Budget,
    tally: &mut Tally,
    output: &mut Output,
) -> Result<(), anyhow::Error> {
    for worker in workers.iter().cycle() {
        let Ok(Done { batch, rows, cost, tally: of_batch }) = worker.recv() else { break };
        tally.add(&of_batch?);
        output.write(&rows)?;
        // Buffers that grew for something huge are not kept. A full or closed channel means the same for
        // others.
        if batch.byte_len() <= ORDINARY
            && batch.len() <= ORDINARY / 64
            && rows.text.capacity() <= 4 * ORDINARY
        {
            let _returned = spare.try_send((batch, rows));
        } else {
            drop((batch, rows));
        }
        budget.give_back(cost);
    }
    Ok(())
}
