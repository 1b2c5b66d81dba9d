//! The facts of one packet.

use std::net::IpAddr;

use crate::transport::{Icmp, Tcp};

/// One IP packet, as far as it was captured.
///
/// An `Option` is `None` when the field does not exist in this kind of packet or when its bytes were not captured;
/// it is `Some` whenever its own bytes were, however little follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packet<'a> {
    /// Source address.
    pub src: IpAddr,
    /// Destination address of the IP header. A routing header's final destination is not put in its place.
    pub dst: IpAddr,
    /// Number of the protocol after all IPv6 extension headers and IPv4/IPv6 authentication headers
    /// (IANA protocol numbers). For a later IPv6 fragment: what its fragment header says follows.
    pub proto: u8,
    /// Length of the IP packet in octets by its own header: IPv4 total length, IPv6 40 + payload length
    /// (or 40 + jumbo payload length, RFC 2675). An IPv4 length of 0, left by segmentation offload, is replaced
    /// by the length on the wire; an IPv6 payload length of 0 means an empty packet.
    pub ip_len: u32,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// Type of service or traffic class: DSCP in the upper six bits, ECN in the lower two (RFC 2474, RFC 3168).
    pub tos: u8,
    /// IPv4 identification.
    pub ip_id: Option<u16>,
    /// IPv4 don't-fragment flag.
    pub df: Option<bool>,
    /// IPv6 flow label (20 bits).
    pub flow_label: Option<u32>,
    /// Place in the original packet; only when the packet is a fragment. An IPv6 atomic fragment
    /// (RFC 6946: offset 0, nothing follows) is not.
    pub frag: Option<Frag>,
    /// Identifier of the outermost IEEE 802.1Q tag (12 bits).
    pub vlan: Option<u16>,
    /// What IP carries.
    pub transport: Transport<'a>,
    /// Length in octets of the transport payload on the wire, whatever was captured of it.
    /// `None` when it cannot be told: the length of the transport header was not captured or is impossible.
    ///
    /// TCP: what follows the options. UDP: length field less 8, unless that field is below 8 or larger than the IP
    /// payload; then, and in fragments, what follows the header in this packet. ICMP: what follows the first 8
    /// octets. SCTP: the chunks. Otherwise all that IP carries after extension headers.
    pub payload_len: Option<u32>,
    /// The captured part of the transport payload. Never longer than `payload_len`, never link-layer padding.
    pub payload: &'a [u8],
    /// Checksum verdicts, when [`crate::Options::checksums`] asked for them.
    pub checksum: Option<ChecksumVerdict>,
}

/// Where a fragment belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frag {
    /// Offset of this fragment's data in the original, in octets.
    pub offset: u16,
    /// More fragments follow.
    pub more: bool,
    /// Identification of the original: 16 bits of IPv4, 32 of IPv6.
    pub id: u32,
}

/// What IP carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport<'a> {
    /// Transmission Control Protocol, RFC 9293.
    Tcp(Tcp<'a>),
    /// User Datagram Protocol, RFC 768.
    Udp {
        /// Source port.
        src_port: Option<u16>,
        /// Destination port.
        dst_port: Option<u16>,
        /// Length field: header and data, in octets.
        len: Option<u16>,
        /// Checksum field; 0 when the sender made none.
        sum: Option<u16>,
    },
    /// ICMP (RFC 792) or ICMPv6 (RFC 4443); [`Packet::proto`] tells which.
    Icmp(Icmp),
    /// Stream Control Transmission Protocol, RFC 9260.
    Sctp {
        /// Source port.
        src_port: Option<u16>,
        /// Destination port.
        dst_port: Option<u16>,
        /// Verification tag.
        tag: Option<u32>,
        /// Type of the first chunk: 1 is INIT, 10 COOKIE ECHO.
        chunk: Option<u8>,
        /// Initiate tag, when the first chunk is INIT or INIT ACK.
        init_tag: Option<u32>,
    },
    /// A fragment other than the first: the transport header travels in another packet.
    Fragment,
    /// Another protocol, not looked into.
    Other,
    /// The capture ends before it is known what follows: inside IPv4 options or an IPv6 extension header.
    Cut,
}

impl Packet<'_> {
    /// Source port of TCP, UDP or SCTP.
    #[inline]
    pub fn src_port(&self) -> Option<u16> {
        match self.transport {
            Transport::Tcp(tcp) => tcp.src_port,
            Transport::Udp { src_port, .. } | Transport::Sctp { src_port, .. } => src_port,
            _ => None,
        }
    }

    /// Destination port of TCP, UDP or SCTP.
    #[inline]
    pub fn dst_port(&self) -> Option<u16> {
        match self.transport {
            Transport::Tcp(tcp) => tcp.dst_port,
            Transport::Udp { dst_port, .. } | Transport::Sctp { dst_port, .. } => dst_port,
            _ => None,
        }
    }
}

/// What the checksums say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChecksumVerdict {
    /// Of the IPv4 header; [`Verdict::Absent`] for IPv6.
    pub ip: Verdict,
    /// Of TCP, UDP, ICMP or ICMPv6 with its pseudo-header; [`Verdict::Unknown`] for other protocols.
    pub transport: Verdict,
}

impl ChecksumVerdict {
    /// Both in one: bad if either is, else unknown if either is, else absent if the transport has none, else good.
    pub fn verdict(self) -> Verdict {
        match (self.ip, self.transport) {
            (Verdict::Bad, _) | (_, Verdict::Bad) => Verdict::Bad,
            (Verdict::Unknown, _) | (_, Verdict::Unknown) => Verdict::Unknown,
            (_, transport) => transport,
        }
    }
}

/// What one checksum says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It fits.
    Good,
    /// It does not fit. Also how packets look that a capturing sender's network card had yet to finish.
    Bad,
    /// It cannot be told: a fragment, or not all bytes were captured.
    Unknown,
    /// The sender made none: IPv6 header, UDP over IPv4 with checksum 0 (RFC 768).
    Absent,
}

impl Verdict {
    /// A stable lower-case word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
            Self::Absent => "absent",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_checksum_makes_the_packet_bad() {
        let both = |ip, transport| ChecksumVerdict { ip, transport }.verdict();
        assert_eq!(both(Verdict::Good, Verdict::Bad), Verdict::Bad);
        assert_eq!(both(Verdict::Bad, Verdict::Unknown), Verdict::Bad);
        assert_eq!(both(Verdict::Absent, Verdict::Good), Verdict::Good);
        assert_eq!(both(Verdict::Good, Verdict::Absent), Verdict::Absent);
        assert_eq!(both(Verdict::Good, Verdict::Unknown), Verdict::Unknown);
    }
}
