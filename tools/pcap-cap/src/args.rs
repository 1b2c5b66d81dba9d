use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;

/// The most bytes of a packet that libpcap keeps, and what `-s 0` stands for (`MAXIMUM_SNAPLEN`).
const WHOLE_PACKET: u32 = 262_144;

/// Captures packets from an interface to a pcap file.
///
/// Options have tcpdump's letters. Words that are not options are a filter expression in tcpdump's language
/// (pcap-filter(7)), applied by the kernel: pcap-cap -i eth0 -w caps/ net 203.0.113.0/24 and not port 22
///
/// Ends after -c packets, after -a duration, or on SIGINT, SIGTERM or SIGHUP. Whatever ended it but -c, every packet that
/// arrived before the end is in the file. The last line on stderr says how many packets were received, written and
/// lost; when any were lost, the exit code is 1.
///
/// Output is flushed at least once a second, so a reader that follows the file or the pipe is never further behind.
///
/// Memory: the kernel's buffer (-B) and a quarter of a mebibyte.
///
/// Not there yet, and refused: rotation of files (-G, -C, -W), pcapng.
#[derive(clap::Parser, Debug)]
#[command(name = "pcap-cap", version, max_term_width = 110)]
pub struct Args {
    /// Interface to capture from; `any` for all of them (Linux)
    #[arg(short, long, value_name = "NAME", required_unless_present = "list_interfaces")]
    pub interface: Option<String>,

    /// Where to write: a file, which is overwritten; a folder, for a new file named NAME-TIME.pcap in it; or - for
    /// standard output
    #[arg(short, long, value_name = "FILE|DIR", default_value = "-")]
    pub write: PathBuf,

    /// Stop after N packets
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// Stop after a time: duration:300, or with a unit (ms, s, m, h, d)
    #[arg(short = 'a', long, value_name = "duration:TIME", value_parser = autostop)]
    pub autostop: Option<Duration>,

    /// Bytes to keep of each packet, at most 262144; 0 for all of them
    #[arg(short, long, value_name = "BYTES", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(..=i64::from(WHOLE_PACKET)))]
    pub snapshot_length: u32,

    /// Leave the interface as it is, taking only what is addressed to it
    #[arg(short = 'p', long)]
    pub no_promiscuous_mode: bool,

    /// The kernel's buffer, in KiB; libpcap's default (2048) without it
    #[arg(short = 'B', long, value_name = "KIB", value_parser = clap::value_parser!(u64).range(1..))]
    pub buffer_size: Option<u64>,

    /// Flush after every packet
    #[arg(short = 'U', long)]
    pub packet_buffered: bool,

    /// List the interfaces, and exit
    #[arg(short = 'D', long)]
    pub list_interfaces: bool,

    /// Also write the accounting line to FILE, as JSON
    #[arg(long, value_name = "FILE")]
    pub account: Option<PathBuf>,

    /// Filter expression
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,

    #[command(flatten)]
    absent: Absent,
}

/// What tcpdump or dumpcap have and this does not, so that asking for it is answered and not misunderstood.
#[derive(clap::Args, Debug)]
struct Absent {
    #[arg(short = 'G', hide = true, value_name = "SECONDS")]
    rotate_seconds: Option<String>,
    #[arg(short = 'C', hide = true, value_name = "SIZE")]
    rotate_size: Option<String>,
    #[arg(short = 'W', hide = true, value_name = "COUNT")]
    rotate_count: Option<String>,
    #[arg(long, hide = true)]
    pcapng: bool,
}

impl Args {
    /// Refuses what is not there yet.
    ///
    /// # Errors
    /// When something of the kind was asked for.
    pub fn refuse_absent(&self) -> Result<(), anyhow::Error> {
        let Absent { rotate_seconds, rotate_size, rotate_count, pcapng } = &self.absent;
        for (letter, value) in [("-G", rotate_seconds), ("-C", rotate_size), ("-W", rotate_count)] {
            if value.is_some() {
                bail!("{letter}: rotation of files is not there yet; one run writes one file");
            }
        }
        if *pcapng {
            bail!("--pcapng: only classic pcap can be written yet");
        }
        Ok(())
    }

    /// Bytes to keep of each packet.
    #[must_use]
    pub fn snaplen(&self) -> u32 {
        if self.snapshot_length == 0 { WHOLE_PACKET } else { self.snapshot_length }
    }
}

fn autostop(text: &str) -> Result<Duration, String> {
    match text.split_once(':') {
        Some(("duration", time)) => probeline_cli::duration(time),
        Some((other @ ("filesize" | "files" | "packets"), _)) => {
            Err(format!("stopping by {other} is not there yet; use duration:TIME, or -c for packets"))
        }
        _ => Err("must be duration:TIME, such as duration:300 or duration:5m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn autostop_is_a_time() {
        assert_eq!(autostop("duration:5m"), Ok(Duration::from_secs(300)));
        assert_eq!(autostop("duration:0.5"), Ok(Duration::from_millis(500)));
        for bad in ["300", "duration", "duration:", "duration:0", "filesize:10", "duration=3"] {
            assert!(autostop(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn letters_are_those_of_tcpdump() {
        let args = "pcap-cap -i eth0 -w caps/ -c 5 -s 96 -p -B 4096 -U tcp and not port 22";
        let args = Args::try_parse_from(args.split(' ')).unwrap();
        assert_eq!(args.interface.as_deref(), Some("eth0"));
        assert_eq!((args.count, args.snaplen(), args.buffer_size), (Some(5), 96, Some(4096)));
        assert!(args.no_promiscuous_mode && args.packet_buffered);
        assert_eq!(args.filter.join(" "), "tcp and not port 22");
        assert!(Args::try_parse_from(["pcap-cap", "-s", "262145", "-i", "lo"]).is_err());
        assert!(Args::try_parse_from(["pcap-cap"]).is_err(), "an interface must be named");
        assert!(Args::try_parse_from(["pcap-cap", "-D"]).is_ok());
    }

    #[test]
    fn what_is_not_there_is_refused() {
        for words in ["-G 60", "-C 10", "-W 3", "--pcapng"] {
            let args = Args::try_parse_from(format!("pcap-cap -i lo {words}").split(' ')).unwrap();
            assert!(args.refuse_absent().is_err(), "{words}");
        }
    }
}
