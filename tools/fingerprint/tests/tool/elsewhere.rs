//! Captures of the Internet and of others' laboratories, held against what their authors or tshark say.

use std::path::{Path, PathBuf};

use probeline_testkit::{Table, captures};

use crate::support::{fingerprint, rows};

fn real(test: &str) -> Option<PathBuf> {
    Some(captures(test)?.join("real"))
}

fn verdicts(capture: &Path) -> Table {
    fingerprint(&rows(capture), &[])
}

/// Rows of this tool with this confidence at least.
fn count(table: &Table, tool: &str, levels: &[&str]) -> usize {
    let sure = |confidence: Option<&str>| confidence.is_some_and(|c| levels.contains(&c));
    table.select(|row| row.get("tool") == Some(tool) && sure(row.get("tool_confidence"))).len()
}

/// The index: 508 packets with masscan's mark from 5 sources, 44 of Mirai from 38, none of both.
#[test]
fn a_laboratorys_border() {
    let Some(real) = real("a_laboratorys_border") else { return };
    let table = verdicts(&real.join("telescope/initconf_scan-NG__test-for-accurate-scan-summary.pcap"));
    assert_eq!(count(&table, "masscan", &["certain", "probable"]), 508);
    assert_eq!(table.filter("tool", "masscan").distinct("src_ip").len(), 5);
    assert_eq!(count(&table, "mirai", &["certain"]), 44);
    assert_eq!(table.filter("tool", "mirai").distinct("src_ip").len(), 38);
}

/// The commands are in the captures' descriptions; counts of probes are tshark's.
#[test]
fn typed_commands() {
    let Some(real) = real("typed_commands") else { return };
    for (name, tool, probes, version) in [
        // masscan 1.0.4 -p0-1000
        (
            "scan/esnet-security_curated-pcaps__tcp_0_1000_20190821.pcap",
            "masscan",
            1001,
            Some("1.0.3..1.3.2"),
        ),
        // Nmap of 2009 or before: -sS, -sA, -sF, -sN, -sX
        ("scan/markofu_pcaps__TCP_SYN_SCAN.pcap", "nmap", 1002, Some("4.01..5.51")),
        ("scan/markofu_pcaps__ACK_SCAN.pcap", "nmap", 1000, Some("4.01..5.51")),
        ("scan/markofu_pcaps__FIN_SCAN.pcap", "nmap", 1000, Some("4.01..5.51")),
        ("scan/markofu_pcaps__NULL_SCAN.pcap", "nmap", 1000, Some("4.01..5.51")),
        ("scan/markofu_pcaps__XMAS_TREE_SCAN.pcap", "nmap", 1000, Some("4.01..5.51")),
        // nmap -sS and -sX of today, with the Internet's own scanners in between; one packet has only its shape and time
        // to live in common with the others
        ("telescope/victorialugi_nmap__syn_scan.pcap", "nmap", 101, None),
        ("telescope/victorialugi_nmap__xmas_scan.pcap", "nmap", 105, None),
        // zmap 80/tcp, 2021
        ("scan/seriouszyx_ScannerRecognition__zmap.first5027.pcap", "zmap", 5012, Some("1.0.0..2.1.1")),
        // two probes of Mirai in 2020, with lengths that contradict each other
        ("telescope/OISF_suricata-verify__mac-eve-packet__test.pcap", "mirai", 2, None),
    ] {
        let table = verdicts(&real.join(name));
        let found = count(&table, tool, &["certain", "probable"]);
        assert!(count(&table, tool, &["certain"]) + 1 >= probes, "{name}: of {probes}");
        assert!((probes..probes + 5).contains(&found), "{name}: {found} of {probes}");
        if let Some(version) = version {
            let told = table.filter("tool", tool).count("tool_version", version);
            assert!(told >= probes, "{name}: {told} of {probes} are {version}");
        }
    }
}

/// A cloud translates the address, so masscan's relation fails, by one value for everybody.
#[test]
fn behind_a_translator() {
    let Some(real) = real("behind_a_translator") else { return };
    let table = verdicts(&real.join("telescope/victorialugi_nmap__syn_scan.pcap"));
    let moved =
        table.select(|row| row.get("tool_rule").is_some_and(|rules| rules.contains("masscan-ip-id-moved")));
    assert!(moved.len() >= 20, "{}", moved.len());
    assert_eq!(moved.distinct("tool"), ["masscan"]);
    assert!(moved.distinct("src_ip").len() >= 10);
}

/// No scanner there, or one that leaves no mark: at chance level nothing is named with any confidence.
#[test]
fn nothing_is_named_without_reason() {
    let Some(real) = real("nothing_is_named_without_reason") else { return };
    for name in [
        "scan/p1mps_Port-scans-detector-with-pro__notscan.pcap",
        "telescope/ncsa_bro-simple-scan__backscatter.first2385.pcap",
        // 31933 SYN of one source, of which tshark finds 2 with masscan's relation and 1 with ZMap's: chance
        "telescope/initconf_scan-NG__23-tcp-scan.pcap",
        "telescope/GreyNoise-Intelligence_2024-09-noi__brazil-storm-small-tcp-sample.first2585.pcap",
        "worm_botnet/markofu_pcaps__gnutella.pcap",
        "scan/markofu_pcaps__TCP_CONNECT_SCAN.pcap",
    ] {
        let table = verdicts(&real.join(name));
        let named = table.select(|row| !matches!(row.get("tool"), Some("unknown" | "os-stack")));
        assert_eq!(named.len(), 0, "{name}: {:?}", named.rows().next());
    }
}
