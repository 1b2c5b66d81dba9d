//! Reading, formatting and writing at the same time.

use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::anyhow;
use probeline_capfile::Batch;

use crate::format::{Formatter, Plan};
use crate::source::Source;
use crate::tally::Tally;

/// Batches that wait in front of or behind each formatting thread.
const DEPTH: usize = 2;

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
    output: &mut dyn Write,
) -> Result<Outcome, anyhow::Error> {
    if threads == 1 { alone(source, plan, output) } else { together(source, plan, threads, output) }
}

fn alone(mut source: Source, plan: &Plan, output: &mut dyn Write) -> Result<Outcome, anyhow::Error> {
    let mut formatter = Formatter::new(plan);
    let (mut batch, mut text, mut tally) = (Batch::new(), Vec::new(), Tally::new());
    let failed = loop {
        match source.read_batch(&mut batch) {
            Ok(Some(ts_digits)) => {
                tally.add(&formatter.format(&batch, ts_digits, &mut text)?);
                output.write_all(&text)?;
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
    text: Vec<u8>,
}

struct Done {
    batch: Batch,
    text: Vec<u8>,
    tally: Result<Tally, probeline_capture::Error>,
}

/// One thread reads, `threads` format, this one writes. Batches go round in turn, so that their order needs no
/// sorting, and come back to be filled again, so that nothing is allocated once all are under way.
fn together(
    source: Source,
    plan: &Plan,
    threads: usize,
    output: &mut dyn Write,
) -> Result<Outcome, anyhow::Error> {
    thread::scope(|scope| {
        let (spare_in, spare_out) = sync_channel::<(Batch, Vec<u8>)>(threads * 2 * (DEPTH + 1));
        let mut to_workers = Vec::new();
        let mut from_workers = Vec::new();
        for _ in 0..threads {
            let (work_in, work_out) = sync_channel::<Work>(DEPTH);
            let (done_in, done_out) = sync_channel::<Done>(DEPTH);
            scope.spawn(move || work(plan, &work_out, &done_in));
            to_workers.push(work_in);
            from_workers.push(done_out);
        }
        let reader = scope.spawn(move || read(source, &spare_out, &to_workers));
        let mut tally = Tally::new();
        let written = write(&from_workers, &spare_in, &mut tally, output);
        // Without receivers the other threads end, whatever they wait for.
        drop((from_workers, spare_in));
        let (source, failed) = reader.join().map_err(|_| anyhow!("defect: the reading thread died"))?;
        written?;
        Ok(Outcome { tally, failed, source })
    })
}

/// Fills batches and deals them out until the input ends or nobody wants more.
fn read(
    mut source: Source,
    spare: &Receiver<(Batch, Vec<u8>)>,
    workers: &[SyncSender<Work>],
) -> (Source, Option<anyhow::Error>) {
    for worker in workers.iter().cycle() {
        let (mut batch, text) = spare.try_recv().unwrap_or_default();
        match source.read_batch(&mut batch) {
            Ok(Some(ts_digits)) => {
                if worker.send(Work { batch, ts_digits, text }).is_err() {
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
    for Work { batch, ts_digits, mut text } in work {
        let tally = formatter.format(&batch, ts_digits, &mut text);
        if done.send(Done { batch, text, tally }).is_err() {
            return;
        }
    }
}

fn write(
    workers: &[Receiver<Done>],
    spare: &SyncSender<(Batch, Vec<u8>)>,
    tally: &mut Tally,
    output: &mut dyn Write,
) -> Result<(), anyhow::Error> {
    for worker in workers.iter().cycle() {
        let Ok(done) = worker.recv() else { break };
        tally.add(&done.tally?);
        output.write_all(&done.text)?;
        // A full or closed channel only means that these buffers are freed instead of used again.
        let _returned = spare.try_send((done.batch, done.text));
    }
    Ok(())
}
