//! The counters of a capture: as a line, as JSON, in Prometheus' text format.

use std::fmt::{self, Write};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;

use serde::Serialize;

use crate::writer::Shared;

/// The counters at one time. Their names are those of the JSON.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Stats {
    /// When they were taken, and when the capture began, in Unix seconds.
    pub(crate) time: f64,
    pub(crate) start: f64,
    /// Packets taken from the interfaces, and what became of them. What is in neither is on its way.
    pub(crate) packets: u64,
    pub(crate) written: u64,
    pub(crate) unwritten: u64,
    pub(crate) untimed: u64,
    /// Of the written ones, those in files that somebody removed meanwhile.
    pub(crate) removed: u64,
    /// Bytes in the files, as they are on the disk.
    pub(crate) bytes_written: u64,
    /// Files finished.
    pub(crate) files: u64,
    /// Times in which packets were missed or may have been.
    pub(crate) gaps: u64,
    /// Times that the output could not be written.
    pub(crate) stalls: u64,
    /// Commands that failed.
    pub(crate) commands_failed: u64,
    pub(crate) interfaces: Vec<InterfaceStats>,
}

/// The counters of one interface.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct InterfaceStats {
    pub(crate) name: String,
    /// `up`, `no carrier`, `down` or `gone`.
    pub(crate) state: &'static str,
    pub(crate) packets: u64,
    /// Bytes captured, and bytes on the wire.
    pub(crate) bytes: u64,
    pub(crate) wire_bytes: u64,
    pub(crate) dropped_by_kernel: u64,
    pub(crate) dropped_by_interface: u64,
    pub(crate) gaps: u64,
    /// Seconds in which it was down, without carrier or gone.
    pub(crate) silent: f64,
}

impl Stats {
    /// Takes over what the writer has counted.
    pub(crate) fn take(&mut self, shared: &Shared) {
        self.written = shared.written.load(Relaxed);
        self.unwritten = shared.unwritten.load(Relaxed);
        self.removed = shared.removed.load(Relaxed);
        self.bytes_written = shared.bytes.load(Relaxed);
        self.files = shared.files.load(Relaxed);
        self.stalls = shared.stalls.load(Relaxed);
        self.commands_failed = shared.commands_failed.load(Relaxed);
    }

    fn sum(&self, of: impl Fn(&InterfaceStats) -> u64) -> u64 {
        self.interfaces.iter().map(of).sum()
    }

    /// Packets dropped by the kernel.
    pub(crate) fn dropped_by_kernel(&self) -> u64 {
        self.sum(|interface| interface.dropped_by_kernel)
    }

    /// Packets dropped by interfaces.
    pub(crate) fn dropped_by_interface(&self) -> u64 {
        self.sum(|interface| interface.dropped_by_interface)
    }

    /// Seconds in which interfaces were silent, all together.
    pub(crate) fn silent(&self) -> f64 {
        self.interfaces.iter().map(|interface| interface.silent).sum()
    }

    /// One JSON object and a line feed.
    fn json(&self) -> io::Result<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }

    /// Prometheus' text format, version 0.0.4.
    fn prometheus(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        let single: [(&str, &str, &str, f64); 11] = [
            ("start_time_seconds", "gauge", "When the capture began.", self.start),
            ("last_update_seconds", "gauge", "When these counters were taken.", self.time),
            ("packets_taken_total", "counter", "Packets taken from all interfaces.", self.packets as f64),
            ("packets_written_total", "counter", "Packets written.", self.written as f64),
            (
                "packets_unwritten_total",
                "counter",
                "Packets that could not be written.",
                self.unwritten as f64,
            ),
            (
                "packets_removed_total",
                "counter",
                "Packets in files removed while written.",
                self.removed as f64,
            ),
            ("bytes_written_total", "counter", "Bytes in files, as on the disk.", self.bytes_written as f64),
            ("files_total", "counter", "Files finished.", self.files as f64),
            (
                "gaps_total",
                "counter",
                "Times in which packets were missed or may have been.",
                self.gaps as f64,
            ),
            ("stalls_total", "counter", "Times that the output could not be written.", self.stalls as f64),
            (
                "commands_failed_total",
                "counter",
                "Commands for finished files that failed.",
                self.commands_failed as f64,
            ),
        ];
        for (name, kind, help, value) in single {
            writeln!(
                text,
                "# HELP pcap_cap_{name} {help}\n# TYPE pcap_cap_{name} {kind}\npcap_cap_{name} {value}"
            )?;
        }
        type Of = fn(&InterfaceStats) -> f64;
        let each: [(&str, &str, &str, Of); 8] = [
            ("interface_up", "gauge", "Whether the interface can deliver packets.", |i| {
                f64::from(u8::from(i.state == "up"))
            }),
            ("packets_total", "counter", "Packets taken.", |i| i.packets as f64),
            ("captured_bytes_total", "counter", "Bytes captured of them.", |i| i.bytes as f64),
            ("wire_bytes_total", "counter", "Bytes that they had on the wire.", |i| i.wire_bytes as f64),
            ("kernel_dropped_total", "counter", "Packets dropped for want of room.", |i| {
                i.dropped_by_kernel as f64
            }),
            ("interface_dropped_total", "counter", "Packets dropped by the interface.", |i| {
                i.dropped_by_interface as f64
            }),
            (
                "interface_gaps_total",
                "counter",
                "Times in which packets were missed or may have been.",
                |i| i.gaps as f64,
            ),
            ("silent_seconds_total", "counter", "Time in which it was down, without carrier or gone.", |i| {
                i.silent
            }),
        ];
        for (name, kind, help, of) in each {
            writeln!(text, "# HELP pcap_cap_{name} {help}\n# TYPE pcap_cap_{name} {kind}")?;
            for interface in &self.interfaces {
                let label = interface.name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                writeln!(text, "pcap_cap_{name}{{interface=\"{label}\"}} {}", of(interface))?;
            }
        }
        Ok(text)
    }

    /// Replaces a file by these counters: a reader sees the old ones or the new ones.
    pub(crate) fn save(&self, file: &Path) -> io::Result<()> {
        let text = if file.extension().is_some_and(|extension| extension == "prom") {
            self.prometheus().map_err(io::Error::other)?
        } else {
            self.json()?
        };
        let mut new = file.as_os_str().to_owned();
        // Not ending in .prom: node_exporter must not read it while it is written.
        new.push(".new");
        let new = PathBuf::from(new);
        fs::write(&new, text)?;
        fs::rename(&new, file)
    }
}

/// The line of `--status`.
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} packets, {} bytes written, {} files; {} dropped by kernel, {} dropped by interface, {} gaps",
            self.packets,
            self.bytes_written,
            self.files,
            self.dropped_by_kernel(),
            self.dropped_by_interface(),
            self.gaps
        )?;
        for interface in self.interfaces.iter().filter(|interface| interface.state != "up") {
            write!(f, "; {} {}", interface.name, interface.state)?;
        }
        Ok(())
    }
}
