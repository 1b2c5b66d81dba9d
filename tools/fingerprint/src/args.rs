use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use probeline_cli::{RowOptions, duration};
use probeline_record::{Field, field, rows};
use probeline_signature::{Confidence, Notation, Options};

/// Add the scanning tool to packet or probe rows: which one, by which marks, how sure.
///
/// Reads the rows of pkt2csv or scan-classify and writes each with further columns, in the same order: tool (zmap,
/// masscan, nmap, mirai …, os-stack for an operating system's own connect(), unknown), tool_rule (every mark that
/// matched), tool_confidence (certain, probable, mixed, possible) and tool_version.
///
/// One hit on a 16-bit mark among many packets names no tool, so a row waits up to --settle of packet time for more of
/// its source. At the end stderr says, rule by rule, how many hits chance alone would have given.
///
/// What no header tells: which program called connect() (nmap -sT, zgrab2, RustScan, pnscan); those are os-stack.
///
/// Memory: about 350 bytes for each row that waits (--max-held) and 200 to 1000 for each source (--max-sources).
#[derive(Debug, Parser)]
#[command(name = "fingerprint", version, max_term_width = 110, after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub(crate) rows: RowOptions,

    /// Name no tool with less confidence than this; such rows become `unknown` and keep their marks
    #[arg(long, value_name = "LEVEL", default_value = "possible")]
    pub(crate) min_confidence: Level,

    /// How long, by the rows' own time, a row waits for more of its source. More names more of the first packets of
    /// a source and costs memory and delay; 0 judges each row by what came before it
    #[arg(long, value_name = "TIME", default_value = "10", value_parser = patience)]
    settle: Duration,

    /// Read FILE twice, and judge every row by all of its source's packets. Costs twice the time
    #[arg(long, requires = "file")]
    pub(crate) two_pass: bool,

    /// Add tool_session: what packets of one run share, from whichever source (scan-group --by tool_session)
    #[arg(long)]
    pub(crate) session: bool,

    /// Add sig: the signature of each SYN in p0f v3's syntax, or in MuonFP's shorter one
    #[arg(long, value_name = "NOTATION", num_args = 0..=1, default_missing_value = "p0f", require_equals = true)]
    pub(crate) sig: Option<SigArg>,

    /// Hold at most this many rows; beyond it the oldest is judged early
    #[arg(long, value_name = "N", default_value_t = 1 << 18, value_parser = clap::value_parser!(u32).range(1..))]
    max_held: u32,

    /// Remember at most this many sources; beyond it the one not seen for longest is forgotten
    #[arg(long, value_name = "N", default_value_t = 1 << 18, value_parser = clap::value_parser!(u32).range(1..))]
    max_sources: u32,

    /// Write matches and what chance would give, of every rule, to FILE as CSV
    #[arg(long, value_name = "FILE")]
    pub(crate) stats: Option<PathBuf>,

    /// List the rules with their chance, versions and sources, and exit
    #[arg(long)]
    pub(crate) list_rules: bool,
}

const EXAMPLES: &str = "\
Examples:
  pkt2csv dump.pcap | fingerprint | hist tool
  pkt2csv dump.pcap | scan-classify | fingerprint --min-confidence probable > probes.csv
  scan-classify packets.csv | fingerprint --session | scan-group --by tool_session --gap 1h
  fingerprint --list-rules | mlr --icsv --opprint filter '$tool == \"nmap\"'

Exit status: 0 done, 1 done but some input was malformed, 2 could not do it.";

/// A time that may be zero.
fn patience(text: &str) -> Result<Duration, String> {
    if text == "0" { Ok(Duration::ZERO) } else { duration(text) }
}

impl Args {
    pub(crate) fn options(&self) -> Options {
        Options {
            settle: self.settle,
            max_held: self.max_held as usize,
            max_sources: self.max_sources as usize,
        }
    }

    /// The columns that are added.
    pub(crate) fn fields(&self) -> Vec<&'static Field> {
        let session = self.session.then_some(&field::TOOL_SESSION);
        let sig = self.sig.map(|_| &field::SIG);
        rows::TOOL.iter().copied().chain(session).chain(sig).collect()
    }
}

/// A notation of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SigArg {
    /// p0f v3: version, initial ttl, options, quirks
    P0f,
    /// MuonFP: window:options:mss:scale
    Muonfp,
}

impl From<SigArg> for Notation {
    fn from(arg: SigArg) -> Self {
        match arg {
            SigArg::P0f => Self::P0f,
            SigArg::Muonfp => Self::MuonFp,
        }
    }
}

/// A least confidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Level {
    /// A single 16-bit hit, or fields that others may set alike
    Possible,
    /// Two hits or more, or one with every other field as the tool sets it; mixed counts as more
    Probable,
    /// Three hits on nearly all of a source's packets, or one of 32 bits
    Certain,
}

impl From<Level> for Confidence {
    fn from(level: Level) -> Self {
        match level {
            Level::Possible => Self::Possible,
            Level::Probable => Self::Probable,
            Level::Certain => Self::Certain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn the_defaults_are_those_of_the_library() {
        assert_eq!(Args::parse_from(["fingerprint"]).options(), Options::default());
    }
}
