//! Hostile input does not make the tool big: its peak memory, as the system counted it, stays below the
//! bound.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use probeline_testkit::{Link, Packet, captures, skipped};

use crate::run::{below, pkt2csv};

/// What the tool promises, KiB.
const BOUND: u64 = 64 << 10;

/// Peak resident memory in KiB of a run with these arguments, with this on its stdin.
fn peak(args: &[&str], mut input: impl Read + Send) -> Option<u64> {
    let mut child = pkt2csv(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut pipe = child.stdin.take().expect("piped");
    let mut rows = child.stdout.take().expect("piped");
    let status = format!("/proc/{}/status", child.id());
    thread::scope(|scope| {
        // A tool that refuses the input hangs up.
        scope.spawn(move || drop(io::copy(&mut input, &mut pipe)));
        scope.spawn(move || io::copy(&mut rows, &mut io::sink()).expect("a pipe"));
        let mut most = None;
        loop {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with("VmHWM:"));
            let now = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
            most = most.max(now);
            if let Some(status) = child.try_wait().expect("our child") {
                assert_ne!(status.code(), Some(101), "{args:?}: it panicked");
                return most;
            }
            thread::sleep(Duration::from_millis(1));
        }
    })
}

/// `count` times the same bytes behind a head.
fn endless(head: Vec<u8>, pattern: Vec<u8>, total: usize) -> impl Read + Send {
    let count = total / pattern.len();
    let patterns = (0..count).flat_map(move |_| pattern.clone());
    Bytes(head.into_iter().chain(patterns))
}

struct Bytes<I>(I);

impl<I: Iterator<Item = u8>> Read for Bytes<I> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(into.iter_mut().zip(&mut self.0).map(|(place, byte)| *place = byte).count())
    }
}

fn header(snaplen: u32, link: u32) -> Vec<u8> {
    [0xa1b2_c3d4, 0x0004_0002, 0, 0, snaplen, link].iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
}

fn record(claims: u32, bytes: &[u8]) -> Vec<u8> {
    let words = [1_700_000_000, 0, claims, claims];
    words.iter().flat_map(|word: &u32| word.to_le_bytes()).chain(bytes.iter().copied()).collect()
}

/// Packets whose rows are as long as rows can be, for the fewest bytes of capture.
fn wordy() -> Vec<u8> {
    let address = "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff";
    record(60, &Packet::tcp(address, 65_535, address, 65_535).link(Link::Raw).bytes())
}

#[test]
fn memory_stays_below_the_bound() {
    const TOTAL: usize = 48 << 20;
    if !Path::new("/proc/self/status").exists() {
        return skipped("memory_stays_below_the_bound", "this system does not tell");
    }
    let all = ["--columns", "+frag_off,+vlan,+tcp_tsecr,+tcp_urg,+cap_len,+wire_len,+interface,+checksum"];
    let ndjson = ["--format", "ndjson", "--payload", "65535"];
    let inner = vec![9; 8 << 20];
    let mut huge = Packet::udp("203.0.113.7", 1, "198.51.100.1", 2).payload(vec![7; 60_000]).bytes();
    huge.extend(&inner);
    let cases: Vec<(&str, Vec<u8>, Vec<u8>)> = vec![
        ("records of 8 MiB", header(u32::MAX, 1), record(8 << 20, &huge[..8 << 20])),
        ("records that claim 8 MiB", header(u32::MAX, 1), record(8 << 20, &[])),
        ("records of no bytes", header(65_535, 1), record(0, &[])),
        ("long rows of short packets", header(65_535, 101), wordy()),
        ("the longest payloads", header(65_535, 1), record(60_042, &huge[..60_042])),
        ("zeros", header(65_535, 1), vec![0; 4096]),
    ];
    for (name, head, pattern) in cases {
        for threads in ["1", "2", "16"] {
            let args: Vec<&str> = ["--threads", threads].into_iter().chain(all).chain(ndjson).collect();
            let most = peak(&args, endless(head.clone(), pattern.clone(), TOTAL)).expect("a peak");
            eprintln!("{name}, {threads} threads: {} MiB", most >> 10);
            assert!((1 << 10..BOUND).contains(&most), "{name}, {threads} threads: {most} KiB");
        }
    }
}

/// zstd frames whose window is larger than is kept are refused, with a way out; smaller ones inside each
/// other fit.
#[test]
fn windows_of_compressed_input_are_bounded() {
    if !Path::new("/proc/self/status").exists() {
        return skipped("windows_of_compressed_input_are_bounded", "this system does not tell");
    }
    let mut capture = header(65_535, 1);
    let syn = record(54, &Packet::tcp("203.0.113.7", 1, "198.51.100.1", 2).flags("S").bytes());
    for n in 0..600_000_u32 {
        let mut record = syn.clone();
        record[16 + 38..16 + 42].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
        capture.extend(record);
    }
    let pack = |bytes: &[u8], window_log: u32| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
        encoder.window_log(window_log).expect("a window");
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    };
    let three = pack(&pack(&pack(&capture, 23), 23), 23);
    let most = peak(&["--threads", "2"], &three[..]).expect("a peak");
    assert!(most < BOUND, "{most} KiB");

    let ran = crate::run::piped(["--threads", "2"], &pack(&capture, 27)).code(2);
    ran.says("<stdin>: zstd data damaged at byte")
        .says("a window above 8 MiB; unpack it with zstd -dc --long=31");
}

/// Every crash test that others have published.
#[test]
fn memory_stays_below_the_bound_for_malformed_captures() {
    const TEST: &str = "memory_stays_below_the_bound_for_malformed_captures";
    let Some(collection) = captures(TEST) else { return };
    let mut files: Vec<PathBuf> = below(&collection.join("malformed"));
    files.retain(|path| path.is_file());
    // The largest and every tenth of the others: what a run takes hardly differs between files of a few
    // hundred bytes.
    files.sort_by_key(|path| std::cmp::Reverse(path.metadata().map_or(0, |about| about.len())));
    let chosen = files.iter().enumerate().filter(|(n, _)| *n < 100 || n % 10 == 0).map(|(_, path)| path);
    let mut runs = 0;
    for path in chosen {
        let most = peak(&["--inner", "--checksums"], File::open(path).expect("a file"));
        runs += 1;
        assert!(most.is_none_or(|most| most < BOUND), "{}: {most:?} KiB", path.display());
    }
    assert!(runs > 100, "{runs} runs prove little");
}
