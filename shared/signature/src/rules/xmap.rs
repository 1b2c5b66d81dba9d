//! XMap, which has ZMap's template and a relation of its own between port and sequence number.

use probeline_record::field;

use super::{ICMP, SYN, is_echo_request, shape};
use crate::packet::Packet;
use crate::rule::{Basis, Rule, Test, Weight, bits};
use crate::tool::Tool;
use crate::traits::Traits;

const HEADER: &str = "src/probe_modules/packet.h, module_tcp_syn.c @9b4a256";

/// The validation's first two octets make the port and its first four the sequence number, both stored as the sender
/// has them in memory: little-endian.
fn sport_from_seq(p: &Packet) -> bool {
    let word = (p.seq as u16).swap_bytes();
    p.sport == 32768 + word % 28233
}

fn echo(p: &Packet) -> bool {
    is_echo_request(p.icmp_type)
        && p.payload_len == 8
        // ICMP's own header and nothing between it and IP's: no options, no extension headers.
        && p.len == 16 + if p.dst.is_ipv4() { 20 } else { 40 }
        && p.payload() == [0; 8]
        && (p.dst.is_ipv6() || (p.id == 54321 && p.plain_ip()))
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "xmap-sport",
        tool: Tool::Xmap,
        test: Test::Packet(sport_from_seq),
        weight: Weight::Mark(bits(16)),
        kinds: SYN,
        of: Traits::NONE,
        says: "src_port == 32768 + (tcp_seq's low 16 bits with octets swapped) % 28233",
        needs: &[&field::SRC_PORT, &field::TCP_SEQ],
        versions: "1.0 to 2.0.2, little-endian sender",
        tells: None,
        basis: Basis::Packets,
        source: HEADER,
        positive: &[
            "tcp 198.18.0.1 38756 > 198.18.1.50 80 S len=40 ttl=255 id=54321 seq=3565876979 win=65535",
            "tcp 2001:db8:f::1 40488 > 2001:db8:d:ba00::1 80 S len=60 ttl=255 seq=2050013946 win=65535",
        ],
        near_miss: &[
            "tcp 198.18.0.1 38757 > 198.18.1.50 80 S len=40 ttl=255 id=54321 seq=3565876979 win=65535",
        ],
    },
    Rule {
        id: "xmap-shape",
        tool: Tool::Xmap,
        test: Test::Packet(sport_from_seq),
        weight: Weight::Shape(None),
        kinds: SYN,
        of: Traits::all(&[Traits::WIN_65535, Traits::BARE, Traits::TTL_FROM_255, Traits::PLAIN_IP]),
        says: "xmap-sport, tcp_win 65535, no TCP options, ttl > 200, ip_df 0, ip_tos 0",
        needs: shape!(SRC_PORT, IP_TOS, TCP_SEQ),
        versions: "1.0 to 2.0.2",
        tells: None,
        basis: Basis::Packets,
        source: HEADER,
        positive: &["tcp 198.18.0.1 38756 > 198.18.1.50 80 S len=40 ttl=240 seq=3565876979 win=65535"],
        near_miss: &["tcp 198.18.0.1 38756 > 198.18.1.50 80 S len=40 ttl=240 seq=3565876979 win=65534"],
    },
    Rule {
        id: "xmap-echo",
        tool: Tool::Xmap,
        test: Test::Packet(echo),
        weight: Weight::Shape(None),
        kinds: ICMP,
        of: Traits::TTL_FROM_255,
        says: "echo request with 8 zero octets, without extension headers, ttl > 200; in IPv4 ip_id 54321",
        needs: &[
            &field::ICMP_TYPE,
            &field::PAYLOAD_HEAD,
            &field::TTL,
            &field::IP_ID,
            &field::IP_TOS,
            &field::IP_DF,
            &field::PAYLOAD_LEN,
            &field::IP_LEN,
        ],
        versions: "1.0 to 2.0.2",
        tells: None,
        basis: Basis::Source,
        source: "src/probe_modules/module_icmp_echo.c @9b4a256",
        positive: &[
            "icmp 198.18.0.1 > 198.18.1.50 type=8 len=36 ttl=250 id=54321 payload=8:0000000000000000",
        ],
        near_miss: &[
            "icmp 198.18.0.1 > 198.18.1.50 type=8 len=36 ttl=250 id=54321 payload=8:0000000000000001",
            "icmp 198.18.0.1 > 198.18.1.50 type=8 len=40 ttl=250 id=54321 payload=12:000000000000000000000000",
        ],
    },
];
