use std::io::{self, Read, Write};

use probeline_record::text::write_uint;
use probeline_record::{Col, Encoder, Field, Format, Gather, Row, RowReader, Ts, field, rows};
use probeline_scan::{Handshake, Probe, Reasons, SynStack, Technique};

/// Columns of the packet row that open the probe row, behind time and duration: they go out as they came in.
const FLOW: &[&Field] = &[&field::SRC_IP, &field::DST_IP, &field::PROTO];

/// Those that an input may lack.
const PORTS: &[&Field] = &[&field::SRC_PORT, &field::DST_PORT];

/// What a probe keeps of its first packet's row: time, the flow's columns, and every other one, as they stand.
pub(crate) struct FirstRow {
    ts: Col,
    flow: Gather,
    others: Gather,
    /// First and last column of the flow, and the last of all, where all stand in that order in rows of CSV.
    together: Option<[Col; 3]>,
    scratch: Vec<u8>,
}

impl FirstRow {
    /// Appends the kept cells of a row: two lengths, then time, flow and the rest with commas between them.
    #[inline]
    pub(crate) fn take(&mut self, row: &Row<'_>, kept: &mut Vec<u8>) {
        if let Some([first, last, end]) = self.together {
            append_lengths(row.token(self.ts), row.slice(first, last), kept);
            return kept.extend_from_slice(row.slice(self.ts, end));
        }
        let ts = row.token(self.ts);
        let flow = self.flow.take(row, &mut self.scratch);
        append_lengths(ts, flow, kept);
        kept.extend_from_slice(ts);
        kept.push(b',');
        kept.extend_from_slice(flow);
        kept.push(b',');
        kept.extend_from_slice(self.others.take(row, &mut self.scratch));
    }
}

#[inline]
fn append_lengths(ts: &[u8], flow: &[u8], kept: &mut Vec<u8>) {
    let lengths = (ts.len() as u64) << 32 | flow.len() as u64;
    kept.extend_from_slice(&lengths.to_le_bytes());
}

/// Writes probe rows: the probe's own columns, then every further column of the input from its first packet.
pub(crate) struct ProbeRows {
    format: Format,
    /// Whether the input has both ports; if not, these cells are written from the probe.
    has_ports: bool,
    has_others: bool,
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
        let all: Vec<Col> =
            std::iter::once(ts).chain(flow.iter().copied()).chain(others.iter().copied()).collect();
        let in_order = all.windows(2).all(|pair| pair[0].index() + 1 == pair[1].index());
        let together = match (&flow[..], others.last()) {
            ([first, .., last], Some(end)) if format == Format::Csv && in_order => {
                Some([*first, *last, *end])
            }
            _ => None,
        };
        let gather = |columns: &[Col]| Gather::new(columns, format);
        let first =
            FirstRow { ts, flow: gather(&flow), others: gather(&others), together, scratch: Vec::new() };
        let has_ports = flow.len() == FLOW.len() + PORTS.len();
        Ok((
            Self {
                format,
                has_ports,
                has_others: !others.is_empty(),
                flow: gather(&flow),
                others: gather(&others),
                verdict: Verdict::default(),
            },
            first,
        ))
    }

    pub(crate) fn write<W: Write>(&mut self, probe: &Probe<'_>, out: &mut Encoder<W>) -> io::Result<()> {
        let [ts, flow, others] = split(probe.cells);
        if self.has_ports && self.format == Format::Csv && out.format() == Format::Csv {
            let verdict = self.verdict.csv(probe);
            return out.csv_row(|row| {
                row.extend_from_slice(ts);
                row.push(b',');
                Ts::from_nanos(probe.duration).write(probe.ts_digits, row);
                row.push(b',');
                row.extend_from_slice(flow);
                row.push(b',');
                row.extend_from_slice(verdict);
                row.push(b',');
                write_uint(probe.packets, row);
                row.push(b',');
                write_uint(probe.bytes, row);
                if self.has_others {
                    row.push(b',');
                    row.extend_from_slice(others);
                }
            });
        }
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

/// Class, technique, handshake, syn_stack and reason: few kinds come again and again, so the CSV of some is kept.
#[derive(Default)]
struct Verdict {
    known: [Known; 16],
}

#[derive(Default)]
struct Known {
    key: Option<(Reasons, [u8; 4])>,
    csv: Vec<u8>,
}

/// 2^64 divided by the golden ratio: the top bits of a product with it depend on all bits of the other factor.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

impl Verdict {
    /// The five cells, in CSV.
    fn csv(&mut self, probe: &Probe<'_>) -> &[u8] {
        let key = [
            probe.class as u8,
            probe.technique.map_or(u8::MAX, |technique| technique as u8),
            probe.handshake.map_or(u8::MAX, |handshake| handshake as u8),
            probe.syn_stack.map_or(u8::MAX, |stack| stack as u8),
        ];
        let mixed = (probe.reasons.bits() ^ u64::from(u32::from_le_bytes(key))).wrapping_mul(MIX);
        let known = &mut self.known[(mixed >> 60) as usize];
        if known.key != Some((probe.reasons, key)) {
            known.key = Some((probe.reasons, key));
            known.csv.clear();
            for word in words(probe) {
                known.csv.extend_from_slice(word.unwrap_or("").as_bytes());
                known.csv.push(b',');
            }
            probe.reasons.write(&mut known.csv);
        }
        &known.csv
    }

    fn write<W: Write>(&mut self, probe: &Probe<'_>, out: &mut Encoder<W>) {
        if out.format() == Format::Csv {
            return out.csv_cells(self.csv(probe), words(probe).len() + 1);
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
fn split(cells: &[u8]) -> [&[u8]; 3] {
    let parts = || {
        let (lengths, rest) = cells.split_first_chunk()?;
        let lengths = u64::from_le_bytes(*lengths);
        let (ts, rest) = rest.split_at_checked((lengths >> 32) as usize)?;
        let (flow, rest) = rest.get(1..)?.split_at_checked(lengths as u32 as usize)?;
        Some([ts, flow, rest.get(1..)?])
    };
    parts().unwrap_or_default()
}
