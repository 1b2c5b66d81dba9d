//! Ways in: files, stdin, compression, several captures, filters, threads.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[cfg(feature = "filter")]
use probeline_testkit::captures;
use probeline_testkit::pcap::Precision;
use probeline_testkit::{bundled, skipped};
use tempfile::TempDir;

use crate::frames;
use crate::run::{finish, piped, pkt2csv, run, well_formed};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).expect("memory");
    out.finish().expect("memory")
}

fn save(scratch: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = scratch.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    path
}

fn strings(paths: &[&Path]) -> Vec<String> {
    paths.iter().map(|path| path.display().to_string()).collect()
}

#[test]
fn every_way_in_gives_the_same_rows() {
    let scratch = TempDir::new().expect("a folder");
    let plain = std::fs::read(bundled("lab-honeypot.pcap")).expect("a capture");
    let zst = zstd::encode_all(&plain[..], 3).expect("memory");
    let expected = run([bundled("lab-honeypot.pcap")]).code(0);
    assert!(expected.err.contains("packets read = "));
    assert!(expected.out.len() > 500_000, "{}", expected.out.len());
    let forms =
        [("plain", plain.clone()), ("gz", gzip(&plain)), ("zst", zst), ("twice", gzip(&gzip(&plain)))];
    for (name, bytes) in forms {
        // The name says nothing; the first bytes do.
        let file = save(&scratch, name, &bytes);
        assert!(run([&file]).code(0).out == expected.out, "{name} from a file");
        assert!(piped(["-"], &bytes).code(0).out == expected.out, "{name} from a pipe as -");
        let mut command = pkt2csv::<&str>([]);
        command.stdin(File::open(&file).expect("a file"));
        assert!(finish(command, &[]).code(0).out == expected.out, "{name} from a file on stdin");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    for file in well_formed("any_number_of_threads_gives_the_same_bytes") {
        let one = run([Path::new("--threads"), Path::new("1"), &file]);
        for threads in ["2", "3", "8"] {
            let more = run([Path::new("--threads"), Path::new(threads), &file]);
            assert_eq!(one.code, more.code, "{}", file.display());
            assert!(one.out == more.out, "{} with {threads} threads", file.display());
            let last = |err: &str| err.lines().find(|line| line.contains("packets read")).map(str::to_owned);
            assert_eq!(last(&one.err), last(&more.err));
        }
    }
}

#[test]
fn several_captures_come_in_the_order_given() {
    let scratch = TempDir::new().expect("a folder");
    let (early, late) =
        (frames::one_a_second(1_700_000_000, 5, 1), frames::one_a_second(1_700_000_100, 5, 2));
    let (early, late) = (save(&scratch, "early", &early), save(&scratch, "late", &late));
    let ports = |files: &[&Path]| {
        let ran =
            run(["--columns".to_owned(), "src_port".to_owned()].into_iter().chain(strings(files))).code(0);
        ran.says("10 packets read = 10 rows + 0 skipped").table().column("src_port").concat()
    };
    assert_eq!(ports(&[&early, &late]), "1111122222");
    assert_eq!(ports(&[&late, &early]), "2222211111");
    let said = "begins before the end of";
    assert!(!run([&early, &late]).err.contains(said));
    let ran = run([&late, &early, &late, &early]).code(0);
    let hint =
        format!("{} {said} {}; --merge puts packets in order of time", early.display(), late.display());
    assert_eq!(ran.err.matches(said).count(), 1, "once is enough: {}", ran.err);
    ran.says(&hint);
    assert!(!run([Path::new("--merge"), &late, &early]).err.contains(said));
}

#[test]
fn merging_puts_captures_in_order_of_time() {
    let scratch = TempDir::new().expect("a folder");
    let captures: Vec<PathBuf> = [(0, 7), (3, 50), (100, 2), (1, 9)]
        .iter()
        .zip(1..)
        .map(|((start, count), port)| {
            let bytes = frames::one_a_second(1_700_000_000 + start, *count, port);
            save(&scratch, &port.to_string(), &if port == 2 { gzip(&bytes) } else { bytes })
        })
        .collect();
    let args = ["--columns", "ts,src_port,dst_port"].map(str::to_owned);
    let files = captures.iter().map(|path| path.display().to_string());
    let chained = run(args.iter().cloned().chain(files.clone())).code(0);
    let merged = run(args.iter().cloned().chain(["--merge".to_owned()]).chain(files))
        .code(0)
        .says("68 packets read = 68 rows");
    // At equal times the capture that was named first comes first, which is what a stable sort does.
    let text = chained.text();
    let mut lines: Vec<&str> = text.lines().skip(1).collect();
    lines.sort_by_key(|line| line.split(',').next());
    let text = merged.text();
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), lines);
}

#[cfg(feature = "filter")]
fn installed(program: &str, test: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        skipped(test, &format!("{program} is not installed"));
    }
    found
}

/// tcpdump counts the same packets.
#[cfg(feature = "filter")]
#[test]
fn a_filter_lets_through_what_tcpdump_lets_through() {
    const TEST: &str = "a_filter_lets_through_what_tcpdump_lets_through";
    if !installed("tcpdump", TEST) {
        return;
    }
    let mut files = vec![bundled("lab-passive.pcap"), bundled("lab-honeypot.pcap")];
    if let Some(collection) = captures(TEST) {
        let chosen =
            ["ddos/OISF_suricata-verify__denial6-5.pcap", "telescope/initconf_scan-NG__23-tcp-scan.pcap"];
        files.extend(chosen.map(|name| collection.join("real").join(name)));
    }
    for file in files {
        for expression in [
            "tcp[tcpflags] == tcp-syn",
            "udp port 53 or icmp",
            "ip6",
            "not net 203.0.113.0/24 and greater 60",
            "portrange 1-1023 and len > 58",
            "src host 2001:db8:113::1 or tcp dst port 22",
        ] {
            let output =
                Command::new("tcpdump").args(["-nn", "--count", "-r"]).arg(&file).arg(expression).output();
            let text = String::from_utf8_lossy(&output.expect("tcpdump").stdout).into_owned();
            let counted: u64 = text.split_whitespace().next().and_then(|n| n.parse().ok()).expect("a count");
            let ran = run([Path::new("--filter"), Path::new(expression), &file]).code(0);
            let line = ran.err.lines().find(|line| line.contains("packets read = ")).expect("an account");
            let number = |name: &str| -> u64 {
                let words: Vec<&str> = line.split_whitespace().collect();
                let at = words.windows(2).find(|pair| pair[1] == name).expect("a part");
                at[0].parse().expect("a number")
            };
            // Rows and what gave no row passed the filter.
            assert_eq!(
                number("rows") + number("skipped"),
                counted,
                "{} {expression}: {line}",
                file.display()
            );
            assert_eq!(ran.table().len() as u64, number("rows"));
        }
    }
}

/// Built without libpcap there are no filters, and a run that asks for one is refused instead of unfiltered.
#[cfg(not(feature = "filter"))]
#[test]
fn a_filter_is_refused_where_it_was_not_compiled_in() {
    let ran = run([Path::new("--filter"), Path::new("tcp"), &bundled("lab-passive.pcap")]).code(2);
    assert!(ran.out.is_empty());
    ran.says("--filter: this pkt2csv was built without libpcap");
}

#[test]
fn a_reader_that_hangs_up_is_no_failure() {
    for threads in ["1", "2"] {
        let mut command =
            pkt2csv([Path::new("--threads"), Path::new(threads), &bundled("lab-honeypot.pcap")]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut rows = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        rows.read_line(&mut line).expect("a header");
        assert!(line.starts_with("ts,src_ip,"));
        drop(rows);
        assert_eq!(child.wait().expect("its end").code(), Some(0));
        let mut err = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
        assert_eq!(err, "");
    }
}

/// What comes through a pipe is written when it comes, not when a buffer is full.
#[test]
fn rows_of_a_live_pipe_come_at_once() {
    let capture = frames::one_a_second(1_700_000_000, 2, 9);
    let second = capture.len() - 16 - 54;
    let mut child = pkt2csv(["--columns", "dst_port"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().expect("piped");
    let mut rows = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut next = || rows.next().map(|line| line.expect("text"));
    pipe.write_all(&capture[..second]).expect("it reads");
    assert_eq!((next().as_deref(), next().as_deref()), (Some("dst_port"), Some("0")));
    pipe.write_all(&capture[second..]).expect("it reads");
    assert_eq!(next().as_deref(), Some("1"));
    drop(pipe);
    assert_eq!(next(), None);
    assert_eq!(child.wait().expect("its end").code(), Some(0));
}

#[test]
fn times_have_nanoseconds_where_the_capture_has() {
    let ran = piped(["--columns", "ts"], &frames::capture(Precision::Nanos)).code(0);
    assert!(ran.text().lines().nth(2).is_some_and(|line| line == "1700000001.000001001"), "{}", ran.text());
    let ran = piped(["--columns", "ts"], &frames::capture(Precision::Micros)).code(0);
    assert!(ran.text().lines().nth(2).is_some_and(|line| line == "1700000001.000001"), "{}", ran.text());
}

/// `script` lends a terminal: a bar with size and rate for people there, none with --quiet, none without one.
#[test]
fn a_bar_is_shown_to_people_only() {
    if Command::new("script").arg("--version").output().is_err() {
        return skipped("a_bar_is_shown_to_people_only", "script is not installed");
    }
    let capture = bundled("lab-honeypot.pcap").display().to_string();
    let on_terminal = |args: &str| {
        let tool = env!("CARGO_BIN_EXE_pkt2csv");
        let line = format!("stty cols 100; '{tool}' {args} '{capture}' > /dev/null");
        let mut command = Command::new("script");
        command.args(["-q", "-e", "-c", &line, "/dev/null"]).stdin(Stdio::null());
        finish(command, &[]).code(0).text()
    };
    let (shown, quiet) = (on_terminal(""), on_terminal("--quiet"));
    assert!(shown.contains(" of 569.94 KiB (") && shown.contains("left)"), "{shown:?}");
    assert!(shown.contains("packets read = ") && quiet.starts_with("pkt2csv: "), "{quiet:?}");
    assert!(!run([bundled("lab-honeypot.pcap")]).err.contains("KiB"));
}
