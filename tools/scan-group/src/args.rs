use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Parser;
use probeline_cli::{RowOptions, duration};
use probeline_scan::Unit;

use crate::key::Key;
use crate::preset::Preset;

/// Group probe rows into sessions: who scanned, how wide, how long.
///
/// Reads the rows of scan-classify. The probes of one key (--by) and one transport protocol inside one window are a
/// session, one row each, in the order in which they began. Geometry: point (one address, one port), horizontal
/// (several addresses), vertical (several ports), block (several of both). h_size is the largest number of addresses
/// on one port, v_size the largest number of ports of one address; all counts are exact unless --approx is given. A
/// session's own column gives way to a key of the same name.
///
/// asn, org and country come from the row's columns where geo-enrich has added them, else from local databases
/// (--asn-db, --city-db, PROBELINE_GEO_DIR, the XDG data folder, /usr/share/GeoIP); `make geo` installs them. Sources
/// that no database knows share one session, whose key is empty.
///
/// Memory: the sessions whose window is open, about 400 bytes each, and 24 bytes for each further address and port
/// that a session meets. --max-sessions bounds the sessions: in a flood of spoofed sources the oldest are written early, and
/// said to be.
#[derive(Debug, Parser)]
#[command(name = "scan-group", version, after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub(crate) rows: RowOptions,

    /// What makes a session: src, net24, net=LEN, asn, org, country, victim (of backscatter), tool, or any column;
    /// repeatable, or joined by commas [default: src]
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    pub(crate) by: Vec<Key>,

    /// In the same pass, group by KEY as well and write those sessions to FILE, with columns of their own where NAMEs are
    /// given; repeatable. All other options hold for each of the groupings, whose memory adds up
    #[arg(long, value_name = "KEY,...[:NAME,...]=FILE", conflicts_with = "state")]
    pub(crate) also: Vec<Also>,

    /// Which of the session's columns to write behind its key, and in which order, instead of all: see --list-fields.
    /// On request only: port_list
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,

    /// Length of the window that a key's first probe opens [default: 300]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) window: Option<Duration>,

    /// Windows start at multiples of --window since the epoch
    #[arg(long)]
    pub(crate) aligned: bool,

    /// Instead of a window: a session ends after this long without a probe
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with_all = ["window", "aligned"])]
    pub(crate) gap: Option<Duration>,

    /// With a gap: cut endless sessions at this age [default: 1d; with --preset never]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) max_age: Option<Duration>,

    /// What one row is: a session, or each of its ports (horizontal) or addresses (vertical), with the counts of that
    /// port or address and the times of the session. Costs 104 bytes more for each distinct source, address, port,
    /// technique and tool of an open session
    #[arg(long, value_name = "UNIT", default_value = "session")]
    pub(crate) unit: UnitArg,

    /// A published definition: its key, window and minima, which other options override; see --list-presets
    #[arg(long, value_name = "NAME", value_parser = Preset::by_name)]
    pub(crate) preset: Option<&'static Preset>,

    /// Scale the preset to the size of this telescope: the time-out by T = -ln(1-c)/(r N/S), destinations by N/N0
    #[arg(long, requires = "preset")]
    pub(crate) scale: bool,

    /// List the presets with their numbers and sources, as CSV, and exit
    #[arg(long)]
    pub(crate) list_presets: bool,

    /// Monitored addresses: CIDR, ADDR, A-B or @FILE; repeatable. Its IPv4 size adds the columns rate and coverage,
    /// with 95 % confidence intervals, and the odds that the window sees a source again on stderr
    #[arg(long, value_name = "SET", env = "TELESCOPE")]
    pub(crate) telescope: Vec<String>,

    /// The number of monitored IPv4 addresses, instead of --telescope
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 32))]
    pub(crate) telescope_size: Option<u64>,

    /// Write only rows with at least this many distinct destination addresses
    #[arg(long, value_name = "N")]
    pub(crate) min_dsts: Option<u64>,

    /// Write only rows with at least this many distinct destination ports
    #[arg(long, value_name = "N")]
    pub(crate) min_ports: Option<u64>,

    /// Write only rows with at least this many probes
    #[arg(long, value_name = "N")]
    pub(crate) min_probes: Option<u64>,

    /// Write only rows of at least this Internet-wide rate, in packets/s; needs the telescope's size
    #[arg(long, value_name = "RATE", value_parser = positive)]
    pub(crate) min_rate: Option<f64>,

    /// Count by sketches what is more than 131072 addresses or targets in one session: HyperLogLog with a standard
    /// error of 0.81 % for srcs and dsts, h_size from a sample of addresses (about 1 % where it is near dsts), v_size the
    /// largest in that sample; ports stay exact. Such rows say `hll` in the column approx. At most about 6 MB a session
    #[arg(long)]
    pub(crate) approx: bool,

    /// Write how many keys came back (two or more sessions) and how many sessions are theirs, or block scans, to FILE as
    /// CSV; `-` for a table on stderr. Counts written sessions. Memory: every key of the input, about 60 bytes each
    #[arg(long, value_name = "FILE")]
    pub(crate) repeats: Option<PathBuf>,

    /// Go on where the run that saved FILE stopped, and save there what is still open at the end: captures grouped one
    /// after the other give the rows of one run over all. The options must stay the same
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,

    /// With --state: this is the last input; write what is open, and remove FILE
    #[arg(long, requires = "state")]
    pub(crate) r#final: bool,

    /// How far out of order probes may come; what is later is counted and left out
    #[arg(long, value_name = "TIME", default_value = "5", value_parser = reach)]
    pub(crate) reorder: Duration,

    /// Hold at most this many sessions; beyond it the oldest is written early with closed_by `evicted`, and later probes of
    /// its key begin another
    #[arg(long, value_name = "N", default_value_t = 1 << 22, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_sessions: u32,

    /// Database of AS numbers to use instead of the installed one; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) asn_db: Vec<PathBuf>,

    /// Database of countries to use instead of the installed one; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) city_db: Vec<PathBuf>,
}

/// Another grouping of the same probes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Also {
    pub(crate) by: Vec<Key>,
    /// None: those of --columns.
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) file: PathBuf,
}

impl FromStr for Also {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A key may have an equals sign of its own, as net=16 has; a file's path seldom does.
        match text.rsplit_once('=') {
            Some((by, file)) if !by.is_empty() && !file.is_empty() => {
                let (by, columns) = match by.split_once(':') {
                    Some((by, columns)) => (by, Some(columns.split(',').map(str::to_owned).collect())),
                    None => (by, None),
                };
                let by = by.split(',').map(str::parse).collect::<Result<_, _>>()?;
                Ok(Self { by, columns, file: file.into() })
            }
            _ => Err("write KEY=FILE or KEY:NAME=FILE, several keys or names with commas between".to_owned()),
        }
    }
}

/// What one row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum UnitArg {
    /// The probes of one key and protocol inside one window
    Session,
    /// Of a session those to one port
    Horizontal,
    /// Of a session those to one address
    Vertical,
}

impl From<UnitArg> for Unit {
    fn from(arg: UnitArg) -> Self {
        match arg {
            UnitArg::Session => Self::Session,
            UnitArg::Horizontal => Self::Horizontal,
            UnitArg::Vertical => Self::Vertical,
        }
    }
}

/// A time that may be zero.
fn reach(text: &str) -> Result<Duration, String> {
    if text == "0" || text == "0s" { Ok(Duration::ZERO) } else { duration(text) }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        _ => Err("must be a number above 0".to_owned()),
    }
}

const EXAMPLES: &str = "\
Examples:
  pkt2csv dump.pcap | scan-classify | scan-group --by asn
  scan-group --by net24 --gap 10m --min-dsts 5 probes.csv
  scan-group --by src,dst_port probes.csv | hist geometry
  scan-group --preset liu-fukuda2018 --telescope 192.0.2.0/27 probes.csv
  scan-group --by src --also net24=net24.csv --also asn,dst_port:proto,dsts=horizontal.csv probes.csv > src.csv
  scan-group --by src,dst_ip --columns proto,ports,port_list --min-ports 2 probes.csv
  for hour in *.pcap; do pkt2csv $hour | scan-classify | scan-group --state open > $hour.csv; done

Exit status: 0 done, 1 done but some input was malformed, 2 could not do it.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn what_does_not_go_together() {
        for bad in [
            &["--gap", "10m", "--window", "5"][..],
            &["--final"],
            &["--scale"],
            &["--preset", "none"],
            &["--min-rate", "0"],
            &["--telescope-size", "0"],
            &["--also", "asn"],
            &["--also", "=x"],
            &["--also", "asn=x", "--state", "y"],
        ] {
            assert!(Args::try_parse_from(["x"].iter().chain(bad)).is_err(), "{bad:?}");
        }
        assert_eq!(Args::parse_from(["x", "--reorder", "0"]).reorder, Duration::ZERO);
    }
}
