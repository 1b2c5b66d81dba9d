//! One packet of every kind, for tests that hold two ways of writing rows against each other.

use probeline_testkit::pcap::{self, Precision, Record};
use probeline_testkit::{Link, Packet, TcpOption};

const A: &str = "203.0.113.7";
const B: &str = "198.51.100.255";
const A6: &str = "2001:db8::7";
const B6: &str = "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff";

/// When the first packet of a made capture was there.
pub(crate) const START: u64 = 1_700_000_000_000_000_000;

fn tcp() -> Packet {
    Packet::tcp(A, 40_000, B, 22)
}

/// Packets of every transport over both families, with everything that may be there or not.
pub(crate) fn packets() -> Vec<Packet> {
    let mut packets: Vec<Packet> = (0..512_u16)
        .map(|bits| {
            let letters: String =
                (0..9).filter(|bit| bits >> bit & 1 == 1).map(|bit| char::from(b"FSRPAUECN"[bit])).collect();
            tcp().flags(if letters.is_empty() { "." } else { &letters })
        })
        .collect();
    let option_lists = [
        vec![TcpOption::Mss(1460)],
        TcpOption::list("mss=65535,sackok,ts=4294967295:1,nop,ws=14"),
        TcpOption::list("nop,nop,ts=0:0"),
        vec![TcpOption::Nop; 40],
        vec![TcpOption::Raw(vec![255, 40]), TcpOption::Raw(vec![0; 38])],
        vec![TcpOption::Raw(vec![2, 0, 5, 180])],
        vec![TcpOption::Raw(vec![3, 3, 7, 8])],
        vec![TcpOption::End, TcpOption::Raw(vec![2, 4, 1, 1])],
        (0..20).map(|_| TcpOption::Raw(vec![254, 2])).collect(),
    ];
    packets.extend(option_lists.map(|options| tcp().flags("S").options(options)));
    for number in [0, 1, 9, 10, 99, 100, 999, 1000, 9999, 10_000, u16::MAX] {
        let wide = u32::from(number) * 65_537;
        packets.push(
            Packet::tcp(A, number, B, number).flags("A").seq(wide).ack(wide).win(number).urgent(number),
        );
        packets.push(Packet::udp(A, number, B, number).checksum(number).id(number).tos(number as u8));
        packets.push(Packet::ping(A, B, number, number).ttl(number as u8).df(number & 1 == 0));
        packets.push(Packet::icmp(A, B, number as u8, number as u8));
    }
    for length in [1, 7, 15, 16, 17, 200, 1400] {
        let payload: Vec<u8> = (0..length).map(|n| n as u8 ^ 0xa5).collect();
        packets.push(tcp().flags("PA").payload(payload.clone()));
        packets.push(Packet::udp(A6, 5060, B6, 5060).payload(payload.clone()));
        packets.push(Packet::ping(A6, B6, 1, 2).payload(payload.clone()));
        packets.push(Packet::ip(A, B, 47).payload(payload));
    }
    let over_six = [
        Packet::tcp(A6, 1, B6, 65_535).flags("S").mss(1440),
        Packet::icmp(A6, B6, 1, 4).quoting(&Packet::udp(B6, 53, A6, 5353), 200),
        Packet::icmp(A6, B6, 3, 0).quoting(&Packet::tcp(B6, 80, A6, 8080).flags("S"), 44),
        Packet::sctp(A6, 7, B6, 9, 1),
        Packet::tcp(A6, 1, B6, 2).fragment(0, true).payload(vec![1; 16]),
        Packet::tcp(A6, 1, B6, 2).fragment(4, false).payload(vec![1; 16]),
    ];
    packets.extend(over_six);
    let over_four = [
        Packet::icmp(A, B, 3, 3).quoting(&Packet::udp(B, 53, A, 5353), 28),
        Packet::icmp(A, B, 11, 0).quoting(&Packet::tcp(B, 80, A, 8080).flags("S"), 28),
        Packet::icmp(A, B, 3, 1).quoting(&Packet::ping(B, A, 5, 6), 28),
        Packet::icmp(A, B, 3, 2).quoting(&Packet::ip(B, A, 250), 20),
        Packet::icmp(A, B, 5, 1).quoting(&tcp(), 21),
        Packet::sctp(A, 7, B, 9, 10).payload(vec![9; 8]),
        Packet::ip(A, B, 0),
        Packet::ip(A, B, 255),
        Packet::udp(A, 1, B, 2).fragment(0, true).payload(vec![1; 16]),
        Packet::udp(A, 1, B, 2).fragment(8191, false).payload(vec![1; 16]),
        tcp().vlan(5).flags("S"),
        tcp().vlan(4095).vlan(7).flags("S"),
    ];
    packets.extend(over_four);
    packets
}

/// Every packet whole, and those of each kind cut at every length.
pub(crate) fn records() -> Vec<Record> {
    let packets = packets();
    let mut records = Vec::new();
    for packet in &packets {
        records.push(Record { nanos: 0, wire_len: packet.bytes().len(), bytes: packet.bytes() });
    }
    for packet in &packets[512..] {
        let whole = packet.bytes();
        for len in 1..whole.len().min(140) {
            records.push(Record { nanos: 0, wire_len: whole.len(), bytes: whole[..len].to_vec() });
        }
    }
    for (number, record) in records.iter_mut().enumerate() {
        record.nanos = START + number as u64 * 1_000_001_001;
    }
    records
}

/// All of it as an Ethernet capture.
pub(crate) fn capture(precision: Precision) -> Vec<u8> {
    pcap::file(precision, 1, records())
}

/// One packet of each of the other link types, in files of their own: a link type and a capture.
pub(crate) fn other_links() -> Vec<(u32, Vec<u8>)> {
    [Link::Raw, Link::Null, Link::Sll]
        .map(|link| {
            let packets = [tcp().flags("S").link(link), Packet::udp(A6, 1, B6, 2).link(link)];
            let records = packets.map(|packet| (START, packet.bytes()));
            (link.number(), pcap::file(Precision::Micros, link.number(), records))
        })
        .to_vec()
}

/// A capture of so many packets to one address, one a second from `start` seconds on.
pub(crate) fn one_a_second(start: u64, count: u16, src_port: u16) -> Vec<u8> {
    let records = (0..count).map(|n| {
        let syn = Packet::tcp(A, src_port, B, n).flags("S");
        ((start + u64::from(n)) * 1_000_000_000, syn.bytes())
    });
    pcap::file(Precision::Micros, 1, records)
}
