//! naabu with packets of its own.

use probeline_record::{TcpFlags, field};

use super::{SYN4, TCP, shape};
use crate::layout::Layout;
use crate::packet::{Facts, Packet};
use crate::rule::{Basis, Rule, Test, Weight, bits};
use crate::tool::Tool;
use crate::traits::Traits;

const SCAN_RAW: &str = "pkg/scan/scan_raw.go, tcpsequencer.go @cd8b974";

/// A probe by way of the kernel's raw socket, which sets the don't-fragment flag.
const RAW: Traits = Traits::all(&[
    Traits::WIN_1024,
    Traits::ONLY_MSS_1460,
    Traits::UNFRAGMENTED,
    Traits::TTL_FROM_64,
    Traits::NO_ACK,
]);

/// The counter's reach: sixteen million probes.
const COUNTED: u32 = 1 << 24;

fn may_count(earlier: &Facts, later: &Facts) -> bool {
    earlier.sport == later.sport && earlier.seq != later.seq
}

fn counts(earlier: &Facts, later: &Facts) -> bool {
    earlier.seq < later.seq && later.seq < COUNTED
}

/// The segment size that marks host discovery.
const MARK_MSS: u16 = 0x1234;

fn mss_mark(p: &Packet) -> bool {
    p.mss == Some(MARK_MSS) && p.opts == Layout::of(&[2])
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "naabu-counter",
        tool: Tool::Naabu,
        test: Test::Pair(may_count, counts),
        // Two of 8 bits, in one of two orders.
        weight: Weight::Mark(bits(17)),
        kinds: SYN4,
        of: RAW,
        says: "two SYN in a row from one port, with the shape of naabu-shape: tcp_seq below 2^24 and rising, a counter from 0",
        needs: shape!(TCP_SEQ),
        versions: "2.0.0 and later",
        tells: Some(">=2.0.0"),
        basis: Basis::Source,
        source: SCAN_RAW,
        positive: &[
            "tcp 198.18.0.1 40123 > 198.18.1.5 80 S len=44 ttl=64 df=1 id=1 seq=17 win=1024 opts=2 mss=1460",
            "tcp 198.18.0.1 40123 > 198.18.1.6 80 S len=44 ttl=64 df=1 id=9 seq=21 win=1024 opts=2 mss=1460",
        ],
        near_miss: &[
            "tcp 198.18.0.1 40123 > 198.18.1.5 80 S len=44 ttl=64 df=1 id=1 seq=17 win=1024 opts=2 mss=1460",
            "tcp 198.18.0.1 40123 > 198.18.1.6 80 S len=44 ttl=64 df=1 id=9 seq=16 win=1024 opts=2 mss=1460",
        ],
    },
    Rule {
        id: "naabu-shape",
        tool: Tool::Naabu,
        test: Test::Packet(|p| p.seq < COUNTED),
        weight: Weight::Shape(None),
        kinds: SYN4,
        of: RAW,
        says: "tcp_win 1024, tcp_opts 2, tcp_mss 1460, ip_df 1, ttl <= 64, tcp_ack 0, tcp_seq below 2^24",
        needs: shape!(),
        versions: "2.0.0 and later",
        tells: None,
        basis: Basis::Source,
        source: SCAN_RAW,
        positive: &[
            "tcp 198.18.0.1 40123 > 198.18.1.5 80 S len=44 ttl=64 df=1 id=1 seq=17 win=1024 opts=2 mss=1460",
        ],
        near_miss: &[
            "tcp 198.18.0.1 40123 > 198.18.1.5 80 S len=44 ttl=64 id=1 seq=17 win=1024 opts=2 mss=1460",
        ],
    },
    Rule {
        id: "naabu-ack-mss",
        tool: Tool::Naabu,
        test: Test::PacketIf(|p| p.flags.classic() == TcpFlags::ACK, mss_mark),
        // A segment size of 16 bits, on a packet that never carries the option.
        weight: Weight::Mark(bits(32)),
        kinds: TCP,
        of: Traits::NONE,
        says: "flags A, tcp_opts 2, tcp_mss 4660",
        needs: &[&field::TCP_FLAGS, &field::TCP_MSS, &field::TCP_OPTS],
        versions: "git",
        tells: None,
        basis: Basis::Source,
        source: SCAN_RAW,
        positive: &[
            "tcp 198.18.0.1 40123 > 198.18.1.5 80 A len=44 ttl=64 df=1 id=1 seq=17 win=1024 opts=2 mss=4660",
        ],
        near_miss: &[
            "tcp 198.18.0.1 40123 > 198.18.1.5 80 A len=44 ttl=64 df=1 id=1 seq=17 win=1024 opts=2 mss=1460",
        ],
    },
    Rule {
        id: "naabu-syn-mss",
        tool: Tool::Naabu,
        test: Test::PacketIf(|p| p.opts == Layout::of(&[2]), mss_mark),
        weight: Weight::Mark(bits(16)),
        kinds: SYN4,
        of: Traits::NONE,
        says: "tcp_opts 2, tcp_mss 4660 on a SYN",
        needs: &[&field::TCP_MSS, &field::TCP_OPTS],
        versions: "1.x",
        tells: Some("1.x"),
        basis: Basis::Source,
        source: "pkg/scan before b1f9c56",
        positive: &[
            "tcp 198.18.0.1 40123 > 198.18.1.5 80 S len=44 ttl=64 df=1 id=1 seq=170000 win=1024 opts=2 mss=4660",
        ],
        near_miss: &[
            "tcp 198.18.0.1 40123 > 198.18.1.5 80 S len=44 ttl=64 df=1 id=1 seq=170000 win=1024 opts=2 mss=4661",
        ],
    },
];
