//! How many packets a second are found in a capture of a million 60-byte packets, by format and compression.
//!
//! `cargo bench -p probeline-capfile`. The capture is in memory; a second row per format reads it from a file,
//! page cache warm, which adds the kernel's copy.

#![allow(clippy::unwrap_used, reason = "a bench that cannot set up has nothing to measure")]

use std::{
    fs::File,
    hint::black_box,
    io::{Read, Write},
    path::PathBuf,
};

use divan::{Bencher, counter::ItemsCount};
use flate2::{Compression, write::GzEncoder};
use probeline_capfile::{Batch, LinkType, MergeReader, PcapWriter, Reader};

const PACKETS: u64 = 1_000_000;

fn main() {
    divan::main();
}

/// A SYN of which the fields that scanners vary, vary.
fn packet(number: u64) -> [u8; 60] {
    let mut bytes = [0; 60];
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for place in [26, 30, 34, 38] {
        state ^= state >> 29;
        state = state.wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bytes[place..place + 4].copy_from_slice(&state.to_le_bytes()[..4]);
    }
    bytes
}

fn time(number: u64) -> i64 {
    1_700_000_000_000_000_000 + number as i64 * 1_000_000
}

fn pcap() -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = PcapWriter::new(&mut file, LinkType::ETHERNET, 65_535, false).unwrap();
    for number in 0..PACKETS {
        writer.write(time(number), 60, &packet(number)).unwrap();
    }
    file
}

fn pcapng() -> Vec<u8> {
    let mut file = Vec::new();
    let words = |file: &mut Vec<u8>, words: &[u32]| words.iter().for_each(|w| file.extend(w.to_le_bytes()));
    words(&mut file, &[0x0A0D_0D0A, 28, 0x1A2B_3C4D, 1, u32::MAX, u32::MAX, 28]);
    words(&mut file, &[1, 20, 1, 65_535, 20]);
    for number in 0..PACKETS {
        let micros = time(number) as u64 / 1_000;
        words(&mut file, &[6, 92, 0, (micros >> 32) as u32, micros as u32, 60, 60]);
        file.extend(packet(number));
        words(&mut file, &[92]);
    }
    file
}

fn drain(input: impl Read) -> u64 {
    let mut reader = Reader::new(input).unwrap();
    let mut batch = Batch::new();
    let mut sum = 0_u64;
    while reader.read_batch(&mut batch).unwrap() {
        for record in batch.records() {
            sum = sum.wrapping_add(record.ts_nanos as u64 ^ u64::from(record.cap_len));
        }
    }
    assert_eq!(reader.packets(), PACKETS);
    sum
}

fn in_memory(bencher: Bencher<'_, '_>, capture: &[u8]) {
    bencher.counter(ItemsCount::new(PACKETS)).bench_local(|| black_box(drain(capture)));
}

fn in_file(bencher: Bencher<'_, '_>, name: &str, capture: &[u8]) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    File::create(&path).unwrap().write_all(capture).unwrap();
    bencher.counter(ItemsCount::new(PACKETS)).bench_local(|| black_box(drain(File::open(&path).unwrap())));
    std::fs::remove_file(path).unwrap();
}

#[divan::bench]
fn pcap_memory(bencher: Bencher<'_, '_>) {
    in_memory(bencher, &pcap());
}

#[divan::bench]
fn pcap_file(bencher: Bencher<'_, '_>) {
    in_file(bencher, "walk.pcap", &pcap());
}

#[divan::bench]
fn pcapng_memory(bencher: Bencher<'_, '_>) {
    in_memory(bencher, &pcapng());
}

#[divan::bench]
fn pcapng_file(bencher: Bencher<'_, '_>) {
    in_file(bencher, "walk.pcapng", &pcapng());
}

#[divan::bench(sample_count = 10)]
fn pcap_gzip(bencher: Bencher<'_, '_>) {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&pcap()).unwrap();
    in_memory(bencher, &encoder.finish().unwrap());
}

#[divan::bench(sample_count = 10)]
fn pcap_zstd(bencher: Bencher<'_, '_>) {
    in_memory(bencher, &zstd::encode_all(&pcap()[..], 3).unwrap());
}

/// Two captures whose packets alternate: the worst case of a merge.
#[divan::bench]
fn merge_two(bencher: Bencher<'_, '_>) {
    let capture = pcap();
    bencher.counter(ItemsCount::new(2 * PACKETS)).bench_local(|| {
        let readers = [Reader::new(&capture[..]).unwrap(), Reader::new(&capture[..]).unwrap()];
        let mut merged = MergeReader::new(readers);
        let mut batch = Batch::new();
        let mut packets = 0;
        while merged.read_batch(&mut batch).unwrap() {
            packets += batch.len() as u64;
        }
        assert_eq!(black_box(packets), 2 * PACKETS);
    });
}
