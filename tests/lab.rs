//! Captures of the laboratory against their ground truth: the commands that made them, written down before
//! any packet was looked at. Each command's targets, technique and the fate of its handshakes are recovered
//! from the capture alone: from the bundled pair, and from one that is recorded here and now with `pcap-cap`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use probeline_pipelines::may_make_networks;
use probeline_testkit::{Bash, Row, Table, addresses, bundled, ports, skipped, workspace};

const TELESCOPE: [&str; 2] = ["203.0.113.10-203.0.113.34", "2001:db8:113::/125"];

/// The members of a list such as `89.160.20.1-9 12.90.1.2`: a range names the last part of its end only.
fn listed(text: &str) -> BTreeSet<IpAddr> {
    text.split_whitespace()
        .flat_map(|part| match part.split_once('-') {
            None => addresses(part),
            Some((first, end)) => {
                let keep = first.rfind([':', '.']).expect("an address has parts") + 1;
                addresses(&format!("{first}-{}{end}", &first[..keep]))
            }
        })
        .collect()
}

struct Lab {
    truth: Table,
    probes: Table,
    honeypot: bool,
}

impl Lab {
    /// `capture` is `lab-CONFIG.pcap`, with `lab-CONFIG.truth.csv` beside it.
    fn new(capture: &Path, telescope: bool) -> Self {
        let truth = std::fs::read_to_string(capture.with_extension("truth.csv")).expect("beside it");
        let options = if telescope {
            TELESCOPE.map(|set| format!("--telescope {set}")).join(" ")
        } else {
            String::new()
        };
        let script = format!("pkt2csv \"$file\" | scan-classify --class all {options}");
        let output = Bash::new(&script).env("file", capture).run();
        let probes = output.code(0).table();
        let truth = Table::parse(&truth).expect("rows");
        assert!(truth.len() > 40, "a truth of few lines proves little");
        Self { truth, probes, honeypot: capture.ends_with("lab-honeypot.pcap") }
    }

    /// The flows that a command opened.
    fn of(&self, line: Row<'_>) -> Table {
        let sources = listed(line.get("sources").expect("a source"));
        let (start, end) = (seconds(line.get("start")), seconds(line.get("end")));
        self.probes.select(|row| {
            let src: IpAddr = row.get("src_ip").expect("src_ip").parse().expect("an address");
            let ts = seconds(row.get("ts"));
            sources.contains(&src) && start <= ts && ts <= end
        })
    }

    fn check(&self, line: Row<'_>, faults: &mut Vec<String>) {
        let name = line.get("id").expect("id").to_owned();
        let of_class = self.of(line).filter("class", line.get("class").expect("class"));
        let technique = line.get("technique");
        let rows = of_class.select(|row| {
            let completed = technique == Some("syn") && row.get("technique") == Some("connect");
            // What a command probes by IP protocol number reaches TCP and its like with techniques of their
            // own.
            line.get("proto") == Some("ip") || row.get("technique") == technique || completed
        });
        let mut same = |what: &str, found: String, stated: String| {
            if found != stated {
                faults.push(format!("{name}: {what}: found {found}, stated {stated}"));
            }
        };
        let show = |set: &BTreeSet<String>| set.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let column = |name: &str| -> BTreeSet<String> {
            rows.column(name).into_iter().filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
        };
        let stated = |name: &str| -> BTreeSet<String> {
            listed(line.get(name).unwrap_or("")).iter().map(ToString::to_string).collect()
        };
        same("sources", show(&column("src_ip")), show(&stated("sources")));
        // A shard chooses among the targets, so its line states no count.
        if line.get("dst_count").is_some() {
            same("destinations", show(&column("dst_ip")), show(&stated("dsts")));
        }
        let by_protocol = line.get("proto") == Some("ip");
        let port = if by_protocol { "proto" } else { "dst_port" };
        if let Some(list) = line.get("ports") {
            let stated: BTreeSet<String> =
                ports(list).into_iter().map(protocol_or_port(by_protocol)).collect();
            same("ports", show(&column(port)), show(&stated));
            if let Some(count) = line.get("target_count") {
                let targets: BTreeSet<_> =
                    rows.rows().map(|row| (row.get("dst_ip"), row.get(port))).collect();
                same("targets", targets.len().to_string(), count.to_owned());
            }
        }
        if let Some(stack) = line.get("syn_stack") {
            same("syn_stack", rows.distinct("syn_stack").join(" "), stack.to_owned());
        }
        if let Some(fate) = line.get("open_handshake").filter(|_| self.honeypot) {
            let ended = rows.filter("handshake", fate);
            let open: BTreeSet<_> =
                ended.rows().map(|row| (row.get("dst_ip"), row.get("dst_port"))).collect();
            same(
                &format!("targets {fate}"),
                open.len().to_string(),
                line.get("open_count").map_or_else(|| open.len().to_string(), str::to_owned),
            );
            if fate == "completed" {
                same("technique of those", ended.distinct("technique").join(" "), "connect".to_owned());
            }
        } else if line.get("proto") == Some("tcp") && technique == Some("syn") && !self.honeypot {
            same("handshake", rows.distinct("handshake").join(" "), "none".to_owned());
            same("technique", rows.distinct("technique").join(" "), "syn".to_owned());
        }
        // Sent by the command itself and answered by nothing: every packet is in one of its flows.
        if let Some(packets) = line.get("packets").filter(|_| !self.honeypot) {
            same("packets", rows.sum("packets").to_string(), packets.to_owned());
        }
    }

    /// Every handshake of every SYN scan: of each source and port, which destinations it ended how with. What
    /// is open ends as the command lets it, everything else is refused; on a silent telescope nothing answers.
    fn check_handshakes(&self, faults: &mut Vec<String>) {
        let mut stated = Fates::default();
        let mut found = Fates::default();
        let syns = |line: &Row<'_>| line.get("class") == Some("scan") && line.get("technique") == Some("syn");
        for line in self.truth.rows().filter(syns) {
            let sources = listed(line.get("sources").expect("a source"));
            let number = |name| line.get(name).and_then(|cell| cell.parse::<usize>().ok());
            let targets = number("target_count").expect("a SYN scan has targets");
            // Where sources share the targets, or commands do, only all of them together are known.
            let each = line.get("dst_count").is_some()
                && (sources.len() == 1 || number("packets") == Some(targets * sources.len()));
            let name = if line.get("dst_count").is_some() { line.get("id") } else { line.get("campaign") };
            let who = |src: &str| {
                let who = name.expect("a name");
                if each { format!("{who} {src}") } else { who.to_owned() }
            };
            let open: BTreeSet<u16> =
                line.get("open_ports").map(ports).unwrap_or_default().into_iter().collect();
            for port in ports(line.get("ports").expect("a SYN scan has ports")) {
                let fate = match (self.honeypot, open.contains(&port)) {
                    (false, _) => "none",
                    (true, false) => "refused",
                    (true, true) => line.get("open_handshake").expect("stated where something is open"),
                };
                for src in &sources {
                    let of = stated.entry((who(&src.to_string()), port.to_string())).or_default();
                    of.entry(fate.to_owned()).or_default().extend(
                        listed(line.get("dsts").expect("destinations")).iter().map(ToString::to_string),
                    );
                }
            }
            let rows = self.of(line).filter("class", "scan");
            for row in rows.rows().filter(|row| row.get("handshake").is_some()) {
                let of = |name| row.get(name).unwrap_or("").to_owned();
                let fates = found.entry((who(&of("src_ip")), of("dst_port"))).or_default();
                fates.entry(of("handshake")).or_default().insert(of("dst_ip"));
                let technique = if of("handshake") == "completed" { "connect" } else { "syn" };
                if of("technique") != technique {
                    faults.push(format!("{name:?}: {} for a handshake {}", of("technique"), of("handshake")));
                }
            }
        }
        assert!(stated.len() > 250, "few sources and ports prove little: {}", stated.len());
        for key in stated.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
            let (found, stated) = (found.get(key), stated.get(key));
            if found != stated {
                faults.push(format!("handshakes of {key:?}: found {found:?}, stated {stated:?}"));
            }
        }
    }
}

/// Of a source (or several that share their targets) and a port: the destinations by how the handshake ended.
type Fates = BTreeMap<(String, String), BTreeMap<String, BTreeSet<String>>>;

/// Names of the protocols that rows call by name (IANA protocol numbers).
fn protocol_or_port(by_protocol: bool) -> impl Fn(u16) -> String {
    move |number| match (by_protocol, number) {
        (true, 1) => "icmp".to_owned(),
        (true, 6) => "tcp".to_owned(),
        (true, 17) => "udp".to_owned(),
        (true, 58) => "icmp6".to_owned(),
        (true, 132) => "sctp".to_owned(),
        _ => number.to_string(),
    }
}

/// Nanoseconds of a decimal number of seconds.
fn seconds(cell: Option<&str>) -> u64 {
    let (whole, fraction) = cell.expect("a time").split_once('.').expect("a fraction");
    assert!(matches!(fraction.len(), 6 | 9), "microseconds or nanoseconds");
    format!("{whole}{fraction:0<9}").parse().expect("a time")
}

/// What differs between a capture and its truth.
fn faults(capture: &Path, telescope: bool) -> Vec<String> {
    let lab = Lab::new(capture, telescope);
    let mut faults = Vec::new();
    for line in lab.truth.rows() {
        lab.check(line, &mut faults);
    }
    lab.check_handshakes(&mut faults);
    faults
}

fn check(name: &str, telescope: bool) {
    let faults = faults(&bundled(&format!("{name}.pcap")), telescope);
    assert!(faults.is_empty(), "{name}: {} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn passive() {
    check("lab-passive", true);
}

#[test]
fn passive_without_a_telescope() {
    check("lab-passive", false);
}

#[test]
fn honeypot() {
    check("lab-honeypot", true);
}

#[test]
fn honeypot_without_a_telescope() {
    check("lab-honeypot", false);
}

/// Why nothing can be recorded here; the programs are what `scripts/setup/packages lab` installs.
fn no_lab() -> Option<String> {
    if !may_make_networks() {
        return Some("no network namespaces here (needs root)".to_owned());
    }
    let programs = ["nmap", "masscan", "zmap", "hping3", "nginx", "vsftpd", "dnsmasq", "ethtool", "tshark"];
    let missing = programs.into_iter().filter(|program| {
        let found = ["/usr/bin", "/usr/sbin"].into_iter().any(|dir| Path::new(dir).join(program).exists());
        !found
    });
    let missing: Vec<_> = missing.collect();
    if !missing.is_empty() {
        return Some(format!("no {}; scripts/setup/packages lab installs them", missing.join(", ")));
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    let cowrie = target.join("lab/cowrie/cowrie.txt");
    (!cowrie.exists()).then(|| "no Cowrie; scripts/setup/cowrie installs it".to_owned())
}

/// Both configurations recorded anew, all scanners at once: `check-capture`, which is part of the recording,
/// holds the packets against the commands with tshark, and the pipeline finds what was run.
#[test]
fn a_fresh_recording() {
    if let Some(why) = no_lab() {
        return skipped("a_fresh_recording", &why);
    }
    let lab = Bash::new(
        "# pcap-cap records, timeout ends all of it in good order\n\
         timeout --kill-after=20 300 \"$make_capture\" -q -o \"$PWD\"",
    )
    .env("make_capture", workspace().join("scripts/lab/make-capture"))
    .within(Duration::from_secs(360));
    let recorded = lab.run();
    recorded.code(0);
    assert_eq!(recorded.out().matches(" 0 differences").count(), 2, "{}", recorded.report());
    let mut all = Vec::new();
    for name in ["lab-passive.pcap", "lab-honeypot.pcap"] {
        for telescope in [true, false] {
            let faults = faults(&lab.scratch().join(name), telescope);
            all.extend(faults.iter().map(|fault| format!("{name}, telescope {telescope}: {fault}")));
        }
    }
    assert!(all.is_empty(), "{} faults:\n{}\n{}", all.len(), all.join("\n"), recorded.report());
}
