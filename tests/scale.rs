//! A simulated capture against its own truth: what is exact must be exact, and what cannot be is held within bounds.

use probeline_testkit::{Bash, workspace};
use serde_json::Value;

/// Flows that are it in truth, and precision and recall in per cent.
fn of(figures: &Value, what: &str, label: &str) -> (u64, f64, f64) {
    let entry = &figures[what][label];
    let number = |name: &str| entry[name].as_u64().unwrap_or(0);
    let part = |whole: &str| 100.0 * number("right") as f64 / number(whole).max(1) as f64;
    (number("true"), part("called"), part("true"))
}

#[test]
fn the_truth_is_found_again() {
    let script = format!("{}/scripts/docs/accuracy-at-scale --check --packets 120000", workspace().display());
    // The tools, by name, so that they are compiled before.
    let tools = "pcap-sim pkt2csv scan-classify scan-group fingerprint";
    let output = Bash::new(&format!(": {tools}\n{script}")).run();
    let results: Value = serde_json::from_slice(&output.code(0).stdout).expect("JSON");
    let [passive, honeypot] = results.as_array().expect("two captures").as_slice() else {
        panic!("{results}");
    };
    for figures in [passive, honeypot] {
        let flows = figures["flows"].as_u64().expect("a number");
        assert!(flows > 20_000, "{flows} flows prove little");
        // Class, technique, handshake, packets and sessions follow from rules: not one may differ.
        assert_eq!(figures["unpaired"], 0);
        assert_eq!(figures["packets_right"], flows);
        assert_eq!(figures["wrong"], Value::Array(Vec::new()));
        let sessions = figures["sessions"].as_array().expect("in truth, written, same");
        assert!(sessions[0].as_u64() > Some(500) && sessions[0] == sessions[1] && sessions[1] == sessions[2]);
        // Marks are a matter of chance where they have 16 bits.
        for tool in ["zmap", "masscan", "mirai", "os-stack"] {
            let (count, precision, recall) = of(figures, "tool", tool);
            // Most of masscan's datagrams have no mark at all.
            let least = if tool == "masscan" { 90.0 } else { 99.5 };
            assert!(precision > 99.9 && recall > least, "{tool}: {count} probes, {precision} {recall}");
        }
        for technique in ["syn", "udp", "icmp-echo"] {
            assert!(of(figures, "technique", technique).0 > 200, "{technique} is missing");
        }
    }
    for handshake in ["completed", "refused", "reset", "unanswered"] {
        assert!(of(honeypot, "handshake", handshake).0 > 300, "{handshake} is missing");
    }
}
