//! pcap-sim through its binary: the same bytes for the same seed, sound packets, exact counts, truth that the tools find
//! again.

use std::collections::BTreeMap;

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use probeline_testkit::{Bash, bash, tshark};

/// A pcap's packets: time in microseconds, and frame.
fn packets(bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four octets"));
    assert_eq!((word(0), word(20)), (0xa1b2_c3d4, 1), "microseconds, Ethernet");
    let (mut at, mut found) = (24, Vec::new());
    while at < bytes.len() {
        let length = word(at + 8) as usize;
        assert_eq!(length, word(at + 12) as usize, "whole packets");
        found.push((
            u64::from(word(at)) * 1_000_000 + u64::from(word(at + 4)),
            &bytes[at + 16..at + 16 + length],
        ));
        at += 16 + length;
    }
    found
}

#[test]
fn the_same_seed_is_the_same_capture() {
    let run = |options: &str| {
        bash(&format!("pcap-sim {options} --truth truth.csv; cat truth.csv")).code(0).stdout.clone()
    };
    for options in [
        "--profile mixed -n 3000",
        "--profile mixed --honeypot -n 3000",
        "-n 3000 --nanoseconds",
        "--profile flood -n 3000",
    ] {
        let first = run(options);
        assert!(first == run(options), "{options}: two runs differ");
        assert!(first != run(&format!("{options} --seed 2")), "{options}: another seed changes nothing");
    }
}

#[test]
fn counts_and_times_are_those_asked_for() {
    let output = bash("pcap-sim --profile mixed -n 5000 --honeypot --start 1700000000");
    output.code(0).stderr_has("SYNTHETIC: 5000 packets written = ");
    let found = packets(&output.stdout);
    assert_eq!(found.len(), 5000);
    assert!(found[0].0 >= 1_700_000_000_000_000 && found.is_sorted_by_key(|(ts, _)| *ts));
    let sum: u64 = output
        .err()
        .lines()
        .next()
        .and_then(|line| {
            line.split(" = ").nth(1)?.split(';').next().map(|parts| {
                parts.split(" + ").filter_map(|part| part.split(' ').next()?.parse::<u64>().ok()).sum()
            })
        })
        .expect("an account");
    assert_eq!(sum, 5000);
    let output = bash("pcap-sim --profile mixed -d 2s --start 1700000000");
    let found = packets(&output.code(0).stdout);
    // 2000 flows a second, of one packet or a few.
    assert!((3000..8000).contains(&found.len()), "{}", found.len());
    assert!(found.last().expect("some").0 < 1_700_000_002_000_000);
    let output = bash("pcap-sim --profile mixed -d 30s --rate 100 --seed 5");
    let found = packets(&output.code(0).stdout).len();
    assert!((1500..6500).contains(&found), "{found} packets where about 3000 flows were asked for");
}

/// Tshark decodes every packet, and every checksum is right; etherparse agrees on what they are.
#[test]
fn the_packets_are_sound() {
    let script = "pcap-sim --profile mixed --honeypot -n 60000 -w sim.pcap --truth truth.csv";
    let shell = Bash::new(script);
    shell.run().code(0);
    let file = shell.scratch().join("sim.pcap");
    let bytes = std::fs::read(&file).expect("written");
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    for (_, frame) in packets(&bytes) {
        assert_eq!(&frame[..6], b"\x02SYNTH");
        let packet = SlicedPacket::from_ethernet(frame).expect("a sound frame");
        let net = match packet.net {
            Some(NetSlice::Ipv4(_)) => "v4",
            Some(NetSlice::Ipv6(_)) => "v6",
            other => panic!("{other:?}"),
        };
        let transport = match packet.transport {
            Some(TransportSlice::Tcp(_)) => "tcp",
            Some(TransportSlice::Udp(_)) => "udp",
            Some(TransportSlice::Icmpv4(_) | TransportSlice::Icmpv6(_)) => "icmp",
            _ => "other",
        };
        for kind in [net, transport] {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    for kind in ["v4", "v6", "tcp", "udp", "icmp", "other"] {
        assert!(kinds.get(kind).is_some_and(|count| *count > 50), "{kind}: {kinds:?}");
    }
    let fields = [
        "ip.checksum.status",
        "tcp.checksum.status",
        "udp.checksum.status",
        "icmp.checksum.status",
        "icmpv6.checksum.status",
        "sctp.checksum.status",
        "_ws.expert.severity",
        "frame.protocols",
    ];
    let Some(rows) = tshark(&file, &fields) else { return };
    assert_eq!(rows.len(), 60_000);
    for (number, row) in rows.iter().enumerate() {
        // 0 is bad; 1 good, 2 not checked, 3 absent. Severity 0x00800000 is an error, and what a payload to a random
        // port is taken for proves nothing.
        assert!(row[..6].iter().all(|status| status != "0"), "packet {}: {row:?}", number + 1);
        let guessed = row[7].split(':').count() > 4;
        assert!(row[6] != "8388608" || guessed, "packet {}: {row:?}", number + 1);
    }
}

/// What a TCP dialogue must be like, seen by this test alone.
#[test]
fn dialogues_are_plausible() {
    let output = bash("pcap-sim --profile mixed --honeypot -n 60000 --telescope 203.0.113.0/24");
    let capture = output.code(0).stdout.clone();
    // Acknowledgment numbers that answers must have, by addresses and ports of the SYN.
    let mut syns = BTreeMap::new();
    let (mut accepted, mut acknowledged, mut refused) = (0, 0, 0);
    for (ts, frame) in packets(&capture) {
        let packet = SlicedPacket::from_ethernet(frame).expect("sound");
        let (Some(NetSlice::Ipv4(ip)), Some(TransportSlice::Tcp(tcp))) = (packet.net, packet.transport)
        else {
            continue;
        };
        let (src, dst) = (ip.header().source_addr(), ip.header().destination_addr());
        let out = src.octets()[..3] == [203, 0, 113];
        let key = if out {
            (dst, src, tcp.destination_port(), tcp.source_port())
        } else {
            (src, dst, tcp.source_port(), tcp.destination_port())
        };
        if tcp.syn() && !tcp.ack() && !tcp.fin() && !out {
            syns.entry(key).or_insert((ts, tcp.sequence_number(), None));
        } else if out && tcp.syn() {
            let (at, seq, own) = syns.get_mut(&key).expect("an answer to a SYN");
            assert_eq!(tcp.acknowledgment_number(), seq.wrapping_add(1));
            assert!(own.is_some() || ts - *at < 1000, "answered within a millisecond");
            *own = Some(tcp.sequence_number());
            accepted += 1;
        } else if out && tcp.rst() && tcp.ack() {
            if let Some((_, seq, _)) = syns.get(&key) {
                assert_eq!(tcp.acknowledgment_number(), seq.wrapping_add(1));
                refused += 1;
            }
        } else if !out
            && tcp.ack()
            && !tcp.rst()
            && !tcp.syn()
            && let Some((at, seq, Some(own))) = syns.get(&key)
        {
            assert!(
                tcp.acknowledgment_number().wrapping_sub(*own) <= 2
                    && tcp.sequence_number().wrapping_sub(*seq) < 200
            );
            assert!(ts - at > 8000, "not faster than the way there and back");
            acknowledged += 1;
        }
    }
    assert!(accepted > 500 && acknowledged > 500 && refused > 500, "{accepted} {acknowledged} {refused}");
}

#[test]
fn a_reader_may_leave() {
    let output = bash("pcap-sim --profile flood -n 1000000 | head -c 1000000 | wc -c");
    output.pipe_status(&[0, 0, 0]).stdout_is("1000000\n").stderr_is_empty();
    bash("pcap-sim -n 100 >/dev/full").code(2).stderr_has("pcap-sim: writing");
}

#[test]
fn what_cannot_be_done_is_said() {
    bash("pcap-sim -w x.pcap").code(2).stderr_has("give a number of packets or a duration");
    bash("pcap-sim -n 1 -t 192.0.2.0/33").code(2).stderr_has("--telescope").stderr_has("192.0.2.0/33");
    bash("pcap-sim -n 1 -t 2001:db8::/64 --profile study -w x")
        .code(2)
        .stderr_has("no sources for this telescope");
    bash("pcap-sim -n 1 -w missing/x.pcap").code(2).stderr_has("missing/x.pcap");
    bash("pcap-sim -n 0").code(2);
    bash("pcap-sim -n 10 --start 4294967290 -d 1h -w x.pcap").code(0);
}

#[test]
fn a_telescope_of_any_kind() {
    for (set, count) in [("192.0.2.7", 1), ("198.51.100.0/22", 1024), ("2001:db8:1::/64", 2000)] {
        let output = bash(&format!("pcap-sim --profile mixed -n 20000 -t {set} | pkt2csv 2>/dev/null"));
        let table = output.code(0).table();
        let dsts = table.distinct("dst_ip").len();
        assert!(dsts <= 4096 && dsts * 2 > count && (count > 1 || dsts == 1), "{set}: {dsts} destinations");
        assert_eq!(table.len(), 20_000);
    }
}

/// No two packets of a flood have the same source.
#[test]
fn a_flood_is_of_single_packets() {
    let output = bash("pcap-sim --profile flood -n 50000 | pkt2csv 2>/dev/null");
    assert_eq!(output.code(0).table().distinct("src_ip").len(), 50_000);
}
