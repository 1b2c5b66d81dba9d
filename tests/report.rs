//! The report of the bundled captures: that its tables say what the rows say, what the commands of the laboratory did,
//! and what the study published; that the page holds together in a browser.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use probeline_testkit::{Bash, Output, Table, bundled, captures, skipped, workspace};

/// Two machine cores shared by many make this slow; two minutes are not always enough.
const PATIENCE: Duration = Duration::from_secs(600);

/// Tools that the scripts run, named so that they are built.
const TOOLS: &str = "# pkt2csv scan-classify scan-group fingerprint geo-enrich hist\n";

/// Runs a command of `scripts/report` in a scratch directory, which lasts as long as what is returned.
fn run(command: &str) -> (Bash, Output) {
    let script = format!("{TOOLS}set -eu\nPATH=\"$PATH:$report\"\n{command}");
    let script = Bash::new(&script).env("report", workspace().join("scripts/report")).within(PATIENCE);
    let output = script.run();
    (script, output)
}

/// Whether `make geo` was here: the report names places, and is none without.
fn databases(test: &str) -> bool {
    let found = Bash::new(&format!("{TOOLS}geo-enrich --list-databases")).run();
    if found.code != Some(0) {
        skipped(test, "no database of places; make geo gets them");
    }
    found.code == Some(0)
}

/// The report of the bundled pair, made once for all tests.
fn bundled_report(test: &str) -> Option<&'static Path> {
    static MADE: OnceLock<(Bash, PathBuf)> = OnceLock::new();
    if !databases(test) {
        return None;
    }
    let (_, out) = MADE.get_or_init(|| {
        let (script, output) = run("report -o out");
        output.code(0);
        let out = script.scratch().join("out");
        let said = output.out();
        assert_eq!(said.trim_end().lines().last(), Some(out.join("report.html").to_str().expect("UTF-8")));
        (script, out)
    });
    Some(out)
}

fn read(path: &Path) -> String {
    String::from_utf8(read_bytes(path)).expect("our files are UTF-8")
}

fn table(path: &Path) -> Table {
    let table = Table::parse(&read(path));
    assert!(table.is_ok(), "{}: {table:?}", path.display());
    table.unwrap_or_default()
}

/// The value of a measure in a table of measures.
fn measure(out: &Path, name: &str, measure: &str, config: &str) -> String {
    let table = table(&out.join(format!("{name}.csv")));
    let row = table.select(|row| row.get("measure") == Some(measure));
    assert_eq!(row.len(), 1, "{name}: {measure}");
    row.column(config)[0].to_owned()
}

/// The files of a folder with this ending, in order.
fn files(out: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(out).expect("the report's folder");
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == ending));
    found.sort();
    found
}

#[test]
fn every_table_of_the_study_is_there_as_csv_markdown_and_figure() {
    let Some(out) = bundled_report("every_table_of_the_study_is_there_as_csv_markdown_and_figure") else {
        return;
    };
    for number in 1..=13 {
        let name = format!("E{number}");
        let rows = table(&out.join(format!("{name}.csv")));
        assert!(!rows.is_empty(), "{name}");
        if name != "E13" {
            assert!(
                rows.columns().iter().any(|column| column.starts_with("study")),
                "{name} has no study beside it"
            );
        }
        let markdown = read(&out.join(format!("{name}.md")));
        assert_eq!(markdown.lines().count(), rows.len() + 2, "{name}.md");
        let figures = files(out, "svg").into_iter().filter(|path| {
            let stem = path.file_stem().expect("a name").to_string_lossy();
            stem == name || stem.starts_with(&format!("{name}-"))
        });
        assert!(figures.count() > 0, "{name} has no figure");
    }
    for figure in files(out, "svg") {
        let png = figure.with_extension("png");
        assert!(read_bytes(&png).starts_with(b"\x89PNG"), "{}", png.display());
    }
    let parsed = Bash::new(
        "for svg in *.svg; do python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' \"$svg\" || exit 1; done",
    );
    let parsed = files(out, "svg").into_iter().fold(parsed, Bash::link).within(PATIENCE);
    parsed.run().code(0);
}

fn read_bytes(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path);
    assert!(bytes.is_ok(), "{}: {bytes:?}", path.display());
    bytes.unwrap_or_default()
}

fn which(command: &str) -> bool {
    Bash::new(&format!("command -v {command}")).run().code == Some(0)
}

/// Counts of one column of probes by awk, which knows nothing of hist. Cells before the payload are never quoted.
fn by_awk(probes: &Path, column: &str, only: Option<(&str, &str)>) -> BTreeMap<String, u64> {
    let (only_column, only_value) = only.unwrap_or((column, ""));
    let script = "awk -F, -v c=\"$c\" -v o=\"$o\" -v v=\"$v\" '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        v == \"\" || $at[o] == v { n[$at[c]]++ } END { for (k in n) print k \",\" n[k] }' \"$probes\"";
    let output = Bash::new(script)
        .env("probes", probes)
        .env("c", column)
        .env("o", only_column)
        .env("v", only_value)
        .run();
    let lines = output.code(0).out();
    lines
        .lines()
        .map(|line| line.rsplit_once(',').expect("two cells"))
        .map(|(k, n)| (k.to_owned(), n.parse().expect("a count")))
        .collect()
}

#[test]
fn tables_say_what_awk_counts_in_the_rows() {
    let Some(out) = bundled_report("tables_say_what_awk_counts_in_the_rows") else { return };
    for config in ["passive", "honeypot"] {
        let probes = out.join(format!("probes/{config}.csv"));
        let e1 = table(&out.join("E1.csv"));
        let counted = by_awk(&probes, "technique", None);
        assert_eq!(e1.filter("technique", "all").sum(config), counted.values().sum::<u64>());
        let shown = e1.rows().filter(|row| row.get("technique") != Some("all"));
        let shown: BTreeMap<String, u64> = shown
            .map(|row| (row.get("technique").unwrap().to_owned(), row.get(config).unwrap().parse().unwrap()))
            .filter(|(_, count)| *count > 0)
            .collect();
        assert_eq!(shown, counted, "E1, {config}");

        let over_time = table(&out.join(format!("X2-{config}.csv")));
        for (proto, scans) in by_awk(&probes, "proto", None) {
            assert_eq!(over_time.sum(&proto), scans, "X2, {config}, {proto}");
        }
        for proto in ["tcp", "udp"] {
            let counted = by_awk(&probes, "dst_port", Some(("proto", proto)));
            for row in table(&out.join(format!("E9-{proto}.csv"))).rows() {
                let port = row.get("dst_port").unwrap();
                assert_eq!(
                    row.get(config).unwrap().parse::<u64>().unwrap(),
                    counted[port],
                    "{config}, {proto} {port}"
                );
            }
            let ports = measure(out, "E10", &format!("{} ports scanned", proto.to_uppercase()), config);
            assert_eq!(ports, counted.len().to_string());
        }
        let scans = table(&out.join("E12-countries.csv")).sum(config);
        assert_eq!(scans, e1.filter("technique", "all").sum(config), "E12, {config}");
    }
}

/// The Python that `scripts/setup/python` has filled.
fn python(test: &str) -> Option<PathBuf> {
    let python = workspace().join("target/venv/bin/python");
    let found = python.exists();
    if !found {
        skipped(test, "no target/venv; scripts/setup/python makes it where PyPI can be reached");
    }
    found.then_some(python)
}

#[test]
fn tables_are_what_sql_makes_of_the_packets() {
    const TEST: &str = "tables_are_what_sql_makes_of_the_packets";
    let (Some(python), Some(out)) = (python(TEST), bundled_report(TEST)) else { return };
    let recount = format!(
        "{} \"$report/recount/recount\" --telescope 203.0.113.10-203.0.113.34,2001:db8:113::/125 \"$1\" passive={} honeypot={}",
        python.display(),
        bundled("lab-passive.pcap").display(),
        bundled("lab-honeypot.pcap").display()
    );
    let (script, output) = run(&format!(
        "recount() {{ {recount}; }}\nrecount {0}\ncp -r {0} copy\n\
         sed -i '/^share below size 10,/s/,0[.]/,1./g' copy/E6.csv\nsed -i /^udp,/d copy/E1.csv\nrecount copy",
        out.display()
    ));
    // The second is a report with faults in it, which must be found: two figures, and a row with two figures and two
    // shares.
    let said = output.code(1).out();
    assert_eq!(said.matches(" cells of E13").count(), 2, "{said}");
    assert_eq!(said.matches("E6: share below size 10: ").count(), 2, "{said}");
    assert_eq!(said.matches("E1: udp: ").count(), 4, "{said}");
    assert_eq!(said.lines().count(), 8, "{said}");
    drop(script);
}

#[test]
fn tables_of_other_peoples_captures_are_too() {
    const TEST: &str = "tables_of_other_peoples_captures_are_too";
    let Some(captures) = captures(TEST) else { return };
    let scan = captures.join("real/scan/markofu_pcaps__evidence04.pcap");
    // Late packets, and a sensor that answers.
    let disorder = captures.join(
        "real/telescope/GreyNoise-Intelligence_2024-09-noi__brazil-storm-small-tcp-sample.first2585.pcap",
    );
    let Some(python) = python(TEST).filter(|_| databases(TEST)) else { return };
    let (passive, honeypot) = (disorder.display(), scan.display());
    let (_script, output) = run(&format!(
        "reproduce -o out --passive {passive} --honeypot {honeypot} 2>log || {{ cat log; exit 1; }}\n\
         {} \"$report/recount/recount\" out passive={passive} honeypot={honeypot}",
        python.display()
    ));
    output.code(0).stdout_has(" cells of E13");
}

#[test]
fn techniques_are_those_of_the_commands_that_were_run() {
    let Some(out) = bundled_report("techniques_are_those_of_the_commands_that_were_run") else { return };
    let truth = table(&bundled("lab-passive.truth.csv")).filter("class", "scan");
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for line in truth.rows() {
        // Decoys send every probe from each of their addresses; other campaigns share theirs.
        let sources = line.get("sources").unwrap().split_whitespace().count() as u64;
        let times = if line.get("campaign") == Some("decoys") { sources } else { 1 };
        let targets: u64 = line.get("target_count").unwrap().parse().unwrap();
        *expected.entry(line.get("technique").unwrap().to_owned()).or_default() += targets * times;
    }
    let e1 = table(&out.join("E1.csv"));
    for (technique, expected) in expected {
        let scans = e1.filter("technique", &technique).sum("passive");
        // nmap and the connect() script try some targets again from a new port: a scan more each, never one less.
        let most = if technique == "syn" { expected + expected / 10 } else { expected };
        assert!((expected..=most).contains(&scans), "{technique}: {scans} scans, {expected} targets");
    }
    // ZMap and masscan leave their mark in every packet of theirs.
    let e2 = table(&out.join("E2.csv"));
    for tool in ["zmap", "masscan"] {
        let expected = truth.filter("tool", tool).sum("target_count");
        assert_eq!(e2.filter("tool", tool).sum("passive"), expected, "{tool}");
    }
}

#[test]
fn the_same_captures_make_the_same_bytes() {
    let Some(out) = bundled_report("the_same_captures_make_the_same_bytes") else { return };
    let (_again, output) =
        run(&format!("report -o again >/dev/null 2>&1\ndiff -r -x log {} again", out.display()));
    output.code(0).stdout_is("");
}

#[test]
fn one_capture_alone_leaves_out_what_needs_two_and_says_so() {
    if !databases("one_capture_alone_leaves_out_what_needs_two_and_says_so") {
        return;
    }
    let honeypot = bundled("lab-honeypot.pcap");
    let (script, output) = run(&format!(
        "report -o \"a folder\" {0}\nreproduce -o honeypot --honeypot {0}\nhead -n 1 */E1.csv",
        honeypot.display()
    ));
    output.code(0).stderr_has("left out: a comparison needs two configurations");
    output.stderr_has("left out: no capture with honeypot was given");
    output.stderr_has("left out: no passive capture was given");
    output.stdout_has("technique,capture,capture_share,study_passive,study_honeypot");
    for folder in ["a folder", "honeypot"] {
        let page = read(&script.scratch().join(folder).join("report.html"));
        assert!(page.contains("Left out: a comparison needs two configurations"), "{folder}");
        assert_eq!(page.matches("<section id=\"E").count(), 13, "{folder}");
    }
}

/// A quiet hour, and two of them compared: every table, with nothing in it.
#[test]
fn a_capture_without_a_packet_makes_a_report_too() {
    if !databases("a_capture_without_a_packet_makes_a_report_too") {
        return;
    }
    let quiet = bundled("lab-passive.pcap");
    let (script, output) = run(&format!(
        "head -c 24 {} >quiet.pcap\nexport NO_FIGURES=1\nreport -o one quiet.pcap\n\
         reproduce -o two --passive quiet.pcap --honeypot quiet.pcap",
        quiet.display()
    ));
    output.code(0).stderr_has("left out: a comparison needs scans");
    for (folder, config) in [("one", "capture"), ("two", "honeypot")] {
        let out = script.scratch().join(folder);
        assert_eq!(table(&out.join("E1.csv")).filter("technique", "all").column(config), ["0"], "{folder}");
        assert_eq!(measure(&out, "E10", "TCP ports scanned", config), "0");
        assert!(files(&out, "svg").is_empty() && files(&out, "png").is_empty(), "{folder}");
        assert!(read(&out.join("report.html")).contains("<section id=\"X2\""), "{folder}");
    }
}

#[test]
fn what_is_no_capture_is_named() {
    let (_a, output) = run("report -o out nowhere.pcap");
    output.code(2).stderr_has("cannot read nowhere.pcap").stdout_is_empty();
    let (_b, output) = run("reproduce -o out");
    output.code(2).stderr_has("no capture was given");
    let (_c, output) = run("report --fast");
    output.code(2).stderr_has("what is '--fast'?");
    let (_d, output) = run("echo no packets > text.pcap; report -o out text.pcap");
    output.code(2).stderr_has("text.pcap");
}

#[test]
fn the_page_fetches_nothing_and_names_its_sources() {
    let Some(out) = bundled_report("the_page_fetches_nothing_and_names_its_sources") else { return };
    let page = read(&out.join("report.html"));
    for loads in
        ["src=\"", "@import", "url(http", "<link rel=\"stylesheet", "fetch(", "XMLHttpRequest", "<iframe"]
    {
        assert!(!page.contains(loads), "the page has {loads}");
    }
    let databases = read(&out.join("databases.csv"));
    if databases.contains("db-ip.com") {
        assert!(page.contains("<a href=\"https://db-ip.com\">"), "DB-IP's licence asks for a link");
    }
    assert!(page.contains("OpenStreetMap contributors"));
    assert!(page.contains("Natural Earth"));
    let sum =
        Bash::new("sha256sum < \"$file\" | cut -c1-16").env("file", bundled("lab-passive.pcap")).run().out();
    assert!(page.contains(sum.trim()), "which capture this is");
}

/// What a headless Chromium makes of a page in a window so wide: its document after the scripts ran, and what they
/// complained of.
fn browse(page: &Path, width: u32) -> (String, Vec<String>) {
    let script = "HOME=\"$PWD\" chromium --headless --no-sandbox --disable-gpu --disable-background-networking \
        --disable-component-update --disable-sync --no-first-run --user-data-dir=\"$PWD/profile\" \
        --enable-logging=stderr --virtual-time-budget=5000 --window-size=$width,900 --dump-dom \"file://$page\" 2>log";
    let script = Bash::new(script).env("page", page).env("width", width.to_string()).within(PATIENCE);
    let output = script.run();
    let complaints = read(&script.scratch().join("log"));
    let complaints = complaints.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    (output.code(0).out(), complaints)
}

#[test]
fn a_browser_shows_every_figure_and_the_controls_work() {
    let test = "a_browser_shows_every_figure_and_the_controls_work";
    let Some(out) = bundled_report(test) else { return };
    if !which("chromium") {
        return skipped(test, "no chromium here");
    }
    let scratch = Bash::new("true");
    let folder = scratch.scratch();

    // The witness hears: a page with a fault in it is complained of.
    let faulty = folder.join("faulty.html");
    std::fs::write(&faulty, "<!doctype html><script>nothing.at.all()</script>").expect("a file");
    assert_eq!(browse(&faulty, 1200).1.len(), 1);

    // The page itself, with a script behind its own that does what a reader does and writes down what came of it.
    let page = read(&out.join("report.html"));
    let tried = folder.join("tried.html");
    std::fs::write(&tried, page.replace("</body>", &format!("<script>{READER}</script></body>")))
        .expect("a file");
    // A desk, and the narrowest window that this browser opens: a large phone.
    for width in [1200, 500] {
        let (document, complaints) = browse(&tried, width);
        assert_eq!(complaints, Vec::<String>::new());
        let found = document.split("<pre id=\"found\">").nth(1).and_then(|rest| rest.split("</pre>").next());
        let found = found.expect("the reader's script ran to its end");
        let lines: Vec<&str> = found.lines().collect();
        let figures = lines.iter().filter(|line| line.starts_with("figure ")).count();
        assert_eq!(figures, files(out, "svg").len(), "{found}");
        for line in &lines {
            assert!(!line.ends_with(" empty") && !line.ends_with(" off"), "{line}");
        }
        for expected in [
            "sorted up: true",
            "sorted down: true",
            "honeypot hidden: true",
            "udp hidden: true",
            "dark: true",
            "tooltip: true",
            "every row: true",
            "labelled controls: true",
            "scrolls sideways: false",
            "figures cut off: false",
        ] {
            assert!(lines.contains(&expected), "expected '{expected}' in\n{found}");
        }
    }
}

/// What a reader does: looks at every figure, sorts, filters, changes the theme, points at a mark.
const READER: &str = r##"
const found = [];
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
for (const figure of all("figure")) {
  const svg = figure.querySelector("svg");
  const box = svg.getBoundingClientRect();
  // A mark says what it is, and is somewhere inside its figure.
  const marks = all("title", svg).filter((title) => title.parentNode !== svg).map((title) => title.parentNode);
  const inside = marks.filter((mark) => {
    const at = mark.getBoundingClientRect();
    return at.left >= box.left - 2 && at.right <= box.right + 2 && at.top >= box.top - 2 && at.bottom <= box.bottom + 2;
  });
  found.push(`figure ${figure.id}: ${marks.length ? marks.length + " marks" : "empty"}${inside.length < marks.length ? " off" : ""}`);
}
const table = document.getElementById("t-E1");
const column = (index) => [...table.tBodies[0].rows].map((row) => Number((row.cells[index].dataset.v ?? row.cells[index].textContent).replaceAll(",", "")));
const ordered = (list, sign) => list.every((value, i) => !i || sign * (value - list[i - 1]) >= 0);
const head = table.tHead.rows[0].cells[1];
head.querySelector("button").click();
found.push(`sorted down: ${ordered(column(1), -1) && head.getAttribute("aria-sort") === "descending"}`);
head.querySelector("button").click();
found.push(`sorted up: ${ordered(column(1), 1) && head.getAttribute("aria-sort") === "ascending"}`);
const shown = (element) => element.getClientRects().length > 0;
const box = document.querySelector("input[name=config][value=honeypot]");
box.click();
found.push(`honeypot hidden: ${!shown(table.tHead.rows[0].cells[3]) && shown(table.tHead.rows[0].cells[1]) && !shown(document.getElementById("f-E12-honeypot"))}`);
box.click();
const proto = document.getElementById("proto");
proto.value = "tcp";
proto.dispatchEvent(new Event("change"));
found.push(`udp hidden: ${!shown(document.getElementById("f-E9-udp")) && shown(document.getElementById("f-E9-tcp"))}`);
proto.value = "";
proto.dispatchEvent(new Event("change"));
const theme = document.getElementById("theme");
const ground = () => getComputedStyle(document.body).backgroundColor + getComputedStyle(document.querySelector("#f-E1 rect")).fill;
const light = ground();
theme.value = "dark";
theme.dispatchEvent(new Event("change"));
found.push(`dark: ${ground() !== light && ground().startsWith("rgb(21, 24, 28)") && ground().endsWith("rgb(21, 24, 28)")}`);
const mark = document.querySelector("#f-E1 rect > title").parentNode;
const says = mark.querySelector("title").textContent;
mark.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
const tip = document.getElementById("tip");
found.push(`tooltip: ${!tip.hidden && tip.textContent === says}`);
const long = document.querySelector("[data-more]");
long.click();
found.push(`every row: ${[...document.getElementById(long.dataset.more).tBodies[0].rows].every((row) => row.getClientRects().length > 0 || !shown(row.closest("details") ?? row))}`);
found.push(`labelled controls: ${all("input, select").every((input) => input.labels.length === 1) && all("button").every((button) => button.textContent.trim())}`);
found.push(`scrolls sideways: ${document.documentElement.scrollWidth > document.documentElement.clientWidth}`);
found.push(`figures cut off: ${all("figure svg").some((svg) => svg.getBoundingClientRect().right > document.documentElement.clientWidth + 1)}`);
const pre = document.createElement("pre");
pre.id = "found";
pre.textContent = found.join("\n");
document.body.append(pre);
"##;
