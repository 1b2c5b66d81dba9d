//! The default row as CSV, the short way.
//!
//! Nearly every run writes these columns in this format, so this way writes each cell into a line of fixed
//! size, takes empty cells of a protocol together, and copies the line out once. A test holds it against the
//! general way, [`crate::column::write_row`], on every kind of packet; `benches/rows.rs` has both.

use std::net::IpAddr;

use probeline_capfile::Record;
use probeline_packet::{Icmp, Packet, Tcp, Transport};
use probeline_record::{Proto, text};

use crate::column::Style;

/// The longest line without payload_head: 31 cells, of which two addresses of 45 octets at most, two more
/// quoted, and 40 option kinds of four octets.
const LINE: usize = 1024;

/// A line being written: cells, each with the comma behind it. Made once and used for every row, because
/// clearing a kilobyte for each costs more than some of its cells.
pub(crate) struct Line {
    bytes: [u8; LINE],
    at: usize,
}

/// Digits of every number below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut table = [[0; 2]; 100];
    let mut i = 0;
    while i < 100 {
        table[i] = [b'0' + (i / 10) as u8, b'0' + (i % 10) as u8];
        i += 1;
    }
    table
};

/// Text of every octet with a point behind it, and its length.
const OCTETS: [([u8; 4], u8); 256] = {
    let mut table = [([0; 4], 0); 256];
    let mut i = 0;
    while i < 256 {
        let (hundreds, tens, ones) =
            (b'0' + (i / 100) as u8, b'0' + (i / 10 % 10) as u8, b'0' + (i % 10) as u8);
        table[i] = if i >= 100 {
            ([hundreds, tens, ones, b'.'], 4)
        } else if i >= 10 {
            ([tens, ones, b'.', 0], 3)
        } else {
            ([ones, b'.', 0, 0], 2)
        };
        i += 1;
    }
    table
};

/// The letters of every set of TCP flags with a comma behind them, and their length with it.
const FLAGS: [([u8; 10], u8); 512] = {
    let mut table = [([0; 10], 0); 512];
    let mut bits = 0;
    while bits < 512 {
        let (mut text, mut at, mut bit) = ([0; 10], 0, 0);
        while bit < 9 {
            if bits >> bit & 1 == 1 {
                text[at] = b"FSRPAUECN"[bit];
                at += 1;
            }
            bit += 1;
        }
        if at == 0 {
            text[0] = b'.';
            at = 1;
        }
        text[at] = b',';
        table[bits] = (text, at as u8 + 1);
        bits += 1;
    }
    table
};

impl Line {
    pub(crate) fn new() -> Self {
        Self { bytes: [0; LINE], at: 0 }
    }

    #[inline(always)]
    fn byte(&mut self, byte: u8) {
        self.bytes[self.at] = byte;
        self.at += 1;
    }

    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.bytes[self.at..self.at + N].copy_from_slice(bytes);
        self.at += N;
    }

    #[inline(always)]
    fn text(&mut self, text: &[u8]) {
        self.bytes[self.at..self.at + text.len()].copy_from_slice(text);
        self.at += text.len();
    }

    /// A short word (flags, protocol): most are one to four letters, and a loop over those beats a call of
    /// memcpy.
    #[inline(always)]
    fn word(&mut self, word: &str) {
        for byte in word.bytes() {
            self.byte(byte);
        }
        self.byte(b',');
    }

    /// `width` digits of a number that has at most so many, with leading zeros.
    #[inline(always)]
    fn padded(&mut self, mut value: u32, width: usize) {
        let digits = &mut self.bytes[self.at..self.at + width];
        let mut at = width;
        while at >= 2 {
            digits[at - 2..at].copy_from_slice(&PAIRS[(value % 100) as usize]);
            value /= 100;
            at -= 2;
        }
        if at == 1 {
            digits[0] = b'0' + (value % 10) as u8;
        }
        self.at += width;
    }

    #[inline(always)]
    fn uint(&mut self, value: u32) {
        if value < 10 {
            self.put(&[b'0' + value as u8, b',']);
        } else {
            self.padded(value, value.ilog10() as usize + 1);
            self.byte(b',');
        }
    }

    /// A number below 256, without a comma.
    #[inline(always)]
    fn short(&mut self, value: u8) {
        let (text, len) = OCTETS[usize::from(value)];
        self.bytes[self.at..self.at + 4].copy_from_slice(&text);
        self.at += usize::from(len) - 1;
    }

    #[inline(always)]
    fn octet(&mut self, value: u8) {
        self.short(value);
        self.byte(b',');
    }

    #[inline(always)]
    fn uint_or_absent(&mut self, value: Option<impl Into<u32>>) {
        match value {
            Some(value) => self.uint(value.into()),
            None => self.byte(b','),
        }
    }

    #[inline(always)]
    fn ip(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(v4) => {
                for octet in v4.octets() {
                    let (text, len) = OCTETS[usize::from(octet)];
                    self.bytes[self.at..self.at + 4].copy_from_slice(&text);
                    self.at += usize::from(len);
                }
                self.bytes[self.at - 1] = b',';
            }
            IpAddr::V6(_) => {
                let mut text = Vec::with_capacity(48);
                text::write_ip(ip, &mut text);
                self.text(&text);
                self.byte(b',');
            }
        }
    }

    #[inline(always)]
    fn ts(&mut self, nanos: i64, digits: u8) {
        let (seconds, fraction) = (nanos / 1_000_000_000, (nanos % 1_000_000_000) as u32);
        // Every capture ends in 2106; ten digits begin in 2001.
        if let Ok(seconds) = u32::try_from(seconds)
            && seconds >= 1_000_000_000
        {
            self.padded(seconds, 10);
            self.byte(b'.');
            if digits == 9 { self.padded(fraction, 9) } else { self.padded(fraction / 1000, 6) }
        } else {
            let mut text = Vec::with_capacity(24);
            probeline_record::Ts::from_nanos(nanos).write(digits, &mut text);
            self.text(&text);
        }
        self.byte(b',');
    }
}

/// Appends the row of a packet.
pub(crate) fn write(style: Style, record: &Record, packet: &Packet<'_>, line: &mut Line, out: &mut Vec<u8>) {
    line.at = 0;
    line.ts(record.ts_nanos, style.ts_digits);
    line.ip(packet.src);
    line.ip(packet.dst);
    line.word(Proto(packet.proto).name());
    line.uint_or_absent(packet.src_port());
    line.uint_or_absent(packet.dst_port());
    match &packet.transport {
        Transport::Tcp(tcp) => {
            write_flags(tcp, line);
            write_ip_header(packet, line);
            write_tcp(tcp, line);
            line.put(b",,,,,");
            write_payload(style, packet, line, out);
            out.extend_from_slice(b",,,,\n");
        }
        Transport::Udp { sum, .. } => {
            line.byte(b',');
            write_ip_header(packet, line);
            line.put(b",,,,,,,,,,,");
            line.uint_or_absent(*sum);
            write_payload(style, packet, line, out);
            out.extend_from_slice(b",,,,\n");
        }
        Transport::Icmp(icmp) => {
            line.byte(b',');
            write_ip_header(packet, line);
            line.put(b",,,,,,,");
            write_icmp(icmp, line);
            line.byte(b',');
            write_payload(style, packet, line, out);
            write_quoted(icmp, out);
        }
        _ => {
            line.byte(b',');
            write_ip_header(packet, line);
            line.put(b",,,,,,,,,,,,");
            write_payload(style, packet, line, out);
            out.extend_from_slice(b",,,,\n");
        }
    }
}

#[inline(always)]
fn write_flags(tcp: &Tcp<'_>, line: &mut Line) {
    match tcp.flags {
        Some(bits) => {
            let (text, len) = &FLAGS[usize::from(bits & 0x1ff)];
            line.bytes[line.at..line.at + 10].copy_from_slice(text);
            line.at += usize::from(*len);
        }
        None => line.byte(b','),
    }
}

#[inline(always)]
fn write_ip_header(packet: &Packet<'_>, line: &mut Line) {
    line.uint(packet.ip_len);
    line.octet(packet.ttl);
    line.uint_or_absent(packet.ip_id);
    line.octet(packet.tos);
    line.uint_or_absent(packet.df.map(u8::from));
}

#[inline(always)]
fn write_tcp(tcp: &Tcp<'_>, line: &mut Line) {
    line.uint_or_absent(tcp.seq);
    line.uint_or_absent(tcp.ack);
    line.uint_or_absent(tcp.win);
    if tcp.options.raw().is_empty() {
        return line.put(b",,,,");
    }
    let begin = line.at;
    for option in &tcp.options {
        line.short(option.kind);
        line.byte(b'-');
    }
    if line.at > begin {
        // The comma takes the place of the last dash.
        line.at -= 1;
    }
    line.byte(b',');
    line.uint_or_absent(tcp.options.mss());
    line.uint_or_absent(tcp.options.wscale());
    line.uint_or_absent(tcp.options.tsval());
}

#[inline(always)]
fn write_icmp(icmp: &Icmp, line: &mut Line) {
    line.uint_or_absent(icmp.kind);
    line.uint_or_absent(icmp.code);
    line.uint_or_absent(icmp.id);
    line.uint_or_absent(icmp.seq);
}

/// Payload length, then the line itself and the payload's head go out.
#[inline(always)]
fn write_payload(style: Style, packet: &Packet<'_>, line: &mut Line, out: &mut Vec<u8>) {
    line.uint_or_absent(packet.payload_len);
    out.extend_from_slice(&line.bytes[..line.at]);
    let head = &packet.payload[..packet.payload.len().min(style.payload)];
    if !head.is_empty() {
        text::write_hex(head, out);
    }
    out.push(b',');
}

fn write_quoted(icmp: &Icmp, out: &mut Vec<u8>) {
    let Some(quoted) = icmp.quoted else { return out.extend_from_slice(b",,,,\n") };
    out.extend_from_slice(Proto(quoted.proto).name().as_bytes());
    for ip in [quoted.src, quoted.dst] {
        out.push(b',');
        text::write_ip(ip, out);
    }
    for port in [quoted.src_port, quoted.dst_port] {
        out.push(b',');
        if let Some(port) = port {
            text::write_uint(port.into(), out);
        }
    }
    out.push(b'\n');
}
