use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, bail};
use probeline_cli::Console;
use probeline_record::field;
use probeline_scan::{GroupOptions, Telescope, Unit, Window, estimate};

use crate::args::{Also, Args, UnitArg};
use crate::key::Key;
use crate::output::Column;
use crate::preset::{Preset, Span};
use crate::rule::{Minima, Takes};

/// What is to be done: the options, with those of a preset where they were not given.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) by: Vec<Key>,
    pub(crate) group: GroupOptions,
    pub(crate) unit: Unit,
    pub(crate) takes: Takes,
    /// A row that reaches all minima of any one of these is written.
    pub(crate) any: Vec<Minima>,
    /// Monitored IPv4 addresses, where known.
    pub(crate) size: Option<u64>,
    /// The columns behind the key; none for all.
    pub(crate) columns: Vec<String>,
}

/// Longer than any capture.
const ENDLESS: Duration = Duration::MAX;

const DEFAULT_WINDOW: Duration = Duration::from_secs(300);

const DAY: Duration = Duration::from_secs(86_400);

impl Plan {
    /// # Errors
    /// When options contradict each other, or a preset cannot select anything.
    pub(crate) fn new(args: &Args, console: &Console) -> Result<Self, anyhow::Error> {
        let size = size(args)?;
        if args.min_rate.is_some() && size.is_none() {
            bail!("--min-rate needs --telescope or --telescope-size");
        }
        if args.approx && args.unit != UnitArg::Session {
            bail!("--approx keeps no counts per port or address, which --unit needs");
        }
        let (span, mut any) = match args.preset {
            Some(preset) if args.scale => {
                let (span, any) = preset.scaled(size)?;
                console.say(format_args!(
                    "--preset {} scaled to {} addresses: {}; {}",
                    preset.name,
                    size.unwrap_or_default(),
                    Preset::window(span),
                    Preset::rule(&any)
                ));
                (Some(span), any)
            }
            Some(preset) => (Some(preset.span), preset.any.to_vec()),
            None => (None, vec![Minima::NONE]),
        };
        for minima in &mut any {
            minima.dsts = args.min_dsts.unwrap_or(minima.dsts);
            minima.ports = args.min_ports.unwrap_or(minima.ports);
            minima.probes = args.min_probes.unwrap_or(minima.probes);
            minima.rate = args.min_rate.unwrap_or(minima.rate);
        }
        if let Some(preset) = args.preset {
            preset.check(&any, size)?;
        }
        let by = match args.preset {
            _ if !args.by.is_empty() => args.by.clone(),
            Some(preset) => {
                let keys: Result<Vec<Key>, String> = preset.by.split(',').map(str::parse).collect();
                keys.map_err(anyhow::Error::msg)?
            }
            None => vec![Key::Src],
        };
        let window = window(args, span)?;
        let unit = args.unit.into();
        let group = GroupOptions {
            units: unit != Unit::Session,
            approximate: args.approx,
            bursts: any.iter().any(|minima| minima.burst > 0),
            max_sessions: args.max_sessions as usize,
            ..GroupOptions::new(window, args.reorder)
        };
        let takes = args.preset.map_or(Takes::All, |p| p.takes);
        Self { by, group, unit, takes, any, size, columns: vec![] }
            .with_columns(&args.columns)
            .context("--columns")
    }

    /// The same of sessions by another key, and with other columns where it says so.
    ///
    /// # Errors
    /// When its sessions do not have a column that is asked for.
    pub(crate) fn of_also(&self, also: &Also) -> Result<Self, anyhow::Error> {
        let plan = Self { by: also.by.clone(), ..self.clone() };
        plan.with_columns(also.columns.as_ref().unwrap_or(&self.columns))
    }

    fn with_columns(mut self, columns: &[String]) -> Result<Self, anyhow::Error> {
        self.columns = columns.to_vec();
        self.group.port_lists = columns.iter().any(|name| name == field::PORT_LIST.name);
        if self.group.port_lists && self.unit != Unit::Session {
            bail!("{}: only whole sessions have it, not each --unit", field::PORT_LIST.name);
        }
        Column::check(&self)?;
        Ok(self)
    }

    /// Whether some sessions may be left out.
    pub(crate) fn has_minimum(&self) -> bool {
        self.any.iter().all(|minima| *minima != Minima::NONE)
    }

    /// Whether probes must say if they are the second phase of a two-phase scan.
    pub(crate) fn looks_for_two_phase(&self) -> bool {
        self.any.iter().any(|minima| minima.two_phase > 0)
    }

    /// What a saved state depends on, in words.
    pub(crate) fn fingerprint(&self, repeats: bool) -> String {
        let by: Vec<String> = self.by.iter().map(|key| format!("{key:?}")).collect();
        let GroupOptions { window, reorder, units, approximate, bursts, port_lists: _, max_sessions } =
            self.group;
        format!(
            "by {} {window:?} reorder {reorder:?} units {units} approx {approximate} bursts {bursts} max-sessions \
             {max_sessions} takes {:?} marks {} repeats {repeats}",
            by.join(","),
            self.takes,
            self.looks_for_two_phase()
        )
    }

    /// How likely the window sees a source again, for a few Internet-wide rates.
    pub(crate) fn odds(&self) -> Option<String> {
        let size = self.size?;
        let (what, time) = match self.group.window {
            Window::Anchored(time) | Window::Aligned(time) => ("window", time),
            Window::Gap { gap, .. } => ("gap", gap),
        };
        if time == ENDLESS {
            return None;
        }
        let seconds = time.as_secs_f64();
        let mut text = format!(
            "{what} {seconds} s, {size} addresses: a source that probes all of IPv4 is seen again inside it with \
             probability"
        );
        for (i, (name, rate)) in
            [("10", 1e1), ("100", 1e2), ("1k", 1e3), ("10k", 1e4), ("100k", 1e5), ("1M", 1e6)]
                .into_iter()
                .enumerate()
        {
            let comma = if i > 0 { "," } else { "" };
            // Writing to a string cannot fail.
            let _ =
                write!(text, "{comma} {:.6} at {name} packets/s", estimate::seen_again(rate, size, seconds));
        }
        Some(text)
    }
}

/// The number of monitored IPv4 addresses.
fn size(args: &Args) -> Result<Option<u64>, anyhow::Error> {
    if args.telescope_size.is_some() {
        return Ok(args.telescope_size);
    }
    let telescope = Telescope::parse(&args.telescope).context("--telescope")?;
    Ok(Some(telescope.v4_size()).filter(|size| *size > 0))
}

fn window(args: &Args, span: Option<Span>) -> Result<Window, anyhow::Error> {
    let given = args.window.is_some() || args.aligned;
    let seconds = Duration::from_secs;
    let (gap, default_age) = match (args.gap, span) {
        (Some(gap), None) => (Some(gap), DAY),
        (Some(gap), Some(_)) => (Some(gap), ENDLESS),
        (None, Some(Span::Gap(gap))) if !given => (Some(seconds(gap)), ENDLESS),
        (None, Some(Span::Endless)) if !given => (Some(ENDLESS), ENDLESS),
        _ => (None, ENDLESS),
    };
    if let Some(gap) = gap {
        return Ok(Window::Gap { gap, max_age: args.max_age.unwrap_or(default_age) });
    }
    if args.max_age.is_some() {
        bail!("--max-age needs --gap, or a preset with one");
    }
    Ok(match (args.window, span) {
        (window, _) if args.aligned => Window::Aligned(window.unwrap_or(DEFAULT_WINDOW)),
        (Some(window), Some(Span::Aligned(_))) => Window::Aligned(window),
        (Some(window), _) => Window::Anchored(window),
        (None, Some(Span::Aligned(window))) => Window::Aligned(seconds(window)),
        (None, Some(Span::Window(window))) => Window::Anchored(seconds(window)),
        (None, _) => Window::Anchored(DEFAULT_WINDOW),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn plan(args: &[&str]) -> Result<Plan, String> {
        let mut args = Args::parse_from(["x"].iter().chain(args));
        // Whatever the environment says.
        args.telescope.clear();
        Plan::new(&args, &Console::new("x")).map_err(|e| e.to_string())
    }

    fn window_of(args: &[&str]) -> Window {
        plan(args).unwrap().group.window
    }

    #[test]
    fn windows() {
        let s = Duration::from_secs;
        assert_eq!(window_of(&[]), Window::Anchored(s(300)));
        assert_eq!(window_of(&["--gap", "10m"]), Window::Gap { gap: s(600), max_age: DAY });
        assert_eq!(window_of(&["--preset", "zeek-classic"]), Window::Aligned(s(300)));
        assert_eq!(window_of(&["--preset", "zeek-classic", "--window", "60"]), Window::Aligned(s(60)));
        assert_eq!(window_of(&["--preset", "zeek-simple", "--window", "60"]), Window::Anchored(s(60)));
        let zeek = window_of(&["--preset", "zeek-simple", "--max-age", "1h"]);
        assert_eq!(zeek, Window::Gap { gap: s(900), max_age: s(3600) });
        assert!(plan(&["--max-age", "5"]).is_err());
    }

    #[test]
    fn presets_and_their_exceptions() {
        assert!(plan(&["--preset", "griffioen2024"]).err().unwrap().contains("--telescope-size"));
        let small = ["--preset", "griffioen2024", "--telescope-size", "25"];
        assert!(plan(&small).err().unwrap().contains("can select nothing"));
        let given = plan(&[&small[..], &["--min-dsts", "5", "--by", "net24"]].concat()).unwrap();
        assert_eq!((given.any[0].dsts, given.any[0].rate), (5, 100.0));
        assert_eq!(given.by, [Key::Net(24, 48)]);
        let scaled = plan(&[&small[..], &["--scale"]].concat()).unwrap();
        assert_eq!(scaled.any[0].dsts, 2);
        let gap = Duration::from_secs(11_867_433);
        assert_eq!(scaled.group.window, Window::Gap { gap, max_age: ENDLESS });
        assert!(plan(&["--min-rate", "5"]).is_err());
    }

    #[test]
    fn odds_are_those_of_the_formula() {
        let text = plan(&["--telescope-size", "25"]).unwrap().odds().unwrap();
        // 1 − exp(−1e6 · 25 / 2^32 · 300).
        assert!(text.contains("0.000017 at 10 ") && text.contains("0.825570 at 1M "), "{text}");
        assert!(plan(&[]).unwrap().odds().is_none());
    }
}
