//! `pkt2csv`: packets of captures to packet rows.
//!
//! A **source**: captures in, one row per IP packet out, in the order of the capture. Every packet read is a
//! row, was filtered out because `--filter` asked for it, or is counted by the reason for which there is no
//! row.

mod args;
mod budget;
mod column;
mod default_row;
mod filter;
mod follow;
mod format;
mod pipeline;
mod source;
mod split;
mod tally;

pub use args::Args;

use std::path::Path;

use anyhow::{Context, bail};
use probeline_cli::{Console, Outcome, Progress, list_fields, stdout};
use probeline_packet::Options;
use probeline_record::{Encoder, rows};

use column::{Column, Style};
use format::{FilterSet, Plan};
use source::{Damaged, Inputs, Source};
use split::{Files, Output, Rows};

/// Link type of Ethernet, for which a filter is compiled at once, so that a wrong one is refused before any
/// reading.
const ETHERNET: u32 = 1;

/// Runs the tool.
///
/// # Errors
/// When an input is no capture or cannot be read, an argument makes no sense, or the output cannot be
/// written.
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
    let style = Style { ts_digits: 6, rfc3339: args.rfc3339, payload: args.payload.into() };
    let plan = Plan { columns, format: args.format.into(), style, options, filter, split: args.split };

    let source = Source::open(&args.files, args.merge, inputs(args)?)?;
    let mut output = output(args, &plan)?;
    let threads = match args.threads {
        Some(threads) => threads.into(),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let mut outcome = pipeline::run(source, &plan, threads, &mut output)?;
    outcome.source.hide_progress();
    output.flush()?;

    if let Some((later, earlier)) = outcome.source.out_of_order() {
        console.say(format_args!(
            "{later} begins before the end of {earlier}; --merge puts packets in order of time"
        ));
    }
    for mut damaged in outcome.source.damaged() {
        if args.follow && damaged.forgive_end() {
            console.say(format_args!("{}: the last packet was still being written", damaged.name));
        }
        report(&damaged, console);
    }
    if let Some(e) = &outcome.failed {
        console.say(format_args!("{e:#}"));
    }
    let mut account = outcome.tally.account(plan.filter.is_some());
    if let Some(files) = output.files() {
        account = account.note("files", files);
    }
    if let Some(file) = &args.account {
        account.save(file)?;
    }
    console.account(&account)?;
    match outcome.failed {
        Some(_) => bail!("stopped before the end of the input"),
        None => Ok(()),
    }
}

/// How the captures are to be opened.
fn inputs(args: &Args) -> Result<Inputs, anyhow::Error> {
    if args.follow {
        match args.files.as_slice() {
            [file] if file != Path::new("-") => {}
            _ => {
                bail!("--follow takes the name of one capture; what comes through a pipe is followed anyway")
            }
        }
        return Ok(Inputs { progress: Progress::none(), follow: Some(follow::stop_signal()?) });
    }
    // A bar needs to know where the end is.
    let sizes: Option<Vec<u64>> = args
        .files
        .iter()
        .map(|file| file.metadata().ok().filter(std::fs::Metadata::is_file).map(|about| about.len()))
        .collect();
    let progress = match sizes {
        Some(sizes) if !args.quiet && !sizes.is_empty() => Progress::bytes(sizes.iter().sum()),
        _ => Progress::none(),
    };
    Ok(Inputs { progress, follow: None })
}

/// Where the rows go, with the header written.
fn output(args: &Args, plan: &Plan) -> Result<Output, anyhow::Error> {
    let mut header = Encoder::gathering(plan.format);
    header.header(plan.columns.iter().map(|column| column.field().name));
    let mut rows = Rows::default();
    header.swap_buffer(&mut rows.text);
    if let (Some(period), Some(folder)) = (args.split, &args.output) {
        return Ok(Output::Files(Files::new(folder, period, plan.format, rows.text)?));
    }
    let mut output = Output::Stream(stdout());
    output.write(&rows)?;
    Ok(output)
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
