//! Turns lists of address ranges with their AS numbers into one database for IPv4 and IPv6, with the field
//! names of GeoLite2-ASN.
//!
//! Usage: `asn-mmdb --date YYYY-MM-DD --output FILE CSV...`
//!
//! Each CSV row is `first,last,asn,organization`, without a header. The date is that of the data and becomes
//! the build date of the database, so that the same lists always give the same bytes. Afterwards the file is
//! read back and asked for the first and the last address of every range, and for the addresses just outside.
//!
//! Rows whose AS number names no operator are left out and counted: 0 (RFC 7607), `AS_TRANS` (RFC 6793), and
//! the numbers for documentation (RFC 5398), private use (RFC 6996) and the last of each kind (RFC 7300).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use maxminddb_writer::Database;
use maxminddb_writer::metadata::IpVersion;
use maxminddb_writer::paths::IpAddrWithMask;
use probeline_geo::ranges::{Range, flatten, prefixes};
use serde::{Deserialize, Serialize};

/// The record of GeoLite2-ASN, in its order.
#[derive(Serialize, Deserialize, PartialEq, Eq, Debug)]
struct Record<'a> {
    autonomous_system_number: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    autonomous_system_organization: Option<&'a str>,
}

/// Distinct (number, organization) pairs, by the order in which they were first met.
#[derive(Default)]
struct Operators {
    list: Vec<(u32, String)>,
    known: BTreeMap<(u32, String), usize>,
}

impl Operators {
    fn index(&mut self, operator: (u32, String)) -> usize {
        match self.known.entry(operator) {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(new) => {
                self.list.push(new.key().clone());
                *new.insert(self.list.len() - 1)
            }
        }
    }

    fn record(&self, index: usize) -> Record<'_> {
        let (number, name) = &self.list[index];
        Record {
            autonomous_system_number: *number,
            autonomous_system_organization: Some(name.as_str()).filter(|name| !name.is_empty()),
        }
    }
}

#[derive(Default)]
struct Lists {
    operators: Operators,
    v4: Vec<Range<usize>>,
    v6: Vec<Range<usize>>,
    rows: usize,
    unnamed: usize,
}

struct Arguments {
    epoch: u64,
    output: PathBuf,
    lists: Vec<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = arguments(std::env::args().skip(1))?;
    let mut lists = Lists::default();
    for path in &arguments.lists {
        read(path, &mut lists).with_context(|| format!("reading {}", path.display()))?;
    }
    let (v4, overlaps_v4) = flatten(std::mem::take(&mut lists.v4));
    let (v6, overlaps_v6) = flatten(std::mem::take(&mut lists.v6));
    ensure!(!v4.is_empty() || !v6.is_empty(), "no ranges in the lists");
    let database = build(&lists.operators, &v4, &v6, arguments.epoch)?;
    write(&database, &arguments.output).with_context(|| format!("writing {}", arguments.output.display()))?;
    let checked = verify(&arguments.output, &lists.operators, &v4, &v6)
        .with_context(|| format!("verifying {}", arguments.output.display()))?;
    writeln!(
        io::stderr(),
        "asn-mmdb: {} rows, {} IPv4 and {} IPv6 ranges, {} operators; {} rows with a private or reserved AS \
         number left out, {} overlapping pairs; {checked} addresses looked up again, all as in the lists",
        lists.rows,
        v4.len(),
        v6.len(),
        lists.operators.list.len(),
        lists.unnamed,
        overlaps_v4 + overlaps_v6,
    )?;
    Ok(())
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments> {
    let (mut epoch, mut output, mut lists) = (None, None, Vec::new());
    while let Some(word) = given.next() {
        match word.as_str() {
            "--date" => {
                let date: jiff::civil::Date = given.next().context("--date wants YYYY-MM-DD")?.parse()?;
                let start = jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0))?.as_second();
                epoch = Some(u64::try_from(start).context("a date before 1970")?);
            }
            "--output" => output = Some(PathBuf::from(given.next().context("--output wants a file name")?)),
            option if option.starts_with("--") => bail!("unknown option {option}"),
            path => lists.push(PathBuf::from(path)),
        }
    }
    ensure!(!lists.is_empty(), "usage: asn-mmdb --date YYYY-MM-DD --output FILE CSV...");
    Ok(Arguments {
        epoch: epoch.context("no --date given")?,
        output: output.context("no --output given")?,
        lists,
    })
}

fn read(path: &Path, lists: &mut Lists) -> Result<()> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path)?;
    for row in reader.records() {
        let row = row?;
        let line = row.position().map_or(0, csv::Position::line);
        add(&row, lists).with_context(|| format!("line {line}"))?;
    }
    Ok(())
}

fn add(row: &csv::StringRecord, lists: &mut Lists) -> Result<()> {
    let cell = |index: usize| row.get(index).with_context(|| format!("no column {}", index + 1));
    let (first, last): (IpAddr, IpAddr) = (cell(0)?.parse()?, cell(1)?.parse()?);
    ensure!(first <= last, "the range {first} to {last} runs backwards");
    let number: u32 = cell(2)?.parse()?;
    lists.rows += 1;
    if !names_an_operator(number) {
        lists.unnamed += 1;
        return Ok(());
    }
    // Where the operator's name is not known the lists repeat the number, which is no name.
    let name = Some(cell(3)?.trim()).filter(|name| *name != format!("AS{number}")).unwrap_or_default();
    let value = lists.operators.index((number, name.to_owned()));
    match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            lists.v4.push(Range { first: first.to_bits().into(), last: last.to_bits().into(), value });
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            lists.v6.push(Range { first: first.to_bits(), last: last.to_bits(), value });
        }
        _ => bail!("the range {first} to {last} mixes IPv4 and IPv6"),
    }
    Ok(())
}

fn names_an_operator(number: u32) -> bool {
    !matches!(number, 0 | 23_456 | 64_496..=65_551 | 4_200_000_000..)
}

fn build(operators: &Operators, v4: &[Range<usize>], v6: &[Range<usize>], epoch: u64) -> Result<Database> {
    let mut database = Database::default();
    database.metadata.binary_format_major_version = 2;
    database.metadata.ip_version = IpVersion::V6;
    database.metadata.database_type = "GeoLite2-ASN compatible".to_owned();
    database.metadata.build_epoch = epoch;
    database.metadata.languages = vec!["en".to_owned()];
    database.metadata.description =
        [("en".to_owned(), "AS numbers from RouteViews, the RIRs and DB-IP, see ATTRIBUTION".to_owned())]
            .into();
    let mut stored = Vec::with_capacity(operators.list.len());
    for index in 0..operators.list.len() {
        stored.push(database.insert_value(operators.record(index))?);
    }
    // The ranges are split here because the writer's own range type loses some that are longer than a machine
    // word, and IPv4 goes where the format wants it in an IPv6 tree: below ::/96.
    let below_96 = v4.iter().flat_map(|range| {
        let split = prefixes(range.first, range.last, 32);
        split.into_iter().map(|(network, length)| (network, length + 96, range.value))
    });
    let whole = v6.iter().flat_map(|range| {
        let split = prefixes(range.first, range.last, 128);
        split.into_iter().map(|(network, length)| (network, length, range.value))
    });
    for (network, length, value) in below_96.chain(whole) {
        let network = IpAddr::V6(Ipv6Addr::from_bits(network));
        database.insert_node(IpAddrWithMask::new(network, length), stored[value]);
    }
    Ok(database)
}

fn write(database: &Database, path: &Path) -> Result<()> {
    let partial = path.with_extension("part");
    let file = database.write_to(BufWriter::new(File::create(&partial)?))?;
    file.into_inner()?.sync_all()?;
    fs::rename(&partial, path)?;
    Ok(())
}

/// Looks up both ends of every range, and the addresses beside them where no other range begins.
fn verify(path: &Path, operators: &Operators, v4: &[Range<usize>], v6: &[Range<usize>]) -> Result<usize> {
    let reader = maxminddb::Reader::open_readfile(path)?;
    let ask = |address: IpAddr, expected: Option<usize>| -> Result<()> {
        let found: Option<Record> = reader.lookup(address)?.decode()?;
        let expected = expected.map(|index| operators.record(index));
        ensure!(found == expected, "{address} gives {found:?}, the lists say {expected:?}");
        Ok(())
    };
    let to_v4 = |bits: u128| u32::try_from(bits).map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))).ok();
    let to_v6 = |bits: u128| Some(IpAddr::V6(Ipv6Addr::from_bits(bits)));
    let mut checked = 0;
    for (ranges, address) in [(v4, &to_v4 as &dyn Fn(u128) -> Option<IpAddr>), (v6, &to_v6)] {
        let mut next_free = 0_u128;
        for range in ranges {
            let before = range.first.checked_sub(1).filter(|before| *before >= next_free);
            let ends = [
                (before, None),
                (Some(range.first), Some(range.value)),
                (Some(range.last), Some(range.value)),
            ];
            for (bits, expected) in ends {
                if let Some(address) = bits.and_then(address) {
                    ask(address, expected)?;
                    checked += 1;
                }
            }
            next_free = range.last.saturating_add(1);
        }
        if let Some(address) = ranges.last().and_then(|range| range.last.checked_add(1)).and_then(address) {
            ask(address, None)?;
            checked += 1;
        }
    }
    Ok(checked)
}
