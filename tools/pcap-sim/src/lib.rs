//! `pcap-sim`: captures as a telescope would see them, made up, with the truth about every flow.
//!
//! A **source**: options in, a capture out. The population is that of `probeline_simulate`.

mod args;
mod truth;

pub use args::Args;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, bail};
use probeline_capfile::{LinkType, PcapWriter};
use probeline_cli::{Console, Outcome, list_fields, stdout};
use probeline_record::Ts;
use probeline_simulate::{Flow, Origin, Simulation, Sink, Totals};

use crate::truth::Truth;

/// Bytes gathered before they are written.
const BLOCK: usize = 256 * 1024;

/// Runs the tool.
///
/// # Errors
/// When the options name nothing that can be simulated, or the output cannot be written.
pub fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.list_fields {
        return Ok(list_fields(truth::FIELDS, stdout())?);
    }
    let simulation = Simulation::new(args.plan()?)?;
    let capture = BufWriter::with_capacity(BLOCK, create(&args.write)?);
    let mut output = Output {
        capture: PcapWriter::new(capture, LinkType::ETHERNET, 65_535, args.nanoseconds)?,
        truth: match &args.truth {
            Some(path) => Some(Truth::new(create(path)?, args.nanoseconds)),
            None => None,
        },
    };
    let totals = simulation.run(&mut output).context("writing")?;
    output.capture.flush().context("writing the capture")?;
    if let Some(truth) = &mut output.truth {
        truth.flush().context("writing the truth")?;
    }
    account(&totals, args, console)
}

fn create(path: &Path) -> Result<Box<dyn Write + Send>, anyhow::Error> {
    if path == Path::new("-") {
        if io::IsTerminal::is_terminal(&io::stdout()) {
            bail!("standard output is a terminal; write to a file with -w, or pipe it on");
        }
        return Ok(stdout());
    }
    Ok(Box::new(File::create(path).with_context(|| path.display().to_string())?))
}

struct Output<W: Write> {
    capture: PcapWriter<W>,
    truth: Option<Truth>,
}

impl<W: Write> Sink for Output<W> {
    fn packet(&mut self, ts: i64, frame: &[u8]) -> io::Result<()> {
        self.capture.write(ts, frame.len() as u32, frame)
    }

    fn flow(&mut self, flow: &Flow) -> io::Result<()> {
        match &mut self.truth {
            Some(truth) => truth.write(flow),
            None => Ok(()),
        }
    }
}

/// The last line: what was written, and that it is made up.
fn account(totals: &Totals, args: &Args, console: &Console) -> Outcome {
    let packets: u64 = totals.packets.iter().sum();
    let flows: u64 = totals.flows.iter().sum();
    let parts: Vec<String> = Origin::ALL
        .iter()
        .zip(totals.packets)
        .map(|(origin, packets)| format!("{packets} {}", origin.name()))
        .collect();
    console.say(format_args!(
        "SYNTHETIC: {packets} packets written = {}; {flows} flows, {} of them probes, {} sources at once at most",
        parts.join(" + "),
        totals.probes,
        totals.sources
    ));
    if let Some((first, last)) = totals.span {
        let text = |ts: i64| {
            let mut text = Vec::new();
            Ts::from_nanos(ts).write_rfc3339(0, &mut text);
            String::from_utf8_lossy(&text).into_owned()
        };
        console.say(format_args!("seed {}, from {} to {}", args.seed, text(first), text(last)));
    }
    Ok(())
}
