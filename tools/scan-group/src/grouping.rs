//! Sessions of one key: what `--by` asks for, and each `--also`.

use std::io::{self, Read, Write};

use probeline_cli::{Account, Console};
use probeline_geo::SearchPath;
use probeline_record::{Row, RowReader};
use probeline_scan::{Grouper, NewProbe};

use crate::key::Keys;
use crate::output::Sink;
use crate::plan::Plan;

/// How probes become sessions of one key, and where these go.
pub(crate) struct Grouping<'a, W> {
    plan: &'a Plan,
    pub(crate) grouper: Grouper,
    pub(crate) sink: Sink<'a, W>,
    keys: Keys,
    key: Vec<u8>,
}

/// What became of the rows that were read, before any grouping.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) read: u64,
    pub(crate) malformed: u64,
    pub(crate) not_taken: u64,
}

impl<'a, W: Write> Grouping<'a, W> {
    pub(crate) fn new(plan: &'a Plan, grouper: Grouper, sink: Sink<'a, W>) -> Self {
        Self { plan, grouper, sink, keys: Keys::default(), key: Vec::new() }
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

    /// Takes the probe of a row, whose key is not known yet.
    #[inline]
    pub(crate) fn push(&mut self, row: &Row<'_>, probe: &NewProbe<'_>, marked: bool) -> io::Result<()> {
        let Self { grouper, sink, keys, key, .. } = self;
        keys.write(row, probe.src, key);
        grouper.push_marked(&NewProbe { key, ..*probe }, marked, &mut |session| sink.session(&session))
    }

    /// Writes every session that is left.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let Self { grouper, sink, .. } = self;
        grouper.finish(&mut |session| sink.session(&session))
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
    pub(crate) fn account(&self, counts: Counts, restored: Option<u64>) -> Account {
        let Self { plan, grouper, sink, .. } = self;
        let read = restored.unwrap_or(0) + counts.read;
        let mut account = Account::new("probes", read).part("in sessions written", sink.probes);
        if plan.has_minimum() {
            account = account.part("in sessions below a minimum", sink.small_probes);
        }
        if let Some(restored) = restored {
            account =
                account.part("kept in the state", grouper.unfinished()).note("from the state", restored);
        }
        account = account.skipped("malformed", counts.malformed).skipped("late", grouper.late());
        if counts.not_taken > 0 {
            account = account.skipped("not what the preset speaks of", counts.not_taken);
        }
        account = account.note("sessions written", sink.out.rows());
        if grouper.evicted() > 0 {
            account = account.note("sessions evicted (--max-sessions)", grouper.evicted());
        }
        account
    }
}
