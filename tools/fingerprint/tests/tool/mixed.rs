//! Two tools behind one address.

use crate::support::{fingerprint, laboratory, named, rows, with};

/// The rows of both, one after the other by turns, from one address within ten seconds. Returns them with the tool of
/// each.
fn together(first: &[String], second: &[String]) -> (Vec<String>, Vec<usize>) {
    let (mut lines, mut whose) = (vec![first[0].clone()], Vec::new());
    let mut parts = [first[1..].iter().peekable(), second[1..].iter().peekable()];
    while parts.iter_mut().any(|part| part.peek().is_some()) {
        for (i, part) in parts.iter_mut().enumerate() {
            // Runs of three, as two tools at work interleave.
            for row in part.take(3) {
                lines.push(row.clone());
                whose.push(i);
            }
        }
    }
    let count = lines.len();
    let lines = with(&lines, "src_ip", |_, _| "192.0.2.1".to_owned());
    let lines = with(&lines, "ts", |i, _| format!("1795390000.{:06}", i * (900_000 / count)));
    (lines, whose)
}

#[test]
fn each_keeps_its_own() {
    let Some(captures) = laboratory("each_keeps_its_own") else { return };
    for (first, second) in [
        ("masscan132_syn", "zmap434_syn"),
        ("masscan132_syn", "nmap793_sS_open_local"),
        ("masscanHEAD_syn", "masscan101_syn"),
        ("zmap300_syn", "xmap114_syn"),
        ("zmap211_syn", "xmap114_syn"),
        ("mirai_SYNTHETIC", "masscan132_syn"),
        ("unicornscan047_syn", "nmap793_sT_local"),
        ("nmap793_sS_open_local", "pnscan_connect"),
        ("hping3_S_local", "zmap300_syn"),
        ("yarrp_TCP_SYN", "nping793_tcp"),
        ("nmap793_sU", "zmap211_udp"),
        ("masscan132_udp", "zmap211_udp"),
    ] {
        let of = |name: &str| {
            let capture = named(&captures, &format!("{name}.pcap"));
            (rows(&capture.file), crate::support::expected(capture))
        };
        let ((a, tool_a), (b, tool_b)) = (of(first), of(second));
        let (lines, whose) = together(&a, &b);
        let table = fingerprint(&lines, &[]);
        for (row, whose) in table.rows().zip(whose) {
            let expected = [&tool_a, &tool_b][whose];
            assert_eq!(row.get("tool"), Some(expected.as_str()), "{first} and {second}: {row:?}");
        }
    }
}

/// One masscan run among ten thousand connections of its host is masscan all the same.
#[test]
fn a_small_part_is_found() {
    let Some(captures) = laboratory("a_small_part_is_found") else { return };
    let masscan = rows(&named(&captures, "masscan132_syn.pcap").file);
    let connect = rows(&named(&captures, "nmap793_sT_local.pcap").file);
    let mut many = vec![connect[0].clone()];
    for round in 0..50u32 {
        let again = with(&connect, "tcp_seq", |i, seq| {
            seq.parse::<u32>().unwrap().wrapping_mul(2 * round + 3).wrapping_add(i as u32).to_string()
        });
        let again = with(&again, "ip_id", |_, id| {
            id.parse::<u16>().unwrap().wrapping_add(round as u16 * 77).to_string()
        });
        many.extend_from_slice(&again[1..]);
    }
    let (lines, whose) = together(&masscan[..101], &many);
    let table = fingerprint(&lines, &["--settle", "60"]);
    let wrong = table
        .rows()
        .zip(whose)
        .filter(|(row, whose)| row.get("tool") != Some(if *whose == 0 { "masscan" } else { "os-stack" }));
    assert_eq!(wrong.count(), 0);
}
