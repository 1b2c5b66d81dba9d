//! Class and technique by a flow's first packet.

use probeline_record::{Proto, TcpFlags};

use crate::bogon::{is_link_local, is_multicast};
use crate::flow::Packet;
use crate::names::{Class, Reason, Technique};

/// What a flow's first packet says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstPacket {
    /// The class, unless the flow turns out to be a conversation.
    pub class: Class,
    /// The technique of a scan.
    pub technique: Option<Technique>,
    /// What decided, where it was not the technique itself.
    pub reason: Option<Reason>,
}

pub(crate) const fn scan(technique: Technique) -> FirstPacket {
    FirstPacket { class: Class::Scan, technique: Some(technique), reason: None }
}

pub(crate) const fn backscatter(reason: Reason) -> FirstPacket {
    FirstPacket { class: Class::Backscatter, technique: None, reason: Some(reason) }
}

pub(crate) const fn other(reason: Reason) -> FirstPacket {
    FirstPacket { class: Class::Other, technique: None, reason: Some(reason) }
}

/// Class and technique of an inbound flow by its first packet. `scoped`: a telescope is known, so that link-local
/// noise needs no rule of its own.
#[inline]
pub fn first_packet(packet: &Packet, scoped: bool) -> FirstPacket {
    if !scoped {
        if is_multicast(packet.dst) {
            return other(Reason::Multicast);
        }
        if is_link_local(packet.src) || is_link_local(packet.dst) {
            return other(Reason::LinkLocal);
        }
    }
    match packet.proto {
        Proto::TCP => packet.flags.map_or(other(Reason::NoHeader), tcp),
        Proto::UDP => match (packet.src_port, packet.dst_port, packet.reply) {
            (Some(_), Some(_), None) => scan(Technique::Udp),
            (Some(_), Some(_), Some(reason)) => backscatter(reason),
            _ => other(Reason::NoHeader),
        },
        Proto::ICMP => packet.icmp_type.map_or(other(Reason::NoHeader), icmp),
        Proto::ICMP6 => packet.icmp_type.map_or(other(Reason::NoHeader), icmp6),
        Proto::SCTP => match (packet.src_port.and(packet.dst_port), packet.sctp_chunk) {
            (Some(_), Some(chunk)) => sctp(chunk),
            _ => other(Reason::NoHeader),
        },
        _ => scan(Technique::IpProto),
    }
}

/// By the six classic flags; ECE, CWR and NS are recorded and change nothing.
fn tcp(flags: TcpFlags) -> FirstPacket {
    const F: u16 = 1;
    const S: u16 = 1 << 1;
    const R: u16 = 1 << 2;
    const P: u16 = 1 << 3;
    const A: u16 = 1 << 4;
    const U: u16 = 1 << 5;
    match flags.classic().bits() {
        S => scan(Technique::Syn),
        F => scan(Technique::Fin),
        0 => scan(Technique::Null),
        bits if bits == F | P | U => scan(Technique::Xmas),
        bits if bits == F | A => scan(Technique::Maimon),
        A => scan(Technique::Ack),
        bits if bits == S | A => backscatter(Reason::SynAck),
        bits if bits & !A == R => backscatter(Reason::Rst),
        // Behind the handshake every segment carries ACK (RFC 9293 §3.10.7.4), with or without data and urgency;
        // a RST may carry PSH from stacks that reset with data.
        bits if bits & (S | R) == 0 && bits & A != 0 => other(Reason::MidStream),
        bits if bits & !A == R | P => other(Reason::MidStream),
        _ => scan(Technique::OddFlags),
    }
}

/// ICMP types: RFC 792, RFC 950 (address mask).
fn icmp(kind: u8) -> FirstPacket {
    match kind {
        8 => scan(Technique::IcmpEcho),
        13 => scan(Technique::IcmpTimestamp),
        15 => scan(Technique::IcmpInfo),
        17 => scan(Technique::IcmpMask),
        0 | 14 | 16 | 18 => backscatter(Reason::IcmpReply),
        3 | 4 | 5 | 11 | 12 => backscatter(Reason::IcmpError),
        _ => other(Reason::IcmpControl),
    }
}

/// ICMPv6 types: RFC 4443.
fn icmp6(kind: u8) -> FirstPacket {
    match kind {
        128 => scan(Technique::IcmpEcho),
        129 => backscatter(Reason::IcmpReply),
        1..=4 => backscatter(Reason::IcmpError),
        _ => other(Reason::IcmpControl),
    }
}

/// By the first chunk's type, RFC 9260 §3.2.
fn sctp(chunk: u8) -> FirstPacket {
    match chunk {
        1 => scan(Technique::SctpInit),
        10 => scan(Technique::SctpCookieEcho),
        2 | 6 | 11 | 14 => backscatter(Reason::SctpReply),
        _ => other(Reason::MidStream),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of the six flags, by the table of docs/CLASSIFICATION.md written out by hand.
    #[test]
    fn all_flag_combinations() {
        for bits in 0..64 {
            let flags = TcpFlags::from_bits(bits);
            let expected = match flags.letters() {
                "S" => "syn",
                "F" => "fin",
                "FPU" => "xmas",
                "." => "null",
                "FA" => "maimon",
                "A" => "ack",
                "SA" => "backscatter",
                "R" | "RA" => "backscatter",
                "PA" | "AU" | "PAU" | "FPA" | "FAU" | "FPAU" | "RP" | "RPA" => "other",
                _ => "odd-flags",
            };
            let found = tcp(flags);
            let word = found.technique.map_or(found.class.name(), Technique::name);
            assert_eq!(word, expected, "{}", flags.letters());
            assert_eq!(tcp(TcpFlags::from_bits(bits | 0x1c0)), found, "ECE, CWR and NS change nothing");
        }
    }
}
