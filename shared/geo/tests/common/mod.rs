//! Databases made for the tests, in the layouts that are met in the field.

use std::fs::File;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use maxminddb_writer::Database;
use maxminddb_writer::metadata::IpVersion;
use maxminddb_writer::paths::IpAddrWithMask;
use serde::Serialize;

/// The record of the ip-location-db city packages: flat, single precision, empty text for what is not known.
#[derive(Serialize, Clone, Copy, Default)]
pub(crate) struct FlatCity {
    pub(crate) city: &'static str,
    pub(crate) country_code: &'static str,
    pub(crate) latitude: f32,
    pub(crate) longitude: f32,
    pub(crate) postcode: &'static str,
    pub(crate) state1: &'static str,
    pub(crate) state2: &'static str,
    pub(crate) timezone: &'static str,
}

#[derive(Serialize, Clone, Default)]
pub(crate) struct NestedCity {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) city: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<Coded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) registered_country: Option<Coded>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) subdivisions: Vec<Coded>,
}

#[derive(Serialize, Clone)]
pub(crate) struct Named {
    pub(crate) geoname_id: u32,
    pub(crate) names: Names,
}

#[derive(Serialize, Clone)]
pub(crate) struct Names {
    pub(crate) de: &'static str,
    pub(crate) en: &'static str,
}

#[derive(Serialize, Clone)]
pub(crate) struct Coded {
    pub(crate) iso_code: &'static str,
}

#[derive(Serialize, Clone)]
pub(crate) struct Location {
    pub(crate) accuracy_radius: u16,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    pub(crate) time_zone: &'static str,
}

#[derive(Serialize, Clone, Copy)]
pub(crate) struct Asn {
    pub(crate) autonomous_system_number: u32,
    pub(crate) autonomous_system_organization: &'static str,
}

pub(crate) fn named(en: &'static str) -> Option<Named> {
    Some(Named { geoname_id: 1, names: Names { de: "anders", en } })
}

pub(crate) fn coded(iso_code: &'static str) -> Option<Coded> {
    Some(Coded { iso_code })
}

pub(crate) fn location(latitude: f64, longitude: f64, time_zone: &'static str) -> Option<Location> {
    Some(Location { accuracy_radius: 20, latitude, longitude, time_zone })
}

/// Writes a database of networks (`1.2.3.0/24`) with their records. IPv4 networks of an IPv6 tree go below
/// ::/96.
pub(crate) fn write<T: Serialize>(
    folder: &Path,
    name: &str,
    version: IpVersion,
    records: &[(&str, T)],
) -> PathBuf {
    let mut database = Database::default();
    database.metadata.binary_format_major_version = 2;
    database.metadata.ip_version = version;
    database.metadata.database_type = "made for a test".to_owned();
    database.metadata.build_epoch = 1_700_000_000;
    for (network, record) in records {
        let stored = database.insert_value(record).expect("a record that can be stored");
        let mut network: IpAddrWithMask = network.parse().expect("a network");
        if let (IpVersion::V6, IpAddr::V4(v4)) = (version, network.addr) {
            network = IpAddrWithMask::new(v4.to_ipv6_compatible().into(), network.mask + 96);
        }
        database.insert_node(network, stored);
    }
    let path = folder.join(name);
    database.write_to(File::create(&path).expect("a new file")).expect("a written database");
    path
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}
