use std::io::{self, Write};

use probeline_record::{Encoder, Field, Format, Kind, Ts, field};
use probeline_simulate::Flow;

/// The columns: where the flow is, under the names that rows have, and what is true of it.
pub(crate) const FIELDS: &[&Field] = &[
    &field::TS,
    &field::SRC_IP,
    &field::DST_IP,
    &field::PROTO,
    &field::SRC_PORT,
    &field::DST_PORT,
    &truth("sim_origin", Kind::Word, "why it was sent: scan, backscatter, misconfiguration, flood", "never"),
    &truth("sim_class", Kind::Word, "class that the rules give such packets", "never"),
    &truth(
        "sim_technique",
        Kind::Word,
        "what the sender did; connect for a socket's connect(), whether anything answered or not",
        "not of the class scan",
    ),
    &truth(
        "sim_handshake",
        Kind::Word,
        "none, reset, unanswered, completed, refused, by the packets in the capture",
        "not opened by a SYN",
    ),
    &truth("sim_packets", Kind::Int, "packets of the flow in the capture, in both directions", "never"),
    &truth(
        "sim_tool",
        Kind::Word,
        "the sender's tool; os-stack for sockets, unknown for one without a mark",
        "never",
    ),
    &truth(
        "sim_version",
        Kind::Text,
        "the tool's version, or the system whose stack it is",
        "the tool has but one",
    ),
    &truth("sim_session", Kind::Int, "number of the launch, which several sources may share", "never"),
    &truth("sim_run", Kind::Int, "number of the source's visit", "never"),
    &truth(
        "sim_geometry",
        Kind::Word,
        "point, horizontal, vertical or block, by the targets of the visit",
        "never",
    ),
];

const fn truth(name: &'static str, kind: Kind, doc: &'static str, absent: &'static str) -> Field {
    Field { name, kind, unit: "", absent, doc, source: "", added_by: "pcap-sim" }
}

/// Writes the truth, one row per flow.
pub(crate) struct Truth {
    rows: Encoder<Box<dyn Write + Send>>,
    digits: u8,
}

impl Truth {
    pub(crate) fn new(output: Box<dyn Write + Send>, nanoseconds: bool) -> Self {
        let digits = if nanoseconds { 9 } else { 6 };
        Self { rows: Encoder::with_fields(output, Format::Csv, FIELDS), digits }
    }

    pub(crate) fn write(&mut self, flow: &Flow) -> io::Result<()> {
        let (rows, intent) = (&mut self.rows, &flow.intent);
        rows.begin();
        rows.ts(Ts::from_nanos(flow.ts), self.digits);
        rows.ip(flow.src);
        rows.ip(flow.dst);
        rows.word(flow.proto);
        rows.uint_or_absent(flow.src_port);
        rows.uint_or_absent(flow.dst_port);
        rows.word(intent.origin.name());
        rows.word(intent.class);
        rows.word_or_absent(intent.technique);
        rows.word_or_absent(flow.handshake);
        rows.uint(flow.packets);
        rows.word(intent.tool);
        rows.text(intent.version.as_bytes());
        rows.uint(intent.session);
        rows.uint(intent.run);
        rows.word(intent.geometry);
        rows.end()
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.rows.flush()
    }
}
