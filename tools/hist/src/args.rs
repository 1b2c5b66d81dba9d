use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use probeline_chart::svg::Theme;
use probeline_chart::{Decimal, Scheme};

use crate::filter::Filter;

/// Counts any column of any rows, and puts numbers in bins: one row per value or bin, with its count, share and
/// cumulative share.
///
/// Reads rows (CSV or NDJSON). Writes the column's value (lo and hi for bins of numbers; count_value where the column
/// is called count itself), one column per series where --by is given, then count, share and cumulative. Shares are of all rows counted; cumulative is the share
/// of this row and all rows above it, so with --sort value it is the distribution function P(X ≤ x).
///
/// Counts are exact, and so is their order: the largest first, equal ones by value. An empty cell (absent) keeps a
/// row of its own, written last with an empty cell; what --top leaves out is summed in the row (other).
///
/// Memory: about 150 bytes for each distinct value or bin, with --by for each pair that occurs, with --distinct for
/// each pair of bin and value; rows themselves are never kept. --max-values is the bound, 600 MB as it stands, and each
/// thread holds a few MB more.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "hist", version, max_term_width = 110, after_long_help = EXAMPLES)]
pub struct Args {
    /// Column to count; several, with commas between, count their combinations
    #[arg(value_name = "COLUMN", required_unless_present = "list_fields")]
    pub column: Option<String>,

    /// Rows to read, CSV or NDJSON, plain or compressed (gzip, zstd); standard input without one or as `-`
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// What to count.
    #[command(flatten)]
    pub count: CountOptions,

    /// How to bin.
    #[command(flatten)]
    pub bin: BinOptions,

    /// Which rows to write, in which order.
    #[command(flatten)]
    pub order: OrderOptions,

    /// In which form.
    #[command(flatten)]
    pub output: OutputOptions,

    /// Threads that count; the output is the same for any number of them [default: one per processor, at most 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,

    /// Also write the accounting line to FILE, as JSON
    #[arg(long, value_name = "FILE")]
    pub account: Option<PathBuf>,

    /// List the columns this tool writes, with their meaning, and exit
    #[arg(long)]
    pub list_fields: bool,
}

/// Which rows count, and how much.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "What counts")]
pub struct CountOptions {
    /// One series per value of this column, side by side
    #[arg(long, value_name = "COLUMN")]
    pub by: Option<String>,

    /// One series per input file, named by the file's name without its ending
    #[arg(long, conflicts_with = "by")]
    pub by_file: bool,

    /// Only rows for which this holds, such as proto=tcp, class!=scan, h_size>=10, dst_port=; repeat it to ask for
    /// several at once
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    pub filters: Vec<Filter>,

    /// Count the sum of this column instead of rows
    #[arg(long, value_name = "COLUMN")]
    pub weight: Option<String>,

    /// Count the different values of this column instead of rows. Shares are then of all different values, and
    /// cumulative of those in this row or above, each counted once
    #[arg(long, value_name = "COLUMN", conflicts_with = "weight")]
    pub distinct: Option<String>,

    /// Leave out rows whose cell is empty
    #[arg(long)]
    pub skip_absent: bool,

    /// In the same pass, count these columns into FILE as well: of the same rows, with the same weights, in rows named by
    /// the file's ending; without series, bins and options of order. Repeatable
    #[arg(long, value_name = "COLUMN,...=FILE")]
    pub also: Vec<Also>,

    /// Hold at most this many different values (or bins, or pairs with --by or --distinct)
    #[arg(long, value_name = "N", default_value_t = 4_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_values: u32,
}

/// Another count of the same rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Also {
    columns: String,
    pub(crate) file: PathBuf,
}

impl FromStr for Also {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((columns, file)) if !columns.is_empty() && !file.is_empty() => {
                Ok(Self { columns: columns.to_owned(), file: file.into() })
            }
            _ => Err("write COLUMN=FILE, or several columns with commas between".into()),
        }
    }
}

impl Args {
    /// The columns that are counted.
    pub(crate) fn columns(&self) -> Vec<String> {
        self.column.as_deref().unwrap_or_default().split(',').map(str::to_owned).collect()
    }

    /// The arguments that would make the other count alone.
    pub(crate) fn of_also(&self, also: &Also) -> Self {
        Self {
            column: Some(also.columns.clone()),
            count: CountOptions {
                by: None,
                by_file: false,
                distinct: None,
                skip_absent: false,
                also: vec![],
                ..self.count.clone()
            },
            bin: BinOptions::default(),
            order: OrderOptions {
                top: None,
                sort: None,
                ccdf: false,
                series: vec![],
                shares: false,
                ..self.order
            },
            output: OutputOptions { output: vec![also.file.clone()], format: None, ..self.output.clone() },
            ..self.clone()
        }
    }
}

/// Bins of numbers.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Bins")]
pub struct BinOptions {
    /// Bins of numbers: linear:N, width:W, log:B, log:B:FIRST or edges:A,B,C; each holds lo and what is below hi
    #[arg(long, value_name = "SCHEME", conflicts_with_all = ["every", "hour", "quantiles"])]
    pub bins: Option<Scheme>,

    /// Bins of time, such as 1h, 15m or 1d, at multiples of it since 1970 in UTC; quiet ones are written too
    #[arg(long, value_name = "TIME", value_parser = probeline_cli::duration, conflicts_with_all = ["hour", "quantiles"])]
    pub every: Option<Duration>,

    /// Hours of day, all 24 of them: of a time in UTC, or as they are in a column whose name ends in hour
    #[arg(long, conflicts_with = "quantiles")]
    pub hour: bool,

    /// Write quantiles instead of bins, such as 0.5,0.9,0.99; 0 is the smallest value and 1 the largest
    #[arg(long, value_name = "Q,...", value_delimiter = ',', value_parser = quantile, conflicts_with_all = ["distinct", "top", "sort", "ccdf"])]
    pub quantiles: Vec<Decimal>,
}

/// Order and length.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Order")]
pub struct OrderOptions {
    /// Only the N largest, and the rest summed as (other)
    #[arg(long, value_name = "N")]
    pub top: Option<u32>,

    /// Order of rows: by count, largest first (the default for values); by value, numbers as numbers (the default
    /// for bins); by label, as text
    #[arg(long, value_name = "ORDER")]
    pub sort: Option<Sort>,

    /// Add a column ccdf, the share of this value and all above it, P(X ≥ x); numbers only, sorted by value
    #[arg(long, conflicts_with_all = ["sort", "top", "distinct"])]
    pub ccdf: bool,

    /// The series to show, in this order, all others summed as (other); without it all, the largest first
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub series: Vec<String>,

    /// At most this many series, the rest summed as (other)
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub max_series: u32,

    /// Write each series as shares of its own sum instead of counts
    #[arg(long)]
    pub shares: bool,
}

/// Form of the output.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub struct OutputOptions {
    /// Output format; without it that of the file's ending, else the input's
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Form>,

    /// Write to FILE instead of standard output; repeat it to write several forms at once, each named by its ending:
    /// csv, ndjson, txt, md, tex, svg, png
    #[arg(short, long, value_name = "FILE")]
    pub output: Vec<PathBuf>,

    /// Columns of the terminal for table and bar; without it its own, or 80
    #[arg(long, value_name = "N")]
    pub width: Option<u16>,

    /// Figure: how to draw
    #[arg(long, value_name = "KIND", default_value = "auto")]
    pub draw: Draw,

    /// Figure: logarithmic axes; bars take y for their length
    #[arg(long, value_name = "AXES")]
    pub log: Option<Log>,

    /// Figure: headline; LaTeX: caption
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,

    /// Figure: what the binned column is, with its unit
    #[arg(long, value_name = "TEXT")]
    pub x_title: Option<String>,

    /// Figure: what is counted
    #[arg(long, value_name = "TEXT")]
    pub y_title: Option<String>,

    /// Figure: small print
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,

    /// Figure: where the axis of counts, or the colours of a map, end; the same for figures to compare
    #[arg(long, value_name = "N", value_parser = positive)]
    pub max: Option<f64>,

    /// Figure: a vertical line at a value, such as 25=telescope; repeatable
    #[arg(long, value_name = "X=NAME", value_parser = mark)]
    pub mark: Vec<(Decimal, String)>,

    /// Figure: light, dark, or as the reader's system prefers
    #[arg(long, value_name = "THEME", default_value = "auto")]
    pub theme: ThemeArg,

    /// PNG: pixels to each of the figure's units, of which there are 480 from side to side; 3 prints well in a column
    #[arg(long, value_name = "N", default_value_t = 3.0, value_parser = zoom)]
    pub zoom: f32,
}

/// Order of the rows.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// The largest count first.
    Count,
    /// Numbers by value, then text.
    Value,
    /// As text, byte by byte.
    Label,
}

/// Form of the output.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Rows, with a header.
    Csv,
    /// Rows, one JSON object a line.
    Ndjson,
    /// Aligned columns for people.
    Table,
    /// Bars for a terminal.
    Bar,
    /// A Markdown table.
    Md,
    /// A LaTeX table with booktabs.
    Latex,
    /// A figure, drawn at any size.
    Svg,
    /// A figure in pixels.
    Png,
}

impl Form {
    /// The form that a file's ending asks for.
    pub fn of_file(path: &std::path::Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "csv" => Some(Self::Csv),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "txt" => Some(Self::Table),
            "md" => Some(Self::Md),
            "tex" => Some(Self::Latex),
            "svg" => Some(Self::Svg),
            "png" => Some(Self::Png),
            _ => None,
        }
    }

    /// Whether it is drawn.
    pub fn is_figure(self) -> bool {
        matches!(self, Self::Svg | Self::Png)
    }
}

/// Kind of figure.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// Bars for values, columns for bins and hours, a line for time, steps for --ccdf.
    Auto,
    /// Horizontal bars, one per row.
    Bars,
    /// Vertical bars.
    Columns,
    /// Points at value and count.
    Points,
    /// A line through value and count.
    Line,
    /// P(X ≤ x) as steps, per series.
    Ecdf,
    /// P(X ≥ x) as steps, per series.
    Ccdf,
    /// A map of the world; COLUMN holds the ISO 3166 letters of countries, as src_country does.
    Map,
}

/// Logarithmic axes.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// The values' axis.
    X,
    /// The counts' axis.
    Y,
    /// Both.
    Xy,
}

/// Theme of a figure.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThemeArg {
    /// What the reader's system prefers.
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl From<ThemeArg> for Theme {
    fn from(arg: ThemeArg) -> Self {
        match arg {
            ThemeArg::Auto => Self::Auto,
            ThemeArg::Light => Self::Light,
            ThemeArg::Dark => Self::Dark,
        }
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
    if number > 0.0 && number.is_finite() { Ok(number) } else { Err("a number above 0 is wanted".into()) }
}

fn zoom(text: &str) -> Result<f32, String> {
    let number = positive(text)? as f32;
    if (0.1..=20.0).contains(&number) { Ok(number) } else { Err("between 0.1 and 20".into()) }
}

fn quantile(text: &str) -> Result<Decimal, String> {
    let q = Decimal::from_str(text).map_err(|e| e.to_string())?;
    if q < Decimal::ZERO || q > Decimal::ONE {
        return Err(format!("a quantile is between 0 and 1, not {text}"));
    }
    Ok(q)
}

fn mark(text: &str) -> Result<(Decimal, String), String> {
    let (value, name) = text.split_once('=').unwrap_or((text, text));
    let value = Decimal::from_str(value).map_err(|e| e.to_string())?;
    Ok((value, name.to_owned()))
}

const EXAMPLES: &str = "\
Examples:
  The ten most scanned ports, with their shares:
      hist dst_port --where proto=tcp --top 10 probes.csv
  The same as bars in the terminal, or as a figure:
      hist dst_port --where proto=tcp --top 10 --format bar probes.csv
      hist dst_port --where proto=tcp --top 10 -o ports.svg probes.csv
  How many sources scanned each port, each source counted once:
      hist dst_port --distinct src_ip --top 10 probes.csv
  Bytes by country and protocol:
      hist src_country --by proto --weight bytes probes.csv
  Scans per hour, as a line over time:
      hist ts --every 1h --by proto -o time.svg probes.csv
  Where scans come from, as a map, in pixels:
      hist src_country --draw map -o map.png probes.csv
  Scans by local hour of the source:
      hist src_hour --hour --by src_country --series CN,US,RU -o hours.svg probes.csv
  Packets per source in decades, and as a distribution on two logarithmic axes:
      hist src_ip probes.csv | hist count --bins log:10
      hist src_ip probes.csv | hist count --ccdf --log xy -o sources.svg
  Two configurations side by side, each as shares:
      hist technique --by-file --shares --format table passive.csv honeypot.csv
  Median and tail of the packet length:
      hist ip_len --quantiles 0.5,0.9,0.99 packets.csv
  Combinations, and the same exploration with other tools behind it:
      hist proto,technique probes.csv | mlr --icsv --opprint filter '$share > 0.01'
  Several counts of a long file in one pass, and what can be had from a count of combinations:
      hist technique --also proto,dst_port=ports.csv --also src_ip,src_country=sources.csv probes.csv
      hist dst_port --where proto=udp --weight count ports.csv

Exit status: 0 done; 1 done, but rows were damaged, cells were no numbers, or there were more different values than
--max-values; 2 could not do it: wrong arguments, no such column, unreadable input.";
