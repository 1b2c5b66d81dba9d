//! `fingerprint`: adds the scanning tool to packet or probe rows.
//!
//! An **enricher**: every row comes out as it came in, in the same order, with the columns of the verdict behind. The
//! rules are those of `probeline-signature`; docs/RULES.md lists them.

mod args;
mod list;
mod output;
mod waiting;

pub use args::Args;

use std::fs::File;
use std::io::{Read, Write};

use anyhow::Context;
use probeline_cli::{Account, Console, Outcome, input, list_fields, open_rows, stdout};
use probeline_record::{Field, PacketColumns, RowReader, rows};
use probeline_signature::{Engine, Packet, RULES};

use output::Output;

/// Runs the tool.
///
/// # Errors
/// When the input cannot be read or holds no packets, or the output cannot be written.
pub fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.rows.list_fields {
        let fields: Vec<_> = rows::TOOL.iter().chain(rows::TOOL_EXTRA).copied().collect();
        return Ok(list_fields(&fields, stdout())?);
    }
    if args.list_rules {
        return Ok(list::rules(stdout())?);
    }
    let name = input::name(args.rows.file.as_deref());
    let mut engine = Engine::new(&args.options());
    if args.two_pass {
        let mut rows = open_rows(&args.rows, console)?;
        learn(&mut rows, &mut engine).with_context(|| name.clone())?;
    }
    let mut rows = open_rows(&args.rows, console)?;
    let account = if rows.is_empty() {
        Account::new("rows", 0).part("rows", 0)
    } else {
        let format = args.rows.format.map_or(rows.format(), Into::into);
        let columns = PacketColumns::find(&mut rows).with_context(|| name.clone())?;
        say_missing(&columns, &name, console);
        let mut out = Output::new(stdout(), &rows, format, args);
        let account = judge(&mut rows, &columns, &mut engine, &mut out, &name, console)?;
        out.flush()?;
        account
    };
    report(args, &engine, console)?;
    if let Some(file) = &args.rows.account {
        account.save(file)?;
    }
    console.account(&account)
}

/// The first of two passes. What is malformed is reported by the second.
fn learn<R: Read>(rows: &mut RowReader<R>, engine: &mut Engine) -> Outcome {
    if rows.is_empty() {
        return Ok(());
    }
    let columns = PacketColumns::find(rows)?;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        match rows.next_row() {
            Ok(Some(row)) => {
                if Packet::push_row(&mut batch, &columns.packet(row)).is_err() {
                    batch.pop();
                }
            }
            Ok(None) => break,
            Err(e) if e.is_row() => {}
            Err(e) => return Err(e.into()),
        }
        if batch.len() == BATCH {
            learn_batch(&mut batch, engine);
        }
    }
    learn_batch(&mut batch, engine);
    engine.learned();
    Ok(())
}

/// Packets that are handed on together, so that the memory their sources are remembered in is waited for once and not
/// once for each.
const BATCH: usize = 32;

fn learn_batch(batch: &mut Vec<Packet>, engine: &mut Engine) {
    engine.expect(batch);
    batch.iter().for_each(|packet| engine.learn(packet));
    batch.clear();
}

fn judge_batch<W: Write>(
    batch: &mut Vec<Packet>,
    engine: &mut Engine,
    out: &mut Output<W>,
) -> std::io::Result<()> {
    engine.expect(batch);
    for packet in batch.iter() {
        engine.push(packet);
        while let Some(verdict) = engine.pop() {
            out.verdict(&verdict)?;
        }
    }
    batch.clear();
    Ok(())
}

fn judge<R: Read, W: Write>(
    rows: &mut RowReader<R>,
    columns: &PacketColumns,
    engine: &mut Engine,
    out: &mut Output<W>,
    name: &str,
    console: &mut Console,
) -> Result<Account, anyhow::Error> {
    let (mut read, mut malformed, mut unreadable) = (0, 0, 0);
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let mut before_read = || {
            judge_batch(&mut batch, engine, out)?;
            out.flush()
        };
        let row = match rows.next_row_with(&mut before_read) {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(e) if e.is_row() => {
                (read, malformed) = (read + 1, malformed + 1);
                console.fault(format_args!("{name}: {e}"));
                continue;
            }
            Err(e) => return Err(probeline_cli::row_error(e, name)),
        };
        read += 1;
        let row = columns.packet(row);
        if let Err(e) = Packet::push_row(&mut batch, &row) {
            unreadable += 1;
            console.fault(format_args!("{name}: line {}: {e}", row.row().line()));
        }
        out.push(&row, batch.last());
        if batch.len() == BATCH {
            judge_batch(&mut batch, engine, out)?;
        }
    }
    judge_batch(&mut batch, engine, out)?;
    engine.finish();
    while let Some(verdict) = engine.pop() {
        out.verdict(&verdict)?;
    }
    let mut account = Account::new("rows", read).part("rows", out.rows()).skipped("malformed", malformed);
    for (what, count) in [
        ("of them unreadable and so unknown", unreadable),
        ("judged before --settle was over (--max-held)", engine.tally().hurried),
        ("sources forgotten (--max-sources)", engine.tally().forgotten),
    ] {
        if count > 0 {
            account = account.note(what, count);
        }
    }
    Ok(account)
}

/// Says which rules cannot be asked, for want of columns.
fn say_missing(columns: &PacketColumns, name: &str, console: &Console) {
    let missing: Vec<&Field> = columns.missing().collect();
    let idle: Vec<&str> = RULES
        .iter()
        .filter(|rule| rule.columns().any(|column| missing.contains(&column)))
        .map(|rule| rule.id)
        .collect();
    if !idle.is_empty() {
        let names: Vec<&str> = missing.iter().map(|field| field.name).collect();
        console.say(format_args!(
            "{name}: no column {}; rules that need them find nothing: {}",
            names.join(", "),
            idle.join(", ")
        ));
    }
}

/// Says what chance alone would have found.
fn report(args: &Args, engine: &Engine, console: &Console) -> Outcome {
    for (rule, asked) in engine.tally().rules().filter(|(_, asked)| asked.matched > 0) {
        if let Some(expected) = asked.expected(rule) {
            console.say(format_args!(
                "{}: {} of {} matched, {expected:.2} by chance",
                rule.id, asked.matched, asked.times
            ));
        }
    }
    if let Some(path) = &args.stats {
        let file = File::create(path).with_context(|| path.display().to_string())?;
        list::stats(engine.tally(), file).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
