//! Merging by time.

use probeline_capfile::{Batch, LinkType, MergeReader, PcapWriter, Reader};
use proptest::prelude::*;

use crate::build::Sips;

fn capture(times: &[i64]) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), LinkType::ETHERNET, 65_535, true).expect("header");
    for (index, time) in times.iter().enumerate() {
        writer.write(*time, 100, &[index as u8; 20]).expect("memory");
    }
    writer.into_inner()
}

/// Time, input, number and data of everything merged.
fn merged(files: &[Vec<u8>]) -> Vec<(i64, u32, u64, Vec<u8>)> {
    let mut merge = MergeReader::new(files.iter().map(|file| Reader::new(&file[..]).expect("a capture")));
    let mut batch = Batch::new();
    let mut out = Vec::new();
    while merge.read_batch(&mut batch).expect("readable") {
        assert!(!batch.is_empty());
        out.extend(batch.iter().map(|(r, data)| (r.ts_nanos, r.input, r.number, data.to_vec())));
    }
    assert!(!merge.read_batch(&mut batch).expect("still the end"));
    assert_eq!(merge.bytes_read(), files.iter().map(|file| file.len() as u64).sum::<u64>());
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A stable sort of everything, by time and then by input, is the same.
    #[test]
    fn is_a_stable_sort(
        mut inputs in prop::collection::vec(prop::collection::vec(0_i64..200, 0..300), 0..6),
    ) {
        inputs.iter_mut().for_each(|times| times.sort_unstable());
        let files: Vec<Vec<u8>> = inputs.iter().map(|times| capture(times)).collect();
        let mut expected: Vec<_> = inputs
            .iter()
            .enumerate()
            .flat_map(|(input, times)| {
                let packet = move |(n, t): (usize, &i64)| (*t, input as u32, n as u64 + 1, vec![n as u8; 20]);
                times.iter().enumerate().map(packet)
            })
            .collect();
        expected.sort_by_key(|packet| packet.0);
        prop_assert_eq!(merged(&files), expected);
    }
}

/// Larger than any batch, and the one input ends long before the other.
#[test]
fn many_packets_and_uneven_inputs() {
    let evens: Vec<i64> = (0..30_000).map(|n| n * 2).collect();
    let odds: Vec<i64> = (0..3_000).map(|n| n * 2 + 1).collect();
    let out = merged(&[capture(&evens), capture(&odds), capture(&[])]);
    assert_eq!(out.len(), 33_000);
    assert!(out.windows(2).all(|two| two[0].0 < two[1].0));
}

/// An input that runs backwards keeps its own order.
#[test]
fn an_unordered_input_keeps_its_order() {
    let out = merged(&[capture(&[5, 1, 9]), capture(&[4, 6])]);
    let order: Vec<(i64, u32)> = out.iter().map(|packet| (packet.0, packet.1)).collect();
    assert_eq!(order, [(4, 1), (5, 0), (1, 0), (6, 1), (9, 0)]);
}

#[test]
fn a_failing_input_is_left_out_and_told() {
    struct Failing<'a>(Sips<'a>);
    impl std::io::Read for Failing<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(into)? {
                0 if self.0.sizes.len() > 1 => Err(std::io::Error::other("gone")),
                n => Ok(n),
            }
        }
    }
    let (bad, good) = (capture(&[1, 3]), capture(&[2, 4, 5]));
    let readers = [(&bad, &[4_096, 1][..]), (&good, &[4_096][..])]
        .map(|(bytes, sizes)| Reader::new(Failing(Sips { bytes, sizes, turn: 0 })).expect("a capture"));
    let mut merge = MergeReader::new(readers);
    let mut batch = Batch::new();
    let mut times = Vec::new();
    let mut failures = Vec::new();
    loop {
        match merge.read_batch(&mut batch) {
            Ok(true) => times.extend(batch.records().iter().map(|record| record.ts_nanos)),
            Ok(false) => break,
            Err(e) => failures.push(e.to_string()),
        }
    }
    assert_eq!(times, [1, 2, 3, 4, 5]);
    assert_eq!(failures, ["input 0: read failed after packet 2 at input byte 96: gone"]);
}
