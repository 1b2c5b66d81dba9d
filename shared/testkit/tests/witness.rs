//! Whether the builder can be a witness: Wireshark decodes what it builds and finds every checksum right.

use probeline_testkit::pcap::{self, Precision};
use probeline_testkit::{Link, Packet, TcpOption, tshark};

const V4: (&str, &str) = ("203.0.113.7", "198.51.100.1");
const V6: (&str, &str) = ("2001:db8::7", "2001:db8:1::1");

/// Writes the packets, each a second after the one before, and has tshark decode them.
fn decode(packets: &[Packet], fields: &[&str]) -> Option<Vec<Vec<String>>> {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let records = packets.iter().enumerate().map(|(i, packet)| (i as u64 * 1_000_000_000, packet.bytes()));
    std::fs::write(file.path(), pcap::file(Precision::Micros, packets[0].link_type(), records))
        .expect("our own file");
    let rows = tshark(file.path(), fields)?;
    assert_eq!(rows.len(), packets.len());
    Some(rows)
}

fn tcp((src, dst): (&str, &str)) -> Packet {
    Packet::tcp(src, 40000, dst, 22)
        .flags("SEC")
        .seq(4_000_000_000)
        .ack(7)
        .win(1024)
        .ttl(57)
        .id(54321)
        .options(TcpOption::list("mss=1460,sackok,ts=100:9,nop,ws=7"))
}

#[test]
fn tcp_fields() {
    let fields = [
        "tcp.srcport",
        "tcp.dstport",
        "tcp.flags",
        "tcp.seq",
        "tcp.ack",
        "tcp.window_size_value",
        "tcp.option_kind",
        "tcp.options.mss_val",
        "tcp.options.wscale.shift",
        "tcp.options.timestamp.tsval",
        "tcp.options.timestamp.tsecr",
        "tcp.hdr_len",
    ];
    let Some(rows) = decode(&[tcp(V4), tcp(V6)], &fields) else { return };
    for row in rows {
        assert_eq!(row.join(" "), "40000 22 0x00c2 4000000000 7 1024 2 1460 7 100 9 40");
    }
}

#[test]
fn ip_fields() {
    let fields = ["ip.ttl", "ip.id", "ip.flags.df", "ip.dsfield", "ip.len", "ip.hdr_len"];
    let Some(rows) = decode(&[tcp(V4).tos(0x2e), tcp(V4).df(false)], &fields) else { return };
    assert_eq!(rows[0].join(" "), "57 0xd431 1 0x2e 60 20");
    assert_eq!(rows[1].join(" "), "57 0xd431 0 0x00 60 20");
    let fields = ["ipv6.hlim", "ipv6.tclass", "ipv6.plen", "ipv6.nxt"];
    let Some(rows) = decode(&[tcp(V6).tos(0x2e)], &fields) else { return };
    assert_eq!(rows[0].join(" "), "57 0x0000002e 40 6");
}

#[test]
fn checksums_are_right_unless_asked_for_wrong() {
    let all = |(src, dst)| {
        vec![
            Packet::tcp(src, 1, dst, 2).flags("S").payload(*b"odd"),
            Packet::udp(src, 1, dst, 2).payload(*b"odd"),
            Packet::icmp(src, dst, 8, 0).payload(*b"odd"),
            Packet::sctp(src, 1, dst, 2, 1),
        ]
    };
    // Wireshark's "checksum.status": 1 is good, 0 is bad.
    let fields = [
        "ip.checksum.status",
        "tcp.checksum.status",
        "udp.checksum.status",
        "icmp.checksum.status",
        "icmpv6.checksum.status",
        "sctp.checksum.status",
    ];
    for (addresses, ip) in [(V4, "1"), (V6, "")] {
        let good = all(addresses);
        let bad: Vec<_> = good.iter().map(|packet| packet.clone().false_checksum()).collect();
        let Some(rows) = decode(&good, &fields) else { return };
        for row in rows {
            assert_eq!(row[0], ip);
            assert_eq!(row[1..].concat(), "1", "{row:?}");
        }
        for row in decode(&bad, &fields).unwrap() {
            assert_eq!(row[1..].concat(), "0", "{row:?}");
        }
    }
}

#[test]
fn every_link_layer_leads_to_the_same_packet() {
    for link in [Link::Ethernet, Link::Raw, Link::Null, Link::Sll] {
        let packets = [tcp(V4).link(link), tcp(V6).link(link)];
        let Some(rows) = decode(&packets, &["ip.src", "ipv6.src", "tcp.dstport"]) else { return };
        assert_eq!(rows[0].join(" "), "203.0.113.7  22", "{link:?}");
        assert_eq!(rows[1].join(" "), " 2001:db8::7 22", "{link:?}");
    }
    let tagged = tcp(V4).vlan(7).vlan(100);
    let Some(rows) = decode(&[tagged], &["ieee8021ad.id", "vlan.id", "tcp.dstport"]) else { return };
    assert_eq!(rows[0].join(" "), "7 100 22");
}

#[test]
fn icmp_errors_quote() {
    let quoted = Packet::udp(V4.1, 5060, V4.0, 5061).payload(vec![0; 100]);
    let error = Packet::icmp(V4.0, V4.1, 3, 3).quoting(&quoted, 28);
    let Some(rows) = decode(&[error], &["icmp.type", "icmp.code", "udp.srcport", "udp.dstport", "ip.len"])
    else {
        return;
    };
    assert_eq!(rows[0].join(" "), "3 3 5060 5061 56");
    let Some(rows) = decode(&[Packet::ping(V6.0, V6.1, 77, 3)], &["icmpv6.type", "icmpv6.echo.identifier"])
    else {
        return;
    };
    assert_eq!(rows[0].join(" "), "128 0x004d");
}

#[test]
fn fragments() {
    let fields = ["ip.flags.mf", "ip.frag_offset", "udp.dstport"];
    let first = Packet::udp(V4.0, 1, V4.1, 2).payload(vec![0; 16]).fragment(0, true);
    let last = Packet::udp(V4.0, 1, V4.1, 2).payload(vec![0; 8]).fragment(3, false);
    let Some(rows) = decode(&[first, last], &fields) else { return };
    assert_eq!(rows[0].join(" "), "1 0 2");
    assert_eq!(rows[1].join(" ").trim_end(), "0 3");
    let first = Packet::udp(V6.0, 1, V6.1, 2).payload(vec![0; 16]).fragment(0, true);
    let Some(rows) = decode(&[first], &["ipv6.fraghdr.more", "ipv6.fraghdr.offset"]) else { return };
    assert_eq!(rows[0].join(" "), "1 0");
}

#[test]
fn sctp_chunks() {
    let Some(rows) = decode(
        &[Packet::sctp(V4.0, 1, V4.1, 2905, 1), Packet::sctp(V4.0, 1, V4.1, 2905, 10).payload(*b"cookie")],
        &["sctp.dstport", "sctp.chunk_type"],
    ) else {
        return;
    };
    assert_eq!(rows[0].join(" "), "2905 1");
    assert_eq!(rows[1].join(" "), "2905 10");
}
