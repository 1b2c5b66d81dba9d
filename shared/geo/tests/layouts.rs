//! Every layout, and several databases together.

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use common::{Asn, FlatCity, NestedCity, coded, ip, location, named, write};
use maxminddb_writer::metadata::IpVersion;
use probeline_geo::{ATTRIBUTION_FILE, Error, Geo, Level, Place, SearchPath, Wanted};

const LONDON: FlatCity = FlatCity {
    city: "London",
    country_code: "GB",
    latitude: 51.5085,
    longitude: -0.12574,
    postcode: "",
    state1: "England",
    state2: "",
    timezone: "",
};

fn places(files: &[PathBuf]) -> Geo {
    let search = SearchPath { city: files.to_vec(), ..SearchPath::default() };
    Geo::open(&search, Wanted::PLACE).expect("databases that open")
}

fn cells(place: &Place) -> [Option<&str>; 6] {
    [place.country(), place.city(), place.lat(), place.lon(), place.level().map(Level::word), place.tz()]
}

#[test]
fn flat_city_in_two_files_one_family_each() {
    let folder = tempfile::tempdir().unwrap();
    let kyoto =
        FlatCity { city: "Kyoto", country_code: "JP", latitude: 35.0211, longitude: 135.7538, ..LONDON };
    let v4 = write(folder.path(), "v4.mmdb", IpVersion::V4, &[("81.2.69.0/24", LONDON)]);
    let v6 = write(folder.path(), "v6.mmdb", IpVersion::V6, &[("2001:db8::/32", kyoto)]);
    let mut geo = places(&[v4, v6]);
    let london =
        [Some("GB"), Some("London"), Some("51.5085"), Some("-0.12574"), Some("city"), Some("Europe/London")];
    assert_eq!(cells(geo.lookup(ip("81.2.69.142"))), london);
    assert_eq!(cells(geo.lookup(ip("::ffff:81.2.69.142"))), london, "an IPv4-mapped address");
    let kyoto = geo.lookup(ip("2001:db8::1"));
    assert_eq!((kyoto.city(), kyoto.tz()), (Some("Kyoto"), Some("Asia/Tokyo")));
    assert_eq!(cells(geo.lookup(ip("81.2.70.1"))), [None; 6]);
    assert_eq!(cells(geo.lookup(ip("2001:db9::1"))), [None; 6]);
    let families: Vec<_> = geo.describe().iter().map(|database| database.families).collect();
    assert_eq!(families, ["IPv4", "IPv6"]);
    assert_eq!(geo.describe()[0].layout, "flat city");
    assert_eq!(geo.describe()[0].built_day().as_deref(), Some("2023-11-14"));
}

#[test]
fn empty_text_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let country = FlatCity { city: "", state1: "", ..LONDON };
    let region = FlatCity { city: "", country_code: "US", latitude: 47.6, longitude: -122.3, ..LONDON };
    let nothing = FlatCity { city: "", state1: "", country_code: "", ..LONDON };
    let records = [("1.0.0.0/24", country), ("1.0.1.0/24", region), ("1.0.2.0/24", nothing)];
    let mut geo = places(&[write(folder.path(), "a.mmdb", IpVersion::V4, &records)]);
    let country = geo.lookup(ip("1.0.0.1"));
    assert_eq!(
        (country.city(), country.level(), country.tz()),
        (None, Some(Level::Country), Some("Europe/London"))
    );
    let region = geo.lookup(ip("1.0.1.1"));
    assert_eq!((region.level(), region.tz()), (Some(Level::Region), Some("America/Los_Angeles")));
    let nothing = geo.lookup(ip("1.0.2.1"));
    assert_eq!((nothing.country(), nothing.level(), nothing.tz()), (None, None, None));
}

#[test]
fn nested_city_and_the_kansas_trap() {
    let folder = tempfile::tempdir().unwrap();
    let denver = NestedCity {
        city: named("Denver"),
        country: coded("US"),
        location: location(39.7388, -104.9868, "America/Denver"),
        registered_country: None,
        subdivisions: coded("CO").into_iter().collect(),
    };
    let kansas = NestedCity {
        country: coded("US"),
        location: location(37.751, -97.822, "America/Chicago"),
        ..NestedCity::default()
    };
    let hawaii = NestedCity {
        location: location(20.7503, -156.5003, "America/Chicago"),
        subdivisions: coded("HI").into_iter().collect(),
        ..kansas.clone()
    };
    let registered = NestedCity { registered_country: coded("RU"), ..NestedCity::default() };
    let records =
        [("1.0.0.0/24", denver), ("1.0.1.0/24", kansas), ("1.0.2.0/24", hawaii), ("1.0.3.0/24", registered)];
    let mut geo = places(&[write(folder.path(), "a.mmdb", IpVersion::V6, &records)]);
    let denver = geo.lookup(ip("1.0.0.1"));
    assert_eq!(
        cells(denver),
        [
            Some("US"),
            Some("Denver"),
            Some("39.7388"),
            Some("-104.9868"),
            Some("city"),
            Some("America/Denver")
        ]
    );
    // 2 July 2024 18:30:00 UTC; Colorado keeps daylight saving time in July, six hours behind.
    assert_eq!(denver.hour(1_719_945_000), Some(12));
    let kansas = geo.lookup(ip("1.0.1.1"));
    assert_eq!(
        cells(kansas),
        [Some("US"), None, Some("37.751"), Some("-97.822"), Some("country"), None],
        "the centre of the country tells no zone"
    );
    assert_eq!(kansas.hour(1_719_945_000), None);
    assert_eq!(geo.lookup(ip("1.0.2.1")).tz(), Some("Pacific/Honolulu"), "by coordinate at region level");
    assert_eq!(geo.lookup(ip("1.0.3.1")).country(), None, "where it is registered is not where it is");
    assert_eq!(geo.describe()[0].layout, "nested city");
    assert_eq!(geo.describe()[0].families, "IPv4 and IPv6");
}

#[test]
fn the_finest_record_wins_whole_and_gaps_are_filled_only_for_the_same_place() {
    let folder = tempfile::tempdir().unwrap();
    let country = write(
        folder.path(),
        "country.mmdb",
        IpVersion::V4,
        &[("1.0.0.0/8", FlatCity { city: "", state1: "", ..LONDON })],
    );
    let leeds = NestedCity { city: named("Leeds"), country: coded("GB"), ..NestedCity::default() };
    let city = write(folder.path(), "city.mmdb", IpVersion::V4, &[("1.0.0.0/24", leeds)]);
    let mut geo = places(&[country, city]);
    let fine = geo.lookup(ip("1.0.0.1"));
    assert_eq!((fine.city(), fine.lat()), (Some("Leeds"), None), "London's coordinate is not that of Leeds");
    assert_eq!(fine.tz(), Some("Europe/London"), "the country has one zone");
    assert_eq!(geo.lookup(ip("1.0.1.1")).lat(), Some("51.5085"));
}

#[test]
fn as_numbers_from_a_table_for_an_old_capture() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("routeviews-rv2-20150101-1200.pfx2as.gz");
    let mut packed =
        flate2::write::GzEncoder::new(fs::File::create(&old).unwrap(), flate2::Compression::fast());
    packed.write_all(b"1.0.0.0\t24\t15169_13335\n1.0.4.0\t22\t56203\n").unwrap();
    packed.finish().unwrap();
    let asn = |number, name| Asn { autonomous_system_number: number, autonomous_system_organization: name };
    let now = [
        ("1.0.0.0/24", asn(13_335, "Cloudflare")),
        ("1.0.4.0/22", asn(56_203, "Gtelecom")),
        ("9.0.0.0/8", asn(9, "Nine")),
    ];
    let now = write(folder.path(), "now.mmdb", IpVersion::V6, &now);
    let search = SearchPath { asn: vec![old, now], ..SearchPath::default() };
    let mut geo = Geo::open(&search, Wanted::ASN).unwrap();
    assert_eq!(geo.asn(ip("1.0.0.9")), Some((15_169, None)), "today's name is not that of another number");
    assert_eq!(geo.asn(ip("1.0.7.9")), Some((56_203, Some("Gtelecom"))));
    assert_eq!(geo.asn(ip("9.9.9.9")), Some((9, Some("Nine"))));
    assert_eq!(geo.asn(ip("10.9.9.9")), None);
    let described = geo.describe();
    assert_eq!(described[0].layout, "prefix to AS");
    assert_eq!(described[0].built_day().as_deref(), Some("2015-01-01"));
}

fn make_folder(parent: &Path, name: &str) -> PathBuf {
    let folder = parent.join(name);
    fs::create_dir(&folder).expect("a new folder");
    folder
}

#[test]
fn each_kind_comes_from_the_first_folder_that_has_it() {
    let parent = tempfile::tempdir().unwrap();
    let (first, second) = (make_folder(parent.path(), "first"), make_folder(parent.path(), "second"));
    let numbered = Asn { autonomous_system_number: 7, autonomous_system_organization: "" };
    write(&first, "whose.mmdb", IpVersion::V4, &[("1.0.0.0/8", numbered)]);
    write(
        &second,
        "whose.mmdb",
        IpVersion::V4,
        &[("1.0.0.0/8", Asn { autonomous_system_number: 8, ..numbered })],
    );
    write(&second, "where.mmdb", IpVersion::V4, &[("1.0.0.0/8", LONDON)]);
    write(
        &second,
        "anonymous.mmdb",
        IpVersion::V4,
        &[(
            "1.0.0.0/8",
            [("is_tor_exit_node", true)].into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        )],
    );
    fs::write(second.join(ATTRIBUTION_FILE), "# comment\nwhere.mmdb: by someone, CC BY 4.0\n").unwrap();
    fs::write(second.join("notes.txt"), "not a database").unwrap();
    let folders = vec![parent.path().join("absent"), first, second];
    let search = SearchPath { folders: folders.clone(), ..SearchPath::default() };
    let mut geo = Geo::open(&search, Wanted::ALL).unwrap();
    let place = geo.lookup(ip("1.2.3.4"));
    assert_eq!((place.asn(), place.org(), place.city()), (Some(7), None, Some("London")));
    let described = geo.describe();
    assert_eq!(described.len(), 2, "{described:?}");
    let licences: Vec<_> = described.iter().filter_map(|database| database.licence.as_deref()).collect();
    assert_eq!(licences, ["by someone, CC BY 4.0"]);

    let search = SearchPath { folders: folders[..2].to_vec(), ..SearchPath::default() };
    let message = Geo::open(&search, Wanted::ALL).err().expect("no place database").to_string();
    assert!(
        message.contains("make geo") && message.contains("country or city") && message.contains("absent")
    );
    assert!(Geo::open(&search, Wanted::ASN).is_ok());
}

#[test]
fn a_named_database_must_tell_what_it_is_named_for() {
    let folder = tempfile::tempdir().unwrap();
    let place = write(folder.path(), "where.mmdb", IpVersion::V4, &[("1.0.0.0/8", LONDON)]);
    let search = SearchPath { asn: vec![place], ..SearchPath::default() };
    assert!(matches!(Geo::open(&search, Wanted::ASN), Err(Error::Lacks { .. })));
    let search = SearchPath { asn: vec![folder.path().join("gone.mmdb")], ..SearchPath::default() };
    assert!(matches!(Geo::open(&search, Wanted::ASN), Err(Error::Io { .. })));
    for (name, content) in [("empty", &b""[..]), ("zeros", &[0; 600]), ("marker", b"\xab\xcd\xefMaxMind.com")]
    {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let search = SearchPath { asn: vec![path], ..SearchPath::default() };
        assert!(matches!(Geo::open(&search, Wanted::ASN), Err(Error::Format { .. })), "{name}");
    }
}

#[test]
fn forgetting_changes_no_answer() {
    // More distinct answers than are kept at a time.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.pfx2as");
    let network = |index: u32| std::net::Ipv4Addr::from_bits(0x0b00_0000 + (index << 8));
    let lines: String =
        (0..300_000).map(|index| format!("{}\t24\t{}\n", network(index), index + 1)).collect();
    fs::write(&path, lines).unwrap();
    let search = SearchPath { asn: vec![path], ..SearchPath::default() };
    let mut geo = Geo::open(&search, Wanted::ASN).unwrap();
    let first = geo.place_id(network(0).into());
    for round in 0..2 {
        for index in 0..300_000 {
            let asn = geo.lookup(network(index).into()).asn();
            assert_eq!(asn, Some(index + 1), "round {round}");
        }
    }
    assert!(geo.generation() >= 2);
    assert_eq!(geo.place(first).asn(), None, "a name from before the forgetting names nothing");
    let mut sibling = geo.sibling();
    assert_eq!(sibling.lookup(network(5).into()).asn(), Some(6));
}
