//! A pipeline on a live capture: what is complete is written before a tool waits for more, so a row appears
//! when its packet, and a session when its window, is over by the time of the packets. Every pipe stays open
//! while the tests wait for rows: a tool that kept them until its buffer is full or its input ends would
//! never write them.

use std::time::Duration;

use probeline_pipelines::may_make_networks;
use probeline_testkit::pcap::{self, Precision};
use probeline_testkit::{Live, Packet, skipped, tool};

const FLOW_TIMEOUT: u64 = 300;
const WINDOW: u64 = 300;
/// Of scan-classify and of scan-group.
const REORDER: u64 = 5;

/// How long is waited for a row that must not come: long beside the milliseconds that a row takes.
const QUIET: Duration = Duration::from_millis(300);

/// A SYN at this second to this address of the telescope.
fn syn(second: u64, host: u8) -> (u64, Vec<u8>) {
    let packet = Packet::tcp("198.51.100.7", 40000, format!("203.0.113.{host}").as_str(), 22);
    ((1_700_000_000 + second) * 1_000_000_000, packet.flags("S").seq(u32::from(host)).mss(1460).bytes())
}

fn capture(packets: &[(u64, u8)]) -> Vec<u8> {
    pcap::file(Precision::Micros, 1, packets.iter().map(|(second, host)| syn(*second, *host)))
}

/// The bytes of a capture's header, and of each record: they are all alike.
fn cut(capture: &[u8], records: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (head, rest) = capture.split_at(24);
    assert_eq!(rest.len() % records, 0, "records of one size");
    (head.to_vec(), rest.chunks(rest.len() / records).map(<[u8]>::to_vec).collect())
}

/// The rows of these packets, by the tools up to the one that is tried: header (none in NDJSON), then lines.
fn rows(packets: &[(u64, u8)], probes: bool, format: &str) -> Vec<String> {
    let packet_rows = tool("pkt2csv").args(["--format", format]).stdin(capture(packets)).run();
    let text = match probes {
        true => tool("scan-classify").stdin(packet_rows.code(0).stdout.clone()).run().code(0).out(),
        false => packet_rows.code(0).out(),
    };
    text.lines().map(|line| format!("{line}\n")).collect()
}

fn cell<'a>(header: &str, row: &'a str, name: &str) -> &'a str {
    let mut cells = header.split(',').zip(row.split(','));
    cells.find(|(column, _)| *column == name).map_or("", |(_, cell)| cell)
}

/// Enrichers: each row at once, though the row behind it has begun.
#[test]
fn an_enriched_row_comes_at_once() {
    let rows = rows(&[(0, 10), (1, 11), (2, 12)], false, "csv");
    for script in [
        "fingerprint --settle 0",
        "printf '198.51.100.0\\t24\\t64500\\n' >asn.pfx2as; geo-enrich --asn-db asn.pfx2as --columns asn",
        "fingerprint --settle 0 | fingerprint --sig --settle 0 --min-confidence certain",
    ] {
        let mut live = Live::start(script);
        live.feed(&rows[0]);
        let header = live.line();
        assert!(header.starts_with(rows[0].trim_end()), "{script}: {header}");
        let (half, rest) = rows[2].split_at(rows[2].len() / 2);
        live.feed(format!("{}{half}", rows[1]));
        let row = live.line();
        assert_eq!(cell(&header, &row, "dst_ip"), "203.0.113.10", "{script}");
        assert!(live.is_silent(QUIET), "{script}: half a row is none");
        live.feed(rest);
        assert_eq!(cell(&header, &live.line(), "dst_ip"), "203.0.113.11", "{script}");
        let (left, code) = live.close();
        assert_eq!((left.len(), code), (0, Some(0)), "{script}");
    }
}

/// A row waits for more of its source, by the time of the packets and not by that of a clock.
#[test]
fn a_verdict_comes_when_it_is_settled() {
    let rows = rows(&[(0, 10), (1, 11), (12, 12)], false, "csv");
    let mut live = Live::start("fingerprint --settle 10");
    live.feed(rows[..3].concat());
    let header = live.line();
    assert!(live.is_silent(QUIET));
    live.feed(&rows[3]);
    for host in 10..12 {
        assert_eq!(cell(&header, &live.line(), "dst_ip"), format!("203.0.113.{host}"));
    }
    assert!(live.is_silent(QUIET));
    assert_eq!(live.close().0.len(), 1);
}

#[test]
fn a_probe_comes_when_its_flow_is_over() {
    for format in ["csv", "ndjson"] {
        // What comes next may still be earlier by --reorder, so it takes one that is later by more.
        let over = 1 + FLOW_TIMEOUT + 1;
        let rows = rows(&[(0, 10), (1, 11), (over, 12), (over + REORDER + 1, 13)], false, format);
        let (last, first) = rows.split_last().expect("four rows");
        let mut live = Live::start("scan-classify");
        live.feed(first.concat());
        if format == "csv" {
            assert!(live.line().starts_with("ts,"));
        }
        assert!(live.is_silent(QUIET), "a flow may go on");
        live.feed(last);
        for host in 10..12 {
            let row = live.line();
            assert!(row.contains(&format!("203.0.113.{host}")) && row.contains("syn"), "{row}");
        }
        assert!(live.is_silent(QUIET));
        assert_eq!(live.close().0.len(), 2);
    }
}

#[test]
fn a_session_comes_when_its_window_is_over() {
    for format in ["csv", "ndjson"] {
        let over = WINDOW + 1;
        let rows = rows(&[(0, 10), (1, 11), (over, 12), (over + REORDER + 1, 13)], true, format);
        let (last, first) = rows.split_last().expect("four rows");
        let mut live = Live::start("scan-group --format csv");
        live.feed(first.concat());
        let header = live.line();
        assert!(live.is_silent(QUIET), "a window may get more");
        live.feed(last);
        let row = live.line();
        assert_eq!((cell(&header, &row, "dsts"), cell(&header, &row, "closed_by")), ("2", "window"), "{row}");
        assert!(live.is_silent(QUIET));
        let (left, code) = live.close();
        assert_eq!((left.len(), code), (1, Some(0)));
        assert_eq!(cell(&header, &left[0], "closed_by"), "eof");
    }
}

/// The whole pipeline, fed packet by packet in pieces that no packet's end falls on, and every tool in it
/// still running when the session comes.
#[test]
fn a_session_comes_through_the_whole_pipeline() {
    // The next window and, later by more than --reorder, what proves that the first is over; then the same for
    // the end of these flows, which tells scan-group of them; and what settles the verdicts of fingerprint.
    let (next, ended) = (WINDOW + 1, WINDOW + 1 + FLOW_TIMEOUT + REORDER + 2);
    let packets = [
        (0, 10),
        (1, 11),
        (next, 12),
        (next + REORDER + 1, 13),
        (ended, 14),
        (ended + REORDER + 1, 15),
        (ended + 30, 16),
    ];
    let (head, records) = cut(&capture(&packets), packets.len());
    let (last, first) = records.split_last().expect("seven records");
    for format in ["csv", "ndjson"] {
        let mut live = Live::start(&format!(
            "pkt2csv --format {format} | fingerprint | scan-classify | scan-group --format csv --by src,tool"
        ));
        live.feed(&head);
        let header = match format {
            "csv" => Some(live.line()),
            _ => None,
        };
        for record in first {
            let (half, rest) = record.split_at(30);
            live.feed(half);
            live.feed(rest);
        }
        let header = header.unwrap_or_else(|| live.line());
        assert!(live.is_silent(QUIET), "{header}");
        live.feed(last);
        let row = live.line();
        assert_eq!((cell(&header, &row, "dsts"), cell(&header, &row, "probes")), ("2", "2"), "{row}");
        assert_eq!(cell(&header, &row, "closed_by"), "window", "{row}");
        let (left, code) = live.close();
        assert_eq!((left.len(), code), (2, Some(0)), "{left:?}");
    }
}

/// From a wire: `pcap-cap` in a network namespace that ends with the last process in it.
const WIRE: &str = "exec 3<&0
    unshare --net bash -c '
        ip link add wire0 type veth peer name wire1 address 02:00:00:00:00:02
        for end in wire0 wire1; do
            sysctl -qw net.ipv6.conf.$end.disable_ipv6=1
            ip link set $end up
        done
        ip address add 198.51.100.1/24 dev wire0
        ip neighbour add 198.51.100.2 lladdr 02:00:00:00:00:02 dev wire0 nud permanent
        ip route add 203.0.113.0/24 via 198.51.100.2
        while read -r host port; do echo x >/dev/udp/203.0.113.$host/$port; done <&3 &
        set -o pipefail
        pcap-cap -i wire1 -w - udp | PIPELINE'";

fn on_a_wire(test: &str, pipeline: &str) -> Option<Live> {
    if !may_make_networks() {
        skipped(test, "no network namespaces here (needs root)");
        return None;
    }
    let live = Live::start(&WIRE.replace("PIPELINE", pipeline));
    let mut tries = 0;
    while !live.said().contains("capturing from") {
        assert!(tries < 1000, "pcap-cap does not begin: {}", live.said());
        tries += 1;
        std::thread::sleep(Duration::from_millis(10));
    }
    Some(live)
}

#[test]
fn rows_come_from_a_wire() {
    let Some(mut live) = on_a_wire("rows_come_from_a_wire", "pkt2csv --columns dst_ip,dst_port") else {
        return;
    };
    assert_eq!(live.line(), "dst_ip,dst_port");
    for host in 10..13 {
        live.feed(format!("{host} 53\n"));
        assert_eq!(live.line(), format!("203.0.113.{host},53"));
    }
}

#[test]
fn a_session_comes_from_a_wire() {
    let pipeline = "pkt2csv | scan-classify --flow-timeout 1 --reorder 0 | scan-group --window 1 --reorder 0";
    let Some(mut live) = on_a_wire("a_session_comes_from_a_wire", pipeline) else { return };
    let header = live.line();
    live.feed("10 53\n11 53\n12 123\n");
    // Time passes with packets only: each of these ends what is older than two seconds.
    for _ in 0..4 {
        std::thread::sleep(Duration::from_millis(1100));
        live.feed("20 1900\n");
    }
    let row = live.line();
    assert_eq!((cell(&header, &row, "dsts"), cell(&header, &row, "ports")), ("3", "2"), "{row}");
    assert_eq!(cell(&header, &row, "closed_by"), "window", "{row}");
}
