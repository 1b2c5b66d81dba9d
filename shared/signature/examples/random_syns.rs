//! How often rules match what no scanner sent: SYN packets whose fields are random numbers.
//!
//! ```sh
//! cargo run --release --package probeline-signature --example random_syns -- 100000000 shapes > random.csv
//! ```
//!
//! `uniform`: every field of the headers is a uniform random number; of four packets two have no options, one has a
//! segment size, one that and a scale and timestamp. `shapes`: time to live, flags of IP,
//! window and options are those of common systems and of scanners, drawn independently of each other, and only addresses,
//! ports, numbers and timestamps are uniform: what tells a tool's packets from those that look alike.
//!
//! Half of the packets come from sources of one packet, half from a thousand heavy sources. Written as CSV: for every
//! rule that can be asked of a SYN, the packets it was asked about, its matches and the matches that its stated chance
//! gives; then, under `label:…`, the packets that were given a tool, by kind of source, confidence and tool. The packets go
//! through the engine of `fingerprint`, one by one; none is stored.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use probeline_record::{TcpFlags, Ts};
use probeline_signature::{Engine, Facts, Kind, Lacks, Layout, Options, Packet, Traits};

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
struct Random(u64);

impl Random {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

/// Sources that send many packets each.
const HEAVY: u64 = 1000;
/// Their addresses begin here: 10.0.0.0.
const HEAVY_NET: u32 = 0x0a00_0000;

/// Options of a SYN: kinds in order, and their octets.
const OPTIONS: [(&[u8], u32); 8] = [
    (&[], 0),
    (&[2], 4),
    (&[2, 4, 8, 1, 3], 20),
    (&[2, 1, 3, 1, 1, 4], 12),
    (&[2, 1, 1, 4], 8),
    (&[2, 1, 3, 1, 1, 8, 4, 0], 24),
    (&[2, 4, 8, 1, 3], 20),
    (&[2, 1, 3, 1, 1, 4], 12),
];
const WINDOWS: [u16; 16] =
    [64240, 65535, 29200, 14600, 8192, 5840, 5720, 1024, 1025, 0, 512, 4128, 16384, 32768, 1480, 4096];
const SIZES: [u16; 8] = [1460, 1460, 1460, 1460, 1440, 1400, 1360, 536];
const INITIAL_TTL: [u8; 4] = [64, 64, 128, 255];

/// Options whose values are uniform.
fn dress_uniformly(facts: &mut Facts, random: &mut Random) {
    let a = random.draw();
    let (kinds, octets) = OPTIONS[[0, 0, 1, 2][a as usize % 4]];
    facts.opts = Layout::of(kinds);
    facts.len = 40 + octets;
    facts.mss = kinds.contains(&2).then_some((a >> 8) as u16);
    facts.wscale = kinds.contains(&3).then_some((a >> 24) as u8);
    facts.tsval = kinds.contains(&8).then_some((a >> 32) as u32);
}

/// Puts on what common systems and scanners look like, each field on its own.
fn dress(facts: &mut Facts, random: &mut Random) {
    let a = random.draw();
    let (kinds, octets) = OPTIONS[a as usize % 8];
    let has = |kind| kinds.contains(&kind);
    facts.opts = Layout::of(kinds);
    facts.len = 40 + octets;
    facts.mss = has(2).then_some(SIZES[(a >> 3) as usize % 8]);
    facts.wscale = has(3).then_some((a >> 6) as u8 % 11);
    facts.tsval = has(8).then_some(random.draw() as u32);
    facts.win = WINDOWS[(a >> 16) as usize % 16];
    facts.ttl = INITIAL_TTL[(a >> 20) as usize % 4] - (a >> 24) as u8 % 31;
    facts.ack = 0;
}

fn packet(number: u64, random: &mut Random, shapes: bool) -> Packet {
    let (a, b, c, d) = (random.draw(), random.draw(), random.draw(), random.draw());
    // The other sources count through 16.0.0.0 and up, so that none comes twice.
    let src = if number.is_multiple_of(2) {
        HEAVY_NET + (d >> 32) as u32 % HEAVY as u32
    } else {
        0x1000_0000 + (number / 2) as u32
    };
    let mut facts = Facts {
        ts: Ts::from_nanos(1_700_000_000_000_000_000 + number as i64 * 10_000),
        dst: IpAddr::V4(Ipv4Addr::from(a as u32)),
        kind: Kind::Syn4,
        lacks: Lacks::default(),
        df: a >> 32 & 1 == 1,
        ttl: (a >> 40) as u8,
        tos: 0,
        id: (a >> 48) as u16,
        sport: b as u16,
        dport: (b >> 16) as u16,
        flags: TcpFlags::SYN,
        win: (b >> 32) as u16,
        seq: c as u32,
        ack: if d & 1 == 1 { (c >> 32) as u32 } else { 0 },
        len: 40,
        payload_len: 0,
        opts: Layout::NONE,
        mss: None,
        wscale: None,
        tsval: None,
        icmp_type: 0,
        icmp_code: 0,
        icmp_id: 0,
        icmp_seq: 0,
        udp_sum: 0,
        traits: Traits::NONE,
    };
    if shapes {
        dress(&mut facts, random);
    } else {
        dress_uniformly(&mut facts, random);
    }
    Packet::new(IpAddr::V4(Ipv4Addr::from(src)), facts, &[])
}

fn main() -> Result<(), Box<dyn Error>> {
    let packets: u64 = std::env::args().nth(1).unwrap_or_else(|| "1000000".to_owned()).parse()?;
    let shapes = match std::env::args().nth(2).as_deref() {
        None | Some("uniform") => false,
        Some("shapes") => true,
        Some(other) => return Err(format!("{other}: uniform or shapes").into()),
    };
    let mut random = Random(1);
    // A verdict needs no patience here, only the order of packets.
    let mut engine = Engine::new(&Options { settle: Duration::ZERO, ..Options::default() });
    let mut labels: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
    for number in 0..packets {
        engine.push(&packet(number, &mut random, shapes));
        let kind = if number.is_multiple_of(2) { "heavy" } else { "single" };
        while let Some(verdict) = engine.pop() {
            let confidence = verdict.confidence.map_or("none", |confidence| confidence.name());
            *labels.entry((kind, confidence, verdict.tool.name())).or_default() += 1;
        }
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "rule,asked,matched,expected")?;
    for (rule, asked) in engine.tally().rules().filter(|(_, asked)| asked.times > 0) {
        let expected = asked.expected(rule).map(|expected| format!("{expected:.3}")).unwrap_or_default();
        writeln!(out, "{},{},{},{expected}", rule.id, asked.times, asked.matched)?;
    }
    for ((kind, confidence, tool), count) in labels {
        writeln!(out, "label:{kind}:{confidence}:{tool},{},{count},", packets / 2)?;
    }
    Ok(())
}
