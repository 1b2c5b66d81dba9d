//! Files that follow one another, formats and counters.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Wire, files, folder, until};
use crate::witness::{all_read, say, times};

fn names(folder: &Path) -> Vec<String> {
    files(folder).iter().map(|file| file.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn by_packets_by_size_and_the_newest_are_kept() {
    let Some(wire) = Wire::new("ring") else { return };
    let folder = folder();
    let caps = format!("{}/x.pcap", folder.path().display());
    let running = wire.start_pcap_cap(&["-i", "wire1", "-w", &caps, "-b", "packets:10", "-W", "3"]);
    wire.send(45, 100);
    running.signal("INT");
    assert_eq!(running.wait().code, Some(0));
    let kept = files(folder.path());
    assert_eq!(kept.len(), 3, "{kept:?}");
    for (file, packets) in kept.iter().zip([10, 10, 5]) {
        all_read(file, packets);
    }
    // The next run keeps count of these.
    let running = wire.start_pcap_cap(&["-i", "wire1", "-w", &caps, "-C", "2k", "-W", "4"]);
    wire.send(45, 100);
    running.signal("INT");
    assert_eq!(running.wait().code, Some(0));
    let now = files(folder.path());
    assert_eq!(now.len(), 4);
    assert!(!now.contains(&kept[0]) && !now.contains(&kept[2]), "{now:?}");
    // 158 bytes a packet: 12 to a file of at most 2048 bytes.
    let lengths: Vec<u64> = now.iter().map(|file| fs::metadata(file).unwrap().len()).collect();
    assert_eq!(lengths, [12, 12, 12, 9].map(|packets| 24 + 158 * packets));
}

#[test]
fn by_the_clock() {
    let Some(wire) = Wire::new("clock") else { return };
    let folder = folder();
    let caps = format!("{}/%s.pcap", folder.path().display());
    let mut running =
        wire.start_pcap_cap(&["-i", "wire1", "-w", &caps, "-b", "interval:1", "--status", "0.1"]);
    let blast = wire.blast(200_000);
    running.until(" 3 files;");
    drop(blast);
    // And on a quiet wire as well.
    running.until(" 5 files;");
    running.signal("INT");
    assert_eq!(running.wait().code, Some(0));
    let mut seconds = Vec::new();
    for file in files(folder.path()) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let second: i64 = name.parse().unwrap_or_else(|_| panic!("{name} is no time"));
        seconds.push(second);
        for time in times(&file).0 {
            assert_eq!(time / 1_000_000_000, second, "a packet of that second");
        }
    }
    assert!(seconds.len() >= 6);
    assert!(seconds.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seconds:?}");
}

#[test]
fn a_command_for_each_file_and_limits() {
    let Some(wire) = Wire::new("command") else { return };
    let folder = folder();
    let caps = format!("{}/x-%H.pcap", folder.path().display());
    let running = wire.start_pcap_cap(&[
        "-i",
        "wire1",
        "-w",
        &caps,
        "-b",
        "packets:10",
        "-a",
        "files:2",
        "-z",
        "gzip -9",
    ]);
    wire.send(25, 100);
    let ended = running.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("20 packets read = 20 written"), "{}", ended.stderr);
    let packed = files(folder.path());
    assert_eq!(packed.len(), 2);
    for file in &packed {
        assert!(file.to_str().unwrap().ends_with(".pcap.gz"));
        all_read(file, 10);
    }
    let running = wire.start_pcap_cap(&[
        "-i",
        "wire1",
        "-w",
        &caps,
        "-b",
        "packets:10",
        "-a",
        "files:1",
        "-z",
        "false",
    ]);
    wire.send(25, 100);
    let ended = running.wait();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("1 commands for finished files failed"), "{}", ended.stderr);
}

#[test]
fn compressed_as_it_comes() {
    let Some(wire) = Wire::new("compress") else { return };
    let folder = folder();
    for (method, ending, tool) in [("gzip:1", "gz", "gzip"), ("zstd", "zst", "zstd")] {
        let caps = folder.path().join(format!("{ending}/"));
        let caps = caps.to_str().unwrap();
        let running = wire.start_pcap_cap(&[
            "-i",
            "wire1",
            "-w",
            caps,
            "--compress",
            method,
            "-b",
            "packets:2000",
            "--pcapng",
        ]);
        wire.blast(5000).wait();
        running.signal("INT");
        let ended = running.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let files = files(Path::new(caps));
        assert_eq!(files.len(), 3);
        for (file, packets) in files.iter().zip([2000, 2000, 1000]) {
            assert!(file.to_str().unwrap().ends_with(&format!(".pcapng.{ending}")));
            all_read(file, packets);
            assert!(Command::new(tool).args(["-q", "-t"]).arg(file).status().unwrap().success(), "{tool} -t");
        }
    }
}

/// Blocks of a little-endian pcapng file: type and body.
fn blocks(bytes: &[u8]) -> Vec<(u32, &[u8])> {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (mut at, mut blocks) = (0, Vec::new());
    while at < bytes.len() {
        let length = number(at + 4) as usize;
        assert_eq!(number(at + length - 4) as usize, length);
        blocks.push((number(at), &bytes[at + 8..at + length - 4]));
        at += length;
    }
    blocks
}

/// The value of a 64-bit option of an Interface Statistics Block.
fn counter(body: &[u8], wanted: u16) -> Option<u64> {
    let mut at = 12;
    while at + 4 <= body.len() {
        let half = |at: usize| u16::from_le_bytes([body[at], body[at + 1]]);
        let (code, length) = (half(at), usize::from(half(at + 2)));
        if code == wanted {
            return Some(u64::from_le_bytes(body[at + 4..at + 12].try_into().unwrap()));
        }
        at += 4 + length.next_multiple_of(4);
    }
    None
}

#[test]
fn pcapng_says_where_and_how() {
    let Some(wire) = Wire::new("pcapng") else { return };
    let folder = folder();
    let file = folder.path().join("x.pcapng");
    let args = ["-i", "wire1", "-i", "lo", "-s", "64", "-B", "256", "-w", file.to_str().unwrap(), "udp"];
    let running = wire.start_pcap_cap(&args);
    // It sleeps while more arrives than its buffer holds.
    running.signal("STOP");
    wire.send(3000, 1400);
    running.signal("CONT");
    running.signal("INT");
    let ended = running.wait();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let written = times(&file).0.len();
    all_read(&file, written);

    let bytes = fs::read(&file).unwrap();
    let statistics: Vec<_> =
        blocks(&bytes).into_iter().filter(|(kind, _)| *kind == 5).map(|(_, body)| body).collect();
    assert_eq!(statistics.len(), 2, "one for each interface");
    // isb_osdrop, isb_usrdeliv, isb_filteraccept; isb_ifrecv is not known behind a filter.
    assert_eq!(counter(statistics[0], 7), Some(3000 - u64::try_from(written).unwrap()));
    assert_eq!(counter(statistics[0], 8), Some(u64::try_from(written).unwrap()));
    assert_eq!(counter(statistics[0], 6), Some(3000));
    assert_eq!(counter(statistics[0], 4), None);
    assert_eq!(counter(statistics[1], 7), Some(0));

    let Ok(capinfos) = Command::new("capinfos").arg(&file).output() else {
        return say("SKIPPED: no capinfos");
    };
    let said = String::from_utf8(capinfos.stdout).unwrap();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    for words in [
        "Capture application: pcap-cap",
        &format!("host {}", host.trim()),
        "Number of interfaces in file: 2",
        "Name = wire1",
        "Name = lo",
        "Encapsulation = Ethernet",
        "Filter string = udp",
        "Capture length = 64",
        "Time precision = nanoseconds (9)",
        "Operating system = Linux",
        "Number of stat entries = 1",
        &format!("Number of packets = {written}"),
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn counters_for_machines() {
    let Some(wire) = Wire::new("stats") else { return };
    let folder = folder();
    let (json, prom) = (folder.path().join("stats.json"), folder.path().join("stats.prom"));
    let args = [
        "-i",
        "wire1",
        "--stats",
        json.to_str().unwrap(),
        "--stats",
        prom.to_str().unwrap(),
        "--status",
        "0.1",
    ];
    let running = wire.start_pcap_cap(&args);
    until("the first counters", || json.exists() && prom.exists());
    wire.send(30, 100);
    until("thirty packets in them", || {
        let text = fs::read(&json).unwrap();
        let stats: serde_json::Value = serde_json::from_slice(&text).expect("whole at all times");
        stats["written"] == 30
    });
    running.signal("INT");
    assert_eq!(running.wait().code, Some(0));
    let stats: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    assert_eq!((&stats["packets"], &stats["bytes_written"]), (&30.into(), &(24 + 30 * 158).into()));
    assert_eq!(stats["interfaces"][0]["wire_bytes"], 30 * 142);
    assert_eq!(stats["interfaces"][0]["dropped_by_kernel"], 0);
    let text = fs::read_to_string(&prom).unwrap();
    for line in [
        "# TYPE pcap_cap_packets_written_total counter",
        "pcap_cap_packets_written_total 30",
        "pcap_cap_packets_total{interface=\"wire1\"} 30",
        "pcap_cap_kernel_dropped_total{interface=\"wire1\"} 0",
        "pcap_cap_interface_up{interface=\"wire1\"} 1",
        "pcap_cap_gaps_total 0",
    ] {
        assert!(text.lines().any(|got| got == line), "{line}: {text}");
    }
    assert_eq!(names(folder.path()), ["stats.json", "stats.prom"], "nothing else is left");
}
