//! hping3, whose fields are successive values of the C library's random numbers.

use probeline_record::{TcpFlags, field};

use super::{ICMP4, TCP4_OR_SYN4, TCP4_OR_UDP4, shape};
use crate::packet::{Facts, Kind, Packet};
use crate::rule::{Basis, Pattern, Rule, Test, Weight, bits};
use crate::tool::Tool;
use crate::traits::Traits;

/// A number for an acknowledgment that is none.
fn odd_ack(p: &Packet) -> bool {
    !p.flags.has(TcpFlags::ACK) && p.ack != 0
}

/// `random()` gives 31 bits.
fn drawn(f: &Facts) -> bool {
    f.seq >> 31 == 0 && f.ack >> 31 == 0 && f.ack != 0
}

fn shape(f: &Facts) -> bool {
    f.win == 512 && f.bare() && f.ttl_from_64() && f.plain_ip() && drawn(f)
}

/// Packets that may belong to a stream of random numbers.
pub(crate) fn may_be_stream(f: &Facts) -> bool {
    match f.kind {
        Kind::Syn4 | Kind::Tcp4 => !f.flags.has(TcpFlags::ACK) && shape(f),
        Kind::Udp4 => f.ttl_from_64() && f.plain_ip() && (1024..=1024 + 2000 + 1024).contains(&f.sport),
        _ => false,
    }
}

fn same_ping(earlier: &Facts, later: &Facts) -> bool {
    let ping = |f: &Facts| f.icmp_type == 8 && f.payload_len == 0 && f.ttl_from_64() && f.plain_ip();
    ping(earlier) && ping(later) && earlier.icmp_id == later.icmp_id
}

/// The sequence number counts in the order of the sender's memory.
fn counts_swapped(earlier: &Facts, later: &Facts) -> bool {
    later.icmp_seq.swap_bytes() == earlier.icmp_seq.swap_bytes().wrapping_add(1)
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "hping3-shape",
        tool: Tool::Hping3,
        test: Test::PacketIf(odd_ack, |p| p.win == 512 && drawn(p)),
        // A window of 16 bits and two upper bits.
        weight: Weight::Mark(bits(18)),
        kinds: TCP4_OR_SYN4,
        of: Traits::all(&[Traits::BARE, Traits::TTL_FROM_64, Traits::PLAIN_IP]),
        says: "no ACK flag but tcp_ack not 0, tcp_win 512, no TCP options, tcp_seq and tcp_ack below 2^31, ttl <= 64, ip_df 0",
        needs: shape!(IP_TOS),
        versions: "3.a2",
        tells: None,
        basis: Basis::Packets,
        source: "sendtcp.c, hping2.h @3547c76",
        positive: &[
            "tcp 198.18.0.1 2752 > 198.18.2.5 80 S len=40 ttl=54 id=27977 seq=1975252899 ack=2137123257 win=512",
            "tcp 198.18.0.1 2752 > 198.18.2.5 0 . len=40 ttl=64 id=27977 seq=1975252899 ack=2137123257 win=512",
        ],
        near_miss: &[
            "tcp 198.18.0.1 2752 > 198.18.2.5 80 S len=40 ttl=54 id=27977 seq=1975252899 ack=2237123257 win=512",
            "tcp 198.18.0.1 2752 > 198.18.2.5 80 S len=40 ttl=54 id=27977 seq=1975252899 win=512",
        ],
    },
    Rule {
        id: "hping3-stream",
        tool: Tool::Hping3,
        test: Test::Source(Pattern::RandStream),
        weight: Weight::Mark(bits(48)),
        kinds: TCP4_OR_UDP4,
        of: Traits::all(&[Traits::TTL_FROM_64, Traits::PLAIN_IP]),
        says: "src_port, tcp_seq, tcp_ack and ip_id (UDP: src_port and ip_id) are successive values of random() seeded with the second of the start, at most a minute before the source's first packet",
        needs: &[
            &field::SRC_PORT,
            &field::IP_ID,
            &field::IP_LEN,
            &field::TTL,
            &field::IP_TOS,
            &field::IP_DF,
            &field::TCP_SEQ,
            &field::TCP_ACK,
            &field::TCP_WIN,
        ],
        versions: "3.a2 with glibc",
        tells: None,
        basis: Basis::Packets,
        source: "main.c:283 @3547c76",
        positive: &[
            "@1795383972.965869 tcp 198.18.0.1 2752 > 198.18.2.5 80 S len=40 ttl=64 id=27977 seq=1975252899 ack=2137123257 win=512",
            "@1795383972.970988 tcp 198.18.0.1 2753 > 198.18.2.5 80 S len=40 ttl=64 id=46478 seq=760386437 ack=331591006 win=512",
            "@1795383972.976137 tcp 198.18.0.1 2754 > 198.18.2.5 80 S len=40 ttl=64 id=24022 seq=301543054 ack=724329026 win=512",
        ],
        near_miss: &[
            "@1795383972.965869 tcp 198.18.0.1 2752 > 198.18.2.5 80 S len=40 ttl=64 id=27977 seq=1975252899 ack=2137123257 win=512",
            "@1795383972.970988 tcp 198.18.0.1 2753 > 198.18.2.5 80 S len=40 ttl=64 id=46478 seq=760386437 ack=331591006 win=512",
            "@1795383972.976137 tcp 198.18.0.1 2754 > 198.18.2.5 80 S len=40 ttl=64 id=24022 seq=301543055 ack=724329026 win=512",
        ],
    },
    Rule {
        id: "hping3-echo",
        tool: Tool::Hping3,
        test: Test::Pair(same_ping, counts_swapped),
        weight: Weight::Mark(bits(16)),
        kinds: ICMP4,
        of: Traits::all(&[Traits::TTL_FROM_64, Traits::PLAIN_IP]),
        says: "two echo requests without data in a row, with one icmp_id, whose icmp_seq counts with octets swapped (0, 256, 512 …); ttl <= 64, ip_df 0",
        needs: &[
            &field::ICMP_ID,
            &field::ICMP_SEQ,
            &field::PAYLOAD_LEN,
            &field::TTL,
            &field::IP_TOS,
            &field::IP_DF,
        ],
        versions: "3.a2, little-endian sender",
        tells: None,
        basis: Basis::Packets,
        source: "sendicmp.c @3547c76",
        positive: &[
            "icmp 198.18.0.1 > 198.18.2.5 type=8 icmp_id=777 icmp_seq=0 len=28 ttl=64 id=5",
            "icmp 198.18.0.1 > 198.18.2.5 type=8 icmp_id=777 icmp_seq=256 len=28 ttl=64 id=9",
        ],
        near_miss: &[
            "icmp 198.18.0.1 > 198.18.2.5 type=8 icmp_id=777 icmp_seq=0 len=28 ttl=64 id=5",
            "icmp 198.18.0.1 > 198.18.2.5 type=8 icmp_id=777 icmp_seq=1 len=28 ttl=64 id=9",
        ],
    },
];
