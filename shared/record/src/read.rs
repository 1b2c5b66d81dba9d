//! Rows from bytes: CSV or NDJSON, told apart by the first byte, each row handed out with its raw bytes.

use std::borrow::Cow;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr};

use crate::json::{self, Extra};
use crate::{CellError, Error, Field, Format, Ts, split, text};

/// The longest row that is read, in bytes. A longer one (an unclosed quote, a binary file) is an error of that row.
pub const MAX_ROW_BYTES: usize = 1 << 20;

/// What one read asks for: several pipe buffers (64 KiB on Linux), small enough to stay in the second-level cache.
const CHUNK: usize = 256 << 10;

/// The most columns a header may have.
const MAX_COLUMNS: usize = 4096;

/// A column of one input: its place among the names of that input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Col(u32);

impl Col {
    /// The column's place, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn new(index: usize) -> Self {
        Self(index as u32)
    }
}

/// Reads rows from any input. Memory: one buffer, 256 KiB unless a row is longer, at most
/// [`MAX_ROW_BYTES`] more.
pub struct RowReader<R> {
    input: R,
    buf: Vec<u8>,
    start: usize,
    end: usize,
    /// Where the next quote stands in `buf`; `end` where there is none before that.
    quote: usize,
    eof: bool,
    /// What was wrong with compressed input, until it is told.
    broken: Option<String>,
    format: Format,
    /// Where the cells of the row lie: see [`Row`].
    bounds: Vec<u32>,
    about: About,
    lines_ahead: u64,
    /// How many cells of a CSV row are looked for; the others are counted.
    wanted: usize,
}

/// What a row needs to be told of only now and then.
struct About {
    names: Vec<String>,
    extras: Vec<Extra>,
    line: u64,
}

impl<R: Read> RowReader<R> {
    /// Reads the header (CSV) or the names of the first object (NDJSON).
    ///
    /// # Errors
    /// When the input fails or does not begin with rows. Empty input is no error: it has no columns and no rows.
    pub fn new(input: R) -> Result<Self, Error> {
        let mut reader = Self {
            input,
            buf: vec![0; CHUNK],
            start: 0,
            end: 0,
            quote: 0,
            eof: false,
            broken: None,
            format: Format::Csv,
            bounds: Vec::new(),
            about: About { names: Vec::new(), extras: Vec::new(), line: 0 },
            lines_ahead: 1,
            wanted: usize::MAX,
        };
        reader.head()?;
        Ok(reader)
    }

    /// Whether the input held nothing at all, not even a header.
    pub fn is_empty(&self) -> bool {
        self.about.names.is_empty()
    }

    /// The encoding of the input.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The names of the columns, in order.
    pub fn names(&self) -> &[String] {
        &self.about.names
    }

    /// The columns with their names, in order.
    pub fn columns(&self) -> impl Iterator<Item = (Col, &str)> {
        self.about.names.iter().enumerate().map(|(i, name)| (Col::new(i), &**name))
    }

    /// The column of this name, where the input has one.
    ///
    /// NDJSON rows may leave out what does not apply, so there the name is remembered and later rows may have it.
    ///
    /// # Errors
    /// When the name stands twice in a CSV header.
    pub fn column(&mut self, name: &str) -> Result<Option<Col>, Error> {
        let mut places =
            self.about.names.iter().enumerate().filter(|(_, n)| *n == name).map(|(i, _)| Col::new(i));
        match (places.next(), places.next()) {
            (Some(col), None) => Ok(Some(col)),
            (Some(_), Some(_)) => Err(Error::AmbiguousColumn(name.to_owned())),
            (None, _) if self.format == Format::Ndjson && !self.about.names.is_empty() => {
                self.about.names.push(name.to_owned());
                Ok(Some(Col::new(self.about.names.len() - 1)))
            }
            (None, _) => Ok(None),
        }
    }

    /// The column of this field.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], which names the tool that adds it, where neither the header nor the first object
    /// has it.
    pub fn require(&mut self, field: &Field) -> Result<Col, Error> {
        let hint = format!("; {} adds it", field.added_by);
        self.require_name(field.name, &hint)
    }

    /// As [`RowReader::require`], for a column by any name; `hint` ends the error's text.
    ///
    /// # Errors
    /// As [`RowReader::require`].
    pub fn require_name(&mut self, name: &str, hint: &str) -> Result<Col, Error> {
        if !self.about.names.iter().any(|n| n == name) {
            return Err(Error::MissingColumn { name: name.to_owned(), hint: hint.to_owned() });
        }
        self.column(name)?
            .ok_or_else(|| Error::MissingColumn { name: name.to_owned(), hint: hint.to_owned() })
    }

    /// Promises that no cell behind these columns will be asked for, which makes long rows cheaper: a cell behind
    /// them may then be anything. [`Row::raw`] stays whole, and rows of another length stay errors.
    pub fn only(&mut self, columns: impl IntoIterator<Item = Col>) {
        self.wanted = columns.into_iter().map(|col| col.index() + 1).max().unwrap_or(0);
    }

    /// Stands behind the head that was put before a piece of an input, whose first line has this number.
    pub(crate) fn behind_head(&mut self, line: u64) -> Result<(), Error> {
        if self.format == Format::Ndjson {
            // The head is a row, and was one of the first piece already.
            self.advance(&mut || Ok(()))?;
        }
        self.about.line = line;
        self.lines_ahead = 0;
        Ok(())
    }

    /// The next row; `None` at the end of the input.
    ///
    /// # Errors
    /// An error for which [`Error::is_row`] holds loses that row alone: the next call goes on behind it. Input that
    /// ends in `InvalidData`, as damaged compressed input does, gives such an error behind its last whole row.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        self.next_row_with(&mut || Ok(()))
    }

    /// As [`RowReader::next_row`], calling `before_read` before each read of more input. A tool that flushes its
    /// output there keeps a live pipeline moving and loses no speed on a busy one.
    ///
    /// # Errors
    /// As [`RowReader::next_row`], and what `before_read` returns.
    pub fn next_row_with(
        &mut self,
        before_read: &mut dyn FnMut() -> io::Result<()>,
    ) -> Result<Option<Row<'_>>, Error> {
        if self.about.names.is_empty() {
            return Ok(None);
        }
        let Some((from, to)) = self.advance(before_read)? else { return Ok(None) };
        let raw = &self.buf[from..to];
        let cells = match self.format {
            Format::Csv => {
                let places = self.wanted.saturating_add(1).clamp(1, self.bounds.len());
                let behind = &mut self.bounds[1..places];
                let count = if self.quote < to {
                    split::quoted(raw, behind)
                } else {
                    Some(split::plain(raw, behind))
                };
                match count {
                    Some(count) if count == self.about.names.len() => Ok(()),
                    Some(count) => {
                        Err(format!("{count} cells where the header has {}", self.about.names.len()))
                    }
                    None => Err("a quote that is not closed, or text behind a closing one".to_owned()),
                }
            }
            Format::Ndjson => json::split(raw, &self.about.names, &mut self.bounds, &mut self.about.extras),
        };
        match cells {
            Ok(()) => Ok(Some(Row { raw, bounds: &self.bounds, format: self.format, about: &self.about })),
            Err(what) => Err(Error::Row { line: self.about.line, what }),
        }
    }

    /// Moves behind the next record that is not blank and returns where its text lies in the buffer.
    fn advance(
        &mut self,
        before_read: &mut dyn FnMut() -> io::Result<()>,
    ) -> Result<Option<(usize, usize)>, Error> {
        loop {
            self.about.line += self.lines_ahead;
            self.lines_ahead = 0;
            let Some((length, line_end)) = self.find_record(before_read)? else { return Ok(None) };
            let from = self.start;
            let mut to = from + length;
            self.start = to + line_end;
            self.lines_ahead = 1;
            if self.quote < to {
                self.lines_ahead += memchr::memchr_iter(b'\n', &self.buf[from..to]).count() as u64;
            }
            if to > from && self.buf[to - 1] == b'\r' {
                to -= 1;
            }
            if self.buf[from..to].iter().any(|b| !b.is_ascii_whitespace()) {
                return Ok(Some((from, to)));
            }
        }
    }

    /// Length of the record at `start` and of its line end, reading on until it is whole.
    fn find_record(
        &mut self,
        before_read: &mut dyn FnMut() -> io::Result<()>,
    ) -> Result<Option<(usize, usize)>, Error> {
        loop {
            if self.quote < self.start {
                self.seek_quote(self.start);
            }
            let bytes = &self.buf[self.start..self.end];
            let line = memchr::memchr(b'\n', bytes);
            let record = match line {
                // JSON strings hold no raw line ends (RFC 8259 §7), so a quote matters to CSV alone.
                _ if self.format == Format::Ndjson => line.map(|length| (length, 1)),
                Some(length) if self.quote >= self.start + length => Some((length, 1)),
                None if self.quote >= self.end => None,
                _ => split::quoted_record(bytes),
            };
            if record.is_some() {
                return Ok(record);
            }
            if bytes.len() > MAX_ROW_BYTES {
                return Err(self.too_long(line));
            }
            if let Some(what) = self.broken.take() {
                // What stands behind the last line end is the head of a row whose rest is lost.
                self.start = self.end;
                return Err(Error::Row { line: self.about.line, what });
            }
            if self.eof {
                return match (bytes.len(), line) {
                    (0, _) => Ok(None),
                    // A quote that swallows the rest of the input loses its own line only.
                    (_, Some(length)) => Ok(Some((length, 1))),
                    (length, None) => Ok(Some((length, 0))),
                };
            }
            before_read().map_err(Error::BeforeRead)?;
            self.fill()?;
        }
    }

    /// Gives up on a record longer than is read, and stands behind its first line.
    fn too_long(&mut self, line: Option<usize>) -> Error {
        let error = Error::Row { line: self.about.line, what: format!("longer than {MAX_ROW_BYTES} bytes") };
        self.start = line.map_or(self.end, |length| self.start + length + 1);
        self.lines_ahead = u64::from(line.is_some());
        error
    }

    fn seek_quote(&mut self, from: usize) {
        self.quote = memchr::memchr(b'"', &self.buf[from..self.end]).map_or(self.end, |at| from + at);
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buf.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.quote = self.quote.saturating_sub(self.start);
            self.start = 0;
        }
        if self.buf.len() - self.end < CHUNK / 2 {
            self.buf.resize(self.end + CHUNK, 0);
        }
        let old_end = self.end;
        loop {
            match self.input.read(&mut self.buf[self.end..]) {
                Ok(0) => self.eof = true,
                Ok(count) => self.end += count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                    self.eof = true;
                    self.broken = Some(format!("the input breaks off: {e}"));
                }
                Err(e) => return Err(e),
            }
            break;
        }
        if self.quote >= old_end {
            self.seek_quote(old_end);
        }
        Ok(())
    }

    /// Sniffs the format and reads the names.
    fn head(&mut self) -> Result<(), Error> {
        while !self.eof && self.end < 4 {
            self.fill()?;
        }
        if self.buf[..self.end].starts_with(b"\xef\xbb\xbf") {
            self.start = 3;
        }
        // A pipe may hand over a blank line, or the byte order mark, by itself.
        let first = loop {
            let bytes = &self.buf[self.start..self.end];
            match bytes.iter().copied().find(|b| !b.is_ascii_whitespace()) {
                Some(first) if bytes.len() >= 4 || self.eof => break first,
                None if self.eof => return Ok(()),
                None if bytes.len() >= CHUNK => {
                    return Err(Error::NotRows("it begins with white space only".to_owned()));
                }
                _ => self.fill()?,
            }
        };
        if let Some(what) = not_rows(&self.buf[self.start..self.end]) {
            return Err(Error::NotRows(what.to_owned()));
        }
        if first == b'{' {
            self.format = Format::Ndjson;
            // The first row is looked at for its names and then read again as a row.
            let Some((from, to)) = self.advance(&mut || Ok(()))? else { return Ok(()) };
            self.about.names = json::names(&self.buf[from..to])
                .map_err(|what| Error::NotRows(format!("line 1 is no JSON object: {what}")))?;
            self.start = from;
            self.about.line -= 1;
        } else {
            let Some((from, to)) = self.advance(&mut || Ok(())).map_err(|e| match e {
                Error::Row { what, .. } => Error::NotRows(format!("the header line is {what}")),
                other => other,
            })?
            else {
                return Ok(());
            };
            let line = &self.buf[from..to];
            self.bounds = vec![0; MAX_COLUMNS + 1];
            let count = split::quoted(line, &mut self.bounds[1..])
                .filter(|count| *count <= MAX_COLUMNS)
                .ok_or_else(|| Error::NotRows("the first line is not a CSV header".to_owned()))?;
            self.bounds.truncate(count + 1);
            for place in self.bounds.windows(2) {
                let name = unquote(&line[place[0] as usize..place[1] as usize - 1]);
                let name = std::str::from_utf8(&name)
                    .map_err(|_| Error::NotRows("the first line is not text".to_owned()))?;
                if name.bytes().any(|b| b < b' ') {
                    return Err(Error::NotRows("the first line holds control characters".to_owned()));
                }
                self.about.names.push(name.to_owned());
            }
        }
        if self.about.names.len() > MAX_COLUMNS {
            return Err(Error::NotRows(format!("more than {MAX_COLUMNS} columns")));
        }
        Ok(())
    }
}

/// What the bytes are, when they are known not to be rows.
fn not_rows(head: &[u8]) -> Option<&'static str> {
    let magic = head.get(..4)?;
    match magic {
        [0xd4, 0xc3, 0xb2, 0xa1]
        | [0xa1, 0xb2, 0xc3, 0xd4]
        | [0x4d, 0x3c, 0xb2, 0xa1]
        | [0xa1, 0xb2, 0x3c, 0x4d]
        | [0x0a, 0x0d, 0x0d, 0x0a] => Some("this is a packet capture; pkt2csv makes rows of it"),
        b"PAR1" => Some("this is Parquet"),
        _ if magic.contains(&0) => Some("this is binary data"),
        _ => None,
    }
}

/// The text of a raw CSV cell: without its quotes, doubled ones made single.
pub(crate) fn unquote(cell: &[u8]) -> Cow<'_, [u8]> {
    match cell {
        [b'"', inner @ .., b'"'] => {
            if memchr::memchr(b'"', inner).is_none() {
                return Cow::Borrowed(inner);
            }
            let mut text = Vec::with_capacity(inner.len());
            let mut skip = false;
            for b in inner {
                let second = skip;
                skip = *b == b'"' && !second;
                if !second || *b != b'"' {
                    text.push(*b);
                }
            }
            Cow::Owned(text)
        }
        _ => Cow::Borrowed(cell),
    }
}

/// One row: its raw bytes and where its cells lie in them.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    raw: &'a [u8],
    /// CSV: 0, then the place behind each cell's comma, so that neighbours share a place. NDJSON: for each column the
    /// start of its value and its end plus one.
    bounds: &'a [u32],
    format: Format,
    about: &'a About,
}

impl<'a> Row<'a> {
    /// The row as it stands in the input, without its line end.
    #[inline]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Line on which the row begins, the first line of the input being 1.
    pub fn line(&self) -> u64 {
        self.about.line
    }

    /// The encoding of [`Row::raw`].
    #[inline]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The cell as it stands in the input: with quotes in CSV, a JSON value in NDJSON (empty where the key is
    /// missing).
    #[inline]
    pub fn token(&self, col: Col) -> &'a [u8] {
        self.slice(col, col)
    }

    /// The raw bytes from one CSV cell to another, both included, commas between them; in NDJSON only meaningful
    /// for a single column.
    #[inline]
    pub fn slice(&self, first: Col, last: Col) -> &'a [u8] {
        let (from, behind) = (self.bounds[self.place(first)], self.bounds[self.place(last) + 1]);
        &self.raw[from as usize..(behind as usize).wrapping_sub(1)]
    }

    /// Where the start of a cell stands in `bounds`.
    #[inline]
    fn place(&self, col: Col) -> usize {
        col.index() << u32::from(self.format == Format::Ndjson)
    }

    /// The cell's text where it needs no unescaping, which holds for every column of the dictionary but free text:
    /// outer quotes taken off, JSON `null` as empty.
    #[inline]
    pub fn cell(&self, col: Col) -> &'a [u8] {
        let token = self.token(col);
        match token {
            [b'"', inner @ .., b'"'] => inner,
            b"null" if self.format == Format::Ndjson => b"",
            _ => token,
        }
    }

    /// The cell's text, unescaped.
    pub fn text(&self, col: Col) -> Cow<'a, [u8]> {
        let token = self.token(col);
        match self.format {
            Format::Csv => unquote(token),
            Format::Ndjson => json::text(token),
        }
    }

    #[cold]
    #[inline(never)]
    fn bad(&self, col: Col, expected: &'static str) -> CellError {
        CellError::new(self.about.names.get(col.index()).map_or("", String::as_str), expected, self.cell(col))
    }

    /// The cell as an address.
    ///
    /// # Errors
    /// When it is empty or none.
    #[inline]
    pub fn ip(&self, col: Col) -> Result<IpAddr, CellError> {
        match self.ipv4(col) {
            Some(v4) => Ok(IpAddr::V4(v4)),
            None => self.other_ip(col),
        }
    }

    /// As [`Row::ip`], into its place: an address that is copied right after it was written in pieces makes the processor
    /// wait.
    ///
    /// # Errors
    /// As [`Row::ip`].
    #[inline(always)]
    pub fn read_ip(&self, col: Col, place: &mut IpAddr) -> Result<(), CellError> {
        match self.ipv4(col) {
            Some(v4) => *place = IpAddr::V4(v4),
            None => *place = self.other_ip(col)?,
        }
        Ok(())
    }

    /// The cell as an IPv4 address, as nearly all are.
    #[inline(always)]
    fn ipv4(&self, col: Col) -> Option<Ipv4Addr> {
        let place = self.place(col);
        let (from, behind) = (self.bounds[place] as usize, self.bounds[place + 1] as usize);
        text::parse_ipv4_within(self.raw, from, behind.wrapping_sub(1)).map(Ipv4Addr::from_bits)
    }

    /// The cell as an address of IPv6, in quotes, or at the very end of a row.
    #[inline(never)]
    fn other_ip(&self, col: Col) -> Result<IpAddr, CellError> {
        text::parse_ip(self.cell(col)).ok_or_else(|| self.bad(col, "an IP address"))
    }

    /// The cell as an instant.
    ///
    /// # Errors
    /// When it is empty or not decimal seconds.
    #[inline]
    pub fn ts(&self, col: Col) -> Result<Ts, CellError> {
        Ts::parse(self.cell(col)).ok_or_else(|| self.bad(col, "Unix seconds"))
    }

    /// The cell as a whole number, `None` where it is empty.
    ///
    /// # Errors
    /// When it is no number, or does not fit the type.
    #[inline(always)]
    pub fn uint<T: TryFrom<u64>>(&self, col: Col) -> Result<Option<T>, CellError> {
        let place = self.place(col);
        let (from, behind) = (self.bounds[place], self.bounds[place + 1]);
        let (from, end) = (from as usize, (behind as usize).wrapping_sub(1));
        if from == end {
            return Ok(None);
        }
        // Nearly always digits and nothing else.
        let number = self.raw.get(..end).and_then(|text| text::parse_last_uint(text, from));
        match number.and_then(|n| T::try_from(n).ok()) {
            Some(n) => Ok(Some(n)),
            None => self.uint_in_quotes(col),
        }
    }

    #[cold]
    #[inline(never)]
    fn uint_in_quotes<T: TryFrom<u64>>(&self, col: Col) -> Result<Option<T>, CellError> {
        let cell = self.cell(col);
        if cell.is_empty() {
            return Ok(None);
        }
        text::parse_uint(cell)
            .and_then(|n| T::try_from(n).ok())
            .map(Some)
            .ok_or_else(|| self.bad(col, "a whole number in range"))
    }

    /// The cell through `parse`, `None` where it is empty.
    ///
    /// # Errors
    /// When `parse` refuses it; the text says what was `expected`.
    #[inline]
    pub fn word<T>(
        &self,
        col: Col,
        expected: &'static str,
        parse: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, CellError> {
        let cell = self.cell(col);
        if cell.is_empty() {
            return Ok(None);
        }
        parse(cell).map(Some).ok_or_else(|| self.bad(col, expected))
    }

    /// Keys of an NDJSON row that the first row did not have, with their values.
    pub(crate) fn extras(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let raw = self.raw;
        self.about
            .extras
            .iter()
            .map(move |extra| (&*extra.name, &raw[extra.start as usize..extra.end as usize]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(input: &[u8]) -> Vec<Result<Vec<String>, String>> {
        collect(&mut RowReader::new(input).unwrap())
    }

    fn collect<R: Read>(rows: &mut RowReader<R>) -> Vec<Result<Vec<String>, String>> {
        let columns = rows.names().len();
        let mut out = Vec::new();
        loop {
            match rows.next_row() {
                Ok(None) => return out,
                Ok(Some(row)) => out.push(Ok((0..columns)
                    .map(|i| String::from_utf8_lossy(&row.text(Col::new(i))).into_owned())
                    .collect())),
                Err(e) => out.push(Err(e.to_string())),
            }
        }
    }

    /// Hands out one byte a read, as the slowest pipe would.
    struct Slow<'a>(&'a [u8]);
    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            out[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn ok(cells: &[&str]) -> Result<Vec<String>, String> {
        Ok(cells.iter().map(|c| (*c).to_owned()).collect())
    }

    #[test]
    fn csv_rows() {
        let input = b"\xef\xbb\xbfa,\"b\"\r\n1,2\r\n\n\"x\"\"y\",\"l1\nl2\"\n,\n1,2,3\n4,5";
        let expected = vec![
            ok(&["1", "2"]),
            ok(&["x\"y", "l1\nl2"]),
            ok(&["", ""]),
            Err("line 7: 3 cells where the header has 2".to_owned()),
            ok(&["4", "5"]),
        ];
        assert_eq!(all(input), expected);
        assert_eq!(collect(&mut RowReader::new(Slow(input)).unwrap()), expected);
    }

    #[test]
    fn json_rows() {
        let input = b"{\"a\":1.50,\"b\":\"x\"}\n{\"b\":null,\"a\":\"\\u0041\",\"new\":[1,{}]}\nnonsense\n{\"a\":true}\n";
        let found = all(input);
        assert_eq!(found[0], ok(&["1.50", "x"]));
        assert_eq!(found[1], ok(&["A", ""]));
        assert!(found[2].as_ref().unwrap_err().starts_with("line 3: "), "{found:?}");
        assert_eq!(found[3], ok(&["true", ""]));
        assert_eq!(collect(&mut RowReader::new(Slow(input)).unwrap()), found);
    }

    #[test]
    fn empty_and_alien_input() {
        assert!(RowReader::new(&b""[..]).unwrap().is_empty());
        assert!(RowReader::new(&b"\n\n"[..]).unwrap().is_empty());
        assert_eq!(all(b"a,b\n"), vec![]);
        // Blank lines may come one read at a time.
        let slow = Slow(b"\n\n\n\n\n\n \na,b\n1,2\n");
        assert_eq!(collect(&mut RowReader::new(slow).unwrap()), [ok(&["1", "2"])]);
        for alien in [&b"\xd4\xc3\xb2\xa1\x02\0\x04\0"[..], b"\0\0\0\0", b"{]\n", b"a,\xff\n", b"\"a\n"] {
            assert!(matches!(RowReader::new(alien), Err(Error::NotRows(_))), "{alien:?}");
        }
    }

    #[test]
    fn columns_by_name() {
        let mut rows = RowReader::new(&b"a,b,a\n"[..]).unwrap();
        assert_eq!(rows.column("b").unwrap(), Some(Col(1)));
        assert_eq!(rows.column("c").unwrap(), None);
        assert!(matches!(rows.column("a"), Err(Error::AmbiguousColumn(_))));
        let missing = rows.require(&crate::field::TECHNIQUE).unwrap_err().to_string();
        assert_eq!(missing, "no column 'technique' in the input; scan-classify adds it");
    }

    #[test]
    fn an_endless_row_costs_its_line_only() {
        let mut input = b"a\n\"open\n".to_vec();
        input.resize(3 * MAX_ROW_BYTES, b'x');
        input.extend_from_slice(b"\nlast\n");
        let mut rows = RowReader::new(&input[..]).unwrap();
        let found = collect(&mut rows);
        assert!(found[0].as_ref().is_err_and(|e| e.contains("longer than")), "{:?}", found[0]);
        assert_eq!(found.last(), Some(&ok(&["last"])));
        assert!(rows.buf.len() <= MAX_ROW_BYTES + 2 * CHUNK);
    }

    /// Input whose unpacking fails at its end.
    struct Broken<'a>(&'a [u8]);
    impl Read for Broken<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            match self.0.read(out)? {
                0 => Err(io::Error::new(io::ErrorKind::InvalidData, "corrupt")),
                count => Ok(count),
            }
        }
    }

    #[test]
    fn damage_behind_whole_rows_costs_the_last_one() {
        let found = collect(&mut RowReader::new(Broken(b"a,b\n1,2\n3,")).unwrap());
        assert_eq!(found, [ok(&["1", "2"]), Err("line 3: the input breaks off: corrupt".to_owned())]);
    }

    #[test]
    fn an_unclosed_quote_costs_its_line_only() {
        let found = all(b"a,b\n1,\"2\n3,4\n5,6\n");
        assert!(found[0].is_err());
        assert_eq!(found[1..], [ok(&["3", "4"]), ok(&["5", "6"])]);
    }

    proptest! {
        /// What the csv crate writes we read, however the input is cut into reads.
        #[test]
        fn reads_what_the_csv_crate_writes(
            rows in prop::collection::vec(prop::collection::vec("[a-c,\"\n\r]{0,5}", 3), 0..12),
            slow in any::<bool>(),
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["a", "b", "c"]).unwrap();
            for row in &rows { writer.write_record(row).unwrap(); }
            let bytes = writer.into_inner().unwrap();
            let found = if slow { collect(&mut RowReader::new(Slow(&bytes)).unwrap()) } else { all(&bytes) };
            let found: Vec<Vec<String>> = found.into_iter().map(Result::unwrap).collect();
            prop_assert_eq!(found, rows);
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(mut rows) = RowReader::new(&bytes[..]) {
                collect(&mut rows);
            }
        }
    }
}
