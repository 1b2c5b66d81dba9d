use std::io::Read;

use probeline_record::{CellError, Col, Error, Proto, Row, RowReader, Ts, field};
use probeline_scan::{NewProbe, Reason};

use crate::rule::Takes;

/// Where the columns of a probe stand.
pub(crate) struct ProbeColumns {
    ts: Col,
    src_ip: Col,
    dst_ip: Col,
    proto: Col,
    dst_port: Col,
    technique: Col,
    tool: Option<Col>,
    packets: Col,
    bytes: Col,
    /// Where only some definitions look.
    class: Option<Col>,
    reason: Option<Col>,
    takes: Takes,
}

impl ProbeColumns {
    /// # Errors
    /// When one that makes a session is missing, or stands twice.
    pub(crate) fn find<R: Read>(
        rows: &mut RowReader<R>,
        takes: Takes,
        two_phase: bool,
    ) -> Result<Self, Error> {
        Ok(Self {
            takes,
            class: if takes == Takes::Backscatter { Some(rows.require(&field::CLASS)?) } else { None },
            reason: if two_phase { Some(rows.require(&field::REASON)?) } else { None },
            ts: rows.require(&field::TS)?,
            src_ip: rows.require(&field::SRC_IP)?,
            dst_ip: rows.require(&field::DST_IP)?,
            proto: rows.require(&field::PROTO)?,
            dst_port: rows.require(&field::DST_PORT)?,
            technique: rows.require(&field::TECHNIQUE)?,
            tool: rows.column(field::TOOL.name)?,
            packets: rows.require(&field::PACKETS)?,
            bytes: rows.require(&field::BYTES)?,
        })
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = Col> {
        let Self { ts, src_ip, dst_ip, proto, dst_port, technique, packets, bytes, .. } = *self;
        let certain = [ts, src_ip, dst_ip, proto, dst_port, technique, packets, bytes];
        certain.into_iter().chain(self.tool).chain(self.class).chain(self.reason)
    }

    /// The probe of a row, without its key.
    ///
    /// # Errors
    /// The first cell that does not hold what its column promises.
    #[inline]
    pub(crate) fn probe<'a>(&self, row: &Row<'a>) -> Result<NewProbe<'a>, CellError> {
        let proto = row.word(self.proto, "a protocol name or number", Proto::parse)?;
        Ok(NewProbe {
            ts: row.ts(self.ts)?,
            ts_digits: Ts::digits_of(row.cell(self.ts)),
            key: &[],
            proto: proto
                .ok_or_else(|| CellError::new(field::PROTO.name, "a protocol name or number", b""))?,
            src: row.ip(self.src_ip)?,
            dst: row.ip(self.dst_ip)?,
            dst_port: row.uint(self.dst_port)?,
            technique: row.cell(self.technique),
            tool: self.tool.map_or(b"", |col| row.cell(col)),
            packets: row.uint(self.packets)?.unwrap_or(1),
            bytes: row.uint(self.bytes)?.unwrap_or(0),
        })
    }

    /// Whether the definition in use speaks of this probe.
    #[inline]
    pub(crate) fn takes(&self, row: &Row<'_>, probe: &NewProbe<'_>) -> bool {
        self.takes == Takes::All
            || self.takes.takes(
                probe.proto == Proto::TCP,
                self.class.map_or(b"", |col| row.cell(col)),
                probe.technique,
            )
    }

    /// Whether it is the second phase of a two-phase scan; never, where nobody asked.
    #[inline]
    pub(crate) fn is_two_phase(&self, row: &Row<'_>) -> bool {
        self.reason.is_some_and(|col| {
            row.cell(col).split(|b| *b == b';').any(|word| word == Reason::TwoPhase.name().as_bytes())
        })
    }
}
