//! Nmap with packets of its own.

use probeline_record::{TcpFlags, field};

use super::{ANY_TCP, ANY_TCP_OR_UDP4, ICMP4, SYN, TCP, TCP4_OR_SYN4, UDP4, any, shape};
use crate::layout::Layout;
use crate::packet::{Facts, Kind, Packet};
use crate::rule::{Basis, Key, Pattern, Rule, Test, Weight, bits};
use crate::tool::Tool;
use crate::traits::Traits;

const RAW: &str = "scan_engine_raw.cc (seq32_encode, sport_encode) @db4aefd";
const BUILD: &str = "tcpip.cc (build_tcp, build_ip_raw), nmap.h @db4aefd";
const OS: &str = "osscan2.cc @db4aefd";

const FPU: TcpFlags = TcpFlags::FIN.with(TcpFlags::PSH).with(TcpFlags::URG);
const FA: TcpFlags = TcpFlags::FIN.with(TcpFlags::ACK);
const SEC: TcpFlags = TcpFlags::SYN.with(TcpFlags::ECE).with(TcpFlags::CWR);

/// The initial time to live is `rand % 23 + 37` for each packet; the hop limit of IPv6 is 255 for all.
pub(crate) fn ttl_drawn(f: &Facts) -> bool {
    f.ttl <= 59 || (f.dst.is_ipv6() && f.ttl_from_255())
}

/// A SYN as Nmap builds it: one option, no flag of IP, nothing in what does not matter.
fn syn(f: &Facts) -> bool {
    f.only_mss(1460) && ttl_drawn(f) && f.plain_ip() && f.ack == 0
}

fn old_syn_shape(f: &Facts) -> bool {
    syn(f) && old_window(f)
}

/// Up to 5.51 the window was `1024 * (ttl % 4 + 1)`.
fn old_window(f: &Facts) -> bool {
    matches!(f.win, 1024 | 2048 | 3072 | 4096)
}

fn bare(f: &Facts) -> bool {
    f.bare() && ttl_drawn(f) && f.plain_ip()
}

/// -sA, -PA and -sM: the coded value stands in the acknowledgment number.
fn ack_shape(f: &Facts) -> bool {
    let known = [TcpFlags::ACK, FA].contains(&f.flags);
    known && bare(f) && f.win == 1024 && f.seq == 0 && f.ack != 0
}

/// -sF, -sN and -sX: the coded value stands in the sequence number.
fn stealth_shape(f: &Facts) -> bool {
    stealth_flags(f) && bare(f) && f.win == 1024 && f.seq != 0
}

fn stealth_flags(f: &Facts) -> bool {
    [TcpFlags::FIN, TcpFlags::default(), FPU].contains(&f.flags)
}

/// Up to 5.51: the coded value stands in the sequence number of -sA, -PA and -sM as well.
fn old_shape(f: &Facts) -> bool {
    let with_ack = [TcpFlags::ACK, FA].contains(&f.flags) && f.ack != 0;
    (stealth_flags(f) || with_ack) && bare(f) && old_window(f) && f.seq != 0
}

/// Packets whose time to live Nmap draws.
pub(crate) fn may_draw_ttl(f: &Facts) -> bool {
    use crate::packet::Kind::{Syn4, Syn6, Tcp4, Tcp6, Udp4};
    match f.kind {
        Syn4 | Syn6 => old_syn_shape(f),
        Tcp4 | Tcp6 => ack_shape(f) || old_shape(f),
        // Not the ports that traceroutes count up from.
        Udp4 => f.plain_ip() && ttl_drawn(f) && !(33434..33534).contains(&f.dport),
        _ => false,
    }
}

/// What all coded values of one phase have in common: `seqmask ^ (v * 0x10001)` with v below 256, freed of v by making
/// the low octet zero.
fn phase(coded: u32) -> u32 {
    coded ^ ((coded & 0xff) * 0x1_0001)
}

/// The value of a phase, of the packets that carry one.
pub(crate) fn coded(f: &Facts) -> Option<u64> {
    use crate::packet::Kind::{Syn4, Syn6, Tcp4, Tcp6};
    match f.kind {
        Syn4 | Syn6 if old_syn_shape(f) => Some(phase(f.seq).into()),
        Tcp4 | Tcp6 if ack_shape(f) => Some(phase(f.ack).into()),
        Tcp4 | Tcp6 if old_shape(f) => Some(phase(f.seq).into()),
        _ => None,
    }
}

/// Two SYN of one phase with different tries: the halves of the difference are equal, and the port steps as the try.
fn tries(earlier: &Facts, later: &Facts) -> bool {
    let x = earlier.seq ^ later.seq;
    let (low, step) = (x & 0xffff, i32::from(later.sport) - i32::from(earlier.sport));
    x != 0
        && x >> 16 == low
        && low < 256
        && (step.unsigned_abs() == low || (step != 0 && step.unsigned_abs() < 256 && differ_by(low, step)))
}

/// Whether two tries whose exclusive or is `x` can be `step` apart: bit by bit, each bit of `x` adds or takes its
/// value.
fn differ_by(x: u32, step: i32) -> bool {
    // Each set bit of x is +2^i or -2^i; the sum can be any number of the parity and size of x whose other bits fit.
    let sum = step + x as i32;
    sum >= 0 && sum % 2 == 0 && (sum as u32 / 2) & !x == 0
}

fn may_be_tries(earlier: &Facts, later: &Facts) -> bool {
    earlier.seq != later.seq && later.ack == 0 && earlier.ack == 0
}

/// The phase of `ttl % 4` against the window, which hops shift by a constant.
fn window_phase(f: &Facts) -> Option<u64> {
    let drawn = if f.kind == Kind::Syn4 { old_syn_shape(f) } else { old_shape(f) };
    drawn.then(|| (u64::from(f.ttl) + 8 - u64::from(f.win / 1024)) % 4)
}

const PROBE_LAYOUTS: [(Layout, u16); 12] = [
    (Layout::of(&[3, 1, 2, 8, 4]), 1),
    (Layout::of(&[2, 3, 4, 8, 0]), 63),
    (Layout::of(&[8, 1, 1, 3, 1, 2]), 4),
    (Layout::of(&[4, 8, 3, 0]), 4),
    (Layout::of(&[2, 4, 8, 3, 0]), 16),
    (Layout::of(&[2, 4, 8]), 512),
    (Layout::of(&[3, 1, 2, 8, 4]), 128),
    (Layout::of(&[3, 1, 2, 8, 4]), 256),
    (Layout::of(&[3, 1, 2, 8, 4]), 1024),
    (Layout::of(&[3, 1, 2, 8, 4]), 31337),
    (Layout::of(&[3, 1, 2, 8, 4]), 32768),
    (Layout::of(&[3, 1, 2, 8, 4]), 65535),
];

/// The TCP tests SEQ, OPS and T2 to T7: a timestamp of all ones, and one of a dozen pairs of options and window.
fn os_tcp(p: &Packet) -> bool {
    p.tsval == Some(u32::MAX) && PROBE_LAYOUTS.contains(&(p.opts, p.win))
}

/// The ECN test.
fn os_ecn(p: &Packet) -> bool {
    p.win == 3 && p.opts == Layout::of(&[3, 1, 2, 4, 1, 1]) && p.wscale == Some(10)
}

fn os_udp(p: &Packet) -> bool {
    p.id == 0x1042
        && p.payload_len == 300
        && !p.payload().is_empty()
        && p.payload().iter().all(|o| *o == b'C')
}

fn os_icmp(p: &Packet) -> bool {
    let zeros = !p.payload().is_empty() && p.payload().iter().all(|octet| *octet == 0);
    let first = p.icmp_code == 9 && p.icmp_seq == 295 && p.payload_len == 120 && p.df;
    let second = p.icmp_code == 0 && p.icmp_seq == 296 && p.payload_len == 150 && p.tos == 4;
    p.icmp_type == 8 && zeros && (first || second)
}

fn burst_target(earlier: &Facts, later: &Facts) -> bool {
    earlier.dst == later.dst
        && earlier.dport == later.dport
        && earlier.sport == later.sport
        && (earlier.payload_len, earlier.udp_sum) != (later.payload_len, later.udp_sum)
        && later.ts.since(earlier.ts).unsigned_abs() < 1_000_000_000
}

fn burst(earlier: &Facts, later: &Facts) -> bool {
    earlier.id == later.id
        && earlier.id != 0
        && earlier.plain_ip()
        && later.plain_ip()
        && ttl_drawn(earlier)
        && ttl_drawn(later)
}

fn ping(p: &Packet) -> bool {
    let echo = p.icmp_type == 8 && p.payload_len == 0 && p.icmp_seq == 0 && p.icmp_id != 0;
    echo && ttl_drawn(p) && p.plain_ip() && p.id > 1
}

fn timestamp(p: &Packet) -> bool {
    p.icmp_type == 13 && p.icmp_seq == 0 && p.icmp_id != 0 && p.len == 40 && ttl_drawn(p) && p.plain_ip()
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "nmap-tries",
        tool: Tool::Nmap,
        test: Test::Pair(may_be_tries, tries),
        weight: Weight::Mark(bits(36)),
        kinds: SYN,
        of: Traits::NO_ACK,
        says: "two SYN in a row whose tcp_seq differ by v * 65537 (exclusive or, 0 < v < 256), and whose src_port differ by a step that such tries allow",
        needs: &[&field::TCP_SEQ, &field::TCP_ACK, &field::SRC_PORT],
        versions: "all, without -g; 2009 as much as 7.93",
        tells: None,
        basis: Basis::Packets,
        source: RAW,
        positive: &[
            "tcp 198.18.0.1 62170 > 198.18.1.5 143 S len=44 ttl=49 id=28165 seq=4237197429 win=1024 opts=2 mss=1460",
            "tcp 198.18.0.1 62172 > 198.18.1.5 143 S len=44 ttl=41 id=5165 seq=4237066359 win=1024 opts=2 mss=1460",
        ],
        near_miss: &[
            "tcp 198.18.0.1 62170 > 198.18.1.5 143 S len=44 ttl=49 id=28165 seq=4237197429 win=1024 opts=2 mss=1460",
            "tcp 198.18.0.1 62173 > 198.18.1.5 143 S len=44 ttl=41 id=5165 seq=4237066359 win=1024 opts=2 mss=1460",
        ],
    },
    Rule {
        id: "nmap-coded",
        tool: Tool::Nmap,
        test: Test::Key(Key { value: coded, differs: Facts::target, bits: 24 }),
        weight: Weight::Mark(bits(24)),
        kinds: ANY_TCP,
        of: Traits::all(&[Traits::TTL_DRAWN, Traits::PLAIN_IP]),
        says: "nmap-syn, nmap-ack or nmap-stealth (or their forms before 5.59, with windows of 2048, 3072 and 4096), and tcp_seq (tcp_ack on -sA and -PA since then) is coded with the seqmask of another such packet: equal but for v * 65537 (exclusive or, v < 256)",
        needs: shape!(DST_PORT, IP_TOS),
        versions: "all; before 7.92 retries have another value",
        tells: None,
        basis: Basis::Packets,
        source: RAW,
        positive: &[
            "tcp 198.18.0.1 62170 > 198.18.2.5 143 S len=44 ttl=49 id=28165 seq=4237197429 win=1024 opts=2 mss=1460",
            "tcp 198.18.0.1 62170 > 198.18.2.5 135 S len=44 ttl=51 id=34669 seq=4237197429 win=1024 opts=2 mss=1460",
        ],
        near_miss: &[
            "tcp 198.18.0.1 62170 > 198.18.2.5 143 S len=44 ttl=49 id=28165 seq=4237197429 win=1024 opts=2 mss=1460",
            "tcp 198.18.0.1 62170 > 198.18.2.5 135 S len=44 ttl=51 id=34669 seq=4237197430 win=1024 opts=2 mss=1460",
        ],
    },
    Rule {
        id: "nmap-ttl",
        tool: Tool::Nmap,
        test: Test::Source(Pattern::TtlSpread),
        weight: Weight::Shape(None),
        kinds: ANY_TCP_OR_UDP4,
        of: Traits::all(&[Traits::TTL_DRAWN, Traits::PLAIN_IP]),
        says: "a dozen or more of the source's nmap-syn, nmap-ack, nmap-stealth or UDP packets have eight or more values of ttl within a range of 23, in no order",
        needs: &[&field::TTL, &field::IP_DF, &field::IP_TOS],
        versions: "all, unless --ttl",
        tells: None,
        basis: Basis::Packets,
        source: BUILD,
        positive: &[
            "udp 198.18.0.1 36236 > 198.18.1.1 53|69|111|123|137|161|500|520|1900|5353|11211|1434 len=40 ttl=41|58|37|44|52|39|59|48|42|55|40|51 payload=12:00",
        ],
        near_miss: &[
            "udp 198.18.0.1 36236 > 198.18.1.1 53|69|111|123|137|161|500|520|1900|5353|11211|1434 len=40 ttl=37|38|39|40|41|42|43|44|45|46|47|48 payload=12:00",
        ],
    },
    Rule {
        id: "nmap-window-ttl",
        tool: Tool::Nmap,
        test: Test::Key(Key { value: window_phase, differs: |f| f.win.into(), bits: 2 }),
        weight: Weight::Detail,
        kinds: TCP4_OR_SYN4,
        of: Traits::all(&[Traits::TTL_DRAWN, Traits::PLAIN_IP]),
        says: "nmap-syn, or a bare packet with flags A, F, none, FPU or FA and tcp_seq not 0, but for the window: tcp_win / 1024 - 1 follows ttl % 4 (shifted by the hops) in nine or more packets, and nine tenths of the source's, while tcp_win changes among 1024, 2048, 3072, 4096",
        needs: shape!(IP_TOS),
        versions: "4.01 to 5.51",
        tells: Some("4.01..5.51"),
        basis: Basis::Packets,
        source: "tcpip.cc before 4aa4a154f (2011-06)",
        positive: &[
            "tcp 198.18.0.1 40000 > 198.18.1.1 21|22|23|25|53|80|110|111|135|139|143|443 S len=44 ttl=40|49|38|51 seq=1 win=1024|2048|3072|4096 opts=2 mss=1460",
        ],
        near_miss: &[
            "tcp 198.18.0.1 40000 > 198.18.1.1 21|22|23|25|53|80|110|111|135|139|143|443 S len=44 ttl=40|49|38|50 seq=1 win=1024|2048|3072|4096 opts=2 mss=1460",
        ],
    },
    Rule {
        id: "nmap-syn",
        tool: Tool::Nmap,
        test: Test::Packet(any),
        weight: Weight::Shape(None),
        kinds: SYN,
        of: Traits::all(&[
            Traits::ONLY_MSS_1460,
            Traits::TTL_DRAWN,
            Traits::PLAIN_IP,
            Traits::NO_ACK,
            Traits::WIN_1024,
        ]),
        says: "tcp_win 1024, tcp_opts 2, tcp_mss 1460, ttl <= 59 (IPv6: or > 200), ip_df 0, ip_tos 0, tcp_ack 0",
        needs: shape!(IP_TOS),
        versions: "5.59BETA1 and later (up to 5.51 a quarter of the packets)",
        tells: None,
        basis: Basis::Packets,
        source: BUILD,
        positive: &[
            "tcp 198.18.0.1 62170 > 198.18.2.5 143 S len=44 ttl=49 id=28165 seq=4237197429 win=1024 opts=2 mss=1460",
            "tcp 2001:db8:f::1 44657 > 2001:db8:d::1 443 S len=64 ttl=250 seq=3914157084 win=1024 opts=2 mss=1460",
        ],
        near_miss: &[
            "tcp 198.18.0.1 62170 > 198.18.2.5 143 S len=44 ttl=249 id=28165 seq=5 win=1024 opts=2 mss=1460",
            "tcp 198.18.0.1 62170 > 198.18.2.5 143 S len=44 ttl=49 df=1 id=28165 seq=5 win=1024 opts=2 mss=1460",
            "tcp 198.18.0.1 62170 > 198.18.2.5 143 S len=44 ttl=60 id=28165 seq=4237197429 win=1024 opts=2 mss=1460",
        ],
    },
    Rule {
        id: "nmap-ack",
        tool: Tool::Nmap,
        test: Test::Packet(|p| ack_shape(p)),
        weight: Weight::Shape(None),
        kinds: TCP,
        of: Traits::all(&[Traits::BARE, Traits::TTL_DRAWN, Traits::PLAIN_IP, Traits::WIN_1024]),
        says: "flags A or FA, tcp_seq 0, tcp_ack not 0, tcp_win 1024, no TCP options, ttl <= 59 (IPv6: or > 200), ip_df 0 (-sA, -PA, -sM)",
        needs: shape!(IP_TOS, TCP_SEQ),
        versions: "5.59BETA1 and later",
        tells: None,
        basis: Basis::Packets,
        source: BUILD,
        positive: &[
            "tcp 198.18.0.1 58050 > 198.18.2.7 22 A len=40 ttl=51 id=52585 ack=4290292195 win=1024",
            "tcp 198.18.0.1 58050 > 198.18.2.7 22 FA len=40 ttl=51 id=52585 ack=4290292195 win=1024",
        ],
        near_miss: &[
            "tcp 198.18.0.1 58050 > 198.18.2.7 22 A len=40 ttl=51 id=52585 seq=1 ack=4290292195 win=1024",
        ],
    },
    Rule {
        id: "nmap-stealth",
        tool: Tool::Nmap,
        test: Test::Packet(|p| stealth_shape(p)),
        weight: Weight::Shape(None),
        kinds: TCP,
        of: Traits::all(&[Traits::BARE, Traits::TTL_DRAWN, Traits::PLAIN_IP, Traits::WIN_1024]),
        says: "flags F, none or FPU, tcp_seq not 0, tcp_win 1024, no TCP options, ttl <= 59 (IPv6: or > 200), ip_df 0 (-sF, -sN, -sX)",
        needs: shape!(IP_TOS, TCP_SEQ),
        versions: "5.59BETA1 and later",
        tells: None,
        basis: Basis::Packets,
        source: BUILD,
        positive: &["tcp 198.18.0.1 51284 > 198.18.2.7 25 F len=40 ttl=58 id=14582 seq=1406999137 win=1024"],
        near_miss: &[
            "tcp 198.18.0.1 51284 > 198.18.2.7 25 FU len=40 ttl=58 id=14582 seq=1406999137 win=1024",
        ],
    },
    Rule {
        id: "nmap-os-tcp",
        tool: Tool::Nmap,
        test: Test::PacketIf(any, os_tcp),
        weight: Weight::Mark(bits(32)),
        kinds: ANY_TCP,
        of: Traits::TSVAL,
        says: "tcp_tsval 4294967295 and a pair of tcp_opts and tcp_win of the tests SEQ or T2 to T7 (-O)",
        needs: &[&field::TCP_TSVAL, &field::TCP_OPTS, &field::TCP_WIN],
        versions: "4.20 and later",
        tells: Some(">=4.20"),
        basis: Basis::Packets,
        source: OS,
        positive: &[
            "tcp 198.18.0.1 34784 > 198.18.2.5 1 S len=60 ttl=41 id=38392 seq=3795680533 ack=3416991668 win=31337 opts=3-1-2-8-4 mss=265 ws=10 tsval=4294967295",
            "tcp 198.18.0.1 34786 > 198.18.2.5 1 FPU len=60 ttl=41 id=31644 seq=3795680533 ack=3416991668 win=65535 opts=3-1-2-8-4 mss=265 ws=15 tsval=4294967295",
        ],
        near_miss: &[
            "tcp 198.18.0.1 34784 > 198.18.2.5 1 S len=60 ttl=41 id=38392 seq=3795680533 ack=3416991668 win=31338 opts=3-1-2-8-4 mss=265 ws=10 tsval=4294967295",
        ],
    },
    Rule {
        id: "nmap-os-ecn",
        tool: Tool::Nmap,
        test: Test::PacketIf(|p| p.flags == SEC, os_ecn),
        weight: Weight::Mark(bits(32)),
        kinds: SYN,
        of: Traits::NONE,
        says: "flags SEC, tcp_win 3, tcp_opts 3-1-2-4-1-1, tcp_wscale 10 (-O, the ECN test)",
        needs: &[&field::TCP_FLAGS, &field::TCP_OPTS, &field::TCP_WIN, &field::TCP_WSCALE],
        versions: "4.20 and later",
        tells: Some(">=4.20"),
        basis: Basis::Source,
        source: OS,
        positive: &[
            "tcp 198.18.0.1 34780 > 198.18.2.5 80 SEC len=52 ttl=41 id=38392 seq=3795680533 win=3 opts=3-1-2-4-1-1 mss=1460 ws=10",
        ],
        near_miss: &[
            "tcp 198.18.0.1 34780 > 198.18.2.5 80 S len=52 ttl=41 id=38392 seq=3795680533 win=3 opts=3-1-2-4-1-1 mss=1460 ws=10",
        ],
    },
    Rule {
        id: "nmap-os-udp",
        tool: Tool::Nmap,
        test: Test::Packet(os_udp),
        weight: Weight::Mark(bits(48)),
        kinds: UDP4,
        of: Traits::NONE,
        says: "ip_id 4162 and 300 octets of C (-O, the U1 test)",
        needs: &[&field::IP_ID, &field::PAYLOAD_LEN, &field::PAYLOAD_HEAD],
        versions: "4.20 and later",
        tells: Some(">=4.20"),
        basis: Basis::Packets,
        source: OS,
        positive: &[
            "udp 198.18.0.1 34950 > 198.18.2.5 36231 len=328 ttl=60 id=4162 payload=300:43434343434343434343434343434343",
        ],
        near_miss: &[
            "udp 198.18.0.1 34950 > 198.18.2.5 36231 len=328 ttl=60 id=4163 payload=300:43434343434343434343434343434343",
        ],
    },
    Rule {
        id: "nmap-os-icmp",
        tool: Tool::Nmap,
        test: Test::Packet(os_icmp),
        weight: Weight::Mark(bits(32)),
        kinds: ICMP4,
        of: Traits::NONE,
        says: "echo request with icmp_code 9, icmp_seq 295, 120 zero octets, ip_df 1; or icmp_code 0, icmp_seq 296, 150 zero octets, ip_tos 4 (-O, the IE test)",
        needs: &[
            &field::ICMP_TYPE,
            &field::ICMP_CODE,
            &field::ICMP_SEQ,
            &field::PAYLOAD_LEN,
            &field::IP_DF,
            &field::IP_TOS,
        ],
        versions: "4.20 and later",
        tells: Some(">=4.20"),
        basis: Basis::Packets,
        source: OS,
        positive: &[
            "icmp 198.18.0.1 > 198.18.2.5 type=8 code=9 icmp_id=34764 icmp_seq=295 len=148 ttl=51 df=1 id=32546 payload=120:00000000000000000000000000000000",
            "icmp 198.18.0.1 > 198.18.2.5 type=8 icmp_id=34765 icmp_seq=296 len=178 ttl=59 tos=4 id=34459 payload=150:00000000000000000000000000000000",
        ],
        near_miss: &[
            "icmp 198.18.0.1 > 198.18.2.5 type=8 icmp_id=34765 icmp_seq=296 len=178 ttl=59 id=34459 payload=150:00000000000000000000000000000000",
        ],
    },
    Rule {
        id: "nmap-udp-burst",
        tool: Tool::Nmap,
        test: Test::Pair(burst_target, burst),
        weight: Weight::Mark(bits(16)),
        kinds: UDP4,
        of: Traits::NONE,
        says: "two datagrams in a row, with different payloads, from one port to one port within a second, share ip_id, not 0; ttl <= 59, ip_df 0",
        needs: &[
            &field::IP_ID,
            &field::SRC_PORT,
            &field::DST_PORT,
            &field::PAYLOAD_LEN,
            &field::UDP_SUM,
            &field::TTL,
            &field::IP_TOS,
            &field::IP_DF,
        ],
        versions: "7.93 and git",
        tells: None,
        basis: Basis::Packets,
        source: "scan_engine_raw.cc (sendIPScanProbe) @db4aefd",
        positive: &[
            "@1.1 udp 198.18.0.1 36236 > 198.18.1.1 500 len=220 ttl=57 id=43444 sum=64058 payload=192:0011223344556677",
            "@1.1 udp 198.18.0.1 36236 > 198.18.1.1 500 len=232 ttl=44 id=43444 sum=32565 payload=204:3127fcb038109e89",
        ],
        near_miss: &[
            "@1.1 udp 198.18.0.1 36236 > 198.18.1.1 500 len=220 ttl=57 id=43444 sum=64058 payload=192:0011223344556677",
            "@1.1 udp 198.18.0.1 36236 > 198.18.1.1 500 len=232 ttl=44 id=43445 sum=32565 payload=204:3127fcb038109e89",
        ],
    },
    Rule {
        id: "nmap-ping",
        tool: Tool::Nmap,
        test: Test::Packet(ping),
        weight: Weight::Shape(None),
        kinds: ICMP4,
        of: Traits::all(&[Traits::TTL_DRAWN, Traits::PLAIN_IP]),
        says: "echo request without data, icmp_seq 0, icmp_id not 0, ip_id above 1, ttl <= 59, ip_df 0 (-PE)",
        needs: &[
            &field::ICMP_TYPE,
            &field::ICMP_ID,
            &field::ICMP_SEQ,
            &field::PAYLOAD_LEN,
            &field::TTL,
            &field::IP_ID,
            &field::IP_TOS,
            &field::IP_DF,
        ],
        versions: "all, unless --data-length",
        tells: None,
        basis: Basis::Packets,
        source: RAW,
        positive: &["icmp 198.18.0.1 > 198.18.2.5 type=8 icmp_id=34764 len=28 ttl=51 id=32546"],
        near_miss: &["icmp 198.18.0.1 > 198.18.2.5 type=8 icmp_id=34764 icmp_seq=1 len=28 ttl=51 id=32546"],
    },
    Rule {
        id: "nmap-timestamp",
        tool: Tool::Nmap,
        test: Test::Packet(timestamp),
        weight: Weight::Shape(None),
        kinds: ICMP4,
        of: Traits::all(&[Traits::TTL_DRAWN, Traits::PLAIN_IP]),
        says: "timestamp request of 40 octets, icmp_seq 0, icmp_id not 0, ttl <= 59, ip_df 0 (-PP)",
        needs: &[
            &field::ICMP_TYPE,
            &field::ICMP_ID,
            &field::ICMP_SEQ,
            &field::IP_LEN,
            &field::TTL,
            &field::IP_TOS,
            &field::IP_DF,
        ],
        versions: "all",
        tells: None,
        basis: Basis::Packets,
        source: RAW,
        positive: &["icmp 198.18.0.1 > 198.18.2.5 type=13 icmp_id=34764 len=40 ttl=51 id=32546"],
        near_miss: &["icmp 198.18.0.1 > 198.18.2.5 type=13 icmp_id=34764 len=40 ttl=64 id=32546"],
    },
];
