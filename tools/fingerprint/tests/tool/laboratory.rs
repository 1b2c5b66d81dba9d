//! Every tool on captures of itself: the index says which it was and in which version.

use crate::support::{expected, fingerprint, laboratory, named, rows, tools, with};

#[test]
fn every_packet_has_its_tool() {
    let Some(captures) = laboratory("every_packet_has_its_tool") else { return };
    for capture in &captures {
        let table = fingerprint(&rows(&capture.file), &[]);
        let found = tools(&table);
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            [&expected(capture)],
            "{}: {found:?}",
            capture.file.display()
        );
        assert_eq!(table.len() as u64, capture.packets);
    }
}

/// What one file allows: certain where a mark is a relation, probable where there is only a shape.
#[test]
fn as_sure_as_the_file_allows() {
    let Some(captures) = laboratory("as_sure_as_the_file_allows") else { return };
    for capture in &captures {
        let table = fingerprint(&rows(&capture.file), &[]);
        let shapes_only = ["zmap434", "os-stack", "scapy", "masscan132_udp", "pnscan", "sT_local", "sU"];
        let name = capture.file.display().to_string();
        let only_shape = shapes_only.iter().any(|part| name.contains(part)) && !name.contains("linux");
        for row in table.rows().filter(|row| row.get("proto") != Some("icmp6")) {
            let confidence = row.get("tool_confidence").unwrap();
            let fits = confidence == "certain" || (only_shape && confidence == "probable");
            assert!(fits, "{name}: {row:?}");
        }
    }
}

/// Whether a version lies in a range as `tool_version` gives it; `None` where it is no number.
fn allows(range: &str, version: &str) -> Option<bool> {
    let number = |text: &str| -> Option<Vec<u32>> {
        text.split('-').next()?.split('.').map(|part| part.parse().ok()).collect()
    };
    let version = number(version)?;
    if let Some((low, high)) = range.split_once("..") {
        return Some((number(low)?..=number(high)?).contains(&version));
    }
    if let Some(low) = range.strip_prefix(">=") {
        return Some(version >= number(low)?);
    }
    if let Some(high) = range.strip_prefix("<=") {
        return Some(version <= number(high)?);
    }
    Some(version > number(range.strip_prefix('>')?)?)
}

#[test]
fn versions_are_in_their_ranges() {
    assert_eq!(allows("1.0.3..1.3.2", "1.3.2"), Some(true));
    assert_eq!(allows(">1.3.2", "1.3.2"), Some(false));
    let Some(captures) = laboratory("versions_are_in_their_ranges") else { return };
    let mut told = 0;
    for capture in captures.iter().filter(|capture| expected(capture) != "os-stack") {
        let table = fingerprint(&rows(&capture.file), &[]);
        for range in table.distinct("tool_version").into_iter().filter(|range| !range.is_empty()) {
            let version = capture.version.split(['+', ' ']).next().unwrap();
            told += 1;
            assert_eq!(
                allows(range, version),
                Some(true),
                "{}: {version} in {range}",
                capture.file.display()
            );
        }
    }
    assert!(told >= 12, "{told} captures told their version");
}

/// The second of the start, out of headers alone, is just before the first packet.
#[test]
fn starts_are_regenerated() {
    let Some(captures) = laboratory("starts_are_regenerated") else { return };
    for name in ["hping3_S_local.pcap", "hping3_scan.pcap", "hping3_udp.pcap"] {
        let table = fingerprint(&rows(&named(&captures, name).file), &["--session"]);
        let first: f64 = table.column("ts")[0].parse().unwrap();
        let sessions = table.distinct("tool_session");
        let start: f64 = sessions[0].strip_prefix("hping3:start=").unwrap().parse().unwrap();
        assert_eq!(sessions.len(), 1);
        assert!((0.0..2.0).contains(&(first - start)), "{name}: {start} for {first}");
    }
    for name in ["masscan101_syn.pcap", "masscan132_syn.pcap", "masscanHEAD_syn.pcap", "masscan132_udp.pcap"]
    {
        let table = fingerprint(&rows(&named(&captures, name).file), &["--session"]);
        let first: f64 = table.column("ts")[0].parse().unwrap();
        let sessions = table.distinct("tool_session");
        let start: f64 = sessions[0].strip_prefix("masscan:start=").unwrap().parse().unwrap();
        assert_eq!(sessions.len(), 1, "{sessions:?}");
        assert!((0.0..3.0).contains(&(first.rem_euclid(20_000.0) - start)), "{name}: {start} for {first}");
    }
}

/// Eight addresses, one scan: told by which destinations each of them was given.
#[test]
fn a_pool_of_sources_is_one_campaign() {
    let Some(captures) = laboratory("a_pool_of_sources_is_one_campaign") else { return };
    let capture = named(&captures, "zmap434_multisrc.pcap");
    let out = probeline_testkit::Bash::new(
        "pkt2csv \"$CAPTURE\" | scan-classify | fingerprint --session | scan-group --by tool_session --gap 1h",
    )
    .env("CAPTURE", &capture.file)
    .run();
    out.code(0);
    let table = out.table();
    assert_eq!(table.column("srcs"), ["8"], "{table:?}");
    assert_eq!(table.column("tool_session"), ["zmap:pool=8+0"]);
    assert_eq!(table.column("dsts"), ["256"]);
}

/// One run from several addresses is one row, with its sources counted: what ties it together does not depend on the
/// source address, so the laboratory's runs are dealt out to four.
#[test]
fn runs_from_several_sources_are_one_campaign() {
    let Some(captures) = laboratory("runs_from_several_sources_are_one_campaign") else { return };
    for (name, session) in [
        ("unicornscan047_syn.pcap", "unicornscan:key="),
        ("masscan101_syn.pcap", "masscan:start="),
        ("masscan132_syn.pcap", "masscan:start="),
        ("masscanHEAD_syn.pcap", "masscan:start="),
        ("nmap793_sS_open_local.pcap", "nmap:seqmask="),
        ("nmap793_sA.pcap", "nmap:seqmask="),
        ("mirai_SYNTHETIC.pcap", "mirai:process="),
        ("zmap434_syn_linux.pcap", "zmap:start="),
        ("nping793_tcp.pcap", "nping:run="),
    ] {
        let capture = named(&captures, name);
        let dealt = with(&rows(&capture.file), "src_ip", |i, _| format!("192.0.2.{}", i % 4));
        let out = probeline_testkit::Bash::new(
            "scan-classify rows.csv | fingerprint --session | scan-group --by tool_session --gap 1h",
        )
        .file("rows.csv", dealt.join("\n") + "\n")
        .run();
        out.code(0);
        let table = out.table();
        assert_eq!(table.column("srcs"), ["4"], "{name}: {table:?}");
        assert!(table.column("tool_session")[0].starts_with(session), "{name}: {table:?}");
        assert_eq!(table.column("packets"), [capture.packets.to_string()], "{name}");
    }
}
