//! tshark as a witness: the same packets, times and lengths.

use std::{fs::File, path::Path, process::Command};

use crate::{build::read, captures::collection, say};

/// What tshark says of each packet: seconds, captured and wire length. Nothing if it cannot be run or
/// complains. Blocks that are no packets get a frame too, without time and interface.
fn tshark(path: &Path) -> Option<Vec<(String, usize, u32)>> {
    let fields = ["frame.time_epoch", "frame.cap_len", "frame.len", "frame.interface_id"];
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(path).args(["-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = |line: &str| {
        let mut cells = line.split('\t');
        Some((cells.next()?.to_owned(), cells.next()?.parse().ok()?, cells.next()?.parse().ok()?))
    };
    let is_packet = |line: &&str| !(line.starts_with('\t') && line.ends_with('\t'));
    text.lines().filter(is_packet).map(line).collect()
}

#[test]
fn tshark_sees_the_same() {
    let Some(collection) = collection() else { return };
    if Command::new("tshark").arg("--version").output().is_err() {
        say("SKIPPED: no tshark");
        return;
    }
    // Link types, byte orders, fragments, compression; and the generated pcapng files, one per feature.
    let mut files: Vec<_> = std::fs::read_dir(collection.join("real/formats"))
        .expect("folder")
        .map(|f| f.expect("entry").path())
        .collect();
    let generated = |name: &str| name.contains("pcapng-test-generator") || name.contains("test-generator__");
    files.extend(
        std::fs::read_dir(collection.join("malformed"))
            .expect("folder")
            .map(|f| f.expect("entry").path())
            .filter(|path| path.file_name().is_some_and(|name| generated(&name.to_string_lossy()))),
    );
    files.sort();
    let mut compared = 0;
    for path in files {
        let Some(expected) = tshark(&path) else { continue };
        let got = read(File::open(&path).expect("open"));
        let seen: Vec<_> = got
            .packets
            .iter()
            .map(|packet| {
                let (sec, nanos) =
                    (packet.ts_nanos.div_euclid(1_000_000_000), packet.ts_nanos.rem_euclid(1_000_000_000));
                (format!("{sec}.{nanos:09}"), packet.data.len(), packet.wire_len)
            })
            .collect();
        // A Simple Packet Block has no time, and tshark leaves the cell empty or says 0.
        for (index, (seen, expected)) in seen.iter().zip(&expected).enumerate() {
            assert!(
                (seen.0 == expected.0 || expected.0.is_empty() && seen.0 == "0.000000000")
                    && (seen.1, seen.2) == (expected.1, expected.2),
                "{} packet {}: {seen:?}, tshark {expected:?}",
                path.display(),
                index + 1
            );
        }
        assert_eq!(seen.len(), expected.len(), "{}", path.display());
        compared += 1;
    }
    say(&format!("{compared} captures compared with tshark"));
    assert!(compared >= 10);
}
