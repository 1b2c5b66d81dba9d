//! Masscan.

use probeline_record::{TcpFlags, field};

use super::{ICMP4, SCTP4, SYN, SYN4, SYN4_OR_UDP4, TCP4, UDP4, shape};
use crate::packet::{Facts, Packet};
use crate::rule::{Basis, Pattern, Rule, Test, Weight, bits};
use crate::tool::Tool;
use crate::traits::Traits;

const TEMPLATE: &str = "src/templ-pkt.c @2be4093 and tags";
const PAYLOADS: &str = "src/templ-payloads.c, src/proto-*.c @2be4093";

/// What the identification gives away of the destination: its low 16 bits, from fields that anonymisers leave alone.
///
/// The identification is `(dst ^ dst_port ^ tcp_seq) & 0xffff`: truncated, not folded, as many write-ups have it.
pub(crate) fn low_bits(f: &Facts) -> u16 {
    f.id ^ f.dport ^ f.seq as u16
}

fn ip_id(p: &Packet) -> bool {
    low_bits(p) == p.dst4() as u16
}

/// A SYN of any of its versions or of bi-zone's fork, but for the identification, and for the type of service, which
/// those who translate addresses rewrite as well.
pub(crate) fn may_be_moved(f: &Facts) -> bool {
    let common = f.ttl_from_255() && !f.df && f.ack == 0 && f.without_ecn();
    common && matches!(f.win, 0 | 1024 | 1025) && (f.bare() || f.only_mss(1460))
}

/// Masscan answers SYN/ACK with its own RST or ACK; SYN/ACKs are never its own.
fn follow_up(p: &Packet) -> bool {
    !p.flags.has(TcpFlags::SYN)
}

/// What all versions set alike on a SYN.
const COMMON: Traits = Traits::all(&[Traits::TTL_FROM_255, Traits::PLAIN_IP, Traits::NO_ACK]);

/// Where the low 16 bits of the cookie stand in the payload of a probe, by the port it is made for.
pub(crate) fn udp_cookie(p: &Packet) -> Option<u16> {
    let at = match p.dport {
        53 | 111 | 137 | 2049 | 11211 => 0,
        5683 => 2,
        500 => 6,
        // The low half of a request-id of four octets, behind version 1 and the community "public".
        161 if p.payload().get(13) == Some(&0xa0) && p.payload().get(15..17) == Some(&[2, 4]) => 19,
        _ => return None,
    };
    let octets = p.payload().get(at..at + 2)?;
    Some(u16::from_be_bytes([octets[0], octets[1]]))
}

fn udp_id(p: &Packet) -> bool {
    udp_cookie(p).is_some_and(|cookie| p.id == p.dst4() as u16 ^ p.dport ^ cookie)
}

/// Payloads without a cookie, told by how they begin and by their length.
fn udp_payload(p: &Packet) -> bool {
    match p.dport {
        123 => p.payload_len == 48 && p.payload().starts_with(&[0x17, 0x00, 0x03, 0x2a, 0, 0, 0, 0]),
        1900 => p.payload_len == 135 && p.payload().starts_with(b"M-SEARCH * HTTP/"),
        _ => false,
    }
}

/// An INIT chunk (type 1); its initiate tag stands behind type, flags and length (RFC 9260 §3.3.2).
fn sctp_tag(p: &Packet) -> Option<u16> {
    let init = p.payload().get(..8)?;
    (init[0] == 1).then(|| u16::from_be_bytes([init[6], init[7]]))
}

fn sctp_id(p: &Packet) -> bool {
    sctp_tag(p).is_some_and(|tag| p.id == p.dst4() as u16 ^ p.dport ^ tag)
}

fn echo(p: &Packet) -> bool {
    let counts_from_8 = p.payload().len() >= 8 && p.payload().iter().zip(8..).all(|(octet, n)| *octet == n);
    p.icmp_type == 8 && p.len == 76 && p.payload_len == 48 && counts_from_8
}

/// The default source port is made of the second of the start.
pub(crate) const START_PORT: u16 = 40_000;
/// After this many seconds the default source ports begin again.
pub(crate) const START_CYCLE: u16 = 20_000;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "masscan-win0",
        tool: Tool::Masscan,
        test: Test::Packet(|p| p.win == 0 && p.without_ecn()),
        weight: Weight::Shape(None),
        kinds: SYN4,
        of: Traits::all(&[COMMON, Traits::BARE]),
        says: "tcp_win 0, no TCP options, ttl > 200, ip_df 0, ip_tos 0, tcp_ack 0",
        needs: shape!(IP_TOS),
        versions: "1 to 1.0.1",
        tells: Some("<=1.0.1"),
        basis: Basis::Packets,
        source: "src/templ-pkt.c before 8042cbe (2014-01-22)",
        positive: &["tcp 198.18.0.1 44246 > 198.18.1.202 23 S len=40 ttl=225 id=4785 seq=1101599596 win=0"],
        near_miss: &["tcp 198.18.0.1 44246 > 198.18.1.202 23 S len=40 ttl=64 id=4785 seq=1101599596 win=0"],
    },
    Rule {
        id: "masscan-win1024",
        tool: Tool::Masscan,
        test: Test::Packet(|p| p.without_ecn()),
        weight: Weight::Shape(None),
        kinds: SYN,
        of: Traits::all(&[COMMON, Traits::BARE, Traits::WIN_1024]),
        says: "tcp_win 1024, no TCP options, ttl > 200, ip_df 0, ip_tos 0, tcp_ack 0",
        needs: shape!(IP_TOS),
        versions: "1.0.3 to 1.3.2",
        tells: Some("1.0.3..1.3.2"),
        basis: Basis::Packets,
        source: "src/templ-pkt.c from 8042cbe (2014-01-22)",
        positive: &[
            "tcp 198.18.0.1 43632 > 198.18.1.205 443 S len=40 ttl=255 id=13197 seq=3472438267 win=1024",
        ],
        near_miss: &[
            "tcp 198.18.0.1 43632 > 198.18.1.205 443 S len=44 ttl=255 id=13197 seq=3472438267 win=1024 opts=2 mss=1460",
        ],
    },
    Rule {
        id: "masscan-win1025",
        tool: Tool::Masscan,
        test: Test::Packet(|p| p.win == 1025 && p.without_ecn()),
        weight: Weight::Shape(None),
        kinds: SYN,
        of: Traits::all(&[COMMON, Traits::ONLY_MSS_1460]),
        says: "tcp_win 1025, tcp_opts 2, tcp_mss 1460, ttl > 200, ip_df 0, ip_tos 0, tcp_ack 0",
        needs: shape!(IP_TOS),
        versions: "git since 2023-11-07",
        tells: Some(">1.3.2"),
        basis: Basis::Packets,
        source: "src/templ-pkt.c from 4f89257 (2023-11-07)",
        positive: &[
            "tcp 198.18.0.1 43814 > 198.18.1.190 8080 S len=44 ttl=255 id=33656 seq=559783254 win=1025 opts=2 mss=1460",
        ],
        near_miss: &[
            "tcp 198.18.0.1 43814 > 198.18.1.190 8080 S len=44 ttl=255 id=33656 seq=559783254 win=1024 opts=2 mss=1460",
        ],
    },
    Rule {
        id: "masscan-ip-id",
        tool: Tool::Masscan,
        test: Test::Packet(ip_id),
        weight: Weight::Mark(bits(16)),
        kinds: SYN4,
        of: Traits::NONE,
        says: "ip_id == (dst_ip ^ dst_port ^ tcp_seq) & 0xffff",
        needs: &[&field::IP_ID, &field::DST_PORT, &field::TCP_SEQ],
        versions: "all",
        tells: None,
        basis: Basis::Packets,
        source: TEMPLATE,
        positive: &["tcp 198.18.0.1 44246 > 198.18.1.202 23 S len=40 ttl=255 id=4785 seq=1101599596 win=0"],
        near_miss: &["tcp 198.18.0.1 44246 > 198.18.1.202 22 S len=40 ttl=255 id=4785 seq=1101599596 win=0"],
    },
    Rule {
        id: "masscan-ip-id-moved",
        tool: Tool::Masscan,
        test: Test::Source(Pattern::Moved),
        weight: Weight::Shape(None),
        kinds: SYN4,
        of: Traits::all(&[Traits::TTL_FROM_255, Traits::NO_ACK]),
        says: "tcp_win 0, 1024 or 1025, no TCP option but tcp_mss 1460, ttl > 200, ip_df 0, tcp_ack 0, and ip_id ^ dst_ip ^ dst_port ^ tcp_seq has the same low 16 bits, not 0, in three or more such packets from two or more sources of the input: dst_ip was translated or rewritten",
        needs: &[
            &field::IP_ID,
            &field::DST_PORT,
            &field::TCP_SEQ,
            &field::TCP_ACK,
            &field::TCP_WIN,
            &field::TTL,
            &field::IP_DF,
            &field::IP_LEN,
            &field::PAYLOAD_LEN,
        ],
        versions: "all, behind a translator of addresses or after a rewriting of the capture",
        tells: None,
        basis: Basis::Packets,
        source: TEMPLATE,
        positive: &[
            "tcp 198.18.0.1|198.18.0.2|198.18.0.3 44246 > 192.0.2.10 21|22|23 S len=40 ttl=240 id=16905|16906|16907 seq=65536|131072|196608 win=1024",
        ],
        near_miss: &[
            "tcp 198.18.0.1|198.18.0.2|198.18.0.3 44246 > 192.0.2.10 21|22|23 S len=40 ttl=240 id=16905|16906|16908 seq=65536|131072|196608 win=1024",
        ],
    },
    Rule {
        id: "masscan-ip-id-follow-up",
        tool: Tool::Masscan,
        test: Test::PacketIf(follow_up, ip_id),
        weight: Weight::Mark(bits(16)),
        kinds: TCP4,
        of: Traits::NONE,
        says: "masscan-ip-id on the RST, ACK or data that follows a SYN/ACK",
        needs: &[&field::IP_ID, &field::DST_PORT, &field::TCP_SEQ],
        versions: "all",
        tells: None,
        basis: Basis::Packets,
        source: TEMPLATE,
        positive: &[
            "tcp 198.18.0.1 43632 > 198.18.1.205 443 R len=40 ttl=255 id=13194 seq=3472438268 win=1200",
        ],
        near_miss: &[
            "tcp 198.18.0.1 43632 > 198.18.1.205 443 SA len=40 ttl=255 id=13194 seq=3472438268 win=1200",
        ],
    },
    Rule {
        id: "masscan-udp",
        tool: Tool::Masscan,
        test: Test::PacketIf(|p| udp_cookie(p).is_some(), udp_id),
        weight: Weight::Mark(bits(16)),
        kinds: UDP4,
        of: Traits::NONE,
        says: "ip_id == (dst_ip ^ dst_port ^ cookie) & 0xffff, with the cookie that the payload for ports 53, 111, 137, 161 (pkt2csv --payload 32), 500, 2049, 5683 and 11211 carries",
        needs: &[&field::IP_ID, &field::DST_PORT, &field::PAYLOAD_HEAD],
        versions: "1.3.2 and git; 111 and 500 where the build has those payloads",
        tells: None,
        basis: Basis::Packets,
        source: PAYLOADS,
        positive: &[
            "udp 198.18.0.1 43718 > 198.18.1.0 11211 len=43 ttl=255 id=27689 payload=15:46e200000001000073746174730d0a",
            "udp 198.18.0.1 43718 > 198.18.1.11 5683 len=49 ttl=255 id=48582 payload=21:4001aafebb2e77656c6c2d6b6e6f776e",
        ],
        near_miss: &[
            "udp 198.18.0.1 43718 > 198.18.1.11 5683 len=49 ttl=255 id=48582 payload=21:4001aaffbb2e77656c6c2d6b6e6f776e",
        ],
    },
    Rule {
        id: "masscan-udp-payload",
        tool: Tool::Masscan,
        test: Test::Packet(udp_payload),
        weight: Weight::Shape(None),
        kinds: UDP4,
        of: Traits::all(&[Traits::TTL_FROM_255, Traits::PLAIN_IP]),
        says: "ttl > 200, ip_df 0 and a payload without cookie: to 123 48 octets that begin 1700032a00000000, to 1900 135 octets of M-SEARCH",
        needs: &[
            &field::TTL,
            &field::IP_DF,
            &field::DST_PORT,
            &field::PAYLOAD_LEN,
            &field::PAYLOAD_HEAD,
            &field::IP_TOS,
        ],
        versions: "1.3.2",
        tells: None,
        basis: Basis::Packets,
        source: PAYLOADS,
        positive: &[
            "udp 198.18.0.1 43718 > 198.18.1.3 123 len=76 ttl=255 id=62365 payload=48:1700032a000000000000000000000000",
        ],
        near_miss: &[
            "udp 198.18.0.1 43718 > 198.18.1.3 123 len=36 ttl=255 id=62365 payload=8:1700032a00000000",
        ],
    },
    Rule {
        id: "masscan-sctp",
        tool: Tool::Masscan,
        test: Test::PacketIf(|p| sctp_tag(p).is_some(), sctp_id),
        weight: Weight::Mark(bits(16)),
        kinds: SCTP4,
        of: Traits::NONE,
        says: "ip_id == (dst_ip ^ dst_port ^ initiate tag) & 0xffff on an INIT",
        needs: &[&field::IP_ID, &field::DST_PORT, &field::PAYLOAD_HEAD],
        versions: "1.3.2",
        tells: None,
        basis: Basis::Packets,
        source: TEMPLATE,
        positive: &[
            "sctp 198.18.0.1 43718 > 198.18.1.3 38412 len=52 ttl=255 id=5932 payload=20:0100001400008023800000000a0800ff",
        ],
        near_miss: &[
            "sctp 198.18.0.1 43718 > 198.18.1.3 38412 len=52 ttl=255 id=5933 payload=20:0100001400008023800000000a0800ff",
        ],
    },
    Rule {
        id: "masscan-echo",
        tool: Tool::Masscan,
        test: Test::Packet(echo),
        weight: Weight::Mark(bits(40)),
        kinds: ICMP4,
        of: Traits::TTL_FROM_255,
        says: "echo request of 76 octets whose 48 octets of payload count up from 08, ttl > 200",
        needs: &[&field::ICMP_TYPE, &field::IP_LEN, &field::PAYLOAD_HEAD, &field::TTL, &field::PAYLOAD_LEN],
        versions: "all",
        tells: None,
        basis: Basis::Packets,
        source: TEMPLATE,
        positive: &[
            "icmp 198.18.0.1 > 198.18.1.3 type=8 len=76 ttl=255 payload=48:08090a0b0c0d0e0f1011121314151617",
        ],
        near_miss: &[
            "icmp 198.18.0.1 > 198.18.1.3 type=8 len=84 ttl=255 payload=56:08090a0b0c0d0e0f1011121314151617",
        ],
    },
    Rule {
        id: "masscan-port",
        tool: Tool::Masscan,
        test: Test::Source(Pattern::SamePort),
        weight: Weight::Shape(None),
        kinds: UDP4,
        of: Traits::all(&[Traits::TTL_FROM_255, Traits::PLAIN_IP]),
        says: "UDP without cookie from the src_port of three or more packets with masscan's mark, ttl > 200, ip_df 0",
        needs: &[
            &field::SRC_PORT,
            &field::TTL,
            &field::IP_DF,
            &field::DST_PORT,
            &field::IP_ID,
            &field::IP_TOS,
        ],
        versions: "all",
        tells: None,
        basis: Basis::Packets,
        source: PAYLOADS,
        positive: &[
            "udp 198.18.0.1 43718 > 198.18.1.11 5683 len=49 ttl=255 id=48582 payload=21:4001aafebb2e77656c6c2d6b6e6f776e",
            "udp 198.18.0.1 43718 > 198.18.1.0 11211 len=43 ttl=255 id=27689 payload=15:46e200000001000073746174730d0a",
            "udp 198.18.0.1 43718 > 198.18.1.14 137 len=78 ttl=255 id=61571 payload=50:f1040000000100000000000020434b41",
            "udp 198.18.0.1 43718 > 198.18.1.3 500 len=28 ttl=255 id=55478",
        ],
        near_miss: &[
            "udp 198.18.0.1 43718 > 198.18.1.11 5683 len=49 ttl=255 id=48582 payload=21:4001aafebb2e77656c6c2d6b6e6f776e",
            "udp 198.18.0.1 43718 > 198.18.1.0 11211 len=43 ttl=255 id=27689 payload=15:46e200000001000073746174730d0a",
            "udp 198.18.0.1 43718 > 198.18.1.14 137 len=78 ttl=255 id=61571 payload=50:f1040000000100000000000020434b41",
            "udp 198.18.0.1 43719 > 198.18.1.3 500 len=28 ttl=255 id=55478",
        ],
    },
    Rule {
        id: "masscan-start",
        tool: Tool::Masscan,
        test: Test::Source(Pattern::StartPort),
        weight: Weight::Detail,
        kinds: SYN4_OR_UDP4,
        of: Traits::NONE,
        says: "masscan-ip-id or masscan-udp, and src_port is 40000 + (Unix seconds % 20000) of the source's first packet or of up to two seconds earlier; a second port 16 above it since 2023-11-13",
        needs: &[&field::SRC_PORT, &field::DST_PORT, &field::IP_ID, &field::TCP_SEQ],
        versions: "1.0 and later, unless --source-port",
        tells: None,
        basis: Basis::Packets,
        source: "src/main.c; c7801f1 (2023-11-13)",
        positive: &[
            "@1795384246.744488 tcp 198.18.0.1 44246 > 198.18.1.202 23 S len=40 ttl=255 id=4785 seq=1101599596 win=0",
        ],
        near_miss: &[
            "@1795384249.744488 tcp 198.18.0.1 44246 > 198.18.1.202 23 S len=40 ttl=255 id=4785 seq=1101599596 win=0",
        ],
    },
];
