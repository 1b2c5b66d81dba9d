//! Captures that nobody here made: every packet is read, every packet is accounted for, nothing malformed
//! brings a tool down, and what is known of their scans is found.

use std::path::PathBuf;
use std::time::Duration;

use probeline_pipelines::account::Account;
use probeline_pipelines::parallel;
use probeline_pipelines::stated::{NMAP_SET, SCANS};
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
        let script = "while read -r file; do pkt2csv \"$file\" 2>/dev/null; done | \
             awk 'NR == 1 || !/^ts,/' >rows.csv\n\
             scan-classify --class all --reorder 1000000h rows.csv | \
             scan-group --by src --gap 5m --reorder 1000000h";
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

/// Probes and sessions of a capture, one session for each source and technique. The waiting time is that of a
/// file whose packets are stored backwards over 2 hours (`445_scan`).
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
