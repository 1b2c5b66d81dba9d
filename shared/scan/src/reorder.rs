//! Putting input in order of time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use probeline_record::Ts;
use serde::{Deserialize, Serialize};

use crate::wire;

/// Holds items back until one has come that is later by more than the reach, and hands them out in order of time;
/// equal times keep the order in which they came.
///
/// In-order input costs a queue; only stragglers cost a heap. Memory: the items of one reach, at most `limit`; beyond
/// it the earliest are handed out before their time and counted.
#[derive(Debug)]
pub struct Reorder<T> {
    reach: i64,
    limit: usize,
    queue: VecDeque<(Ts, u64, T)>,
    stragglers: BinaryHeap<Reverse<Straggler<T>>>,
    newest: Ts,
    taken: Ts,
    arrivals: u64,
    late: u64,
    hurried: u64,
}

#[derive(Debug)]
struct Straggler<T> {
    ts: Ts,
    arrival: u64,
    item: T,
}

impl<T> Straggler<T> {
    fn key(&self) -> (Ts, u64) {
        (self.ts, self.arrival)
    }
}

impl<T> PartialEq for Straggler<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl<T> Eq for Straggler<T> {}
impl<T> PartialOrd for Straggler<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Straggler<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// What a [`Reorder`] holds between two inputs: its place in time, and the items in the order in which they came.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Waiting<T> {
    #[serde(with = "wire::ts")]
    newest: Ts,
    #[serde(with = "wire::ts")]
    taken: Ts,
    items: Vec<(i64, T)>,
}

impl<T> Waiting<T> {
    /// The same with other items.
    pub(crate) fn map<U>(self, mut to: impl FnMut(T) -> U) -> Waiting<U> {
        let items = self.items.into_iter().map(|(ts, item)| (ts, to(item))).collect();
        Waiting { newest: self.newest, taken: self.taken, items }
    }
}

impl<T> Reorder<T> {
    /// Takes everything out.
    pub(crate) fn suspend(&mut self) -> Waiting<T> {
        let queue = std::mem::take(&mut self.queue);
        let stragglers = std::mem::take(&mut self.stragglers);
        let mut all: Vec<(Ts, u64, T)> = queue.into();
        all.extend(stragglers.into_iter().map(|Reverse(s)| (s.ts, s.arrival, s.item)));
        all.sort_unstable_by_key(|(_, arrival, _)| *arrival);
        let items = all.into_iter().map(|(ts, _, item)| (ts.nanos(), item)).collect();
        Waiting { newest: self.newest, taken: self.taken, items }
    }

    /// Goes on where another stopped.
    pub(crate) fn resume(&mut self, waiting: Waiting<T>) {
        for (ts, item) in waiting.items {
            // Nothing was taken yet, so nothing is late.
            drop(self.push(Ts::from_nanos(ts), item));
        }
        self.newest = self.newest.max(waiting.newest);
        self.taken = waiting.taken;
    }

    /// Puts right what is out of order by up to `reach`, holding at most `limit` items.
    pub fn new(reach: Duration, limit: usize) -> Self {
        Self {
            reach: i64::try_from(reach.as_nanos()).unwrap_or(i64::MAX),
            limit: limit.max(1),
            queue: VecDeque::new(),
            stragglers: BinaryHeap::new(),
            newest: Ts::MIN,
            taken: Ts::MIN,
            arrivals: 0,
            late: 0,
            hurried: 0,
        }
    }

    /// Takes an item in. Returns it where it is late: earlier than one that was already handed out.
    #[inline]
    pub fn push(&mut self, ts: Ts, item: T) -> Result<(), T> {
        if !self.admits(ts) {
            return Err(item);
        }
        self.put(ts, item);
        Ok(())
    }

    /// Whether an item of this time may still come in; one that may not is counted as late.
    #[inline]
    pub(crate) fn admits(&mut self, ts: Ts) -> bool {
        let admits = ts >= self.taken;
        self.late += u64::from(!admits);
        admits
    }

    /// Takes in an item that was admitted.
    #[inline]
    pub(crate) fn put(&mut self, ts: Ts, item: T) {
        self.newest = self.newest.max(ts);
        let arrival = self.arrivals;
        self.arrivals += 1;
        match self.queue.back() {
            Some((last, _, _)) if ts < *last => self.put_straggler(ts, arrival, item),
            _ => self.queue.push_back((ts, arrival, item)),
        }
    }

    #[cold]
    fn put_straggler(&mut self, ts: Ts, arrival: u64, item: T) {
        self.stragglers.push(Reverse(Straggler { ts, arrival, item }));
    }

    /// Shows the next item whose turn has come to `take`, and lets it go.
    #[inline]
    pub fn pop<O>(&mut self, take: impl FnOnce(&T) -> O) -> Option<O> {
        let first = self.first()?;
        if self.newest.since(first) <= self.reach {
            if self.len() <= self.limit {
                return None;
            }
            self.hurried += 1;
        }
        self.pop_any(take)
    }

    /// Likewise, whether its turn has come or not: for the end of the input.
    #[inline]
    pub fn pop_any<O>(&mut self, take: impl FnOnce(&T) -> O) -> Option<O> {
        let from_heap = match (self.queue.front(), self.stragglers.peek()) {
            (Some((ts, arrival, _)), Some(Reverse(straggler))) => straggler.key() < (*ts, *arrival),
            (None, Some(_)) => true,
            _ => false,
        };
        if from_heap {
            let Reverse(straggler) = self.stragglers.pop()?;
            self.taken = straggler.ts;
            return Some(take(&straggler.item));
        }
        // Shown where it lies: items are large, and each passes here.
        let (ts, _, item) = self.queue.front()?;
        self.taken = *ts;
        let taken = take(item);
        self.queue.pop_front();
        Some(taken)
    }

    fn first(&self) -> Option<Ts> {
        let queue = self.queue.front().map(|(ts, _, _)| *ts);
        let heap = self.stragglers.peek().map(|Reverse(s)| s.ts);
        match (queue, heap) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// How many items are held.
    pub fn len(&self) -> usize {
        self.queue.len() + self.stragglers.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many came too late.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// How many were handed out before their time because more than the limit were held.
    pub fn hurried(&self) -> u64 {
        self.hurried
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(times: &[i64], reach: u64) -> (Vec<i64>, u64) {
        let mut reorder = Reorder::new(Duration::from_nanos(reach), usize::MAX);
        let mut out = Vec::new();
        for t in times {
            let _late = reorder.push(Ts::from_nanos(*t), *t);
            out.extend(std::iter::from_fn(|| reorder.pop(|item| *item)));
        }
        out.extend(std::iter::from_fn(|| reorder.pop_any(|item| *item)));
        (out, reorder.late())
    }

    #[test]
    fn late_is_counted() {
        assert_eq!(run(&[0, 10, 4, 16, 5, 11], 5), (vec![0, 4, 10, 11, 16], 1));
    }

    #[test]
    fn ties_keep_their_order_and_the_limit_holds() {
        let mut reorder = Reorder::new(Duration::from_secs(1), 3);
        for i in 0..10 {
            reorder.push(Ts::from_nanos(5), i).unwrap();
        }
        let early: Vec<i32> = std::iter::from_fn(|| reorder.pop(|item| *item)).collect();
        assert_eq!(early, [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!((reorder.len(), reorder.hurried()), (3, 7));
        assert_eq!(std::iter::from_fn(|| reorder.pop_any(|item| *item)).collect::<Vec<i32>>(), [7, 8, 9]);
    }

    proptest! {
        /// Disorder within the reach leaves no trace.
        #[test]
        fn sorts_what_is_within_reach(mut times in prop::collection::vec(0i64..1000, 0..60), jitter in prop::collection::vec(0i64..=20, 60)) {
            times.sort_unstable();
            let mut shuffled: Vec<(i64, i64)> = times.iter().zip(&jitter).map(|(t, j)| (t + j, *t)).collect();
            shuffled.sort_by_key(|(arrives, _)| *arrives);
            let arrived: Vec<i64> = shuffled.iter().map(|(_, t)| *t).collect();
            prop_assert_eq!(run(&arrived, 20), (times, 0));
        }
    }
}
