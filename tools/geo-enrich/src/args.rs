use std::path::PathBuf;

use probeline_cli::RowOptions;
use probeline_geo::SearchPath;

use crate::columns::Selection;

/// Adds where an address is to any row that has one: country, city, coordinate, time zone and local hour, and
/// the autonomous system with its organization.
///
/// Reads rows with an address (src_ip, unless --address names another). Adds src_country, src_city, src_lat,
/// src_lon, src_geo_level, src_tz, src_hour, src_asn and src_org behind the row's own columns, which stay as
/// they are, in their order; columns of these names that the rows already have are replaced.
///
/// The answers come from databases on this machine only: MaxMind's City, Country, Enterprise, ASN and ISP,
/// the flat ones of ip-location-db and IPinfo, and CAIDA's prefix-to-AS files. Without --city-db or --asn-db
/// they are looked for in PROBELINE_GEO_DIR, in probeline/geo of the XDG data folder and in /usr/share/GeoIP;
/// `make geo` installs the default ones.
///
/// src_hour is the hour on the clocks of the source, daylight saving included, at the row's time (ts, else
/// start). A location known to the country only gives no zone and no hour in a country with several zones.
///
/// Memory: what was answered for each address, up to a million of them, about 200 MB at most with
/// the pages of the databases that were looked at.
#[derive(clap::Parser, Debug)]
#[command(name = "geo-enrich", version, max_term_width = 110, after_help = EXAMPLES)]
pub struct Args {
    /// Arguments of all tools that read rows.
    #[command(flatten)]
    pub rows: RowOptions,

    /// Column with the address; repeat it for several. What is added for NAME_ip begins with NAME
    #[arg(long, value_name = "COL", default_value = "src_ip")]
    pub address: Vec<String>,

    /// What to add, in this order: country, city, lat, lon, geo_level, tz, hour, asn, org
    #[arg(long, value_name = "NAME,...", default_value = Selection::ALL)]
    pub columns: Selection,

    /// Column with the time for the local hour; without it ts, else start
    #[arg(long, value_name = "COL")]
    pub time: Option<String>,

    /// Databases with their places and numbers.
    #[command(flatten)]
    pub databases: DatabaseOptions,

    /// List the databases in use, with layout, addresses, day of building and licence, and exit
    #[arg(long)]
    pub list_databases: bool,
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
}

impl DatabaseOptions {
    /// Where to look.
    #[must_use]
    pub fn search_path(&self) -> SearchPath {
        SearchPath {
            city: self.city_db.clone(),
            asn: self.asn_db.clone(),
            ..SearchPath::from_env(|name| std::env::var_os(name))
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  pkt2csv dump.pcap | scan-classify | geo-enrich | hist src_country
  geo-enrich --columns asn,org --address src_ip --address dst_ip probes.csv
  geo-enrich --asn-db routeviews-rv2-20150101-1200.pfx2as.gz --columns asn old.csv
  geo-enrich --list-databases
";
