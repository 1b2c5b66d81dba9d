use std::path::PathBuf;

use clap::Parser;
use probeline_cli::FormatArg;

use crate::split::Period;

/// Turn the packets of captures into rows: one packet, one line of CSV or NDJSON.
///
/// Reads pcap (micro- and nanoseconds, both byte orders, modified) and pcapng (any number of sections,
/// interfaces and link types), plain, gzip or zstd, told by their first bytes, from files or standard input.
/// Several files are read one after the other, or with --merge in order of time.
///
/// Every IP packet becomes a row, IPv4 and IPv6 alike, as far as it was captured: an empty cell is a value
/// that does not exist in this packet or was not captured. What is not IP is counted by kind on stderr. A
/// damaged capture gives every packet that can be read, a line on stderr with the place of the damage, and
/// exit status 1.
///
/// Memory stays below 64 MiB, whatever the input says; with --merge, each capture has its own buffers.
#[derive(Debug, Parser)]
#[command(name = "pkt2csv", version, after_help = EXAMPLES)]
pub struct Args {
    /// Captures to read; standard input without any or as `-`
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    pub(crate) format: FormatArg,

    /// Columns to write, in this order, joined by commas; `+NAME` adds to the default ones. See --list-fields
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', allow_hyphen_values = true)]
    pub(crate) columns: Vec<String>,

    /// Payload octets in payload_head, at most 65535
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(crate) payload: u16,

    /// Write ts as RFC 3339 in UTC, for people; the tools behind this one want Unix seconds
    #[arg(long)]
    pub(crate) rfc3339: bool,

    /// Keep only packets that match this expression in tcpdump's language (pcap-filter(7))
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) filter: Option<String>,

    /// Look inside tunnels (IP in IP, 6in4, GRE, VXLAN, GENEVE, ERSPAN): rows describe the innermost packet
    #[arg(long)]
    pub(crate) inner: bool,

    /// Verify IPv4 and transport checksums into a further column, `checksum`
    #[arg(long)]
    pub(crate) checksums: bool,

    /// Merge several captures by time instead of reading one after the other
    #[arg(long)]
    pub(crate) merge: bool,

    /// Wait for more at the end of FILE, which is still being written, until SIGINT or SIGTERM
    #[arg(long, conflicts_with = "merge")]
    pub(crate) follow: bool,

    /// Write one file for each hour or day (UTC) of packet time into the folder DIR, instead of standard
    /// output
    #[arg(long, value_name = "PERIOD", requires = "output")]
    pub(crate) split: Option<Period>,

    /// Folder for --split; files are named 2026-03-01T13.csv or 2026-03-01.csv, existing ones never
    /// overwritten
    #[arg(short, long, value_name = "DIR", requires = "split")]
    pub(crate) output: Option<PathBuf>,

    /// Threads that decode and format; the rows are the same with any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,

    /// Show no progress bar. There is one for files, where stderr is a terminal and stdout is not
    #[arg(long)]
    pub(crate) quiet: bool,

    /// Also write the accounting line to FILE, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) account: Option<PathBuf>,

    /// List the columns, with their meaning, and exit
    #[arg(long)]
    pub(crate) list_fields: bool,
}

const EXAMPLES: &str = "\
Examples:
  pkt2csv dump.pcap | scan-classify | scan-group --by asn
  pkt2csv --filter 'tcp[tcpflags] == tcp-syn' --columns ts,src_ip,dst_port caps/*.pcap.gz
  pkt2csv --follow capture.pcap | scan-classify --telescope 192.0.2.0/24
  pkt2csv --split day -o rows caps/*.pcap.zst
  pkt2csv --columns +vlan,+wire_len --format ndjson < dump.pcapng | jq .src_ip

Exit status: 0 done, 1 done but a capture was damaged, 2 could not do it.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }
}
