//! Rows in, rows out.

use probeline_testkit::{Bash, tool};

const HEADER: &str = "ts,src_ip,dst_ip,proto,src_port,dst_port,tcp_flags,ip_len,ttl,ip_id,ip_tos,ip_df,tcp_seq,tcp_ack,tcp_win,tcp_opts,payload_len,mine";

/// Mirai to 198.18.1.57 at these seconds.
fn mirai(seconds: impl IntoIterator<Item = u32>) -> String {
    let row = |s: u32| {
        format!(
            "{s}.000000,192.0.2.{},198.18.1.57,tcp,21840,23,S,40,64,7,0,0,3323068729,0,54718,,0,\"a,\"\"{s}\"\"\"\n",
            s % 7
        )
    };
    seconds.into_iter().fold(format!("{HEADER}\n"), |text, s| text + &row(s))
}

#[test]
fn other_cells_are_untouched_and_in_order() {
    let input = mirai([5, 1, 900, 3, 3, 2]);
    let out = tool("fingerprint").stdin(input.clone()).run();
    out.code(0).stderr_has("6 rows read = 6 rows");
    for (before, after) in input.lines().zip(out.out().lines()) {
        assert!(after.starts_with(&format!("{before},")), "{before} became {after}");
    }
    assert_eq!(out.table().distinct("tool"), ["mirai"]);
    // Run twice it changes nothing.
    let again = tool("fingerprint").stdin(out.out()).run();
    assert_eq!(again.out(), out.out());
}

#[test]
fn ndjson_is_the_same_table() {
    let csv = tool("fingerprint").args(["--session", "--sig"]).stdin(mirai(0..20)).run();
    let ndjson =
        tool("fingerprint").args(["--session", "--sig", "--format", "ndjson"]).stdin(mirai(0..20)).run();
    assert_eq!(csv.table(), ndjson.table());
    // Keys that the first row does not have pass through.
    let extra =
        ndjson.out().lines().map(|line| line.replace("\"mine\"", "\"new\":[1],\"mine\"")).collect::<Vec<_>>();
    let mut lines: Vec<&str> = ndjson.out().lines().map(|_| "").collect();
    lines.clear();
    let input = [ndjson.out().lines().next().unwrap().to_owned()]
        .into_iter()
        .chain(extra)
        .collect::<Vec<_>>()
        .join("\n");
    let through = tool("fingerprint").stdin(input).run();
    through.code(0).stdout_has("\"new\":[1]");
}

#[test]
fn what_is_missing_is_said() {
    let short = "ts,src_ip,dst_ip,proto\n1.0,192.0.2.1,198.18.1.57,tcp\n";
    let out = tool("fingerprint").stdin(short).run();
    out.code(0).stderr_has("no column").stderr_has("masscan-ip-id");
    assert_eq!(out.table().column("tool"), ["unknown"]);
    tool("fingerprint").stdin("a,b\n1,2\n").run().code(2).stderr_has("no column 'ts'");
    tool("fingerprint").run().code(0).stderr_has("empty input").stdout_is_empty();
}

/// What a rule reads is enough for it.
#[test]
fn few_columns_are_enough_for_some_rules() {
    let few = "ts,src_ip,dst_ip,proto,tcp_flags,tcp_seq\n1.0,192.0.2.1,198.18.1.57,tcp,S,3323068729\n";
    let out = tool("fingerprint").args(["--session", "--sig"]).stdin(few).run();
    out.code(0).stderr_has("no column src_port");
    let said = out.err().lines().find(|line| line.contains("find nothing")).unwrap().to_owned();
    assert!(said.contains("masscan-ip-id") && said.contains("mirai-shape") && !said.contains("mirai-seq"));
    let table = out.table();
    assert_eq!(
        (table.column("tool"), table.column("tool_rule")),
        (vec!["mirai"], vec!["mirai-seq;mirai-modified"])
    );
    assert_eq!((table.column("tool_session"), table.column("sig")), (vec![""], vec![""]));
}

#[test]
fn damage_is_counted_and_passed_on() {
    let damaged = mirai([1, 2])
        + "three,cells,only\n"
        + &mirai([3]).lines().nth(1).unwrap().replace(",64,", ",640,")
        + "\n";
    let out = tool("fingerprint").stdin(damaged).run();
    out.code(1)
        .stderr_has("line 4")
        .stderr_has("line 5")
        .stderr_has("4 rows read = 3 rows + 1 skipped (1 malformed)");
    assert_eq!(out.table().column("tool"), ["mirai", "mirai", "unknown"]);
}

#[test]
fn a_reader_that_hangs_up_is_success() {
    let out = Bash::new("fingerprint rows.csv | head -1").file("rows.csv", mirai(0..50_000)).run();
    out.code(0);
}

#[test]
fn rows_wait_no_longer_than_they_must() {
    // With no patience every row is out before the next comes in, so nothing is held.
    let out = tool("fingerprint").args(["--settle", "0", "--max-held", "1"]).stdin(mirai(0..100)).run();
    out.code(0);
    assert!(!out.err().contains("--max-held"), "{}", out.err());
    let out = tool("fingerprint").args(["--settle", "1h", "--max-held", "10"]).stdin(mirai(0..100)).run();
    out.code(0).stderr_has("90 judged before --settle was over");
    assert_eq!(out.table().len(), 100);
}

#[test]
fn few_sources_are_remembered_when_so_asked() {
    let out = tool("fingerprint").args(["--settle", "0", "--max-sources", "2"]).stdin(mirai(0..70)).run();
    out.code(0).stderr_has("sources forgotten");
    let out = tool("fingerprint").args(["--settle", "1h", "--max-sources", "2"]).stdin(mirai(0..70)).run();
    out.code(0).stderr_has("judged before");
    assert_eq!((out.table().len(), out.table().distinct("tool")), (70, vec!["mirai"]));
}

/// A million sources of one packet within a second: memory stays what --max-held and --max-sources allow, and a scanner
/// among them is found.
#[test]
fn a_flood_of_sources_is_bounded() {
    let script = r#"
        ulimit -v 400000
        awk 'BEGIN {
            print "ts,src_ip,dst_ip,proto,src_port,dst_port,tcp_flags,ip_len,ttl,ip_id,ip_tos,ip_df,tcp_seq,tcp_ack,tcp_win,tcp_opts,payload_len"
            for (i = 0; i < 1000000; i++) {
                a = int(i / 65536) "." int(i / 256) % 256 "." i % 256
                printf "1.%06d,44.%s,198.18.1.57,tcp,4000,80,S,40,64,%d,0,1,%d,0,777,,0\n", i, a, i % 65536, i + 7
                if (i % 1000 == 0)
                    printf "1.%06d,192.0.2.1,198.18.1.%d,tcp,21840,23,S,40,64,7,0,0,%.0f,0,54718,,0\n", i, i / 1000 % 250, 3323068672 + i / 1000 % 250
            }
        }' | fingerprint | awk -F, '$18 != "unknown" { n[$2 " " $18 " " $20]++ } END { for (k in n) print n[k], k }'"#;
    let out = Bash::new(script).run();
    out.code(0).stderr_has("1001000 rows read = 1001000 rows").stderr_has("sources forgotten");
    let text = out.out();
    let sure: Vec<&str> = text.lines().filter(|line| line.ends_with(" certain")).collect();
    assert_eq!(sure, ["1000 192.0.2.1 mirai certain"]);
}

#[test]
fn less_sure_names_are_left_out() {
    // Nping's shape alone.
    let shape =
        format!("{HEADER}\n1.0,192.0.2.1,198.18.1.57,tcp,32607,80,S,40,64,8732,0,0,3761096470,0,1480,,0,x\n");
    let all = tool("fingerprint").stdin(shape.clone()).run();
    assert_eq!(all.table().column("tool"), ["nping"]);
    let some = tool("fingerprint").args(["--min-confidence", "probable"]).stdin(shape).run();
    assert_eq!(some.table().column("tool"), ["unknown"]);
    assert_eq!(some.table().column("tool_rule"), ["nping-shape"], "the mark stays");
    assert_eq!(some.table().column("tool_confidence"), [""]);
}

#[test]
fn two_passes_know_what_comes_later() {
    // One probe a minute: when the second came the first was one of two.
    let rows: String = (0..4)
        .map(|i| {
            format!(
                "{}.0,192.0.2.1,198.18.1.{i},tcp,32607,80,S,40,64,{},0,0,{},0,0,,0,x\n",
                i * 60,
                (0x0100 + i) ^ 80 ^ 7,
                7
            )
        })
        .collect();
    let one = Bash::new("fingerprint rows.csv").file("rows.csv", format!("{HEADER}\n{rows}")).run();
    assert_eq!(one.table().column("tool_confidence"), ["probable", "certain", "certain", "certain"]);
    let two =
        Bash::new("fingerprint --two-pass rows.csv").file("rows.csv", format!("{HEADER}\n{rows}")).run();
    assert_eq!(two.table().distinct("tool_confidence"), ["certain"], "{}", two.out());
    tool("fingerprint").arg("--two-pass").run().code(2);
}

#[test]
fn the_lists() {
    let rules = tool("fingerprint").arg("--list-rules").run();
    rules.code(0).stderr_is_empty();
    let tools = rules.table().distinct("tool").join(" ");
    assert_eq!(
        tools,
        "angryip dublin-traceroute fi6s hping3 masscan mirai naabu nmap nping os-stack scanssh scapy unicornscan xmap yarrp zmap"
    );
    let documented = std::fs::read_to_string("../../docs/RULES.md").unwrap();
    let table = rules.table();
    for row in table.rows() {
        let line = format!(
            "| `{}` | {} | {}",
            row.get("rule").unwrap(),
            row.get("scope").unwrap(),
            row.get("worth").unwrap()
        );
        assert!(documented.contains(&line), "make docs: {line}");
    }
    let fields = tool("fingerprint").arg("--list-fields").run();
    let names = fields.table();
    assert_eq!(
        names.column("name").join(","),
        "tool,tool_rule,tool_confidence,tool_version,tool_session,sig"
    );
}

#[test]
fn chance_is_accounted_for() {
    let out = Bash::new("fingerprint --stats stats.csv rows.csv > /dev/null; cat stats.csv")
        .file("rows.csv", mirai(0..10))
        .run();
    let table = out.table().filter("rule", "mirai-seq");
    assert_eq!((table.column("asked"), table.column("matched")), (vec!["10"], vec!["10"]));
    out.stderr_has("mirai-seq: 10 of 10 matched, 0.00 by chance");
}
