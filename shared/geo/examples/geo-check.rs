//! Opens the databases of a folder, shows what they are, and looks up addresses whose operators are well
//! known.
//!
//! Usage: `geo-check FOLDER`

use std::io::{self, Write};
use std::net::IpAddr;

use anyhow::{Context, Result, ensure};
use probeline_geo::{Geo, SearchPath, Wanted};

/// Addresses that have belonged to the same system for years: the open resolvers of Google and Cloudflare,
/// the web server of the RIPE NCC, and a root name server.
const KNOWN: [(&str, u32); 6] = [
    ("8.8.8.8", 15_169),
    ("1.1.1.1", 13_335),
    ("193.0.6.139", 3_333),
    ("2001:4860:4860::8888", 15_169),
    ("2606:4700:4700::1111", 13_335),
    ("2001:7fd::1", 25_152),
];

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).context("usage: geo-check FOLDER")?;
    let search = SearchPath { folders: vec![folder.into()], ..SearchPath::default() };
    let mut geo = Geo::open(&search, Wanted::ALL)?;
    let mut out = io::stdout().lock();
    for database in geo.describe() {
        let built = database.built_day().unwrap_or_else(|| "on an unknown day".to_owned());
        writeln!(
            out,
            "{}: {}, {}, built {built}",
            database.path.display(),
            database.layout,
            database.families
        )?;
        if let Some(licence) = database.licence {
            writeln!(out, "    {licence}")?;
        }
    }
    for (address, number) in KNOWN {
        let address: IpAddr = address.parse()?;
        let place = geo.lookup(address);
        ensure!(
            place.asn() == Some(number),
            "{address} is in AS {:?}, and should be in {number}",
            place.asn()
        );
        ensure!(place.country().is_some(), "{address} has no country");
        ensure!(place.org().is_some(), "{address} has no organization");
    }
    let private = geo.lookup(IpAddr::from([192, 168, 0, 1]));
    ensure!(private.asn().is_none(), "a private address (RFC 1918) is in AS {:?}", private.asn());
    ensure!(geo.damaged() == 0, "damaged records");
    Ok(())
}
