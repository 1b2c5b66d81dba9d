use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use probeline_cli::duration;
use probeline_record::Ts;
use probeline_simulate::{Addresses, Plan, Profile};

/// Write a capture as a network telescope would see it, of any length, and the truth about every flow in it.
///
/// SYNTHETIC: nothing here was ever on a wire. Every frame says so (Ethernet 02:53:59:4e:54:48, which is \x02SYNTH), and
/// so do stderr and the columns of --truth, which all begin with sim_. Sources lie in address space of real countries
/// and networks, drawn at random: no packet says anything about the hosts that have these addresses.
///
/// A population of sources is simulated: botnets, Internet-wide and slow scans, campaigns of many addresses, logins,
/// backscatter, misconfigured hosts, floods; heavy-tailed, partly by day only, with the header marks of the tools they
/// use and with the retransmissions of operating systems. With --honeypot twelve TCP ports are open and the others
/// refuse; else nothing answers. The same options give the same bytes on every machine.
///
/// Memory: about 500 bytes for each source that will send something yet, and for each packet that waits for its time;
/// at the default rates some ten thousand of them, whatever the length.
#[derive(Debug, Parser)]
#[command(name = "pcap-sim", version, max_term_width = 110, after_help = EXAMPLES)]
pub struct Args {
    /// Who is out there
    #[arg(long, value_name = "PROFILE", default_value = "telescope")]
    pub(crate) profile: ProfileArg,

    /// Something answers: handshakes are completed, reset, refused or left unanswered
    #[arg(long)]
    pub(crate) honeypot: bool,

    /// Monitored addresses: CIDR, ADDR or A-B; repeatable, or joined by commas. The profile's own without it
    #[arg(short, long, value_name = "SET", env = "TELESCOPE")]
    telescope: Vec<String>,

    /// End after exactly this many packets
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    packets: Option<u64>,

    /// End after this time of the capture
    #[arg(short, long, value_name = "TIME", value_parser = duration)]
    duration: Option<Duration>,

    /// Time of the beginning, in Unix seconds
    #[arg(long, value_name = "TIME", default_value = "1767225600", value_parser = time)]
    start: Ts,

    /// Flows a second, in the mean, instead of the profile's own
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,

    /// Another number gives other sources
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Times with nanoseconds
    #[arg(long)]
    pub(crate) nanoseconds: bool,

    /// Where the capture goes; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) write: PathBuf,

    /// Write the truth to FILE: CSV, one row per flow in the order of their first packets
    #[arg(long, value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,

    /// List the columns of --truth, with their meaning, and exit
    #[arg(long)]
    pub(crate) list_fields: bool,
}

const EXAMPLES: &str = "\
Examples:
  pcap-sim --duration 30d -w month.pcap
  pcap-sim --profile mixed -n 5000000 --honeypot --truth truth.csv | pkt2csv | scan-classify --class all
  pcap-sim --profile flood -n 10000000 | pkt2csv | scan-classify --stats - >/dev/null
  pcap-sim --profile study -w passive.pcap; pcap-sim --profile study --honeypot --start 1770163200 -w honeypot.pcap

Exit status: 0 done, 2 could not do it.";

fn time(text: &str) -> Result<Ts, String> {
    match Ts::parse(text.as_bytes()) {
        Some(ts) if ts.nanos() >= 0 && ts.seconds() < i64::from(u32::MAX) => Ok(ts),
        _ => Err("not Unix seconds from 1970 to 2106, which is what pcap can say".to_owned()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1e9 => Ok(rate),
        _ => Err("not a number above 0 and at most 10^9".to_owned()),
    }
}

/// Populations by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ProfileArg {
    /// The Internet as a small telescope sees it: 7460 packets a day to each address
    Telescope,
    /// Every technique and tool in one dense stream: 2000 flows a second
    Mixed,
    /// The two configurations of the published study: 888,708 and, with --honeypot, 916,513 probes
    Study,
    /// SYNs from spoofed addresses, none of them twice: 100,000 a second
    Flood,
}

impl From<ProfileArg> for Profile {
    fn from(arg: ProfileArg) -> Self {
        match arg {
            ProfileArg::Telescope => Self::Telescope,
            ProfileArg::Mixed => Self::Mixed,
            ProfileArg::Study => Self::Study,
            ProfileArg::Flood => Self::Flood,
        }
    }
}

impl Args {
    pub(crate) fn plan(&self) -> Result<Plan, anyhow::Error> {
        let profile = Profile::from(self.profile);
        let mut telescope = Addresses::parse(&self.telescope).context("--telescope")?;
        if telescope.is_empty() {
            telescope = Addresses::parse(&[profile.telescope()])?;
        }
        Ok(Plan {
            profile,
            honeypot: self.honeypot,
            telescope,
            seed: self.seed,
            start: self.start.nanos() as u64,
            duration: self
                .duration
                .map_or(u64::MAX, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
            packets: self.packets.unwrap_or(u64::MAX),
            probes: profile.probes(self.honeypot).unwrap_or(u64::MAX),
            rate: self.rate,
            nanoseconds: self.nanoseconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }
}
