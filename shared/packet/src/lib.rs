//! From captured bytes and a link type to the facts of one packet: no allocation, no panic, every field that was
//! captured.
//!
//! [`decode`] makes a [`Packet`] of a frame, or a [`Skip`] that says why it holds no IP packet. A packet cut by a small
//! snapshot length still gives what its bytes hold: each field is there if its own bytes are.
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
use net::Ip;

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
#[inline]
pub fn decode<'a>(link: u32, data: &'a [u8], wire_len: u32, opts: &Options) -> Result<Packet<'a>, Skip> {
    let mut vlan = None;
    let (step, span) = link::first(link, Span::new(data, wire_len))?;
    let (found, mut at) = link::walk(step, span, &mut vlan)?;
    let mut ip = net::parse(found, at)?;
    if opts.inner {
        while let Some((step, span)) = net::tunnel::enter(&ip) {
            let Ok((found, inside)) = link::walk(step, span, &mut vlan) else { break };
            let Ok(next) = net::parse(found, inside) else { break };
            (ip, at) = (next, inside);
        }
    }
    Ok(finish(&ip, at, vlan, opts))
}

#[inline]
fn finish<'a>(ip: &Ip<'a>, at: Span<'a>, vlan: Option<u16>, opts: &Options) -> Packet<'a> {
    let (transport, payload) = transport::parse(ip);
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
