//! Captures of scanners, rewritten by the tool that people rewrite captures with.

use std::path::{Path, PathBuf};
use std::process::Command;

use probeline_testkit::{Packet, Table, captures, pcap, skipped, tool};

/// The captures, and whether there is something to rewrite them with.
fn laboratory(test: &str) -> Option<PathBuf> {
    let lab = captures(test)?.join("lab");
    if Command::new("tcprewrite").arg("--version").output().is_err() {
        skipped(test, "no tcprewrite (package tcpreplay)");
        return None;
    }
    Some(lab)
}

/// A capture rewritten in this way.
fn rewritten(capture: &Path, how: &str, folder: &Path) -> PathBuf {
    let to = folder.join("rewritten.pcap");
    let done = Command::new("tcprewrite")
        .arg(how)
        .arg("-i")
        .arg(capture)
        .arg("-o")
        .arg(&to)
        .output()
        .expect("tcprewrite runs");
    assert!(done.status.success(), "{done:?}");
    to
}

#[track_caller]
fn audit(capture: &Path) -> (Option<i32>, Table) {
    let rows = tool("pkt2csv").arg(capture).run();
    rows.code(0);
    let out = tool("trace-audit").stdin(rows.out()).run();
    out.no_panic();
    (out.code, out.table())
}

/// What the addresses were, the laboratory's index says: 198.18.1.0/24.
#[test]
fn rewriting_addresses_does_not_hide_them() {
    let Some(lab) = laboratory("rewriting_addresses_does_not_hide_them") else { return };
    let folder = tempfile::tempdir().unwrap();
    for how in [
        "--seed=7",
        "--seed=4242",
        "--pnat=198.18.0.0/15:10.4.0.0/15",
        "--dstipmap=198.18.1.0/24:10.7.7.0/24",
    ] {
        for (name, rule, bits, reveals) in [
            ("masscan101_syn.pcap", "masscan-ip-id", "16", "?.?.1.0/24"),
            ("masscan132_syn.pcap", "masscan-ip-id", "16", "?.?.1.0/24"),
            ("masscanHEAD_syn.pcap", "masscan-ip-id", "16", "?.?.1.0/24"),
            ("masscan132_udp.pcap", "masscan-udp", "16", "?.?.1.0/27"),
            ("mirai_SYNTHETIC.pcap", "mirai-seq", "32", "198.18.1.0/24"),
            ("unicornscan047_syn.pcap", "unicornscan-key", "32", ""),
            ("yarrp_TCP_SYN.pcap", "yarrp-sport", "16", ""),
        ] {
            let (code, table) = audit(&rewritten(&lab.join(name), how, folder.path()));
            assert_eq!(table.column("rule"), [rule], "{name} {how}");
            assert_eq!(
                (table.column("bits"), table.column("reveals")),
                (vec![bits], vec![reveals]),
                "{name} {how}"
            );
            assert_eq!(code, Some(1), "{name} {how}");
        }
    }
}

/// Tools without a destination in their fields give nothing away, rewritten or not.
#[test]
fn others_tell_nothing() {
    let Some(lab) = laboratory("others_tell_nothing") else { return };
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "zmap211_syn.pcap",
        "zmap300_syn.pcap",
        "zmap434_syn.pcap",
        "xmap114_syn.pcap",
        "nping793_tcp.pcap",
        "nmap793_sS_open_local.pcap",
        "nmap793_sT_local.pcap",
        "hping3_S_local.pcap",
        "scapy250_defaults.pcap",
        "pnscan_connect.pcap",
        "nmap793_sU.pcap",
        "zmap211_udp.pcap",
    ] {
        for capture in [lab.join(name), rewritten(&lab.join(name), "--seed=7", folder.path())] {
            let (code, table) = audit(&capture);
            assert_eq!((code, table.len()), (Some(0), 0), "{name}: {table:?}");
        }
    }
}

#[test]
fn a_pool_tells_remainders() {
    let Some(lab) = laboratory("a_pool_tells_remainders") else { return };
    let (code, table) = audit(&lab.join("zmap434_multisrc.pcap"));
    assert_eq!((table.column("rule"), table.column("bits")), (vec!["zmap-pool"], vec!["3"]));
    assert_eq!((code, table.column("sources")), (Some(1), vec!["8"]));
}

/// The network of the telescope, whole, in the errors that its rewritten headers quote.
#[test]
fn icmp_errors_quote() {
    let spoofed = |i: u16| Packet::tcp("198.18.1.9", 1000 + i, "203.0.113.1", 80).flags("S");
    let error = |i: u16, to: &str| Packet::icmp("203.0.113.1", to, 3, 1).quoting(&spoofed(i), 28);
    let file = |to: &'static str| {
        let packets = (0..5).map(|i| (1_700_000_000_000_000_000 + u64::from(i), error(i, to).bytes()));
        pcap::file(pcap::Precision::Micros, spoofed(0).link_type(), packets)
    };
    let folder = tempfile::tempdir().unwrap();
    for (to, expected) in [("198.18.1.9", vec![]), ("10.7.7.9", vec!["icmp-quote"])] {
        let path = folder.path().join("errors.pcap");
        std::fs::write(&path, file(to)).unwrap();
        let (code, table) = audit(&path);
        assert_eq!(table.column("rule"), expected);
        assert_eq!(code, Some(i32::from(!expected.is_empty())));
    }
}

#[test]
fn what_it_cannot_read_is_said() {
    tool("trace-audit").stdin("a,b\n1,2\n").run().code(2).stderr_has("no column 'ts'");
    tool("trace-audit").run().code(0).stderr_has("empty input");
    tool("trace-audit").arg("--list-fields").run().code(0).stdout_has("reveals");
    let bad = "ts,src_ip,dst_ip,proto\n1.0,192.0.2.1,198.18.1.57,tcp\nx,y,z,w\n";
    tool("trace-audit")
        .stdin(bad)
        .run()
        .code(1)
        .stderr_has("line 3")
        .stderr_has("2 packets read = 1 looked at + 1 skipped");
}
