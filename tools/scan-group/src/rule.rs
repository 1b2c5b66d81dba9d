use probeline_scan::{Class, Session, Technique};

/// Minima that a session must reach, all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Minima {
    pub(crate) dsts: u64,
    pub(crate) ports: u64,
    pub(crate) probes: u64,
    pub(crate) packets: u64,
    /// Distinct pairs of address and port.
    pub(crate) targets: u64,
    pub(crate) h_size: u64,
    pub(crate) v_size: u64,
    /// Internet-wide packets/s.
    pub(crate) rate: f64,
    /// Seconds from the first probe to the last.
    pub(crate) seconds: u64,
    /// Packets in 60 seconds.
    pub(crate) burst: u64,
    /// Probes with the reason two-phase.
    pub(crate) two_phase: u64,
}

impl Minima {
    pub(crate) const NONE: Self = Self {
        dsts: 0,
        ports: 0,
        probes: 0,
        packets: 0,
        targets: 0,
        h_size: 0,
        v_size: 0,
        rate: 0.0,
        seconds: 0,
        burst: 0,
        two_phase: 0,
    };

    /// Whether a session reaches them; `rate` is known where the telescope's size is.
    pub(crate) fn admit(&self, session: &Session<'_>, rate: Option<f64>) -> bool {
        let seconds = session.end.since(session.start) / 1_000_000_000;
        session.dsts >= self.dsts
            && session.ports >= self.ports
            && session.probes >= self.probes
            && session.packets >= self.packets
            && session.targets >= self.targets
            && session.horizontal.0 >= self.h_size
            && session.vertical.0 >= self.v_size
            && session.burst >= self.burst
            && session.marked >= self.two_phase
            && u64::try_from(seconds).unwrap_or(0) >= self.seconds
            && (self.rate <= 0.0 || rate.is_some_and(|rate| rate >= self.rate))
    }

    /// The most destination addresses that any of them asks for.
    pub(crate) fn addresses(&self) -> u64 {
        self.dsts.max(self.h_size)
    }
}

/// The probes that a definition speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Every row.
    All,
    /// Of TCP only what a SYN opened.
    SynOnly,
    /// TCP that a SYN opened, and nothing else.
    TcpSyn,
    /// Backscatter.
    Backscatter,
}

impl Takes {
    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::SynOnly => "of TCP only SYN",
            Self::TcpSyn => "TCP SYN only",
            Self::Backscatter => "backscatter only",
        }
    }

    /// Whether it speaks of a probe of this protocol, class and technique.
    pub(crate) fn takes(self, tcp: bool, class: &[u8], technique: &[u8]) -> bool {
        let syn = || [Technique::Syn, Technique::Connect].iter().any(|t| t.name().as_bytes() == technique);
        match self {
            Self::All => true,
            Self::SynOnly => !tcp || syn(),
            Self::TcpSyn => tcp && syn(),
            Self::Backscatter => class == Class::Backscatter.name().as_bytes(),
        }
    }
}
