//! Values of rows, and that every way of writing them writes the same.

use std::path::Path;

use probeline_testkit::pcap::{self, Precision};
use probeline_testkit::{Packet, Table};
use tempfile::TempDir;

use crate::frames;
use crate::run::{piped, run, well_formed};

/// The lines of rows with a further column, without it.
fn without_last(rows: &str) -> String {
    rows.lines().map(|line| format!("{}\n", line.rsplit_once(',').expect("several cells").0)).collect()
}

/// The default columns are written by a short way of their own; one column more takes the general way.
#[track_caller]
fn both_ways_agree(file: &Path, more: &[&str]) -> usize {
    let args = |columns: &[&str]| -> Vec<String> {
        let file = file.display().to_string();
        more.iter().chain(columns).map(ToString::to_string).chain([file]).collect()
    };
    let short = run(args(&[]));
    let general = run(args(&["--columns", "+wire_len"]));
    assert_eq!(short.code, general.code);
    let (short, general) = (short.text(), without_last(&general.text()));
    if short != general {
        let differing = short.lines().zip(general.lines()).find(|(a, b)| a != b);
        panic!("{} {more:?}: {differing:#?}", file.display());
    }
    short.lines().count() - 1
}

#[test]
fn the_short_way_writes_what_the_general_way_writes() {
    let scratch = TempDir::new().expect("a folder");
    let mut files = vec![("ns.pcap".to_owned(), frames::capture(Precision::Nanos))];
    files.push(("us.pcap".to_owned(), frames::capture(Precision::Micros)));
    files.extend(frames::other_links().into_iter().map(|(link, bytes)| (format!("{link}.pcap"), bytes)));
    let syn = Packet::tcp("203.0.113.7", 1, "198.51.100.1", 2).flags("S").bytes();
    let seconds = [0, 1, 999_999_999, 1_000_000_000, 4_294_967_295];
    let times = seconds.map(|second: u64| (second * 1_000_000_000 + 1, syn.clone()));
    files.push(("times.pcap".to_owned(), pcap::file(Precision::Nanos, 1, times)));
    let mut rows = 0;
    for (name, bytes) in files {
        let file = scratch.path().join(name);
        std::fs::write(&file, bytes).expect("a file");
        for more in [
            &[][..],
            &["--inner"],
            &["--payload", "0"],
            &["--payload", "1"],
            &["--payload", "65535"],
            &["--threads", "3"],
        ] {
            rows += both_ways_agree(&file, more);
        }
    }
    assert!(rows > 30_000, "{rows} rows prove little");
}

#[test]
fn the_short_way_writes_what_the_general_way_writes_of_real_captures() {
    let rows: usize = well_formed("the_short_way_writes_what_the_general_way_writes_of_real_captures")
        .iter()
        .map(|file| both_ways_agree(file, &[]))
        .sum();
    assert!(rows > 5_000, "{rows} rows prove little");
}

/// serde_json reads NDJSON, the csv crate CSV: the same columns and values, byte for byte.
#[test]
fn ndjson_says_the_same_as_csv() {
    let capture = frames::capture(Precision::Nanos);
    for columns in [&[][..], &["--columns", "+frag_off,vlan,+tcp_tsecr"], &["--checksums", "--rfc3339"]] {
        let columns: Vec<String> = columns.iter().map(|text| text.replace(",vlan", ",+vlan")).collect();
        let csv = piped(&columns, &capture).code(0).table();
        let mut with_format = columns.clone();
        with_format.extend(["--format".to_owned(), "ndjson".to_owned()]);
        let ndjson = piped(&with_format, &capture).code(0);
        let first: serde_json::Value =
            serde_json::from_str(ndjson.text().lines().next().expect("a row")).expect("JSON");
        assert!(first["src_ip"].is_string() && first["ttl"].is_u64() && first["tcp_mss"].is_null());
        assert_eq!(first["ts"].is_string(), columns.iter().any(|arg| arg == "--rfc3339"));
        assert!(csv == ndjson.table(), "{columns:?}");
        assert!(csv.len() > 2_000);
    }
}

fn cells(table: &Table, row: usize, expected: &[(&str, &str)]) {
    let row = table.rows().nth(row).expect("a row");
    for (column, value) in expected {
        assert_eq!(row.get(column).unwrap_or(""), *value, "{column} of {row:?}");
    }
}

/// Cells against what the packets were built from.
#[test]
fn cells_are_what_the_packets_are() {
    let options = probeline_testkit::TcpOption::list("mss=1460,sackok,ts=77:5,nop,ws=7");
    let syn = Packet::tcp("203.0.113.7", 40_000, "198.51.100.1", 23)
        .flags("SEC")
        .seq(4_000_000_000)
        .win(64_240)
        .options(options)
        .ttl(51)
        .id(54_321)
        .tos(3)
        .urgent(9)
        .vlan(12);
    let udp =
        Packet::udp("203.0.113.7", 5060, "198.51.100.1", 53).checksum(0x1234).payload("0123456789abcdefX");
    let echo = Packet::ping("2001:db8::7", "2001:db8::1", 513, 2).ttl(255);
    let probe = Packet::udp("198.51.100.1", 3000, "203.0.113.7", 3001);
    let unreachable = Packet::icmp("203.0.113.7", "198.51.100.1", 3, 3).quoting(&probe, 28);
    let null = Packet::tcp("203.0.113.7", 1, "198.51.100.1", 2).false_checksum();
    let later = Packet::udp("203.0.113.7", 1, "198.51.100.1", 2)
        .fragment(3, true)
        .payload(vec![1, 2, 3, 4, 5, 6, 7, 8]);
    let gre = Packet::ip("203.0.113.7", "198.51.100.1", 47).payload([0, 0, 8, 6]);
    let packets = [syn, udp, echo, unreachable, null, later, gre];
    let records =
        packets.iter().zip(1_700_000_000_000_000_100_u64..).map(|(packet, ts)| (ts, packet.bytes()));
    let capture = pcap::file(Precision::Nanos, 1, records);
    let extra = "+frag_off,+vlan,+tcp_tsecr,+tcp_urg,+cap_len,+wire_len,+interface";
    let table = piped(["--columns", extra, "--checksums"], &capture).code(0).table();
    let expected: [&[(&str, &str)]; 7] = [
        &[
            ("ts", "1700000000.000000100"),
            ("src_ip", "203.0.113.7"),
            ("dst_ip", "198.51.100.1"),
            ("proto", "tcp"),
            ("src_port", "40000"),
            ("dst_port", "23"),
            ("tcp_flags", "SEC"),
            ("ip_len", "60"),
            ("ttl", "51"),
            ("ip_id", "54321"),
            ("ip_tos", "3"),
            ("ip_df", "1"),
            ("tcp_seq", "4000000000"),
            ("tcp_ack", "0"),
            ("tcp_win", "64240"),
            ("tcp_opts", "2-4-8-1-3"),
            ("tcp_mss", "1460"),
            ("tcp_wscale", "7"),
            ("tcp_tsval", "77"),
            ("tcp_tsecr", "5"),
            ("tcp_urg", "9"),
            ("vlan", "12"),
            ("payload_len", "0"),
            ("payload_head", ""),
            ("udp_sum", ""),
            ("icmp_type", ""),
            ("checksum", "good"),
            ("frag_off", ""),
            ("cap_len", "78"),
            ("wire_len", "78"),
            ("interface", "0"),
        ],
        &[
            ("proto", "udp"),
            ("tcp_flags", ""),
            ("udp_sum", "4660"),
            ("payload_len", "17"),
            ("payload_head", "30313233343536373839616263646566"),
            ("checksum", "bad"),
            ("tcp_seq", ""),
        ],
        &[
            ("src_ip", "2001:db8::7"),
            ("proto", "icmp6"),
            ("icmp_type", "128"),
            ("icmp_code", "0"),
            ("icmp_id", "513"),
            ("icmp_seq", "2"),
            ("ttl", "255"),
            ("ip_id", ""),
            ("ip_df", ""),
            ("src_port", ""),
            ("quoted_proto", ""),
            ("ip_len", "48"),
        ],
        &[
            ("proto", "icmp"),
            ("icmp_type", "3"),
            ("icmp_code", "3"),
            ("quoted_proto", "udp"),
            ("quoted_src_ip", "198.51.100.1"),
            ("quoted_dst_ip", "203.0.113.7"),
            ("quoted_src_port", "3000"),
            ("quoted_dst_port", "3001"),
        ],
        &[("tcp_flags", "."), ("checksum", "bad"), ("tcp_opts", ""), ("tcp_mss", "")],
        &[("proto", "udp"), ("src_port", ""), ("dst_port", ""), ("frag_off", "24"), ("payload_len", "8")],
        &[("proto", "47"), ("payload_len", "4"), ("payload_head", "00000806")],
    ];
    for (row, expected) in expected.iter().enumerate() {
        cells(&table, row, expected);
    }
    assert_eq!(table.len(), expected.len());
}

#[test]
fn time_for_people() {
    let syn = Packet::tcp("203.0.113.7", 1, "198.51.100.1", 2).flags("S").bytes();
    let file = |precision| pcap::file(precision, 1, [(951_782_400_000_001_500_u64, syn.clone())]);
    // `date -u -d @951782400` is the leap day of 2000.
    for (precision, expected) in [
        (Precision::Micros, "2000-02-29T00:00:00.000001Z"),
        (Precision::Nanos, "2000-02-29T00:00:00.000001500Z"),
    ] {
        let ran = piped(["--rfc3339", "--columns", "ts"], &file(precision)).code(0);
        assert_eq!(ran.text(), format!("ts\n{expected}\n"));
        let ran = piped(["--rfc3339", "--columns", "ts", "--format", "ndjson"], &file(precision)).code(0);
        assert_eq!(ran.text(), format!("{{\"ts\":\"{expected}\"}}\n"));
    }
}

#[test]
fn tunnels_are_entered_when_asked() {
    let inside = Packet::tcp("10.0.0.1", 1, "10.0.0.2", 23).flags("S");
    let outside = Packet::ip("203.0.113.7", "198.51.100.1", 4).payload(inside.ip_bytes());
    let capture = pcap::file(Precision::Micros, 1, [(frames::START, outside.bytes())]);
    let columns = ["--columns", "src_ip,proto,dst_port"];
    assert_eq!(piped(columns, &capture).text(), "src_ip,proto,dst_port\n203.0.113.7,4,\n");
    let ran = piped(columns.iter().chain(&["--inner"]), &capture);
    assert_eq!(ran.text(), "src_ip,proto,dst_port\n10.0.0.1,tcp,23\n");
}
