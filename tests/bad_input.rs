//! Input that is empty, cut short, or something else altogether: a clear word about the place, and the exit
//! code that says how much the output is worth: 0 all of it, 1 valid but from damaged input, 2 none.

use probeline_pipelines::every::every;
use probeline_testkit::pcap::{self, Precision};
use probeline_testkit::{Bash, Output, Packet};

/// Tools that read rows, with what else they need, and columns that they cannot do without.
const ROW_TOOLS: [(&str, &str); 5] = [
    ("scan-classify", "packets.csv"),
    ("scan-group", "probes.csv"),
    ("fingerprint", "packets.csv"),
    ("geo-enrich --asn-db asn.pfx2as --columns asn", "packets.csv"),
    ("hist dst_port", "packets.csv"),
];

fn name(tool: &str) -> &str {
    tool.split(' ').next().expect("a command")
}

/// A shell with ten packets, as capture and as rows.
fn shell(script: &str) -> Bash {
    let packets = (0..10_u16).map(|i| {
        let packet = Packet::tcp("198.51.100.7", 40_000, "203.0.113.9", i + 1).flags("S").seq(1);
        (1_700_000_000_000_000_000 + u64::from(i) * 1_000_000_000, packet.bytes())
    });
    let prepare =
        "pkt2csv packets.pcap >packets.csv 2>/dev/null; scan-classify packets.csv >probes.csv 2>/dev/null";
    Bash::new(&format!("{prepare}\n{script}"))
        .file("packets.pcap", pcap::file(Precision::Micros, 1, packets))
        .file("asn.pfx2as", "198.51.100.0\t24\t64500\n")
        // No database of the machine's own may take part.
        .env("PROBELINE_GEO_DIR", "/nonexistent")
}

fn run(script: &str) -> Output {
    let output = shell(script).run();
    output.no_panic();
    output
}

/// Every line on stderr says whose it is.
#[track_caller]
fn speaks(output: &Output, tool: &str, words: &[&str]) {
    for word in words {
        output.stderr_has(word);
    }
    if !output.err().lines().all(|line| line.starts_with(&format!("{tool}: "))) {
        output.fail("a line on stderr that does not begin with the tool's name");
    }
}

fn lines(output: &Output) -> usize {
    output.out().lines().count()
}

#[test]
fn sound_input_is_nothing_to_speak_of() {
    assert_eq!(lines(run("pkt2csv packets.pcap").code(0)), 11);
    every(ROW_TOOLS, |(tool, input)| {
        let output = run(&format!("{tool} {input}"));
        assert!(lines(output.code(0)) > 1, "{}", output.report());
    });
}

#[test]
fn nothing_at_all() {
    let output = run("pkt2csv </dev/null");
    speaks(output.code(2).stdout_is_empty(), "pkt2csv", &["<stdin>", "empty"]);
    let output = run(": >nothing; pkt2csv nothing");
    speaks(output.code(2).stdout_is_empty(), "pkt2csv", &["nothing", "empty"]);
    // What comes before in the pipeline has said what was wrong.
    every(ROW_TOOLS, |(tool, _)| {
        let output = run(&format!("{tool} </dev/null"));
        speaks(output.code(0), name(tool), &["empty"]);
        // Only hist knows its columns without those of the input.
        assert!(lines(&output) <= usize::from(name(tool) == "hist"), "{}", output.report());
    });
}

#[test]
fn a_header_and_nothing_below() {
    let output = run("head -c 24 packets.pcap | pkt2csv");
    assert_eq!(lines(output.code(0)), 1, "{}", output.report());
    every(ROW_TOOLS, |(tool, input)| {
        let output = run(&format!("head -1 {input} | {tool}"));
        assert_eq!(lines(output.code(0)), 1, "{}", output.report());
    });
}

#[test]
fn a_capture_that_breaks_off() {
    // 24 octets of header, then records of 16 + 54: in the eighth record's packet, in its header.
    for keep in [24 + 7 * 70 + 20, 24 + 7 * 70 + 8] {
        let output = run(&format!("head -c {keep} packets.pcap | pkt2csv"));
        speaks(output.code(1), "pkt2csv", &["<stdin>", "packet 7", &format!("{}", 24 + 7 * 70)]);
        assert_eq!(lines(&output), 8, "{}", output.report());
    }
    // Compressed, the breaking point is where the stream ends.
    let output = run("gzip -c packets.pcap | head -c 150 | pkt2csv");
    speaks(output.code(1), "pkt2csv", &["<stdin>"]);
    assert!(lines(&output) > 1, "{}", output.report());
    let output = run("head -c 20 packets.pcap | pkt2csv");
    speaks(output.code(2).stdout_is_empty(), "pkt2csv", &["<stdin>", "20"]);
}

#[test]
fn rows_that_break_off() {
    every(ROW_TOOLS, |(tool, input)| {
        // In the seventh of ten rows: line 8.
        let output = run(&format!("{{ head -7 {input}; sed -n 8p {input} | head -c 30; }} | {tool}"));
        speaks(output.code(1), name(tool), &["<stdin>", "line 8"]);
        assert!(lines(&output) > 1, "{}", output.report());
    });
}

#[test]
fn compressed_rows_that_break_off() {
    every(ROW_TOOLS, |(tool, input)| {
        // Stored blocks: what was written before the break is there to be read.
        let output = run(&format!("gzip -1 -c {input} | head -c -12 | {tool}"));
        speaks(output.code(1), name(tool), &["<stdin>"]);
        assert!(lines(&output) > 1, "{}", output.report());
    });
}

#[test]
fn a_bad_row_among_good_ones() {
    every(ROW_TOOLS, |(tool, input)| {
        let sound = run(&format!("{tool} {input}"));
        let output = run(&format!("{{ head -3 {input}; echo one,two; tail -n +4 {input}; }} | {tool}"));
        speaks(output.code(1), name(tool), &["<stdin>", "line 4"]);
        output.stdout_is(&sound.out());
    });
}

#[test]
fn a_bad_object_among_good_ones() {
    every(ROW_TOOLS, |(tool, _)| {
        let rows = if *tool == "scan-group" { "| scan-classify 2>/dev/null" } else { "" };
        let make = format!("pkt2csv --format ndjson packets.pcap 2>/dev/null {rows} >rows.ndjson");
        let sound = run(&format!("{make}; {tool} rows.ndjson"));
        let output = run(&format!(
            "{make}; {{ head -2 rows.ndjson; echo '{{\"ts\":'; tail -n +3 rows.ndjson; }} | {tool}"
        ));
        speaks(output.code(1), name(tool), &["<stdin>", "line 3"]);
        output.stdout_is(&sound.out());
    });
}

#[test]
fn something_else_altogether() {
    for file in ["packets.csv", "zeros", "noise"] {
        let make = "head -c 5000 /dev/zero >zeros; seq 9000 | gzip -c | tail -c +20 >noise";
        let output = run(&format!("{make}; pkt2csv {file}"));
        speaks(output.code(2).stdout_is_empty(), "pkt2csv", &[file, "not a capture"]);
    }
    every(ROW_TOOLS, |(tool, _)| {
        let output = run(&format!("{tool} packets.pcap"));
        speaks(output.code(2).stdout_is_empty(), name(tool), &["packets.pcap", "capture", "pkt2csv"]);
        let output = run(&format!("head -c 5000 /dev/zero >zeros; {tool} zeros"));
        speaks(output.code(2).stdout_is_empty(), name(tool), &["zeros"]);
    });
}

#[test]
fn a_column_that_is_not_there() {
    let needed = [
        ("scan-classify", "packets.csv", "src_ip"),
        ("scan-group", "probes.csv", "src_ip"),
        ("scan-group --by nosuch", "probes.csv", "nosuch"),
        ("fingerprint", "packets.csv", "proto"),
        ("geo-enrich --asn-db asn.pfx2as --columns asn", "packets.csv", "src_ip"),
        ("hist dst_port", "packets.csv", "dst_port"),
    ];
    every(needed, |(tool, input, column)| {
        let output = run(&format!("sed '1s/\\b{column}\\b/renamed/' {input} >other.csv; {tool} other.csv"));
        speaks(output.code(2).stdout_is_empty(), name(tool), &["other.csv", "column", column]);
    });
}

#[test]
fn a_file_that_cannot_be_read() {
    every(ROW_TOOLS.into_iter().chain([("pkt2csv", "")]), |(tool, _)| {
        let output = run(&format!("{tool} nosuch.file"));
        speaks(output.code(2).stdout_is_empty(), name(tool), &["nosuch.file"]);
        let output = run(&format!("mkdir folder; {tool} folder"));
        speaks(output.code(2).stdout_is_empty(), name(tool), &["folder", "directory"]);
    });
}

#[test]
fn a_wrong_argument() {
    every(ROW_TOOLS.into_iter().chain([("pkt2csv", ""), ("pcap-cap", "")]), |(tool, _)| {
        let output = run(&format!("{tool} --no-such-option"));
        output.code(2).stdout_is_empty().stderr_has("--no-such-option");
    });
}

#[test]
fn one_of_several_captures_is_bad() {
    let output = run("echo text >text; pkt2csv packets.pcap text packets.pcap");
    // Half an answer is no success, and what could be read is there.
    output.stderr_has("text: not a capture");
    assert!(matches!(output.code, Some(1 | 2)), "{}", output.report());
}
