//! Rows a second of the two ways of writing them: the default row's own, and the general one, column by
//! column.
#![expect(dead_code, reason = "the tool's own modules; a bench needs only some of each")]

#[path = "../src/column.rs"]
mod column;
#[path = "../src/default_row.rs"]
mod default_row;

use divan::Bencher;
use divan::counter::ItemsCount;
use probeline_capfile::{LinkType, Record};
use probeline_packet::{Options, Packet, decode};
use probeline_record::{Encoder, Format};

use column::{Column, Style, write_row};
use default_row::Line;

/// A SYN to port 23 with one option, as scanners send it: Ethernet, IPv4, TCP.
const SYN: [u8; 58] = [
    0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0, 0, 44, 0xd4, 0x31, 0, 0, 243, 6, 0, 0,
    192, 0, 2, 107, 198, 51, 100, 229, 0xc3, 0x50, 0, 23, 0x84, 0xd1, 0x22, 0x09, 0, 0, 0, 0, 0x60, 0x02,
    0x04, 0, 0, 0, 0, 0, 2, 4, 5, 0xb4,
];

const STYLE: Style = Style { ts_digits: 6, rfc3339: false, payload: 16 };
const ROWS: usize = 4_096;

fn packet() -> (Record, Packet<'static>) {
    let record = Record::new(1, 1_700_000_000_123_456_000, LinkType::ETHERNET, 58);
    let packet = decode(1, &SYN, 58, &Options::default());
    (record, packet.expect("a whole packet"))
}

#[divan::bench]
fn default_row_as_csv(bencher: Bencher<'_, '_>) {
    let (record, packet) = packet();
    let (mut line, mut out) = (Line::new(), Vec::new());
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        out.clear();
        for _ in 0..ROWS {
            default_row::write(
                STYLE,
                divan::black_box(&record),
                divan::black_box(&packet),
                &mut line,
                &mut out,
            );
        }
        out.len()
    });
}

#[divan::bench(args = [Format::Csv, Format::Ndjson])]
fn general_way(bencher: Bencher<'_, '_>, format: Format) {
    let (record, packet) = packet();
    let columns = Column::default_row();
    let mut rows = Encoder::gathering(format);
    rows.header(columns.iter().map(|column| column.field().name));
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        for _ in 0..ROWS {
            write_row(&columns, STYLE, divan::black_box(&record), divan::black_box(&packet), &mut rows);
            rows.end().expect("memory");
        }
        rows.swap_buffer(&mut out);
        out.len()
    });
}

fn main() {
    divan::main();
}
