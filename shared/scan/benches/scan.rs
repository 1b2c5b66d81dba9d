//! Packets and probes per second of one core: `cargo bench -p probeline-scan`.
//!
//! A stream of SYNs of which every one opens a flow, at a rate that keeps few or many flows alive: what a flow costs
//! grows when the table leaves the caches.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use probeline_record::{PacketColumns, Proto, RowReader, Ts};
use probeline_scan::{Classifier, GroupOptions, Grouper, NewProbe, Options, Packet, Window};

const PACKETS: u32 = 200_000;

fn main() {
    divan::main();
}

fn mix(n: u32) -> u32 {
    n.wrapping_mul(0x9e37_79b9) ^ n.rotate_left(13)
}

/// The SYN of a row, to be changed in address and time.
fn syn() -> Packet {
    let rows = "ts,src_ip,dst_ip,proto,src_port,dst_port,tcp_flags,ip_len,ttl,payload_len\n\
                1,198.51.100.1,192.0.2.1,tcp,40000,23,S,40,52,0\n";
    let mut rows = RowReader::new(rows.as_bytes()).expect("rows");
    let columns = PacketColumns::find(&mut rows).expect("packet rows");
    let row = rows.next_row().expect("rows").expect("a row");
    Packet::from_row(&columns.packet(row)).expect("a packet")
}

fn at(n: u32, rate: u32) -> Ts {
    Ts::from_nanos(i64::from(n) * 1_000_000_000 / i64::from(rate))
}

/// Packets per second: 22 as a /24 sees them, and 2000.
#[divan::bench(args = [22, 2000], sample_count = 10)]
fn classify(bencher: Bencher<'_, '_>, rate: u32) {
    let syn = syn();
    let kept = [b'x'; 110];
    bencher.counter(ItemsCount::new(PACKETS)).bench_local(|| {
        let mut classifier = Classifier::new(Options::default());
        let mut packets = 0;
        let mut emit = |probe: probeline_scan::Probe<'_>| -> Result<(), Infallible> {
            packets += probe.packets;
            Ok(())
        };
        for n in 0..PACKETS {
            let src = IpAddr::V4(Ipv4Addr::from(mix(n)));
            let Ok(()) = classifier.push(&Packet { ts: at(n, rate), src, ..syn }, &kept, &mut emit);
        }
        let Ok(()) = classifier.finish(&mut emit);
        packets
    });
}

/// Sources that take turns, by which probes are grouped.
#[divan::bench(args = [100, 100_000], sample_count = 10)]
fn group(bencher: Bencher<'_, '_>, sources: u32) {
    let options = GroupOptions::new(Window::Anchored(Duration::from_secs(300)), Duration::from_secs(5));
    bencher.counter(ItemsCount::new(PACKETS)).bench_local(|| {
        let mut grouper = Grouper::with_options(options);
        let mut probes = 0;
        let mut emit = |session: probeline_scan::Session<'_>| -> Result<(), Infallible> {
            probes += session.probes;
            Ok(())
        };
        for n in 0..PACKETS {
            let src = mix(n % sources);
            let probe = NewProbe {
                ts: at(n, 22),
                ts_digits: 6,
                key: &src.to_le_bytes(),
                proto: Proto::TCP,
                src: IpAddr::V4(Ipv4Addr::from(src)),
                dst: IpAddr::V4(Ipv4Addr::new(192, 0, 2, n as u8)),
                dst_port: Some(23),
                technique: b"syn",
                tool: b"",
                packets: 1,
                bytes: 40,
            };
            let Ok(()) = grouper.push(&probe, &mut emit);
        }
        let Ok(()) = grouper.finish(&mut emit);
        probes
    });
}
