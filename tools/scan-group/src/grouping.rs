//! Sessions of one key: what `--by` asks for, and each `--also`.

use std::io::{self, Read, Write};
use std::net::IpAddr;

use probeline_cli::{Account, Console};
use probeline_geo::SearchPath;
use probeline_record::{Col, Row, RowReader};
use probeline_scan::Grouper;

use crate::key::Keys;
use crate::output::Sink;
use crate::plan::Plan;

/// Of which key, and where they go.
pub(crate) struct Grouping<'a, W> {
    plan: &'a Plan,
    pub(crate) sink: Sink<'a, W>,
    keys: Keys,
    /// Its number in the grouper.
    number: usize,
}

/// What became of the rows that were read, before any grouping.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) read: u64,
    pub(crate) malformed: u64,
    pub(crate) not_taken: u64,
}

impl<'a, W: Write> Grouping<'a, W> {
    pub(crate) fn new(plan: &'a Plan, sink: Sink<'a, W>, number: usize) -> Self {
        Self { plan, sink, keys: Keys::default(), number }
    }

    /// Finds the key's columns in the rows that follow.
    pub(crate) fn begin<R: Read>(
        &mut self,
        rows: &mut RowReader<R>,
        search: &SearchPath,
    ) -> Result<(), anyhow::Error> {
        self.keys = Keys::find(&self.plan.by, rows, search)?;
        Ok(())
    }

    /// The columns of the key.
    pub(crate) fn columns(&self) -> impl Iterator<Item = Col> + '_ {
        self.keys.columns()
    }

    /// Appends the key of a row.
    #[inline]
    pub(crate) fn write_key(&mut self, row: &Row<'_>, src: IpAddr, out: &mut Vec<u8>) {
        self.keys.write(row, src, out);
    }

    /// Hands on what was written, and says what was odd about it.
    pub(crate) fn flush(&mut self, console: &Console) -> io::Result<()> {
        self.sink.out.flush()?;
        if self.sink.too_wide > 0 {
            console
                .say(format_args!("{} rows have more destinations than the telescope", self.sink.too_wide));
        }
        Ok(())
    }

    /// Where every probe has gone: those that were read, and those of a saved state.
    pub(crate) fn account(&self, grouper: &Grouper, counts: Counts, restored: Option<u64>) -> Account {
        let Self { plan, sink, number, .. } = self;
        let read = restored.unwrap_or(0) + counts.read;
        let mut account = Account::new("probes", read).part("in sessions written", sink.probes);
        if plan.has_minimum() {
            account = account.part("in sessions below a minimum", sink.small_probes);
        }
        if let Some(restored) = restored {
            account = account
                .part("kept in the state", grouper.unfinished(*number))
                .note("from the state", restored);
        }
        account = account.skipped("malformed", counts.malformed).skipped("late", grouper.late());
        if counts.not_taken > 0 {
            account = account.skipped("not what the preset speaks of", counts.not_taken);
        }
        account = account.note("sessions written", sink.out.rows());
        if grouper.evicted(*number) > 0 {
            account = account.note("sessions evicted (--max-sessions)", grouper.evicted(*number));
        }
        account
    }
}
