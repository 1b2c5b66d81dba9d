//! Words of the command line that stand for sizes, times and limits.

use std::time::Duration;

use probeline_capfile::Compression;
use probeline_capture::{Direction, Stamp};

/// What ends a capture: one of dumpcap's `-a` words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Autostop {
    /// After this time.
    Duration(Duration),
    /// When so many bytes were recorded, before compression.
    Bytes(u64),
    /// When so many files are finished.
    Files(u64),
    /// After so many packets.
    Packets(u64),
}

/// When a new file begins, and how many are kept: one of dumpcap's `-b` words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// Every so long since the start.
    Duration(Duration),
    /// Whenever the time of day is a multiple of this.
    Interval(Duration),
    /// Before a file gets longer than so many bytes.
    Bytes(u64),
    /// Keep so many files.
    Files(u64),
    /// After so many packets.
    Packets(u64),
}

/// A size as tcpdump's `-C` takes it: millions of bytes, or with a unit KiB, MiB, GiB or TiB.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit: u64 = match unit.to_ascii_lowercase().as_str() {
        "" => 1_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        _ => {
            return Err(format!(
                "'{unit}' is no unit of size; use k, m, g or t, or none for millions of bytes"
            ));
        }
    };
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)) {
        Some(0) | None => Err("must be a size, such as 100 (millions of bytes) or 64m (MiB)".to_owned()),
        Some(size) => Ok(size),
    }
}

fn count(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("'{text}' is not a number above 0")),
        Ok(count) => Ok(count),
    }
}

/// dumpcap counts files in thousands of bytes.
fn kilobytes(text: &str) -> Result<u64, String> {
    count(text)?.checked_mul(1000).ok_or_else(|| format!("'{text}' kB is too much"))
}

pub(crate) fn autostop(text: &str) -> Result<Autostop, String> {
    match text.split_once(':') {
        Some(("duration", time)) => probeline_cli::duration(time).map(Autostop::Duration),
        Some(("filesize", size)) => kilobytes(size).map(Autostop::Bytes),
        Some(("files", files)) => count(files).map(Autostop::Files),
        Some(("packets", packets)) => count(packets).map(Autostop::Packets),
        _ => Err("must be duration:TIME, filesize:KB, files:N or packets:N".to_owned()),
    }
}

pub(crate) fn ring(text: &str) -> Result<Ring, String> {
    match text.split_once(':') {
        Some(("duration", time)) => probeline_cli::duration(time).map(Ring::Duration),
        Some(("interval", time)) => probeline_cli::duration(time).map(Ring::Interval),
        Some(("filesize", size)) => kilobytes(size).map(Ring::Bytes),
        Some(("files", files)) => count(files).map(Ring::Files),
        Some(("packets", packets)) => count(packets).map(Ring::Packets),
        _ => Err("must be duration:TIME, interval:TIME, filesize:KB, files:N or packets:N".to_owned()),
    }
}

pub(crate) fn compression(text: &str) -> Result<Compression, String> {
    let (name, level) = match text.split_once(':') {
        Some((name, level)) => (name, Some(level)),
        None => (text, None),
    };
    let level = |default: u32, most: u32| match level.map(str::parse::<u32>) {
        None => Ok(default),
        Some(Ok(level)) if (1..=most).contains(&level) => Ok(level),
        Some(_) => Err(format!("the level of {name} is 1 to {most}")),
    };
    match name {
        "gzip" | "gz" => Ok(Compression::Gzip(level(6, 9)?)),
        "zstd" | "zst" => Ok(Compression::Zstd(level(3, 19)?.cast_signed())),
        _ => Err("must be gzip or zstd, with :LEVEL if wished".to_owned()),
    }
}

pub(crate) fn direction(text: &str) -> Result<Direction, String> {
    match text {
        "in" => Ok(Direction::In),
        "out" => Ok(Direction::Out),
        "inout" => Ok(Direction::Both),
        _ => Err("must be in, out or inout".to_owned()),
    }
}

/// The names of pcap-tstamp(7).
pub(crate) fn stamp(text: &str) -> Result<Stamp, String> {
    match text {
        "host" => Ok(Stamp::Host),
        "host_lowprec" => Ok(Stamp::HostLowPrecision),
        "host_hiprec" => Ok(Stamp::HostHighPrecision),
        "adapter" => Ok(Stamp::Adapter),
        "adapter_unsynced" => Ok(Stamp::AdapterUnsynced),
        _ => Err("must be host, host_lowprec, host_hiprec, adapter or adapter_unsynced".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_tcpdump() {
        for (text, bytes) in
            [("1", 1_000_000), ("100", 100_000_000), ("5k", 5120), ("2M", 2 << 20), ("1g", 1 << 30)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for bad in ["", "k", "0", "0k", "-1", "1.5", "1x", "99999999999999999999", "99999999999999g"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn limits_are_those_of_dumpcap() {
        assert_eq!(autostop("duration:5m"), Ok(Autostop::Duration(Duration::from_secs(300))));
        assert_eq!(autostop("filesize:10"), Ok(Autostop::Bytes(10_000)));
        assert_eq!(ring("interval:3600"), Ok(Ring::Interval(Duration::from_secs(3600))));
        assert_eq!(ring("files:24"), Ok(Ring::Files(24)));
        for bad in [
            "300",
            "duration",
            "duration:",
            "duration:0",
            "filesize:x",
            "files:0",
            "duration=3",
            "interval:1",
        ] {
            assert!(autostop(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn levels_have_bounds() {
        assert_eq!(compression("gzip"), Ok(Compression::Gzip(6)));
        assert_eq!(compression("zstd:19"), Ok(Compression::Zstd(19)));
        for bad in ["xz", "gzip:0", "gzip:10", "zstd:20", "zstd:", ""] {
            assert!(compression(bad).is_err(), "{bad}");
        }
    }
}
