use std::path::PathBuf;
use std::time::Duration;

use probeline_cli::{RowOptions, duration};
use probeline_geo::SearchPath;

use crate::columns::Selection;

/// Adds where an address is to any row that has one: country, city, coordinate, time zone and local hour, and
/// the autonomous system with its organization.
///
/// Reads rows with an address (src_ip, unless --address names another). Adds src_country, src_city, src_lat,
/// src_lon, src_geo_level, src_tz, src_hour, src_asn and src_org behind the row's own columns, which stay as
/// they are, in their order; columns of these names that the rows already have are replaced.
///
/// The answers come from databases on this machine: MaxMind's City, Country, Enterprise, ASN and ISP,
/// the flat ones of ip-location-db and IPinfo, and CAIDA's prefix-to-AS files. Without --city-db or --asn-db
/// they are looked for in PROBELINE_GEO_DIR, in probeline/geo of the XDG data folder and in /usr/share/GeoIP;
/// `make geo` installs the default ones.
///
/// --lists adds src_known: which of your lists of networks hold the address, such as MISP's warning lists of known
/// scanners. All that do are named, joined by ';': the one with the smallest network around the address first, of equally
/// small ones the alphabetically first.
///
/// --whois asks a server on the network for AS number and holder, as nothing else here does: addresses of the public
/// Internet, each once, up to 2000 in a connection, at most one connection a second. Its answers hold for today; where it
/// has none, the files named by --asn-db are looked at. They are kept on disk for the next run.
///
/// src_hour is the hour on the clocks of the source, daylight saving included, at the row's time (ts, else
/// start). A location known to the country only gives no zone and no hour in a country with several zones.
///
/// Memory: what was answered for each address, up to a million of them, about 200 MB at most with
/// the pages of the databases that were looked at; with --whois 100 MB and 4 MB of waiting rows more.
///
/// Exit status 1 also where --whois left addresses unanswered.
#[derive(clap::Parser, Debug)]
#[command(name = "geo-enrich", version, max_term_width = 110, after_help = EXAMPLES)]
pub struct Args {
    /// Arguments of all tools that read rows.
    #[command(flatten)]
    pub rows: RowOptions,

    /// Column with the address; repeat it for several. What is added for NAME_ip begins with NAME
    #[arg(long, value_name = "COL", default_value = "src_ip")]
    pub address: Vec<String>,

    /// What to add, in this order: country, city, lat, lon, geo_level, tz, hour, asn, org, and known with --lists
    #[arg(long, value_name = "NAME,...", default_value = Selection::ALL)]
    pub columns: Selection,

    /// Column with the time for the local hour; without it ts, else start
    #[arg(long, value_name = "COL")]
    pub time: Option<String>,

    /// Databases with their places and numbers.
    #[command(flatten)]
    pub databases: DatabaseOptions,

    /// AS numbers from a server.
    #[command(flatten)]
    pub whois: WhoisArgs,

    /// List the databases and lists in use, with layout, addresses, day of building and licence, and exit
    #[arg(long)]
    pub list_databases: bool,
}

/// Whether and how to ask over the network.
#[derive(clap::Args, Debug)]
pub struct WhoisArgs {
    /// Ask this server for AS number and holder, by Team Cymru's bulk whois protocol: cymru for theirs, or HOST or HOST:PORT
    #[arg(long, value_name = "SERVER")]
    pub whois: Option<String>,

    /// Where its answers are kept; without it in probeline of the XDG cache folder, a file for each server
    #[arg(long, value_name = "FILE", requires = "whois")]
    pub whois_cache: Option<PathBuf>,

    /// How old a kept answer may be
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = duration, requires = "whois")]
    pub whois_max_age: Duration,

    /// How long the server may be silent
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration, requires = "whois")]
    pub whois_timeout: Duration,
}

impl WhoisArgs {
    /// The file of kept answers: the one named, else `whois-SERVER.tsv` in `probeline` of the XDG cache folder
    /// (`XDG_CACHE_HOME`, else `~/.cache`; a relative one does not count, as the XDG Base Directory specification has
    /// it). Nothing where there is no such folder.
    #[must_use]
    pub fn cache(&self) -> Option<PathBuf> {
        if self.whois_cache.is_some() {
            return self.whois_cache.clone();
        }
        let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))?;
        let server =
            self.whois.as_deref()?.replace(|sign: char| !sign.is_ascii_alphanumeric() && sign != '.', "_");
        Some(folder.join("probeline").join(format!("whois-{server}.tsv")))
    }
}

/// Which databases to use.
#[derive(clap::Args, Debug)]
pub struct DatabaseOptions {
    /// Database of countries or cities, the better one first; repeat it for several
    #[arg(long, value_name = "FILE")]
    pub city_db: Vec<PathBuf>,

    /// Database of AS numbers: .mmdb, or CAIDA pfx2as, plain or gzip; the better one first; repeat it for
    /// several
    #[arg(long, value_name = "FILE")]
    pub asn_db: Vec<PathBuf>,

    /// Folder or file of named networks, for the column known: MISP warning lists (.json), or text with an address, network
    /// or range a line (.txt, .list, .cidr, .netset, .ipset; named by the file); repeat it for several
    #[arg(long, value_name = "PATH")]
    pub lists: Vec<PathBuf>,
}

impl DatabaseOptions {
    /// Where to look.
    #[must_use]
    pub fn search_path(&self) -> SearchPath {
        SearchPath {
            city: self.city_db.clone(),
            asn: self.asn_db.clone(),
            lists: self.lists.clone(),
            ..SearchPath::from_env(|name| std::env::var_os(name))
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  pkt2csv dump.pcap | scan-classify | geo-enrich | hist src_country
  geo-enrich --columns asn,org --address src_ip --address dst_ip probes.csv
  geo-enrich --asn-db routeviews-rv2-20150101-1200.pfx2as.gz --columns asn old.csv
  geo-enrich --lists misp-warninglists/lists --columns asn,known probes.csv | hist src_known
  geo-enrich --whois cymru --columns asn,org probes.csv
  geo-enrich --list-databases
";
