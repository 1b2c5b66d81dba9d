//! Every frame of every capture of the collection, field for field against tshark.
//!
//! tshark is the outside witness: [`fields::FIELDS`] says which of its fields must equal which of ours, [`layers`]
//! which of several values in one frame belongs to which packet, [`explained`] where it differs and why it may.

#![allow(
    clippy::panic,
    clippy::print_stderr,
    reason = "a test: it stops at what is wrong and says what it left out"
)]

mod explained;
mod fields;
mod layers;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use probeline_capfile::{Batch, PcapWriter, Reader};
use probeline_packet::{Options, Packet, Skip, decode};
use probeline_testkit::captures;

use fields::{FIELDS, Row};
use layers::Layers;

/// Frames compared of one file; the largest have more of the same.
const ENOUGH: usize = 30_000;

#[derive(Default)]
struct Tally {
    frames: usize,
    packets: usize,
    values: usize,
    explained: BTreeMap<&'static str, usize>,
    differences: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.frames += other.frames;
        self.packets += other.packets;
        self.values += other.values;
        for (reason, count) in other.explained {
            *self.explained.entry(reason).or_default() += count;
        }
        self.differences.extend(other.differences);
        self.differences.sort();
    }

    fn note(&mut self, place: &str, what: &str, ours: &str, theirs: &str) {
        self.differences.push(format!("{place}: {what}: ours {ours}, tshark {theirs}"));
    }

    fn frame(&mut self, place: &str, decoded: &Result<Packet<'_>, Skip>, row: &Row, inner: bool) {
        self.frames += 1;
        let layers = Layers::find(row, inner);
        let packet = match decoded {
            Ok(packet) => packet,
            Err(skip) => {
                if layers.ip.is_some() {
                    self.note(place, "frame", &skip.to_string(), "an IP packet");
                }
                return;
            }
        };
        self.packets += 1;
        if layers.ip.is_none() {
            self.note(place, "frame", "an IP packet", row.text("frame.protocols"));
            return;
        }
        for field in FIELDS {
            let theirs = (field.theirs)(row, &layers);
            let ours = (field.ours)(packet);
            self.values += usize::from(theirs.is_some());
            if ours == theirs {
                continue;
            }
            match explained::difference(field.name, packet, row, &layers, ours.as_deref(), theirs.as_deref())
            {
                Some(reason) => *self.explained.entry(reason).or_default() += 1,
                None => {
                    let show = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
                    self.note(place, field.name, &show(ours), &show(theirs));
                }
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let rows = fields::rows(path, ENOUGH);
        let mut reader = Reader::new(File::open(path).expect("open")).expect("a capture");
        let mut batch = Batch::new();
        let mut rows = rows.iter();
        while reader.read_batch(&mut batch).expect("read") {
            for (record, bytes) in batch.iter() {
                let Some(row) = rows.next() else { return };
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                for inner in [false, true] {
                    let opts = Options { inner, checksums: true };
                    let decoded = decode(record.link.0, bytes, record.wire_len, &opts);
                    let place = format!("{name} frame {} inner={inner}", record.number);
                    self.frame(&place, &decoded, row, inner);
                }
            }
        }
        assert_eq!(rows.len(), 0, "{}: tshark has more frames", path.display());
    }
}

fn files(collection: &Path) -> Vec<PathBuf> {
    let list = |folder: PathBuf| -> Vec<PathBuf> {
        let entries =
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        entries.map(|entry| entry.expect("entry").path()).collect()
    };
    let mut files = list(collection.join("lab"));
    for folder in list(collection.join("real")).into_iter().filter(|path| path.is_dir()) {
        if !folder.ends_with("truth") && !folder.ends_with("ground_truth") {
            files.extend(list(folder));
        }
    }
    files.retain(|path| path.file_name().is_some_and(|name| name != "INDEX.csv"));
    files.sort();
    files
}

/// All files, two at a time: tshark takes far longer than we do.
fn compare(files: &[PathBuf]) -> Tally {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut tally = Tally::default();
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            tally.file(file);
        }
        tally
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mut tally = work();
        tally.add(other.join().expect("the other half"));
        tally
    })
}

/// Says what was compared; differences without a reason are failures.
fn report(files: &[PathBuf], tally: &Tally) {
    eprintln!(
        "{} files, {} frames (each with and without tunnels), {} packets, {} values of tshark; explained: {:#?}",
        files.len(),
        tally.frames,
        tally.packets,
        tally.values,
        tally.explained
    );
    let shown: Vec<_> = tally.differences.iter().take(60).map(String::as_str).collect();
    assert!(shown.is_empty(), "{} differences:\n{}", tally.differences.len(), shown.join("\n"));
}

/// Every packet of a capture, cut at every byte, as one capture.
fn cut_everywhere(path: &Path, to: &Path) {
    let mut reader = Reader::new(File::open(path).expect("open")).expect("a capture");
    let mut batch = Batch::new();
    let mut frames = Vec::new();
    while reader.read_batch(&mut batch).expect("read") {
        frames.extend(batch.iter().map(|(record, bytes)| (*record, bytes.to_vec())));
    }
    let link = frames.first().expect("a packet").0.link;
    let out = BufWriter::new(File::create(to).expect("create"));
    let mut writer = PcapWriter::new(out, link, 65_535, false).expect("a file header");
    for (record, bytes) in frames.iter().take(400) {
        // The interesting headers are at the front, the application's data is not ours.
        for captured in 1..=bytes.len().min(140) {
            writer.write(record.ts_nanos, record.wire_len, &bytes[..captured]).expect("a packet");
        }
    }
    writer.flush().expect("all");
}

#[test]
fn every_field_of_cut_packets_equals_tshark() {
    const FILES: [&str; 8] = [
        "lab/nmap793_O_local.pcap",
        "lab/scapy250_defaults.pcap",
        "real/formats/seladb_PcapPlusPlus__ip4_fragments.pcap",
        "real/formats/seladb_PcapPlusPlus__GrePackets.cap",
        "real/formats/netsniff-ng_netsniff-ng__proto_ipv6_in_ipv4.pcap",
        "real/formats/LibtraceTeam_libtrace__10_packets_radiotap.pcap",
        "real/formats/cisco_mercury__pppoe_double_vlan_tagging.pcap",
        "real/scan/stratosphereips_StratosphereLinuxI__test12-icmp-portscan.pcap",
    ];
    let Some(collection) = captures("every_field_of_cut_packets_equals_tshark") else { return };
    if !fields::tshark_is_installed() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let files: Vec<_> = FILES
        .iter()
        .map(|name| {
            let to = folder.path().join(name.replace('/', "-"));
            cut_everywhere(&collection.join(name), &to);
            to
        })
        .collect();
    report(&files, &compare(&files));
}

#[test]
fn every_field_equals_tshark() {
    let Some(collection) = captures("every_field_equals_tshark") else { return };
    if !fields::tshark_is_installed() {
        return;
    }
    let files = files(&collection);
    let tally = compare(&files);
    report(&files, &tally);
    assert!(tally.packets > 100_000 && tally.values > 1_000_000, "too little was compared to mean anything");
}
