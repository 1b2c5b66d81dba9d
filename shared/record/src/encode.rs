//! Writing rows by hand into one growing buffer.

use std::io::{self, Write};
use std::net::IpAddr;

use crate::{Field, Format, Ts, json, text, time};

/// Output is handed on once this much has gathered: two pipe buffers.
const FLUSH_AT: usize = 128 << 10;

/// Writes rows of one kind, cell by cell in the order of its columns, in either format.
///
/// [`Encoder::begin`], one call per column, [`Encoder::end`]; a debug assertion counts the cells. Rows gather in a
/// buffer that goes to the writer when 128 KiB are full, at [`Encoder::flush`], and never on drop: what a failing
/// tool has not flushed is not written.
pub struct Encoder<W> {
    output: W,
    buf: Vec<u8>,
    format: Format,
    /// NDJSON: what stands before the value of each column: `{"ts":`, `,"src_ip":` …
    keys: Vec<Box<[u8]>>,
    /// Whether the column's values are numbers in NDJSON.
    numbers: Vec<bool>,
    at: usize,
    /// NDJSON: keys that go behind the last column.
    tail: Vec<u8>,
    rows: u64,
    flush_at: usize,
}

impl Encoder<io::Empty> {
    /// An encoder that only gathers: its rows leave through [`Encoder::swap_buffer`].
    pub fn gathering(format: Format) -> Self {
        Self { flush_at: usize::MAX, ..Self::new(io::empty(), format) }
    }
}

impl<W: Write> Encoder<W> {
    /// An encoder without columns yet: see [`Encoder::header`].
    pub fn new(output: W, format: Format) -> Self {
        Self {
            output,
            buf: Vec::with_capacity(FLUSH_AT + 4096),
            format,
            keys: Vec::new(),
            numbers: Vec::new(),
            at: 0,
            tail: Vec::new(),
            rows: 0,
            flush_at: FLUSH_AT,
        }
    }

    /// An encoder for rows of these fields, with the header written where the format has one.
    pub fn with_fields(output: W, format: Format, fields: &[&Field]) -> Self {
        let mut encoder = Self::new(output, format);
        encoder.header(fields.iter().map(|field| field.name));
        encoder
    }

    /// Names the columns and writes the CSV header. Whether a value is a number comes from the field dictionary.
    pub fn header<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        self.keys.clear();
        self.numbers.clear();
        for (i, name) in names.into_iter().enumerate() {
            let mut key = vec![if i == 0 { b'{' } else { b',' }];
            write_json_string(name.as_bytes(), &mut key);
            key.push(b':');
            self.keys.push(key.into());
            self.numbers.push(crate::field::by_name(name).is_some_and(|f| f.kind.is_number()));
            if self.format == Format::Csv {
                if i > 0 {
                    self.buf.push(b',');
                }
                write_csv_text(name.as_bytes(), &mut self.buf);
            }
        }
        if self.format == Format::Csv && !self.keys.is_empty() {
            self.buf.push(b'\n');
        }
    }

    /// The format rows are written in.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Rows ended so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Starts a row.
    #[inline]
    pub fn begin(&mut self) {
        self.at = 0;
    }

    /// Ends a row, and hands the buffer on when it is full.
    ///
    /// # Errors
    /// What the writer returns.
    #[inline]
    pub fn end(&mut self) -> io::Result<()> {
        debug_assert_eq!(self.at, self.keys.len(), "every column gets one cell");
        self.end_raw()
    }

    /// A whole row, of CSV: `write` appends every cell, with commas between them.
    ///
    /// # Errors
    /// What the writer returns.
    #[inline]
    pub fn csv_row(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        debug_assert_eq!(self.format, Format::Csv);
        write(&mut self.buf);
        self.end_raw()
    }

    #[inline]
    pub(crate) fn end_raw(&mut self) -> io::Result<()> {
        if self.format == Format::Ndjson {
            self.buf.append(&mut self.tail);
            self.buf.push(b'}');
        }
        self.buf.push(b'\n');
        self.rows += 1;
        if self.buf.len() >= self.flush_at { self.hand_on() } else { Ok(()) }
    }

    /// Hands everything written so far to the writer and flushes it.
    ///
    /// # Errors
    /// What the writer returns.
    pub fn flush(&mut self) -> io::Result<()> {
        self.hand_on()?;
        self.output.flush()
    }

    fn hand_on(&mut self) -> io::Result<()> {
        let written = self.output.write_all(&self.buf);
        self.buf.clear();
        written
    }

    /// Gives away what was written and not yet handed on, for the buffer of an earlier time, whose contents go.
    pub fn swap_buffer(&mut self, other: &mut Vec<u8>) {
        other.clear();
        std::mem::swap(&mut self.buf, other);
    }

    /// The buffer itself, for rows that are written whole by other means. Whoever uses it writes complete rows in the
    /// encoder's format.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buf
    }

    /// Takes the writer back; what was not flushed is gone.
    pub fn into_inner(self) -> W {
        self.output
    }

    #[inline]
    fn open(&mut self) {
        match self.format {
            Format::Csv => {
                if self.at > 0 {
                    self.buf.push(b',');
                }
            }
            Format::Ndjson => self.buf.extend_from_slice(&self.keys[self.at]),
        }
        self.at += 1;
    }

    /// An absent value: an empty cell, `null`.
    #[inline]
    pub fn absent(&mut self) {
        self.open();
        if self.format == Format::Ndjson {
            self.buf.extend_from_slice(b"null");
        }
    }

    /// A whole number.
    #[inline]
    pub fn uint(&mut self, value: impl Into<u64>) {
        self.open();
        text::write_uint(value.into(), &mut self.buf);
    }

    /// A whole number, or absent.
    #[inline]
    pub fn uint_or_absent(&mut self, value: Option<impl Into<u64>>) {
        match value {
            Some(value) => self.uint(value),
            None => self.absent(),
        }
    }

    /// A word: text known to need neither quotes nor escapes.
    #[inline]
    pub fn word(&mut self, word: &str) {
        self.open();
        self.quoted(|buf| buf.extend_from_slice(word.as_bytes()));
    }

    /// A word, or absent.
    #[inline]
    pub fn word_or_absent(&mut self, word: Option<&str>) {
        match word {
            Some(word) => self.word(word),
            None => self.absent(),
        }
    }

    /// A word written by `write` straight into the buffer; what it writes must need neither quotes nor escapes.
    #[inline]
    pub fn word_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.open();
        self.quoted(write);
    }

    #[inline]
    fn quoted(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.format == Format::Ndjson {
            self.buf.push(b'"');
            write(&mut self.buf);
            self.buf.push(b'"');
        } else {
            write(&mut self.buf);
        }
    }

    /// An address.
    #[inline]
    pub fn ip(&mut self, ip: IpAddr) {
        self.open();
        self.quoted(|buf| text::write_ip(ip, buf));
    }

    /// An address, or absent.
    #[inline]
    pub fn ip_or_absent(&mut self, ip: Option<IpAddr>) {
        match ip {
            Some(ip) => self.ip(ip),
            None => self.absent(),
        }
    }

    /// An instant as decimal seconds with `digits` (6 or 9) behind the point.
    #[inline]
    pub fn ts(&mut self, ts: Ts, digits: u8) {
        self.open();
        ts.write(digits, &mut self.buf);
    }

    /// A span of time in nanoseconds, as decimal seconds with `digits` (6 or 9) behind the point.
    #[inline]
    pub fn seconds(&mut self, nanos: i64, digits: u8) {
        self.open();
        time::write_seconds(nanos, digits, &mut self.buf);
    }

    /// A decimal number as text, such as `0.250000`.
    #[inline]
    pub fn decimal(&mut self, number: &str) {
        self.open();
        self.buf.extend_from_slice(number.as_bytes());
    }

    /// Free text, quoted and escaped as the format asks. Bytes that are not UTF-8 become U+FFFD in NDJSON.
    pub fn text(&mut self, text: &[u8]) {
        self.open();
        match self.format {
            Format::Csv => write_csv_text(text, &mut self.buf),
            Format::Ndjson => write_json_string(text, &mut self.buf),
        }
    }

    /// A cell as it stands in a row of the input: copied where the formats agree, converted where not. The text
    /// of a cell becomes a number in NDJSON if the dictionary says so of this column and it is one.
    #[inline]
    pub fn token(&mut self, token: &[u8], from: Format) {
        self.open();
        match (from, self.format) {
            (Format::Csv, Format::Csv) => self.buf.extend_from_slice(token),
            (Format::Ndjson, Format::Ndjson) => {
                self.buf.extend_from_slice(if token.is_empty() { b"null" } else { token });
            }
            (Format::Ndjson, Format::Csv) => write_csv_text(&json::text(token), &mut self.buf),
            (Format::Csv, Format::Ndjson) => self.json_value(&crate::read::unquote(token)),
        }
    }

    /// A value as text, empty for absent. In NDJSON it becomes a number if the dictionary says so of this column and
    /// it is one.
    pub fn value(&mut self, text: &[u8]) {
        self.open();
        match self.format {
            Format::Csv => write_csv_text(text, &mut self.buf),
            Format::Ndjson => self.json_value(text),
        }
    }

    fn json_value(&mut self, text: &[u8]) {
        if text.is_empty() {
            self.buf.extend_from_slice(b"null");
        } else if self.numbers[self.at - 1] && json::is_number(text) {
            self.buf.extend_from_slice(text);
        } else {
            write_json_string(text, &mut self.buf);
        }
    }

    /// `count` CSV cells that stand side by side in a row of the input, commas between them.
    #[inline]
    pub fn csv_cells(&mut self, cells: &[u8], count: usize) {
        debug_assert_eq!(self.format, Format::Csv);
        self.open();
        self.at += count - 1;
        self.buf.extend_from_slice(cells);
    }

    /// An NDJSON key that is not among the columns, with its value as it stands. Before the first cell it waits for the
    /// end of the row, because only what follows a cell begins with a comma.
    pub(crate) fn extra(&mut self, name: &str, value: &[u8]) {
        let out = if self.at == 0 { &mut self.tail } else { &mut self.buf };
        out.push(b',');
        write_json_string(name.as_bytes(), out);
        out.push(b':');
        out.extend_from_slice(value);
    }

    /// The head of a row as it stands in the input, which holds the first `columns` cells: NDJSON without its
    /// closing brace.
    #[inline]
    pub(crate) fn head(&mut self, raw: &[u8], columns: usize) {
        self.buf.extend_from_slice(raw);
        self.at = columns;
    }
}

/// Appends text as a CSV cell, in quotes where RFC 4180 asks for them.
pub(crate) fn write_csv_text(text: &[u8], out: &mut Vec<u8>) {
    if !text.iter().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r')) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for b in text {
        if *b == b'"' {
            out.push(b'"');
        }
        out.push(*b);
    }
    out.push(b'"');
}

/// Appends text as a JSON string.
pub(crate) fn write_json_string(text: &[u8], out: &mut Vec<u8>) {
    let plain = |b: &u8| (b' '..0x7f).contains(b) && *b != b'"' && *b != b'\\';
    if text.iter().all(plain) {
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    } else {
        // Writing a string to a Vec cannot fail.
        drop(serde_json::to_writer(&mut *out, &String::from_utf8_lossy(text)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field;
    use proptest::prelude::*;

    const FIELDS: &[&Field] =
        &[&field::TS, &field::SRC_IP, &field::SRC_PORT, &field::TCP_FLAGS, &field::SRC_ORG];

    fn write(format: Format, org: &[u8], port: Option<u16>) -> Vec<u8> {
        let mut rows = Encoder::with_fields(Vec::new(), format, FIELDS);
        rows.begin();
        rows.ts(Ts::from_nanos(1_500_000_000), 6);
        rows.ip("192.0.2.7".parse().unwrap());
        rows.uint_or_absent(port);
        rows.word(".");
        rows.text(org);
        rows.end().unwrap();
        rows.flush().unwrap();
        rows.into_inner()
    }

    #[test]
    fn both_formats() {
        assert_eq!(
            String::from_utf8(write(Format::Csv, b"A, \"B\"", None)).unwrap(),
            "ts,src_ip,src_port,tcp_flags,src_org\n1.500000,192.0.2.7,,.,\"A, \"\"B\"\"\"\n"
        );
        assert_eq!(
            String::from_utf8(write(Format::Ndjson, b"A, \"B\"", None)).unwrap(),
            "{\"ts\":1.500000,\"src_ip\":\"192.0.2.7\",\"src_port\":null,\"tcp_flags\":\".\",\"src_org\":\"A, \\\"B\\\"\"}\n"
        );
    }

    proptest! {
        /// The csv crate and serde_json, who do not know us, read what we write.
        #[test]
        fn others_read_it(org in any::<String>(), port in any::<Option<u16>>()) {
            let csv = write(Format::Csv, org.as_bytes(), port);
            let record = csv::Reader::from_reader(&csv[..]).records().next().unwrap().unwrap();
            prop_assert_eq!(&record[4], &org);
            prop_assert_eq!(&record[2], port.map_or(String::new(), |p| p.to_string()));
            let json: serde_json::Value = serde_json::from_slice(&write(Format::Ndjson, org.as_bytes(), port)).unwrap();
            prop_assert_eq!(json["src_org"].as_str().unwrap(), &org);
            prop_assert_eq!(json["src_port"].as_u64(), port.map(u64::from));
        }

        /// Hostile bytes stay one row.
        #[test]
        fn any_bytes_stay_one_row(org in prop::collection::vec(any::<u8>(), 0..40)) {
            let json = write(Format::Ndjson, &org, None);
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&json).is_ok());
            let csv = write(Format::Csv, &org, None);
            let mut reader = csv::Reader::from_reader(&csv[..]);
            let records: Vec<_> = reader.byte_records().map(Result::unwrap).collect();
            prop_assert_eq!(records.len(), 1);
            prop_assert_eq!(&records[0][4], &org[..]);
        }
    }
}
