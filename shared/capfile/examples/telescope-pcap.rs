//! Writes a capture as a telescope of one /24 sees it, for benchmarks: `telescope-pcap PACKETS FILE`.
//!
//! Seeded, so that every machine measures the same bytes: 20,000 sources of which few send most (log-uniform rates), 2,000
//! packets/s, TCP SYNs with the options of common scanners and systems (84 %), UDP (8 %), ICMP echo (4 %), SYN/ACK and
//! RST backscatter (4 %), one SYN in ten sent again. Headers are right, checksums are not computed.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use probeline_capfile::{LinkType, PcapWriter};

/// xorshift64* (Vigna 2016): enough randomness for headers, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 16) % bound
    }
}

const SOURCES: u64 = 20_000;
const PORTS: [u16; 10] = [23, 22, 80, 443, 8080, 3389, 5555, 2323, 445, 81];
/// Options of the SYN and its window: none, MSS alone, and what Linux and Windows send.
const STACKS: [(&[u8], u16); 4] = [
    (&[], 1024),
    (&[2, 4, 5, 180], 1024),
    (&[2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0, 1, 3, 3, 7], 64240),
    (&[2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2], 65535),
];

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(packets), Some(file)) = (args.next().and_then(|n| n.parse::<u64>().ok()), args.next()) else {
        return Err(io::Error::other("usage: telescope-pcap PACKETS FILE"));
    };
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let out = BufWriter::with_capacity(1 << 20, File::create(file)?);
    let mut capture = PcapWriter::new(out, LinkType::ETHERNET, 65_535, false)?;
    let mut frame = Vec::with_capacity(128);
    let mut again = false;
    for i in 0..packets {
        // 2,000 packets a second, with some jitter that keeps their order.
        let ts = 1_700_000_000_000_000_000 + i as i64 * 500_000 + random.below(400) as i64 * 1000;
        again = again && !frame.is_empty();
        if !again {
            build(&mut frame, &mut random);
        }
        capture.write(ts, frame.len() as u32, &frame)?;
        again = !again && random.below(10) == 0;
    }
    capture.flush()?;
    capture.into_inner().flush()
}

fn build(frame: &mut Vec<u8>, random: &mut Random) {
    frame.clear();
    frame.extend_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]);
    // The product of two uniform numbers makes few sources send most.
    let source = random.below(SOURCES) * random.below(SOURCES) / SOURCES;
    let mixed = source.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let src = [(mixed >> 56) as u8 % 222 + 1, (mixed >> 48) as u8, (mixed >> 40) as u8, (mixed >> 32) as u8];
    let dst = [192, 0, 2, random.below(256) as u8];
    let id = random.next() as u16;
    let ttl = [52, 64, 113, 243][(source % 4) as usize];
    let (proto, body) = match random.below(100) {
        0..84 => (6, tcp(random, 2, STACKS[(source % 4) as usize])),
        84..92 => (17, udp(random)),
        92..96 => (1, vec![8, 0, 0, 0, 0, source as u8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
        96..98 => (6, tcp(random, 0x12, STACKS[1])),
        _ => (6, tcp(random, 0x14, STACKS[0])),
    };
    let length = (20 + body.len()) as u16;
    frame.extend_from_slice(&[0x45, 0]);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&id.to_be_bytes());
    frame.extend_from_slice(&[if ttl == 52 { 0x40 } else { 0 }, 0, ttl, proto, 0, 0]);
    frame.extend_from_slice(&src);
    frame.extend_from_slice(&dst);
    frame.extend_from_slice(&body);
    frame.resize(frame.len().max(60), 0);
}

fn port(random: &mut Random) -> [u8; 2] {
    let choice = random.below(16) as usize;
    PORTS.get(choice).copied().unwrap_or(random.next() as u16).to_be_bytes()
}

fn tcp(random: &mut Random, flags: u8, (options, window): (&[u8], u16)) -> Vec<u8> {
    let mut segment = Vec::with_capacity(20 + options.len());
    segment.extend_from_slice(&(1024 + random.below(60_000) as u16).to_be_bytes());
    segment.extend_from_slice(&port(random));
    segment.extend_from_slice(&(random.next() as u32).to_be_bytes());
    segment.extend_from_slice(&[0; 4]);
    segment.extend_from_slice(&[((20 + options.len()) as u8 / 4) << 4, flags]);
    segment.extend_from_slice(&window.to_be_bytes());
    segment.extend_from_slice(&[0; 4]);
    segment.extend_from_slice(options);
    segment
}

fn udp(random: &mut Random) -> Vec<u8> {
    let mut datagram = Vec::with_capacity(32);
    datagram.extend_from_slice(&(1024 + random.below(60_000) as u16).to_be_bytes());
    datagram.extend_from_slice(&[[0, 53], [0x13, 0xc4], [0, 123], [7, 108]][random.below(4) as usize]);
    datagram.extend_from_slice(&28u16.to_be_bytes());
    datagram.extend_from_slice(&[0; 2]);
    datagram.extend_from_slice(&random.next().to_be_bytes());
    datagram.extend_from_slice(&random.next().to_be_bytes());
    datagram.extend_from_slice(&[0; 4]);
    datagram
}
