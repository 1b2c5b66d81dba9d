//! Laws that hold for any packets, through the compiled tools, with an oracle in the test: nothing is lost or
//! invented, order is kept, what enriches changes nothing else, and neither threads nor formats change the
//! answer.

use std::collections::{BTreeMap, BTreeSet};

use probeline_pipelines::account::Account;
use probeline_testkit::pcap::{self, Precision};
use probeline_testkit::{Bash, Output, Packet, Row, Table};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

/// Some packets between few hosts, so that flows, scans and sessions meet: who, to whom, how, and how long
/// after the one before.
#[derive(Clone, Debug)]
struct Traffic(Vec<(u64, Packet)>);

fn packet() -> impl Strategy<Value = (u64, Packet)> {
    let host = prop_oneof![3 => 1..=4_u8, 1 => 200..=202_u8];
    let port = prop_oneof![Just(22_u16), Just(23), Just(53), Just(80), 1000..1010_u16];
    let flags = prop_oneof![
        4 => Just("S"), 2 => Just("SA"), 2 => Just("A"), 1 => Just("R"), 1 => Just("RA"), 1 => Just("F"),
        1 => Just("FPU"), 1 => Just("."), 1 => Just("FA"), 1 => Just("PA"), 1 => Just("SF"), 1 => Just("SEC"),
    ];
    // Mostly within one flow's time-out, now and then beyond it, and sometimes at the same instant.
    let pause = prop_oneof![1 => Just(0), 6 => 1..5_000_000_u64, 1 => 290_000_000..310_000_000_u64];
    (host.clone(), host, port.clone(), port, flags, 0..10_u8, 0..4_usize, pause).prop_map(
        |(from, to, src_port, dst_port, flags, kind, payload, pause)| {
            let (src, dst) = (format!("198.51.100.{from}"), format!("203.0.113.{to}"));
            // In one of four packets the second host answers.
            let (src, dst) = if kind % 4 == 3 { (dst, src) } else { (src, dst) };
            let (src, dst) = (src.as_str(), dst.as_str());
            let packet = match kind {
                0 => Packet::udp(src, src_port, dst, dst_port),
                1 => Packet::ping(src, dst, u16::from(from), 1),
                2 => Packet::icmp(src, dst, 3, 3).quoting(&Packet::udp(dst, src_port, src, dst_port), 28),
                3 => Packet::ip(src, dst, 47),
                _ => Packet::tcp(src, src_port, dst, dst_port).flags(flags).seq(u32::from(from)).ack(7),
            };
            // The payload of an error is what it quotes.
            (pause, if kind == 2 { packet } else { packet.payload(vec![b'x'; payload]) })
        },
    )
}

fn traffic() -> impl Strategy<Value = Traffic> {
    prop::collection::vec(packet(), 1..60).prop_map(Traffic)
}

impl Traffic {
    fn pcap(&self) -> Vec<u8> {
        let mut micros = 1_700_000_000_000_000_u64;
        let records = self.0.iter().map(|(pause, packet)| {
            micros += pause;
            (micros * 1000, packet.bytes())
        });
        pcap::file(Precision::Micros, 1, records)
    }

    /// A shell with these packets in `packets.pcap` and as rows in `packets.csv`.
    fn shell(&self, script: &str) -> Bash {
        Bash::new(&format!("set -e\npkt2csv packets.pcap >packets.csv 2>packets.err\n{script}"))
            .file("packets.pcap", self.pcap())
            .file("asn.pfx2as", "198.51.100.0\t25\t64500\n203.0.113.0\t24\t64501\n")
            .env("PROBELINE_GEO_DIR", "/nonexistent")
    }
}

/// Runs a script over some packets; the tables it leaves behind, by name.
fn tables<const N: usize>(traffic: &Traffic, script: &str, names: [&str; N]) -> (Output, [Table; N]) {
    let shell = traffic.shell(script);
    let output = shell.run();
    output.code(0);
    let read =
        |name: &str| std::fs::read_to_string(shell.scratch().join(name)).expect("the script writes it");
    let tables = names
        .map(|name| Table::parse(&read(name)).unwrap_or_else(|why| output.fail(&format!("{name}: {why}"))));
    (output, tables)
}

fn files<const N: usize>(traffic: &Traffic, script: &str, names: [&str; N]) -> [String; N] {
    let shell = traffic.shell(script);
    shell.run().code(0);
    names.map(|name| std::fs::read_to_string(shell.scratch().join(name)).expect("the script writes it"))
}

fn config() -> ProptestConfig {
    ProptestConfig {
        // Each case is some processes; together a few seconds.
        cases: 24,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("laws.regressions"))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_packet_is_in_one_probe(traffic in traffic()) {
        let script = "scan-classify --class all packets.csv >probes.csv
            for class in scan backscatter response other; do
                scan-classify --class $class packets.csv 2>/dev/null >$class.csv
            done";
        let names = ["packets.csv", "probes.csv", "scan.csv", "backscatter.csv", "response.csv", "other.csv"];
        let (output, [packets, probes, classes @ ..]) = tables(&traffic, script, names);
        prop_assert_eq!(packets.len(), traffic.0.len());
        prop_assert_eq!(probes.sum("packets"), packets.len() as u64);
        prop_assert_eq!(probes.sum("bytes"), packets.sum("ip_len"));
        prop_assert_eq!(classes.iter().map(Table::len).sum::<usize>(), probes.len());
        for (name, class) in names[2..].iter().zip(&classes) {
            let name = name.trim_end_matches(".csv");
            prop_assert_eq!(probes.filter("class", name), class.clone(), "--class {}", name);
        }
        let account = Account::find("scan-classify", &output.err()).map_err(TestCaseError::fail)?;
        prop_assert_eq!(account.read, packets.len() as u64);
        prop_assert_eq!(account.note("rows written"), Some(probes.len() as u64));
    }

    #[test]
    fn a_probe_begins_with_one_of_the_packets(traffic in traffic()) {
        let script = "scan-classify --class all packets.csv >probes.csv";
        let (_, [packets, probes]) = tables(&traffic, script, ["packets.csv", "probes.csv"]);
        let shared: Vec<&String> =
            packets.columns().iter().filter(|name| probes.columns().contains(name)).collect();
        prop_assert_eq!(shared.len(), packets.columns().len(), "a column of the first packet is lost");
        let cells = |row: Row<'_>| -> Vec<Option<String>> {
            shared.iter().map(|name| row.get(name).map(str::to_owned)).collect()
        };
        let mut left = BTreeMap::<_, usize>::new();
        for row in packets.rows() {
            *left.entry(cells(row)).or_default() += 1;
        }
        for row in probes.rows() {
            let count = left.entry(cells(row)).or_default();
            prop_assert!(*count > 0, "no packet like this, or not as often: {:?}", row);
            *count -= 1;
        }
        let times = probes.column("ts");
        prop_assert!(times.is_sorted(), "{:?}", times);
    }

    #[test]
    fn every_probe_is_in_one_session(traffic in traffic(), aligned in any::<bool>(), by in 0..4_usize) {
        let by = ["src", "net24", "asn", "dst_port"][by];
        let aligned = if aligned { "--aligned" } else { "" };
        let script = format!(
            "scan-classify --class all packets.csv >probes.csv
             scan-group --by {by} {aligned} --asn-db asn.pfx2as probes.csv >sessions.csv"
        );
        let (_, [probes, sessions]) = tables(&traffic, &script, ["probes.csv", "sessions.csv"]);
        prop_assert_eq!(sessions.sum("probes"), probes.len() as u64);
        prop_assert_eq!(sessions.sum("packets"), probes.sum("packets"));
        prop_assert_eq!(sessions.sum("bytes"), probes.sum("bytes"));
        let starts = sessions.column("start");
        prop_assert!(starts.is_sorted(), "{:?}", starts);
    }

    #[test]
    fn every_probe_is_in_one_session_however_few_are_held(traffic in traffic(), held in 1..9_usize) {
        let script = format!(
            "scan-classify --class all packets.csv >probes.csv 2>/dev/null
             scan-group --by src,dst_port probes.csv >all.csv 2>/dev/null
             scan-group --by src,dst_port --max-sessions {held} probes.csv >sessions.csv"
        );
        let (output, [probes, all, sessions]) =
            tables(&traffic, &script, ["probes.csv", "all.csv", "sessions.csv"]);
        for count in ["probes", "packets", "bytes"] {
            prop_assert_eq!(sessions.sum(count), all.sum(count));
        }
        prop_assert_eq!(sessions.sum("probes"), probes.len() as u64);
        let starts = sessions.column("start");
        prop_assert!(starts.is_sorted(), "{:?}", starts);
        let evicted = sessions.column("closed_by").into_iter().filter(|word| *word == "evicted").count();
        let account = Account::find("scan-group", &output.err()).map_err(TestCaseError::fail)?;
        let noted = account.note("sessions evicted (--max-sessions)");
        prop_assert_eq!(noted, (evicted > 0).then_some(evicted as u64));
        prop_assert!(evicted > 0 || sessions.len() == all.len());
    }

    #[test]
    fn a_session_is_what_its_definition_says(traffic in traffic()) {
        let script = "scan-classify --class all packets.csv >probes.csv; scan-group probes.csv >sessions.csv";
        let (_, [probes, sessions]) = tables(&traffic, script, ["probes.csv", "sessions.csv"]);
        let mut expected = sessions_of(&probes);
        let columns =
            ["start", "end", "src_ip", "proto", "geometry", "probes", "dsts", "ports", "h_size", "v_size"];
        let mut got: Vec<Vec<String>> = sessions
            .rows()
            .map(|row| columns.iter().map(|name| row.get(name).unwrap_or("").to_owned()).collect())
            .collect();
        expected.sort();
        got.sort();
        prop_assert_eq!(got, expected);
    }

    /// Sessions of several keys from one pass are those of a pass for each.
    #[test]
    fn groupings_of_one_pass_do_not_meet(traffic in traffic(), reorder in 0..10) {
        let script = format!(
            "scan-classify --class all packets.csv >probes.csv
             group() {{ scan-group --reorder {reorder} \"$@\" probes.csv; }}
             group --by src --also net24,dst_port=ports.csv --also src:port_list=lists.csv --also proto,net=16=nets.csv >srcs.csv
             cat srcs.csv ports.csv nets.csv >together.csv
             {{ group; group --by net24,dst_port; group --by proto,net=16; }} >apart.csv
             cat lists.csv >>together.csv; group --columns port_list >>apart.csv"
        );
        let [together, apart] = files(&traffic, &script, ["together.csv", "apart.csv"]);
        prop_assert_eq!(together, apart);
    }

    /// The columns that were asked for, and the ports themselves.
    #[test]
    fn a_session_names_its_ports(traffic in traffic()) {
        let script = "scan-classify --class all packets.csv >probes.csv
            scan-group probes.csv >all.csv
            scan-group --columns port_list,start,ports,proto probes.csv >chosen.csv";
        let (_, [probes, all, chosen]) = tables(&traffic, script, ["probes.csv", "all.csv", "chosen.csv"]);
        prop_assert_eq!(chosen.columns(), &["src_ip", "port_list", "start", "ports", "proto"]);
        prop_assert_eq!(all.len(), chosen.len());
        for (session, full) in chosen.rows().zip(all.rows()) {
            let cell = |name| session.get(name).unwrap_or("");
            let of = |name| full.get(name).unwrap_or("");
            for name in ["src_ip", "start", "ports", "proto"] {
                prop_assert_eq!(cell(name), of(name));
            }
            // Windows are 300 s long: these are the probes of the key inside one.
            let ports: BTreeSet<u16> = probes
                .rows()
                .filter(|probe| ["src_ip", "proto"].iter().all(|name| probe.get(name) == session.get(name)))
                .filter(|probe| (of("start")..=of("end")).contains(&probe.get("ts").unwrap_or("")))
                .filter_map(|probe| probe.get("dst_port")?.parse().ok())
                .collect();
            let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
            prop_assert_eq!(cell("port_list"), ports.join(";"));
            prop_assert_eq!(cell("ports"), ports.len().to_string());
        }
    }

    #[test]
    fn an_enricher_only_adds(traffic in traffic(), tool in 0..2_usize) {
        let tool = ["fingerprint", "geo-enrich --asn-db asn.pfx2as --columns asn"][tool];
        let script = format!("{tool} packets.csv >once.csv; {tool} once.csv >twice.csv");
        let [before, once, twice] = files(&traffic, &script, ["packets.csv", "once.csv", "twice.csv"]);
        prop_assert_eq!(before.lines().count(), once.lines().count());
        for (before, after) in before.lines().zip(once.lines()) {
            prop_assert!(after.starts_with(&format!("{before},")), "{} became {}", before, after);
        }
        prop_assert_eq!(once, twice, "twice is not the same as once");
    }

    #[test]
    fn counting_counts_everything(traffic in traffic(), column in 0..4_usize) {
        let column = ["dst_port", "tcp_flags", "proto", "src_ip"][column];
        let script = format!("hist {column} packets.csv >counts.csv");
        let (_, [packets, counts]) = tables(&traffic, &script, ["packets.csv", "counts.csv"]);
        let mut expected = BTreeMap::<&str, usize>::new();
        for value in packets.column(column) {
            *expected.entry(value).or_default() += 1;
        }
        let got: BTreeMap<&str, usize> = counts
            .column(column)
            .into_iter()
            .zip(counts.column("count").into_iter().map(|count| count.parse().expect("a count")))
            .collect();
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn neither_threads_nor_blocks_change_a_row(traffic in traffic(), copies in 1..200_usize) {
        // Rows are made in blocks by several threads; many copies make many blocks.
        let pcap = traffic.pcap();
        let many: Vec<u8> = pcap[..24].iter().chain(pcap[24..].repeat(copies).iter()).copied().collect();
        let script = "for n in 1 2 5; do pkt2csv --threads $n many.pcap 2>/dev/null | cksum; done";
        let output = traffic.shell(script).file("many.pcap", many).run();
        let sums: BTreeSet<String> = output.code(0).out().lines().map(str::to_owned).collect();
        prop_assert_eq!(sums.len(), 1, "{:?}", sums);
    }

    #[test]
    fn formats_say_the_same(traffic in traffic()) {
        let script = "scan-classify packets.csv | scan-group >sessions.csv
            pkt2csv --format ndjson packets.pcap | scan-classify | scan-group >sessions.ndjson
            scan-classify --format ndjson packets.csv | scan-group --format csv >mixed.csv";
        let names = ["sessions.csv", "sessions.ndjson", "mixed.csv"];
        let (_, [csv, ndjson, mixed]) = tables(&traffic, script, names);
        // An empty table has no line of NDJSON from which to learn the columns.
        if !csv.is_empty() {
            prop_assert_eq!(&csv, &ndjson);
            prop_assert_eq!(csv, mixed);
        }
    }

    #[test]
    fn units_add_up_to_their_session(traffic in traffic(), by in 0..3_usize, gap in any::<bool>()) {
        let by = ["src", "net24", "class"][by];
        let gap = if gap { "--gap 100" } else { "" };
        let script = format!(
            "scan-classify --class all packets.csv >probes.csv
             for unit in session horizontal vertical; do
                 scan-group --by {by} {gap} --unit $unit probes.csv >$unit.csv
             done"
        );
        let (_, [probes, sessions, horizontal, vertical]) =
            tables(&traffic, &script, ["probes.csv", "session.csv", "horizontal.csv", "vertical.csv"]);
        prop_assert_eq!(sessions.sum("probes"), probes.len() as u64);
        let key = sessions.columns()[2].clone();
        for (units, distinct) in [(&horizontal, "dsts"), (&vertical, "ports")] {
            let largest = if distinct == "dsts" { "h_size" } else { "v_size" };
            for session in sessions.rows() {
                let same = |row: &Row<'_>| {
                    ["start", "end", "proto", key.as_str()].iter().all(|name| row.get(name) == session.get(name))
                };
                let number =
                    |row: &Row<'_>, name: &str| row.get(name).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
                let own: Vec<Row<'_>> = units.rows().filter(same).collect();
                for name in ["probes", "packets", "bytes"] {
                    let sum: u64 = own.iter().map(|row| number(row, name)).sum();
                    prop_assert_eq!(sum, number(&session, name), "{} of {:?}", name, session);
                }
                let most = own.iter().map(|row| number(row, distinct)).max();
                prop_assert_eq!(most, Some(number(&session, largest)), "{:?}", session);
            }
        }
    }

    #[test]
    fn order_within_the_reach_changes_nothing(traffic in traffic(), seed in any::<u32>()) {
        // Rows are moved by less than 2.5 seconds either way and so pass each other by less than 5. Those of the same
        // instant keep their order, which is all that tells them apart.
        let script = format!(
            "scan-classify packets.csv >probes.csv; scan-group probes.csv >sessions.csv
             shuffle() {{
                 head -n 1 $2
                 tail -n +2 $2 | awk -F, -v seed=$1 'NR == 1 {{ srand(seed) }}
                     {{ if ($1 != last) shift = 4.999 * rand() - 2.4995
                        last = $1; printf \"%.6f\\t%d\\t%s\\n\", $1 - 1700000000 + shift, NR, $0 }}' |
                     sort -n -k1,1 -k2,2 | cut -f3
             }}
             shuffle {seed} packets.csv >other.csv; scan-classify other.csv | cmp - probes.csv
             shuffle {seed} probes.csv >other.csv; scan-group other.csv | cmp - sessions.csv"
        );
        traffic.shell(&script).run().code(0);
    }

    #[test]
    fn parts_with_state_are_the_whole(
        traffic in traffic(),
        cuts in prop::collection::vec(0..60_usize, 1..5),
        options in 0..7_usize,
    ) {
        let options = [
            "",
            "--gap 100 --max-age 400 --by net24",
            "--aligned --by src,dst_port",
            "--unit horizontal --reorder 0",
            "--approx --repeats repeats.csv",
            "--preset moore-dos",
            "--max-sessions 2 --by src,dst_port",
        ][options];
        let mut cuts = cuts;
        cuts.sort_unstable();
        let cuts: Vec<String> = cuts.iter().map(ToString::to_string).collect();
        let script = format!(
            "scan-classify --class all packets.csv >probes.csv
             parts() {{ # options of the tool, then its input in parts
                 from=0; part=0
                 for to in {} 100000; do
                     part=$((part + 1))
                     awk -v from=$from -v to=$to 'NR == 1 || (NR > from + 1 && NR <= to + 1)' $input >part.csv
                     last=; if [ $to = 100000 ]; then last=--final; fi
                     \"$@\" --state state $last part.csv >part-$part.csv
                     if [ $part = 1 ]; then cat part-$part.csv; else tail -n +2 part-$part.csv; fi
                     from=$to
                 done
             }}
             scan-group {options} probes.csv >whole.csv
             cp repeats.csv whole-repeats.csv 2>/dev/null || true
             input=probes.csv; parts scan-group {options} >parts.csv
             cmp whole.csv parts.csv
             test ! -e state
             if test -e whole-repeats.csv; then cmp repeats.csv whole-repeats.csv; fi
             for telescope in '' '--telescope 203.0.113.0/24 --flow-timeout 20 --max-age 30'; do
                 scan-classify --class all $telescope packets.csv >whole.csv
                 input=packets.csv; parts scan-classify --class all $telescope >parts.csv
                 cmp whole.csv parts.csv
                 test ! -e state
             done",
            cuts.join(" ")
        );
        traffic.shell(&script).run().code(0);
    }

    #[test]
    fn columns_are_found_by_name(traffic in traffic()) {
        // The columns backwards and a foreign one among them: the answer is the same.
        let script = "scan-classify packets.csv | scan-group >sessions.csv
            awk -F, -v OFS=, '{
                line = NR == 1 ? \"foreign\" : \"x\"
                for (i = NF; i > 0; i--) line = line OFS $i
                print line
            }' \
                packets.csv >turned.csv
            scan-classify turned.csv | scan-group >turned-sessions.csv";
        let [straight, turned] = files(&traffic, script, ["sessions.csv", "turned-sessions.csv"]);
        prop_assert_eq!(straight, turned);
    }

    #[test]
    fn one_capture_after_the_other(first in traffic(), second in traffic()) {
        let script = "pkt2csv packets.pcap second.pcap >both.csv
            { cat packets.csv; pkt2csv second.pcap | tail -n +2; } | cmp - both.csv
            cat packets.pcap | pkt2csv | cmp - packets.csv
            gzip -c packets.pcap | pkt2csv | cmp - packets.csv
            pkt2csv <packets.pcap | cmp - packets.csv";
        first.shell(script).file("second.pcap", second.pcap()).run().code(0);
    }
}

/// Anchored windows of 300 seconds over the rows of scan-classify, written down as the definition says it.
fn sessions_of(probes: &Table) -> Vec<Vec<String>> {
    let micros = |ts: &str| -> u64 { ts.replace('.', "").parse().expect("six decimals") };
    let mut windows: BTreeMap<(String, String), Vec<Vec<Row<'_>>>> = BTreeMap::new();
    for row in probes.rows() {
        let cell = |name| row.get(name).expect("never absent").to_owned();
        let sessions = windows.entry((cell("src_ip"), cell("proto"))).or_default();
        let opened = sessions
            .last()
            .and_then(|session| session.first())
            .map(|first| micros(first.get("ts").expect("ts")));
        match (opened, sessions.last_mut()) {
            (Some(opened), Some(session)) if micros(&cell("ts")) < opened + 300_000_000 => session.push(row),
            _ => sessions.push(vec![row]),
        }
    }
    let mut out = Vec::new();
    for ((src, proto), sessions) in windows {
        for session in sessions {
            let distinct =
                |name: &str| -> BTreeSet<&str> { session.iter().filter_map(|row| row.get(name)).collect() };
            // The largest number of values of one column that share a value of another, which may be absent.
            let largest = |of: &str, on: &str| -> usize {
                let mut groups = BTreeMap::<Option<&str>, BTreeSet<&str>>::new();
                for row in &session {
                    groups.entry(row.get(on)).or_default().extend(row.get(of));
                }
                groups.values().map(BTreeSet::len).max().unwrap_or(0)
            };
            let (dsts, ports) = (distinct("dst_ip").len(), distinct("dst_port").len());
            let geometry = match (dsts > 1, ports > 1) {
                (false, false) => "point",
                (true, false) => "horizontal",
                (false, true) => "vertical",
                (true, true) => "block",
            };
            let ts = |row: Option<&Row<'_>>| row.and_then(|row| row.get("ts")).expect("ts").to_owned();
            out.push(vec![
                ts(session.first()),
                ts(session.last()),
                src.clone(),
                proto.clone(),
                geometry.to_owned(),
                session.len().to_string(),
                dsts.to_string(),
                ports.to_string(),
                largest("dst_ip", "dst_port").to_string(),
                largest("dst_port", "dst_ip").to_string(),
            ]);
        }
    }
    out
}
