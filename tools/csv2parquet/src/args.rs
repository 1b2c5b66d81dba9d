use std::path::PathBuf;

use clap::Parser;

/// Rows to one Parquet file, typed by the dictionary of columns.
///
/// Reads the rows of any of the tools, CSV or NDJSON, plain or compressed, and writes a file that DuckDB, Polars, Spark
/// and pandas open by themselves, five to ten times smaller and some ten times faster to query. Who has DuckDB at hand
/// can do without: COPY (FROM 'rows.csv') TO 'rows.parquet'.
///
/// Types: ts, start and end are timestamps in UTC; counts, ports, lengths and numbers of protocols the smallest whole
/// number that holds them (signed 64 bits for sums); degrees, shares and seconds double; all else text, as are columns
/// that the dictionary does not know (--list-fields of the tool that wrote them). An empty cell is null.
///
/// A row with a cell that is not of its column's type is left out, told and counted.
///
/// Memory: one row group, 262144 rows: about 100 MiB for packet rows.
#[derive(Debug, Parser)]
#[command(name = "csv2parquet", version, max_term_width = 110, after_help = EXAMPLES)]
pub struct Args {
    /// The rows; standard input where absent or -
    pub(crate) file: Option<PathBuf>,

    /// Where to write; it takes this name when it is complete. - is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Timestamps in nanoseconds, which Spark does not read, instead of microseconds
    #[arg(long)]
    pub(crate) nanoseconds: bool,

    /// zstd's level, 1 to 19
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=19))]
    pub(crate) level: i32,
}

const EXAMPLES: &str = "\
Examples:
  pkt2csv dump.pcap | csv2parquet -o packets.parquet
  duckdb -c \"SELECT dst_port, count(*) n FROM 'packets.parquet' GROUP BY ALL ORDER BY n DESC LIMIT 10\"

Exit status: 0 done, 1 done but some input was malformed, 2 could not do it.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }
}
