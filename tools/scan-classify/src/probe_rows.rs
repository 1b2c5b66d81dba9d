use std::io::{self, Read, Write};

use probeline_record::{Col, Encoder, Field, Gather, RowReader, field, rows};
use probeline_scan::{Handshake, Probe, SynStack, Technique};

/// Writes probe rows: the probe's own columns, then every further column of the input from its first packet.
pub(crate) struct ProbeRows {
    gather: Gather,
}

/// Columns of the packet row that the probe row has in a place of their own.
const REPLACED: &[&Field] =
    &[&field::TS, &field::SRC_IP, &field::DST_IP, &field::PROTO, &field::SRC_PORT, &field::DST_PORT];

impl ProbeRows {
    /// Writes the header, and returns what takes the kept cells out of each input row.
    pub(crate) fn new<R: Read, W: Write>(rows: &RowReader<R>, out: &mut Encoder<W>) -> (Self, Gather) {
        let own = || rows::PROBE.iter().chain(REPLACED).map(|field| field.name);
        let kept: Vec<(Col, &str)> = rows.columns().filter(|(_, name)| own().all(|n| n != *name)).collect();
        out.header(rows::PROBE.iter().map(|field| field.name).chain(kept.iter().map(|(_, name)| *name)));
        let columns: Vec<Col> = kept.iter().map(|(col, _)| *col).collect();
        let gather = || Gather::new(&columns, rows.format());
        (Self { gather: gather() }, gather())
    }

    pub(crate) fn write<W: Write>(&mut self, probe: &Probe<'_>, out: &mut Encoder<W>) -> io::Result<()> {
        out.begin();
        out.ts(probe.ts, probe.ts_digits);
        out.seconds(probe.duration, probe.ts_digits);
        out.ip(probe.src);
        out.ip(probe.dst);
        out.word(probe.proto.name());
        out.uint_or_absent(probe.src_port);
        out.uint_or_absent(probe.dst_port);
        out.word(probe.class.name());
        out.word_or_absent(probe.technique.map(Technique::name));
        out.word_or_absent(probe.handshake.map(Handshake::name));
        out.word_or_absent(probe.syn_stack.map(SynStack::name));
        if probe.reasons.is_empty() {
            out.absent();
        } else {
            out.word_with(|buf| probe.reasons.write(buf));
        }
        out.uint(probe.packets);
        out.uint(probe.bytes);
        self.gather.write(probe.cells, out);
        out.end()
    }
}
