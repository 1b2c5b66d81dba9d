//! The tool through its front door, held against counts made with the csv crate, awk and plain sorting.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{Read, Write};
use std::process::{Command, Stdio};

struct Ran {
    out: String,
    err: String,
    code: i32,
}

fn hist(args: &[&str], input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hist"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env_remove("NO_COLOR")
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    Ran {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().unwrap(),
    }
}

fn good(args: &[&str], input: &[u8]) -> String {
    let ran = hist(args, input);
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
    ran.out
}

fn rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// Numbers that look random and are the same everywhere (the generator of Numerical Recipes).
struct Noise(u32);

impl Noise {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((u64::from(self.0) * u64::from(limit)) >> 32) as u32
    }
}

struct Probe {
    ts: String,
    src: String,
    proto: &'static str,
    port: String,
    bytes: u32,
    org: String,
}

/// A few thousand rows with ties, absent cells, quotes, line breaks and letters beyond ASCII.
fn probes() -> Vec<Probe> {
    let mut noise = Noise(7);
    let orgs = ["Alpha, Inc.", "Be \"quoted\"", "two\nlines", "Zürich", "", "plain", "(other)"];
    (0..4000)
        .map(|i| {
            let proto = ["tcp", "tcp", "tcp", "udp", "icmp"][noise.below(5) as usize];
            let port = noise.below(40) * noise.below(40) * 17 % 3000;
            Probe {
                ts: format!("{}.{:06}", 1_500_000_000 + i * 7 + noise.below(5), noise.below(1_000_000)),
                src: format!("192.0.2.{}", noise.below(20) * noise.below(10)),
                proto,
                port: if proto == "icmp" { String::new() } else { port.to_string() },
                bytes: 40 + noise.below(3) * 12,
                org: orgs[noise.below(7) as usize].to_owned(),
            }
        })
        .collect()
}

fn as_csv(probes: &[Probe]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["ts", "src_ip", "proto", "dst_port", "bytes", "src_org"]).unwrap();
    for p in probes {
        writer.write_record([&p.ts, &p.src, p.proto, &p.port, &p.bytes.to_string(), &p.org]).unwrap();
    }
    writer.into_inner().unwrap()
}

fn as_ndjson(probes: &[Probe]) -> Vec<u8> {
    let mut out = Vec::new();
    for p in probes {
        let port: serde_json::Value = p.port.parse::<u32>().map_or(serde_json::Value::Null, Into::into);
        let org: serde_json::Value =
            if p.org.is_empty() { serde_json::Value::Null } else { p.org.clone().into() };
        let row = format!(
            "{{\"ts\":{},\"src_ip\":\"{}\",\"proto\":\"{}\",\"dst_port\":{port},\"bytes\":{},\"src_org\":{org}}}\n",
            p.ts, p.src, p.proto, p.bytes
        );
        out.extend_from_slice(row.as_bytes());
    }
    out
}

/// Counts by text, the largest first, equal ones by number, else by text (the labels here are either).
fn ranked(labels: impl Iterator<Item = (String, u64)>) -> Vec<(String, u64)> {
    let mut counts: HashMap<String, u64> = HashMap::new();
    for (label, amount) in labels {
        *counts.entry(label).or_default() += amount;
    }
    let mut list: Vec<_> = counts.into_iter().collect();
    list.sort_by(|a, b| {
        let number = |text: &str| text.parse::<u64>().unwrap_or(u64::MAX);
        b.1.cmp(&a.1).then_with(|| number(&a.0).cmp(&number(&b.0))).then_with(|| a.0.cmp(&b.0))
    });
    list
}

fn share(part: u64, whole: u64) -> String {
    // Six decimals, half up, from a route that is not the tool's: millionths doubled.
    let twice = 2_000_000u128 * u128::from(part) / u128::from(whole);
    let millionths = twice.div_ceil(2);
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}

/// The rows that `hist COLUMN` should write: values by rank, then the absent one.
fn expected(column: &str, list: &[(String, u64)]) -> Vec<Vec<String>> {
    let total: u64 = list.iter().map(|(_, count)| count).sum();
    let mut want = vec![[column, "count", "share", "cumulative"].map(str::to_owned).to_vec()];
    let mut sum = 0;
    let present = list.iter().filter(|(label, _)| !label.is_empty());
    for (label, count) in present.chain(list.iter().filter(|(label, _)| label.is_empty())) {
        sum += count;
        want.push(vec![label.clone(), count.to_string(), share(*count, total), share(sum, total)]);
    }
    want
}

#[test]
fn counts_ranks_and_shares_are_those_of_the_csv_crate() {
    let probes = probes();
    let input = as_csv(&probes);
    let mut reader = csv::Reader::from_reader(&input[..]);
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    for (at, column) in [(1, "src_ip"), (3, "dst_port"), (5, "src_org")] {
        let mut want = expected(column, &ranked(records.iter().map(|row| (row[at].to_owned(), 1))));
        let found = rows(&good(&[column], &input));
        if column == "src_ip" {
            // Text order is not that of addresses: compare equal counts as sets.
            let sets = |rows: &[Vec<String>]| {
                let mut sets: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
                for row in &rows[1..] {
                    sets.entry(row[1].clone()).or_default().insert(row[0].clone());
                }
                sets
            };
            assert_eq!(sets(&found), sets(&want));
            for rows in [&mut want.clone(), &mut found.clone()] {
                rows.iter_mut().for_each(|row| row[0].clear());
            }
            want.iter_mut().for_each(|row| row[0].clear());
            let blank: Vec<Vec<String>> =
                found.iter().map(|row| [vec![String::new()], row[1..].to_vec()].concat()).collect();
            assert_eq!(blank, want);
        } else {
            assert_eq!(found, want);
        }
    }
}

#[test]
fn equal_counts_follow_the_value() {
    let input = b"a\n10\n9\nb\nb10\nb9\n10.0.0.9\n10.0.0.10\n\n";
    // The last line is blank, which is no row.
    let found = rows(&good(&["a"], input));
    let labels: Vec<&str> = found[1..].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(labels, ["9", "10", "10.0.0.9", "10.0.0.10", "b", "b9", "b10"]);
}

#[test]
fn the_order_of_input_rows_changes_nothing() {
    let mut probes = probes();
    let there = as_csv(&probes);
    probes.reverse();
    let back = as_csv(&probes);
    for args in [
        &["dst_port"][..],
        &["dst_port", "--top", "5", "--by", "proto"],
        &["src_org", "--distinct", "src_ip"],
        &["ts", "--every", "10m", "--by", "src_org"],
        &["dst_port,proto", "--weight", "bytes"],
        &["bytes", "--ccdf"],
        &["dst_port", "--top", "8", "--format", "svg", "--by", "proto"],
    ] {
        assert_eq!(good(args, &there), good(args, &back), "{args:?}");
    }
}

#[test]
fn awk_finds_the_same_weighted_sums() {
    let input = as_csv(&probes().into_iter().map(|p| Probe { org: String::new(), ..p }).collect::<Vec<_>>());
    let mut awk = Command::new("awk")
        .args(["-F,", "NR>1 && $3==\"tcp\" {sum[$4]+=$5} END {for (port in sum) print port \",\" sum[port]}"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    awk.stdin.take().unwrap().write_all(&input).unwrap();
    let output = awk.wait_with_output().unwrap();
    let want: BTreeMap<String, String> = rows(std::str::from_utf8(&output.stdout).unwrap())
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let found = rows(&good(&["dst_port", "--weight", "bytes", "--where", "proto=tcp"], &input));
    let found: BTreeMap<String, String> =
        found[1..].iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    assert!(want.len() > 100);
    assert_eq!(found, want);
}

#[test]
fn top_folds_the_rest_and_nothing_is_lost() {
    let probes = probes();
    let list = ranked(probes.iter().map(|p| (p.port.clone(), 1)));
    let present: Vec<&(String, u64)> = list.iter().filter(|(label, _)| !label.is_empty()).collect();
    let found = rows(&good(&["dst_port", "--top", "4"], &as_csv(&probes)));
    let labels: Vec<&str> = found[1..].iter().map(|row| row[0].as_str()).collect();
    let mut want: Vec<&str> = present[..4].iter().map(|(label, _)| label.as_str()).collect();
    want.extend(["", "(other)"]);
    assert_eq!(labels, want);
    let rest: u64 = present[4..].iter().map(|(_, count)| count).sum();
    assert_eq!(found[6][1], rest.to_string());
    assert_eq!(found[6][3], "1.000000");
    // A value that is called like the fold keeps its own row.
    let found = rows(&good(&["src_org", "--top", "6", "--skip-absent"], &as_csv(&probes)));
    assert_eq!(found.iter().filter(|row| row[0] == "(other)").count(), 1);
}

#[test]
fn ndjson_and_csv_say_the_same() {
    let probes = probes();
    for args in [&["dst_port"][..], &["src_org", "--by", "proto"], &["bytes", "--bins", "width:10"]] {
        let csv = rows(&good(args, &as_csv(&probes)));
        let json = good(args, &as_ndjson(&probes));
        let mut lines = json.lines();
        for row in &csv[1..] {
            let value: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
            let object = value.as_object().unwrap();
            assert_eq!(object.len(), csv[0].len());
            for (name, cell) in csv[0].iter().zip(row) {
                match &object[name] {
                    serde_json::Value::Null => assert_eq!(cell, ""),
                    serde_json::Value::String(text) => assert_eq!(text, cell),
                    number => assert_eq!(number.as_f64(), cell.parse().ok(), "{name}"),
                }
            }
        }
        assert_eq!(lines.next(), None);
        // Keys stand in the order of the CSV's columns.
        let first = json.lines().next().unwrap();
        let places: Vec<usize> =
            csv[0].iter().map(|name| first.find(&format!("\"{name}\":")).unwrap()).collect();
        assert!(places.is_sorted(), "{first}");
        assert_eq!(
            good(&[args, &["--format", "csv"]].concat(), &as_ndjson(&probes)),
            good(args, &as_csv(&probes))
        );
    }
}

#[test]
fn log_bins_hold_what_lies_between_their_edges() {
    let probes = probes();
    let ports: Vec<u64> = probes.iter().filter_map(|p| p.port.parse().ok()).collect();
    let found = rows(&good(&["dst_port", "--bins", "log:2", "--skip-absent"], &as_csv(&probes)));
    let edges: Vec<(u64, u64)> =
        found[1..].iter().map(|row| (row[0].parse().unwrap(), row[1].parse().unwrap())).collect();
    assert_eq!(edges[0], (0, 1));
    assert!(edges[1..].iter().all(|(lo, hi)| lo.is_power_of_two() && *hi == 2 * lo), "{edges:?}");
    assert!(edges.windows(2).all(|pair| pair[0].1 == pair[1].0), "no gap: {edges:?}");
    for ((lo, hi), row) in edges.iter().zip(&found[1..]) {
        let want = ports.iter().filter(|port| (lo..hi).contains(port)).count();
        assert_eq!(row[2], want.to_string(), "{lo}..{hi}");
    }
    assert_eq!(found.last().unwrap()[4], "1.000000");
}

#[test]
fn linear_and_explicit_bins_hold_what_lies_between_their_edges() {
    let probes = probes();
    let ports: Vec<u64> = probes.iter().filter_map(|p| p.port.parse().ok()).collect();
    for (scheme, count) in [("linear:7", 7), ("edges:0,23,24,1024,2900", 5), ("width:500", 6)] {
        let found = rows(&good(&["dst_port", "--bins", scheme, "--skip-absent"], &as_csv(&probes)));
        assert_eq!(found.len() - 1, count, "{scheme}: {found:?}");
        let mut all = 0;
        for row in &found[1..] {
            let lo: u64 = row[0].parse().unwrap();
            let hi: u64 = if row[1].is_empty() { u64::MAX } else { row[1].parse().unwrap() };
            let want = ports.iter().filter(|port| (lo..hi).contains(port)).count();
            assert_eq!(row[2], want.to_string(), "{scheme} {lo}..{hi}");
            all += want;
        }
        assert_eq!(all, ports.len());
    }
}

#[test]
fn time_bins_are_whole_hours_and_quiet_ones_are_there() {
    let input = b"ts,proto\n7199.999999,tcp\n7200.000000,udp\n18000.5,tcp\n";
    let found = good(&["ts", "--every", "1h", "--by", "proto"], input);
    let want = "ts,tcp,udp,count,share,cumulative\n\
                3600,1,0,1,0.333333,0.333333\n\
                7200,0,1,1,0.333333,0.666667\n\
                10800,0,0,0,0.000000,0.666667\n\
                14400,0,0,0,0.000000,0.666667\n\
                18000,1,0,1,0.333333,1.000000\n";
    assert_eq!(found, want);
}

#[test]
fn hours_are_all_there() {
    // 1970-01-01 23:59:59.5 and the next day at 00:00.
    let found = rows(&good(&["ts", "--hour"], b"ts\n86399.5\n86400\n172799\n"));
    assert_eq!(found[0][0], "hour");
    let counts: Vec<(&str, &str)> = found[1..].iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    assert_eq!(counts.len(), 24);
    assert_eq!((counts[0], counts[23]), (("0", "1"), ("23", "2")));
    let ran = hist(&["src_hour", "--hour"], b"src_hour\n0\n5\n24\n\n5\n");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("line 4: column 'src_hour' is not an hour from 0 to 23: '24'"), "{}", ran.err);
    assert!(ran.out.contains("\n5,2,0.666667,1.000000\n"), "{}", ran.out);
}

#[test]
fn distinct_counts_each_value_once_and_cumulates_the_union() {
    let probes = probes();
    let found = rows(&good(&["proto", "--distinct", "src_ip", "--by", "bytes"], &as_csv(&probes)));
    let all: HashSet<&str> = probes.iter().map(|p| p.src.as_str()).collect();
    let mut seen: HashSet<&str> = HashSet::new();
    assert_eq!(found.len(), 4);
    for row in &found[1..] {
        let of: HashSet<&str> = probes.iter().filter(|p| p.proto == row[0]).map(|p| p.src.as_str()).collect();
        seen.extend(&of);
        for (name, cell) in found[0][1..4].iter().zip(&row[1..4]) {
            let in_series = probes.iter().filter(|p| p.proto == row[0] && p.bytes.to_string() == *name);
            let want: HashSet<&str> = in_series.map(|p| p.src.as_str()).collect();
            assert_eq!(*cell, want.len().to_string());
        }
        assert_eq!(row[4], of.len().to_string());
        assert_eq!(row[5], share(of.len() as u64, all.len() as u64));
        assert_eq!(row[6], share(seen.len() as u64, all.len() as u64));
    }
    // The fold counts each of its values once too.
    let found =
        rows(&good(&["dst_port", "--distinct", "src_ip", "--top", "1", "--skip-absent"], &as_csv(&probes)));
    let rest = probes.iter().filter(|p| !p.port.is_empty() && p.port != found[1][0]);
    let rest: HashSet<&str> = rest.map(|p| p.src.as_str()).collect();
    assert_eq!((found[2][0].as_str(), found[2][1].clone()), ("(other)", rest.len().to_string()));
}

#[test]
fn series_add_up_and_come_in_the_order_asked_for() {
    let input = as_csv(&probes());
    let found = rows(&good(&["dst_port", "--by", "proto"], &input));
    assert_eq!(found[0], ["dst_port", "tcp", "udp", "icmp", "count", "share", "cumulative"]);
    for row in &found[1..] {
        let sum: u64 = row[1..4].iter().map(|cell| cell.parse::<u64>().unwrap()).sum();
        assert_eq!(row[4], sum.to_string());
    }
    let chosen = hist(&["dst_port", "--by", "proto", "--series", "udp,sctp"], &input);
    assert!(chosen.out.starts_with("dst_port,udp,sctp,(other),count"), "{}", chosen.out);
    assert!(chosen.err.contains("2 series of proto are summed as (other)"), "{}", chosen.err);
    // A series that is called like a column of ours says where it comes from.
    let clash = good(&["a", "--by", "b"], b"a,b\n1,count\n2,\n");
    assert!(clash.starts_with("a,b=count,(absent),count,"), "{clash}");
}

#[test]
fn files_side_by_side_as_shares() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    // Columns are found by name in each file.
    let passive = file("passive.csv", "technique,n\nsyn,1\nsyn,2\nudp,3\nfin,4\n");
    let honeypot = file("honeypot.csv", "n,technique\n1,syn\n2,udp\n");
    let args = [
        "technique",
        "--by-file",
        "--shares",
        "--series",
        "passive,honeypot",
        passive.as_str(),
        honeypot.as_str(),
    ];
    let want = "technique,passive,honeypot,count,share,cumulative\n\
                syn,0.500000,0.500000,3,0.500000,0.500000\n\
                udp,0.250000,0.500000,2,0.333333,0.833333\n\
                fin,0.250000,0.000000,1,0.166667,1.000000\n";
    assert_eq!(good(&args, b""), want);
}

#[test]
fn quantiles_are_elements_of_the_sorted_list() {
    let probes = probes();
    let mut ports: Vec<u32> = probes.iter().filter_map(|p| p.port.parse().ok()).collect();
    ports.sort_unstable();
    let found = rows(&good(&["dst_port", "--quantiles", "0,0.25,0.5,0.999,1"], &as_csv(&probes)));
    assert_eq!(found[0], ["quantile", "dst_port"]);
    for row in &found[1..] {
        let per_mille = (row[0].parse::<f64>().unwrap() * 1000.0).round() as usize;
        let rank = (per_mille * ports.len()).div_ceil(1000).max(1);
        assert_eq!(row[1], ports[rank - 1].to_string(), "quantile {}", row[0]);
    }
}

#[test]
fn ccdf_is_one_minus_what_lies_below() {
    let probes = probes();
    let ports: Vec<u64> = probes.iter().filter_map(|p| p.port.parse().ok()).collect();
    let found = rows(&good(&["dst_port", "--ccdf"], &as_csv(&probes)));
    for row in &found[1..] {
        match row[0].parse::<u64>() {
            Ok(port) => {
                let at_least = ports.iter().filter(|&&p| p >= port).count() as u64;
                assert_eq!(row[4], share(at_least, ports.len() as u64));
            }
            Err(_) => assert_eq!((row[0].as_str(), row[4].as_str()), ("", "")),
        }
    }
}

#[test]
fn the_account_adds_up() {
    let input = b"a,w\n1,2\nx,1\n3,\n,1\n4,-1\nbroken\n5,zz\n6,1.5\n";
    let ran = hist(&["a", "--bins", "width:1", "--weight", "w", "--where", "a!=1"], input);
    assert_eq!(ran.code, 1);
    let last = ran.err.lines().last().unwrap();
    assert_eq!(
        last,
        "hist: 8 rows read = 2 counted + 6 skipped (1 malformed, 1 filtered out, 1 not a number, 1 no weight, \
         2 weight not a number from 0); 2 bins"
    );
    assert_eq!(ran.out, "lo,hi,count,share,cumulative\n6,7,1.5,0.600000,0.600000\n,,1,0.400000,1.000000\n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("account.json");
    good(&["a", "--account", file.to_str().unwrap()], b"a\n1\n2\n");
    let account: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!((account["read"].as_u64(), account["parts"]["counted"].as_u64()), (Some(2), Some(2)));
}

#[test]
fn absent_cells_are_a_row_and_are_reported() {
    let ran = hist(&["a"], b"a,b\n,1\n2,1\n,1\n");
    assert_eq!(ran.out, "a,count,share,cumulative\n2,1,0.333333,0.333333\n,2,0.666667,1.000000\n");
    assert!(ran.err.contains("2 rows have no a (an empty cell)"), "{}", ran.err);
    let ran = hist(&["a", "--skip-absent"], b"a,b\n,1\n2,1\n,1\n");
    assert_eq!(ran.out, "a,count,share,cumulative\n2,1,1.000000,1.000000\n");
    assert!(ran.err.contains("2 absent"), "{}", ran.err);
}

#[test]
fn too_many_values_spill_and_say_so() {
    let input: String =
        std::iter::once("a\n".to_owned()).chain((0..100).map(|i| format!("{}\n", i % 50))).collect();
    let ran = hist(&["a", "--max-values", "10"], input.as_bytes());
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("80 rows of values seen after the first 10 are in (other)"), "{}", ran.err);
    let found = rows(&ran.out);
    assert_eq!(found.last().unwrap()[..2], ["(other)".to_owned(), "80".to_owned()]);
    let ran = hist(&["a", "--max-values", "10", "--distinct", "a"], input.as_bytes());
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("raise --max-values"), "{}", ran.err);
}

#[test]
fn empty_and_header_only_input() {
    let header = "dst_port,count,share,cumulative\n";
    let ran = hist(&["dst_port"], b"");
    assert_eq!((ran.code, ran.out.as_str()), (0, header));
    assert!(ran.err.contains("empty input"), "{}", ran.err);
    let ran = hist(&["dst_port"], b"ts,dst_port\n");
    assert_eq!((ran.code, ran.out.as_str()), (0, header));
    for form in ["table", "bar", "md", "latex", "svg"] {
        for args in [&["dst_port"][..], &["dst_port", "--bins", "log:10"], &["dst_port", "--by", "ts"]] {
            let ran = hist(&[args, &["--format", form]].concat(), b"ts,dst_port\n");
            assert_eq!(ran.code, 0, "{form} {args:?}: {}", ran.err);
        }
    }
    assert_eq!(hist(&["dst_port", "--quantiles", "0.5"], b"dst_port\n").out, "quantile,dst_port\n0.5,\n");
}

#[test]
fn what_cannot_be_done_is_refused() {
    let rows = b"ts,src_ip,mine\n1,192.0.2.1,x\n";
    for (args, message) in [
        (&["src_asn"][..], "no column 'src_asn' in the input; geo-enrich adds it"),
        (&["nonsense"], "no column 'nonsense' in the input; its columns are ts, src_ip, mine"),
        (&["ts", "--by", "technique"], "no column 'technique' in the input; scan-classify adds it"),
        (&["ts", "--where", "tool=zmap"], "no column 'tool' in the input; fingerprint adds it"),
        (&["ts", "--bins", "log:1"], "a base is a whole number from 2"),
        (&["ts", "--where", "ts"], "write COLUMN=VALUE"),
        (&["ts", "--every", "1w"], "no unit of time"),
        (&["ts,src_ip", "--bins", "log:2"], "give one column"),
        (&["ts", "--quantiles", "2"], "between 0 and 1"),
        (&["ts", "--series", "a"], "--by COLUMN, which is not given"),
        (&["ts", "--by-file"], "--by-file wants files"),
        (&["ts", "--quantiles", "0.5", "--format", "svg"], "quantiles are not drawn"),
        (&["ts", "-o", "/dev/null/x.csv"], "/dev/null/x.csv"),
        (&["ts", "/nonexistent.csv"], "/nonexistent.csv"),
    ] {
        let ran = hist(args, rows);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(message), "{args:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{args:?}");
    }
    assert_eq!(hist(&[], b"").code, 2);
    let capture = hist(&["ts"], b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00........");
    assert_eq!(capture.code, 2);
    assert!(capture.err.contains("pkt2csv makes rows of it"), "{}", capture.err);
}

#[test]
fn a_reader_that_hangs_up_is_no_failure() {
    let input: String =
        std::iter::once("a\n".to_owned()).chain((0..200_000).map(|i| format!("{i}\n"))).collect();
    for args in [&["a"][..], &["a", "--format", "table"], &["--help"], &["--list-fields"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hist"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.clone();
        let feeder = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        if args.len() == 1 && args[0] == "a" {
            let mut first = [0; 10];
            out.read_exact(&mut first).unwrap();
            assert_eq!(&first, b"a,count,sh");
        }
        drop(out);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{args:?}");
        feeder.join().unwrap();
    }
}

#[test]
fn tables_and_bars_carry_no_escape_sequences() {
    let input = b"a,b\n\x1b[31mred,x\n\"two\nlines\",y\n<script>&,x\n";
    for form in ["table", "bar", "md", "latex", "svg"] {
        let out = good(&["a", "--by", "b", "--format", form], input);
        assert!(!out.contains('\x1b'), "{form}: {out}");
        if matches!(form, "md" | "svg") {
            let bare = out.replace("\\<script", "");
            assert!(!bare.contains("<script"), "{form}: {out}");
        }
    }
}

#[test]
fn figures_are_whole_xml_with_a_mark_per_row() {
    let input = as_csv(&probes());
    let folder = tempfile::tempdir().unwrap();
    let marks = |args: &[&str], element: &str| {
        let file = folder.path().join("figure.svg");
        let out = good(&[args, &["-o", file.to_str().unwrap()]].concat(), &input);
        assert_eq!(out, "", "{args:?} wrote to standard output");
        let text = std::fs::read_to_string(file).unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        let root = document.root_element();
        assert_eq!((root.tag_name().name(), root.attribute("role")), ("svg", Some("img")));
        for child in ["title", "desc"] {
            assert!(root.children().any(|node| node.has_tag_name(("http://www.w3.org/2000/svg", child))));
        }
        let titled = |node: &roxmltree::Node<'_, '_>| {
            node.tag_name().name() == element
                && node.children().any(|child| child.tag_name().name() == "title")
        };
        document.descendants().filter(titled).count()
    };
    assert_eq!(marks(&["dst_port", "--top", "10"], "rect"), 12);
    assert_eq!(marks(&["src_org", "--by", "proto", "--skip-absent"], "rect"), 6 * 3);
    // From 02:40 for 28,000 seconds.
    assert_eq!(marks(&["ts", "--hour", "--draw", "columns"], "rect"), 9);
    let bins = rows(&good(&["dst_port", "--bins", "log:2", "--skip-absent"], &input));
    let occupied = bins[1..].iter().filter(|row| row[2] != "0").count();
    assert_eq!(marks(&["dst_port", "--bins", "log:2", "--log", "y"], "rect"), occupied);
    let values = rows(&good(&["src_ip"], &input)).len() - 1;
    assert_eq!(marks(&["src_ip", "--draw", "bars"], "rect"), values);
    assert!(marks(&["dst_port", "--draw", "points", "--log", "xy"], "circle") > 50);
    assert_eq!(marks(&["bytes", "--ccdf", "--log", "xy", "--mark", "52=middle"], "circle"), 3);
    assert!(marks(&["ts", "--every", "10m", "--by", "proto"], "path") >= 3);
}

#[test]
fn list_fields_names_the_columns() {
    let found = rows(&good(&["dst_port", "--list-fields"], b""));
    assert_eq!(found[0], ["name", "type", "unit", "absent", "description"]);
    let names: Vec<&str> = found[1..].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(names, ["dst_port", "lo", "hi", "count", "share", "cumulative", "ccdf", "quantile"]);
}

/// What the help shows works as it stands there.
#[test]
fn examples_of_the_help_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = "ts,src_ip,proto,dst_port,bytes,src_country,src_hour,technique,ip_len\n".to_owned();
    for i in 0..60 {
        let (port, country) = (i % 7 * 11, ["CN", "US", "RU", "BR"][i % 4]);
        rows += &format!("{}.5,192.0.2.{},tcp,{port},40,{country},{},syn,44\n", i * 600, i % 9, i % 24);
    }
    for name in ["probes", "packets", "passive", "honeypot"] {
        std::fs::write(folder.path().join(name).with_extension("csv"), &rows).unwrap();
    }
    let help = good(&["--help"], b"");
    let examples: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("      hist ")).collect();
    assert!(examples.len() > 10, "{help}");
    let tool = std::path::Path::new(env!("CARGO_BIN_EXE_hist")).parent().unwrap();
    let path = format!("{}:{}", tool.display(), std::env::var("PATH").unwrap());
    let here =
        |name: &str| Command::new("sh").args(["-c", &format!("command -v {name}")]).output().unwrap().status;
    for example in examples {
        if example.contains("mlr") && !here("mlr").success() {
            eprintln!("skipped, mlr is not installed: hist {example}");
            continue;
        }
        let output = Command::new("bash")
            .args(["-o", "pipefail", "-c", &format!("hist {example}")])
            .current_dir(folder.path())
            .env("PATH", &path)
            .output()
            .unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "hist {example}: {err}");
        let drawn = example.split_once("-o ").map(|(_, rest)| rest.split(' ').next().unwrap());
        let written =
            drawn.map_or(output.stdout.len(), |file| std::fs::read(folder.path().join(file)).unwrap().len());
        assert!(written > 20, "hist {example}: {written} bytes");
    }
}

/// More than a piece of input, with quotes, line breaks, damaged rows and cells that are no numbers.
fn many_rows() -> Vec<u8> {
    let mut noise = Noise(11);
    let mut text = String::from("ts,src,proto,port,bytes,org\n");
    for i in 0..90_000 {
        let proto = ["tcp", "udp", "icmp"][noise.below(3) as usize];
        let org = ["\"Alpha, Inc.\"", "\"two\nlines\"", "", "plain"][noise.below(4) as usize];
        let port = if noise.below(5000) == 0 { "none".to_owned() } else { noise.below(3000).to_string() };
        let (src, bytes) = (noise.below(50_000), noise.below(1500));
        text += &format!("{}.5,s{src},{proto},{port},{bytes},{org}\n", 1_500_000_000 + i);
        if noise.below(4000) == 0 {
            text += "not,a,row\n";
        }
    }
    text.into_bytes()
}

#[test]
fn threads_change_nothing() {
    let input = many_rows();
    let asked: [&[&str]; 9] = [
        &["port"],
        &["src", "--top", "20", "--by", "proto"],
        &["proto,org", "--weight", "bytes"],
        &["proto", "--distinct", "src"],
        &["bytes", "--bins", "log:2", "--by", "org"],
        &["port", "--quantiles", "0.1,0.5,0.9", "--by", "proto"],
        &["ts", "--every", "1h"],
        // Not room for all: the first rows decide which values stay.
        &["src", "--max-values", "20000"],
        &["port", "--by", "src", "--max-values", "1000", "--format", "ndjson"],
    ];
    for args in asked {
        let with = |threads: &str| hist(&[args, &["--threads", threads]].concat(), &input);
        let one = with("1");
        assert!(one.code < 2 && one.out.lines().count() > 1, "{args:?}: {}", one.err);
        for threads in ["2", "5"] {
            let several = with(threads);
            assert_eq!(several.code, one.code, "{args:?}, {threads} threads");
            assert_eq!(several.err, one.err, "{args:?}, {threads} threads");
            assert!(several.out == one.out, "{args:?}, {threads} threads: another output");
        }
    }
    let full =
        |threads| hist(&["proto", "--distinct", "src", "--max-values", "9000", "--threads", threads], &input);
    let (one, two) = (full("1"), full("2"));
    assert_eq!((one.code, &one.err), (2, &two.err));
}

#[test]
fn several_forms_of_one_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let input = b"src_country\nDE\nSG\nSG\n\"\"\nQZ\n";
    let files = ["a.csv", "a.md", "a.svg", "a.png"].map(path);
    let outputs: Vec<&str> = files.iter().flat_map(|file| ["-o", file.as_str()]).collect();
    assert_eq!(good(&[&["src_country"], &outputs[..]].concat(), input), "");
    let read = |at: usize| std::fs::read(&files[at]).unwrap();
    assert_eq!(String::from_utf8(read(0)).unwrap(), good(&["src_country"], input));
    assert_eq!(String::from_utf8(read(1)).unwrap(), good(&["src_country", "--format", "md"], input));
    assert_eq!(String::from_utf8(read(2)).unwrap(), good(&["src_country", "--format", "svg"], input));
    // A PNG says its size behind its magic and the head of its first chunk (PNG, third edition, 5.3 and 11.2.1).
    let pixels = |png: &[u8]| {
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"));
        u32::from_be_bytes(png[16..20].try_into().unwrap())
    };
    assert_eq!(pixels(&read(3)), 3 * 480);
    good(&["src_country", "-o", &files[3], "--zoom", "1.5"], input);
    assert_eq!(pixels(&read(3)), 720);
    let both = hist(&["src_country", "-o", &files[0], "-o", &files[1], "--format", "csv"], input);
    assert_eq!(both.code, 2);
    assert!(both.err.contains("--format is for one output"), "{}", both.err);
}

/// What one pass counts into several files is what several passes count.
#[test]
fn several_counts_of_one_pass() {
    let folder = tempfile::tempdir().unwrap();
    let rows = folder.path().join("rows.csv");
    std::fs::write(&rows, many_rows()).unwrap();
    let rows = rows.to_str().unwrap();
    // The rows have a few damaged ones among them.
    let damaged = |args: &[&str]| {
        let ran = hist(args, b"");
        assert_eq!(ran.code, 1, "{}", ran.err);
        ran.out
    };
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (ports, pairs) = (file("ports.csv"), file("pairs.ndjson"));
    for threads in ["1", "3"] {
        let main = ["ts", "--every", "1h", "--by", "proto", "--threads", threads, rows];
        let shared = ["--where", "proto!=icmp", "--weight", "bytes"];
        let also = [format!("port={ports}"), format!("src,proto={pairs}")];
        let args = [&main[..], &shared, &["--also", &also[0], "--also", &also[1]]].concat();
        assert_eq!(damaged(&args), damaged(&[&main[..], &shared].concat()));
        let alone = |columns: &str, more: &[&str]| damaged(&[&[columns, rows], &shared[..], more].concat());
        assert_eq!(std::fs::read_to_string(&ports).unwrap(), alone("port", &[]));
        assert_eq!(std::fs::read_to_string(&pairs).unwrap(), alone("src,proto", &["--format", "ndjson"]));
        let said = hist(&args, b"").err;
        assert!(said.contains(&format!("{ports}: ")) && said.contains("filtered out"), "{said}");
    }
    for bad in ["port", "=x", "port=", "no_such=x.csv"] {
        assert_eq!(hist(&["proto", "--also", bad, rows], b"").code, 2, "{bad}");
    }
}

#[test]
fn a_map_shows_each_country_and_says_what_it_cannot_show() {
    let input = b"src_country,n\nDE,5\nSG,700\nSG,41\nRU,1\n,9\nQZ,2\n";
    let svg = good(&["src_country", "--weight", "n", "--draw", "map", "--format", "svg"], input);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let titles: Vec<&str> = document
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "title")))
        .filter_map(|node| node.text())
        .collect();
    assert!(titles.contains(&"Germany (DE): 5 (0.7%)"), "{titles:?}");
    assert!(titles.contains(&"Russia (RU): 1 (0.1%)"), "{titles:?}");
    // Singapore is too small to be seen: a circle of its own beside its shape.
    assert_eq!(titles.iter().filter(|title| title.starts_with("Singapore (SG): 741 ")).count(), 2);
    let small =
        document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "circle")));
    assert_eq!(small.count(), 1);
    assert!(svg.contains("Not on the map: QZ."), "what has no place");
    assert!(svg.contains("(absent) 9"), "what has no country");
    // Everything is inside the picture, antimeridian or not, and larger amounts are darker.
    let class = |name: &str| {
        let shape = document.descendants().find(|node| {
            node.first_element_child().and_then(|c| c.text()).is_some_and(|text| text.starts_with(name))
        });
        shape.unwrap().attribute("class").unwrap().to_owned()
    };
    assert!(class("Russia") < class("Germany") && class("Germany") < class("Singapore"));

    // Two maps to compare share their colours.
    let shared = |country: &str| {
        let rows = format!("src_country,n\n{country},10\n");
        good(
            &["src_country", "--weight", "n", "--draw", "map", "--max", "1000", "--format", "svg"],
            rows.as_bytes(),
        )
    };
    assert!(shared("DE").contains(">1000</text>") && shared("FR").contains(">1000</text>"));
    let refused = hist(&["src_country", "--by", "n", "--draw", "map", "--format", "svg"], input);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("a map shows one column"), "{}", refused.err);
}

#[test]
fn rows_of_hist_can_be_counted_in_turn() {
    let counts = good(&["port"], b"port\n1\n1\n2\n2\n3\n");
    assert_eq!(
        good(&["count", "--sort", "value"], counts.as_bytes()),
        "count_value,count,share,cumulative\n1,1,0.333333,0.333333\n2,2,0.666667,1.000000\n"
    );
    let json = good(&["count", "--format", "ndjson"], counts.as_bytes());
    assert!(json.starts_with("{\"count_value\":2,\"count\":2,"), "{json}");
}
