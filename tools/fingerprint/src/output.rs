//! Rows out: each as it came, with the cells of its verdict behind.

use std::io::{self, Read, Write};

use probeline_record::{Encoder, Field, Format, Forward, Row, RowReader};
use probeline_signature::{Confidence, RULES, Verdict};

use crate::waiting::Waiting;

/// Output is handed on once this much has gathered: two pipe buffers.
const FLUSH_AT: usize = 128 << 10;

/// Writes rows in the order in which they came, each when its verdict has.
pub(crate) struct Output<W> {
    to: W,
    buf: Vec<u8>,
    format: Format,
    plan: Forward,
    /// Forwards one row at a time, up to the cells that are added.
    head: Encoder<io::Empty>,
    scratch: Vec<u8>,
    waiting: Waiting,
    /// What stands before each added value.
    keys: Vec<Vec<u8>>,
    least: Confidence,
    session: bool,
    rows: u64,
}

impl<W: Write> Output<W> {
    /// Writes the header.
    pub(crate) fn new<R: Read>(
        to: W,
        rows: &RowReader<R>,
        format: Format,
        fields: &[&Field],
        least: Confidence,
        session: bool,
    ) -> Self {
        let mut head = Encoder::gathering(format);
        let plan = Forward::new(rows.names(), rows.format(), fields.iter().map(|f| f.name), &mut head);
        let mut buf = Vec::with_capacity(FLUSH_AT + 4096);
        head.swap_buffer(&mut buf);
        let keys = fields.iter().map(|field| match format {
            Format::Csv => b",".to_vec(),
            Format::Ndjson => format!(",\"{}\":", field.name).into_bytes(),
        });
        Self {
            to,
            buf,
            format,
            plan,
            head,
            scratch: Vec::new(),
            waiting: Waiting::default(),
            keys: keys.collect(),
            least,
            session,
            rows: 0,
        }
    }

    /// Takes a row in, to be written when its verdict comes.
    #[inline]
    pub(crate) fn push(&mut self, row: &Row<'_>) {
        self.plan.begin(row, &mut self.head);
        self.head.swap_buffer(&mut self.scratch);
        let scratch = &self.scratch;
        self.waiting.push(|bytes| bytes.extend_from_slice(scratch));
    }

    /// Writes the row that has waited longest, with its verdict.
    #[inline]
    pub(crate) fn verdict(&mut self, verdict: &Verdict) -> io::Result<()> {
        let verdict = verdict.at_least(self.least);
        let buf = &mut self.buf;
        self.waiting.pop(|row| buf.extend_from_slice(row));
        let mut cells = Cells { buf, keys: self.keys.iter(), format: self.format };
        cells.word(verdict.tool.name().as_bytes());
        cells.with(!verdict.rules.is_empty(), |buf| {
            for (i, place) in verdict.rules.iter().enumerate() {
                if i > 0 {
                    buf.push(b';');
                }
                buf.extend_from_slice(RULES[place].id.as_bytes());
            }
        });
        cells.word(verdict.confidence.map_or("", Confidence::name).as_bytes());
        cells.word(verdict.version.unwrap_or("").as_bytes());
        if self.session {
            cells.with(verdict.session.is_some(), |buf| {
                if let Some(session) = verdict.session {
                    session.write(buf);
                }
            });
        }
        self.buf.extend_from_slice(if self.format == Format::Csv { b"\n" } else { b"}\n" });
        self.rows += 1;
        if self.buf.len() >= FLUSH_AT { self.hand_on() } else { Ok(()) }
    }

    /// Rows written.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Hands on and flushes what is written.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.hand_on()?;
        self.to.flush()
    }

    fn hand_on(&mut self) -> io::Result<()> {
        let written = self.to.write_all(&self.buf);
        self.buf.clear();
        written
    }
}

/// Appends cells of words, which need neither quotes nor escapes.
struct Cells<'a> {
    buf: &'a mut Vec<u8>,
    keys: std::slice::Iter<'a, Vec<u8>>,
    format: Format,
}

impl Cells<'_> {
    #[inline]
    fn word(&mut self, word: &[u8]) {
        self.with(!word.is_empty(), |buf| buf.extend_from_slice(word));
    }

    #[inline]
    fn with(&mut self, present: bool, write: impl FnOnce(&mut Vec<u8>)) {
        if let Some(key) = self.keys.next() {
            self.buf.extend_from_slice(key);
        }
        match (self.format, present) {
            (Format::Csv, true) => write(self.buf),
            (Format::Csv, false) => {}
            (Format::Ndjson, true) => {
                self.buf.push(b'"');
                write(self.buf);
                self.buf.push(b'"');
            }
            (Format::Ndjson, false) => self.buf.extend_from_slice(b"null"),
        }
    }
}
