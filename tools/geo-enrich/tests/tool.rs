//! The tool as a user runs it, on databases made here.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use maxminddb_writer::Database;
use maxminddb_writer::metadata::IpVersion;
use maxminddb_writer::paths::IpAddrWithMask;
use serde::Serialize;
use serde_json::Value;
use tempfile::TempDir;

#[derive(Serialize)]
struct City {
    city: &'static str,
    country_code: &'static str,
    latitude: f32,
    longitude: f32,
    state1: &'static str,
    timezone: &'static str,
}

#[derive(Serialize)]
struct Asn {
    autonomous_system_number: u32,
    autonomous_system_organization: &'static str,
}

/// 1 June 2024, 00:00 UTC.
const BUILT: u64 = 1_717_200_000;

fn database<T: Serialize>(path: &Path, records: &[(&str, T)]) {
    let mut database = Database::default();
    database.metadata.binary_format_major_version = 2;
    database.metadata.ip_version = IpVersion::V4;
    database.metadata.build_epoch = BUILT;
    for (network, record) in records {
        let stored = database.insert_value(record).expect("a record");
        database.insert_node(network.parse::<IpAddrWithMask>().expect("a network"), stored);
    }
    database.write_to(File::create(path).expect("a new file")).expect("a written database");
}

/// A folder with databases for two networks: one in London, one in the United States of which no more is
/// known.
fn databases() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let london = City {
        city: "London, \"City\" of",
        country_code: "GB",
        latitude: 51.5085,
        longitude: -0.12574,
        state1: "England",
        timezone: "",
    };
    let states =
        City { city: "", country_code: "US", latitude: 37.751, longitude: -97.822, state1: "", timezone: "" };
    database(&folder.path().join("city.mmdb"), &[("81.2.69.0/24", london), ("1.1.0.0/16", states)]);
    let operator =
        Asn { autonomous_system_number: 20_712, autonomous_system_organization: "Andrews, Arnold" };
    database(&folder.path().join("asn.mmdb"), &[("81.2.0.0/16", operator)]);
    fs::write(folder.path().join("ATTRIBUTION"), "city.mmdb: Places by someone, CC BY 4.0\n")
        .expect("written");
    folder
}

fn tool(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_geo-enrich"));
    command.args(arguments).env_clear().env("PROBELINE_GEO_DIR", folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = tool(folder, arguments).spawn().expect("a running tool");
    let mut stdin = child.stdin.take().expect("its input");
    let input = input.to_owned();
    let feed = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().expect("its output");
    feed.join().expect("all fed");
    output
}

/// Standard output of a run that ends with this code.
fn rows(code: i32, arguments: &[&str], input: &str) -> String {
    let folder = databases();
    let output = run(folder.path(), arguments, input);
    assert_eq!(output.status.code(), Some(code), "{}", errors(&output));
    String::from_utf8(output.stdout).expect("text")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// 2 June 2024, 22:59:59.5 UTC: 23 h in London, which keeps summer time.
const TS: &str = "1717369199.500000";

#[test]
fn adds_its_columns_and_touches_nothing_else() {
    let input = format!(
        "note,ts,src_ip,odd\n\"a, \"\"b\"\"\",{TS},81.2.69.1,  x \n\
         ,{TS},1.1.1.1,\nz,{TS},9.9.9.9,é\n,,2001:db8::1,1\n,{TS},,\n"
    );
    let added = "src_country,src_city,src_lat,src_lon,src_geo_level,src_tz,src_hour,src_asn,src_org";
    let london =
        "GB,\"London, \"\"City\"\" of\",51.5085,-0.12574,city,Europe/London,23,20712,\"Andrews, Arnold\"";
    let expected = format!(
        "note,ts,src_ip,odd,{added}\n\"a, \"\"b\"\"\",{TS},81.2.69.1,  x ,{london}\n\
         ,{TS},1.1.1.1,,US,,37.751,-97.822,country,,,,\nz,{TS},9.9.9.9,é,,,,,,,,,\n,,2001:db8::1,1,,,,,,,,,\n\
         ,{TS},,,,,,,,,,,\n"
    );
    let once = rows(0, &[], &input);
    assert_eq!(once, expected);
    assert_eq!(rows(0, &[], &once), once, "twice is once");
    let old = "src_org,src_ip,ts\nOld Name,81.2.69.1,1\n";
    assert_eq!(rows(0, &["--columns", "org"], old), "src_ip,ts,src_org\n81.2.69.1,1,\"Andrews, Arnold\"\n");
}

#[test]
fn chooses_columns_addresses_and_time() {
    let input = "start,src_ip,dst_ip\n1717369199,1.1.1.1,81.2.69.1\n";
    assert_eq!(
        rows(0, &["--columns", "asn,hour,country", "--address", "src_ip", "--address", "dst_ip"], input),
        "start,src_ip,dst_ip,src_asn,src_hour,src_country,dst_asn,dst_hour,dst_country\n\
         1717369199,1.1.1.1,81.2.69.1,,,US,20712,23,GB\n"
    );
    // Six months later London keeps Greenwich time.
    let input = "ts,seen,quoted_src_ip\n1,1733093999,::ffff:81.2.69.9\n";
    assert_eq!(
        rows(0, &["--columns", "hour", "--address", "quoted_src_ip", "--time", "seen"], input),
        "ts,seen,quoted_src_ip,quoted_src_hour\n1,1733093999,::ffff:81.2.69.9,22\n"
    );
}

#[test]
fn ndjson_stays_ndjson_and_formats_convert() {
    let input = format!("{{\"ts\":{TS},\"src_ip\":\"81.2.69.1\",\"deep\":[1, 2]}}\n{{\"src_ip\":null}}\n");
    let output = rows(0, &[], &input);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with(&format!("{{\"ts\":{TS},\"src_ip\":\"81.2.69.1\",\"deep\":[1, 2],")));
    let row: Value = serde_json::from_str(lines[0]).expect("an object");
    assert_eq!(row["src_lat"], 51.5085);
    assert_eq!(row["src_asn"], 20_712);
    assert_eq!(row["src_hour"], 23);
    assert_eq!(row["src_city"], "London, \"City\" of");
    let row: Value = serde_json::from_str(lines[1]).expect("an object");
    assert_eq!(row["src_country"], Value::Null);
    let csv = rows(0, &["--format", "csv", "--columns", "country,hour"], &input);
    assert_eq!(csv.lines().next(), Some("ts,src_ip,deep,src_country,src_hour"));
    assert!(csv.contains("\"[1, 2]\",GB,23\n"), "{csv}");
}

#[test]
fn what_cannot_be_done_is_said_with_exit_code_2() {
    let folder = databases();
    let cases: [(&[&str], &str, &str); 7] = [
        (&[], "ts,dst_ip\n1,1.1.1.1\n", "no column 'src_ip'"),
        (&["--columns", "asn,nope"], "src_ip\n", "'nope'"),
        (&["--columns", "hour"], "src_ip\n1.1.1.1\n", "--time"),
        (&["--address", "src_ip", "--address", "src_ip"], "src_ip\n1.1.1.1\n", "given twice"),
        (&["--asn-db", "/nonexistent.mmdb"], "src_ip\n1.1.1.1\n", "/nonexistent.mmdb"),
        (&["--city-db", "asn.mmdb"], "src_ip\n1.1.1.1\n", "no country or city in its records"),
        (&["/nonexistent.csv"], "", "/nonexistent.csv"),
    ];
    for (arguments, input, part) in cases {
        let mut command = tool(folder.path(), arguments);
        command.current_dir(folder.path());
        let mut child = command.spawn().expect("a running tool");
        drop(child.stdin.take().expect("its input").write_all(input.as_bytes()));
        let output = child.wait_with_output().expect("its output");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(errors(&output).contains(part), "{arguments:?}: {}", errors(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    let empty = tempfile::tempdir().expect("a folder");
    let output = run(empty.path(), &[], "src_ip\n1.1.1.1\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("make geo"), "{}", errors(&output));
}

#[test]
fn damaged_rows_are_counted_and_the_rest_is_done() {
    let input = format!("ts,src_ip\n{TS},81.2.69.1\n{TS}\n{TS},no-address\nnoon,81.2.69.1\n{TS},9.9.9.9\n");
    let folder = databases();
    let account = folder.path().join("account.json");
    let account_option = account.to_str().expect("a name of text");
    let output = run(folder.path(), &["--columns", "hour,asn", "--account", account_option], &input);
    let account: Value = serde_json::from_slice(&fs::read(account).expect("an account")).expect("an object");
    assert_eq!((&account["read"], &account["skipped"]["malformed"]), (&Value::from(5), &Value::from(1)));
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        text,
        format!(
            "ts,src_ip,src_hour,src_asn\n{TS},81.2.69.1,23,20712\n{TS},no-address,,\nnoon,81.2.69.1,,20712\n\
             {TS},9.9.9.9,,\n"
        )
    );
    let errors = errors(&output);
    for part in ["line 3", "line 4", "'no-address'", "line 5", "'noon'"] {
        assert!(errors.contains(part), "{errors}");
    }
    assert!(
        errors.ends_with("5 rows read = 4 rows + 1 skipped (1 malformed); 1 addresses in no database\n"),
        "{errors}"
    );
}

#[test]
fn nothing_in_nothing_out() {
    assert_eq!(rows(0, &[], ""), "");
    assert_eq!(rows(0, &["--columns", "asn"], "src_ip,ts\n"), "src_ip,ts,src_asn\n");
}

#[test]
fn a_reader_that_leaves_is_success() {
    let folder = databases();
    let row = format!("{TS},81.2.69.1\n");
    let input = format!("ts,src_ip\n{}", row.repeat(200_000));
    let mut child = tool(folder.path(), &[]).spawn().expect("a running tool");
    let mut stdin = child.stdin.take().expect("its input");
    let feed = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let mut stdout = child.stdout.take().expect("its output");
    let mut head = [0; 10];
    stdout.read_exact(&mut head).expect("a first row");
    drop(stdout);
    let output = child.wait_with_output().expect("its end");
    feed.join().expect("all fed or refused");
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    for listing in ["--list-fields", "--list-databases", "--help"] {
        let mut child = tool(folder.path(), &[listing]).spawn().expect("a running tool");
        drop(child.stdout.take());
        assert_eq!(child.wait().expect("its end").code(), Some(0), "{listing}");
    }
}

#[test]
fn rows_come_out_before_the_input_ends() {
    let folder = databases();
    let mut child = tool(folder.path(), &["--columns", "asn"]).spawn().expect("a running tool");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(b"src_ip\n81.2.69.1\n").expect("fed");
    let mut seen = [0; 31];
    child.stdout.as_mut().expect("its output").read_exact(&mut seen).expect("a row while the input is open");
    assert_eq!(&seen, b"src_ip,src_asn\n81.2.69.1,20712\n");
    drop(stdin);
    assert_eq!(child.wait().expect("its end").code(), Some(0));
}

#[test]
fn lists_databases_and_fields() {
    let databases = rows(0, &["--list-databases"], "");
    let lines: Vec<&str> = databases.lines().collect();
    assert_eq!(lines[0], "file,layout,stated_type,addresses,built,licence");
    assert!(lines[1].contains("asn.mmdb,ASN,,IPv4,2024-06-01,"), "{databases}");
    assert!(lines[2].contains("city.mmdb,flat city,,IPv4,2024-06-01,\"Places by someone, CC BY 4.0\""));
    assert!(lines[3].contains("OpenStreetMap"));
    let fields = rows(0, &["--list-fields"], "");
    assert_eq!(fields.lines().count(), 11);
    assert!(fields.contains("\nsrc_tz,") && fields.contains("\nsrc_known,"));
}

#[test]
fn lists_name_the_networks_an_address_is_in() {
    let folder = databases();
    let lists = folder.path().join("lists");
    fs::create_dir_all(lists.join("some-scanners")).expect("a folder");
    // The layout of MISP's repository: a folder for each list, in it list.json with more keys than are of use here.
    let misp = "{\"name\":\"Some; scanners\",\"version\":20260101,\"type\":\"cidr\",\"description\":\"\",\
                \"list\":[\"81.2.69.0/24\",\"2001:db8::/32\",\"scanner.example\"],\"matching_attributes\":[\"ip-src\"]}";
    fs::write(lists.join("some-scanners/list.json"), misp).expect("written");
    fs::write(lists.join("mine.txt"), "# mine\n81.2.69.7 # one\n; old\n81.2.0.0-81.3.255.255\n")
        .expect("written");
    fs::write(lists.join("README.md"), "81.2.69.9\n").expect("written");
    let path = lists.to_str().expect("text");
    let input = "src_ip,dst_ip\n81.2.69.7,81.2.69.8\n81.3.0.1,2001:db8::1\n9.9.9.9,\n";
    let output = run(folder.path(), &["--lists", path, "--columns", "asn"], input);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "src_ip,dst_ip,src_asn,src_known\n81.2.69.7,81.2.69.8,20712,\"mine;Some, scanners\"\n\
         81.3.0.1,2001:db8::1,,mine\n9.9.9.9,,,\n"
    );
    assert!(
        errors(&output).contains("list.json: 2 networks read, 1 entries passed over"),
        "{}",
        errors(&output)
    );
    // Alone it needs no database; it stands where it is put.
    let nowhere = tempfile::tempdir().expect("a folder");
    let arguments = ["--lists", path, "--columns", "known", "--address", "dst_ip"];
    let output = run(nowhere.path(), &arguments, input);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "src_ip,dst_ip,dst_known\n81.2.69.7,81.2.69.8,\"Some, scanners;mine\"\n81.3.0.1,2001:db8::1,\"Some, scanners\"\n\
         9.9.9.9,,\n"
    );
    let listed = run(folder.path(), &["--lists", path, "--list-databases"], "");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("mine.txt,list of 2 networks,mine,IPv4,,"), "{listed}");
    assert!(listed.contains("list.json,list of 2 networks,\"Some, scanners\",IPv4 and IPv6,,"), "{listed}");
    for (arguments, part) in [
        (vec!["--columns", "known"], "--lists"),
        (vec!["--lists", "/nonexistent"], "/nonexistent"),
        (
            vec![
                "--lists",
                folder.path().join("lists/mine.txt").to_str().expect("text"),
                "--columns",
                "nothing",
            ],
            "known",
        ),
    ] {
        let output = run(folder.path(), &arguments, input);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(errors(&output).contains(part), "{arguments:?}: {}", errors(&output));
    }
    fs::write(lists.join("broken.json"), "{\"name\":\"x\",\"list\":[").expect("written");
    let output = run(folder.path(), &["--lists", path], input);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("broken.json: no MISP warning list: EOF"), "{}", errors(&output));
}

#[test]
fn old_databases_are_warned_of_once_each() {
    let folder = databases();
    // 2 June 2024 is a day from the databases; 1 January 2015 is not.
    let near = run(folder.path(), &[], &format!("ts,src_ip\n{TS},1.1.1.1\n"));
    assert!(!errors(&near).contains("warning"), "{}", errors(&near));
    for input in [
        "ts,src_ip\n1420070400.0,1.1.1.1\n1420070401.0,1.1.1.1\n".to_owned(),
        format!("ts,src_ip\n{TS},1.1.1.1\n1420070401.0,1.1.1.1\n"),
    ] {
        let far = run(folder.path(), &[], &input);
        assert_eq!(far.status.code(), Some(0));
        let warnings: Vec<String> =
            errors(&far).lines().filter(|line| line.contains("warning")).map(str::to_owned).collect();
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(
            warnings[0].contains("asn.mmdb was built on 2024-06-01, 9 years from rows here"),
            "{warnings:?}"
        );
    }
}
