//! Filters against tcpdump itself, on the laboratory's captures: the same packets, expression by expression.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use probeline_capture::{Error, Filter, link_type};
use proptest::prelude::*;

/// Expressions of every kind the language has that a link type of Ethernet can answer without looking names up.
const EXPRESSIONS: &[&str] = &[
    "",
    "ip",
    "ip6",
    "arp",
    "tcp",
    "udp port 53",
    "tcp dst port 22 or tcp dst port 23",
    "tcp[tcpflags] == tcp-syn",
    "tcp[tcpflags] & (tcp-rst|tcp-fin) != 0",
    "tcp[13] = 0",
    "icmp[icmptype] = icmp-echo",
    "icmp6 and ip6[40] = 128",
    "src net 175.16.199.0/24",
    "src net 175.16.199.0/24 and not src host 175.16.199.10",
    "dst host 203.0.113.10 and tcp portrange 1-1024",
    "net 2001:480:10::/48",
    "ether src 02:00:00:00:00:01",
    "ip proto 132",
    "greater 60",
    "less 59",
    "len - 14 = ip[2:2]",
    "ip[8] > 64 and ip[8] * 2 > 250",
    "ip[4:2] = 54321",
    "(ip[4:2] ^ tcp[2:2] ^ tcp[6:2] ^ ip[18:2]) = 0",
    "tcp[4:4] % 7 = 3",
    "tcp[4:4] / 65536 > 32768",
    "udp[8:4] >> 16 = 0",
    "not (tcp or udp or icmp)",
    "ip[0] & 0xf > 5 or tcp[12] & 0xf0 > 0x50",
    "vlan",
];

struct Captured {
    head: Vec<u8>,
    records: Vec<Record>,
}

struct Record {
    time: [u8; 8],
    wire_len: u32,
    data: Vec<u8>,
}

/// A little-endian pcap file, read by a reader that only tests need.
fn read(path: &Path) -> Captured {
    let bytes = fs::read(path).unwrap();
    assert_eq!(bytes[..4], [0xd4, 0xc3, 0xb2, 0xa1]);
    let mut records = Vec::new();
    let mut rest = &bytes[24..];
    while !rest.is_empty() {
        let number = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        let end = 16 + number(8) as usize;
        records.push(Record {
            time: rest[..8].try_into().unwrap(),
            wire_len: number(12),
            data: rest[16..end].to_vec(),
        });
        rest = &rest[end..];
    }
    Captured { head: bytes[..24].to_vec(), records }
}

fn write<'a>(path: &Path, head: &[u8], records: impl Iterator<Item = &'a Record>) {
    let mut bytes = head.to_vec();
    for record in records {
        bytes.extend(record.time);
        bytes.extend((record.data.len() as u32).to_le_bytes());
        bytes.extend(record.wire_len.to_le_bytes());
        bytes.extend(&record.data);
    }
    fs::write(path, bytes).unwrap();
}

fn lab(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/captures").join(name)
}

/// What tcpdump keeps of a file, none when there is no tcpdump here.
fn tcpdump(file: &Path, expression: &str) -> Option<Vec<u8>> {
    let output = Command::new("tcpdump").arg("-r").arg(file).args(["-w", "-", expression]).output();
    match output {
        Ok(output) => {
            assert!(output.status.success(), "{expression}: {}", String::from_utf8_lossy(&output.stderr));
            Some(output.stdout)
        }
        Err(_) => {
            eprintln!("SKIPPED: tcpdump is not installed, so nothing to compare with");
            None
        }
    }
}

fn agrees_with_tcpdump(capture: &Captured, file: &Path) {
    let mut lively = 0;
    for expression in EXPRESSIONS {
        let filter = Filter::compile(expression, link_type::ETHERNET).unwrap();
        let kept = capture.records.iter().filter(|record| filter.matches(&record.data, record.wire_len));
        let ours = file.with_extension("ours");
        write(&ours, &capture.head, kept);
        let Some(theirs) = tcpdump(file, expression) else { return };
        let ours = fs::read(ours).unwrap();
        // The header tcpdump writes has its own snap length.
        assert!(
            ours[24..] == theirs[24..],
            "{expression}: {} bytes, tcpdump has {}",
            ours.len(),
            theirs.len()
        );
        lively += usize::from(ours.len() > 24 && ours.len() < fs::metadata(file).unwrap().len() as usize);
    }
    assert!(lively > EXPRESSIONS.len() / 2, "only {lively} of the expressions tell packets apart");
}

#[test]
fn the_same_packets_as_tcpdump() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["lab-passive.pcap", "lab-honeypot.pcap"] {
        let file = directory.path().join(name);
        fs::copy(lab(name), &file).unwrap();
        agrees_with_tcpdump(&read(&file), &file);
    }
}

#[test]
fn the_same_packets_as_tcpdump_when_they_are_cut() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cut.pcap");
    let mut capture = read(&lab("lab-honeypot.pcap"));
    for (number, record) in capture.records.iter_mut().enumerate() {
        record.data.truncate(number % 70);
    }
    write(&file, &capture.head, capture.records.iter());
    agrees_with_tcpdump(&capture, &file);
}

#[test]
fn wrong_expressions_say_why() {
    let error = Filter::compile("tcp prot 22", link_type::ETHERNET).unwrap_err();
    assert!(error.to_string().starts_with("filter 'tcp prot 22' for link type 1: "), "{error}");
    assert!(matches!(Filter::compile("tcp", u32::MAX), Err(Error::Filter { .. })));
    assert!(matches!(
        Filter::compile("ether host 02:00:00:00:00:01", link_type::RAW),
        Err(Error::Filter { .. })
    ));
    assert!(matches!(Filter::compile("tcp\0", link_type::RAW), Err(Error::Filter { .. })));
}

#[test]
fn every_link_type_of_a_telescope_compiles() {
    // NULL, Ethernet, raw IP, cooked, IPv4, IPv6, cooked version 2.
    for link in [0, link_type::ETHERNET, link_type::RAW, 113, 228, 229, link_type::LINUX_SLL2] {
        let filter = Filter::compile("tcp", link).unwrap();
        assert_eq!(filter.link_type(), link);
        assert!(!filter.matches(&[], 0));
    }
}

#[test]
fn one_filter_serves_many_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&Filter::compile("tcp", link_type::RAW).unwrap());
}

proptest! {
    /// Whatever the bytes, the question is answered.
    #[test]
    fn any_bytes_are_answered(data in proptest::collection::vec(any::<u8>(), 0..200), wire_len: u32, which in 0..EXPRESSIONS.len()) {
        let filter = Filter::compile(EXPRESSIONS[which], link_type::ETHERNET).unwrap();
        let first = filter.matches(&data, wire_len);
        prop_assert_eq!(filter.matches(&data, wire_len), first);
    }
}
