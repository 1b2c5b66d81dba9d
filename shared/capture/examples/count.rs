//! Counts the packets of a capture with libpcap and nothing else: the floor that benchmarks compare with.

use std::io::Write;

use pcap::Capture;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("usage: count FILE")?;
    let mut capture = Capture::from_file(file)?;
    let (mut packets, mut bytes) = (0u64, 0u64);
    capture.for_each(None, |packet| {
        packets += 1;
        bytes += packet.data.len() as u64;
    })?;
    writeln!(std::io::stdout(), "{packets} packets, {bytes} bytes")?;
    Ok(())
}
