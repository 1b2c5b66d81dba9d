//! Packets per second of one core: `cargo bench -p probeline-packet`.
//!
//! Each case decodes 4096 frames that lie one behind the other, as a reader hands them out; they differ in addresses,
//! ports and numbers, not in kind, so branches are predicted as well as in a flood of one kind. `mixed` is not.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use probeline_packet::{Options, Transport, decode};
use probeline_testkit::{Packet, TcpOption};

const FRAMES: usize = 4096;

fn main() {
    divan::main();
}

fn source(n: usize) -> String {
    format!("203.0.{}.{}", n >> 8 & 0xff, n & 0xff)
}

fn syn(n: usize) -> Packet {
    Packet::tcp(source(n).as_str(), 1024 + n as u16, "198.51.100.9", 23).flags("S").seq(n as u32 * 7919)
}

fn syn_with_options(n: usize) -> Packet {
    syn(n).options(TcpOption::list("mss=1460,sackok,ts=1:0,nop,ws=7"))
}

fn syn6(n: usize) -> Packet {
    Packet::tcp("2001:db8::7", 1024 + n as u16, "2001:db8::9", 23).flags("S").seq(n as u32)
}

fn datagram(n: usize) -> Packet {
    Packet::udp(source(n).as_str(), 1024 + n as u16, "198.51.100.9", 5060).payload(vec![n as u8; 300])
}

fn unreachable(n: usize) -> Packet {
    Packet::icmp(source(n).as_str(), "198.51.100.9", 3, 3).quoting(&datagram(n), 28)
}

fn mixed(n: usize) -> Packet {
    match ((n * 2_654_435_761) >> 7) & 7 {
        0..4 => syn(n),
        4 => syn_with_options(n),
        5 => syn6(n),
        6 => datagram(n),
        _ => unreachable(n),
    }
}

/// Frames of one kind, padded to Ethernet's least length.
fn frames(make: fn(usize) -> Packet) -> Vec<Vec<u8>> {
    let frame = |n| {
        let mut bytes = make(n).bytes();
        bytes.resize(bytes.len().max(60), 0);
        bytes
    };
    (0..FRAMES).map(frame).collect()
}

fn run(bencher: Bencher<'_, '_>, make: fn(usize) -> Packet, opts: Options) {
    let frames = frames(make);
    bencher.counter(ItemsCount::new(FRAMES)).bench_local(|| {
        for frame in &frames {
            // By reference: a caller that hands the packet on by value pays for the copy itself.
            black_box(&decode(1, black_box(frame), frame.len() as u32, &opts));
        }
    });
}

const PLAIN: Options = Options { inner: false, checksums: false };

#[divan::bench]
fn tcp_syn(bencher: Bencher<'_, '_>) {
    run(bencher, syn, PLAIN);
}

#[divan::bench]
fn tcp_syn_options(bencher: Bencher<'_, '_>) {
    run(bencher, syn_with_options, PLAIN);
}

#[divan::bench]
fn tcp_syn_ipv6(bencher: Bencher<'_, '_>) {
    run(bencher, syn6, PLAIN);
}

#[divan::bench]
fn udp(bencher: Bencher<'_, '_>) {
    run(bencher, datagram, PLAIN);
}

#[divan::bench]
fn icmp_quoting(bencher: Bencher<'_, '_>) {
    run(bencher, unreachable, PLAIN);
}

#[divan::bench]
fn mixed_kinds(bencher: Bencher<'_, '_>) {
    run(bencher, mixed, PLAIN);
}

#[divan::bench]
fn tcp_syn_inner(bencher: Bencher<'_, '_>) {
    run(bencher, syn, Options { inner: true, ..PLAIN });
}

#[divan::bench]
fn tcp_syn_checksums(bencher: Bencher<'_, '_>) {
    run(bencher, syn, Options { checksums: true, ..PLAIN });
}

#[divan::bench]
fn udp_checksums(bencher: Bencher<'_, '_>) {
    run(bencher, datagram, Options { checksums: true, ..PLAIN });
}

/// The kinds of the options on top of decoding, as a row needs them.
#[divan::bench]
fn tcp_syn_options_listed(bencher: Bencher<'_, '_>) {
    let frames = frames(syn_with_options);
    bencher.counter(ItemsCount::new(FRAMES)).bench_local(|| {
        for frame in &frames {
            let packet = decode(1, black_box(frame), frame.len() as u32, &PLAIN);
            let Ok(Transport::Tcp(tcp)) = packet.as_ref().map(|packet| &packet.transport) else { continue };
            for option in &tcp.options {
                black_box(option.kind);
            }
        }
    });
}
