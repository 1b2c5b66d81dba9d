//! Reads the packets that the table's entries give as examples.

use std::collections::BTreeMap;

use probeline_record::{PacketColumns, RowReader, rows};

use crate::packet::Packet;

/// The packets of a text: one, or where it has lists `a|b|c`, as many as the longest of them. Where a column is named
/// that they have, they have this value in it instead, or nothing where it is empty.
pub(crate) fn packets_but(text: &str, but: Option<(&str, &str)>) -> Vec<Packet> {
    let words: Vec<Vec<&str>> = text.split(' ').map(|word| word.split('|').collect()).collect();
    let count = words.iter().map(Vec::len).max().unwrap_or(0);
    let nth = |i: usize| {
        let pick = |word: &Vec<&str>| match (word[0].split_once('='), i % word.len()) {
            (Some((name, _)), i) if i > 0 => format!("{name}={}", word[i]),
            (_, i) => word[i].to_owned(),
        };
        packet_but(&words.iter().map(pick).collect::<Vec<_>>().join(" "), but)
    };
    (0..count).map(nth).collect()
}

/// The packet of a text such as `tcp 192.0.2.1 40000 > 198.51.100.1 23 S len=40 ttl=64 seq=7`.
///
/// It goes through a packet row, so that the table's examples are what the tool would read.
pub(crate) fn packet(text: &str) -> Packet {
    packet_but(text, None)
}

fn packet_but(text: &str, but: Option<(&str, &str)>) -> Packet {
    let mut cells: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, value) in [("ip_id", "0"), ("ip_df", "0"), ("ip_tos", "0"), ("ts", "0")] {
        cells.insert(name, value);
    }
    let mut words = text.split(' ').peekable();
    if let Some(ts) = words.next_if(|word| word.starts_with('@')) {
        cells.insert("ts", &ts[1..]);
    }
    let proto = words.next().unwrap();
    cells.insert("proto", proto);
    cells.insert("src_ip", words.next().unwrap());
    cells.extend(words.next_if(|word| *word != ">").map(|port| ("src_port", port)));
    assert_eq!(words.next(), Some(">"), "{text}");
    cells.insert("dst_ip", words.next().unwrap());
    cells.extend(words.next_if(|word| word.parse::<u16>().is_ok()).map(|port| ("dst_port", port)));
    match proto {
        "tcp" => {
            cells.insert("tcp_flags", words.next().unwrap());
            cells.extend([("tcp_seq", "0"), ("tcp_ack", "0"), ("tcp_win", "0")]);
        }
        "udp" => cells.extend([("udp_sum", "1")]),
        "icmp" | "icmp6" => cells.extend([("icmp_type", "0"), ("icmp_code", "0"), ("icmp_seq", "0")]),
        _ => {}
    }
    cells.insert("payload_len", "0");
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or_else(|| panic!("{word} in {text}"));
        if name == "payload" {
            let (len, octets) = value.split_once(':').unwrap();
            cells.extend([("payload_len", len), ("payload_head", octets)]);
            continue;
        }
        cells.insert(column(name), value);
    }
    if cells["src_ip"].contains(':') {
        cells.remove("ip_id");
        cells.remove("ip_df");
    }
    if let Some((column, value)) = but {
        cells.entry(column).and_modify(|cell| *cell = value);
    }
    let names: Vec<&str> = rows::PACKET.iter().map(|field| field.name).collect();
    assert!(cells.keys().all(|name| names.contains(name)), "{cells:?}");
    let row: Vec<&str> = names.iter().map(|name| cells.get(name).copied().unwrap_or("")).collect();
    let csv = format!("{}\n{}\n", names.join(","), row.join(","));
    let mut rows = RowReader::new(csv.as_bytes()).unwrap();
    let columns = PacketColumns::find(&mut rows).unwrap();
    let row = rows.next_row().unwrap().unwrap();
    Packet::from_row(&columns.packet(row)).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn column(short: &str) -> &str {
    match short {
        "len" => "ip_len",
        "ttl" => "ttl",
        "id" => "ip_id",
        "df" => "ip_df",
        "tos" => "ip_tos",
        "seq" => "tcp_seq",
        "ack" => "tcp_ack",
        "win" => "tcp_win",
        "opts" => "tcp_opts",
        "mss" => "tcp_mss",
        "ws" => "tcp_wscale",
        "tsval" => "tcp_tsval",
        "type" => "icmp_type",
        "code" => "icmp_code",
        "sum" => "udp_sum",
        other => other,
    }
}
