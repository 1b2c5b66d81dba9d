//! `scan-group`: probe rows to session rows.
//!
//! A **reducer**: reads the rows of `scan-classify`, writes one row per session, in the order in which they began. The
//! rules are in docs/CLASSIFICATION.md.
//!
//! Every probe read is in exactly one session, written, below a minimum or kept in the state, or skipped with its
//! reason.

mod args;
mod grouping;
mod key;
mod output;
mod plan;
mod preset;
mod probe_row;
mod repeats;
mod rule;

pub use args::Args;

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, bail};
use probeline_cli::{Console, Outcome, input, list_fields, open_rows, stdout};
use probeline_geo::SearchPath;
use probeline_record::{Encoder, Field, Format, RowReader, field, rows};
use probeline_scan::{GroupOptions, Grouper, NewProbe, SavedState, join_key};

use grouping::{Counts, Grouping};
use output::Sink;
use plan::Plan;
use preset::{PRESETS, Preset};
use probe_row::ProbeColumns;
use repeats::Repeats;

const TOOL: &str = "scan-group";

/// Runs the tool.
///
/// # Errors
/// When the input cannot be read or is no probe rows, a database is missing, or the output cannot be written.
pub fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.list_presets {
        return list_presets();
    }
    let plan = Plan::new(args, console)?;
    if args.rows.list_fields {
        let sink = Sink::new(Encoder::new(std::io::sink(), Format::Csv), &plan, None)?;
        let names = sink.names();
        let on_request = rows::SESSION_ESTIMATE.iter().chain(&[&field::APPROX, &field::PORT_LIST]).copied();
        let fields: Vec<&Field> = names
            .iter()
            .filter_map(|name| field::by_name(name))
            .chain(on_request.filter(|field| !names.contains(&field.name)))
            .collect();
        return Ok(list_fields(&fields, stdout())?);
    }
    let others: Vec<Plan> =
        args.also.iter().map(|also| plan.of_also(also).context("--also")).collect::<Result<_, _>>()?;
    let (mut grouper, repeats, restored) = begin(args, &plan, &others)?;
    let mut input_rows = open_rows(&args.rows, console)?;
    let format = args.rows.format.map_or(input_rows.format(), Into::into);
    let mut groupings =
        vec![Grouping::new(&plan, Sink::new(Encoder::new(stdout(), format), &plan, repeats)?, 0)];
    for (also, plan) in args.also.iter().zip(&others) {
        let file = File::create(&also.file).with_context(|| format!("--also: {}", also.file.display()))?;
        let file: Box<dyn Write + Send> = Box::new(file);
        let sink = Sink::new(Encoder::new(file, format), plan, None)?;
        groupings.push(Grouping::new(plan, sink, groupings.len()));
    }
    if let Some(odds) = plan.odds() {
        console.say(odds);
    }
    let mut counts = Counts::default();
    if !input_rows.is_empty() {
        counts = read(args, &plan, &mut input_rows, &mut grouper, &mut groupings, console)?;
    } else if restored > 0 {
        groupings[0].sink.header();
    }
    let carries_on = args.state.is_some() && !args.r#final;
    if !carries_on {
        grouper.finish_each(&mut |number, session| groupings[number].sink.session(&session))?;
    }
    for grouping in &mut groupings {
        grouping.flush(console)?;
    }
    for (also, grouping) in args.also.iter().zip(&groupings[1..]) {
        let account = grouping.account(&grouper, counts, None);
        account.check()?;
        console.say(format_args!("{}: {account}", also.file.display()));
    }
    let account = groupings[0].account(&grouper, counts, args.state.is_some().then_some(restored));
    let repeats = groupings[0].sink.repeats.as_ref();
    match (&args.state, carries_on) {
        (Some(file), true) => save(file, args, &plan, &mut grouper, repeats)?,
        (Some(file), false) => remove(file)?,
        (None, _) => {}
    }
    if let (Some(file), Some(repeats)) = (&args.repeats, repeats) {
        if file.as_os_str() == "-" {
            console.say(repeats.table());
        } else {
            std::fs::write(file, repeats.csv()).with_context(|| file.display().to_string())?;
        }
    }
    if let Some(file) = &args.rows.account {
        account.save(file)?;
    }
    console.account(&account)
}

/// Reads every row into the groupings.
fn read<R: Read, W: Write>(
    args: &Args,
    plan: &Plan,
    rows: &mut RowReader<R>,
    grouper: &mut Grouper,
    groupings: &mut [Grouping<'_, W>],
    console: &mut Console,
) -> Result<Counts, anyhow::Error> {
    let name = input::name(args.rows.file.as_deref());
    let columns =
        ProbeColumns::find(rows, plan.takes, plan.looks_for_two_phase()).with_context(|| name.clone())?;
    let search = SearchPath {
        asn: args.asn_db.clone(),
        city: args.city_db.clone(),
        ..SearchPath::from_env(|variable| std::env::var_os(variable))
    };
    for grouping in &mut *groupings {
        grouping.begin(rows, &search).with_context(|| name.clone())?;
        grouping.sink.header();
    }
    rows.only(columns.all().chain(groupings.iter().flat_map(Grouping::columns)));
    let mut counts = Counts::default();
    let mut key = Vec::new();
    loop {
        let row = match rows.next_row_with(&mut || groupings[0].sink.out.flush()) {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(counts),
            Err(e) if e.is_row() => {
                counts.read += 1;
                counts.malformed += 1;
                console.fault(format_args!("{name}: {e}"));
                continue;
            }
            Err(e) => return Err(probeline_cli::row_error(e, &name)),
        };
        counts.read += 1;
        match columns.probe(&row) {
            Ok(probe) if !columns.takes(&row, &probe) => counts.not_taken += 1,
            Ok(probe) => {
                let marked = columns.is_two_phase(&row);
                key.clear();
                if let [only] = groupings {
                    only.write_key(&row, probe.src, &mut key);
                } else {
                    for grouping in &mut *groupings {
                        join_key(&mut key, |key| grouping.write_key(&row, probe.src, key));
                    }
                }
                let probe = NewProbe { key: &key, ..probe };
                grouper.push_each(&probe, marked, &mut |number, session| {
                    groupings[number].sink.session(&session)
                })?;
            }
            Err(e) => {
                counts.malformed += 1;
                console.fault(format_args!("{name}: line {}: {e}", row.line()));
            }
        }
    }
}

/// A fresh grouper, or the one that was saved, with the probes it holds.
fn begin(
    args: &Args,
    plan: &Plan,
    others: &[Plan],
) -> Result<(Grouper, Option<Repeats>, u64), anyhow::Error> {
    let mut repeats = args.repeats.is_some().then(Repeats::default);
    let groups: Vec<GroupOptions> = std::iter::once(plan).chain(others).map(|plan| plan.group).collect();
    let fresh = |repeats| Ok((Grouper::of_several(&groups), repeats, 0));
    let Some(file) = &args.state else { return fresh(repeats) };
    let options = plan.fingerprint(args.repeats.is_some());
    let Some(saved) = SavedState::load(file, TOOL, &options).context("--state")? else {
        return fresh(repeats);
    };
    let damaged = || format!("--state: {}", file.display());
    let [sessions, counted] = &saved.parts[..] else { bail!("{}: damaged state", damaged()) };
    let grouper = Grouper::resume(plan.group, sessions).with_context(damaged)?;
    if repeats.is_some() {
        repeats = Some(Repeats::load(counted).context("damaged state").with_context(damaged)?);
    }
    let restored = grouper.unfinished(0);
    Ok((grouper, repeats, restored))
}

fn save(file: &Path, args: &Args, plan: &Plan, grouper: &mut Grouper, repeats: Option<&Repeats>) -> Outcome {
    let options = plan.fingerprint(args.repeats.is_some());
    let parts = vec![grouper.suspend()?, repeats.map(Repeats::save).unwrap_or_default()];
    SavedState { options, parts }.save(file, TOOL).context("--state")
}

fn remove(file: &Path) -> Outcome {
    match std::fs::remove_file(file) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("--state: {}", file.display()))
        }
        _ => Ok(()),
    }
}

fn list_presets() -> Outcome {
    let mut out = Encoder::new(stdout(), Format::Csv);
    out.header(["name", "key", "window", "rule", "takes", "made_for", "state", "source"]);
    for preset in PRESETS {
        out.begin();
        out.word(preset.name);
        out.text(preset.by.as_bytes());
        out.text(Preset::window(preset.span).as_bytes());
        out.text(Preset::rule(preset.any).as_bytes());
        out.word(preset.takes.name());
        out.uint_or_absent(preset.telescope.map(|(size, _)| size));
        out.text(preset.state.as_bytes());
        out.text(preset.source.as_bytes());
        out.end()?;
    }
    Ok(out.flush()?)
}
