//! `scan-group`: probe rows to session rows.
//!
//! A **reducer**: reads the rows of `scan-classify`, writes one row per session, in the order in which they began. The
//! rules are in docs/CLASSIFICATION.md.
//!
//! Every probe read is in exactly one session, written or below a `--min`, or skipped with its reason.

mod args;
mod key;
mod probe_row;

pub use args::Args;

use std::io::Write;

use anyhow::Context;
use probeline_cli::{Account, Console, Outcome, input, list_fields, open_rows, stdout};
use probeline_geo::SearchPath;
use probeline_record::{Encoder, Field, field, rows};
use probeline_scan::{Grouper, Session};

use key::Keys;
use probe_row::ProbeColumns;

/// Runs the tool.
///
/// # Errors
/// When the input cannot be read or is no probe rows, a database is missing, or the output cannot be written.
pub fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.rows.list_fields {
        let keys = args.by.iter().filter_map(|key| field::by_name(key.name()));
        let fields: Vec<&Field> = [&field::START, &field::END]
            .into_iter()
            .chain(keys)
            .chain(rows::SESSION.iter().copied())
            .collect();
        return Ok(list_fields(&fields, stdout())?);
    }
    let name = input::name(args.rows.file.as_deref());
    let mut rows = open_rows(&args.rows, console)?;
    let format = args.rows.format.map_or(rows.format(), Into::into);
    let mut sink = Sink { out: Encoder::new(stdout(), format), args, small_probes: 0, probes: 0 };
    let (mut read, mut malformed, mut late) = (0, 0, 0);
    if !rows.is_empty() {
        let columns = ProbeColumns::find(&mut rows).with_context(|| name.clone())?;
        let search = SearchPath {
            asn: args.asn_db.clone(),
            city: args.city_db.clone(),
            ..SearchPath::from_env(|variable| std::env::var_os(variable))
        };
        let mut keys = Keys::find(&args.by, &mut rows, &search).with_context(|| name.clone())?;
        sink.header();
        let mut grouper = Grouper::new(args.window(), args.reorder);
        let mut key = Vec::new();
        loop {
            let row = match rows.next_row_with(&mut || sink.out.flush()) {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(e) if e.is_row() => {
                    read += 1;
                    malformed += 1;
                    console.fault(format_args!("{name}: {e}"));
                    continue;
                }
                Err(e) => return Err(e).with_context(|| name.clone()),
            };
            read += 1;
            match columns.probe(&row) {
                Ok(mut probe) => {
                    keys.write(&row, probe.src, &mut key);
                    probe.key = &key;
                    grouper.push(&probe, &mut |session| sink.session(&session))?;
                }
                Err(e) => {
                    malformed += 1;
                    console.fault(format_args!("{name}: line {}: {e}", row.line()));
                }
            }
        }
        grouper.finish(&mut |session| sink.session(&session))?;
        late = grouper.late();
    }
    sink.out.flush()?;
    let mut account = Account::new("probes", read).part("in sessions written", sink.probes);
    if args.has_minimum() {
        account = account.part("in sessions below a minimum", sink.small_probes);
    }
    let account = account
        .skipped("malformed", malformed)
        .skipped("late", late)
        .note("sessions written", sink.out.rows());
    if let Some(file) = &args.rows.account {
        account.save(file)?;
    }
    console.account(&account)
}

/// Where finished sessions go.
struct Sink<'a, W> {
    out: Encoder<W>,
    args: &'a Args,
    small_probes: u64,
    probes: u64,
}

impl<W: Write> Sink<'_, W> {
    fn header(&mut self) {
        let keys = self.args.by.iter().map(key::Key::name);
        let session = rows::SESSION.iter().map(|field| field.name);
        self.out.header([field::START.name, field::END.name].into_iter().chain(keys).chain(session));
    }

    fn session(&mut self, session: &Session<'_>) -> std::io::Result<()> {
        if !self.args.admits(session) {
            self.small_probes += session.probes;
            return Ok(());
        }
        self.probes += session.probes;
        let out = &mut self.out;
        out.begin();
        out.ts(session.start, session.ts_digits);
        out.ts(session.end, session.ts_digits);
        for part in key::parts(session.key) {
            out.value(part);
        }
        out.word(session.proto.name());
        out.word(session.geometry().name());
        out.value(session.technique);
        out.value(session.tool);
        for count in
            [session.probes, session.packets, session.bytes, session.srcs, session.dsts, session.ports]
        {
            out.uint(count);
        }
        out.uint(session.horizontal.0);
        out.uint_or_absent(session.horizontal.1);
        out.uint(session.vertical.0);
        out.ip(session.vertical.1);
        out.word(session.closed_by.name());
        out.end()
    }
}
