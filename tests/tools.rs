//! Which tool made the packets: captures of one tool each, whose command line is known, and captures from the
//! internet of which others say what is in them.

use probeline_pipelines::every::every;
use probeline_testkit::{Bash, Table, captures, lab_index};

/// Probes with the tool that is named for each.
fn marked(file: &std::path::Path) -> Table {
    let output =
        Bash::new("pkt2csv \"$file\" | scan-classify --reorder 3h | fingerprint").env("file", file).run();
    output.no_panic().code(0).table()
}

/// How much of a capture must carry the right name: all of it, or most of it where the mark is one of a
/// session and the first packets come before it can be seen.
#[derive(Clone, Copy, Debug)]
enum Named {
    All,
    Most,
}

/// What `fingerprint` is to say of the laboratory's captures. The commands are in `lab/INDEX.csv`.
const LAB: &[(&str, &str, Named)] = &[
    ("hping3_S_local.pcap", "hping3", Named::Most),
    ("hping3_scan.pcap", "hping3", Named::Most),
    ("masscan101_syn.pcap", "masscan", Named::All),
    ("masscan132_syn.pcap", "masscan", Named::All),
    ("masscanHEAD_syn.pcap", "masscan", Named::All),
    ("masscan132_udp.pcap", "masscan", Named::Most),
    ("mirai_SYNTHETIC.pcap", "mirai", Named::All),
    ("nmap793_O_local.pcap", "nmap", Named::Most),
    ("nmap793_sA.pcap", "nmap", Named::All),
    ("nmap793_sF.pcap", "nmap", Named::All),
    ("nmap793_sN.pcap", "nmap", Named::All),
    ("nmap793_sS_open_local.pcap", "nmap", Named::All),
    ("nmap793_sU.pcap", "nmap", Named::Most),
    ("nmap793_sX.pcap", "nmap", Named::All),
    // Who called connect() cannot be seen from outside.
    ("nmap793_sT_local.pcap", "os-stack", Named::All),
    ("pnscan_connect.pcap", "os-stack", Named::All),
    ("nping793_tcp.pcap", "nping", Named::Most),
    ("unicornscan047_syn.pcap", "unicornscan", Named::Most),
    ("xmap114_syn.pcap", "xmap", Named::All),
    ("xmap114_syn6.pcap", "xmap", Named::All),
    ("yarrp_TCP_SYN.pcap", "yarrp", Named::Most),
    ("zmap211_syn.pcap", "zmap", Named::All),
    ("zmap211_udp.pcap", "zmap", Named::All),
    ("zmap300_syn.pcap", "zmap", Named::All),
    ("zmap434_icmp.pcap", "zmap", Named::Most),
    ("zmap434_multisrc.pcap", "zmap", Named::All),
    ("zmap434_syn.pcap", "zmap", Named::All),
    ("zmap434_syn_linux.pcap", "zmap", Named::All),
    ("zmap434_upnp.pcap", "zmap", Named::All),
];

#[test]
fn the_tool_of_a_capture_is_named() {
    let Some(dir) = captures("the_tool_of_a_capture_is_named") else { return };
    every(LAB, |(file, tool, named)| {
        let probes = marked(&dir.join("lab").join(file));
        let right = probes.count("tool", tool);
        let enough = match named {
            Named::All => right == probes.len(),
            Named::Most => right * 2 > probes.len(),
        };
        assert!(enough, "{tool} for {right} of {} probes; all: {:?}", probes.len(), probes.distinct("tool"));
    });
}

#[test]
fn no_other_tool_is_named() {
    let Some(dir) = captures("no_other_tool_is_named") else { return };
    every(lab_index(&dir.join("lab")), |capture| {
        let probes = marked(&capture.file);
        // What an operating system's stack sends besides, and what no mark tells, has names of its own.
        let tool = capture.tool.to_lowercase();
        let may = [tool.as_str(), "os-stack", "unknown"];
        let wrong: Vec<&str> =
            probes.distinct("tool").into_iter().filter(|name| !may.contains(name)).collect();
        assert!(wrong.is_empty(), "{wrong:?} for {tool}");
    });
}

#[test]
fn tools_in_the_wild() {
    let Some(dir) = captures("tools_in_the_wild") else { return };
    // What `real/INDEX.csv` says: command lines, and marks counted with tshark.
    let found = |file: &str, tool: &str| {
        let table = marked(&dir.join("real").join(file)).filter("tool", tool);
        (table.len(), table.distinct("src_ip").len())
    };
    every(
        [
            // masscan -p0-1000
            ("scan/esnet-security_curated-pcaps__tcp_0_1000_20190821.pcap", "masscan", (1001, 1)),
            // zmap -p 80, part of 10,000 probes
            ("scan/seriouszyx_ScannerRecognition__zmap.first5027.pcap", "zmap", (5012, 1)),
            // 508 SYN with Masscan's identification from 5 sources, 44 with Mirai's sequence number from 38,
            // one of them sent twice
            ("telescope/initconf_scan-NG__test-for-accurate-scan-summary.pcap", "masscan", (508, 5)),
            ("telescope/initconf_scan-NG__test-for-accurate-scan-summary.pcap", "mirai", (43, 38)),
            // nmap -sX of one host among the internet's noise
            ("telescope/victorialugi_nmap__xmas_scan.pcap", "nmap", (105, 1)),
        ],
        |(file, tool, stated)| {
            let (probes, sources) = found(file, tool);
            // Nmap's other probes of the same run, its ping among them, may be named too.
            let probes = if *tool == "nmap" { probes.min(stated.0) } else { probes };
            assert_eq!((probes, sources), *stated, "{file}");
        },
    );
}

#[test]
fn chance_names_no_tool() {
    let Some(dir) = captures("chance_names_no_tool") else { return };
    // 31,933 SYN, two with Masscan's identification and one with ZMap's: as many as chance gives. And traffic
    // of people.
    every(
        [
            "telescope/initconf_scan-NG__23-tcp-scan.pcap",
            "scan/p1mps_Port-scans-detector-with-pro__notscan.pcap",
            "worm_botnet/markofu_pcaps__gnutella.pcap",
            "telescope/ncsa_bro-simple-scan__backscatter.first2385.pcap",
        ],
        |file| {
            let probes = marked(&dir.join("real").join(file));
            for row in probes.rows() {
                let tool = row.get("tool").expect("never absent");
                assert!(matches!(tool, "os-stack" | "unknown"), "{row:?}");
            }
        },
    );
}
