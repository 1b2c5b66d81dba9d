//! Frames as tshark decodes them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Fields asked of tshark.
const NAMES: &[&str] = &[
    "frame.protocols",
    "frame.encap_type",
    "frame.time_epoch",
    "frame.interface_id",
    "frame.cap_len",
    "frame.len",
    "ip.src",
    "ip.dst",
    "ip.proto",
    "ip.len",
    "ip.hdr_len",
    "ip.id",
    "ip.ttl",
    "ip.dsfield",
    "ip.flags.df",
    "ip.flags.mf",
    "ip.frag_offset",
    "ip.checksum.status",
    "ipv6.src",
    "ipv6.dst",
    "ipv6.nxt",
    "ipv6.plen",
    "ipv6.hlim",
    "ipv6.tclass",
    "ipv6.opt.jumbo",
    "ipv6.fraghdr.offset",
    "ipv6.fraghdr.more",
    "vlan.id",
    "ieee8021ad.id",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.hdr_len",
    "tcp.flags",
    "tcp.window_size_value",
    "tcp.checksum.status",
    "tcp.urgent_pointer",
    "tcp.len",
    "tcp.payload",
    "tcp.option_kind",
    "tcp.options.mss_val",
    "tcp.options.wscale.shift",
    "tcp.options.timestamp.tsval",
    "tcp.options.timestamp.tsecr",
    "udp.srcport",
    "udp.dstport",
    "udp.length",
    "udp.checksum",
    "udp.checksum.status",
    "udp.payload",
    "icmp.type",
    "icmp.code",
    "icmp.checksum.status",
    "icmp.ident",
    "icmp.seq",
    "icmpv6.type",
    "icmpv6.code",
    "icmpv6.checksum.status",
    "icmpv6.echo.identifier",
    "icmpv6.echo.sequence_number",
    "sctp.srcport",
    "sctp.dstport",
    "sctp.checksum.status",
];

/// What joins several packets into one picture is off, checksums are verified.
const PREFERENCES: [&str; 11] = [
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "ip.check_checksum:TRUE",
    "tcp.check_checksum:TRUE",
    "udp.check_checksum:TRUE",
    "sctp.checksum:CRC 32c",
    "tcp.relative_sequence_numbers:FALSE",
    "tcp.desegment_tcp_streams:FALSE",
    "tcp.analyze_sequence_numbers:FALSE",
    "tcp.track_bytes_in_flight:FALSE",
    "tcp.no_subdissector_on_error:TRUE",
];

/// One frame: the line that tshark wrote of it, and where each field begins and ends in it.
#[derive(Debug)]
pub(crate) struct Row {
    line: String,
    ends: Vec<u32>,
}

impl Row {
    fn new(line: String) -> Self {
        let ends = line.match_indices('\t').map(|(at, _)| at).chain([line.len()]);
        let ends = ends.map(|at| u32::try_from(at).expect("a short line")).collect();
        Self { line, ends }
    }

    /// Every occurrence of the field, as one text with commas.
    fn field(&self, name: &str) -> &str {
        let Some(at) = NAMES.iter().position(|known| *known == name) else { return "" };
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize + 1);
        &self.line[begin..self.ends[at] as usize]
    }

    /// Every occurrence.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.field(name).split(',').filter(|text| !text.is_empty()).collect()
    }

    /// The first occurrence, or nothing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.field(name).split(',').next().unwrap_or_default()
    }

    pub(crate) fn nth(&self, name: &str, nth: usize) -> Option<&str> {
        self.field(name).split(',').filter(|text| !text.is_empty()).nth(nth)
    }

    pub(crate) fn number(&self, name: &str, nth: usize) -> Option<u64> {
        let text = self.nth(name, nth)?;
        let parsed = match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => text.parse(),
        };
        match (parsed, text) {
            (Ok(number), _) => Some(number),
            (_, "True") => Some(1),
            (_, "False") => Some(0),
            _ => panic!("tshark wrote {text:?} for a number"),
        }
    }
}

pub(crate) fn tshark_is_installed() -> bool {
    Command::new("tshark").arg("--version").output().is_ok()
}

/// The frames of a file, and whether tshark found nothing wrong with it.
pub(crate) fn rows(path: &Path) -> (Vec<Row>, bool) {
    let mut command = Command::new("tshark");
    command.args(["-n", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,"]);
    for preference in PREFERENCES {
        command.args(["-o", preference]);
    }
    for name in NAMES {
        command.args(["-e", name]);
    }
    command.arg("-r").arg(path);
    command.env("TZ", "UTC").env("LC_ALL", "C").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("tshark");
    let lines = BufReader::new(child.stdout.take().expect("piped")).split(b'\n');
    let rows = lines.map(|line| Row::new(String::from_utf8_lossy(&line.expect("a pipe")).into_owned()));
    // Blocks of pcapng other than packets are frames to tshark, of no link type.
    let rows = rows.filter(|row| !row.text("frame.encap_type").is_empty()).collect();
    let whole = child.wait().expect("our own child").success();
    (rows, whole)
}
