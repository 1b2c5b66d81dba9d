//! `scan-classify`: packet rows to probe rows.
//!
//! A **reducer**: reads the rows of `pkt2csv`, writes one row per flow with its class, technique and handshake, in the
//! order of the flows' first packets. The rules are in docs/CLASSIFICATION.md.
//!
//! Every packet read is in exactly one written probe, in a flow of a class that was not asked for, or skipped with
//! its reason; the last line on stderr says how many each.

mod args;
mod packets;
mod probe_rows;
mod summary;

pub use args::Args;

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use probeline_cli::{Ahead, Console, Outcome, input, list_fields, open_rows, read_ahead, stdout};
use probeline_record::{Encoder, PacketColumns, rows};
use probeline_scan::{Class, Classifier, Options, Probe, SavedState};

use packets::{PacketReader, Packets};
use probe_rows::ProbeRows;
use summary::Summary;

const TOOL: &str = "scan-classify";

/// Runs the tool.
///
/// # Errors
/// When the input cannot be read or is no packet rows, or the output cannot be written.
pub fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.rows.list_fields {
        let fields: Vec<_> = rows::PROBE.iter().chain(rows::PACKET_HEADER).copied().collect();
        return Ok(list_fields(&fields, stdout())?);
    }
    let options = args.options()?;
    let name = input::name(args.rows.file.as_deref());
    let mut rows = open_rows(&args.rows, console)?;
    let format = args.rows.format.map_or(rows.format(), Into::into);
    let mut sink = Sink {
        out: Encoder::new(stdout(), format),
        probes: None,
        wanted: args.class.wanted(),
        summary: Summary::default(),
    };
    if !rows.is_empty() {
        if options.telescope.is_none() {
            console.say("no --telescope: direction inferred, the first to send in a flow is its source");
        }
        let columns = PacketColumns::find(&mut rows).with_context(|| name.clone())?;
        let missing: Vec<_> = columns.missing().map(|field| field.name).collect();
        if !missing.is_empty() {
            console.say(format_args!("{name}: no column {}; taken as absent", missing.join(", ")));
        }
        let (probes, first) = ProbeRows::new(&mut rows, &mut sink.out).with_context(|| name.clone())?;
        sink.probes = Some(probes);
        let fingerprint =
            fingerprint(&options, format_args!("{:?} {}", rows.format(), rows.names().join(",")));
        let mut classifier = begin(args, options, &fingerprint)?;
        let restored = classifier.unfinished();
        let mut reader = PacketReader { name, rows, columns, first };
        read_ahead(
            move |batch: &mut Packets| reader.fill(batch),
            |ahead| {
                let Ahead::Batch(batch) = ahead else { return Ok(sink.out.flush()?) };
                sink.summary.rows(batch.counts);
                batch.faults.iter().for_each(|fault| console.fault(fault));
                for (packet, kept) in batch.iter() {
                    classifier.push(packet, kept, &mut |probe| sink.probe(&probe))?;
                }
                Ok(())
            },
        )?;
        let carries_on = args.state.is_some() && !args.r#final;
        if !carries_on {
            classifier.finish(&mut |probe| sink.probe(&probe))?;
        }
        sink.summary.tally = classifier.tally();
        sink.out.flush()?;
        if let Some(file) = &args.state {
            sink.summary.state = Some((restored, classifier.unfinished()));
            if carries_on {
                let state = SavedState { options: fingerprint, parts: vec![classifier.suspend()?] };
                state.save(file, TOOL).context("--state")?;
            } else {
                remove(file)?;
            }
        }
    } else if let Some(file) = args.state.as_ref().filter(|file| args.r#final && file.exists()) {
        bail!("{name}: nothing, not even the header that the flows kept in {} need", file.display());
    }
    sink.out.flush()?;
    let Sink { out, wanted, summary, .. } = sink;
    match args.stats.as_deref() {
        Some(file) if file.as_os_str() == "-" => console.say(summary.table()),
        Some(file) => {
            std::fs::write(file, summary.csv()).with_context(|| file.display().to_string())?;
        }
        None => {}
    }
    let account = summary.account(&wanted, out.rows());
    if let Some(file) = &args.rows.account {
        account.save(file)?;
    }
    console.account(&account)
}

/// What a saved state depends on, in words.
fn fingerprint(options: &Options, columns: std::fmt::Arguments<'_>) -> String {
    format!("{options:?} columns {columns}")
}

/// A fresh classifier, or the one that was saved.
fn begin(args: &Args, options: Options, fingerprint: &str) -> Result<Classifier, anyhow::Error> {
    let Some(file) = &args.state else { return Ok(Classifier::new(options)) };
    let Some(saved) = SavedState::load(file, TOOL, fingerprint).context("--state")? else {
        return Ok(Classifier::new(options));
    };
    let damaged = || format!("--state: {}", file.display());
    let [flows] = &saved.parts[..] else { bail!("{}: damaged state", damaged()) };
    Classifier::resume(options, flows).with_context(damaged)
}

fn remove(file: &Path) -> Outcome {
    match std::fs::remove_file(file) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("--state: {}", file.display()))
        }
        _ => Ok(()),
    }
}

/// Where settled probes go.
struct Sink<W> {
    out: Encoder<W>,
    probes: Option<ProbeRows>,
    wanted: Vec<Class>,
    summary: Summary,
}

impl<W: Write> Sink<W> {
    fn probe(&mut self, probe: &Probe<'_>) -> std::io::Result<()> {
        self.summary.count(probe);
        match &mut self.probes {
            Some(probes) if self.wanted.contains(&probe.class) => probes.write(probe, &mut self.out),
            _ => Ok(()),
        }
    }
}
