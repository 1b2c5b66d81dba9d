//! What the process may still do while it captures, as /proc tells it.

use std::collections::BTreeMap;
use std::fs;

use crate::support::{NOBODY, Running, Wire, folder};

/// CAP_NET_RAW of linux/capability.h.
const NET_RAW: &str = "0000000000002000";
const NONE: &str = "0000000000000000";

/// /proc/PID/status of each thread.
fn status(running: &Running) -> Vec<BTreeMap<String, String>> {
    let threads = fs::read_dir(format!("/proc/{}/task", running.pid())).unwrap();
    let all: Vec<_> = threads
        .map(|thread| {
            let text = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
            let lines = text.lines().filter_map(|line| line.split_once(":\t"));
            lines.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
        })
        .collect();
    assert!(!all.is_empty());
    all
}

/// Holds who it is, what it could take up again, and that it can do nothing now.
fn holds(running: &Running, uid: u32, permitted: &str) {
    for thread in status(running) {
        let id = format!("{uid}\t{uid}\t{uid}\t{uid}");
        assert_eq!(thread["Uid"], id);
        for (set, expected) in
            [("CapEff", NONE), ("CapPrm", permitted), ("CapInh", NONE), ("CapAmb", NONE), ("NoNewPrivs", "1")]
        {
            assert_eq!(thread[set], expected, "{set}");
        }
        if uid != 0 {
            let groups: Vec<&str> = thread["Groups"].split(' ').collect();
            assert!(!groups.contains(&"0"), "root's group is left: {groups:?}");
            assert!(!thread["Gid"].split('\t').any(|gid| gid == "0"));
        }
    }
}

fn ends(running: Running) {
    running.signal("INT");
    let ended = running.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn root_becomes_nobody() {
    let Some(wire) = Wire::new("nobody") else { return };
    let running = wire.start_pcap_cap(&["-i", "wire1"]);
    holds(&running, NOBODY, NET_RAW);
    for thread in status(&running) {
        assert_eq!(thread["CapBnd"], NONE, "what it runs can get nothing either");
    }
    ends(running);
    let running = wire.start_pcap_cap(&["-i", "wire1", "--no-reopen"]);
    holds(&running, NOBODY, NONE);
    ends(running);
}

#[test]
fn root_becomes_who_was_named_or_owns_the_folder() {
    let Some(wire) = Wire::new("user") else { return };
    let folder = folder();
    // `daemon` has this number on every Debian.
    std::os::unix::fs::chown(folder.path(), Some(1), Some(1)).unwrap();
    let caps = format!("{}/", folder.path().display());
    let running = wire.start_pcap_cap(&["-i", "wire1", "-w", &caps]);
    holds(&running, 1, NET_RAW);
    ends(running);
    let running = wire.start_pcap_cap(&["-i", "wire1", "-Z", "daemon"]);
    holds(&running, 1, NET_RAW);
    ends(running);
    let running = wire.start_pcap_cap(&["-i", "wire1", "-Z", "root"]);
    holds(&running, 0, NET_RAW);
    ends(running);
}

#[test]
fn a_file_of_root_goes_to_the_user() {
    use std::os::unix::fs::MetadataExt;
    let Some(wire) = Wire::new("given") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (new, old) = (folder.path().join("new.pcap"), folder.path().join("old.pcap"));
    fs::write(&old, "").unwrap();
    for (file, owner) in [(&new, NOBODY), (&old, 0)] {
        let running = wire.start_pcap_cap(&["-i", "wire1", "-w", file.to_str().unwrap()]);
        holds(&running, NOBODY, NET_RAW);
        ends(running);
        assert_eq!(fs::metadata(file).unwrap().uid(), owner, "what was there stays whose it was");
        assert_eq!(fs::metadata(file).unwrap().len(), 24);
    }
}

#[test]
fn nothing_but_net_raw_is_needed() {
    let Some(wire) = Wire::new("raw") else { return };
    let mine = [
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--inh-caps=-all,+net_raw",
        "--ambient-caps=-all,+net_raw",
        "--bounding-set=-all,+net_raw",
        env!("CARGO_BIN_EXE_pcap-cap"),
        "-i",
        "wire1",
        "-B",
        "32768",
        "-c",
        "2",
    ];
    let running = wire.start("setpriv", &mine, "capturing from");
    holds(&running, NOBODY, NET_RAW);
    wire.send(2, 10);
    let ended = running.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}
