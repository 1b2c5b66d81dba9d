//! `pkt2csv`: packets of captures to packet rows.
//!
//! A **source**: captures in, one row per IP packet out, in the order of the capture. Every packet read is a row, was
//! filtered out because `--filter` asked for it, or is counted by the reason for which there is no row.

mod args;
mod column;
mod default_row;
mod format;
mod pipeline;
mod source;
mod tally;

pub use args::Args;

use std::io::Write;

use anyhow::{Context, bail};
use probeline_cli::{Console, Outcome, list_fields, stdout};
use probeline_packet::Options;
use probeline_record::{Encoder, rows};

use column::{Column, Style};
use format::{FilterSet, Plan};
use source::{Damaged, Source};

/// Link type of Ethernet, for which a filter is compiled at once, so that a wrong one is refused before any reading.
const ETHERNET: u32 = 1;

/// Runs the tool.
///
/// # Errors
/// When an input is no capture or cannot be read, an argument makes no sense, or the output cannot be written.
pub fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.list_fields {
        let fields: Vec<_> = rows::PACKET.iter().chain(rows::PACKET_EXTRA).copied().collect();
        return Ok(list_fields(&fields, stdout())?);
    }
    if args.merge && args.files.is_empty() {
        bail!("--merge takes the names of the captures");
    }
    let columns = Column::select(&args.columns, args.checksums)?;
    let options = Options { inner: args.inner, checksums: columns.contains(&Column::Checksum) };
    let filter = args.filter.as_deref().map(FilterSet::new);
    if let Some(filter) = &filter {
        filter.get(ETHERNET).context("--filter")?;
    }
    let style = Style { ts_digits: 6, rfc3339: args.rfc3339, payload: args.payload };
    let plan = Plan { columns, format: args.format.into(), style, options, filter };

    let source = Source::open(&args.files, args.merge)?;
    let mut output = stdout();
    let mut header = Encoder::new(&mut output, plan.format);
    header.header(plan.columns.iter().map(|column| column.field().name));
    header.flush()?;
    let threads = match args.threads {
        Some(threads) => threads.into(),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let outcome = pipeline::run(source, &plan, threads, &mut output)?;
    output.flush()?;

    for damaged in outcome.source.damaged() {
        report(&damaged, console);
    }
    if let Some(e) = &outcome.failed {
        console.say(format_args!("{e:#}"));
    }
    let account = outcome.tally.account(plan.filter.is_some());
    if let Some(file) = &args.account {
        account.save(file)?;
    }
    console.account(&account)?;
    match outcome.failed {
        Some(_) => bail!("stopped before the end of the input"),
        None => Ok(()),
    }
}

fn report(damaged: &Damaged, console: &mut Console) {
    for damage in &damaged.damage {
        console.fault(format_args!("{}: {damage}", damaged.name));
    }
    if damaged.count > 0 {
        console.say(format_args!(
            "{}: damaged in {} places, {} bytes gave no packet",
            damaged.name, damaged.count, damaged.bytes
        ));
    }
}
