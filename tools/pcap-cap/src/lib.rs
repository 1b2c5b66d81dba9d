//! Captures packets from interfaces to files or a pipe.
//!
//! Two threads: `capture` reads the interfaces and makes blocks of whole records (`source`, `record`, `encode`, `schedule`),
//! `writer` puts the blocks into files (`file`, `names`, `ring`, `commands`). What the disk does never keeps the first
//! from reading, as long as there is memory.

mod args;
mod capture;
mod commands;
mod encode;
mod file;
mod list;
mod log;
mod names;
mod privileges;
mod record;
mod ring;
mod schedule;
mod signals;
mod source;
mod stats;
mod units;
mod writer;

pub use args::Args;
pub use units::{Autostop, Ring};

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use jiff::Timestamp;
use nix::unistd::User;
use probeline_capfile::{Compression, InterfaceInfo, LinkType};
use probeline_capture::{Error, LinkWatch, LiveOptions, devices};
use probeline_cli::{Account, Console, Outcome, stdout};

use crate::capture::{Capture, GATHER};
use crate::encode::Encoder;
use crate::log::{Log, nanos};
use crate::names::Names;
use crate::record::{Limits, Plan, Recorder};
use crate::schedule::Schedule;
use crate::signals::Signals;
use crate::source::Source;
use crate::stats::Stats;
use crate::writer::{Shared, Target, Writer};

/// How long packets may wait in memory for more of them: on the way to a file, and to a reader who waits for them.
const FLUSH_FILE: Duration = Duration::from_millis(400);
const FLUSH_PIPE: Duration = Duration::from_millis(100);

/// Runs the tool.
///
/// # Errors
/// When the job cannot be done: no such interface, no permission, a filter that does not compile, no output.
pub fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.list_interfaces {
        return Ok(list::list(&devices()?, stdout())?);
    }
    args.check()?;
    let filter = args.filter_expression()?;
    let live_options = LiveOptions {
        snaplen: args.snaplen(),
        promiscuous: !args.no_promiscuous_mode,
        buffer: Some(args.buffer_size.saturating_mul(1024)),
        gather: GATHER,
        immediate: args.immediate_mode,
        filter: filter.clone(),
        direction: args.direction,
        stamp: args.time_stamp_type,
        nanoseconds: args.time_stamp_precision == "nano",
        link_type: args.linktype.clone(),
    };
    let mut sources = Vec::new();
    for name in &args.interfaces {
        sources.push(Source::open(name, &live_options).map_err(explain)?);
    }
    if args.list_data_link_types {
        return list::list_link_types(&sources, stdout());
    }

    let begun = Timestamp::now();
    let pcapng = writes_pcapng(args);
    let (encoder, header) = encoder(&sources, &live_options, pcapng)?;
    let compression = args.compress.or_else(|| by_ending(&args.write));
    let output = writer::Options {
        target: target(args, pcapng, compression)?,
        compression,
        files_kept: args.files_kept(),
        bytes_kept: args.ring_bytes,
        command: args.postrotate_command.clone(),
    };
    let account_file = args.account.as_deref().map(create).transpose()?;

    // From here on with no more rights than are needed.
    let user = privileges::choose(args.user.as_deref(), (!args.is_pipe()).then_some(args.write.as_path()))?;
    let early = writer::open_early(&output, user.as_ref())?;
    privileges::give_up(user.as_ref(), !args.no_reopen)?;

    let signals = Signals::new()?;
    let links = match LinkWatch::new() {
        Ok(links) => Some(links),
        Err(e) => {
            console.say(format_args!("{e}: interfaces that go down are told later, or not at all"));
            None
        }
    };
    let shared = Arc::new(Shared::default());
    let plan = Plan {
        header: header.len(),
        interfaces: sources.len(),
        schedule: Schedule::new(args, nanos(begun)),
        flush_every: if args.is_pipe() { FLUSH_PIPE } else { FLUSH_FILE },
        limits: limits(args),
        encoder,
    };
    let writer = Writer::new(output, header, early, begun, Arc::clone(&shared))
        .map_err(|e| as_user(e, user.as_ref()))?;
    console.say(format_args!(
        "capturing from {} to {}{}",
        sources
            .iter()
            .map(|source| format!("{}, link type {},", source.name, source.link_type()))
            .collect::<Vec<_>>()
            .join(" and "),
        writer.name(),
        user.as_ref().map_or_else(String::new, |user| format!(", as {}", user.name))
    ));

    let (work, to_do) = channel();
    let (emptied, empty) = channel();
    let recorder = Recorder::new(plan, work, empty, Arc::clone(&shared));
    let thread = std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || writer.run(&to_do, &emptied))
        .context("starting the writer")?;
    let options = capture::Options {
        deadline: deadline(args),
        each_packet: args.packet_buffered,
        reopen: !args.no_reopen,
        unfiltered: filter.is_empty(),
        status: args.status,
        stats: args.stats.clone(),
    };
    let mut capture = Capture { sources, recorder, signals, links, shared, options, begun, log: Log::new() };
    let ended = capture.run(&thread);
    let (stats, written) = capture.finish(thread);
    if written.as_ref().is_err_and(|e| e.root_cause().downcast_ref().is_some_and(is_hang_up)) {
        return written;
    }
    report(&stats, account_file, console)?;
    written.and(ended)
}

fn is_hang_up(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::BrokenPipe
}

/// Says what was lost, and where everything went.
fn report(stats: &Stats, account_file: Option<File>, console: &mut Console) -> Outcome {
    let account = Account::new("packets", stats.packets)
        .part("written", stats.written.saturating_sub(stats.removed))
        .skipped("time-not-in-format", stats.untimed)
        .skipped("output-failed", stats.unwritten)
        .skipped("file-removed", stats.removed)
        .note("dropped by kernel", stats.dropped_by_kernel())
        .note("dropped by interface", stats.dropped_by_interface())
        .note("gaps", stats.gaps);
    let kernel = stats.dropped_by_kernel();
    if kernel > 0 {
        console.fault(format_args!(
            "{kernel} packets lost because the kernel's buffer was full; enlarge it with -B, or keep less of each with -s"
        ));
    }
    let faults = [
        (stats.dropped_by_interface(), "packets lost by interfaces"),
        (stats.unwritten, "packets lost because the output could not be written"),
        (stats.removed, "packets lost in files that were removed while they were written"),
        (stats.commands_failed, "commands for finished files failed"),
    ];
    for (count, what) in faults.into_iter().filter(|(count, _)| *count > 0) {
        console.fault(format_args!("{count} {what}"));
    }
    if stats.silent() > 0.0 {
        console
            .fault(format_args!("interfaces were down, without carrier or gone for {:.3} s", stats.silent()));
    }
    if let Some(file) = account_file {
        account.write_json(file)?;
    }
    console.account(&account)
}

/// Makes a file while we may still do so.
fn create(path: &Path) -> Result<File, anyhow::Error> {
    File::create(path).with_context(|| path.display().to_string())
}

/// Whether pcapng is written: as asked, or as the name says, or because interfaces must be told apart.
fn writes_pcapng(args: &Args) -> bool {
    let by_name = || {
        let name = args.write.to_string_lossy();
        let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
        name.ends_with(".pcapng")
    };
    args.pcapng || (!args.pcap && (args.interfaces.len() > 1 || by_name()))
}

fn by_ending(path: &Path) -> Option<Compression> {
    match path.extension()?.to_str()? {
        "gz" => units::compression("gzip").ok(),
        "zst" => units::compression("zstd").ok(),
        _ => None,
    }
}

fn target(args: &Args, pcapng: bool, compression: Option<Compression>) -> Result<Target, anyhow::Error> {
    if args.is_pipe() {
        return Ok(Target::Stdout);
    }
    if !args.is_series() {
        return Ok(Target::File(args.write.clone()));
    }
    let ending = match compression {
        Some(Compression::Gzip(_)) => ".gz",
        Some(_) => ".zst",
        None => "",
    };
    let ending = format!("{}{ending}", if pcapng { ".pcapng" } else { ".pcap" });
    let stem = args.interfaces.join("+").replace('/', "_");
    Ok(Target::Series(Names::new(&args.write, &stem, &ending)?))
}

fn encoder(
    sources: &[Source],
    options: &LiveOptions,
    pcapng: bool,
) -> Result<(Encoder, Vec<u8>), anyhow::Error> {
    let nanos = sources.iter().filter_map(Source::live).all(probeline_capture::Live::nanoseconds);
    if pcapng {
        let devices = devices().unwrap_or_default();
        let described = |name: &str| {
            devices.iter().find(|device| device.name == name).and_then(|device| device.description.clone())
        };
        let interfaces: Vec<InterfaceInfo> = sources
            .iter()
            .map(|source| InterfaceInfo {
                link: LinkType(source.link_type()),
                snaplen: options.snaplen,
                name: source.name.clone(),
                description: described(&source.name).unwrap_or_default(),
                filter: options.filter.clone(),
                os: String::new(),
                nanos,
            })
            .collect();
        return Ok(Encoder::pcapng(&interfaces)?);
    }
    let mut link_types = sources.iter().map(Source::link_type);
    let first = link_types.next().unwrap_or_default();
    if let Some(other) = link_types.find(|other| *other != first) {
        bail!("interfaces of link types {first} and {other} do not fit into one pcap file; write pcapng");
    }
    Ok(Encoder::pcap(first, options.snaplen, nanos)?)
}

fn limits(args: &Args) -> Limits {
    let mut limits = Limits { packets: args.count.unwrap_or(u64::MAX), files: u64::MAX, bytes: u64::MAX };
    for stop in &args.autostop {
        match *stop {
            Autostop::Packets(packets) => limits.packets = limits.packets.min(packets),
            Autostop::Files(files) => limits.files = files,
            Autostop::Bytes(bytes) => limits.bytes = bytes,
            Autostop::Duration(_) => {}
        }
    }
    limits
}

fn deadline(args: &Args) -> Option<Instant> {
    args.autostop.iter().find_map(|stop| match *stop {
        Autostop::Duration(time) => Instant::now().checked_add(time),
        _ => None,
    })
}

/// Says as whom an output could not be made, when that is not who started us.
fn as_user(error: anyhow::Error, user: Option<&User>) -> anyhow::Error {
    match user {
        Some(user) if !user.uid.is_root() => {
            error.context(format!("as {} (-Z names somebody else; chown gives away a folder)", user.name))
        }
        _ => error,
    }
}

/// Adds to an error what the user can do about it.
fn explain(error: Error) -> anyhow::Error {
    match &error {
        Error::NoSuchDevice { .. } => {
            let names: Vec<String> =
                devices().unwrap_or_default().into_iter().map(|device| device.name).collect();
            anyhow!("{error}; there are: {}", names.join(", "))
        }
        Error::NotPermitted { .. } => {
            let me = std::env::current_exe()
                .map_or_else(|_| "pcap-cap".to_owned(), |path| path.display().to_string());
            anyhow!("{error}; run it as root, or allow it once: setcap cap_net_raw+ep {me}")
        }
        _ => error.into(),
    }
}
