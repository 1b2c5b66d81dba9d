//! Tools told by fields that they leave constant.

use probeline_record::field;

use super::{ICMP4, SYN4, SYN6, UDP4, shape};
use crate::packet::{Facts, Packet};
use crate::rule::{Basis, Key, Rule, Test, Weight, bits};
use crate::tool::Tool;
use crate::traits::Traits;

/// dublin-traceroute: the identification repeats the UDP checksum, so that a quoted header tells the probe.
fn dublin(p: &Packet) -> bool {
    p.id == p.udp_sum && p.payload().starts_with(b"NSMNC")
}

const DAY_MS: u64 = 86_400_000;

/// Angry IP Scanner's UDP ping: the payload is the sender's clock in milliseconds.
fn angry_ip(p: &Packet) -> bool {
    let Ok(octets) = <[u8; 8]>::try_from(p.payload()) else { return false };
    let seen = u64::try_from(p.ts.nanos() / 1_000_000).unwrap_or(0);
    p.dport == 33435 && p.payload_len == 8 && u64::from_be_bytes(octets).abs_diff(seen) < DAY_MS
}

fn scapy_icmp(p: &Packet) -> bool {
    p.id == 1 && p.icmp_type == 8 && p.icmp_id == 0 && p.icmp_seq == 0 && p.payload_len == 0
}

fn nping(f: &Facts) -> bool {
    f.win == 1480 && f.bare() && f.ttl_from_64() && f.plain_ip() && f.ack == 0
}

/// Identification, sequence number and source port are drawn once per run.
pub(crate) fn nping_run(f: &Facts) -> Option<u64> {
    nping(f).then_some(u64::from(f.seq) << 32 | u64::from(f.id) << 16 | u64::from(f.sport))
}

fn fi6s(f: &Facts) -> bool {
    f.win == 4096 && f.bare() && f.ttl_from_64() && f.ack == 0 && f.seq & 0x1000 == 0 && f.sport >= 16384
}

/// The sequence number is drawn once per run, with bit 12 cleared.
pub(crate) fn fi6s_run(f: &Facts) -> Option<u64> {
    fi6s(f).then_some(f.seq.into())
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "dublin-traceroute-id",
        tool: Tool::DublinTraceroute,
        test: Test::Packet(dublin),
        weight: Weight::Mark(bits(56)),
        kinds: UDP4,
        of: Traits::NONE,
        says: "ip_id == udp_sum, and the payload begins with NSMNC",
        needs: &[&field::IP_ID, &field::UDP_SUM, &field::PAYLOAD_HEAD],
        versions: "git",
        tells: None,
        basis: Basis::Source,
        source: "src/udpv4probe.cc @6af354f",
        positive: &[
            "udp 198.18.0.1 12345 > 198.18.1.5 33434 len=38 ttl=5 df=1 id=4711 sum=4711 payload=10:4e534d4e43",
        ],
        near_miss: &[
            "udp 198.18.0.1 12345 > 198.18.1.5 33434 len=38 ttl=5 df=1 id=4711 sum=4712 payload=10:4e534d4e43",
        ],
    },
    Rule {
        id: "angryip-clock",
        tool: Tool::AngryIp,
        test: Test::PacketIf(|p| p.dport == 33435 && p.payload_len == 8, angry_ip),
        // Two days of milliseconds out of 2^64, though the upper octets are zero in practice.
        weight: Weight::Mark(bits(36)),
        kinds: UDP4,
        of: Traits::NONE,
        says: "dst_port 33435 and a payload of 8 octets that is the time in milliseconds since 1970, within a day of ts",
        needs: &[&field::DST_PORT, &field::PAYLOAD_LEN, &field::PAYLOAD_HEAD],
        versions: "git",
        tells: None,
        basis: Basis::Source,
        source: "UDPPinger.java",
        positive: &[
            "@1795383972.9 udp 198.18.0.1 51000 > 198.18.1.5 33435 len=36 ttl=64 payload=8:000001a20539511b",
        ],
        near_miss: &[
            "@1795383972.9 udp 198.18.0.1 51000 > 198.18.1.5 33435 len=36 ttl=64 payload=8:000001a200116e7b",
        ],
    },
    Rule {
        id: "scapy-tcp",
        tool: Tool::Scapy,
        test: Test::Packet(|p| p.id == 1 && p.sport == 20 && p.seq == 0 && p.win == 8192),
        weight: Weight::Mark(bits(60)),
        kinds: SYN4,
        of: Traits::all(&[Traits::BARE, Traits::TTL_FROM_64, Traits::PLAIN_IP, Traits::NO_ACK]),
        says: "ip_id 1, src_port 20, tcp_seq 0, tcp_ack 0, tcp_win 8192, no TCP options, ttl <= 64, ip_df 0: defaults left alone",
        needs: shape!(SRC_PORT, IP_ID, IP_TOS, TCP_SEQ),
        versions: "2.5.0 to git",
        tells: None,
        basis: Basis::Packets,
        source: "scapy/layers/inet.py",
        positive: &["tcp 198.18.0.1 20 > 198.18.1.1 80 S len=40 ttl=60 id=1 win=8192"],
        near_miss: &["tcp 198.18.0.1 20 > 198.18.1.1 80 S len=40 ttl=60 id=1 win=8193"],
    },
    Rule {
        id: "scapy-udp",
        tool: Tool::Scapy,
        test: Test::Packet(|p| p.id == 1 && p.sport == 53 && p.dport == 53),
        weight: Weight::Shape(Some(5)),
        kinds: UDP4,
        of: Traits::all(&[Traits::TTL_FROM_64, Traits::PLAIN_IP]),
        says: "ip_id 1, src_port 53, dst_port 53, ttl <= 64, ip_df 0: defaults left alone",
        needs: &[
            &field::IP_ID,
            &field::SRC_PORT,
            &field::DST_PORT,
            &field::TTL,
            &field::IP_TOS,
            &field::IP_DF,
        ],
        versions: "2.5.0 to git",
        tells: None,
        basis: Basis::Packets,
        source: "scapy/layers/inet.py",
        positive: &["udp 198.18.0.1 53 > 198.18.1.1 53 len=28 ttl=64 id=1 sum=29261"],
        near_miss: &["udp 198.18.0.1 53 > 198.18.1.1 53 len=28 ttl=64 id=2 sum=29261"],
    },
    Rule {
        id: "scapy-echo",
        tool: Tool::Scapy,
        test: Test::Packet(scapy_icmp),
        weight: Weight::Shape(Some(5)),
        kinds: ICMP4,
        of: Traits::all(&[Traits::TTL_FROM_64, Traits::PLAIN_IP]),
        says: "echo request without data, ip_id 1, icmp_id 0, icmp_seq 0, ttl <= 64, ip_df 0: defaults left alone",
        needs: &[
            &field::IP_ID,
            &field::ICMP_ID,
            &field::ICMP_SEQ,
            &field::PAYLOAD_LEN,
            &field::TTL,
            &field::IP_TOS,
            &field::IP_DF,
        ],
        versions: "2.5.0 to git",
        tells: None,
        basis: Basis::Packets,
        source: "scapy/layers/inet.py",
        positive: &["icmp 198.18.0.1 > 198.18.1.1 type=8 icmp_id=0 len=28 ttl=64 id=1"],
        near_miss: &["icmp 198.18.0.1 > 198.18.1.1 type=8 icmp_id=1 len=28 ttl=64 id=1"],
    },
    Rule {
        id: "nping-run",
        tool: Tool::Nping,
        test: Test::Key(Key { value: nping_run, differs: |f| f.ts.nanos() as u64, bits: 60 }),
        weight: Weight::Mark(bits(60)),
        kinds: SYN4,
        of: Traits::all(&[Traits::BARE, Traits::TTL_FROM_64, Traits::PLAIN_IP, Traits::NO_ACK]),
        says: "nping-shape, and ip_id, tcp_seq and src_port are those of another such packet",
        needs: shape!(IP_TOS),
        versions: "0.7.93",
        tells: None,
        basis: Basis::Packets,
        source: "nping/nping.h (nmap 7.93)",
        positive: &[
            "@1.1 tcp 198.18.0.1 32607 > 198.18.1.0 80 S len=40 ttl=64 id=8732 seq=3761096470 win=1480",
            "@1.2 tcp 198.18.0.1 32607 > 198.18.1.2 80 S len=40 ttl=64 id=8732 seq=3761096470 win=1480",
        ],
        near_miss: &[
            "@1.1 tcp 198.18.0.1 32607 > 198.18.1.0 80 S len=40 ttl=64 id=8732 seq=3761096470 win=1480",
            "@1.2 tcp 198.18.0.1 32607 > 198.18.1.2 80 S len=40 ttl=64 id=8733 seq=3761096470 win=1480",
        ],
    },
    Rule {
        id: "nping-shape",
        tool: Tool::Nping,
        test: Test::Packet(|p| p.win == 1480),
        weight: Weight::Shape(None),
        kinds: SYN4,
        of: Traits::all(&[Traits::BARE, Traits::TTL_FROM_64, Traits::PLAIN_IP, Traits::NO_ACK]),
        says: "tcp_win 1480, no TCP options, ttl <= 64, ip_df 0, ip_tos 0, tcp_ack 0",
        needs: shape!(IP_TOS),
        versions: "0.7.93",
        tells: None,
        basis: Basis::Packets,
        source: "nping/nping.h (nmap 7.93)",
        positive: &["tcp 198.18.0.1 32607 > 198.18.1.0 80 S len=40 ttl=64 id=8732 seq=3761096470 win=1480"],
        near_miss: &[
            "tcp 198.18.0.1 32607 > 198.18.1.0 80 S len=40 ttl=64 df=1 id=8732 seq=3761096470 win=1480",
        ],
    },
    Rule {
        id: "fi6s-run",
        tool: Tool::Fi6s,
        test: Test::Key(Key { value: fi6s_run, differs: Facts::target, bits: 31 }),
        weight: Weight::Mark(bits(31)),
        kinds: SYN6,
        of: Traits::all(&[Traits::BARE, Traits::TTL_FROM_64, Traits::NO_ACK]),
        says: "fi6s-shape, and tcp_seq is that of another such packet to another target",
        needs: shape!(SRC_PORT, DST_PORT),
        versions: "git",
        tells: None,
        basis: Basis::Packets,
        source: "tcp.c, tcp.h, scan.c @c3d889c",
        positive: &[
            "tcp 2001:db8:f::1 25888 > 2001:db8:d::60 22 S len=60 ttl=64 seq=4256981803 win=4096",
            "tcp 2001:db8:f::1 51228 > 2001:db8:d::60 80 S len=60 ttl=64 seq=4256981803 win=4096",
        ],
        near_miss: &[
            "tcp 2001:db8:f::1 25888 > 2001:db8:d::60 22 S len=60 ttl=64 seq=4256981803 win=4096",
            "tcp 2001:db8:f::1 51228 > 2001:db8:d::60 80 S len=60 ttl=64 seq=4256981802 win=4096",
        ],
    },
    Rule {
        id: "fi6s-shape",
        tool: Tool::Fi6s,
        test: Test::Packet(|p| fi6s(p)),
        weight: Weight::Shape(None),
        kinds: SYN6,
        of: Traits::all(&[Traits::BARE, Traits::TTL_FROM_64, Traits::NO_ACK]),
        says: "tcp_win 4096, no TCP options, ttl <= 64, tcp_ack 0, bit 12 of tcp_seq clear, src_port from 16384",
        needs: shape!(SRC_PORT),
        versions: "git",
        tells: None,
        basis: Basis::Packets,
        source: "tcp.c, tcp.h, scan.c @c3d889c",
        positive: &["tcp 2001:db8:f::1 16384 > 2001:db8:d::60 22 S len=60 ttl=64 seq=4256981803 win=4096"],
        near_miss: &["tcp 2001:db8:f::1 16384 > 2001:db8:d::60 22 S len=60 ttl=64 seq=4256985899 win=4096"],
    },
    Rule {
        id: "scanssh-shape",
        tool: Tool::Scanssh,
        test: Test::Packet(|p| p.win == 32768),
        weight: Weight::Shape(None),
        kinds: SYN4,
        of: Traits::all(&[Traits::BARE, Traits::UNFRAGMENTED, Traits::TTL_FROM_64, Traits::NO_ACK]),
        says: "tcp_win 32768, no TCP options, ip_df 1, ttl <= 64, tcp_ack 0",
        needs: shape!(),
        versions: "2.0",
        tells: None,
        basis: Basis::Packets,
        source: "16 packets of scanssh 2.0",
        positive: &[
            "tcp 198.18.0.1 40000 > 198.18.1.0 22 S len=40 ttl=64 df=1 id=8732 seq=3761096470 win=32768",
        ],
        near_miss: &["tcp 198.18.0.1 40000 > 198.18.1.0 22 S len=40 ttl=64 id=8732 seq=3761096470 win=32768"],
    },
];
