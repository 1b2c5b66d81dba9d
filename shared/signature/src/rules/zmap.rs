//! ZMap.

use probeline_record::{TcpFlags, field};

use super::{ICMP4, SYN4, TCP4, UDP4, any, shape};
use crate::layout::Layout;
use crate::packet::{Facts, Packet};
use crate::rule::{Basis, Pattern, Rule, Test, Weight, bits};
use crate::tool::Tool;
use crate::traits::Traits;

const PACKET_C: &str = "src/probe_modules/packet.c @8de8833 and tags";

/// The identification that ZMap wrote up to 4.0, and that its template still holds.
const TEMPLATE_ID: u16 = 54321;

const SYN_ACK: TcpFlags = TcpFlags::SYN.with(TcpFlags::ACK);

fn template_id(p: &Packet) -> bool {
    p.id == TEMPLATE_ID
}

fn is_syn_ack(p: &Packet) -> bool {
    p.flags.classic() == SYN_ACK
}

/// `32768 + validation % 28233`: the default range of source ports in every version.
fn default_port(f: &Facts) -> bool {
    (32768..=61000).contains(&f.sport)
}

/// What all versions set alike on a SYN, with [`common`].
const COMMON: Traits = Traits::all(&[Traits::WIN_65535, Traits::PLAIN_IP, Traits::NO_ACK]);

fn common(f: &Facts) -> bool {
    default_port(f) && f.without_ecn()
}

/// Since 4.1.0: the identification is random and one of four sets of options is sent. The initial time to live is 64;
/// 255 in the first two release candidates and with --probe-ttl.
fn new(p: &Packet) -> bool {
    common(p) && p.id != TEMPLATE_ID && (p.ttl_from_64() || p.ttl_from_255()) && p.mss == Some(1460)
}

fn windows(p: &Packet) -> bool {
    new(p) && p.opts == Layout::of(&[2, 1, 3, 1, 1, 4]) && p.wscale == Some(8)
}

fn linux(p: &Packet) -> bool {
    new(p) && p.opts == Layout::of(&[2, 4, 8, 1, 3]) && p.wscale == Some(7)
}

fn bsd(p: &Packet) -> bool {
    new(p) && p.opts == Layout::of(&[2, 1, 3, 1, 1, 8, 4, 0]) && p.wscale == Some(6)
}

const DAY: i64 = 86_400;
/// How far the clocks of sender and telescope may be apart.
const CLOCKS: i64 = 300;

/// The timestamp is the Unix time at which the scan began, on a stack that sets DF 0.
pub(crate) fn start(f: &Facts) -> Option<u32> {
    let tsval = f.tsval?;
    (f.plain_ip() && (-CLOCKS..DAY).contains(&(f.ts.seconds() - i64::from(tsval)))).then_some(tsval)
}

/// `-P n`: the probes to one target share sequence number and identification, and their ports are consecutive in the
/// range of 28233.
fn twins(earlier: &Facts, later: &Facts) -> bool {
    let step = |from: u16, to: u16| (u32::from(to) + 28233 - u32::from(from)) % 28233;
    earlier.seq == later.seq
        && earlier.id == later.id
        && earlier.sport != later.sport
        && step(earlier.sport, later.sport) <= 16
}

fn same_target(earlier: &Facts, later: &Facts) -> bool {
    earlier.dst == later.dst && earlier.dport == later.dport && common(earlier) && common(later)
}

/// Packets that may come from a pool of source addresses.
pub(crate) fn may_be_pool(f: &Facts) -> bool {
    f.traits.has(COMMON) && common(f) && f.dst.is_ipv4()
}

/// The UDP module's default payload of 1.x to 2.x, without a checksum.
fn udp_default(p: &Packet) -> bool {
    p.udp_sum == 0 && default_port(p) && p.payload().starts_with(b"GET / HTTP/1.1\r\n")
}

/// The module says 97 octets of payload; since 3.0.0 none of them is on the wire.
fn upnp(p: &Packet) -> bool {
    p.udp_sum == 0 && default_port(p) && p.dport == 1900 && p.payload_len == 97 && p.payload().is_empty()
}

fn zeros(p: &Packet, octets: u32) -> bool {
    p.icmp_type == 8
        && p.icmp_code == 0
        && p.payload_len == octets
        && !p.payload().is_empty()
        && p.payload().iter().all(|octet| *octet == 0)
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "zmap-bare",
        tool: Tool::Zmap,
        test: Test::Packet(|p| common(p)),
        weight: Weight::Shape(None),
        kinds: SYN4,
        of: Traits::all(&[COMMON, Traits::ID_54321, Traits::TTL_FROM_255, Traits::BARE]),
        says: "ip_id 54321, tcp_win 65535, no TCP options, ttl > 200, ip_df 0, ip_tos 0, tcp_ack 0, src_port 32768 to 61000",
        needs: shape!(SRC_PORT, IP_ID, IP_TOS),
        versions: "1.0.0 to 2.1.1",
        tells: Some("1.0.0..2.1.1"),
        basis: Basis::Packets,
        source: PACKET_C,
        positive: &[
            "tcp 198.18.0.1 42765 > 198.18.1.179 80 S len=40 ttl=255 id=54321 seq=2564555165 win=65535",
        ],
        near_miss: &[
            "tcp 198.18.0.1 42765 > 198.18.1.179 80 S len=40 ttl=64 id=54321 seq=2564555165 win=65535",
        ],
    },
    Rule {
        id: "zmap-mss",
        tool: Tool::Zmap,
        test: Test::Packet(|p| common(p)),
        weight: Weight::Shape(None),
        kinds: SYN4,
        of: Traits::all(&[COMMON, Traits::ID_54321, Traits::TTL_FROM_255, Traits::ONLY_MSS_1460]),
        says: "as zmap-bare, with tcp_opts 2 and tcp_mss 1460",
        needs: shape!(SRC_PORT, IP_ID, IP_TOS),
        versions: "git 2021-08-02, 3.0.0-beta1 to 4.0.0",
        tells: Some("3.0.0..4.0.0"),
        basis: Basis::Packets,
        source: "src/probe_modules/packet.c from 6819c65 (2021-08-02)",
        positive: &[
            "tcp 198.18.0.1 46109 > 198.18.1.20 80 S len=44 ttl=240 id=54321 seq=2530575205 win=65535 opts=2 mss=1460",
        ],
        near_miss: &[
            "tcp 198.18.0.1 46109 > 198.18.1.20 80 S len=44 ttl=240 id=54321 seq=2530575205 win=65535 opts=2 mss=1400",
        ],
    },
    Rule {
        id: "zmap-options-windows",
        tool: Tool::Zmap,
        test: Test::Packet(windows),
        weight: Weight::Shape(Some(5)),
        kinds: SYN4,
        of: Traits::all(&[COMMON, Traits::MSS_AND_MORE]),
        says: "tcp_opts 2-1-3-1-1-4, tcp_mss 1460, tcp_wscale 8, tcp_win 65535, ip_df 0, ip_tos 0, tcp_ack 0, ttl <= 64 or > 200, src_port 32768 to 61000, ip_id not 54321",
        needs: shape!(SRC_PORT, IP_TOS),
        versions: "4.1.0-RC3 and later (default)",
        tells: Some(">=4.1.0-RC3"),
        basis: Basis::Packets,
        source: "src/probe_modules/packet.c from c88db29, src/state.c from 5d90505",
        positive: &[
            "tcp 198.18.0.1 45193 > 198.18.1.235 80 S len=52 ttl=64 id=21661 seq=1045591963 win=65535 opts=2-1-3-1-1-4 mss=1460 ws=8",
        ],
        near_miss: &[
            "tcp 198.18.0.1 45193 > 198.18.1.235 80 S len=52 ttl=64 df=1 id=21661 seq=1045591963 win=65535 opts=2-1-3-1-1-4 mss=1460 ws=8",
            "tcp 198.18.0.1 45193 > 198.18.1.235 80 S len=52 ttl=128 id=21661 seq=1045591963 win=65535 opts=2-1-3-1-1-4 mss=1460 ws=8",
        ],
    },
    Rule {
        id: "zmap-options-linux",
        tool: Tool::Zmap,
        test: Test::Packet(linux),
        weight: Weight::Shape(Some(5)),
        kinds: SYN4,
        of: Traits::all(&[COMMON, Traits::MSS_AND_MORE]),
        says: "as zmap-options-windows, with tcp_opts 2-4-8-1-3 and tcp_wscale 7",
        needs: shape!(SRC_PORT, IP_TOS),
        versions: "4.1.0-RC1 and later; --probe-args=linux since RC3",
        tells: Some(">=4.1.0-RC1"),
        basis: Basis::Packets,
        source: "src/probe_modules/packet.c from 76b1123",
        positive: &[
            "tcp 198.18.0.1 54318 > 198.18.1.21 443 S len=60 ttl=64 id=41462 seq=73170090 win=65535 opts=2-4-8-1-3 mss=1460 ws=7 tsval=1795384448",
        ],
        near_miss: &[
            "tcp 198.18.0.1 54318 > 198.18.1.21 443 S len=60 ttl=64 id=41462 seq=73170090 win=64240 opts=2-4-8-1-3 mss=1460 ws=7 tsval=1795384448",
        ],
    },
    Rule {
        id: "zmap-options-bsd",
        tool: Tool::Zmap,
        test: Test::Packet(bsd),
        weight: Weight::Shape(Some(5)),
        kinds: SYN4,
        of: Traits::all(&[COMMON, Traits::MSS_AND_MORE]),
        says: "as zmap-options-windows, with tcp_opts 2-1-3-1-1-8-4-0 and tcp_wscale 6",
        needs: shape!(SRC_PORT, IP_TOS),
        versions: "4.1.0-RC3 and later with --probe-args=bsd",
        tells: Some(">=4.1.0-RC3"),
        basis: Basis::Packets,
        source: "src/probe_modules/packet.c from c88db29",
        positive: &[
            "tcp 198.18.0.1 54318 > 198.18.1.21 443 S len=64 ttl=64 id=41462 seq=73170090 win=65535 opts=2-1-3-1-1-8-4-0 mss=1460 ws=6 tsval=1795384448",
        ],
        near_miss: &[
            "tcp 198.18.0.1 54318 > 198.18.1.21 443 S len=64 ttl=64 df=1 id=41462 seq=73170090 win=65535 opts=2-1-3-1-1-8-4-0 mss=1460 ws=6 tsval=1795384448",
        ],
    },
    Rule {
        id: "zmap-options-smallest",
        tool: Tool::Zmap,
        test: Test::Packet(|p| common(p) && p.id != TEMPLATE_ID),
        weight: Weight::Shape(Some(5)),
        kinds: SYN4,
        of: Traits::all(&[COMMON, Traits::ONLY_MSS_1460, Traits::TTL_FROM_64]),
        says: "as zmap-options-windows, with tcp_opts 2, tcp_mss 1460 and ttl <= 64",
        needs: shape!(SRC_PORT, IP_TOS),
        versions: "4.1.0-RC3 and later with --probe-args=smallest-probes",
        tells: Some(">=4.1.0-RC3"),
        basis: Basis::Packets,
        source: "src/probe_modules/packet.c from c88db29",
        positive: &[
            "tcp 198.18.0.1 54318 > 198.18.1.21 443 S len=44 ttl=64 id=41462 seq=73170090 win=65535 opts=2 mss=1460",
        ],
        near_miss: &[
            "tcp 198.18.0.1 54318 > 198.18.1.21 443 S len=44 ttl=255 id=54321 seq=73170090 win=65535 opts=2 mss=1460",
        ],
    },
    Rule {
        id: "zmap-echo-12",
        tool: Tool::Zmap,
        test: Test::Packet(|p| zeros(p, 12)),
        weight: Weight::Shape(None),
        kinds: ICMP4,
        of: Traits::all(&[Traits::ID_54321, Traits::TTL_FROM_255, Traits::PLAIN_IP]),
        says: "echo request with 12 zero octets, ip_id 54321, ttl > 200, ip_df 0",
        needs: &[
            &field::ICMP_TYPE,
            &field::PAYLOAD_HEAD,
            &field::IP_ID,
            &field::TTL,
            &field::IP_TOS,
            &field::IP_DF,
            &field::ICMP_CODE,
            &field::PAYLOAD_LEN,
        ],
        versions: "2.x",
        tells: Some("<=2.1.1"),
        basis: Basis::Packets,
        source: "src/probe_modules/module_icmp_echo.c, tag v2.1.1",
        positive: &[
            "icmp 198.18.0.1 > 198.18.1.75 type=8 len=40 ttl=255 id=54321 payload=12:000000000000000000000000",
        ],
        near_miss: &[
            "icmp 198.18.0.1 > 198.18.1.75 type=8 len=36 ttl=255 id=54321 payload=8:0000000000000000",
        ],
    },
    Rule {
        id: "zmap-echo-20-old",
        tool: Tool::Zmap,
        test: Test::Packet(|p| zeros(p, 20) && p.icmp_seq != 0),
        weight: Weight::Shape(None),
        kinds: ICMP4,
        of: Traits::all(&[Traits::ID_54321, Traits::TTL_FROM_255, Traits::PLAIN_IP]),
        says: "echo request with 20 zero octets, ip_id 54321, ttl > 200, ip_df 0, icmp_seq not 0",
        needs: &[
            &field::ICMP_TYPE,
            &field::PAYLOAD_HEAD,
            &field::IP_ID,
            &field::TTL,
            &field::IP_TOS,
            &field::IP_DF,
            &field::ICMP_CODE,
            &field::PAYLOAD_LEN,
            &field::ICMP_SEQ,
        ],
        versions: "3.0.0 to 4.0.0",
        tells: Some("3.0.0..4.0.0"),
        basis: Basis::Packets,
        source: "src/probe_modules/module_icmp_echo.c, tag v3.0.0",
        positive: &[
            "icmp 198.18.0.1 > 198.18.1.75 type=8 icmp_seq=60823 len=48 ttl=255 id=54321 payload=20:00000000000000000000000000000000",
        ],
        near_miss: &[
            "icmp 198.18.0.1 > 198.18.1.75 type=8 icmp_seq=60823 len=48 ttl=64 id=1150 payload=20:00000000000000000000000000000000",
        ],
    },
    Rule {
        id: "zmap-echo-20",
        tool: Tool::Zmap,
        test: Test::Packet(|p| zeros(p, 20) && p.icmp_seq != 0 && p.id != TEMPLATE_ID),
        weight: Weight::Shape(Some(5)),
        kinds: ICMP4,
        of: Traits::all(&[Traits::TTL_FROM_64, Traits::PLAIN_IP]),
        says: "echo request with 20 zero octets, ip_id not 54321, ttl <= 64, ip_df 0, icmp_seq not 0",
        needs: &[
            &field::ICMP_TYPE,
            &field::PAYLOAD_HEAD,
            &field::IP_ID,
            &field::TTL,
            &field::IP_TOS,
            &field::IP_DF,
            &field::ICMP_CODE,
            &field::PAYLOAD_LEN,
            &field::ICMP_SEQ,
        ],
        versions: "4.1.0-RC3 and later",
        tells: Some(">=4.1.0-RC3"),
        basis: Basis::Packets,
        source: "src/probe_modules/module_icmp_echo.c @8de8833",
        positive: &[
            "icmp 198.18.0.1 > 198.18.1.75 type=8 icmp_seq=60823 len=48 ttl=64 id=1150 payload=20:00000000000000000000000000000000",
        ],
        near_miss: &[
            "icmp 198.18.0.1 > 198.18.1.75 type=8 icmp_seq=60823 len=48 ttl=64 id=1150 payload=20:00000000000000000000000000000001",
        ],
    },
    Rule {
        id: "zmap-upnp",
        tool: Tool::Zmap,
        test: Test::Packet(upnp),
        weight: Weight::Shape(Some(5)),
        kinds: UDP4,
        of: Traits::PLAIN_IP,
        says: "UDP to 1900 whose length says 97 octets of which none is on the wire, udp_sum 0, ip_df 0, src_port 32768 to 61000",
        needs: &[
            &field::UDP_SUM,
            &field::PAYLOAD_LEN,
            &field::PAYLOAD_HEAD,
            &field::SRC_PORT,
            &field::DST_PORT,
            &field::IP_TOS,
            &field::IP_DF,
        ],
        versions: "3.0.0 and later",
        tells: Some(">=3.0.0"),
        basis: Basis::Packets,
        source: "src/probe_modules/module_upnp.c @8de8833",
        positive: &["udp 198.18.0.1 50833 > 198.18.1.30 1900 len=125 ttl=64 id=38310 sum=0 payload=97:"],
        near_miss: &[
            "udp 198.18.0.1 50833 > 198.18.1.30 1900 len=125 ttl=64 id=38310 sum=0 payload=97:4d2d534541524348",
        ],
    },
    Rule {
        id: "zmap-udp-default",
        tool: Tool::Zmap,
        test: Test::Packet(udp_default),
        weight: Weight::Shape(None),
        kinds: UDP4,
        of: Traits::PLAIN_IP,
        says: "UDP with the payload GET / HTTP/1.1, udp_sum 0, ip_df 0, src_port 32768 to 61000",
        needs: &[&field::UDP_SUM, &field::PAYLOAD_HEAD, &field::SRC_PORT, &field::IP_TOS, &field::IP_DF],
        versions: "1.x to 2.x",
        tells: Some("<=2.1.1"),
        basis: Basis::Packets,
        source: "src/probe_modules/module_udp.c, tag v2.1.1",
        positive: &[
            "udp 198.18.0.1 43686 > 198.18.1.32 53 len=57 ttl=255 id=54321 sum=0 payload=29:474554202f20485454502f312e310d0a",
        ],
        near_miss: &[
            "udp 198.18.0.1 43686 > 198.18.1.32 53 len=57 ttl=255 id=54321 sum=1 payload=29:474554202f20485454502f312e310d0a",
        ],
    },
    Rule {
        id: "zmap-udp-shape",
        tool: Tool::Zmap,
        test: Test::Packet(|p| p.udp_sum == 0 && default_port(p)),
        weight: Weight::Shape(None),
        kinds: UDP4,
        of: Traits::all(&[Traits::ID_54321, Traits::TTL_FROM_255, Traits::PLAIN_IP]),
        says: "ip_id 54321, udp_sum 0, ttl > 200, ip_df 0, src_port 32768 to 61000",
        needs: &[
            &field::IP_ID,
            &field::UDP_SUM,
            &field::TTL,
            &field::SRC_PORT,
            &field::IP_TOS,
            &field::IP_DF,
        ],
        versions: "1.0.0 to 4.0.0",
        tells: Some("<=4.0.0"),
        basis: Basis::Packets,
        source: "src/probe_modules/packet.c (make_udp_header)",
        positive: &["udp 198.18.0.1 43686 > 198.18.1.32 53 len=57 ttl=255 id=54321 sum=0 payload=29:00"],
        near_miss: &["udp 198.18.0.1 23686 > 198.18.1.32 53 len=57 ttl=255 id=54321 sum=0 payload=29:00"],
    },
    Rule {
        id: "zmap-ip-id",
        tool: Tool::Zmap,
        test: Test::Packet(any),
        weight: Weight::Mark(bits(16)),
        kinds: SYN4,
        of: Traits::ID_54321,
        says: "ip_id == 54321 on a SYN",
        needs: &[&field::IP_ID],
        versions: "1.0.0 to 4.0.0, modules outside its tree, TUM's IPv6 fork; XMap as well",
        tells: Some("<=4.0.0"),
        basis: Basis::Packets,
        source: PACKET_C,
        positive: &[
            "tcp 198.18.0.1 42765 > 198.18.1.179 80 S len=40 ttl=255 id=54321 seq=2564555165 win=65535",
        ],
        near_miss: &[
            "tcp 198.18.0.1 42765 > 198.18.1.179 80 S len=40 ttl=255 id=12589 seq=2564555165 win=65535",
        ],
    },
    Rule {
        id: "zmap-ip-id-syn-ack",
        tool: Tool::Zmap,
        test: Test::PacketIf(is_syn_ack, template_id),
        weight: Weight::Mark(bits(16)),
        kinds: TCP4,
        of: Traits::NONE,
        says: "ip_id == 54321 on a SYN/ACK: the synackscan module, which looks like backscatter",
        needs: &[&field::IP_ID, &field::TCP_FLAGS],
        versions: "3.0.0 to 4.0.0",
        tells: Some("3.0.0..4.0.0"),
        basis: Basis::Packets,
        source: "src/probe_modules/module_tcp_synackscan.c",
        positive: &[
            "tcp 198.18.0.1 42765 > 198.18.1.179 80 SA len=44 ttl=255 id=54321 seq=2564555165 win=65535 opts=2 mss=1460",
        ],
        near_miss: &[
            "tcp 198.18.0.1 42765 > 198.18.1.179 80 A len=44 ttl=255 id=54321 seq=2564555165 win=65535 opts=2 mss=1460",
        ],
    },
    Rule {
        id: "zmap-ip-id-udp",
        tool: Tool::Zmap,
        test: Test::Packet(any),
        weight: Weight::Mark(bits(16)),
        kinds: UDP4,
        of: Traits::ID_54321,
        says: "ip_id == 54321 on UDP",
        needs: &[&field::IP_ID],
        versions: "1.0.0 to 4.0.0",
        tells: Some("<=4.0.0"),
        basis: Basis::Packets,
        source: PACKET_C,
        positive: &["udp 198.18.0.1 43686 > 198.18.1.32 53 len=57 ttl=255 id=54321 sum=0 payload=29:00"],
        near_miss: &["udp 198.18.0.1 43686 > 198.18.1.32 53 len=57 ttl=255 id=54322 sum=0 payload=29:00"],
    },
    Rule {
        id: "zmap-ip-id-icmp",
        tool: Tool::Zmap,
        test: Test::PacketIf(|p| p.icmp_type == 8, template_id),
        weight: Weight::Mark(bits(16)),
        kinds: ICMP4,
        of: Traits::NONE,
        says: "ip_id == 54321 on an echo request",
        needs: &[&field::IP_ID, &field::ICMP_TYPE],
        versions: "1.0.0 to 4.0.0",
        tells: Some("<=4.0.0"),
        basis: Basis::Packets,
        source: PACKET_C,
        positive: &[
            "icmp 198.18.0.1 > 198.18.1.75 type=8 icmp_seq=60823 len=48 ttl=255 id=54321 payload=20:00",
        ],
        near_miss: &["icmp 198.18.0.1 > 198.18.1.75 type=0 len=48 ttl=255 id=54321 payload=20:00"],
    },
    Rule {
        id: "zmap-tsval",
        tool: Tool::Zmap,
        test: Test::PacketIf(any, |p| start(p).is_some()),
        weight: Weight::Mark((DAY + CLOCKS) as f64 * bits(32)),
        kinds: SYN4,
        of: Traits::all(&[Traits::TSVAL, Traits::PLAIN_IP]),
        says: "tcp_tsval is a Unix time at most a day before ts, ip_df 0, ip_tos 0: the start of the scan",
        needs: &[&field::TCP_TSVAL, &field::IP_DF, &field::IP_TOS],
        versions: "4.1.0-RC1 and later, linux and bsd options",
        tells: Some(">=4.1.0-RC1"),
        basis: Basis::Packets,
        source: "src/probe_modules/packet.c @8de8833",
        positive: &[
            "@1795384448.3 tcp 198.18.0.1 54318 > 198.18.1.21 443 S len=60 ttl=64 id=41462 seq=73170090 win=65535 opts=2-4-8-1-3 mss=1460 ws=7 tsval=1795384448",
        ],
        near_miss: &[
            "@1795484448.3 tcp 198.18.0.1 54318 > 198.18.1.21 443 S len=60 ttl=64 id=41462 seq=73170090 win=65535 opts=2-4-8-1-3 mss=1460 ws=7 tsval=1795384448",
        ],
    },
    Rule {
        id: "zmap-twins",
        tool: Tool::Zmap,
        test: Test::Pair(same_target, twins),
        weight: Weight::Mark(bits(44)),
        kinds: SYN4,
        of: COMMON,
        says: "two SYN in a row to one target share tcp_seq and ip_id, and their ports are at most 16 apart in 32768 to 61000 (-P)",
        needs: &[
            &field::SRC_PORT,
            &field::DST_PORT,
            &field::TCP_SEQ,
            &field::IP_ID,
            &field::IP_TOS,
            &field::IP_DF,
            &field::TCP_ACK,
            &field::TCP_WIN,
        ],
        versions: "all",
        tells: None,
        basis: Basis::Packets,
        source: "src/probe_modules/packet.h (get_src_port)",
        positive: &[
            "tcp 198.18.0.1 60999 > 198.18.1.179 80 S len=52 ttl=64 id=777 seq=2564555165 win=65535",
            "tcp 198.18.0.1 32768 > 198.18.1.179 80 S len=52 ttl=64 id=777 seq=2564555165 win=65535",
        ],
        near_miss: &[
            "tcp 198.18.0.1 42765 > 198.18.1.179 80 S len=52 ttl=64 id=777 seq=2564555165 win=65535",
            "tcp 198.18.0.1 42766 > 198.18.1.179 80 S len=52 ttl=64 id=778 seq=2564555165 win=65535",
        ],
    },
    Rule {
        id: "zmap-pool",
        tool: Tool::Zmap,
        test: Test::Source(Pattern::Pool),
        weight: Weight::Detail,
        kinds: SYN4,
        of: COMMON,
        says: "12 or more distinct destinations of the source leave one remainder modulo 2 or more, which all destinations of the input do not: one address of a pool of sources (tcp_win 65535, ip_df 0, src_port 32768 to 61000)",
        needs: shape!(SRC_PORT, IP_TOS),
        versions: "all, with several source addresses and -P 1",
        tells: None,
        basis: Basis::Packets,
        source: "src/send.c (get_src_ip)",
        positive: &[
            "tcp 198.18.0.2 40000 > 198.18.1.3 80 S len=44 ttl=64 seq=1 win=65535",
            "tcp 198.18.0.1 40000 > 198.18.1.8|198.18.1.24|198.18.1.16|198.18.1.40|198.18.1.48|198.18.1.56|198.18.1.72|198.18.1.80|198.18.1.96|198.18.1.104|198.18.1.120|198.18.1.0 80 S len=44 ttl=64 seq=1 win=65535",
        ],
        near_miss: &[
            "tcp 198.18.0.2 40000 > 198.18.1.3 80 S len=44 ttl=64 seq=1 win=65535",
            "tcp 198.18.0.1 40000 > 198.18.1.8|198.18.1.24|198.18.1.16|198.18.1.40|198.18.1.48|198.18.1.56|198.18.1.72|198.18.1.80|198.18.1.96|198.18.1.104|198.18.1.120|198.18.1.1 80 S len=44 ttl=64 seq=1 win=65535",
        ],
    },
];
