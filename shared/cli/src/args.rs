use std::path::PathBuf;
use std::time::Duration;

use probeline_record::Format;

/// Output format by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FormatArg {
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

impl From<FormatArg> for Format {
    fn from(arg: FormatArg) -> Self {
        match arg {
            FormatArg::Csv => Self::Csv,
            FormatArg::Ndjson => Self::Ndjson,
        }
    }
}

/// Arguments shared by the tools that read rows.
#[derive(Clone, Debug, clap::Args)]
pub struct RowOptions {
    /// Rows to read, CSV or NDJSON, plain or compressed (gzip, zstd); standard input without it or as `-`
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Output format; the input's without it
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<FormatArg>,

    /// Also write the accounting line to FILE, as JSON
    #[arg(long, value_name = "FILE")]
    pub account: Option<PathBuf>,

    /// List the columns this tool writes, with their meaning, and exit
    #[arg(long)]
    pub list_fields: bool,
}

/// A span of time from the command line: a number with an optional unit (`ms`, `s`, `m`, `h`, `d`), seconds without.
///
/// # Errors
/// When it is not that, or not positive.
pub fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds_per_unit = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(format!("'{unit}' is no unit of time; use ms, s, m, h or d")),
    };
    let number: f64 =
        number.parse().map_err(|_| "not a number with an optional unit, such as 300 or 5m".to_owned())?;
    match Duration::try_from_secs_f64(number * seconds_per_unit) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("must be longer than nothing and shorter than ages".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in
            [("300", 300.0), ("5m", 300.0), ("0.5s", 0.5), ("250ms", 0.25), ("1d", 86_400.0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for bad in ["", "m", "5 m", "-1", "0", "1w", "1e400"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
