//! Several captures in one time order.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    io::Read,
};

use crate::{
    batch::{Batch, Record},
    error::MergeError,
    reader::Reader,
};

/// Bytes and records after which a merged batch is handed out.
const BYTES: usize = 256 << 10;
const RECORDS: usize = 4_096;

/// Merges several readers by time.
///
/// The packet with the smallest time at the head of any input comes next; at equal times the input named
/// first. An input that is not in time order itself keeps its own order, so merging inputs that are in order
/// gives order. [`Record::input`] says where a packet came from; `number`, `offset` and `interface` stay
/// those of its own input.
pub struct MergeReader<R> {
    inputs: Vec<Input<R>>,
    /// Time and index of the next packet of every input that has one.
    heads: BinaryHeap<Reverse<(i64, usize)>>,
    failed: VecDeque<MergeError>,
    begun: bool,
}

struct Input<R> {
    reader: Reader<R>,
    batch: Batch,
    next: usize,
}

impl<R> std::fmt::Debug for MergeReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MergeReader").field("inputs", &self.inputs.len()).finish_non_exhaustive()
    }
}

impl<R: Read> MergeReader<R> {
    /// Merges `readers`; their order decides between equal times.
    pub fn new(readers: impl IntoIterator<Item = Reader<R>>) -> Self {
        let inputs: Vec<Input<R>> =
            readers.into_iter().map(|reader| Input { reader, batch: Batch::new(), next: 0 }).collect();
        Self { heads: BinaryHeap::with_capacity(inputs.len()), inputs, failed: VecDeque::new(), begun: false }
    }

    /// Refills `batch` with the next records of all inputs. `Ok(true)` means at least one record, `Ok(false)`
    /// the end.
    ///
    /// # Errors
    /// [`MergeError`] if an input cannot be read. That input is then left out; calling again goes on with the
    /// others.
    pub fn read_batch(&mut self, batch: &mut Batch) -> Result<bool, MergeError> {
        batch.clear();
        if let Some(failure) = self.failed.pop_front() {
            return Err(failure);
        }
        if !self.begun {
            self.begun = true;
            for index in 0..self.inputs.len() {
                self.enter(index);
            }
        }
        while self.failed.is_empty()
            && batch.len() < RECORDS
            && batch.byte_len() < BYTES
            && let Some(Reverse((_, index))) = self.heads.pop()
        {
            // The input stays at the front for as long as no other has an earlier packet.
            let limit = self.heads.peek().map(|Reverse(head)| *head);
            self.run(index, limit, batch);
        }
        if batch.is_empty()
            && let Some(failure) = self.failed.pop_front()
        {
            return Err(failure);
        }
        Ok(!batch.is_empty())
    }

    /// The merged readers, in the order given: for their damage, formats and progress.
    pub fn readers(&self) -> impl ExactSizeIterator<Item = &Reader<R>> {
        self.inputs.iter().map(|input| &input.reader)
    }

    /// Digits after the second that timestamps need: the most that any input needs.
    pub fn time_digits(&self) -> u8 {
        self.readers().map(Reader::time_digits).max().unwrap_or(6)
    }

    /// Bytes taken from all underlying inputs.
    pub fn bytes_read(&self) -> u64 {
        self.readers().map(Reader::bytes_read).sum()
    }

    /// Takes packets of one input up to `limit` and puts the input back among the heads.
    fn run(&mut self, index: usize, limit: Option<(i64, usize)>, into: &mut Batch) {
        let Some(input) = self.inputs.get_mut(index) else { return };
        while let Some(record) = input.batch.records().get(input.next) {
            if limit.is_some_and(|limit| (record.ts_nanos, index) > limit)
                || into.len() >= RECORDS
                || into.byte_len() >= BYTES
            {
                self.heads.push(Reverse((record.ts_nanos, index)));
                return;
            }
            let tagged = Record { input: u32::try_from(index).unwrap_or(u32::MAX), ..*record };
            if !into.push(tagged, input.batch.bytes(record)) {
                self.heads.push(Reverse((record.ts_nanos, index)));
                return;
            }
            input.next += 1;
        }
        self.enter(index);
    }

    /// Refills an input that has run out and puts it among the heads, unless it has ended.
    fn enter(&mut self, index: usize) {
        let Some(input) = self.inputs.get_mut(index) else { return };
        input.next = 0;
        match input.reader.read_batch(&mut input.batch) {
            Ok(true) => {
                if let Some(first) = input.batch.records().first() {
                    self.heads.push(Reverse((first.ts_nanos, index)));
                }
            }
            Ok(false) => {}
            Err(source) => self.failed.push_back(MergeError { input: index, source }),
        }
    }
}
