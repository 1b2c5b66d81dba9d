//! What others call backscatter.

use probeline_record::{Proto, TcpFlags};

use crate::first::{FirstPacket, backscatter, other, scan};
use crate::flow::Packet;
use crate::names::{Class, Reason, Technique};

/// By whose rules a flow's first packet is backscatter. The names are those of the `--backscatter` option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackscatterRule {
    /// docs/CLASSIFICATION.md.
    #[default]
    Default,
    /// CAIDA corsaro3, libcorsaro_filtering.c (commit 9e899da): UDP from port 53; ICMP types 0, 3, 4, 5, 11, 12, 14,
    /// 16, 18; TCP with SYN and ACK, or with RST.
    Corsaro3,
    /// Liu and Fukuda, "An Evaluation of Darknet Traffic Taxonomy", Journal of Information Processing 26 (2018),
    /// table 1: TCP SA, A, R, RA; UDP from 53, 123, 137, 161 with the payload of a reply; ICMP (0,0), 3, (11,0).
    LiuFukuda2018,
    /// Durumeric et al. 2014, Griffioen et al. 2024: of TCP only a SYN is a scan, everything else a reply.
    SynOnly,
    /// Merit darknet-events (74f9f7d) and events-features (2024-12): TCP is a scan with SYN and no ACK, with FIN and no
    /// ACK, or without flags, and else backscatter; every ICMP type but echo request is.
    Merit,
}

impl BackscatterRule {
    /// What `found`, the answer by our own rules, becomes by these.
    pub(crate) fn judge(self, packet: &Packet, found: FirstPacket) -> FirstPacket {
        // Nobody's rules speak of what is not between two hosts, or of headers that were not captured.
        if matches!(found.reason, Some(Reason::Multicast | Reason::LinkLocal | Reason::NoHeader)) {
            return found;
        }
        match self.reason(packet) {
            None => found,
            Some(Some(reason)) => backscatter(reason),
            Some(None) if found.class != Class::Backscatter => found,
            Some(None) if packet.proto == Proto::UDP => scan(Technique::Udp),
            Some(None) => other(Reason::MidStream),
        }
    }

    /// `None` where these rules do not differ from ours; else why the packet is backscatter, if it is.
    fn reason(self, packet: &Packet) -> Option<Option<Reason>> {
        let kind = packet.icmp_type;
        let code_is_zero = packet.icmp_code == Some(0);
        Some(match (self, packet.proto) {
            (Self::Default, _) => return None,
            (_, Proto::TCP) => self.tcp(packet.flags?.classic()),
            (Self::Corsaro3, Proto::UDP) => (packet.src_port == Some(53)).then_some(Reason::DnsReply),
            (Self::LiuFukuda2018, Proto::UDP) => {
                packet.reply.filter(|_| matches!(packet.src_port, Some(53 | 123 | 137 | 161)))
            }
            (Self::Corsaro3, Proto::ICMP) => {
                icmp(kind?, |kind| matches!(kind, 0 | 3 | 4 | 5 | 11 | 12 | 14 | 16 | 18))
            }
            (Self::LiuFukuda2018, Proto::ICMP) => {
                icmp(kind?, |kind| kind == 3 || (matches!(kind, 0 | 11) && code_is_zero))
            }
            (Self::Merit, Proto::ICMP) => icmp(kind?, |kind| kind != 8),
            _ => return None,
        })
    }

    fn tcp(self, flags: TcpFlags) -> Option<Reason> {
        let (syn, ack, rst) = (flags.has(TcpFlags::SYN), flags.has(TcpFlags::ACK), flags.has(TcpFlags::RST));
        let is_backscatter = match self {
            Self::Default => false,
            Self::Corsaro3 => (syn && ack) || rst,
            Self::LiuFukuda2018 => matches!(flags.letters(), "SA" | "A" | "R" | "RA"),
            Self::SynOnly => flags != TcpFlags::SYN,
            Self::Merit => flags.bits() != 0 && (ack || !(syn || flags.has(TcpFlags::FIN))),
        };
        let reason = match (syn && ack, rst) {
            (true, _) => Reason::SynAck,
            (_, true) => Reason::Rst,
            _ => Reason::NotSyn,
        };
        is_backscatter.then_some(reason)
    }
}

fn icmp(kind: u8, is_backscatter: impl Fn(u8) -> bool) -> Option<Reason> {
    let reason = if matches!(kind, 3 | 4 | 5 | 11 | 12) { Reason::IcmpError } else { Reason::IcmpReply };
    is_backscatter(kind).then_some(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(rule: BackscatterRule) -> String {
        let all = (0..64).map(TcpFlags::from_bits).filter(|flags| rule.tcp(*flags).is_some());
        let mut names: Vec<_> = all.map(TcpFlags::letters).collect();
        names.sort_unstable();
        names.join(" ")
    }

    /// The published sets, written out by hand.
    #[test]
    fn published_flag_sets() {
        assert_eq!(names(BackscatterRule::LiuFukuda2018), "A R RA SA");
        let corsaro = names(BackscatterRule::Corsaro3);
        for flags in ["SA", "R", "RA", "SPA", "FR"] {
            assert!(corsaro.split(' ').any(|f| f == flags), "{flags}");
        }
        for flags in ["A", "PA", "S", "F", "FPU", "."] {
            assert!(!corsaro.split(' ').any(|f| f == flags), "{flags}");
        }
        assert_eq!(names(BackscatterRule::SynOnly).split(' ').count(), 63);
        let merit = names(BackscatterRule::Merit);
        for flags in ["S", "SF", "F", "FPU", "."] {
            assert!(!merit.split(' ').any(|f| f == flags), "{flags}");
        }
        for flags in ["SA", "A", "R", "RA", "FA", "PA", "P"] {
            assert!(merit.split(' ').any(|f| f == flags), "{flags}");
        }
    }
}
