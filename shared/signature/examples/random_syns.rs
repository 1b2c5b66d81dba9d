//! How often rules match what no scanner sent: SYN packets whose header fields are uniform random numbers.
//!
//! ```sh
//! cargo run --release --package probeline-signature --example random_syns -- 100000000 > random.csv
//! ```
//!
//! Half of the packets come from sources of one packet, half from a thousand heavy sources. Written as CSV: for every
//! rule that can be asked of a SYN, the packets it was asked about, its matches and the matches that its stated chance
//! gives; then, under `label:…`, the packets that were given a tool, by kind of source and confidence.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use probeline_record::{TcpFlags, Ts};
use probeline_signature::{Engine, Facts, Kind, Lacks, Layout, Options, Packet};

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

fn packet(number: u64, random: &mut Random) -> Packet {
    let (a, b, c, d) = (random.draw(), random.draw(), random.draw(), random.draw());
    // The other sources count through 16.0.0.0 and up, so that none comes twice.
    let src = if number.is_multiple_of(2) {
        HEAVY_NET + (d >> 32) as u32 % HEAVY as u32
    } else {
        0x1000_0000 + (number / 2) as u32
    };
    let facts = Facts {
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
    };
    Packet::new(IpAddr::V4(Ipv4Addr::from(src)), facts, &[])
}

fn main() -> Result<(), Box<dyn Error>> {
    let packets: u64 = std::env::args().nth(1).unwrap_or_else(|| "1000000".to_owned()).parse()?;
    let mut random = Random(1);
    // A verdict needs no patience here, only the order of packets.
    let mut engine = Engine::new(&Options { settle: Duration::ZERO, ..Options::default() });
    let mut labels: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
    for number in 0..packets {
        engine.push(&packet(number, &mut random));
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
