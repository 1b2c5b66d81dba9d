//! Yarrp, a traceroute whose probes carry a checksum of the destination.

use std::net::IpAddr;

use probeline_record::{TcpFlags, field};

use super::{ANY_IP6, SYN4, TCP4, TCP4_OR_UDP4, TCP6, shape};
use crate::packet::{Facts, Packet};
use crate::rule::{Basis, Rule, Test, Weight, bits};
use crate::tool::Tool;
use crate::traits::Traits;

const TRACE4: &str = "trace4.cpp @bf9610c";
const TRACE6: &str = "trace6.cpp @017bb3c";

/// The Internet checksum (RFC 1071) of the destination's octets.
pub(crate) fn checksum(dst: IpAddr) -> u16 {
    let add = |sum: u32, pair: [u8; 2]| sum + u32::from(u16::from_be_bytes(pair));
    let sum = match dst {
        IpAddr::V4(dst) => dst.octets().chunks_exact(2).fold(0, |sum, o| add(sum, [o[0], o[1]])),
        IpAddr::V6(dst) => dst.octets().chunks_exact(2).fold(0, |sum, o| add(sum, [o[0], o[1]])),
    };
    // Eight words carry into the upper half at most twice.
    let sum = (sum & 0xffff) + (sum >> 16);
    !((sum & 0xffff) + (sum >> 16)) as u16
}

/// The source port is the checksum in the order of a little-endian sender's memory.
pub(crate) fn sport_is_checksum(f: &Facts) -> bool {
    f.sport == checksum(f.dst).swap_bytes()
}

/// The longest path that is probed, whose hops the identification's low octet counts.
const MAX_TTL: u16 = 32;

fn probe(p: &Packet) -> bool {
    let sent = p.id & 0xff;
    sent <= MAX_TTL && (1..=sent).contains(&p.ttl.into()) && sport_is_checksum(p)
}

pub(crate) fn ack_is_dst(f: &Facts) -> bool {
    f.ack == f.dst4().swap_bytes()
}

/// A source port of 2^-16, a low octet of at most 32 and a time to live no greater: 528 of 65536.
const PROBE_CHANCE: f64 = bits(16) * 528.0 / 65536.0;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "yarrp-sport",
        tool: Tool::Yarrp,
        test: Test::Packet(probe),
        weight: Weight::Mark(PROBE_CHANCE),
        kinds: TCP4_OR_UDP4,
        of: Traits::TTL_TO_32,
        says: "src_port is the Internet checksum of dst_ip with octets swapped, and 0 < ttl <= ip_id & 0xff <= 32: ip_id's low octet is the ttl as sent",
        needs: &[&field::SRC_PORT, &field::IP_ID, &field::TTL],
        versions: "0.5 and later, little-endian sender",
        tells: None,
        basis: Basis::Packets,
        source: TRACE4,
        positive: &[
            "tcp 198.18.0.1 50488 > 198.18.1.40 80 S len=40 ttl=2 id=771 seq=4172 win=65534",
            "udp 198.18.0.1 50488 > 198.18.1.40 53 len=40 ttl=9 df=1 id=12 payload=12:00",
        ],
        near_miss: &[
            "tcp 198.18.0.1 50488 > 198.18.1.41 80 S len=40 ttl=2 id=771 seq=4172 win=65534",
            "tcp 198.18.0.1 50488 > 198.18.1.40 80 S len=40 ttl=4 id=771 seq=4172 win=65534",
        ],
    },
    Rule {
        id: "yarrp-shape",
        tool: Tool::Yarrp,
        test: Test::Packet(|p| p.win == 65534),
        weight: Weight::Shape(None),
        kinds: SYN4,
        of: Traits::all(&[Traits::BARE, Traits::TTL_TO_32, Traits::NO_ACK]),
        says: "tcp_win 65534, no TCP options, ttl <= 32, tcp_ack 0",
        needs: shape!(),
        versions: "0.5 and later",
        tells: None,
        basis: Basis::Packets,
        source: TRACE4,
        positive: &["tcp 198.18.0.1 50488 > 198.18.1.40 80 S len=40 ttl=3 id=771 seq=4172 win=65534"],
        near_miss: &["tcp 198.18.0.1 50488 > 198.18.1.40 80 S len=40 ttl=43 id=771 seq=4172 win=65534"],
    },
    Rule {
        id: "yarrp-ack",
        tool: Tool::Yarrp,
        test: Test::PacketIf(|p| p.flags.classic() == TcpFlags::ACK, |p| ack_is_dst(p)),
        weight: Weight::Mark(bits(32)),
        kinds: TCP4,
        of: Traits::NONE,
        says: "flags A, tcp_ack is dst_ip with octets swapped",
        needs: &[&field::TCP_ACK, &field::TCP_FLAGS],
        versions: "0.5 and later, little-endian sender",
        tells: None,
        basis: Basis::Packets,
        source: TRACE4,
        positive: &[
            "tcp 198.18.0.1 50488 > 198.18.1.40 80 A len=40 ttl=3 id=771 seq=4172 ack=671158982 win=65534",
        ],
        near_miss: &[
            "tcp 198.18.0.1 50488 > 198.18.1.41 80 A len=40 ttl=3 id=771 seq=4172 ack=671158982 win=65534",
        ],
    },
    Rule {
        id: "yarrp-sport6",
        tool: Tool::Yarrp,
        test: Test::Packet(|p| p.seq == 1 && sport_is_checksum(p)),
        weight: Weight::Mark(bits(60)),
        kinds: TCP6,
        of: Traits::WIN_65535,
        says: "src_port is the Internet checksum of dst_ip with octets swapped, tcp_seq 1, tcp_win 65535",
        needs: &[&field::SRC_PORT, &field::TCP_SEQ, &field::TCP_WIN],
        versions: "0.5 and later, little-endian sender",
        tells: None,
        basis: Basis::Source,
        source: TRACE6,
        positive: &[
            "tcp 2001:db8:f::1 55761 > 2001:db8:d::60 80 S len=88 ttl=9 seq=1 win=65535 payload=28:79727036",
        ],
        near_miss: &[
            "tcp 2001:db8:f::1 55761 > 2001:db8:d::61 80 S len=88 ttl=9 seq=1 win=65535 payload=28:79727036",
        ],
    },
    Rule {
        id: "yarrp-payload6",
        tool: Tool::Yarrp,
        test: Test::Packet(|p| p.payload().starts_with(b"yrp6")),
        weight: Weight::Mark(bits(32)),
        kinds: ANY_IP6,
        of: Traits::NONE,
        says: "the payload begins with yrp6; the ttl as sent and the destination stand in it as well",
        needs: &[&field::PAYLOAD_HEAD],
        versions: "0.5 and later",
        tells: None,
        basis: Basis::Source,
        source: TRACE6,
        positive: &["icmp6 2001:db8:f::1 > 2001:db8:d::60 type=128 len=76 ttl=9 payload=28:7972703600090000"],
        near_miss: &[
            "icmp6 2001:db8:f::1 > 2001:db8:d::60 type=128 len=76 ttl=9 payload=28:7972703500090000",
        ],
    },
];
