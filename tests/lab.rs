//! The bundled captures against their ground truth: the commands that made them, written down before any
//! packet was looked at. Each command's targets, technique and the fate of its handshakes are recovered from
//! the capture alone.

use std::collections::BTreeSet;
use std::net::IpAddr;

use probeline_testkit::{Bash, Row, Table, addresses, bundled, ports};

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
    fn new(name: &str, telescope: bool) -> Self {
        let truth = std::fs::read_to_string(bundled(&format!("{name}.truth.csv"))).expect("bundled");
        let options = if telescope {
            TELESCOPE.map(|set| format!("--telescope {set}")).join(" ")
        } else {
            String::new()
        };
        let script = format!("pkt2csv \"$file\" | scan-classify --class all {options}");
        let output = Bash::new(&script).env("file", bundled(&format!("{name}.pcap"))).run();
        let probes = output.code(0).table();
        let truth = Table::parse(&truth).expect("bundled");
        assert!(truth.len() > 40, "a truth of few lines proves little");
        Self { truth, probes, honeypot: name.ends_with("honeypot") }
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
                line.get("open_count").unwrap_or("0").to_owned(),
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
}

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

/// Microseconds of a decimal number of seconds.
fn seconds(cell: Option<&str>) -> u64 {
    let (whole, fraction) = cell.expect("a time").split_once('.').expect("six decimals");
    assert_eq!(fraction.len(), 6, "six decimals");
    format!("{whole}{fraction}").parse().expect("a time")
}

fn check(name: &str, telescope: bool) {
    let lab = Lab::new(name, telescope);
    let mut faults = Vec::new();
    for line in lab.truth.rows() {
        lab.check(line, &mut faults);
    }
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
