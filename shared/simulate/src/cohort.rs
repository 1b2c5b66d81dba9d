//! A cohort: sources that behave alike.

use crate::random::{Random, Size};
use crate::tool::Tool;

/// Sources that behave alike, and how much of all flows is theirs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cohort {
    /// Part of all flows, in relation to those of the other cohorts.
    pub(crate) share: f64,
    pub(crate) v6: bool,
    pub(crate) emits: Emits,
    pub(crate) ports: Ports,
    /// Destinations of a visit.
    pub(crate) dsts: Size,
    /// Ports of a visit, on each destination.
    pub(crate) width: Size,
    pub(crate) visits: Size,
    /// Seconds from the end of a visit to the next.
    pub(crate) away: Size,
    /// Seconds that a visit lasts.
    pub(crate) lasts: Size,
    /// Exactly so many sources, over the first half of the capture; else as many as the share asks for.
    pub(crate) exactly: Option<u32>,
    pub(crate) nets: Nets,
    /// Sources that share one launch and divide its targets among them.
    pub(crate) together: u32,
    /// Comes by day, in its own local time.
    pub(crate) diurnal: bool,
    /// Looks for a service that is not here (any more).
    pub(crate) lost: bool,
    /// So many of 1000 probes to an open port are followed by a connection of the operating system.
    pub(crate) second: u32,
}

/// Which networks sources are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nets {
    Any,
    /// Large networks, and of their /24s those whose third octet is `part` modulo 4: cohorts of different parts share no
    /// /24. `few`: the largest network of each country alone.
    Part {
        part: u32,
        few: bool,
    },
}

/// What a cohort's sources send.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Emits {
    Syn(&'static [(Tool, u32)]),
    /// One of Nmap's TCP scans without SYN, by the name of the technique.
    Flags(&'static str),
    Udp(&'static [(Tool, u32)]),
    Echo(&'static [(Tool, u32)]),
    Init,
    /// Of another protocol.
    Proto(u8),
    /// Of a host that others flood in our name.
    Backscatter(Reply),
    /// Segments of connections that are not ours.
    MidStream,
    /// SYNs from addresses that are not the sender's.
    Flood,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    SynAck,
    RstAck,
    Rst,
    PortUnreachable,
    HostUnreachable,
    TimeExceeded,
    Dns,
    Echo,
}

/// Where a visit's ports come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ports {
    /// Drawn by weight, each once.
    Popular(&'static [(u16, u32)]),
    /// So many in a row, beginning anywhere from the first to the last.
    Range(u16, u16),
    /// 23, and 2323 for every tenth target.
    Mirai,
}

/// The ports of one visit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PortPlan {
    List([u16; Self::LISTED]),
    From(u16),
    Mirai,
}

impl PortPlan {
    /// The most ports that are drawn by weight.
    pub(crate) const LISTED: usize = 16;

    pub(crate) fn draw(ports: Ports, width: u32, random: &mut Random) -> Self {
        match ports {
            Ports::Mirai => Self::Mirai,
            Ports::Range(first, last) => {
                let room = u32::from(last - first) + 1;
                let spare = room.saturating_sub(width);
                Self::From(first + random.below(u64::from(spare) + 1) as u16)
            }
            Ports::Popular(list) => {
                let mut drawn = [0; Self::LISTED];
                let mut count = 0;
                while count < (width as usize).min(list.len()).min(Self::LISTED) {
                    let port = random.weighted(list);
                    if !drawn[..count].contains(&port) {
                        drawn[count] = port;
                        count += 1;
                    }
                }
                Self::List(drawn)
            }
        }
    }

    /// The most ports of a visit to this cohort's choice.
    pub(crate) fn most(ports: Ports) -> u32 {
        match ports {
            Ports::Mirai => 1,
            Ports::Range(first, last) => u32::from(last - first) + 1,
            Ports::Popular(list) => list.len().min(Self::LISTED) as u32,
        }
    }

    /// The port at this place; `target` is the number of the destination.
    pub(crate) fn port(&self, place: u32, target: u32) -> u16 {
        match self {
            Self::List(list) => list[place as usize % Self::LISTED],
            Self::From(first) => first + place as u16,
            Self::Mirai if target % 10 == 3 => 2323,
            Self::Mirai => 23,
        }
    }
}
