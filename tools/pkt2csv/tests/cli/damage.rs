//! Damaged input: every packet that can be read, the place of the damage, and the exit code.

use probeline_testkit::bundled;
use tempfile::TempDir;

use crate::frames;
use crate::run::{piped, run};

/// Length of a record of [`frames::one_a_second`]: header, Ethernet, IPv4, TCP.
const RECORD: usize = 16 + 54;

#[test]
fn a_cut_capture_gives_the_packets_before_the_cut() {
    let scratch = TempDir::new().expect("a folder");
    let whole = frames::one_a_second(1_700_000_000, 20, 7);
    let expected = piped(["--columns", "ts,dst_port"], &whole).code(0).text();
    for cut in [24 + 1, 24 + RECORD - 1, 24 + 7 * RECORD + 3, 24 + 7 * RECORD + 30, whole.len() - 1] {
        let file = scratch.path().join("cut.pcap");
        std::fs::write(&file, &whole[..cut]).expect("a file");
        let packets = (cut - 24) / RECORD;
        let place = format!(
            "{}: input ends inside a record, after packet {packets} at byte {}",
            file.display(),
            24 + packets * RECORD
        );
        let lines: Vec<&str> = expected.lines().take(packets + 1).collect();
        for threads in ["1", "2"] {
            let args = ["--threads", threads, "--columns", "ts,dst_port", &file.display().to_string()]
                .map(str::to_owned);
            let ran =
                run(args).code(1).says(&place).says(&format!("{packets} packets read = {packets} rows"));
            assert_eq!(ran.text().lines().collect::<Vec<_>>(), lines, "cut at {cut}");
        }
    }
}

#[test]
fn an_absurd_length_costs_no_other_packet() {
    let mut capture = frames::one_a_second(1_700_000_000, 20, 7);
    let at = 24 + 5 * RECORD;
    capture[at + 8..at + 12].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    let ran = piped(["--columns", "dst_port"], &capture).code(1);
    let ran = ran
        .says("<stdin>: impossible captured length 2147483647, after packet 5 at byte 374, 70 bytes skipped");
    let ports: Vec<String> = (0..20).filter(|port| *port != 5).map(|port| port.to_string()).collect();
    assert_eq!(ran.table().column("dst_port"), ports);
}

#[test]
fn damage_to_compressed_data_is_named_with_its_place() {
    let plain = std::fs::read(bundled("lab-honeypot.pcap")).expect("a capture");
    let packed = zstd::encode_all(&plain[..], 3).expect("memory");
    let whole = piped::<&str>([], &plain).code(0).text();
    let ran = piped::<&str>([], &packed[..packed.len() / 2]).code(1).says("zstd data damaged at its byte");
    let kept = ran.text();
    assert!(whole.starts_with(&kept) && kept.len() > 100, "{} of {} bytes", kept.len(), whole.len());
}

#[test]
fn what_is_no_capture_is_refused() {
    for (what, bytes, said) in [
        ("nothing", &b""[..], "<stdin>: empty input"),
        ("text", b"hello, I am not a capture at all\n", "<stdin>: not a capture file: begins with"),
        (
            "half a header",
            &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0],
            "<stdin>: pcap file header cut short: 6 of 24 bytes",
        ),
        ("empty gzip", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0], "empty input"),
    ] {
        let ran = piped::<&str>([], bytes).code(2).says(said);
        assert!(ran.out.is_empty(), "{what}: {}", ran.text());
    }
    run(["no-such-file.pcap"]).code(2).says("no-such-file.pcap");
    run(["/"]).code(2).says("is a directory");
}

/// A capture that cannot be read stops the run, but what came before it is written.
#[test]
fn a_later_file_that_cannot_be_read_leaves_the_rows_before_it() {
    let scratch = TempDir::new().expect("a folder");
    let good = scratch.path().join("good.pcap");
    std::fs::write(&good, frames::one_a_second(1_700_000_000, 3, 7)).expect("a file");
    let bad = scratch.path().join("bad.pcap");
    std::fs::write(&bad, "not a capture").expect("a file");
    for threads in ["1", "2"] {
        let ran =
            run([good.display().to_string(), bad.display().to_string(), format!("--threads={threads}")])
                .code(2);
        let ran = ran.says("bad.pcap: not a capture file").says("3 packets read = 3 rows + 0 skipped");
        assert_eq!(ran.table().len(), 3);
    }
}

#[test]
fn a_capture_without_packets_is_a_header() {
    let capture = frames::one_a_second(1_700_000_000, 0, 7);
    let ran = piped(["--columns", "ts,ttl"], &capture).code(0).says("0 packets read = 0 rows + 0 skipped");
    assert_eq!(ran.text(), "ts,ttl\n");
    let ran = piped(["--columns", "ts,ttl", "--format", "ndjson"], &capture).code(0);
    assert_eq!(ran.text(), "");
}
