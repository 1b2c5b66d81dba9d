//! What goes wrong in a year: disks, folders, interfaces, signals.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Wire, files, folder, lengths, until};
use crate::witness::{all_read, say};

/// A small file system of our own.
struct Disk(tempfile::TempDir);

impl Disk {
    /// Mounts it; none, with a visible line, where the test may not.
    fn new(kib: u32) -> Option<Self> {
        let disk = Self(tempfile::tempdir().unwrap());
        let options = format!("size={kib}k,mode=777");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(disk.0.path()).output();
        match mount {
            Ok(output) if output.status.success() => Some(disk),
            Ok(output) => {
                say(&format!("SKIPPED: no tmpfs here: {}", String::from_utf8_lossy(&output.stderr).trim()));
                None
            }
            Err(e) => {
                say(&format!("SKIPPED: cannot mount: {e}"));
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").args(["-l"]).arg(self.0.path()).output());
    }
}

/// The last line, which has the counters.
fn account(stderr: &str) -> &str {
    stderr.lines().last().unwrap_or_default()
}

#[test]
fn a_full_disk_is_waited_out_and_nothing_is_lost() {
    let Some(wire) = Wire::new("full") else { return };
    let Some(disk) = Disk::new(1024) else { return };
    for name in ["x.pcap", "x.pcapng", "x.pcap.zst"] {
        let (file, ballast) = (disk.path().join(name), disk.path().join("ballast"));
        fs::write(&ballast, vec![7; 900 * 1024]).unwrap();
        let mut running = wire.start_pcap_cap(&["-i", "wire1", "-w", file.to_str().unwrap()]);
        // Compresses to almost nothing, so the disk must be almost full for it.
        if name.ends_with("zst") {
            let rest = 1024 * 1024 - 904 * 1024 - 4096;
            fs::write(disk.path().join("more"), vec![7; rest]).unwrap();
            wire.blast(20_000).wait();
        } else {
            wire.send(150, 1400);
        }
        running.until("No space left on device");
        assert!(running.said().contains(&format!("cannot write {}", file.display())), "{}", running.said());
        if !name.ends_with("zst") {
            let (times, whole) = crate::witness::times(&file);
            all_read(&file, times.len());
            assert!(whole && times.len() < 150, "it ends with a whole record while the disk is full");
        }
        fs::remove_file(&ballast).unwrap();
        drop(fs::remove_file(disk.path().join("more")));
        running.until("writing again, after ");
        wire.send(5, 100);
        running.signal("TERM");
        let ended = running.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let packets = if name.ends_with("zst") { 20_005 } else { 155 };
        all_read(&file, packets);
        let all = format!("{packets} packets read = {packets} written + 0 skipped; 0 dropped by kernel");
        assert!(account(&ended.stderr).contains(&all), "{}", ended.stderr);
        fs::remove_file(&file).unwrap();
    }
}

#[test]
fn a_disk_that_stays_full_is_counted() {
    let Some(wire) = Wire::new("fuller") else { return };
    let Some(disk) = Disk::new(512) else { return };
    let file = disk.path().join("x.pcap");
    let mut running = wire.start_pcap_cap(&["-i", "wire1", "-w", file.to_str().unwrap()]);
    // Both 16 MiB, those of the kernel's buffer and those of our own, and as much again.
    wire.blast(200_000).wait();
    running.until("No space left on device");
    running.signal("INT");
    let ended = running.wait();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let written = crate::witness::times(&file).0.len();
    all_read(&file, written);
    let number = |after: &str| -> usize {
        let (before, _) =
            ended.stderr.split_once(after).unwrap_or_else(|| panic!("{after}: {}", ended.stderr));
        before.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
    };
    assert_eq!(number(" written +"), written);
    assert_eq!(number(" packets read"), written + number(" output-failed)"));
    let dropped = number(" dropped by kernel");
    assert_eq!(number(" packets read") + dropped, 200_000, "{}", ended.stderr);
    assert!(dropped > 0 && ended.stderr.contains("packets are being dropped"), "{}", ended.stderr);
    assert!(ended.stderr.contains(&format!(": {dropped} packets dropped")), "{}", ended.stderr);
    assert!(account(&ended.stderr).ends_with(" 1 gaps"), "{}", ended.stderr);
}

#[test]
fn a_removed_folder_is_made_again() {
    let Some(wire) = Wire::new("rmdir") else { return };
    let folder = folder();
    let caps = folder.path().join("caps/");
    let mut running = wire.start_pcap_cap(&["-i", "wire1", "-w", caps.to_str().unwrap(), "--status", "0.1"]);
    wire.send(30, 100);
    running.until(" 30 packets, 4764 bytes");
    fs::remove_dir_all(&caps).unwrap();
    running.until("was removed by somebody, and 30 packets with it; going on in a new file");
    wire.send(20, 100);
    running.signal("INT");
    let ended = running.wait();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let files = files(&caps);
    assert_eq!(files.len(), 1);
    all_read(&files[0], 20);
    let counted = "50 packets read = 20 written + 30 skipped (30 file-removed)";
    assert!(account(&ended.stderr).contains(counted), "{}", ended.stderr);
}

#[test]
fn an_interface_may_go_down_and_come_up() {
    let Some(wire) = Wire::new("down") else { return };
    let folder = folder();
    let stats = folder.path().join("stats.json");
    let file = folder.path().join("x.pcap");
    let args =
        ["-i", "wire1", "-w", file.to_str().unwrap(), "--stats", stats.to_str().unwrap(), "--status", "0.1"];
    let mut running = wire.start_pcap_cap(&args);
    wire.send(3, 100);
    running.until(" 3 packets,");
    wire.set("down");
    running.until("wire1 is down; waiting for it");
    running.until("; wire1 down");
    wire.set("up");
    running.until("wire1 is back: gap since ");
    wire.send(3, 100);
    running.until(" 6 packets,");
    // The other end's fall is a silence as well, though wire1 itself stays up.
    wire.set_near("down");
    running.until("wire1 has no carrier");
    wire.set_near("up");
    until("the second return", || running.said().matches("wire1 is back").count() == 2);
    running.signal("INT");
    let ended = running.wait();
    assert_eq!(ended.code, Some(1), "a gap is no clean capture: {}", ended.stderr);
    all_read(&file, 6);
    assert!(account(&ended.stderr).ends_with(" 2 gaps"), "{}", ended.stderr);
    let stats: serde_json::Value = serde_json::from_slice(&fs::read(stats).unwrap()).unwrap();
    assert_eq!((&stats["gaps"], &stats["interfaces"][0]["gaps"]), (&2.into(), &2.into()));
    assert!(stats["interfaces"][0]["silent"].as_f64().unwrap() > 0.0);
    assert_eq!(stats["interfaces"][0]["state"], "up");
}

#[test]
fn an_interface_may_go_and_come_back() {
    let Some(wire) = Wire::new("replug") else { return };
    let mut running = wire.start_pcap_cap(&["-i", "wire1", "--status", "0.1", "udp"]);
    wire.send(4, 100);
    running.until(" 4 packets,");
    wire.cut();
    running.until("wire1 is gone; waiting for it");
    wire.connect();
    running.until("wire1 is back: gap since ");
    wire.send(3, 100);
    running.until(" 7 packets,");
    running.signal("INT");
    let ended = running.wait();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(lengths(&ended.stdout).len(), 7);
    assert!(ended.stderr.contains("7 packets read = 7 written"), "{}", ended.stderr);
    let counted = "interfaces were down, without carrier or gone for ";
    assert!(ended.stderr.contains(counted), "{}", ended.stderr);
}

#[test]
fn signals_close_cleanly() {
    let Some(wire) = Wire::new("signals") else { return };
    for signal in ["INT", "TERM"] {
        let folder = folder();
        let file = folder.path().join("x.pcap.gz");
        let running = wire.start_pcap_cap(&["-i", "wire1", "-w", file.to_str().unwrap()]);
        wire.send(25, 100);
        running.signal(signal);
        let ended = running.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        all_read(&file, 25);
        let counted =
            "25 packets read = 25 written + 0 skipped; 0 dropped by kernel, 0 dropped by interface, 0 gaps";
        assert!(account(&ended.stderr).ends_with(counted), "{}", ended.stderr);
    }
}

#[test]
fn sighup_rotates() {
    let Some(wire) = Wire::new("hup") else { return };
    let folder = folder();
    let caps = folder.path().join("caps/");
    let mut running = wire.start_pcap_cap(&["-i", "wire1", "-w", caps.to_str().unwrap(), "--status", "0.1"]);
    wire.send(10, 100);
    running.until(" 10 packets,");
    running.signal("HUP");
    running.until(" 1 files;");
    wire.send(7, 100);
    running.signal("INT");
    assert_eq!(running.wait().code, Some(0));
    let files = files(&caps);
    assert_eq!(files.len(), 2);
    for (file, packets) in files.iter().zip([10, 7]) {
        all_read(file, packets);
    }

    // A file that a log rotator has moved away is made anew; one that was not goes on.
    let (file, moved) = (folder.path().join("x.pcap"), folder.path().join("x.pcap.1"));
    let mut running = wire.start_pcap_cap(&["-i", "wire1", "-w", file.to_str().unwrap(), "--status", "0.1"]);
    wire.send(10, 100);
    running.until(" 10 packets,");
    running.signal("HUP");
    running.until("goes on, for it was not moved away");
    fs::rename(&file, &moved).unwrap();
    running.signal("HUP");
    until("the new file", || file.exists());
    wire.send(7, 100);
    running.signal("INT");
    assert_eq!(running.wait().code, Some(0));
    all_read(&moved, 10);
    all_read(&file, 7);
}
