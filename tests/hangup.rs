//! Readers that hang up, and outputs that take no more: the first is success, the second is not.

use probeline_pipelines::every::every;
use probeline_testkit::pcap::{self, Precision};
use probeline_testkit::{Bash, Packet, bash};

const TOOLS: [&str; 8] =
    ["fingerprint", "geo-enrich", "hist", "pcap-cap", "pcap-sim", "pkt2csv", "scan-classify", "scan-group"];

/// The whole way from packets to counts. Every stage writes much more than a pipe holds (64 KiB on Linux), so
/// that it cannot finish before its reader is gone.
const STAGES: [&str; 6] = [
    "pkt2csv packets.pcap",
    "scan-classify",
    "fingerprint",
    "geo-enrich --asn-db asn.pfx2as --columns asn",
    "scan-group --by src,dst_ip,dst_port --asn-db asn.pfx2as",
    "hist dst_ip,dst_port",
];

/// 20,000 probes of 100 ports on 200 addresses, and a table of AS numbers that covers their source.
fn with_inputs(script: &str) -> Bash {
    let packets = (0..20_000_u32).map(|i| {
        let dst = format!("203.0.113.{}", i % 200 + 1);
        let packet =
            Packet::tcp("198.51.100.7", 40_000, dst.as_str(), (i / 200 + 1) as u16).flags("S").seq(i);
        (1_700_000_000_000_000_000 + u64::from(i) * 1_000_000, packet.bytes())
    });
    Bash::new(script)
        .file("packets.pcap", pcap::file(Precision::Micros, 1, packets))
        .file("asn.pfx2as", "198.51.100.0\t24\t64500\n")
}

#[test]
fn a_reader_may_leave_at_every_place() {
    every(1..=STAGES.len(), |n| {
        let pipeline = STAGES[..*n].join(" | ");
        let output = with_inputs(&format!("{pipeline} 2>/dev/null | wc -c")).run();
        let bytes: u64 = output.code(0).out().trim().parse().expect("wc counts");
        assert!(bytes > 1 << 17, "only {bytes} bytes: this would prove nothing\n{}", output.report());
        for hang_up in ["head -1", "true"] {
            let output = with_inputs(&format!("{pipeline} | {hang_up}")).run();
            output.pipe_status(&vec![0; n + 1]);
            for word in ["roken pipe", "panicked", "os error"] {
                if output.err().contains(word) {
                    output.fail(&format!("{word}: a reader that leaves is nothing to speak of"));
                }
            }
        }
    });
}

#[test]
fn the_first_line_is_the_header() {
    every(1..=STAGES.len(), |n| {
        let output = with_inputs(&format!("{} 2>/dev/null | head -1", STAGES[..*n].join(" | "))).run();
        let header = output.code(0).out();
        let mut names: Vec<&str> = header.trim_end().split(',').collect();
        assert!(names.len() > 2 && !header.contains("198.51.100.7"), "{header}");
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "a column's name stands twice: {header}");
    });
}

#[test]
fn nobody_need_read_the_help() {
    every(TOOLS, |tool| {
        for option in ["--help", "-h", "--version", "--list-fields"] {
            if (*tool, option) == ("pcap-cap", "--list-fields") {
                continue;
            }
            // The reader is gone for certain before the tool writes.
            let output = bash(&format!("{{ sleep 0.1; {tool} {option}; }} | true"));
            output.pipe_status(&[0, 0]).stderr_is_empty();
            bash(&format!("{tool} {option}")).code(0).stderr_is_empty().stdout_has("\n");
        }
    });
}

#[test]
fn the_version_is_that_of_the_tool() {
    every(TOOLS, |tool| {
        let version = env!("CARGO_PKG_VERSION");
        bash(&format!("{tool} --version")).code(0).stdout_is(&format!("{tool} {version}\n"));
    });
}

#[test]
fn a_full_disk_is_no_success() {
    every(1..=STAGES.len(), |n| {
        let stages = STAGES[..*n].join(" | ");
        let tool = STAGES[*n - 1].split(' ').next().expect("a command");
        let output = with_inputs(&format!("{stages} >/dev/full")).run();
        output.code(2).stderr_has("No space left on device");
        let words = output.err();
        let line = words.lines().find(|line| line.contains("No space left")).expect("just seen");
        if !line.starts_with(&format!("{tool}: "))
            || line.contains("<stdin>")
            || line.contains("packets.pcap")
        {
            output.fail(&format!("it is the output of {tool} that failed, not its input: {line}"));
        }
    });
}

#[test]
fn a_full_disk_is_no_success_for_help_either() {
    every(TOOLS, |tool| {
        let output = bash(&format!("{tool} --help >/dev/full"));
        output.code(2).stderr_has("No space left on device");
    });
}
