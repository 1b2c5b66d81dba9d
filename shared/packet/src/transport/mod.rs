//! The transport layer: what the ports, flags and types are, from whatever bytes there are.

mod icmp;
mod sctp;
mod tcp;
mod tcp_options;
mod udp;

pub use icmp::{Icmp, Quoted};
pub use tcp::Tcp;
pub use tcp_options::{TcpOption, TcpOptionIter, TcpOptions};

use crate::bytes::Span;
use crate::net::{Follows, Ip};
use crate::packet::Transport;
use crate::proto;

/// The transport header, and its payload if its length is known.
pub(crate) type Decoded<'a> = (Transport<'a>, Option<Span<'a>>);

/// Reads the TCP header that follows.
#[inline(always)]
pub(crate) fn tcp<'a>(ip: &Ip<'a>) -> Decoded<'a> {
    tcp::parse(ip.payload)
}

/// Reads the UDP header that follows.
#[inline(always)]
pub(crate) fn udp<'a>(ip: &Ip<'a>) -> Decoded<'a> {
    udp::parse(ip.payload, ip.beyond, ip.frag.is_some())
}

/// Reads what else may follow.
pub(crate) fn other<'a>(ip: &Ip<'a>) -> Decoded<'a> {
    let span = ip.payload;
    match (ip.follows, ip.proto) {
        (Follows::Transport, proto::ICMP) => icmp::parse_v4(span),
        (Follows::Transport, proto::ICMPV6) => icmp::parse_v6(span),
        (Follows::Transport, proto::SCTP) => sctp::parse(span),
        (Follows::Transport, _) => (Transport::Other, Some(span)),
        (Follows::Fragment, _) => (Transport::Fragment, Some(span)),
        (Follows::Cut, _) => (Transport::Cut, None),
    }
}

/// The ports at the head of TCP, UDP and SCTP.
#[inline]
fn ports(span: Span<'_>) -> (Option<u16>, Option<u16>) {
    (span.u16(0), span.u16(2))
}
