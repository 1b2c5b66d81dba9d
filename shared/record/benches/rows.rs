//! Rows per second of one core, read and written, beside the csv crate: `cargo bench -p probeline-record`.
//!
//! The rows are packet rows of SYNs, about 120 octets each, which no two have the same numbers.

use std::net::{IpAddr, Ipv4Addr};

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use probeline_record::{Encoder, Field, Format, PacketColumns, RowReader, Ts, field, rows};

const ROWS: u32 = 4096;

/// The columns that are filled in; the others of the packet row are absent, as in a SYN without options.
const FILLED: &[&Field] = &[&field::IP_LEN, &field::TTL, &field::IP_ID, &field::TCP_SEQ, &field::TCP_WIN];

fn main() {
    divan::main();
}

fn mix(n: u32) -> u32 {
    n.wrapping_mul(0x9e37_79b9) ^ n.rotate_left(13)
}

fn write_row(n: u32, out: &mut Encoder<Vec<u8>>) {
    out.begin();
    out.ts(Ts::from_nanos(1_700_000_000_000_000_000 + i64::from(n) * 45_123_000), 6);
    out.ip(IpAddr::V4(Ipv4Addr::from(mix(n))));
    out.ip(IpAddr::V4(Ipv4Addr::new(192, 0, 2, n as u8)));
    out.word("tcp");
    out.uint(mix(n) as u16);
    out.uint(23u16);
    out.word("S");
    for column in &rows::PACKET[7..] {
        if FILLED.contains(column) {
            out.uint(mix(n) as u16);
        } else {
            out.absent();
        }
    }
    out.end().expect("a Vec takes everything");
}

fn packet_rows(format: Format) -> Vec<u8> {
    let mut out = Encoder::with_fields(Vec::new(), format, rows::PACKET);
    (0..ROWS).for_each(|n| write_row(n, &mut out));
    out.flush().expect("a Vec takes everything");
    out.into_inner()
}

#[divan::bench(args = [Format::Csv, Format::Ndjson])]
fn read(bencher: Bencher<'_, '_>, format: Format) {
    let bytes = packet_rows(format);
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let mut reader = RowReader::new(&bytes[..]).expect("rows");
        let mut octets = 0;
        while let Some(row) = reader.next_row().expect("rows") {
            octets += row.raw().len();
        }
        octets
    });
}

/// What scan-classify asks of a SYN's row.
#[divan::bench(args = [Format::Csv, Format::Ndjson])]
fn read_nine_cells(bencher: Bencher<'_, '_>, format: Format) {
    let bytes = packet_rows(format);
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let mut reader = RowReader::new(&bytes[..]).expect("rows");
        let columns = PacketColumns::find(&mut reader).expect("packet rows");
        while let Some(row) = reader.next_row().expect("rows") {
            let packet = columns.packet(row);
            black_box((packet.ts(), packet.src_ip(), packet.dst_ip(), packet.proto()).0.is_ok());
            black_box((packet.src_port(), packet.dst_port(), packet.tcp_flags(), packet.ip_len()).0.is_ok());
            black_box(packet.ttl().is_ok());
        }
    });
}

#[divan::bench]
fn read_by_the_csv_crate(bencher: Bencher<'_, '_>) {
    let bytes = packet_rows(Format::Csv);
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let mut reader = csv::Reader::from_reader(&bytes[..]);
        let mut record = csv::ByteRecord::new();
        let mut octets = 0;
        while reader.read_byte_record(&mut record).expect("rows") {
            octets += record.as_slice().len();
        }
        octets
    });
}

#[divan::bench(args = [Format::Csv, Format::Ndjson])]
fn write(bencher: Bencher<'_, '_>, format: Format) {
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let mut out = Encoder::with_fields(Vec::new(), format, rows::PACKET);
        (0..ROWS).for_each(|n| write_row(black_box(n), &mut out));
        out.rows()
    });
}

/// The same cells as texts, made by the standard library.
#[divan::bench]
fn write_by_the_csv_crate(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(rows::PACKET.iter().map(|column| column.name)).expect("a Vec takes everything");
        for n in (0..ROWS).map(black_box) {
            let nanos = 1_700_000_000_000_000_000 + i64::from(n) * 45_123_000;
            let mut write = |cell: String| out.write_field(cell).expect("a Vec takes everything");
            write(format!("{}.{:06}", nanos / 1_000_000_000, nanos % 1_000_000_000 / 1000));
            write(Ipv4Addr::from(mix(n)).to_string());
            write(Ipv4Addr::new(192, 0, 2, n as u8).to_string());
            write("tcp".to_owned());
            write((mix(n) as u16).to_string());
            write("23".to_owned());
            write("S".to_owned());
            for column in &rows::PACKET[7..] {
                write(if FILLED.contains(column) { (mix(n) as u16).to_string() } else { String::new() });
            }
            out.write_record(None::<&[u8]>).expect("a Vec takes everything");
        }
    });
}
