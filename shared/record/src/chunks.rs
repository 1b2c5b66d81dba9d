//! Rows in pieces for several threads: whole records, about a megabyte at a time.

use std::io::{self, Read};

use crate::read::MAX_ROW_BYTES;
use crate::{Error, RowReader, split};

/// What a piece holds, unless a record is longer: enough to make handing it over cheap, and little enough for a cache.
const PIECE: usize = 1 << 20;

/// Whole records of an input, in order. [`Chunk::rows`] reads them as [`RowReader`] would have.
#[derive(Debug)]
pub struct Chunks<R> {
    input: R,
    /// What stands in front of the first row: the header, or in NDJSON a copy of the first row.
    head: Vec<u8>,
    json: bool,
    rest: Vec<u8>,
    line: u64,
    ended: bool,
    broken: Option<String>,
}

/// A piece of an input.
#[derive(Debug)]
pub struct Chunk {
    bytes: Vec<u8>,
    /// Line on which it begins.
    line: u64,
    /// What was wrong with compressed input behind it.
    broken: Option<String>,
}

/// How an input is best read.
#[derive(Debug)]
pub enum Pieces<R> {
    /// In pieces.
    Many(Chunks<R>),
    /// As one: it is short, or has no head that could stand before each piece.
    One(io::Chain<io::Cursor<Vec<u8>>, Rest<R>>),
}

/// What follows behind a first piece: the damage that was met, or more of the input.
#[derive(Debug)]
pub struct Rest<R> {
    broken: Option<String>,
    input: R,
}

impl<R: Read> Read for Rest<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.broken.take() {
            Some(what) => Err(io::Error::new(io::ErrorKind::InvalidData, what)),
            None => self.input.read(out),
        }
    }
}

impl<R: Read> Chunks<R> {
    /// Reads the first piece, and finds the head in it.
    ///
    /// # Errors
    /// When the input fails.
    pub fn open(input: R) -> io::Result<Pieces<R>> {
        let mut chunks = Self {
            input,
            head: Vec::new(),
            json: false,
            rest: Vec::new(),
            line: 1,
            ended: false,
            broken: None,
        };
        chunks.fill(PIECE)?;
        let text = chunks.rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&chunks.rest);
        let text = text.trim_ascii_start();
        chunks.json = text.first() == Some(&b'{');
        let record = match chunks.json {
            _ if chunks.ended => None,
            true => memchr::memchr(b'\n', text).map(|length| (length, 1)),
            false => split::quoted_record(text),
        };
        let Some((length, line_end)) = record else {
            let rest = Rest { broken: chunks.broken, input: chunks.input };
            return Ok(Pieces::One(io::Cursor::new(chunks.rest).chain(rest)));
        };
        let end = chunks.rest.len() - text.len() + length + line_end;
        chunks.head = chunks.rest[..end].to_vec();
        if !chunks.json {
            chunks.line += lines(&chunks.head);
            chunks.rest.drain(..end);
        }
        Ok(Pieces::Many(chunks))
    }

    /// What [`Chunk::rows`] needs.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When the input fails. Damaged compressed input is no failure: the last piece ends with it.
    pub fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        loop {
            self.fill(PIECE.max(self.rest.len() + PIECE / 4))?;
            if self.rest.is_empty() && self.broken.is_none() {
                return Ok(None);
            }
            let end = if self.ended { self.rest.len() } else { self.records() };
            if end == 0 {
                continue;
            }
            let mut bytes = Vec::with_capacity(PIECE + PIECE / 4);
            bytes.extend_from_slice(&self.rest[end..]);
            std::mem::swap(&mut bytes, &mut self.rest);
            bytes.truncate(end);
            let line = self.line;
            self.line += lines(&bytes);
            return Ok(Some(Chunk { bytes, line, broken: self.broken.take() }));
        }
    }

    /// Reads until `wanted` bytes are there, or the input ends.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        let missing = wanted.saturating_sub(self.rest.len()) as u64;
        if self.ended || missing == 0 {
            return Ok(());
        }
        match self.input.by_ref().take(missing).read_to_end(&mut self.rest) {
            Ok(_) => self.ended = self.rest.len() < wanted,
            Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                self.ended = true;
                self.broken = Some(e.to_string());
            }
            Err(e) => return Err(e),
        }
        Ok(())
    }

    /// Where the last whole record ends; 0 where none is whole.
    fn records(&self) -> usize {
        let bytes = &self.rest;
        let mut from = 0;
        // JSON strings hold no raw line ends (RFC 8259 §7), so a quote matters to CSV alone.
        let quotes = |from: usize| memchr::memchr(b'"', &bytes[from..]).filter(|_| !self.json);
        while let Some(quote) = quotes(from).map(|at| from + at) {
            from = memchr::memrchr(b'\n', &bytes[from..quote]).map_or(from, |at| from + at + 1);
            match split::quoted_record(&bytes[from..]) {
                Some((length, line_end)) => from += length + line_end,
                // As RowReader does: a record that never ends loses its first line.
                None if bytes.len() - from > MAX_ROW_BYTES => {
                    let line = memchr::memchr(b'\n', &bytes[from..]);
                    return line.map_or(bytes.len(), |length| from + length + 1);
                }
                None => return from,
            }
        }
        memchr::memrchr(b'\n', &bytes[from..]).map_or(from, |at| from + at + 1)
    }
}

impl Chunk {
    /// The rows of the piece, numbered as in the whole input.
    ///
    /// # Errors
    /// Those of [`RowReader::new`] on the head.
    pub fn rows<'c>(&'c self, head: &'c [u8]) -> Result<RowReader<impl Read + use<'c>>, Error> {
        let rest = Rest { broken: self.broken.clone(), input: io::empty() };
        let mut rows = RowReader::new(head.chain(&self.bytes[..]).chain(rest))?;
        rows.behind_head(self.line)?;
        Ok(rows)
    }
}

fn lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn cells<R: Read>(rows: &mut RowReader<R>, out: &mut Vec<String>) {
        let columns: Vec<_> = rows.columns().map(|(col, _)| col).collect();
        loop {
            match rows.next_row() {
                Ok(None) => return,
                Ok(Some(row)) => {
                    let texts =
                        columns.iter().map(|&col| String::from_utf8_lossy(&row.text(col)).into_owned());
                    out.push(format!("{}: {}", row.line(), texts.collect::<Vec<_>>().join("|")));
                }
                Err(e) => out.push(e.to_string()),
            }
        }
    }

    fn both_ways(input: &[u8]) -> (Vec<String>, Vec<String>, usize) {
        let (mut one, mut many, mut pieces) = (Vec::new(), Vec::new(), 0);
        cells(&mut RowReader::new(input).unwrap(), &mut one);
        match Chunks::open(Cursor::new(input.to_vec())).unwrap() {
            Pieces::One(input) => cells(&mut RowReader::new(input).unwrap(), &mut many),
            Pieces::Many(mut chunks) => {
                let head = chunks.head().to_vec();
                while let Some(chunk) = chunks.next_chunk().unwrap() {
                    pieces += 1;
                    cells(&mut chunk.rows(&head).unwrap(), &mut many);
                }
            }
        }
        (one, many, pieces)
    }

    #[test]
    fn pieces_hold_what_the_whole_holds() {
        let row = |i: u32| match i % 1000 {
            1 => format!("{i},\"a line\nand \"\"another\"\" one\",x\n"),
            2 => format!("{i},too few\n"),
            3 => "\r\n\n".to_owned(),
            4 => format!("{i},5\" disk,\"x\"\r\n"),
            _ => format!("{i},something longer to fill the piece,x\n"),
        };
        let body: String = (0..80_000).map(row).collect();
        for head in ["n,text,last\n", "\u{feff}\n\nn,\"te xt\",last\r\n"] {
            for tail in ["", "7,no line end,x", "8,\"never closed,x\n9,b,c\n", "\n\n"] {
                let (one, many, pieces) = both_ways(format!("{head}{body}{tail}").as_bytes());
                assert!(pieces > 2);
                assert_eq!(one, many, "{head:?} {tail:?}");
            }
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_loses_one_row() {
        let filler = "1,2\n".repeat(1 << 20);
        let (one, many, pieces) = both_ways(format!("a,b\n3,4\n5,\"6\n{filler}").as_bytes());
        assert!(pieces > 2);
        assert_eq!(one.len(), (1 << 20) + 2);
        assert_eq!(many.len(), one.len());
        assert_eq!(one.last(), many.last());
    }

    #[test]
    fn json_rows_have_the_names_of_the_first() {
        let body: String = (0..60_000).map(|i| format!("{{\"n\":{i},\"text\":\"a \\\" b\"}}\n")).collect();
        let (one, many, pieces) =
            both_ways(format!("{{\"n\":1,\"text\":null}}\n{body}{{\"text\":\"x\"}}\n").as_bytes());
        assert!(pieces > 1);
        assert_eq!(one, many);
    }

    #[test]
    fn small_and_strange_inputs_are_read_as_one() {
        for input in ["", "a,b\n", "a,b", "\n\n", "\u{feff}", "a\n1\n2"] {
            let (one, many, pieces) = both_ways(input.as_bytes());
            assert_eq!((one, pieces), (many, 0), "{input:?}");
        }
    }

    #[test]
    fn damage_is_told_behind_the_last_whole_row() {
        struct Damaged(Cursor<Vec<u8>>);
        impl Read for Damaged {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                match self.0.read(out)? {
                    0 => Err(io::Error::new(io::ErrorKind::InvalidData, "bad block")),
                    count => Ok(count),
                }
            }
        }
        let input = format!("a,b\n{}9,9", "1,2\n".repeat(1 << 19));
        let (mut one, mut many) = (Vec::new(), Vec::new());
        let damaged = || Damaged(Cursor::new(input.clone().into_bytes()));
        cells(&mut RowReader::new(damaged()).unwrap(), &mut one);
        let Pieces::Many(mut chunks) = Chunks::open(damaged()).unwrap() else { unreachable!() };
        let head = chunks.head().to_vec();
        while let Some(chunk) = chunks.next_chunk().unwrap() {
            cells(&mut chunk.rows(&head).unwrap(), &mut many);
        }
        assert_eq!(one, many);
        assert!(one.last().unwrap().contains("the input breaks off: bad block"), "{:?}", one.last());
    }
}
