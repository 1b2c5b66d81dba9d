use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use probeline_capfile::Compression;
use probeline_capture::{Direction, Stamp};

use crate::names::is_folder;
use crate::units::{self, Autostop, Ring};

/// The most bytes of a packet that libpcap keeps, and what `-s 0` stands for (`MAXIMUM_SNAPLEN`).
const WHOLE_PACKET: u32 = 262_144;

/// Captures packets from interfaces to a file, a pipe, or files that follow one another.
///
/// Options have the letters of tcpdump and dumpcap. Words that are not options are a filter expression in tcpdump's
/// language (pcap-filter(7)), applied by the kernel.
///
/// Ends after -c packets, by -a, or on SIGINT or SIGTERM; whatever ended it but -c, every packet that arrived before the
/// end is in the file. A second such signal ends it at once. SIGHUP begins a new file, SIGUSR1 prints the counters.
///
/// At most 0.6 s after a packet arrived it is in the file (0.3 s in a pipe): that is what kill -9 can cost.
/// Files of a series are called NAME.part until they are finished.
///
/// Nothing is lost in silence. Packets that the kernel dropped, an interface that is down, without carrier or gone, a disk
/// that is full, a folder that was removed: each is said on stderr with its time, counted, and waited out. The
/// last line says how many packets were read, written and lost; when any were lost, the exit status is 1.
///
/// Needs CAP_NET_RAW and nothing else. Once the interfaces are open, and before the first packet is read, it becomes another
/// user if it is root (-Z), and gives up every capability. CAP_NET_RAW stays permitted but not in effect, and is taken up only
/// to open again an interface that was gone (--no-reopen: not even that).
///
/// Memory: the kernel's buffer (-B) for each interface, and up to 16 MiB of packets that wait to be written.
#[derive(clap::Parser, Debug)]
#[command(name = "pcap-cap", version, max_term_width = 110, after_long_help = EXAMPLES)]
pub struct Args {
    /// Interface to capture from; several times for several, `any` for all of them (Linux)
    #[arg(short, long = "interface", value_name = "NAME", required_unless_present = "list_interfaces")]
    pub interfaces: Vec<String>,

    /// Where to write: a file, which is overwritten; a folder, for new files named NAME-TIME.pcap in it; or - for
    /// standard output. With -C, -G or -b it names a series of files and may have strftime's % words, which are filled in
    /// with the UTC time at which each begins; without any, the time is put before the ending. Nothing is overwritten then:
    /// a name that is taken gets _0002 and so on behind it
    #[arg(short, long, value_name = "FILE|DIR", default_value = "-")]
    pub write: PathBuf,

    /// Write pcapng, with interfaces, filter, machine and drop counters in it: the default for several interfaces and for a
    /// FILE ending in .pcapng
    #[arg(long, conflicts_with = "pcap", help_heading = "Format")]
    pub pcapng: bool,

    /// Write classic pcap: the default otherwise. Several interfaces must have one link type, and cannot be told apart
    #[arg(short = 'P', long, help_heading = "Format")]
    pub pcap: bool,

    /// Compress on the fly: gzip or zstd, with :LEVEL if wished; the default for a FILE ending in .gz or .zst. Each flush
    /// ends a block, so that everything before it can be read from a file that has no end yet
    #[arg(long, value_name = "METHOD", value_parser = units::compression, help_heading = "Format")]
    pub compress: Option<Compression>,

    /// Unit of time stamps, micro or nano. The kernel stamps in nanoseconds
    #[arg(long, value_name = "UNIT", default_value = "nano", value_parser = ["micro", "nano"], help_heading = "Format")]
    pub time_stamp_precision: String,

    /// Bytes to keep of each packet, at most 262144; 0 for all of them
    #[arg(short, long, value_name = "BYTES", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(..=i64::from(WHOLE_PACKET)), help_heading = "Capture")]
    pub snapshot_length: u32,

    /// Leave the interface as it is, taking only what is addressed to it
    #[arg(short = 'p', long, help_heading = "Capture")]
    pub no_promiscuous_mode: bool,

    /// The kernel's buffer for each interface, in KiB (as tcpdump; dumpcap counts MiB)
    #[arg(short = 'B', long, value_name = "KIB", default_value_t = 16 * 1024,
          value_parser = clap::value_parser!(u64).range(1..), help_heading = "Capture")]
    pub buffer_size: u64,

    /// Take each packet as it arrives, not in batches of up to a tenth of a second. The kernel's buffer then holds far fewer
    /// packets: for people who watch, not for recordings
    #[arg(long, help_heading = "Capture")]
    pub immediate_mode: bool,

    /// Only packets that come in, go out, or both: in, out, inout
    #[arg(short = 'Q', long, value_name = "DIRECTION", default_value = "inout", value_parser = units::direction,
          help_heading = "Capture")]
    pub direction: Direction,

    /// Link type, where an interface has several (-L lists them)
    #[arg(short = 'y', long, value_name = "TYPE", help_heading = "Capture")]
    pub linktype: Option<String>,

    /// Who stamps packets: host, host_lowprec, host_hiprec, adapter or adapter_unsynced (pcap-tstamp(7)). libpcap takes the
    /// host's where the interface has no other. The adapter's may need CAP_NET_ADMIN
    #[arg(short = 'j', long, value_name = "TYPE", value_parser = units::stamp, help_heading = "Capture")]
    pub time_stamp_type: Option<Stamp>,

    /// Read the filter expression from a file
    #[arg(short = 'F', long, value_name = "FILE", conflicts_with_all = ["filter_option", "filter"],
          help_heading = "Capture")]
    pub filter_file: Option<PathBuf>,

    /// Filter expression, as dumpcap takes it
    #[arg(short = 'f', value_name = "FILTER", conflicts_with = "filter", help_heading = "Capture")]
    pub filter_option: Option<String>,

    /// Stop after N packets
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "End")]
    pub count: Option<u64>,

    /// Stop after duration:TIME (seconds, or with a unit: ms, s, m, h, d), filesize:KB (of all files together, before
    /// compression), files:N or packets:N
    #[arg(short = 'a', long, value_name = "LIMIT", value_parser = units::autostop, help_heading = "End")]
    pub autostop: Vec<Autostop>,

    /// Begin a new file before one gets longer than SIZE, before compression: millions of bytes, or with a unit k, m, g
    #[arg(short = 'C', long, value_name = "SIZE", value_parser = units::size, help_heading = "Series of files")]
    pub file_size: Option<u64>,

    /// Begin a new file every so many seconds since the start (or with a unit), by the time of packets and, on a quiet
    /// wire, by the clock
    #[arg(short = 'G', long, value_name = "SECONDS", value_parser = probeline_cli::duration, help_heading = "Series of files")]
    pub rotate_seconds: Option<Duration>,

    /// Begin a new file as dumpcap does: duration:TIME (as -G), interval:TIME (when the time is a multiple of it, so that
    /// interval:3600 is on the hour), filesize:KB, packets:N; files:N is -W
    #[arg(short = 'b', long, value_name = "WHEN", value_parser = units::ring, help_heading = "Series of files")]
    pub ring_buffer: Vec<Ring>,

    /// Keep the newest N files of the series, those of earlier runs among them, and remove older ones
    #[arg(short = 'W', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Series of files")]
    pub file_count: Option<u64>,

    /// Keep the newest files that fit into SIZE together, as they are on the disk (unit as for -C)
    #[arg(long, value_name = "SIZE", value_parser = units::size, help_heading = "Series of files")]
    pub ring_bytes: Option<u64>,

    /// Run a command for each finished file, with its name as the last argument: -z 'zstd -q --rm'. Two run at a time, and
    /// the end waits for them
    #[arg(short = 'z', long, value_name = "COMMAND", help_heading = "Series of files")]
    pub postrotate_command: Option<String>,

    /// Hand on every packet as soon as the kernel gives it
    #[arg(short = 'U', long, help_heading = "End")]
    pub packet_buffered: bool,

    /// As whom to run once the interfaces are open, when started by root. Without it: as the owner of the folder
    /// written to or, if that is root or there is none, as nobody. -Z root stays root, without capabilities
    #[arg(
        short = 'Z',
        long,
        visible_alias = "relinquish-privileges",
        value_name = "USER",
        help_heading = "Safety"
    )]
    pub user: Option<String>,

    /// End when an interface is gone, instead of waiting for it, and so keep no capability at all
    #[arg(long, help_heading = "Safety")]
    pub no_reopen: bool,

    /// Print the counters every so many seconds (or with a unit)
    #[arg(long, value_name = "SECONDS", value_parser = probeline_cli::duration, help_heading = "Counters")]
    pub status: Option<Duration>,

    /// Keep the counters in FILE, as JSON or, if it ends in .prom, in the text format of Prometheus. Replaced as a whole
    /// every 10 seconds (or as often as --status) and at the end
    #[arg(long, value_name = "FILE", help_heading = "Counters")]
    pub stats: Vec<PathBuf>,

    /// Also write the accounting line to FILE, as JSON
    #[arg(long, value_name = "FILE", help_heading = "Counters")]
    pub account: Option<PathBuf>,

    /// List the interfaces, and exit
    #[arg(short = 'D', long)]
    pub list_interfaces: bool,

    /// List the link types of the interfaces, and exit
    #[arg(short = 'L', long)]
    pub list_data_link_types: bool,

    /// Filter expression
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,

    #[command(flatten)]
    absent: Absent,
}

const EXAMPLES: &str = "\
Examples:
  Into a file, until Ctrl-C:
    pcap-cap -i eth0 -w scans.pcap net 203.0.113.0/24 and not port 22
  Rows as packets come:
    pcap-cap -i eth0 -w - | pkt2csv | scan-classify --telescope 203.0.113.0/24
  A telescope for years: a compressed file on every hour, the newest 200 GB kept, counters for Prometheus:
    pcap-cap -i eth0 -w /srv/telescope/%Y%m%dT%H%M.pcapng.zst -b interval:1h --ring-bytes 200g \\
        --stats /srv/telescope/pcap-cap.prom net 203.0.113.0/24";

/// What tcpdump or dumpcap have and this does not, so that asking for it is answered and not misunderstood.
#[derive(clap::Args, Debug)]
struct Absent {
    #[arg(short = 'n', hide = true)]
    n: bool,
    #[arg(short = 'r', hide = true, value_name = "FILE")]
    read: Option<String>,
    #[arg(short = 'I', hide = true)]
    monitor_mode: bool,
}

impl Args {
    /// Refuses what is not there, and what does not go together.
    ///
    /// # Errors
    /// When something of the kind was asked for.
    pub fn check(&self) -> Result<(), anyhow::Error> {
        if self.absent.n {
            bail!(
                "-n: dumpcap's pcapng is --pcapng here; tcpdump's \"no names\" is not needed, for nothing is looked up"
            );
        }
        if self.absent.read.is_some() {
            bail!("-r: this captures from interfaces; files are read by pkt2csv");
        }
        if self.absent.monitor_mode {
            bail!("-I: monitor mode is not there");
        }
        if self.is_pipe() && self.is_rotated() {
            bail!("-C, -G and -b begin new files, which need a name: -w FILE or -w DIR");
        }
        let for_series =
            self.files_kept().is_some() || self.ring_bytes.is_some() || self.postrotate_command.is_some();
        if for_series && !self.is_series() {
            bail!(
                "-W, --ring-bytes and -z are for a series of files: say with -C, -G or -b when a new one begins, or -w DIR"
            );
        }
        Ok(())
    }

    /// Whether a new file begins now and then.
    fn is_rotated(&self) -> bool {
        self.file_size.is_some()
            || self.rotate_seconds.is_some()
            || self.ring_buffer.iter().any(|when| !matches!(when, Ring::Files(_)))
    }

    /// Whether the capture goes to standard output.
    #[must_use]
    pub fn is_pipe(&self) -> bool {
        self.write == std::path::Path::new("-")
    }

    /// Whether `write` names a series of files, each under a name that nothing had before.
    #[must_use]
    pub fn is_series(&self) -> bool {
        !self.is_pipe() && (self.is_rotated() || is_folder(&self.write))
    }

    /// How many files are kept.
    #[must_use]
    pub fn files_kept(&self) -> Option<u64> {
        let by_ring = self.ring_buffer.iter().find_map(|when| match when {
            Ring::Files(files) => Some(*files),
            _ => None,
        });
        self.file_count.or(by_ring)
    }

    /// Bytes to keep of each packet.
    #[must_use]
    pub fn snaplen(&self) -> u32 {
        if self.snapshot_length == 0 { WHOLE_PACKET } else { self.snapshot_length }
    }

    /// The filter expression.
    ///
    /// # Errors
    /// When it is in a file that cannot be read.
    pub fn filter_expression(&self) -> Result<String, anyhow::Error> {
        match (&self.filter_file, &self.filter_option) {
            (Some(file), _) => {
                let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
                Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
            }
            (None, Some(expression)) => Ok(expression.clone()),
            (None, None) => Ok(self.filter.join(" ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn letters_are_those_of_tcpdump_and_dumpcap() {
        let args = parse("pcap-cap -i eth0 -i eth1 -w caps/ -c 5 -s 96 -p -B 4096 -U -G 3600 -C 100 -W 24 -z gzip -Z nobody -y EN10MB -j host -Q in tcp and not port 22").unwrap();
        assert_eq!(args.interfaces, ["eth0", "eth1"]);
        assert_eq!((args.count, args.snaplen(), args.buffer_size), (Some(5), 96, 4096));
        assert!(args.no_promiscuous_mode && args.packet_buffered);
        assert_eq!((args.file_size, args.files_kept()), (Some(100_000_000), Some(24)));
        assert_eq!(args.rotate_seconds, Some(Duration::from_secs(3600)));
        assert_eq!(args.filter_expression().unwrap(), "tcp and not port 22");
        args.check().unwrap();
        let args =
            parse("pcap-cap -i eth0 -w x.pcapng -b interval:3600 -b files:24 -a files:48 -f udp").unwrap();
        assert_eq!((args.files_kept(), args.filter_expression().unwrap()), (Some(24), "udp".to_owned()));
        assert!(parse("pcap-cap -s 262145 -i lo").is_err());
        assert!(parse("pcap-cap").is_err(), "an interface must be named");
        assert!(parse("pcap-cap -D").is_ok());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for words in ["-n", "-r x.pcap", "-I", "-G 60", "-w x.pcap -W 3", "-z gzip", "-w x -b files:3"] {
            let args = parse(&format!("pcap-cap -i lo {words}")).unwrap();
            assert!(args.check().is_err(), "{words}");
        }
    }
}
