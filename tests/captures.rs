//! Captures that nobody here made: every packet is read, every packet is accounted for, nothing malformed brings a tool
//! down, and what is known of their scans is found.

use std::path::PathBuf;
use std::time::Duration;

use probeline_pipelines::account::Account;
use probeline_pipelines::parallel;
use probeline_testkit::{Bash, Table, bin, captures, index, lab_index, tool};

/// How long one capture may take. The largest has 82,582 packets; the others take a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(30);

fn complain(faults: &[String], tried: usize) {
    assert!(tried > 0, "nothing was tried");
    let shown = &faults[..faults.len().min(10)];
    assert!(faults.is_empty(), "{} of {tried}, the first of them:\n{}", faults.len(), shown.join("\n\n"));
}

/// Reads one capture: its account, after everything that holds for any input was held against it.
fn read(path: &PathBuf) -> Result<(Option<i32>, Option<Account>), String> {
    let output = tool("pkt2csv").arg(path).within(PATIENCE).run();
    let fault = |why: &str| Err(format!("{}: {why}\n{}", path.display(), output.report()));
    if output.err().contains("panicked") || !matches!(output.code, Some(0..=2)) {
        return fault("a crash");
    }
    if output.code == Some(2) {
        return match output.err().is_empty() {
            true => fault("exit code 2 without a word"),
            false => Ok((output.code, None)),
        };
    }
    let account = match Account::find("pkt2csv", &output.err()) {
        Ok(account) => account,
        Err(why) => return fault(&why),
    };
    let lines = output.stdout.iter().filter(|byte| **byte == b'\n').count() as u64;
    if account.part("rows") + 1 != lines {
        return fault(&format!(
            "{} rows in the account, {lines} lines with the header",
            account.part("rows")
        ));
    }
    if let Err(why) = Table::parse(&output.out()) {
        return fault(&why);
    }
    Ok((output.code, Some(account)))
}

#[test]
fn every_packet_of_a_sound_capture_is_read() {
    let Some(dir) = captures("every_packet_of_a_sound_capture_is_read") else { return };
    let mut files: Vec<(PathBuf, u64)> = index(&dir.join("real"))
        .into_iter()
        .map(|line| (line.path, line.packets.expect("capinfos could read them all")))
        .collect();
    files.extend(lab_index(&dir.join("lab")).into_iter().map(|line| (line.file, line.packets)));
    let results = parallel::each(&files, |(path, packets)| {
        let (code, account) = read(path)?;
        // The one file that its index calls cut: all packets, and a word about the rest.
        let expected = if path.to_string_lossy().contains("Alienvault-Demo__botnet") { 1 } else { 0 };
        match account {
            Some(account) if account.read == *packets && code == Some(expected) => Ok(()),
            other => Err(format!("{}: {packets} packets, but {other:?}, exit code {code:?}", path.display())),
        }
    });
    let faults: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    complain(&faults, files.len());
}

#[test]
fn nothing_malformed_brings_the_reader_down() {
    let Some(dir) = captures("nothing_malformed_brings_the_reader_down") else { return };
    let files = index(&dir.join("malformed"));
    let results = parallel::each(&files, |line| read(&line.path));
    let faults: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    complain(&faults, files.len());
}

#[test]
fn nothing_malformed_brings_the_pipeline_down() {
    let Some(dir) = captures("nothing_malformed_brings_the_pipeline_down") else { return };
    let files = index(&dir.join("malformed"));
    // One process for some hundred captures: their packets, whatever they are, become rows of one table.
    let chunks: Vec<_> = files.chunks(400).collect();
    let results = parallel::each(&chunks, |chunk| {
        let script = "while read -r file; do pkt2csv \"$file\" 2>/dev/null; done | awk 'NR == 1 || !/^ts,/' >rows.csv\n\
             scan-classify --class all --reorder 1000000h rows.csv | scan-group --by src --gap 5m --reorder 1000000h";
        let list: String = chunk.iter().map(|line| format!("{}\n", line.path.display())).collect();
        let output = Bash::new(script).stdin(list).within(PATIENCE * 4).run();
        match output.err().contains("panicked") || output.pipe_status != [0, 0] {
            true => Err(output.report()),
            false => output.table().rows().count().gt(&0).then_some(()).ok_or("no sessions".to_owned()),
        }
    });
    let faults: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    complain(&faults, chunks.len());
}

/// A scan that someone states is in a capture.
struct Scan {
    file: &'static str,
    src: &'static str,
    /// Techniques of its probes; a SYN scan that meets an open port may be completed by the scanner's own system.
    techniques: &'static [&'static str],
    proto: &'static str,
    dsts: usize,
    ports: usize,
    /// How many flows it opens, as tshark counts distinct tuples of addresses and ports; `None` where flows are no
    /// good count of probes.
    probes: Option<usize>,
}

const SYN: &[&str] = &["syn", "connect"];

const fn scan(
    file: &'static str,
    src: &'static str,
    techniques: &'static [&'static str],
    dsts: usize,
    ports: usize,
    probes: Option<usize>,
) -> Scan {
    Scan { file, src, techniques, proto: "tcp", dsts, ports, probes }
}

const fn over(proto: &'static str, mut scan: Scan) -> Scan {
    scan.proto = proto;
    scan
}

const NMAP_SET: &str = "192.168.1.10";
const LAB: &str = "198.18.0.1";
const LAB6: &str = "2001:db8:f::1";

/// From the commands in `lab/INDEX.csv`, what `real/INDEX.csv` says of each capture, and tshark's decode.
const SCANS: &[Scan] = &[
    // nmap -sS, -sT, -sF, -sN, -sX, -sA, -sU of one host, 1000 ports each.
    scan("real/scan/markofu_pcaps__TCP_SYN_SCAN.pcap", NMAP_SET, SYN, 1, 1000, Some(1002)),
    scan("real/scan/markofu_pcaps__TCP_CONNECT_SCAN.pcap", NMAP_SET, SYN, 1, 1000, Some(2012)),
    scan("real/scan/markofu_pcaps__FIN_SCAN.pcap", NMAP_SET, &["fin"], 1, 1000, Some(1000)),
    scan("real/scan/markofu_pcaps__NULL_SCAN.pcap", NMAP_SET, &["null"], 1, 1000, Some(1000)),
    scan("real/scan/markofu_pcaps__XMAS_TREE_SCAN.pcap", NMAP_SET, &["xmas"], 1, 1000, Some(1000)),
    scan("real/scan/markofu_pcaps__ACK_SCAN.pcap", NMAP_SET, &["ack"], 1, 1000, Some(1000)),
    over("udp", scan("real/scan/markofu_pcaps__UDP_SCAN.pcap", NMAP_SET, &["udp"], 1, 1000, Some(1029))),
    // The puzzle's answers: three hosts, 1000 ports.
    scan("real/scan/markofu_pcaps__evidence04.pcap", "10.42.42.253", SYN, 3, 1000, Some(7414)),
    // masscan -p0-1000 of one host.
    scan(
        "real/scan/esnet-security_curated-pcaps__tcp_0_1000_20190821.pcap",
        "172.31.15.102",
        SYN,
        1,
        1001,
        Some(1001),
    ),
    // nmap -p 80 with a ping to 443.
    scan("real/scan/esnet-security_curated-pcaps__nmap_80_all.pcap", "10.87.1.10", SYN, 1, 2, Some(35)),
    scan("real/scan/lucaderi_sgr__hs-tcp_synPingSweepRand.pcapng", "10.0.0.128", SYN, 256, 1, Some(511)),
    scan("real/scan/ncsa_bro-simple-scan__port_scan.pcap", "192.168.2.154", SYN, 1, 10, Some(10)),
    scan(
        "real/scan/p1mps_Port-scans-detector-with-pro__true_scan.pcap",
        "192.168.0.4",
        SYN,
        1,
        458,
        Some(594),
    ),
    scan("real/scan/seriouszyx_ScannerRecognition__angryip.pcap", "192.168.3.202", SYN, 38, 3, Some(114)),
    // 123.56.104.200 to 250.
    over(
        "icmp",
        scan(
            "real/scan/seriouszyx_ScannerRecognition__angryip.pcap",
            "192.168.3.202",
            &["icmp-echo"],
            51,
            0,
            Some(51),
        ),
    ),
    scan(
        "real/scan/seriouszyx_ScannerRecognition__zmap.first5027.pcap",
        "192.168.37.132",
        SYN,
        5012,
        1,
        Some(5012),
    ),
    over(
        "icmp",
        scan(
            "real/scan/stratosphereips_StratosphereLinuxI__test12-icmp-portscan.pcap",
            "192.168.1.109",
            &["icmp-echo"],
            18,
            0,
            None,
        ),
    ),
    // nmap -sS, -sF, -sX, -sU, one after another.
    scan("real/scan/timakhova_hw13-01__nmap.pcapng", "192.168.67.1", SYN, 1, 1000, Some(1062)),
    scan("real/scan/timakhova_hw13-01__nmap.pcapng", "192.168.67.1", &["fin"], 1, 1000, Some(1107)),
    scan("real/scan/timakhova_hw13-01__nmap.pcapng", "192.168.67.1", &["xmas"], 1, 1000, Some(1074)),
    scan(
        "real/scan/ntop_nDPI__tcp_scan.pcapng",
        "192.168.1.178",
        &["syn", "connect", "fin", "null", "xmas"],
        1,
        7,
        None,
    ),
    // 31,933 SYN, mostly retransmissions.
    scan("real/telescope/initconf_scan-NG__23-tcp-scan.pcap", "200.125.200.2", SYN, 12007, 1, Some(12007)),
    scan(
        "real/telescope/initconf_scan-NG__test-for-accurate-scan-summary.pcap",
        "122.224.112.162",
        SYN,
        500,
        1,
        Some(500),
    ),
    scan("real/telescope/ncsa_bro-simple-scan__445_scan.pcap", "176.192.150.3", SYN, 9, 1, Some(9)),
    scan(
        "real/telescope/OISF_suricata-verify__mac-eve-packet__test.pcap",
        "116.90.231.16",
        SYN,
        2,
        1,
        Some(2),
    ),
    scan("real/telescope/victorialugi_nmap__syn_scan.pcap", "10.129.0.4", SYN, 1, 100, Some(101)),
    scan("real/telescope/victorialugi_nmap__xmas_scan.pcap", "10.129.0.4", &["xmas"], 1, 100, Some(105)),
    scan("real/telescope/wintermanc3r_honey__20150131_tshark.pcap", "58.218.204.66", SYN, 1, 1, Some(9)),
    scan("real/telescope/wintermanc3r_honey__20150131_tshark.pcap", "116.31.116.17", SYN, 1, 1, Some(6)),
    scan("real/telescope/zakaria-thami_NetSec__attack.pcap", "112.85.42.195", SYN, 7, 1, Some(42)),
    scan("real/worm_botnet/markofu_pcaps__gnutella.pcap", "10.1.4.176", SYN, 81, 1, Some(243)),
    scan(
        "real/worm_botnet/stratosphereips_StratosphereLinuxI__test7-malicious.pcap",
        "192.168.2.16",
        SYN,
        136,
        9,
        Some(136),
    ),
    over(
        "udp",
        scan(
            "real/worm_botnet/scottymace_Alienvault-Demo__slammer.pcap",
            "213.76.212.22",
            &["udp"],
            1,
            1,
            Some(1),
        ),
    ),
    scan("lab/fi6s_syn.pcap", LAB6, SYN, 128, 3, Some(384)),
    scan("lab/hping3_S_local.pcap", LAB, SYN, 1, 1, Some(200)),
    scan("lab/hping3_scan.pcap", LAB, SYN, 1, 200, Some(200)),
    over("udp", scan("lab/hping3_udp.pcap", LAB, &["udp"], 1, 1, Some(100))),
    scan("lab/masscan101_syn.pcap", LAB, SYN, 256, 2, Some(512)),
    scan("lab/masscan132_syn.pcap", LAB, SYN, 256, 4, Some(1024)),
    over("udp", scan("lab/masscan132_udp.pcap", LAB, &["udp"], 32, 9, Some(288))),
    scan("lab/masscanHEAD_syn.pcap", LAB, SYN, 256, 4, Some(1024)),
    scan("lab/nmap793_sA.pcap", LAB, &["ack"], 1, 100, Some(100)),
    scan("lab/nmap793_sF.pcap", LAB, &["fin"], 1, 60, Some(60)),
    scan("lab/nmap793_sN.pcap", LAB, &["null"], 1, 60, Some(60)),
    scan("lab/nmap793_sS_open_local.pcap", LAB, SYN, 1, 300, Some(300)),
    scan("lab/nmap793_sT_local.pcap", LAB, SYN, 1, 200, Some(200)),
    over("udp", scan("lab/nmap793_sU.pcap", LAB, &["udp"], 8, 10, Some(80))),
    scan("lab/nmap793_sX.pcap", LAB, &["xmas"], 1, 60, Some(60)),
    // The command names 128 addresses; nping sent its 128 packets to 123 of them.
    scan("lab/nping793_tcp.pcap", LAB, SYN, 123, 1, Some(123)),
    // A /26 without its first and last address.
    scan("lab/pnscan_connect.pcap", LAB, SYN, 62, 1, Some(62)),
    scan("lab/scapy250_defaults.pcap", LAB, SYN, 100, 1, Some(100)),
    scan("lab/unicornscan047_syn.pcap", LAB, SYN, 128, 3, Some(384)),
    scan("lab/xmap114_syn.pcap", LAB, SYN, 256, 1, Some(256)),
    scan("lab/xmap114_syn6.pcap", LAB6, SYN, 256, 1, Some(256)),
    scan("lab/yarrp_TCP_SYN.pcap", LAB, SYN, 40, 1, Some(40)),
    scan("lab/zmap211_syn.pcap", LAB, SYN, 256, 1, Some(256)),
    over("udp", scan("lab/zmap211_udp.pcap", LAB, &["udp"], 128, 1, Some(128))),
    scan("lab/zmap300_syn.pcap", LAB, SYN, 256, 1, Some(256)),
    over("icmp", scan("lab/zmap434_icmp.pcap", LAB, &["icmp-echo"], 128, 0, Some(128))),
    scan("lab/zmap434_syn.pcap", LAB, SYN, 256, 1, Some(256)),
    scan("lab/zmap434_syn_linux.pcap", LAB, SYN, 64, 1, Some(64)),
    over("udp", scan("lab/zmap434_upnp.pcap", LAB, &["udp"], 64, 1, Some(64))),
];

/// Probes and sessions of a capture, one session for each source and technique. The waiting time is that of a file
/// whose packets are stored backwards over 2 hours (`445_scan`).
fn probes_and_sessions(file: &std::path::Path) -> (Table, Table) {
    let script = "pkt2csv \"$file\" | scan-classify --reorder 3h >probes.csv\n\
         scan-group --by src,technique --window 1000d --reorder 3h probes.csv";
    let shell = Bash::new(script).env("file", file);
    let output = shell.run();
    output.no_panic().code(0);
    let probes = std::fs::read_to_string(shell.scratch().join("probes.csv")).expect("the script writes it");
    for (from, to) in [("pkt2csv", "scan-classify"), ("scan-classify", "scan-group")] {
        let account = |tool| Account::find(tool, &output.err()).unwrap_or_else(|why| output.fail(&why));
        let (given, taken) = (account(from), account(to));
        let given = given.note("rows written").unwrap_or(given.part("rows"));
        if given != taken.read {
            output.fail(&format!("{from} wrote {given} rows, {to} read {}", taken.read));
        }
        assert_eq!(taken.part("skipped"), 0, "{}: {}", file.display(), output.err());
    }
    (Table::parse(&probes).unwrap_or_else(|why| output.fail(&why)), output.table())
}

fn distinct(table: &Table, column: &str) -> usize {
    table.distinct(column).into_iter().filter(|value| !value.is_empty()).count()
}

#[test]
fn stated_scans_are_found() {
    let Some(dir) = captures("stated_scans_are_found") else { return };
    let results = parallel::each(SCANS, |scan| {
        let (probes, sessions) = probes_and_sessions(&dir.join(scan.file));
        let mine = |table: &Table| {
            table.select(|row| {
                row.get("src_ip") == Some(scan.src)
                    && row.get("proto") == Some(scan.proto)
                    && row.get("technique").is_some_and(|technique| scan.techniques.contains(&technique))
            })
        };
        let (probes, sessions) = (mine(&probes), mine(&sessions));
        let mut faults = Vec::new();
        let mut same = |what: &str, found: usize, stated: usize| {
            if found != stated {
                faults.push(format!(
                    "{} {:?}: {what}: {found}, but {stated} stated",
                    scan.file, scan.techniques
                ));
            }
        };
        same("destinations", distinct(&probes, "dst_ip"), scan.dsts);
        same("ports", distinct(&probes, "dst_port"), scan.ports);
        if let Some(count) = scan.probes {
            same("probes", probes.len(), count);
        }
        if sessions.len() == 1 {
            let session = sessions.rows().next().expect("just counted");
            let number =
                |column| session.get(column).and_then(|cell| cell.parse().ok()).unwrap_or(usize::MAX);
            same("dsts of the session", number("dsts"), scan.dsts);
            same("ports of the session", number("ports"), scan.ports);
            same("probes of the session", number("probes"), probes.len());
            let geometry = match (scan.dsts > 1, scan.ports > 1) {
                (false, false) => "point",
                (true, false) => "horizontal",
                (false, true) => "vertical",
                (true, true) => "block",
            };
            if session.get("geometry") != Some(geometry) {
                faults.push(format!("{}: {session:?} instead of {geometry}", scan.file));
            }
        } else if scan.techniques.len() == 1 || sessions.is_empty() {
            faults.push(format!("{}: {} sessions: {sessions:?}", scan.file, sessions.len()));
        }
        faults
    });
    complain(&results.concat(), SCANS.len());
}

#[test]
fn a_scan_from_many_sources_is_found_by_its_network() {
    let Some(dir) = captures("a_scan_from_many_sources_is_found_by_its_network") else { return };
    let script = "pkt2csv \"$file\" | scan-classify | scan-group --by net24";
    let output = Bash::new(script).env("file", dir.join("lab/zmap434_multisrc.pcap")).run();
    let table = output.code(0).table();
    // zmap -S 198.18.0.16-198.18.0.23 -p 80 198.18.1.0/24
    assert_eq!(table.len(), 1, "{}", output.report());
    for (column, value) in [("srcs", "8"), ("dsts", "256"), ("ports", "1"), ("geometry", "horizontal")] {
        assert_eq!(table.column(column), [value], "{column}");
    }
}

#[test]
fn every_protocol_number_is_seen() {
    let Some(dir) = captures("every_protocol_number_is_seen") else { return };
    let script = "pkt2csv \"$file\" | scan-classify --class all";
    let output =
        Bash::new(script).env("file", dir.join("real/scan/markofu_pcaps__IP_PROTOCOL_SCAN.pcap")).run();
    let sent = output.code(0).table().filter("src_ip", NMAP_SET);
    assert_eq!(distinct(&sent, "proto"), 256);
    // All but ICMP, TCP, UDP, ICMPv6 and SCTP, which have techniques of their own.
    assert_eq!(distinct(&sent.filter("technique", "ip-proto"), "proto"), 251);
}

#[test]
fn what_is_no_scan_is_not_called_one() {
    let Some(dir) = captures("what_is_no_scan_is_not_called_one") else { return };
    // Its index: 0 SYN, and a detector's expectation that there is no notice of a scan.
    let (probes, _) =
        probes_and_sessions(&dir.join("real/telescope/ncsa_bro-simple-scan__backscatter.first2385.pcap"));
    assert_eq!(probes.count("proto", "tcp"), 0);
    // 2767 reflectors answer from port 500.
    let (probes, _) =
        probes_and_sessions(&dir.join("real/ddos/StopDDoS_packet-captures__amp.UDP.isakmp.pcap"));
    assert_eq!(probes.len(), 0);
    // 6651 SYN/ACK from 7055 reflectors; one host sends the only SYN.
    let (probes, _) =
        probes_and_sessions(&dir.join("real/ddos/StopDDoS_packet-captures__amp.TCP.reflection.SYNACK.pcap"));
    assert!(probes.filter("proto", "tcp").len() < 10, "{probes:?}");
    // Normal traffic: some hosts and services, no sweep of ports.
    let (_, sessions) =
        probes_and_sessions(&dir.join("real/scan/p1mps_Port-scans-detector-with-pro__notscan.pcap"));
    let widest = sessions.rows().filter_map(|row| row.get("v_size")?.parse::<u32>().ok()).max();
    assert!(widest < Some(5), "{sessions:?}");
}

#[test]
fn a_flood_of_spoofed_sources_is_one_probe_each() {
    let Some(dir) = captures("a_flood_of_spoofed_sources_is_one_probe_each") else { return };
    let file = dir.join("real/ddos/StopDDoS_packet-captures__pkt.TCP.DOMINATE.syn.ecn.cwr.pcapng");
    let (probes, _) = probes_and_sessions(&file);
    let syn = probes.filter("technique", "syn");
    // tshark: 9639 SYN with ECE and CWR from 9639 sources to one port of one host.
    assert_eq!(
        (syn.len(), distinct(&syn, "src_ip"), distinct(&syn, "dst_ip"), distinct(&syn, "dst_port")),
        (9639, 9639, 1, 1)
    );
    assert_eq!(syn.count("tcp_flags", "SEC"), 9639);
}

#[test]
fn every_combination_of_flags_has_a_place() {
    let Some(dir) = captures("every_combination_of_flags_has_a_place") else { return };
    let script = "pkt2csv \"$file\" | scan-classify --class all";
    let file = dir.join("real/scan/esnet-security_curated-pcaps__one_way_all_flags.pcap");
    let output = Bash::new(script).env("file", file).run();
    let table = output.code(0).table();
    assert_eq!(table.sum("packets"), 63);
    let of = |flags: &str| {
        let rows = table.filter("tcp_flags", flags);
        assert_eq!(rows.len(), 1, "{flags}: {rows:?}");
        let row = rows.rows().next().expect("just counted");
        (row.get("class").unwrap_or("").to_owned(), row.get("technique").unwrap_or("").to_owned())
    };
    for (flags, technique) in
        [("S", "syn"), ("F", "fin"), ("FPU", "xmas"), (".", "null"), ("FA", "maimon"), ("A", "ack")]
    {
        assert_eq!(of(flags), ("scan".to_owned(), technique.to_owned()), "{flags}");
    }
    for flags in ["SA", "R", "RA"] {
        assert_eq!(of(flags).0, "backscatter", "{flags}");
    }
    assert_eq!(of("PA").0, "other");
    // RFC 9293 never sends a SYN with FIN, RST or URG.
    for row in table.rows() {
        let flags = row.get("tcp_flags").expect("all are TCP");
        if flags.contains('S') && flags.contains(['F', 'R', 'U']) {
            assert_eq!(
                (row.get("class"), row.get("technique")),
                (Some("scan"), Some("odd-flags")),
                "{flags}"
            );
        }
    }
}

#[test]
fn the_same_rows_whatever_the_threads() {
    let Some(dir) = captures("the_same_rows_whatever_the_threads") else { return };
    bin("pkt2csv");
    let file = dir.join("real/big/derived_ndpi_merged.pcap");
    let rows =
        |threads: &str| tool("pkt2csv").args(["--threads", threads]).arg(&file).run().code(0).stdout.clone();
    let one = rows("1");
    assert!(one.len() > 1 << 20);
    assert!(one == rows("2") && one == rows("5"), "the rows depend on the number of threads");
}
