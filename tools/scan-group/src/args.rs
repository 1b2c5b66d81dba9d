use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use probeline_cli::{RowOptions, duration};
use probeline_scan::{Session, Window};

use crate::key::Key;

/// Group probe rows into sessions: who scanned, how wide, how long.
///
/// Reads the rows of scan-classify. The probes of one key (--by) and one transport protocol inside one window are a
/// session, one row each, in the order in which they began. Geometry: point (one address, one port), horizontal
/// (several addresses), vertical (several ports), block (several of both). h_size is the largest number of addresses
/// on one port, v_size the largest number of ports of one address; all counts are exact.
///
/// asn, org and country come from the row's columns where geo-enrich has added them, else from local databases
/// (--asn-db, --city-db, PROBELINE_GEO_DIR, the XDG data folder, /usr/share/GeoIP); `make geo` installs them. Sources
/// that no database knows share one session, whose key is empty.
///
/// Memory: the sessions whose window is open, about 300 bytes each, and 24 bytes for each further address and port
/// that a session meets.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub(crate) rows: RowOptions,

    /// What makes a session: src, net24, net=LEN, asn, org, country, tool, or any column; repeatable, or joined by
    /// commas
    #[arg(long, value_name = "KEY", value_delimiter = ',', default_value = "src")]
    pub(crate) by: Vec<Key>,

    /// Length of the window that a key's first probe opens
    #[arg(long, value_name = "TIME", default_value = "300", value_parser = duration)]
    window: Duration,

    /// Windows start at multiples of --window since the epoch
    #[arg(long)]
    aligned: bool,

    /// Instead of a window: a session ends after this long without a probe
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with_all = ["window", "aligned"])]
    gap: Option<Duration>,

    /// With --gap: cut endless sessions at this age
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = duration, requires = "gap")]
    max_age: Duration,

    /// Write only sessions with at least this many distinct destination addresses
    #[arg(long, value_name = "N", default_value_t = 0)]
    min_dsts: u64,

    /// Write only sessions with at least this many distinct destination ports
    #[arg(long, value_name = "N", default_value_t = 0)]
    min_ports: u64,

    /// Write only sessions with at least this many probes
    #[arg(long, value_name = "N", default_value_t = 0)]
    min_probes: u64,

    /// How far out of order probes may come; what is later is counted and left out
    #[arg(long, value_name = "TIME", default_value = "5", value_parser = duration)]
    pub(crate) reorder: Duration,

    /// Database of AS numbers to use instead of the installed one; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) asn_db: Vec<PathBuf>,

    /// Database of countries to use instead of the installed one; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) city_db: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  pkt2csv dump.pcap | scan-classify | scan-group --by asn
  scan-group --by net24 --gap 10m --min-dsts 5 probes.csv
  scan-group --by src,dst_port probes.csv | hist geometry

Exit status: 0 done, 1 done but some input was malformed, 2 could not do it.";

impl Args {
    pub(crate) fn window(&self) -> Window {
        match self.gap {
            Some(gap) => Window::Gap { gap, max_age: self.max_age },
            None if self.aligned => Window::Aligned(self.window),
            None => Window::Anchored(self.window),
        }
    }

    /// Whether some sessions may be left out.
    pub(crate) fn has_minimum(&self) -> bool {
        self.min_dsts.max(self.min_ports).max(self.min_probes) > 0
    }

    /// Whether a session reaches every minimum.
    pub(crate) fn admits(&self, session: &Session<'_>) -> bool {
        session.dsts >= self.min_dsts && session.ports >= self.min_ports && session.probes >= self.min_probes
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
    fn a_gap_replaces_the_window() {
        assert_eq!(Args::parse_from(["x"]).window(), Window::Anchored(Duration::from_secs(300)));
        let gap = Args::parse_from(["x", "--gap", "10m"]).window();
        let day = Duration::from_secs(86_400);
        assert_eq!(gap, Window::Gap { gap: Duration::from_secs(600), max_age: day });
        assert!(Args::try_parse_from(["x", "--gap", "10m", "--window", "5"]).is_err());
        assert!(Args::try_parse_from(["x", "--max-age", "5"]).is_err());
    }
}
