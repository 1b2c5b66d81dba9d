//! Operating systems: what is sent by connect(), behind which any program may be.

use probeline_record::field;

use super::{SYN, any, shape};
use crate::layout::Layout;
use crate::packet::Packet;
use crate::rule::{Basis, Rule, Test, Weight};
use crate::tool::Tool;
use crate::traits::Traits;

const LINUX: &str = "net/ipv4/tcp_output.c (tcp_select_initial_window) in its versions";
const P0F: &str = "p0f v3 README: what operating systems send";

/// Every system here sets the don't-fragment flag, which IPv6 does not have, and sends options behind the segment size.
const CONNECT: Traits = Traits::all(&[Traits::MSS_AND_MORE, Traits::UNFRAGMENTED, Traits::NO_ACK]);

fn linux(p: &Packet) -> bool {
    p.opts == Layout::of(&[2, 4, 8, 1, 3]) || p.opts == Layout::of(&[2, 1, 1, 4, 1, 3])
}

/// The window in whole segments.
fn segments(p: &Packet) -> Option<u16> {
    let mss = p.mss.filter(|mss| *mss > 0)?;
    p.win.is_multiple_of(mss).then_some(p.win / mss)
}

/// As many whole segments as 65535 holds.
fn largest(p: &Packet) -> bool {
    p.mss.is_some_and(|mss| mss > 0 && p.win == 65535 / mss * mss)
}

macro_rules! system {
    ($id:literal, $tells:literal, $ttl:ident, $holds:expr, $says:literal, $versions:literal, $basis:ident, $source:expr,
        $positive:literal, $near_miss:literal) => {
        Rule {
            id: $id,
            tool: Tool::OsStack,
            test: Test::Packet($holds),
            weight: Weight::Shape(Some(5)),
            kinds: SYN,
            of: Traits::all(&[CONNECT, Traits::$ttl]),
            says: $says,
            needs: shape!(),
            versions: $versions,
            tells: Some($tells),
            basis: Basis::$basis,
            source: $source,
            positive: &[$positive],
            near_miss: &[$near_miss],
        }
    };
}

pub(super) const RULES: &[Rule] = &[
    system!(
        "os-stack-linux-4.20",
        "linux>=4.20",
        TTL_FROM_64,
        |p| linux(p) && largest(p),
        "tcp_opts 2-4-8-1-3 (2-1-1-4-1-3 without timestamps), ip_df 1, ttl <= 64, tcp_win the most whole segments below 65536",
        "Linux 4.20 and later, Android",
        Packets,
        LINUX,
        "tcp 198.18.0.1 56028 > 198.18.2.6 199 S len=60 ttl=64 df=1 id=41848 seq=2942207570 win=64240 opts=2-4-8-1-3 mss=1460 ws=10 tsval=1510834103",
        "tcp 198.18.0.1 56028 > 198.18.2.6 199 S len=60 ttl=64 id=41848 seq=2942207570 win=64240 opts=2-4-8-1-3 mss=1460 ws=10 tsval=1510834103"
    ),
    system!(
        "os-stack-linux-3.10",
        "linux-3.10..4.19",
        TTL_FROM_64,
        |p| linux(p) && segments(p) == Some(20),
        "as os-stack-linux-4.20, with a tcp_win of 20 segments",
        "Linux 3.10 to 4.19, Android",
        Literature,
        LINUX,
        "tcp 192.0.2.1 56028 > 198.18.2.6 22 S len=60 ttl=50 df=1 id=41848 seq=2942207570 win=29200 opts=2-4-8-1-3 mss=1460 ws=7 tsval=1510834103",
        "tcp 192.0.2.1 56028 > 198.18.2.6 22 S len=60 ttl=50 df=1 id=41848 seq=2942207570 win=29201 opts=2-4-8-1-3 mss=1460 ws=7 tsval=1510834103"
    ),
    system!(
        "os-stack-linux-3.0",
        "linux-2.6.39..3.9",
        TTL_FROM_64,
        |p| linux(p) && segments(p) == Some(10),
        "as os-stack-linux-4.20, with a tcp_win of 10 segments",
        "Linux 2.6.39 to 3.9, Android",
        Literature,
        LINUX,
        "tcp 192.0.2.1 56028 > 198.18.2.6 22 S len=60 ttl=50 df=1 id=41848 seq=2942207570 win=14600 opts=2-4-8-1-3 mss=1460 ws=7 tsval=1510834103",
        "tcp 192.0.2.1 56028 > 198.18.2.6 22 S len=60 ttl=100 df=1 id=41848 seq=2942207570 win=14600 opts=2-4-8-1-3 mss=1460 ws=7 tsval=1510834103"
    ),
    system!(
        "os-stack-linux-2.6",
        "linux<=2.6.38",
        TTL_FROM_64,
        |p| linux(p) && segments(p) == Some(4),
        "as os-stack-linux-4.20, with a tcp_win of 4 segments",
        "Linux 2.4 to 2.6.38",
        Literature,
        LINUX,
        "tcp 192.0.2.1 56028 > 198.18.2.6 22 S len=60 ttl=50 df=1 id=41848 seq=2942207570 win=5840 opts=2-4-8-1-3 mss=1460 ws=7 tsval=1510834103",
        "tcp 192.0.2.1 56028 > 198.18.2.6 22 S len=60 ttl=50 df=1 id=41848 seq=2942207570 win=5840 opts=2-4-8-1-1 mss=1460 tsval=1510834103"
    ),
    system!(
        "os-stack-linux",
        "linux",
        TTL_FROM_64,
        linux,
        "tcp_opts 2-4-8-1-3 or 2-1-1-4-1-3, ip_df 1, ttl <= 64",
        "Linux with a window of its own",
        Literature,
        LINUX,
        "tcp 192.0.2.1 56028 > 198.18.2.6 22 S len=60 ttl=50 df=1 id=41848 seq=2942207570 win=43690 opts=2-4-8-1-3 mss=1460 ws=7 tsval=1510834103",
        "tcp 192.0.2.1 56028 > 198.18.2.6 22 S len=60 ttl=128 df=1 id=41848 seq=2942207570 win=43690 opts=2-4-8-1-3 mss=1460 ws=7 tsval=1510834103"
    ),
    system!(
        "os-stack-windows-10",
        "windows>=10",
        TTL_FROM_128,
        |p| p.opts == Layout::of(&[2, 1, 3, 1, 1, 4]) && p.wscale == Some(8) && p.win >= 64240,
        "tcp_opts 2-1-3-1-1-4, tcp_wscale 8, tcp_win 64240 or more, ip_df 1, ttl 65 to 128",
        "Windows 10, 11, Server 2016 and later",
        Literature,
        P0F,
        "tcp 192.0.2.1 56028 > 198.18.2.6 445 S len=52 ttl=113 df=1 id=4184 seq=2942207570 win=64240 opts=2-1-3-1-1-4 mss=1460 ws=8",
        "tcp 192.0.2.1 56028 > 198.18.2.6 445 S len=52 ttl=64 df=1 id=4184 seq=2942207570 win=64240 opts=2-1-3-1-1-4 mss=1460 ws=8"
    ),
    system!(
        "os-stack-windows-vista",
        "windows-vista..8.1",
        TTL_FROM_128,
        |p| p.opts == Layout::of(&[2, 1, 3, 1, 1, 4]) && p.win == 8192,
        "tcp_opts 2-1-3-1-1-4, tcp_win 8192, ip_df 1, ttl 65 to 128",
        "Windows Vista to 8.1, Server 2008 to 2012",
        Literature,
        P0F,
        "tcp 192.0.2.1 56028 > 198.18.2.6 445 S len=52 ttl=113 df=1 id=4184 seq=2942207570 win=8192 opts=2-1-3-1-1-4 mss=1440 ws=2",
        "tcp 192.0.2.1 56028 > 198.18.2.6 445 S len=52 ttl=113 df=1 id=4184 seq=2942207570 win=8193 opts=2-1-3-1-1-4 mss=1440 ws=2"
    ),
    system!(
        "os-stack-windows-xp",
        "windows<=xp",
        TTL_FROM_128,
        |p| p.opts == Layout::of(&[2, 1, 1, 4]),
        "tcp_opts 2-1-1-4, ip_df 1, ttl 65 to 128",
        "Windows 2000, XP, Server 2003; later ones in retransmissions",
        Literature,
        P0F,
        "tcp 192.0.2.1 4002 > 198.18.2.6 445 S len=48 ttl=113 df=1 id=4184 seq=2942207570 win=65535 opts=2-1-1-4 mss=1460",
        "tcp 192.0.2.1 4002 > 198.18.2.6 445 S len=48 ttl=113 id=4184 seq=2942207570 win=65535 opts=2-1-1-4 mss=1460"
    ),
    system!(
        "os-stack-windows",
        "windows",
        TTL_FROM_128,
        |p| p.opts == Layout::of(&[2, 1, 3, 1, 1, 4]) || p.opts == Layout::of(&[2, 1, 3, 1, 1, 8, 1, 1, 4]),
        "tcp_opts 2-1-3-1-1-4 or 2-1-3-1-1-8-1-1-4, ip_df 1, ttl 65 to 128",
        "Windows with a window of its own",
        Literature,
        P0F,
        "tcp 192.0.2.1 56028 > 198.18.2.6 445 S len=52 ttl=113 df=1 id=4184 seq=2942207570 win=17520 opts=2-1-3-1-1-4 mss=1460 ws=2",
        "tcp 192.0.2.1 56028 > 198.18.2.6 445 S len=52 ttl=129 df=1 id=4184 seq=2942207570 win=17520 opts=2-1-3-1-1-4 mss=1460 ws=2"
    ),
    system!(
        "os-stack-apple",
        "macos",
        TTL_FROM_64,
        |p| p.win == 65535 && p.opts == Layout::of(&[2, 1, 3, 1, 1, 8, 4, 0]),
        "tcp_opts 2-1-3-1-1-8-4-0, tcp_win 65535, ip_df 1, ttl <= 64",
        "macOS, iOS",
        Literature,
        P0F,
        "tcp 192.0.2.1 56028 > 198.18.2.6 443 S len=64 ttl=52 df=1 seq=2942207570 win=65535 opts=2-1-3-1-1-8-4-0 mss=1460 ws=6 tsval=7",
        "tcp 192.0.2.1 56028 > 198.18.2.6 443 S len=64 ttl=52 seq=2942207570 win=65535 opts=2-1-3-1-1-8-4-0 mss=1460 ws=6 tsval=7"
    ),
    system!(
        "os-stack-freebsd",
        "freebsd",
        TTL_FROM_64,
        |p| p.win == 65535 && p.opts == Layout::of(&[2, 1, 3, 4, 8]),
        "tcp_opts 2-1-3-4-8, tcp_win 65535, ip_df 1, ttl <= 64",
        "FreeBSD",
        Literature,
        P0F,
        "tcp 192.0.2.1 56028 > 198.18.2.6 443 S len=60 ttl=52 df=1 seq=2942207570 win=65535 opts=2-1-3-4-8 mss=1460 ws=6 tsval=7",
        "tcp 192.0.2.1 56028 > 198.18.2.6 443 S len=60 ttl=52 df=1 seq=2942207570 win=64240 opts=2-1-3-4-8 mss=1460 ws=6 tsval=7"
    ),
    system!(
        "os-stack-openbsd",
        "openbsd",
        TTL_FROM_64,
        |p| p.win == 16384 && p.wscale != Some(0) && p.opts == Layout::of(&[2, 1, 1, 4, 1, 3, 1, 1, 8]),
        "tcp_opts 2-1-1-4-1-3-1-1-8, tcp_win 16384, tcp_wscale not 0, ip_df 1, ttl <= 64",
        "OpenBSD",
        Literature,
        P0F,
        "tcp 192.0.2.1 56028 > 198.18.2.6 443 S len=64 ttl=52 df=1 seq=2942207570 win=16384 opts=2-1-1-4-1-3-1-1-8 mss=1460 ws=6 tsval=7",
        "tcp 192.0.2.1 56028 > 198.18.2.6 443 S len=64 ttl=52 df=1 seq=2942207570 win=16384 opts=2-1-1-4-1-3-1-1-8 mss=1436 ws=0 tsval=7"
    ),
    Rule {
        id: "os-stack-other",
        tool: Tool::OsStack,
        test: Test::Packet(any),
        weight: Weight::Shape(Some(5)),
        kinds: SYN,
        of: CONNECT,
        says: "tcp_opts begin with 2 and go on, ip_df 1, tcp_ack 0: no scanner here sends its own packets so",
        needs: &[&field::TCP_OPTS, &field::IP_DF, &field::TCP_ACK],
        versions: "any system",
        tells: None,
        basis: Basis::Packets,
        source: P0F,
        positive: &[
            "tcp 192.0.2.1 56028 > 198.18.2.6 443 S len=48 ttl=240 df=1 seq=2942207570 win=4128 opts=2-1-3-0 mss=1460 ws=0",
        ],
        near_miss: &[
            "tcp 192.0.2.1 56028 > 198.18.2.6 443 S len=44 ttl=240 df=1 seq=2942207570 win=4128 opts=2 mss=1460",
        ],
    },
];
