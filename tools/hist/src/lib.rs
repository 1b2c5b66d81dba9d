//! Counts any column of any rows, and puts numbers in bins: the reducer behind every table and figure.
//!
//! Reads rows (CSV or NDJSON) and writes one row per value or bin: the column (or `lo` and `hi`), one column per
//! series, `count`, `share`, `cumulative`. Written as rows, as a table for people (aligned, Markdown, LaTeX), as
//! bars in a terminal or as a figure (SVG, PNG). Nothing but the counts is held in memory, and nothing but the rows
//! decides a byte of the output.

mod args;
mod count;
mod figure;
mod filter;
mod keys;
mod page;
mod quantiles;
mod read;
mod rows;
mod summary;
mod tally;
mod text;

pub use args::{
    Args, BinOptions, CountOptions, Draw, Form, Log, OrderOptions, OutputOptions, Sort, ThemeArg,
};
pub use filter::Filter;

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use probeline_chart::png::png;
use probeline_chart::{Bins, Decimal, Scheme};
use probeline_cli::{Account, Console, Outcome, list_fields, stdout};
use probeline_record::{Field, Format, Kind, field};

use crate::count::Counter;
use crate::keys::Keys;
use crate::read::Reading;
use crate::summary::{Fill, Plan, Summary};

/// `ccdf`, written on request.
const CCDF: Field = Field {
    name: "ccdf",
    kind: Kind::Float,
    unit: "",
    absent: "the value is absent itself",
    doc: "share of this value and all above it, P(X >= x); with --ccdf only",
    source: "",
    added_by: "hist",
};

/// `quantile`, the first column with `--quantiles`.
const QUANTILE: Field = Field {
    name: "quantile",
    kind: Kind::Float,
    unit: "",
    absent: "never",
    doc: "the share of all values that do not exceed the value beside it; with --quantiles only",
    source: "Hyndman and Fan 1996, type 1",
    added_by: "hist",
};

/// Runs the tool.
///
/// # Errors
/// When the job cannot be done: no such column, unreadable input, arguments that contradict each other, no output.
pub fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.list_fields {
        let columns = args.columns();
        let named = columns.iter().filter_map(|name| field::by_name(name));
        let own =
            [&field::LO, &field::HI, &field::COUNT, &field::SHARE, &field::CUMULATIVE, &CCDF, &QUANTILE];
        return Ok(list_fields(&named.chain(own).collect::<Vec<_>>(), stdout())?);
    }
    let also: Vec<Args> = args.count.also.iter().map(|also| args.of_also(also)).collect();
    let tasks = std::iter::once(args).chain(&also).map(Task::new).collect::<Result<Vec<_>, _>>()?;
    let mut reading = Reading::new(&tasks)?;
    reading.all(&tasks, console)?;
    let (counted, input_format) = reading.finish(&tasks, console);

    let mut accounts = Vec::new();
    for (task, (counter, account)) in tasks.iter().zip(counted) {
        accounts.push(task.conclude(counter, account, input_format, console)?);
    }
    for (also, account) in args.count.also.iter().zip(&accounts[1..]) {
        account.check()?;
        console.say(format_args!("{}: {account}", also.file.display()));
    }
    if let Some(file) = &args.account {
        accounts[0].save(file)?;
    }
    console.account(&accounts[0])
}

/// What a missing column's error ends with.
pub(crate) fn hint(name: &str) -> String {
    match field::by_name(name) {
        Some(field) => format!("; {} adds it", field.added_by),
        None => String::new(),
    }
}

/// Everything that is decided before the first row is read.
#[derive(Debug)]
pub(crate) struct Task<'a> {
    pub(crate) args: &'a Args,
    /// The columns that are counted.
    pub(crate) columns: Vec<String>,
    pub(crate) plan: Plan,
    /// Where to, none for standard output, and in which form, none for that of the input.
    pub(crate) outputs: Vec<(Option<&'a Path>, Option<Form>)>,
    pub(crate) threads: usize,
    /// Cells are read as numbers.
    pub(crate) numbers: bool,
    /// Edges that are known before the first row.
    bins: Option<Bins>,
}

impl<'a> Task<'a> {
    fn new(args: &'a Args) -> Result<Self, anyhow::Error> {
        let columns = args.columns();
        let asked = args.output.format;
        let named =
            args.output.output.iter().map(|file| (Some(&**file), asked.or_else(|| Form::of_file(file))));
        let mut outputs: Vec<_> = named.collect();
        if outputs.len() > 1 && asked.is_some() {
            bail!("--format is for one output; several are told apart by their endings");
        }
        if outputs.is_empty() {
            outputs.push((None, asked));
        }
        let bin = &args.bin;
        let drawn_as_numbers = outputs.iter().any(|(_, form)| form.is_some_and(Form::is_figure))
            && matches!(args.output.draw, Draw::Points | Draw::Line | Draw::Ecdf | Draw::Ccdf);
        let binned = bin.bins.is_some() || bin.every.is_some() || bin.hour;
        let numbers = binned || !bin.quantiles.is_empty() || args.order.ccdf || drawn_as_numbers;
        if numbers && columns.len() > 1 {
            bail!(
                "several columns are counted as they are; give one column for bins, quantiles and distributions"
            );
        }
        if columns.iter().any(String::is_empty) {
            bail!("COLUMN has an empty name in it; write names with one comma between each two");
        }
        if binned && args.order.ccdf {
            bail!("--ccdf wants values, not bins");
        }
        if !args.order.series.is_empty() && args.count.by.is_none() && !args.count.by_file {
            bail!("--series chooses among the values of --by COLUMN, which is not given");
        }
        let mut series: Vec<&String> = args.order.series.iter().collect();
        series.sort_unstable();
        if series.windows(2).any(|pair| pair[0] == pair[1]) {
            bail!("--series names a series twice");
        }
        let bins = match (&bin.bins, bin.every) {
            (Some(scheme), _) => Bins::new(scheme),
            (None, Some(every)) => Some(Bins::Width(Decimal::from_units(every.as_nanos() as i128 * 1000))),
            (None, None) => None,
        };
        let fill = match &bin.bins {
            Some(Scheme::Edges(_)) => Fill::Edges,
            Some(_) => Fill::Between,
            None if bin.every.is_some() => Fill::Between,
            None if bin.hour => Fill::Hours,
            None => Fill::Nothing,
        };
        let linear = match bin.bins {
            Some(Scheme::Linear(n)) => Some(n),
            _ => None,
        };
        let plan = Plan {
            sort: args.order.sort.unwrap_or(if numbers { Sort::Value } else { Sort::Count }),
            top: args.order.top,
            linear,
            fill,
            series: args.order.series.clone(),
            max_series: args.order.max_series as usize,
        };
        let processors = || std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
        let threads = args.threads.map_or_else(processors, usize::from);
        Ok(Self { columns, plan, outputs, threads, numbers, bins, args })
    }

    /// Whether there are series.
    pub(crate) fn by(&self) -> bool {
        self.args.count.by.is_some() || self.args.count.by_file
    }

    pub(crate) fn keys(&self) -> Keys {
        let limit = self.args.count.max_values;
        if self.numbers {
            Keys::numbers(self.bins.clone(), limit)
        } else {
            Keys::labels(self.columns.len(), limit)
        }
    }

    /// Writes what was counted, and completes its account.
    fn conclude(
        &self,
        counter: Counter,
        account: Account,
        input_format: Format,
        console: &Console,
    ) -> Result<Account, anyhow::Error> {
        let summary = summary::summarise(counter, &self.plan, self.by());
        self.tell(&summary, console);
        let form = match input_format {
            Format::Csv => Form::Csv,
            Format::Ndjson => Form::Ndjson,
        };
        for (file, asked) in &self.outputs {
            self.write(&summary, *file, asked.unwrap_or(form))?;
        }
        let account = account.note("bins", summary.rows.len() as u64);
        Ok(match self.plan.top {
            Some(_) => account.note("values in (other)", summary.folded as u64),
            None => account,
        })
    }

    /// Says what the rows alone do not show.
    fn tell(&self, summary: &Summary, console: &Console) {
        if summary.folded_series > 0 {
            let series = &self.args.count.by.as_deref().unwrap_or("the files");
            console.say(format_args!("{} series of {series} are summed as (other)", summary.folded_series));
        }
        if summary.gaps {
            console.say("empty bins are left out: there are more than 100000; use wider bins");
        }
    }

    fn write(&self, summary: &Summary, file: Option<&Path>, form: Form) -> Outcome {
        let mut out: Box<dyn Write> = match file {
            Some(path) => Box::new(File::create(path).with_context(|| path.display().to_string())?),
            None => stdout(),
        };
        let quantiles = !self.args.bin.quantiles.is_empty();
        let text = match form {
            Form::Csv | Form::Ndjson => {
                let format = if form == Form::Csv { Format::Csv } else { Format::Ndjson };
                return if quantiles {
                    Ok(quantiles::write(self, summary, format, out)?)
                } else {
                    Ok(rows::write(self, summary, format, out)?)
                };
            }
            Form::Bar | Form::Svg | Form::Png if quantiles => {
                bail!("quantiles are not drawn; use csv, ndjson, table, md or latex")
            }
            Form::Bar => page::bars(self, summary, file.is_none()),
            Form::Svg => figure::draw(self, summary)?,
            Form::Png => {
                out.write_all(&png(&figure::draw(self, summary)?, self.args.output.zoom)?)?;
                return Ok(out.flush()?);
            }
            Form::Table | Form::Md | Form::Latex => {
                let table =
                    if quantiles { quantiles::table(self, summary) } else { page::table(self, summary) };
                match form {
                    Form::Md => table.markdown(),
                    Form::Latex => table.latex(self.args.output.title.as_deref()),
                    _ => table.plain(page::width(self, file.is_none()).unwrap_or(0)),
                }
            }
        };
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }
}
