use anyhow::bail;
use probeline_scan::estimate;

use crate::rule::{Minima, Takes};

/// A published definition of a scan.
#[derive(Debug)]
pub(crate) struct Preset {
    pub(crate) name: &'static str,
    /// The session key, as for `--by`.
    pub(crate) by: &'static str,
    pub(crate) span: Span,
    pub(crate) takes: Takes,
    /// A session that reaches all minima of any one of these qualifies.
    pub(crate) any: &'static [Minima],
    /// Addresses of the telescope it was made for, and the Internet-wide rate in packets/s that its time-out sees again
    /// with 99.9 %; where published.
    pub(crate) telescope: Option<(u64, f64)>,
    pub(crate) source: &'static str,
    /// How well the numbers are known to us.
    pub(crate) state: &'static str,
}

/// When its sessions end, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Window(u64),
    Aligned(u64),
    Gap(u64),
    /// Never.
    Endless,
}

const SECOND_HAND: &str = "numbers confirmed by Griffioen et al. 2024; key and telescope size from memory";

pub(crate) const PRESETS: &[Preset] = &[
    Preset {
        name: "thesis",
        by: "src",
        span: Span::Window(300),
        takes: Takes::All,
        any: &[Minima::NONE],
        telescope: None,
        source: "the study that Probeline reproduces: windows of 300 s per address, /24 and provider",
        state: "the window is published, no threshold is",
    },
    Preset {
        name: "durumeric2014",
        by: "src,dst_port",
        span: Span::Gap(480),
        takes: Takes::SynOnly,
        any: &[Minima { dsts: 100, rate: 10.0, ..Minima::NONE }],
        telescope: Some((5_500_000, 10.0)),
        source: "Durumeric, Bailey, Halderman: An Internet-Wide View of Internet-Wide Scanning. USENIX Security 2014",
        state: SECOND_HAND,
    },
    Preset {
        name: "griffioen2024",
        by: "src",
        span: Span::Gap(3600),
        takes: Takes::TcpSyn,
        any: &[Minima { dsts: 100, rate: 100.0, ..Minima::NONE }],
        telescope: Some((71_536, 100.0)),
        source: "Griffioen, Koursiounis, Smaragdakis, Doerr: Have you SYN me? IMC 2024, sections 3.2 and 3.4",
        state: "read in the paper",
    },
    Preset {
        name: "merit-orion",
        by: "src,dst_port",
        span: Span::Gap(624),
        takes: Takes::All,
        any: &[Minima { dsts: 10, rate: 10.0, ..Minima::NONE }],
        telescope: Some((475_136, 100.0)),
        source: "Merit darknet-events, commit 74f9f7d (2023-09): run_parse.py",
        state: "read in the code; its traffic types within one protocol are not part of the key here",
    },
    Preset {
        name: "liu-fukuda2018",
        by: "src",
        span: Span::Aligned(86_400),
        takes: Takes::All,
        any: &[Minima { v_size: 5, ..Minima::NONE }, Minima { h_size: 5, ..Minima::NONE }],
        telescope: None,
        source: "Liu, Fukuda: An Evaluation of Darknet Traffic Taxonomy. Journal of Information Processing 26 (2018), \
                 table 1",
        state: "read in the paper: N1 = N2 = 5, days of UTC; R = 50 % is what class scan says, M and N3 are left out",
    },
    Preset {
        name: "zeek-simple",
        by: "src",
        span: Span::Gap(900),
        takes: Takes::TcpSyn,
        any: &[
            Minima { targets: 25, ..Minima::NONE },
            Minima { targets: 10, dsts: 3, ..Minima::NONE },
            Minima { h_size: 3, ..Minima::NONE },
        ],
        telescope: None,
        source: "ncsa/bro-simple-scan, commit 3e7802f (2022-10): remote sources, every address dark",
        state: "read in the code",
    },
    Preset {
        name: "zeek-classic",
        by: "src",
        span: Span::Aligned(300),
        takes: Takes::TcpSyn,
        any: &[Minima { h_size: 25, ..Minima::NONE }, Minima { v_size: 15, ..Minima::NONE }],
        telescope: None,
        source: "Zeek policy/misc/scan.zeek, removed in a55e5e3724 (2023-06)",
        state: "read in the code; every probe counts as a failed connection",
    },
    Preset {
        name: "nemea",
        by: "src",
        span: Span::Gap(300),
        takes: Takes::TcpSyn,
        any: &[Minima { h_size: 50, ..Minima::NONE }, Minima { v_size: 50, ..Minima::NONE }],
        telescope: None,
        source: "CESNET NEMEA hoststatsnemea and vportscan detectors: README",
        state: "read in the README; the idle time is per source here, not per port or address, and packets per flow are \
                not bounded",
    },
    Preset {
        name: "trw2004",
        by: "src",
        span: Span::Endless,
        takes: Takes::All,
        any: &[Minima { dsts: 4, ..Minima::NONE }],
        telescope: None,
        source: "Jung, Paxson, Berger, Balakrishnan: Fast Portscan Detection Using Sequential Hypothesis Testing. IEEE \
                 S&P 2004, with 0.8, 0.2, 0.01, 0.01: four failed first contacts",
        state: "numbers second-hand; every first contact fails at a passive telescope",
    },
    Preset {
        name: "moore-dos",
        by: "victim",
        span: Span::Gap(300),
        takes: Takes::Backscatter,
        any: &[Minima { packets: 25, seconds: 60, burst: 30, ..Minima::NONE }],
        telescope: None,
        source: "Moore et al.: Inferring Internet Denial-of-Service Activity. ACM TOCS 2006, as in CAIDA corsaro3's dos \
                 plugin, commit 9e899da",
        state: "read in the code; a flow's packets count at its first, so its minute is approximate",
    },
    Preset {
        name: "spoki2022",
        by: "src,dst_ip,dst_port",
        span: Span::Gap(600),
        takes: Takes::TcpSyn,
        any: &[Minima { two_phase: 1, ..Minima::NONE }],
        telescope: None,
        source: "Hiesgen et al.: Spoki. USENIX Security 2022: two-phase scanners",
        state: "read in the paper and the code",
    },
];

impl Preset {
    pub(crate) fn by_name(name: &str) -> Result<&'static Self, String> {
        PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| {
            let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
            format!("no such preset; there are {}", names.join(", "))
        })
    }

    /// Its time-out and minima for a telescope of another size: the time-out by T = −ln(1−c)/(r·N/S) with c = 99.9 %,
    /// destinations in proportion, at least two.
    ///
    /// # Errors
    /// When the telescope it was made for is not known, or this one's size is not.
    pub(crate) fn scaled(&self, size: Option<u64>) -> Result<(Span, Vec<Minima>), anyhow::Error> {
        let name = self.name;
        let Some(size) = size else { bail!("--scale needs --telescope or --telescope-size") };
        let Some((made_for, rate)) = self.telescope else {
            bail!(
                "--preset {name} cannot be scaled: it does not say for a telescope of what size it was made"
            );
        };
        let seconds = estimate::timeout(0.999, rate, size).round() as u64;
        // In whole numbers, rounded half up.
        let fit = |count: u64| match count {
            0 => 0,
            _ => {
                let scaled = (2 * u128::from(count) * u128::from(size) + u128::from(made_for))
                    / (2 * u128::from(made_for));
                u64::try_from(scaled).unwrap_or(u64::MAX).max(2)
            }
        };
        let fit_all = |m: &Minima| Minima { dsts: fit(m.dsts), h_size: fit(m.h_size), ..*m };
        let span = match self.span {
            Span::Window(_) => Span::Window(seconds),
            Span::Aligned(_) => Span::Aligned(seconds),
            Span::Gap(_) => Span::Gap(seconds),
            Span::Endless => Span::Endless,
        };
        Ok((span, self.any.iter().map(fit_all).collect()))
    }

    /// Whether these minima, its own or as options changed them, can select anything on a telescope of this size.
    ///
    /// # Errors
    /// When they ask for a rate and so for the size, or for more addresses than there are.
    pub(crate) fn check(&self, any: &[Minima], size: Option<u64>) -> Result<(), anyhow::Error> {
        let name = self.name;
        let Some(size) = size else {
            if any.iter().any(|minima| minima.rate > 0.0) {
                bail!(
                    "--preset {name} needs --telescope or --telescope-size: it has a minimal Internet-wide rate"
                );
            }
            return Ok(());
        };
        let least = any.iter().map(Minima::addresses).min().unwrap_or(0);
        if least > size {
            let scale = if self.telescope.is_some() { "; --scale makes it fit" } else { "" };
            bail!(
                "--preset {name} asks for {least} destination addresses and can select nothing on a telescope of \
                 {size}{scale}"
            );
        }
        Ok(())
    }

    /// The window in words.
    pub(crate) fn window(span: Span) -> String {
        match span {
            Span::Window(seconds) => format!("window {seconds} s"),
            Span::Aligned(seconds) => format!("aligned {seconds} s"),
            Span::Gap(seconds) => format!("gap {seconds} s"),
            Span::Endless => "none".to_owned(),
        }
    }

    /// What qualifies, in words.
    pub(crate) fn rule(any: &[Minima]) -> String {
        let texts = any.iter().map(|m| {
            let mut parts = Vec::new();
            for (name, least) in [
                ("dsts", m.dsts),
                ("ports", m.ports),
                ("probes", m.probes),
                ("packets", m.packets),
                ("targets", m.targets),
                ("h_size", m.h_size),
                ("v_size", m.v_size),
                ("seconds", m.seconds),
                ("packets/60s", m.burst),
                ("two-phase probes", m.two_phase),
            ] {
                if least > 0 {
                    parts.push(format!("{name} >= {least}"));
                }
            }
            if m.rate > 0.0 {
                parts.push(format!("rate >= {}", m.rate));
            }
            if parts.is_empty() { "every session".to_owned() } else { parts.join(" and ") }
        });
        texts.collect::<Vec<_>>().join(" or ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the publications, written out by hand.
    #[test]
    fn scaled_to_other_telescopes() {
        let merit = Preset::by_name("merit-orion").unwrap();
        assert_eq!(merit.scaled(Some(475_136)).unwrap(), (merit.span, merit.any.to_vec()));
        let (span, any) = merit.scaled(Some(25)).unwrap();
        assert_eq!((span, any[0].dsts), (Span::Gap(11_867_433), 2));
        assert!(merit.check(&any, None).is_err() && merit.check(&any, Some(25)).is_ok());
        assert!(merit.check(merit.any, Some(9)).is_err());
        let nemea = Preset::by_name("nemea").unwrap();
        assert!(nemea.scaled(Some(25)).is_err());
        assert!(nemea.check(nemea.any, Some(25)).is_ok(), "50 ports of one address");
        let griffioen = Preset::by_name("griffioen2024").unwrap();
        assert!(griffioen.check(griffioen.any, Some(25)).is_err());
        assert!(Preset::by_name("x").is_err());
    }

    #[test]
    fn keys_are_keys() {
        for preset in PRESETS {
            for key in preset.by.split(',') {
                assert!(key.parse::<crate::key::Key>().is_ok(), "{key}");
            }
        }
    }
}
