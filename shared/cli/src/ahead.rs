//! Reading ahead: batches are made on one thread and used, in order, on another.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use anyhow::anyhow;

use crate::Outcome;

/// Batches that may wait between the two threads: enough to even out their hiccups, few enough to stay in the caches.
const DEPTH: usize = 4;

/// What the user of batches is called with.
#[derive(Debug)]
pub enum Ahead<'a, B> {
    /// The next batch.
    Batch(&'a mut B),
    /// No batch is at hand. What is complete should go out now, because waiting may take long.
    Idle,
}

/// What comes behind a batch.
enum Next {
    More,
    End,
    Failed(anyhow::Error),
}

/// Has `make` fill batches on a thread of its own while `consume` uses them, in order, on this one; on a machine with
/// one processor both take turns here. What `consume` sees is the same.
///
/// `make` says whether more follows behind the batch that it filled; a batch that it gave up with an error is still
/// used. Batches come back to `make` as `consume` left them.
///
/// # Errors
/// What `make` or `consume` returns. After an error of `consume` the thread is left behind: it may wait for input that
/// never comes, and ends with the process.
pub fn read_ahead<B, M, U>(mut make: M, mut consume: U) -> Outcome
where
    B: Default + Send + 'static,
    M: FnMut(&mut B) -> Result<bool, anyhow::Error> + Send + 'static,
    U: FnMut(Ahead<'_, B>) -> Outcome,
{
    if thread::available_parallelism().map_or(1, usize::from) == 1 {
        let mut batch = B::default();
        loop {
            let next = next(&mut make, &mut batch);
            consume(Ahead::Batch(&mut batch))?;
            match next {
                Next::More => consume(Ahead::Idle)?,
                Next::End => return Ok(()),
                Next::Failed(e) => return Err(e),
            }
        }
    }
    let (full_in, full_out) = sync_channel(DEPTH);
    let (spare_in, spare_out) = sync_channel(DEPTH + 2);
    thread::Builder::new().name("reader".to_owned()).spawn(move || fill(make, &full_in, &spare_out))?;
    loop {
        let received = match full_out.try_recv() {
            Err(TryRecvError::Empty) => {
                consume(Ahead::Idle)?;
                full_out.recv().ok()
            }
            ready => ready.ok(),
        };
        let (mut batch, next) = received.ok_or_else(|| anyhow!("defect: the reading thread died"))?;
        consume(Ahead::Batch(&mut batch))?;
        match next {
            // A thread that has ended needs no spare batches.
            Next::More => drop(spare_in.try_send(batch)),
            Next::End => return Ok(()),
            Next::Failed(e) => return Err(e),
        }
    }
}

fn next<B>(make: &mut impl FnMut(&mut B) -> Result<bool, anyhow::Error>, batch: &mut B) -> Next {
    match make(batch) {
        Ok(true) => Next::More,
        Ok(false) => Next::End,
        Err(e) => Next::Failed(e),
    }
}

fn fill<B: Default>(
    mut make: impl FnMut(&mut B) -> Result<bool, anyhow::Error>,
    full: &SyncSender<(B, Next)>,
    spare: &Receiver<B>,
) {
    loop {
        let mut batch = spare.try_recv().unwrap_or_default();
        let next = next(&mut make, &mut batch);
        let more = matches!(next, Next::More);
        if full.send((batch, next)).is_err() || !more {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    /// Numbers from 0, so many a batch, until `end`.
    fn count(end: u32, fails: bool) -> (Vec<u32>, Outcome) {
        let mut at = 0;
        let make = move |batch: &mut Vec<u32>| {
            batch.clear();
            batch.extend(at..(at + 7).min(end));
            at += 7;
            if fails && at >= end { bail!("broken") } else { Ok(at < end) }
        };
        let mut seen = Vec::new();
        let outcome = read_ahead(make, |ahead| {
            if let Ahead::Batch(batch) = ahead {
                seen.extend_from_slice(batch);
            }
            Ok(())
        });
        (seen, outcome)
    }

    #[test]
    fn batches_come_in_order_and_all_of_them() {
        for end in [0, 1, 7, 8, 10_000] {
            let (seen, outcome) = count(end, false);
            assert!(outcome.is_ok());
            assert!(seen.into_iter().eq(0..end));
        }
    }

    #[test]
    fn what_was_made_before_an_error_is_used() {
        let (seen, outcome) = count(100, true);
        assert_eq!(outcome.unwrap_err().to_string(), "broken");
        assert!(seen.into_iter().eq(0..100));
    }

    #[test]
    fn a_user_that_stops_is_not_kept() {
        let outcome = read_ahead(
            |batch: &mut u32| {
                *batch += 1;
                Ok(true)
            },
            |ahead| if matches!(ahead, Ahead::Batch(_)) { bail!("enough") } else { Ok(()) },
        );
        assert_eq!(outcome.unwrap_err().to_string(), "enough");
    }

    #[test]
    fn a_reader_that_dies_is_an_error() {
        let die = |_: &mut u32| -> Result<bool, anyhow::Error> { std::panic::resume_unwind(Box::new(())) };
        if thread::available_parallelism().map_or(1, usize::from) > 1 {
            assert!(read_ahead(die, |_| Ok(())).is_err());
        }
    }
}
