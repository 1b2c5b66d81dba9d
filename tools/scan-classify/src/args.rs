use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use probeline_cli::{RowOptions, duration};
use probeline_scan::{BackscatterRule, Class, Options, Telescope};

/// Turn packet rows into probe rows: class, technique and handshake of every flow.
///
/// Reads the rows of pkt2csv and writes one row per probe, a scan attempt: a flow opened by an unsolicited packet,
/// retransmissions and the rest of its handshake included. Rows come in the order of the probes' first packets.
///
/// One unanswered SYN cannot tell a half-open scan from connect(): it stays `syn`, with the handshake (none, reset,
/// unanswered, completed, refused) and the make of the SYN (syn_stack: os or raw) in columns of their own. The rules
/// are in docs/CLASSIFICATION.md.
///
/// Memory: the flows of the last --flow-timeout, about 400 bytes each. --max-flows bounds them: in a flood of spoofed sources
/// the oldest are written early, and said to be; with what is remembered of those, 750 bytes for each of --max-flows.
#[derive(Debug, Parser)]
#[command(name = "scan-classify", version, after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub(crate) rows: RowOptions,

    /// Monitored addresses: CIDR, ADDR, A-B or @FILE; repeatable. Without it direction is inferred per flow
    #[arg(long, value_name = "SET", env = "TELESCOPE")]
    telescope: Vec<String>,

    /// Flows to write
    #[arg(long, value_name = "CLASS", default_value = "scan")]
    pub(crate) class: ClassArg,

    /// By whose rules a flow is backscatter
    #[arg(long, value_name = "RULES", default_value = "default")]
    backscatter: BackscatterArg,

    /// A flow ends after this long without a packet
    #[arg(long, value_name = "TIME", default_value = "300", value_parser = duration)]
    flow_timeout: Duration,

    /// How long behind a SYN/ACK an ACK or RST of the source still answers it
    #[arg(long, value_name = "TIME", default_value = "60", value_parser = duration)]
    settle: Duration,

    /// Write a flow at this age even if it goes on
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    max_age: Duration,

    /// How far out of order packets may come; what is later is counted and left out
    #[arg(long, value_name = "TIME", default_value = "5", value_parser = reach)]
    reorder: Duration,

    /// Hold at most this many flows; beyond it the oldest is written early, marked `evicted`
    #[arg(long, value_name = "N", default_value_t = 1 << 20, value_parser = clap::value_parser!(u32).range(1..))]
    max_flows: u32,

    /// Go on where the run that saved FILE stopped, and save there the flows that are still open at the end: captures
    /// classified one after the other give the rows of one run over all. Options and columns must stay the same
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,

    /// With --state: this is the last input; write the flows that are open, and remove FILE
    #[arg(long, requires = "state")]
    pub(crate) r#final: bool,

    /// Write the table of classes and techniques to FILE as CSV; `-` for a table on stderr
    #[arg(long, value_name = "FILE")]
    pub(crate) stats: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  pkt2csv dump.pcap | scan-classify
  pkt2csv dump.pcap | scan-classify --telescope 192.0.2.0/24 --stats - > probes.csv
  scan-classify --class backscatter packets.csv.zst | hist src_ip --top 10

Exit status: 0 done, 1 done but some input was malformed, 2 could not do it.";

/// A time that may be zero.
fn reach(text: &str) -> Result<Duration, String> {
    if text == "0" { Ok(Duration::ZERO) } else { duration(text) }
}

impl Args {
    pub(crate) fn options(&self) -> Result<Options, anyhow::Error> {
        let telescope = Telescope::parse(&self.telescope).context("--telescope")?;
        Ok(Options {
            telescope: (!telescope.is_empty()).then_some(telescope),
            flow_timeout: self.flow_timeout,
            settle: self.settle,
            max_age: self.max_age,
            max_flows: self.max_flows as usize,
            reorder: self.reorder,
            backscatter: self.backscatter.into(),
        })
    }
}

/// Published definitions of backscatter.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum BackscatterArg {
    /// Our own, in docs/CLASSIFICATION.md
    Default,
    /// CAIDA corsaro3: SYN/ACK, any RST, UDP from port 53, ICMP replies and errors
    Corsaro3,
    /// Liu and Fukuda 2018, table 1: adds ACK alone, replies from UDP ports 53, 123, 137 and 161
    #[value(name = "liu-fukuda2018")]
    LiuFukuda2018,
    /// Durumeric 2014, Griffioen 2024: all TCP but a SYN
    #[value(name = "synonly")]
    SynOnly,
    /// Merit darknet-events: all TCP but SYN, FIN without ACK and no flags; all ICMP but echo requests
    Merit,
}

impl From<BackscatterArg> for BackscatterRule {
    fn from(arg: BackscatterArg) -> Self {
        match arg {
            BackscatterArg::Default => Self::Default,
            BackscatterArg::Corsaro3 => Self::Corsaro3,
            BackscatterArg::LiuFukuda2018 => Self::LiuFukuda2018,
            BackscatterArg::SynOnly => Self::SynOnly,
            BackscatterArg::Merit => Self::Merit,
        }
    }
}

/// Which classes to write.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum ClassArg {
    /// Unsolicited attempts to learn something
    Scan,
    /// Replies to something the telescope never sent
    Backscatter,
    /// Flows the telescope opened
    Response,
    /// Mid-stream data, transit, link-local noise
    Other,
    /// Every flow
    All,
}

impl ClassArg {
    pub(crate) fn wanted(self) -> Vec<Class> {
        match self {
            Self::Scan => vec![Class::Scan],
            Self::Backscatter => vec![Class::Backscatter],
            Self::Response => vec![Class::Response],
            Self::Other => vec![Class::Other],
            Self::All => Class::ALL.to_vec(),
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
        let parsed = Args::parse_from(["scan-classify"]).options().unwrap();
        let library = Options::default();
        assert_eq!(
            (parsed.flow_timeout, parsed.settle, parsed.max_age, parsed.max_flows, parsed.reorder),
            (library.flow_timeout, library.settle, library.max_age, library.max_flows, library.reorder)
        );
    }
}
