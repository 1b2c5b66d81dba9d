//! Captures as they look from elsewhere: more hops away, by another clock, cut, sent twice.

use std::process::Command;

use probeline_testkit::skipped;

use crate::support::{expected, fingerprint, laboratory, named, rows, tools, with};

#[test]
fn thirty_hops_away() {
    let Some(captures) = laboratory("thirty_hops_away") else { return };
    for capture in &captures {
        let near = rows(&capture.file);
        for hops in [1u8, 7, 17, 30] {
            let far =
                with(&near, "ttl", |_, ttl| ttl.parse::<u8>().unwrap().saturating_sub(hops).to_string());
            // A traceroute's packets do not come from that far.
            if expected(capture) == "yarrp" {
                continue;
            }
            let found = tools(&fingerprint(&far, &[]));
            assert_eq!(found.keys().collect::<Vec<_>>(), [&expected(capture)], "{hops} hops: {found:?}");
        }
    }
}

/// By a clock that is a year off nothing is mistaken. hping3's UDP has no other mark than its clock.
#[test]
fn by_another_clock() {
    let Some(captures) = laboratory("by_another_clock") else { return };
    for capture in &captures {
        let shifted = with(&rows(&capture.file), "ts", |_, ts| {
            let (seconds, fraction) = ts.split_once('.').unwrap();
            format!("{}.{fraction}", seconds.parse::<i64>().unwrap() - 31_557_600)
        });
        let found = tools(&fingerprint(&shifted, &[]));
        let tool =
            if capture.file.ends_with("hping3_udp.pcap") { "unknown".to_owned() } else { expected(capture) };
        assert_eq!(found.keys().collect::<Vec<_>>(), [&tool], "{}: {found:?}", capture.file.display());
    }
}

/// 54 octets hold Ethernet, IPv4 and TCP without options: what is told by options alone becomes unknown, never another
/// tool.
#[test]
fn cut_at_54_octets() {
    let Some(captures) = laboratory("cut_at_54_octets") else { return };
    if Command::new("editcap").arg("--version").output().is_err() {
        return skipped("cut_at_54_octets", "no editcap");
    }
    let folder = tempfile::tempdir().unwrap();
    let by_options = ["zmap434_syn", "zmap434_multisrc", "sT_local", "pnscan", "nmap793_O"];
    for capture in &captures {
        let cut = folder.path().join("cut.pcap");
        let done = Command::new("editcap").args(["-s", "54"]).arg(&capture.file).arg(&cut).status().unwrap();
        assert!(done.success());
        let out = probeline_testkit::tool("pkt2csv").arg(&cut).run();
        let lines: Vec<String> = out.out().lines().map(str::to_owned).collect();
        let found = tools(&fingerprint(&lines, &[]));
        let name = capture.file.display().to_string();
        // IPv6 leaves no room for the transport header.
        let is_v6 = name.contains("fi6s") || name.contains("syn6");
        if is_v6 || by_options.iter().any(|part| name.contains(part)) {
            let only = found.keys().all(|tool| *tool == expected(capture) || tool == "unknown");
            assert!(only, "{name}: {found:?}");
        } else {
            assert_eq!(found.keys().collect::<Vec<_>>(), [&expected(capture)], "{name}: {found:?}");
        }
    }
}

/// Every packet three times: no tool is mistaken, and a copy adds no evidence.
#[test]
fn retransmissions() {
    let Some(captures) = laboratory("retransmissions") else { return };
    for capture in &captures {
        let once = rows(&capture.file);
        let thrice: Vec<String> = std::iter::once(once[0].clone())
            .chain(once[1..].iter().flat_map(|row| std::iter::repeat_n(row.clone(), 3)))
            .collect();
        let found = tools(&fingerprint(&thrice, &[]));
        assert_eq!(found.keys().collect::<Vec<_>>(), [&expected(capture)], "{}", capture.file.display());
    }
    // One packet with masscan's mark but not its shape, over and over: still one match.
    let zmap = rows(&named(&captures, "zmap434_syn.pcap").file);
    let mut copies = vec![zmap[0].clone()];
    let masscan = rows(&named(&captures, "masscan132_syn.pcap").file);
    copies.extend(std::iter::repeat_n(masscan[1].clone(), 50));
    let odd = with(&copies, "tcp_win", |_, _| "7777".to_owned());
    let table = fingerprint(&odd, &[]);
    assert_eq!(table.distinct("tool_confidence"), ["possible"]);
}

/// A script with one sequence number and one identification meets masscan's relation at one of its targets, again and
/// again.
#[test]
fn a_script_with_constants() {
    let header = "ts,src_ip,dst_ip,proto,src_port,dst_port,tcp_flags,ip_len,ttl,ip_id,ip_tos,ip_df,tcp_seq,tcp_ack,tcp_win,tcp_opts,payload_len";
    let mut lines = vec![header.to_owned()];
    // 198.18.0.7 port 80 with this identification and sequence number has the mark: 0x0007 ^ 80 ^ 0x1111.
    let id = 0x0007 ^ 80 ^ 0x1111;
    for i in 0..1000 {
        lines.push(format!("{i}.0,192.0.2.1,198.18.0.{},tcp,4444,80,S,40,64,{id},0,1,4369,0,777,,0", i % 20));
    }
    let table = fingerprint(&lines, &[]);
    let marked =
        table.select(|row| row.get("tool_rule").is_some_and(|rules| rules.contains("masscan-ip-id")));
    assert_eq!(marked.len(), 50);
    assert_eq!(table.distinct("tool"), ["unknown"]);
}
