//! A live input: batches as soon as there is a whole record.

use std::{
    io::{self, Read},
    sync::mpsc,
    thread,
};

use probeline_capfile::{Batch, Reader};

use crate::build::{Sips, drain, plain_ng, plain_pcap, read};

/// A pipe between two threads: a read waits for the next piece.
struct Pipe {
    pieces: mpsc::Receiver<Vec<u8>>,
    rest: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            match self.pieces.recv() {
                Ok(piece) => self.rest = piece,
                Err(mpsc::RecvError) => return Ok(0),
            }
        }
        let n = self.rest.len().min(into.len());
        into[..n].copy_from_slice(&self.rest[..n]);
        self.rest.drain(..n);
        Ok(n)
    }
}

/// The writer sends the next piece only after the packets of the last one have come out: a reader that waited
/// for more would never end.
#[test]
fn packets_come_out_before_more_goes_in() {
    for file in [plain_pcap(9), plain_ng(9)] {
        let (send, pieces) = mpsc::channel();
        let (seen, count) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut reader = Reader::new(Pipe { pieces, rest: Vec::new() }).expect("a capture").live(true);
            let mut batch = Batch::new();
            while reader.read_batch(&mut batch).expect("readable") {
                seen.send(batch.len()).expect("listener");
            }
            reader.packets()
        });
        let (first, each) = if file[0] == 0x0A { (48, 92) } else { (24, 76) };
        // Three whole records, then two and a half, then the rest.
        let mut sent = 0;
        for (end, out) in [(first + 3 * each, 3), (first + 5 * each + 30, 2), (file.len(), 4)] {
            send.send(file[sent..end].to_vec()).expect("reader");
            sent = end;
            assert_eq!(count.recv_timeout(std::time::Duration::from_secs(10)).expect("a batch in time"), out);
        }
        drop(send);
        assert_eq!(thread.join().expect("no panic"), 9);
    }
}

#[test]
fn a_live_reader_reads_the_same() {
    for file in [plain_pcap(3_000), plain_ng(3_000)] {
        let plain = read(&file[..]);
        for sizes in [&[1][..], &[1, 100, 7], &[70_000]] {
            let live = Reader::new(Sips { bytes: &file, sizes, turn: 0 }).expect("a capture").live(true);
            assert!(drain(live) == plain);
        }
    }
}
