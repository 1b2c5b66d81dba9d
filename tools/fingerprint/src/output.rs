//! Rows out: each as it came, with the cells of its verdict behind.

use std::io::{self, Read, Write};
use std::mem;

use probeline_record::{Encoder, Format, Forward, PacketRow, RowReader};
use probeline_signature::{Confidence, Notation, Packet, RULES, Verdict, write_signature};

use crate::Args;

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
    waiting: Waiting,
    /// The signatures of the rows that wait, where they are asked for.
    signatures: Waiting,
    /// What stands before each added value.
    keys: Vec<Vec<u8>>,
    tails: Tails,
    least: Confidence,
    session: bool,
    sig: Option<Notation>,
    rows: u64,
}

impl<W: Write> Output<W> {
    /// Writes the header.
    pub(crate) fn new<R: Read>(to: W, rows: &RowReader<R>, format: Format, args: &Args) -> Self {
        let mut head = Encoder::gathering(format);
        let fields = args.fields();
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
            waiting: Waiting::default(),
            signatures: Waiting::default(),
            keys: keys.collect(),
            tails: Tails::default(),
            least: args.min_confidence.into(),
            session: args.session,
            sig: args.sig.map(Into::into),
            rows: 0,
        }
    }

    /// Takes a row in, to be written when its verdict comes.
    #[inline]
    pub(crate) fn push(&mut self, row: &PacketRow<'_>, packet: Option<&Packet>) {
        let Self { plan, head, .. } = self;
        self.waiting.push(|bytes| {
            mem::swap(head.buffer(), bytes);
            plan.begin(&row.row(), head);
            mem::swap(head.buffer(), bytes);
        });
        if let Some((notation, packet)) = self.sig.zip(packet) {
            self.signatures.push(|bytes| {
                write_signature(packet.facts(), row.tcp_opts(), notation, bytes);
            });
        }
    }

    /// Writes the row that has waited longest, with its verdict.
    #[inline]
    pub(crate) fn verdict(&mut self, verdict: &Verdict) -> io::Result<()> {
        let less_sure;
        let verdict = if verdict.is_at_least(self.least) {
            verdict
        } else {
            less_sure = verdict.unnamed();
            &less_sure
        };
        let buf = &mut self.buf;
        self.waiting.pop(|row| buf.extend_from_slice(row));
        let tail = self.tails.of(verdict, &self.keys, self.format);
        buf.extend_from_slice(tail);
        let mut cells = Cells { buf, keys: self.keys[ALWAYS..].iter(), format: self.format };
        if self.session {
            cells.with(verdict.session.is_some(), |buf| {
                if let Some(session) = verdict.session {
                    session.write(buf);
                }
            });
        }
        if self.sig.is_some() {
            self.signatures.pop(|signature| cells.with_commas(signature));
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

/// Cells that every row gets.
const ALWAYS: usize = 4;
/// Verdicts whose cells are kept, as a power of two.
const KEPT_BITS: u32 = 10;

/// The cells of verdicts without their sessions, as they stand in the output: most rows share theirs with a thousand
/// others, and putting the names of rules together costs more than the rest of the row.
struct Tails {
    kept: Vec<Tail>,
}

#[derive(Clone)]
struct Tail {
    verdict: Verdict,
    /// Empty where no verdict was kept yet.
    bytes: Vec<u8>,
}

impl Default for Tails {
    fn default() -> Self {
        Self { kept: vec![Tail { verdict: Verdict::UNKNOWN, bytes: Vec::new() }; 1 << KEPT_BITS] }
    }
}

impl Tails {
    #[inline]
    fn of(&mut self, verdict: &Verdict, keys: &[Vec<u8>], format: Format) -> &[u8] {
        let bits = verdict.rules.bits();
        let named =
            (verdict.tool as u64) << 8 | verdict.confidence.map_or(0, |confidence| confidence as u64 + 1);
        // Fibonacci hashing (Knuth, The Art of Computer Programming 6.4); what falls on one place only replaces. One
        // source's packets share their rules and differ in how sure they are.
        let folded = (bits as u64 ^ (bits >> 64) as u64 ^ named << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let tail = &mut self.kept[(folded >> (u64::BITS - KEPT_BITS)) as usize];
        if tail.bytes.is_empty() || !tail.says(verdict) {
            tail.verdict = *verdict;
            render(verdict, keys, format, &mut tail.bytes);
        }
        &tail.bytes
    }
}

impl Tail {
    /// Whether it is the cells of this verdict, whatever its session.
    #[inline]
    fn says(&self, verdict: &Verdict) -> bool {
        let own = &self.verdict;
        (own.rules, own.tool, own.confidence) == (verdict.rules, verdict.tool, verdict.confidence)
            && own.version == verdict.version
    }
}

fn render(verdict: &Verdict, keys: &[Vec<u8>], format: Format, bytes: &mut Vec<u8>) {
    bytes.clear();
    let mut cells = Cells { buf: bytes, keys: keys.iter(), format };
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

    /// A cell that may hold commas but neither quotes nor escapes.
    fn with_commas(&mut self, text: &[u8]) {
        let quote: &[u8] = if self.format == Format::Csv && text.contains(&b',') { b"\"" } else { b"" };
        self.with(!text.is_empty(), |buf| buf.extend([quote, text, quote].concat()));
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
