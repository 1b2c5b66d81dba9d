use super::*;
use crate::tshark;

const HALF_OPEN: &str = r#"
name = "a half-open scan: one address answers on one port, the rest refuses"
telescope = ["198.51.100.1-198.51.100.3"]
start = "1700000000.000000250"
precision = "ns"

[[packets]]
at = 0.5
proto = "udp"
src = "203.0.113.9"
dst = "198.51.100.2"
dst_port = 53
payload = "?"
[[packets.then]]
after = 0.001
icmp = [3, 3]

[[scan]]
src = "203.0.113.7"
src_port = "40000-40001"
dst = "198.51.100.1-198.51.100.3"
dst_port = "22,80"
interval = 0.25
retransmit = [1]
options = "mss=1460"
id = 54321
[[scan.then]]
after = 0.000001
ports = "22"
dsts = "198.51.100.1"
flags = "SA"
[[scan.then]]
after = "0.000002"
from = "src"
ports = "22"
dsts = "198.51.100.1"
flags = "R"
[[scan.then]]
after = 0.000001
ports = "80"
flags = "RA"

[expect.answers]
others = true
rows = [{ flags = "SA", port = 22 }, { flags = "RA", port = 80, times = 3 }]
"#;

#[test]
fn tshark_sees_what_the_author_wrote() {
    let scenario = Scenario::parse(HALF_OPEN, "HALF_OPEN");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.pcap");
    scenario.write_pcap(&file);
    let fields = [
        "frame.time_epoch",
        "ip.src",
        "ip.dst",
        "tcp.srcport",
        "tcp.dstport",
        "tcp.flags",
        "ip.id",
        "ip.checksum.status",
        "tcp.checksum.status",
        "tcp.options.mss_val",
    ];
    let Some(rows) = tshark(&file, &fields) else { return };
    assert_eq!(rows.len(), 6 * 2 + 2 + 3 + 2);
    let tcp: Vec<_> = rows.iter().map(|row| row.join(" ")).collect();
    assert!(
        tcp[0].starts_with("1700000000.000000250 203.0.113.7 198.51.100.1 40000 22 0x0002 0xd431"),
        "{}",
        tcp[0]
    );
    assert!(tcp[0].ends_with(" 1460"), "{}", tcp[0]);
    assert!(
        tcp[1].starts_with("1700000000.000001250 198.51.100.1 203.0.113.7 22 40000 0x0012"),
        "{}",
        tcp[1]
    );
    assert!(
        tcp[2].starts_with("1700000000.000002250 203.0.113.7 198.51.100.1 40000 22 0x0004"),
        "{}",
        tcp[2]
    );
    assert!(tcp.iter().any(|row| row.contains("203.0.113.7 198.51.100.2 40001 22 0x0002")));
    assert_eq!(
        tcp.iter().filter(|row| row.contains(" 80 40000 0x0014") || row.contains(" 80 40001 0x0014")).count(),
        3
    );
}

#[test]
fn the_same_bytes_always() {
    let file = |text| Scenario::parse(text, "x").to_pcap();
    assert_eq!(file(HALF_OPEN), file(HALF_OPEN));
    assert_ne!(file(HALF_OPEN), file(&HALF_OPEN.replace("54321", "54322")));
}

#[test]
fn expectations_are_held_against_a_table() {
    let scenario = Scenario::parse(HALF_OPEN, "HALF_OPEN");
    assert_eq!(scenario.expects().collect::<Vec<_>>(), ["answers"]);
    assert_eq!(scenario.telescope(), "198.51.100.1-198.51.100.3");
    let good = Table::parse("flags,port\nSA,22\nRA,80\nRA,80\nR,1\nRA,80\n").unwrap();
    assert_eq!(scenario.check("answers", &good), Ok(()));
    let bad = scenario.check("answers", &Table::parse("flags,port\nSA,22\nRA,80\n").unwrap());
    assert!(bad.unwrap_err().contains("missing 2 of 3: flags=RA port=80"));
}

#[test]
fn a_frame_given_as_bytes_is_kept_and_cut() {
    let scenario = Scenario::parse(
        "name = 'x'\n[[packets]]\nhex = 'ffffffffffff 020000000001 0806 0001'\n\
         cut = 15\ntimes = 2\nevery = 1",
        "x",
    );
    let frames: Vec<_> = scenario.packets().iter().map(|p| (p.nanos, p.bytes.len(), p.wire_len)).collect();
    assert_eq!(frames, [(1_700_000_000_000_000_000, 15, 16), (1_700_000_001_000_000_000, 15, 16)]);
}

#[test]
#[should_panic(expected = "unknown field `tll`")]
fn a_misspelt_key_is_a_mistake() {
    Scenario::parse("name = 'x'\n[[packets]]\ntll = 3", "x");
}
