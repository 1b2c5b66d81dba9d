//! Captures packets from an interface to a file.

mod args;
mod list;
mod output;
mod stop;

pub use args::Args;

use std::time::{Duration, Instant};

use anyhow::anyhow;
use jiff::Timestamp;
use probeline_capture::{Error, Live, LiveOptions, devices};
use probeline_cli::{Account, Console, Outcome, stdout};

use crate::output::{FLUSH_EVERY, Header, Output};
use crate::stop::Stop;

/// How long the kernel may gather packets into one block before it hands them over.
const GATHER: Duration = Duration::from_millis(100);

/// Under a load that never lets the buffer run dry, the clock and the signals are looked at this often, in packets.
const LOOK_UP_EVERY: u32 = 1024;

/// Runs the tool.
///
/// # Errors
/// When the job cannot be done: no such interface, no permission, a filter that does not compile, no output.
pub fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.list_interfaces {
        return Ok(list::list(&devices()?, stdout())?);
    }
    args.refuse_absent()?;
    let interface = args.interface.as_deref().unwrap_or_default();
    let options = LiveOptions {
        snaplen: args.snaplen(),
        promiscuous: !args.no_promiscuous_mode,
        buffer: args.buffer_size.map(|kib| kib.saturating_mul(1024)),
        gather: GATHER,
        immediate: false,
        filter: args.filter.join(" "),
    };
    let mut live = Live::open(interface, &options).map_err(explain)?;
    let header =
        Header { link_type: live.link_type(), snaplen: options.snaplen, nanoseconds: live.nanoseconds() };
    let mut output = Output::create(&args.write, interface, &header, args.packet_buffered)?;
    let stop = Stop::new(args.autostop)?;
    console.say(format_args!(
        "capturing from {interface}, link type {}, to {}",
        live.link_type(),
        output.name()
    ));

    let ended = capture(&mut live, &mut output, &stop, args.count);
    output.flush()?;
    let counters = live.counters().unwrap_or_default();
    let received = output.written + output.untimed;
    let account = Account::new("packets", received)
        .part("written", output.written)
        .skipped("time-not-in-pcap", output.untimed)
        .note("dropped by kernel", counters.dropped)
        .note("dropped by interface", counters.dropped_by_interface);
    if counters.dropped > 0 {
        console.fault(format_args!(
            "{} packets lost because the kernel's buffer was full; enlarge it with -B, or keep less of each with -s",
            counters.dropped
        ));
    }
    if counters.dropped_by_interface > 0 {
        console.fault(format_args!("{} packets lost by the interface", counters.dropped_by_interface));
    }
    if let Some(file) = &args.account {
        account.save(file)?;
    }
    console.account(&account)?;
    ended
}

/// Captures until the end. On an error, everything before it has been given to the output.
fn capture(live: &mut Live, output: &mut Output, stop: &Stop, count: Option<u64>) -> Outcome {
    let limit = count.unwrap_or(u64::MAX);
    while !stop.now() {
        let mut until_look_up = LOOK_UP_EVERY;
        let mut dry = false;
        while until_look_up > 0 && !dry {
            match live.next_packet()? {
                Some(packet) => output.write(&packet)?,
                None => dry = true,
            }
            if output.written >= limit {
                return Ok(());
            }
            until_look_up -= 1;
        }
        output.flush_if_due()?;
        if dry {
            live.wait(stop.wait(FLUSH_EVERY))?;
        }
    }
    finish(live, output, limit)
}

/// Takes out of the kernel's buffer what arrived before now. The kernel hands over a block that is not full only
/// when its time is up, so the last packets come that much later.
fn finish(live: &mut Live, output: &mut Output, limit: u64) -> Outcome {
    let end = i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
    let patience = Instant::now() + 2 * GATHER;
    loop {
        match live.next_packet()? {
            Some(packet) if packet.ts_ns > end => return Ok(()),
            Some(packet) => output.write(&packet)?,
            None => {
                let left = patience.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(());
                }
                live.wait(left)?;
            }
        }
        if output.written >= limit {
            return Ok(());
        }
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
            anyhow!("{error}; run it as root, or allow it once: setcap cap_net_raw,cap_net_admin+eip {me}")
        }
        _ => error.into(),
    }
}
