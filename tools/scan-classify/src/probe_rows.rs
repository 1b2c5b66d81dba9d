use std::io::{self, Read, Write};

use probeline_record::{Col, Encoder, Field, Format, Gather, Row, RowReader, field, rows};
use probeline_scan::{Class, Handshake, Probe, Reasons, SynStack, Technique};

/// Columns of the packet row that open the probe row, behind time and duration: they go out as they came in.
const FLOW: &[&Field] = &[&field::SRC_IP, &field::DST_IP, &field::PROTO];

/// Those that an input may lack.
const PORTS: &[&Field] = &[&field::SRC_PORT, &field::DST_PORT];

/// What a probe keeps of its first packet's row: time, the flow's columns, and every other one, as they stand.
pub(crate) struct FirstRow {
    ts: Col,
    flow: Gather,
    others: Gather,
    scratch: Vec<u8>,
    kept: Vec<u8>,
}

impl FirstRow {
    /// The kept cells of a row: two lengths, then time, flow and the rest.
    #[inline]
    pub(crate) fn take<'a>(&'a mut self, row: &Row<'_>) -> &'a [u8] {
        self.kept.clear();
        let ts = row.token(self.ts);
        let flow = self.flow.take(row, &mut self.scratch);
        self.kept.extend_from_slice(&(ts.len() as u32).to_le_bytes());
        self.kept.extend_from_slice(&(flow.len() as u32).to_le_bytes());
        self.kept.extend_from_slice(ts);
        self.kept.extend_from_slice(flow);
        self.kept.extend_from_slice(self.others.take(row, &mut self.scratch));
        &self.kept
    }
}

/// Writes probe rows: the probe's own columns, then every further column of the input from its first packet.
pub(crate) struct ProbeRows {
    format: Format,
    /// Whether the input has both ports; if not, these cells are written from the probe.
    has_ports: bool,
    flow: Gather,
    others: Gather,
    verdict: Verdict,
}

impl ProbeRows {
    /// Finds the columns and writes the header.
    ///
    /// # Errors
    /// When a column that makes a flow is missing, or stands twice.
    pub(crate) fn new<R: Read, W: Write>(
        rows: &mut RowReader<R>,
        out: &mut Encoder<W>,
    ) -> Result<(Self, FirstRow), probeline_record::Error> {
        let ts = rows.require(&field::TS)?;
        let mut flow = FLOW.iter().map(|field| rows.require(field)).collect::<Result<Vec<Col>, _>>()?;
        for field in PORTS {
            flow.extend(rows.column(field.name)?);
        }
        let own = || rows::PROBE.iter().map(|field| field.name);
        let others: Vec<(Col, &str)> = rows.columns().filter(|(_, name)| own().all(|n| n != *name)).collect();
        out.header(own().chain(others.iter().map(|(_, name)| *name)));
        let others: Vec<Col> = others.iter().map(|(col, _)| *col).collect();
        let format = rows.format();
        let gather = |columns: &[Col]| Gather::new(columns, format);
        let first = FirstRow {
            ts,
            flow: gather(&flow),
            others: gather(&others),
            scratch: Vec::new(),
            kept: Vec::new(),
        };
        let has_ports = flow.len() == FLOW.len() + PORTS.len();
        Ok((
            Self {
                format,
                has_ports,
                flow: gather(&flow),
                others: gather(&others),
                verdict: Verdict::default(),
            },
            first,
        ))
    }

    pub(crate) fn write<W: Write>(&mut self, probe: &Probe<'_>, out: &mut Encoder<W>) -> io::Result<()> {
        let (ts, flow, others) = split(probe.cells);
        out.begin();
        out.token(ts, self.format);
        out.seconds(probe.duration, probe.ts_digits);
        if self.has_ports {
            self.flow.write(flow, out);
        } else {
            out.ip(probe.src);
            out.ip(probe.dst);
            out.word(probe.proto.name());
            out.uint_or_absent(probe.src_port);
            out.uint_or_absent(probe.dst_port);
        }
        self.verdict.write(probe, out);
        out.uint(probe.packets);
        out.uint(probe.bytes);
        self.others.write(others, out);
        out.end()
    }
}

/// Class, technique, handshake, syn_stack and reason: the same from one probe to the next more often than not, so the
/// CSV of the last ones is kept.
#[derive(Default)]
struct Verdict {
    last: Option<VerdictKey>,
    csv: Vec<u8>,
}

type VerdictKey = (Class, Option<Technique>, Option<Handshake>, Option<SynStack>, Reasons);

impl Verdict {
    fn write<W: Write>(&mut self, probe: &Probe<'_>, out: &mut Encoder<W>) {
        let key = (probe.class, probe.technique, probe.handshake, probe.syn_stack, probe.reasons);
        if out.format() == Format::Csv {
            if self.last != Some(key) {
                self.last = Some(key);
                self.csv.clear();
                for word in words(probe) {
                    self.csv.extend_from_slice(word.unwrap_or("").as_bytes());
                    self.csv.push(b',');
                }
                probe.reasons.write(&mut self.csv);
            }
            return out.csv_cells(&self.csv, words(probe).len() + 1);
        }
        for word in words(probe) {
            out.word_or_absent(word);
        }
        if probe.reasons.is_empty() {
            out.absent();
        } else {
            out.word_with(|buf| probe.reasons.write(buf));
        }
    }
}

fn words(probe: &Probe<'_>) -> [Option<&'static str>; 4] {
    [
        Some(probe.class.name()),
        probe.technique.map(Technique::name),
        probe.handshake.map(Handshake::name),
        probe.syn_stack.map(SynStack::name),
    ]
}

/// The parts of what [`FirstRow::take`] kept.
fn split(cells: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let length = |at: usize| {
        cells.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, |b| u32::from_le_bytes(b) as usize)
    };
    let (ts, flow) = (length(0), length(4));
    let rest = cells.get(8..).unwrap_or_default();
    let (ts, rest) = rest.split_at_checked(ts).unwrap_or_default();
    let (flow, rest) = rest.split_at_checked(flow).unwrap_or_default();
    (ts, flow, rest)
}
