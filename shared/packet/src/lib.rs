//! From captured bytes and a link type to the facts of one packet: no allocation, no panic, every field that was
//! captured.
//!
//! [`decode`] makes a [`Packet`] of a frame, or a [`Skip`] that says why there is none. A packet cut by a small snapshot
//! length still gives what its bytes hold: each field is there if its own bytes are.
//!
//! ```
//! use probeline_packet::{Options, Transport, decode};
//!
//! // A SYN to port 23, cut after 38 bytes: Ethernet, IPv4 and four bytes of TCP.
//! let frame = [
//!     0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x08, 0x00, // Ethernet
//!     0x45, 0, 0, 40, 0xd4, 0x31, 0, 0, 64, 6, 0, 0, 192, 0, 2, 7, 198, 51, 100, 9, // IPv4
//!     0xc3, 0x50, 0, 23, // TCP ports
//! ];
//! let packet = decode(1, &frame, 60, &Options::default())?;
//! assert_eq!(packet.src.to_string(), "192.0.2.7");
//! assert_eq!(packet.ip_id, Some(54321));
//! let Transport::Tcp(tcp) = packet.transport else { unreachable!() };
//! assert_eq!((tcp.dst_port, tcp.flags), (Some(23), None));
//! # Ok::<(), probeline_packet::Skip>(())
//! ```
//!
//! # What is read
//!
//! * **Link types**: Ethernet (1) with EtherTypes and with IEEE 802.2 LLC/SNAP; Linux cooked capture (113, 276); raw IP
//!   (12, 14, 101, 228, 229); BSD loopback in either byte order (0, 108); PPP (9, 50, 204), PPPoE (51), Cisco HDLC
//!   (50, 104), Frame Relay (107); IEEE 802.11 (105), behind radiotap (127), Prism (119), AVS (163) and PPI (192);
//!   ERF (197); NFLOG (239).
//! * **Between link and IP**, in any order and depth: VLAN tags (0x8100, 0x88a8, 0x9100), MPLS labels, PPPoE sessions,
//!   Cisco FabricPath, Ethernet in Ethernet. Below an MPLS stack nothing names the payload: the first nibble tells IPv4,
//!   IPv6 and an associated channel; 0 is an Ethernet pseudowire, with a control word unless only without one a known
//!   EtherType stands in its place.
//! * **IPv4** with options, **IPv6** with its extension headers, the authentication header of both, fragments, jumbograms.
//! * **TCP** with options, **UDP**, **ICMP** and **ICMPv6** with the packet that an error quotes, **SCTP** to its first
//!   chunk.
//! * **Tunnels**, if asked ([`Options::inner`]): IP in IP, GRE and PPTP, WCCP, ERSPAN, VXLAN, GENEVE, in any depth.
//! * **Checksums**, if asked ([`Options::checksums`]).
//!
//! # What is not
//!
//! * Nothing is reassembled: neither fragments nor TCP streams.
//! * No link type is guessed: any other is [`Skip::UnknownLink`]. The bits of a pcap header that tell of a frame check
//!   sequence are not part of a link type; the caller takes them off.
//! * 802.11 bodies are not decrypted, and of an aggregate (A-MSDU) only the first frame is read.
//! * MACsec, network service headers, provider backbone bridges, Cisco ISL and metadata, TRILL, IPX tunnels.
//! * Teredo, L2TP, GTP, EtherIP, IP in UDP and ESP are not entered; GRE source routes (RFC 1701) are not followed.
//! * UDP-Lite and DCCP are [`Transport::Other`].
//! * A tunnel cut before the addresses inside it is given as the packet it is, even with [`Options::inner`].
//! * The checksums of SCTP, GRE and IGMP are not verified, and a mobile node's home address (RFC 6275) does not enter the
//!   pseudo-header.
//!
//! # tshark
//!
//! Every field equals tshark 4.0's, frame by frame; `tests/tshark` says of which, and keeps the list of differences.
//! Where tshark gives up on a malformed packet we go on for what is there: flags of a TCP header of impossible length,
//! the sequence number of a cut one. Where it stops before the addresses (an IPv4 header length below 20, a total length
//! below the header length, a wrong version) so do we, with [`Skip::BadIp`]. Not followed are: IPv6 extension headers
//! behind IPv4 (protocol scans send their numbers), ports of VXLAN without its valid bit, EtherTypes in place of a
//! loopback's address family, and the end of the TCP option list after a SACK option of impossible length.
//!
//! # See also
//!
//! `probeline-capfile` reads the captures, `pkt2csv` writes rows of what is decoded here.

#![forbid(unsafe_code)]

mod bytes;
mod checksum;
mod link;
mod net;
mod packet;
mod proto;
mod skip;
mod transport;

pub use packet::{ChecksumVerdict, Frag, Packet, Transport, Verdict};
pub use skip::{BadIp, NotIp, Reason, Skip};
pub use transport::{Icmp, Quoted, Tcp, TcpOption, TcpOptionIter, TcpOptions};

use bytes::Span;
use net::{Follows, Ip, Version};
use transport::Decoded;

/// What to do beyond reading the headers of the outermost packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Follow tunnels (IP in IP, IPv6 in IPv4, GRE, ERSPAN, VXLAN on port 4789, GENEVE on port 6081) and give the
    /// innermost packet. A tunnel that does not hold a readable packet is given as the packet it is.
    pub inner: bool,
    /// Verify checksums into [`Packet::checksum`].
    pub checksums: bool,
}

/// Decodes one captured frame.
///
/// `link` is its `LINKTYPE_` number, `data` what was captured of it, `wire_len` its length on the wire.
///
/// # Errors
/// A [`Skip`] when the frame holds no IP packet, or less of it than both addresses.
pub fn decode<'a>(link: u32, data: &'a [u8], wire_len: u32, opts: &Options) -> Result<Packet<'a>, Skip> {
    let mut vlan = None;
    let (found, at) = link::find(link, Span::new(data, wire_len), &mut vlan)?;
    match net::version(found, at)? {
        Version::V4 => Ok(finish(&net::ipv4::parse(at)?, at, vlan, opts)),
        Version::V6 => ipv6_packet(at, vlan, opts),
    }
}

// Each kind of packet is written straight into the result. Layers that hand structures to each other cost twice the
// time: 51 ns for a SYN, most of it in copies of what was just written.

#[inline(never)]
fn ipv6_packet<'a>(at: Span<'a>, vlan: Option<u16>, opts: &Options) -> Result<Packet<'a>, Skip> {
    let ip = net::ipv6::fixed(at)?;
    if proto::is_extension(ip.proto) {
        return Ok(extended_packet(ip, at, vlan, opts));
    }
    Ok(finish(&ip, at, vlan, opts))
}

#[cold]
#[inline(never)]
fn extended_packet<'a>(ip: Ip<'a>, at: Span<'a>, vlan: Option<u16>, opts: &Options) -> Packet<'a> {
    finish(&net::ipv6::extensions(ip), at, vlan, opts)
}

#[inline(always)]
fn finish<'a>(ip: &Ip<'a>, at: Span<'a>, vlan: Option<u16>, opts: &Options) -> Packet<'a> {
    if opts.inner && net::tunnel::enter(ip).is_some() {
        return innermost(ip, at, vlan, opts);
    }
    match (ip.follows, ip.proto) {
        (Follows::Transport, proto::TCP) => packet(ip, transport::tcp(ip), at, vlan, opts),
        (Follows::Transport, proto::UDP) => packet(ip, transport::udp(ip), at, vlan, opts),
        _ => packet(ip, transport::other(ip), at, vlan, opts),
    }
}

/// Follows tunnels as long as what they carry is readable.
#[cold]
fn innermost<'a>(ip: &Ip<'a>, mut at: Span<'a>, mut vlan: Option<u16>, opts: &Options) -> Packet<'a> {
    let mut ip = *ip;
    while let Some((step, span)) = net::tunnel::enter(&ip) {
        let Ok((found, inside)) = link::walk(step, span, &mut vlan) else { break };
        let Ok(next) = net::parse(found, inside) else { break };
        (ip, at) = (next, inside);
    }
    finish(&ip, at, vlan, &Options { inner: false, ..*opts })
}

#[inline(always)]
fn packet<'a>(
    ip: &Ip<'a>,
    (transport, payload): Decoded<'a>,
    at: Span<'a>,
    vlan: Option<u16>,
    opts: &Options,
) -> Packet<'a> {
    Packet {
        src: ip.src,
        dst: ip.dst,
        proto: ip.proto,
        ip_len: ip.ip_len,
        ttl: ip.ttl,
        tos: ip.tos,
        ip_id: ip.ip_id,
        df: ip.df,
        flow_label: ip.flow_label,
        frag: ip.frag,
        vlan,
        transport,
        payload_len: payload.map(|span| u32::try_from(span.wire).unwrap_or(u32::MAX)),
        payload: payload.map_or(&[], |span| span.data),
        checksum: opts.checksums.then(|| checksum::verdict(at, ip)),
    }
}
