//! kill -9 at any moment.

use std::time::Duration;

use crate::support::{Wire, files, folder, until};
use crate::witness::{all_read, readings, say};

/// How much a kill may cost, and half a second for a machine that is busy with other tests.
const COST: Duration = Duration::from_millis(1500);

#[test]
fn costs_at_most_a_second() {
    let Some(wire) = Wire::new("kill") else { return };
    let folder = folder();
    for name in ["x.pcap", "x.pcapng", "x.pcap.gz", "x.pcapng.zst"] {
        let file = folder.path().join(name);
        let running = wire.start_pcap_cap(&["-i", "wire1", "-w", file.to_str().unwrap()]);
        wire.send(100, 100);
        std::thread::sleep(COST);
        running.signal("KILL");
        assert_eq!(running.wait().code, None, "killed");
        if name.ends_with('p') || name.ends_with("ng") {
            all_read(&file, 100);
            continue;
        }
        // A compressed file has no end: readers give everything up to the last flush, and some say so.
        for (reader, reading) in readings(&file) {
            let complains = if reading.content { "without complaint" } else { "and complains" };
            say(&format!("after kill -9, {reader} reads {} packets of {name} {complains}", reading.packets));
            // capinfos counts nothing once it has complained.
            assert!(
                reading.packets == 100 || (reader == "capinfos" && !reading.content),
                "{reader}: {reading:?}"
            );
        }
    }
}

#[test]
fn in_the_middle_of_writing() {
    let Some(wire) = Wire::new("blast") else { return };
    let folder = folder();
    for round in 0..3 {
        let caps = folder.path().join(format!("{round}/"));
        let running = wire.start_pcap_cap(&["-i", "wire1", "-w", caps.to_str().unwrap(), "-C", "1"]);
        let blast = wire.blast(1_000_000);
        until("the second file", || files(&caps).len() > 1);
        // Not the same place in a file each time.
        std::thread::sleep(Duration::from_millis(37 * round));
        running.signal("KILL");
        running.wait();
        drop(blast);
        let mut all = 0;
        // The last ones: one finished long before is as any other.
        for file in files(&caps).into_iter().rev().take(3) {
            let finished = file.extension().is_some_and(|extension| extension == "pcap");
            let readings = readings(&file);
            let packets = readings[0].1.packets;
            all += packets;
            assert!(packets > 0 || !finished);
            for (reader, reading) in readings {
                // Only in a file being written can the last record be cut, by a kill inside the one write of its block;
                // then every reader gives what is before it.
                assert!(
                    reading.packets == packets || (reader == "capinfos" && !reading.content),
                    "{reader} of {}: {reading:?}, pkt2csv {packets}",
                    file.display()
                );
                assert!(reading.content || !finished, "{reader} complains about {}", file.display());
            }
        }
        assert!(all > 1000, "only {all} packets: this would prove nothing");
    }
}

#[test]
fn the_next_run_finishes_what_was_left() {
    let Some(wire) = Wire::new("adopt") else { return };
    let folder = folder();
    let caps = format!("{}/", folder.path().display());
    let args = ["-i", "wire1", "-w", &caps, "-b", "packets:40", "--status", "0.1"];
    let mut running = wire.start_pcap_cap(&args);
    wire.send(50, 100);
    running.until(" 1 files;");
    std::thread::sleep(COST);
    running.signal("KILL");
    running.wait();
    let left = files(folder.path());
    assert_eq!(left.len(), 2);
    assert!(left[1].to_str().unwrap().ends_with(".pcap.part"), "{left:?}");
    let running = wire.start_pcap_cap(&args);
    assert!(running.said().contains("left unfinished by an earlier run"), "{}", running.said());
    running.signal("TERM");
    assert_eq!(running.wait().code, Some(0));
    let files = files(folder.path());
    assert_eq!(files.len(), 3);
    assert!(files.iter().all(|file| file.extension().is_some_and(|extension| extension == "pcap")));
    for (file, packets) in files.iter().zip([40, 10, 0]) {
        all_read(file, packets);
    }
}
