//! Captures that crashed other parsers: every packet in them is decoded or skipped for a reason.

#![allow(clippy::print_stderr, reason = "says what it found")]

use std::fs::File;

use probeline_capfile::{Batch, Reader};
use probeline_packet::{Options, Reason, decode};
use probeline_testkit::captures;

#[test]
fn captures_that_crashed_others() {
    let Some(collection) = captures("captures_that_crashed_others") else { return };
    let (mut files, mut frames, mut packets) = (0, 0_u64, 0_u64);
    let mut skips = [0_u64; Reason::COUNT];
    let opts = Options { inner: true, checksums: true };
    for entry in std::fs::read_dir(collection.join("malformed")).expect("folder") {
        // Files that are no captures at all are the reader's business.
        let Ok(mut reader) = Reader::new(File::open(entry.expect("entry").path()).expect("open")) else {
            continue;
        };
        files += 1;
        let mut batch = Batch::new();
        while let Ok(true) = reader.read_batch(&mut batch) {
            for (record, bytes) in batch.iter() {
                frames += 1;
                match decode(record.link.0, bytes, record.wire_len, &opts) {
                    Ok(packet) => {
                        packets += 1;
                        assert!(packet.payload.len() <= bytes.len());
                        let options = match packet.transport {
                            probeline_packet::Transport::Tcp(tcp) => tcp.options.iter().count(),
                            _ => 0,
                        };
                        assert!(options <= 40, "more options than octets");
                    }
                    Err(skip) => skips[skip.reason().index()] += 1,
                }
            }
        }
    }
    let by_reason: Vec<_> = Reason::ALL
        .iter()
        .zip(skips)
        .filter(|(_, count)| *count > 0)
        .map(|(r, count)| (r.name(), count))
        .collect();
    eprintln!("{files} files, {frames} frames, {packets} packets, skipped {by_reason:?}");
    assert!(packets > 10_000, "too few packets to mean anything");
    assert_eq!(packets + skips.iter().sum::<u64>(), frames);
}
