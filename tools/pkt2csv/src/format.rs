use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use probeline_capfile::{Batch, Record};
use probeline_packet::{Options, Transport, decode};
use probeline_record::{Encoder, Format};

use crate::column::{Column, Style, write_row};
use crate::default_row::{self, Line};
use crate::filter::{self, Filter};
use crate::split::{Period, Rows};
use crate::tally::Tally;

/// What every formatting thread needs to know.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) columns: Vec<Column>,
    pub(crate) format: Format,
    pub(crate) style: Style,
    pub(crate) options: Options,
    pub(crate) filter: Option<FilterSet>,
    /// What one output file holds, if there are several.
    pub(crate) split: Option<Period>,
}

impl Plan {
    /// About the memory that a batch and its rows take: used to bound what is under way, not to allocate.
    pub(crate) fn cost(&self, batch: &Batch) -> usize {
        // Values are short: of the 31 default ones a probe fills half, with four characters on the average.
        const CELL: usize = 8;
        let names: usize = match self.format {
            Format::Csv => 0,
            Format::Ndjson => self.columns.iter().map(|column| column.field().name.len() + 4).sum(),
        };
        let row = size_of::<Record>() + names + self.columns.len() * CELL;
        let payload = (batch.len() * self.style.payload).min(batch.byte_len()) * 2;
        batch.byte_len() + batch.len() * row + payload
    }
}

/// One filter expression, compiled for each link type when it is first met.
#[derive(Debug)]
pub(crate) struct FilterSet {
    expression: String,
    compiled: Mutex<Vec<(u32, Arc<Filter>)>>,
}

impl FilterSet {
    pub(crate) fn new(expression: &str) -> Self {
        Self { expression: expression.to_owned(), compiled: Mutex::new(Vec::new()) }
    }

    pub(crate) fn get(&self, link: u32) -> Result<Arc<Filter>, filter::Error> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, filter)) = compiled.iter().find(|(known, _)| *known == link) {
            return Ok(Arc::clone(filter));
        }
        let filter = Arc::new(Filter::compile(&self.expression, link)?);
        compiled.push((link, Arc::clone(&filter)));
        Ok(filter)
    }
}

/// Turns batches into text; one per thread.
pub(crate) struct Formatter<'a> {
    plan: &'a Plan,
    rows: Encoder<io::Empty>,
    /// Whether rows are those that the short way writes.
    default_csv: bool,
    filter: Option<Arc<Filter>>,
    line: Line,
}

impl<'a> Formatter<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        let mut rows = Encoder::gathering(plan.format);
        rows.header(plan.columns.iter().map(|column| column.field().name));
        rows.swap_buffer(&mut Vec::new());
        let default_csv =
            plan.format == Format::Csv && plan.columns == Column::default_row() && !plan.style.rfc3339;
        Self { plan, rows, default_csv, filter: None, line: Line::new() }
    }

    /// Writes the rows of a batch to `rows`, whose contents go, and says what became of its packets.
    pub(crate) fn format(
        &mut self,
        batch: &Batch,
        ts_digits: u8,
        rows: &mut Rows,
    ) -> Result<Tally, filter::Error> {
        self.rows.swap_buffer(&mut rows.text);
        rows.cuts.clear();
        let style = Style { ts_digits, ..self.plan.style };
        let mut tally = Tally::new();
        for (record, bytes) in batch.iter() {
            tally.read += 1;
            if let Some(filters) = &self.plan.filter {
                let filter = match &self.filter {
                    Some(filter) if filter.link_type() == record.link.0 => filter,
                    _ => self.filter.insert(filters.get(record.link.0)?),
                };
                if !filter.matches(bytes, record.wire_len) {
                    tally.filtered += 1;
                    continue;
                }
            }
            match decode(record.link.0, bytes, record.wire_len, &self.plan.options) {
                Ok(packet) => {
                    tally.rows += 1;
                    tally.fragments += u64::from(matches!(packet.transport, Transport::Fragment));
                    if let Some(period) = self.plan.split {
                        let number = period.of(record.ts_nanos);
                        if rows.cuts.last().is_none_or(|(_, last)| *last != number) {
                            rows.cuts.push((self.rows.buffer().len(), number));
                        }
                    }
                    if self.default_csv {
                        default_row::write(style, record, &packet, &mut self.line, self.rows.buffer());
                    } else {
                        write_row(&self.plan.columns, style, record, &packet, &mut self.rows);
                        // A gathering encoder never hands on, so ending a row cannot fail.
                        let _ended = self.rows.end();
                    }
                }
                Err(skip) => tally.skip(skip),
            }
        }
        self.rows.swap_buffer(&mut rows.text);
        Ok(tally)
    }
}
