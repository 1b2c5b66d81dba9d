//! Mirai and what was built from its scanner.

use probeline_record::field;

use super::{SYN4, any, shape};
use crate::packet::Facts;
use crate::rule::{Basis, Key, Rule, Test, Weight, bits};
use crate::tool::Tool;
use crate::traits::Traits;

const SCANNER: &str = "mirai/bot/scanner.c, rand.c @4889a6f";

/// Networks that `get_random_ip()` draws again for.
fn never_scanned(dst: u32) -> bool {
    let [a, b, ..] = dst.to_be_bytes();
    matches!(
        a,
        0 | 3 | 6 | 7 | 10 | 11 | 15 | 16 | 21 | 22 | 26 | 28 | 29 | 30 | 33 | 55 | 56 | 127 | 214 | 215
    ) || a >= 224
        || (a == 100 && (64..127).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 168)
        || (a == 198 && (18..20).contains(&b))
}

/// Source port and window are drawn once per scanner process.
pub(crate) fn process(f: &Facts) -> Option<u64> {
    (f.seq == f.dst4()).then_some(u64::from(f.sport) << 16 | u64::from(f.win))
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "mirai-seq",
        tool: Tool::Mirai,
        test: Test::Packet(any),
        weight: Weight::Mark(bits(32)),
        kinds: SYN4,
        of: Traits::SEQ_IS_DST,
        says: "tcp_seq == dst_ip",
        needs: &[&field::TCP_SEQ],
        versions: "every build that keeps the scanner",
        tells: None,
        basis: Basis::Source,
        source: SCANNER,
        positive: &["tcp 198.18.0.99 21840 > 198.18.1.57 2323 S len=40 ttl=64 seq=3323068729 win=54718"],
        near_miss: &["tcp 198.18.0.99 21840 > 198.18.1.57 2323 S len=40 ttl=64 seq=3323068728 win=54718"],
    },
    Rule {
        id: "mirai-shape",
        tool: Tool::Mirai,
        test: Test::Packet(|p| p.sport >= 1024),
        weight: Weight::Detail,
        kinds: SYN4,
        of: Traits::all(&[
            Traits::SEQ_IS_DST,
            Traits::BARE,
            Traits::TTL_FROM_64,
            Traits::PLAIN_IP,
            Traits::NO_ACK,
        ]),
        says: "mirai-seq, no TCP options, ttl <= 64, ip_df 0, ip_tos 0, tcp_ack 0, src_port >= 1024",
        needs: shape!(SRC_PORT, IP_TOS, TCP_SEQ),
        versions: "the published scanner",
        tells: None,
        basis: Basis::Source,
        source: SCANNER,
        positive: &["tcp 198.18.0.99 21840 > 198.18.1.57 23 S len=40 ttl=44 seq=3323068729 win=54718"],
        near_miss: &["tcp 198.18.0.99 21840 > 198.18.1.57 23 S len=40 ttl=144 seq=3323068729 win=54718"],
    },
    Rule {
        id: "mirai-ports",
        tool: Tool::Mirai,
        test: Test::Packet(|p| matches!(p.dport, 23 | 2323)),
        weight: Weight::Detail,
        kinds: SYN4,
        of: Traits::SEQ_IS_DST,
        says: "mirai-seq, dst_port 23 or 2323: the original set of ports",
        needs: &[&field::TCP_SEQ, &field::DST_PORT],
        versions: "the published scanner",
        tells: None,
        basis: Basis::Source,
        source: SCANNER,
        positive: &["tcp 198.18.0.99 21840 > 198.18.1.57 2323 S len=40 ttl=64 seq=3323068729 win=54718"],
        near_miss: &["tcp 198.18.0.99 21840 > 198.18.1.57 8080 S len=40 ttl=64 seq=3323068729 win=54718"],
    },
    Rule {
        id: "mirai-modified",
        tool: Tool::Mirai,
        test: Test::Packet(|p| never_scanned(p.dst4())),
        weight: Weight::Detail,
        kinds: SYN4,
        of: Traits::SEQ_IS_DST,
        says: "mirai-seq to a network that the published scanner leaves out: a modified build",
        needs: &[&field::TCP_SEQ],
        versions: "modified builds",
        tells: None,
        basis: Basis::Source,
        source: SCANNER,
        positive: &["tcp 192.0.2.9 21840 > 198.18.1.57 23 S len=40 ttl=64 seq=3323068729 win=54718"],
        near_miss: &["tcp 192.0.2.9 21840 > 198.51.100.57 23 S len=40 ttl=64 seq=3325256761 win=54718"],
    },
    Rule {
        id: "mirai-process",
        tool: Tool::Mirai,
        test: Test::Key(Key { value: process, differs: Facts::target, bits: 32 }),
        weight: Weight::Detail,
        kinds: SYN4,
        of: Traits::SEQ_IS_DST,
        says: "src_port and tcp_win are those of another mirai-seq packet: one scanner process",
        needs: &[&field::TCP_SEQ, &field::SRC_PORT, &field::TCP_WIN],
        versions: "the published scanner",
        tells: None,
        basis: Basis::Source,
        source: SCANNER,
        positive: &[
            "tcp 198.18.0.99 21840 > 198.18.1.57 2323 S len=40 ttl=64 seq=3323068729 win=54718",
            "tcp 198.18.0.99 21840 > 198.18.1.118 23 S len=40 ttl=64 seq=3323068790 win=54718",
        ],
        near_miss: &[
            "tcp 198.18.0.99 21840 > 198.18.1.57 2323 S len=40 ttl=64 seq=3323068729 win=54718",
            "tcp 198.18.0.99 21841 > 198.18.1.118 23 S len=40 ttl=64 seq=3323068790 win=54718",
        ],
    },
];
