//! MaxMind's own test databases, with the lists that they were made from as witnesses; and their broken ones.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use probeline_geo::{Geo, Level, SearchPath, Wanted};
use serde_json::Value;

fn captures() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures/mmdb");
    folder.is_dir().then_some(folder)
}

/// A network of a source list, as a range of IPv6 addresses, IPv4 below ::/96.
struct Entry {
    first: u128,
    last: u128,
    record: Value,
}

fn entries(path: &Path) -> Vec<Entry> {
    let list: Vec<serde_json::Map<String, Value>> =
        serde_json::from_str(&fs::read_to_string(path).expect("a source list")).expect("a list of maps");
    list.into_iter()
        .flatten()
        .map(|(network, record)| {
            let (address, length) = network.split_once('/').expect("a network");
            let length: u32 = length.parse().expect("a prefix length");
            let (first, length) = match address.parse().expect("an address") {
                IpAddr::V4(v4) => (u128::from(v4.to_bits()), length + 96),
                IpAddr::V6(v6) => (v6.to_bits(), length),
            };
            let host = if length == 0 { u128::MAX } else { (1 << (128 - length)) - 1 };
            Entry { first: first & !host, last: first | host, record }
        })
        .collect()
}

fn address(bits: u128) -> IpAddr {
    match u32::try_from(bits) {
        Ok(v4) => Ipv4Addr::from_bits(v4).into(),
        Err(_) => Ipv6Addr::from_bits(bits).into(),
    }
}

/// The record that should answer: of the networks that hold the address, the smallest and of equals the last.
fn expected(entries: &[Entry], bits: u128) -> &Value {
    entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.first <= bits && bits <= entry.last)
        .min_by_key(|(index, entry)| (entry.last - entry.first, usize::MAX - index))
        .map_or(&Value::Null, |(_, entry)| &entry.record)
}

fn text<'v>(record: &'v Value, pointer: &str) -> Option<&'v str> {
    record.pointer(pointer).and_then(Value::as_str)
}

/// Asks for both ends of every network of a list and compares what `compare` compares.
fn every_network(name: &str, wanted: Wanted, compare: impl Fn(&mut Geo, IpAddr, &Value)) -> usize {
    let Some(folder) = captures() else {
        return 0;
    };
    let entries = entries(&folder.join(format!("maxmind_source-data/{name}.json")));
    let file = folder.join(format!("maxmind_test-data/{name}.mmdb"));
    let search = SearchPath { city: vec![file.clone()], asn: vec![file], ..SearchPath::default() };
    let mut geo = Geo::open(&search, wanted).expect("a sound database");
    for entry in &entries {
        for bits in [entry.first, entry.last] {
            compare(&mut geo, address(bits), expected(&entries, bits));
        }
    }
    assert_eq!(geo.damaged(), 0);
    entries.len()
}

#[test]
fn places_are_those_of_the_source_lists() {
    let mut networks = 0;
    let (mut cities, mut zones) = (0, 0);
    let names = [
        "GeoIP2-City-Test",
        "GeoLite2-City-Test",
        "GeoIP2-Country-Test",
        "GeoLite2-Country-Test",
        "GeoIP2-Enterprise-Test",
        "GeoIP2-Precision-Enterprise-Test",
    ];
    for name in names {
        let (cities_here, zones_here) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
        networks += every_network(name, Wanted::PLACE, |geo, address, record| {
            let place = geo.lookup(address);
            let city = text(record, "/city/names/en");
            assert_eq!(place.country(), text(record, "/country/iso_code"), "{name} {address}");
            assert_eq!(place.city(), city, "{name} {address}");
            let degrees = |pointer| record.pointer(pointer).and_then(Value::as_f64);
            let both = degrees("/location/latitude").zip(degrees("/location/longitude"));
            let found = place.lat().zip(place.lon()).map(|(lat, lon)| {
                (lat.parse::<f64>().expect("a number"), lon.parse::<f64>().expect("a number"))
            });
            assert_eq!(found, both, "{name} {address}");
            if city.is_some() {
                assert_eq!(place.level(), Some(Level::City));
                cities_here.set(cities_here.get() + 1);
                if let Some(zone) = text(record, "/location/time_zone") {
                    assert_eq!(place.tz(), Some(zone), "{name} {address}");
                    zones_here.set(zones_here.get() + 1);
                }
            }
        });
        cities += cities_here.get();
        zones += zones_here.get();
    }
    if networks == 0 {
        eprintln!("SKIPPED: MaxMind's test databases are not there");
        return;
    }
    assert!(networks > 1000 && cities > 100 && zones > 100, "{networks} {cities} {zones}");
}

#[test]
fn operators_are_those_of_the_source_lists() {
    let mut networks = 0;
    for (name, at) in
        [("GeoLite2-ASN-Test", ""), ("GeoIP2-ISP-Test", ""), ("GeoIP2-Enterprise-Test", "/traits")]
    {
        networks += every_network(name, Wanted::ASN, |geo, address, record| {
            let place = geo.lookup(address);
            let field = |key: &str| record.pointer(&format!("{at}/{key}"));
            let number = field("autonomous_system_number").and_then(Value::as_u64);
            assert_eq!(place.asn().map(u64::from), number, "{name} {address}");
            let org = ["autonomous_system_organization", "isp", "organization"]
                .into_iter()
                .find_map(|key| field(key).and_then(Value::as_str));
            assert_eq!(place.org(), org, "{name} {address}");
        });
    }
    if networks == 0 {
        eprintln!("SKIPPED: MaxMind's test databases are not there");
        return;
    }
    assert!(networks > 2500, "{networks}");
}

/// Opens every file of the folders as whatever it is, and asks it for thousands of addresses. What comes out
/// is free, as long as something does.
#[test]
fn no_database_however_broken_brings_us_down() {
    let Some(folder) = captures() else {
        eprintln!("SKIPPED: MaxMind's bad databases are not there");
        return;
    };
    let (mut opened, mut refused, mut damaged) = (0, 0, 0);
    for part in ["maxmind_bad-data", "maxmind_test-data", "ipinfo_samples"] {
        for file in fs::read_dir(folder.join(part)).expect("a folder").flatten() {
            let path = file.path();
            let search =
                SearchPath { city: vec![path.clone()], asn: vec![path.clone()], ..SearchPath::default() };
            for wanted in [Wanted::PLACE, Wanted::ASN] {
                let Ok(mut geo) = Geo::open(&search, wanted) else {
                    refused += 1;
                    continue;
                };
                opened += 1;
                for high in 0..=255_u8 {
                    for low in [0, 1, 2, 4, 8, 16, 32, 64, 128, 255] {
                        geo.lookup(IpAddr::from([high, low, low, low]));
                        geo.lookup(
                            Ipv6Addr::new(0x2000 + u16::from(high), u16::from(low), 0, 0, 0, 0, 0, 1).into(),
                        );
                        geo.lookup(
                            Ipv6Addr::new(u16::from(high) << 8, u16::from(low), 0, 0, 0, 0, 0, 1).into(),
                        );
                    }
                }
                assert_eq!(geo.describe().len(), 1);
                damaged += usize::from(geo.damaged() > 0);
            }
        }
    }
    assert!(opened > 20 && refused > 40, "{opened} {refused} {damaged}");
}
