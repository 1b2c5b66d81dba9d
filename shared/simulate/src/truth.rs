//! What is true of each simulated probe.

use std::net::IpAddr;

/// Why a packet was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// To find out what is there.
    Scan,
    /// In answer to something made out to come from the telescope.
    Backscatter,
    /// To a wrong address, by somebody who wants a service.
    Misconfiguration,
    /// To exhaust the target, from addresses that are not the sender's.
    Flood,
}

impl Origin {
    /// Every value.
    pub const ALL: [Self; 4] = [Self::Scan, Self::Backscatter, Self::Misconfiguration, Self::Flood];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Backscatter => "backscatter",
            Self::Misconfiguration => "misconfiguration",
            Self::Flood => "flood",
        }
    }
}

/// What the sender of a run wanted: the same of all its probes.
#[derive(Clone, Copy, Debug)]
pub struct Intent {
    /// Why.
    pub origin: Origin,
    /// The class that the rules of docs/CLASSIFICATION.md give such packets.
    pub class: &'static str,
    /// What the sender did: `connect` for a socket's connect(), whether anything answers or not. None for what is no
    /// scan by its class.
    pub technique: Option<&'static str>,
    /// Tool, or `os-stack`, or `unknown` where the sender leaves no mark.
    pub tool: &'static str,
    /// Its version; empty where there is but one.
    pub version: &'static str,
    /// Runs of one launch, on however many addresses, share this number.
    pub session: u32,
    /// A visit of one source: one number each.
    pub run: u32,
    /// `point`, `horizontal`, `vertical` or `block`, by the targets that the run was to have.
    pub geometry: &'static str,
}

/// One flow of the capture and the truth about it.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// Time of its first packet in Unix nanoseconds, as the capture has it.
    pub ts: i64,
    /// Who sent the first packet.
    pub src: IpAddr,
    /// Who received it.
    pub dst: IpAddr,
    /// `tcp`, `udp`, `icmp`, `icmp6`, `sctp`, or the number of another.
    pub proto: &'static str,
    /// Source port, where the protocol has ports.
    pub src_port: Option<u16>,
    /// Destination port, where the protocol has ports.
    pub dst_port: Option<u16>,
    /// How the handshake of a flow that a SYN opened ended, by what the capture holds.
    pub handshake: Option<&'static str>,
    /// Packets of the flow in the capture, in both directions.
    pub packets: u32,
    /// What the sender wanted.
    pub intent: Intent,
}
