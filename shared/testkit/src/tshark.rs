//! Wireshark's decode as a second witness.

use std::path::Path;
use std::process::Command;

use crate::skipped;

/// What would change the fields of one packet by what is known of others is turned off, checksums are
/// verified.
const PREFERENCES: [&str; 7] = [
    "tcp.relative_sequence_numbers:FALSE",
    "tcp.desegment_tcp_streams:FALSE",
    "ip.defragment:FALSE",
    "ip.check_checksum:TRUE",
    "tcp.check_checksum:TRUE",
    "udp.check_checksum:TRUE",
    "sctp.checksum:CRC 32c",
];

/// The values of these display fields for every packet of a capture, by tshark; of a field that occurs more
/// than once in a packet, the first. `None`, with a visible line, where tshark is not installed.
///
/// # Panics
/// When tshark cannot read the file at all.
pub fn tshark(file: &Path, fields: &[&str]) -> Option<Vec<Vec<String>>> {
    let mut command = Command::new("tshark");
    for preference in PREFERENCES {
        command.args(["-o", preference]);
    }
    command.args(["-n", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=f"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = match command.arg("-r").arg(file).env("TZ", "UTC").env("LC_ALL", "C").output() {
        Ok(output) => output,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            skipped("comparison with tshark", "tshark is not installed");
            return None;
        }
        Err(e) => panic!("tshark: {e}"),
    };
    // A capture that ends inside a packet is an error to tshark, after it has written all packets before.
    assert!(
        output.status.success() || !output.stdout.is_empty(),
        "tshark {}: {}",
        file.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    Some(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}
