//! Hostile input does not make the reader big or slow. Alone in its process, so that its memory is the
//! reader's.

use std::{
    io::{self, Read},
    time::{Duration, Instant},
};

use probeline_capfile::{Batch, Reader};

use build::{Bytes, MICROS, Ng, Pcap};

#[path = "it/build.rs"]
#[expect(dead_code, reason = "the other tests' builders; these few are needed here")]
mod build;

/// A head, then a pattern over and over, `total` bytes in all.
struct Endless {
    head: Vec<u8>,
    pattern: Vec<u8>,
    at: usize,
    total: usize,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < into.len() && self.at < self.total {
            let from = if self.at < self.head.len() {
                &self.head[self.at..]
            } else {
                &self.pattern[(self.at - self.head.len()) % self.pattern.len()..]
            };
            let n = from.len().min(into.len() - done).min(self.total - self.at);
            into[done..done + n].copy_from_slice(&from[..n]);
            done += n;
            self.at += n;
        }
        Ok(done)
    }
}

/// Peak resident memory of this process in KiB, where the system tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// 64 MiB each of: records that claim 8 MiB, 16-byte records, zeros, noise, blocks that claim 8 MiB, a flood
/// of interfaces, candidates for a search that all need a far look ahead.
#[test]
fn stays_small_and_quick() {
    const TOTAL: usize = 64 << 20;
    let pcap = |snaplen| Pcap::new(false, MICROS, snaplen, 1).done();
    let record = |cap: u32, wire: u32| {
        Pcap::new(false, MICROS, 0, 1).record(1_000, 0, cap, wire, b"").done()[24..].to_vec()
    };
    let block = |words: &[u32]| {
        let mut bytes = Bytes::new(false);
        words.iter().for_each(|word| {
            bytes.u32(*word);
        });
        bytes.out
    };
    let ng = || Ng::new(false).interface(1, 0, &[]).done();
    let noise: Vec<u8> = (0..100_003_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let cases: Vec<(&str, Vec<u8>, Vec<u8>)> = vec![
        ("records that claim 8 MiB", pcap(u32::MAX), record(8 << 20, 8 << 20)),
        ("records that claim 8 MiB and are doubtful", pcap(u32::MAX), record(8 << 20, 1)),
        ("records of no bytes", pcap(65_535), record(0, 60)),
        ("records of one byte more than on the wire", pcap(65_535), [record(1, 0), vec![7]].concat()),
        ("zeros", pcap(65_535), vec![0; 4_096]),
        ("noise", pcap(65_535), noise.clone()),
        ("headers of records of 256 KiB", pcap(262_144), [record(262_144, 262_144), vec![0xFF; 3]].concat()),
        ("noise in blocks", ng(), noise),
        ("blocks that claim 8 MiB", ng(), block(&[0x0BAD, 8 << 20, 7])),
        ("blocks that claim 1 MiB", ng(), block(&[6, 1 << 20, 0])),
        ("shortest blocks", ng(), block(&[0x0BAD, 12, 12])),
        ("interfaces", Ng::new(false).done(), Ng::new(false).interface(1, 0, &[]).done()[28..].to_vec()),
        ("sections", Ng::new(false).done(), Ng::new(false).done()),
        ("file headers", pcap(0), pcap(0)),
    ];
    let before = peak();
    for (name, head, pattern) in cases {
        let begun = Instant::now();
        let mut reader = Reader::new(Endless { head, pattern, at: 0, total: TOTAL }).expect("a capture");
        let mut batch = Batch::new();
        while reader.read_batch(&mut batch).expect("readable") {
            assert!(batch.byte_len() <= 11 << 20, "{name}: a batch of {} bytes", batch.byte_len());
            assert!(batch.len() <= 40_000, "{name}: a batch of {} records", batch.len());
        }
        let took = begun.elapsed();
        // Unoptimised builds and busy machines included; without bounds some of these take hours.
        assert!(took < Duration::from_secs(20), "{name}: {took:?}");
        assert_eq!(reader.bytes_read(), TOTAL as u64);
    }
    let (Some(before), Some(after)) = (before, peak()) else { return };
    assert!(after - before < 32 << 10, "peak memory {before} KiB before, {after} KiB after");
}
