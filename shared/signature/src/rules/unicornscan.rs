//! Unicornscan.

use probeline_record::field;

use super::{SYN4, shape};
use crate::layout::Layout;
use crate::packet::{Facts, Packet};
use crate::rule::{Basis, Key, Rule, Test, Weight};
use crate::tool::Tool;
use crate::traits::Traits;

const TCPHASH: &str = "src/scan_progs/tcphash.h, send_packet.c @50cfd04";

/// The key of the run, of a probe from a little-endian sender. Write-ups give the formula for the reply, which needs
/// other fields.
pub(crate) fn key(f: &Facts) -> u32 {
    f.seq ^ f.dst4().swap_bytes() ^ (u32::from(f.dport) << 16).wrapping_add(f.sport.into())
}

fn place(f: &Facts) -> u64 {
    f.target() ^ u64::from(f.sport)
}

/// The default template: OpenBSD 3, with a segment size of the interface's MTU less 64 and a window scale of 0, which
/// OpenBSD does not send.
fn shape(p: &Packet) -> bool {
    p.win == 16384 && p.opts == Layout::of(&[2, 1, 1, 4, 1, 3, 1, 1, 8]) && p.wscale == Some(0)
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "unicornscan-key",
        tool: Tool::Unicornscan,
        test: Test::Key(Key { value: |f| Some(key(f).into()), differs: place, bits: 32 }),
        weight: Weight::Mark(1.0 / 4_294_967_296.0),
        kinds: SYN4,
        of: Traits::NONE,
        says: "tcp_seq ^ (dst_ip with octets swapped) ^ ((dst_port << 16) + src_port) is that of another packet of the source with other ports or destination",
        needs: &[&field::TCP_SEQ, &field::SRC_PORT, &field::DST_PORT],
        versions: "0.4.7, little-endian sender, any template (-W)",
        tells: None,
        basis: Basis::Packets,
        source: TCPHASH,
        positive: &[
            "tcp 198.18.0.1 22525 > 198.18.1.127 443 S len=64 ttl=64 df=1 id=43700 seq=4185189725 win=16384",
            "tcp 198.18.0.1 24211 > 198.18.1.126 443 S len=64 ttl=64 df=1 id=65092 seq=4168410163 win=16384",
        ],
        near_miss: &[
            "tcp 198.18.0.1 22525 > 198.18.1.127 443 S len=64 ttl=64 df=1 id=43700 seq=4185189725 win=16384",
            "tcp 198.18.0.1 22525 > 198.18.1.127 443 S len=64 ttl=64 df=1 id=43701 seq=4185189725 win=16384",
        ],
    },
    Rule {
        id: "unicornscan-shape",
        tool: Tool::Unicornscan,
        test: Test::Packet(shape),
        weight: Weight::Shape(None),
        kinds: SYN4,
        of: Traits::all(&[Traits::MSS_AND_MORE, Traits::UNFRAGMENTED, Traits::TTL_FROM_64, Traits::NO_ACK]),
        says: "tcp_win 16384, tcp_opts 2-1-1-4-1-3-1-1-8, tcp_wscale 0, ip_df 1, ttl <= 64, tcp_ack 0",
        needs: shape!(),
        versions: "0.4.7, default template",
        tells: None,
        basis: Basis::Packets,
        source: "src/scan_progs/init_packet.c @50cfd04",
        positive: &[
            "tcp 198.18.0.1 22525 > 198.18.1.127 443 S len=64 ttl=64 df=1 id=43700 seq=4185189725 win=16384 opts=2-1-1-4-1-3-1-1-8 mss=1436 ws=0 tsval=782382294",
        ],
        near_miss: &[
            "tcp 198.18.0.1 22525 > 198.18.1.127 443 S len=64 ttl=64 df=1 id=43700 seq=4185189725 win=16384 opts=2-1-1-4-1-3-1-1-8 mss=1460 ws=6 tsval=782382294",
        ],
    },
];
