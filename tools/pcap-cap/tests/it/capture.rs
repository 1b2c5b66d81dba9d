//! Captures on a wire of our own, with tcpdump as the witness.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::{Wire, folder, lengths, only_file, until};

#[test]
fn the_same_bytes_as_tcpdump() {
    let Some(wire) = Wire::new("same") else { return };
    let folder = folder();
    let caps = folder.path().join("caps/");
    let theirs = folder.path().join("theirs.pcap");
    let tcpdump = wire.start(
        "tcpdump",
        &["-i", "wire1", "-Z", "root", "--time-stamp-precision=nano", "-w", theirs.to_str().unwrap(), "udp"],
        "listening on",
    );
    let ours = wire.start_pcap_cap(&["-i", "wire1", "-w", caps.to_str().unwrap(), "udp"]);
    wire.send(500, 100);
    wire.send(20, 1400);
    ours.signal("INT");
    let ended = ours.wait();
    // tcpdump gathers for a second, and does not ask for what is still in the kernel when it ends.
    let length = || fs::metadata(&theirs).map_or(0, |metadata| metadata.len());
    until("tcpdump's file", || {
        tcpdump.signal("USR2");
        length() >= 24 + 500 * (16 + 142) + 20 * (16 + 1442)
    });
    tcpdump.signal("TERM");
    tcpdump.wait();

    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let accounted = "pcap-cap: 520 packets read = 520 written + 0 skipped; 0 dropped by kernel, 0 dropped by interface, 0 gaps";
    assert_eq!(ended.stderr.lines().last(), Some(accounted));
    let file = only_file(&caps);
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("wire1-20") && name.ends_with("Z.pcap"), "{name}");
    assert!(ended.stderr.contains(file.to_str().unwrap()), "the file made is named: {}", ended.stderr);
    let (ours, theirs) = (fs::read(&file).unwrap(), fs::read(&theirs).unwrap());
    assert_eq!(lengths(&ours).len(), 520);
    assert!(ours == theirs, "header, times, lengths and bytes are those of tcpdump");
}

#[test]
fn a_count_ends_it_at_once_and_bytes_are_cut() {
    let Some(wire) = Wire::new("count") else { return };
    let running = wire.start_pcap_cap(&["-i", "wire1", "-c", "7", "-s", "50", "dst", "port", "9"]);
    wire.send(20, 100);
    let ended = running.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(lengths(&ended.stdout), [(50, 142); 7]);
}

#[test]
fn a_time_ends_it() {
    let Some(wire) = Wire::new("time") else { return };
    let begun = Instant::now();
    let running = wire.start_pcap_cap(&["-i", "wire1", "-a", "duration:1"]);
    wire.send(5, 10);
    let ended = running.wait();
    assert!(begun.elapsed() > Duration::from_secs(1) && begun.elapsed() < Duration::from_secs(4));
    assert_eq!((ended.code, lengths(&ended.stdout).len()), (Some(0), 5), "{}", ended.stderr);
}

#[test]
fn a_reader_is_never_more_than_a_second_behind() {
    let Some(wire) = Wire::new("flush") else { return };
    let folder = folder();
    let file = folder.path().join("growing.pcap");
    let running = wire.start_pcap_cap(&["-i", "wire1", "-w", file.to_str().unwrap()]);
    assert_eq!(fs::metadata(&file).unwrap().len(), 24, "the file header is there before the first packet");
    for round in 1..=2 {
        wire.send(3, 10);
        // A second, the kernel's gathering, and room for a busy machine.
        std::thread::sleep(Duration::from_millis(1800));
        assert_eq!(lengths(&fs::read(&file).unwrap()).len(), 3 * round);
    }
    running.signal("TERM");
    assert_eq!(running.wait().code, Some(0));
}

#[test]
fn what_is_lost_is_counted_and_told() {
    let Some(wire) = Wire::new("lost") else { return };
    let running = wire.start_pcap_cap(&["-i", "wire1", "-B", "256", "udp"]);
    // It sleeps while more arrives than its buffer holds.
    running.signal("STOP");
    wire.send(3000, 1400);
    running.signal("CONT");
    running.signal("INT");
    let ended = running.wait();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let written = lengths(&ended.stdout).len();
    assert!((1..3000).contains(&written), "{written}");
    let accounted = format!(
        "pcap-cap: {written} packets read = {written} written + 0 skipped; {} dropped by kernel, 0 dropped by interface, 1 gaps",
        3000 - written
    );
    assert_eq!(ended.stderr.lines().last(), Some(accounted.as_str()));
    assert!(ended.stderr.contains("packets lost because the kernel's buffer was full"), "{}", ended.stderr);
}

#[test]
fn any_says_which_interface() {
    let Some(wire) = Wire::new("any") else { return };
    let running = wire.start_pcap_cap(&["-i", "any", "-c", "3", "udp"]);
    wire.send(3, 100);
    let ended = running.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    // LINKTYPE_LINUX_SLL2, whose header is 20 bytes where that of Ethernet is 14.
    assert_eq!(ended.stdout[20..24], 276u32.to_le_bytes());
    assert_eq!(lengths(&ended.stdout), [(148, 148); 3]);
}

#[test]
fn an_interface_that_goes_may_be_the_end() {
    let Some(wire) = Wire::new("gone") else { return };
    let mut running = wire.start_pcap_cap(&["-i", "wire1", "--no-reopen", "--status", "0.1"]);
    wire.send(4, 100);
    running.until(" 4 packets, ");
    wire.cut();
    let ended = running.wait();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert_eq!(lengths(&ended.stdout).len(), 4);
    assert!(ended.stderr.contains("4 packets read = 4 written"), "{}", ended.stderr);
    assert!(ended.stderr.contains("wire1 is gone"), "{}", ended.stderr);
}

#[test]
fn a_reader_that_hangs_up_is_success() {
    let Some(wire) = Wire::new("hangup") else { return };
    let mut running = wire.start_pcap_cap(&["-i", "wire1"]);
    running.hang_up();
    wire.send(4, 100);
    assert_eq!(running.code(), Some(0));
}

#[test]
fn errors_say_what_to_do() {
    let Some(wire) = Wire::new("errors") else { return };
    let said = |args: &[&str]| {
        let output = wire.pcap_cap(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    let error = said(&["-i", "eth77"]);
    assert!(error.contains("no such interface: eth77; there are: ") && error.contains("wire1"), "{error}");
    let error = said(&["-i", "wire1", "prot", "17"]);
    assert!(error.contains("filter 'prot 17' for link type 1: "), "{error}");
    let error = said(&["-i", "wire1", "-w", "/no/such/folder/file.pcap"]);
    assert!(error.contains("/no/such/folder/file.pcap"), "{error}");
    // Nobody but its owner gets into such a folder.
    let private = tempfile::tempdir().unwrap();
    let inside = format!("{}/no/such/folder/", private.path().display());
    let error = said(&["-i", "wire1", "-w", &inside]);
    assert!(error.contains("as nobody") && error.contains("Permission denied"), "{error}");
    let error = said(&["-i", "wire1", "-w", "/dev/full"]);
    assert!(error.contains("writing /dev/full") && error.contains("No space left"), "{error}");
    let error = said(&["-i", "wire1", "-G", "60"]);
    assert!(error.contains("-C, -G and -b begin new files, which need a name"), "{error}");
    let error = said(&["-i", "wire1", "-Z", "no-such-user"]);
    assert!(error.contains("-Z no-such-user: there is no such user"), "{error}");
    let error = said(&["-i", "wire1", "-y", "DOCSIS9"]);
    assert!(error.contains("wire1 does not have link type DOCSIS9"), "{error}");

    let nobody =
        ["--reuid=65534", "--regid=65534", "--clear-groups", env!("CARGO_BIN_EXE_pcap-cap"), "-i", "wire1"];
    let refused = wire.start("setpriv", &nobody, "not allowed to capture from wire1").wait();
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("setcap cap_net_raw+ep "), "{}", refused.stderr);

    let types = wire.pcap_cap(&["-i", "wire1", "-L"]);
    let types = String::from_utf8(types.stdout).unwrap();
    assert!(types.starts_with("wire1\tEN10MB\tEthernet"), "{types}");
    let list = wire.pcap_cap(&["-D"]);
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.lines().any(|line| line.starts_with("wire1\tup, running\t")), "{list}");
}
