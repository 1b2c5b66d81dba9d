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

/// Reads what follows the IP headers.
#[inline]
pub(crate) fn parse<'a>(ip: &Ip<'a>) -> Decoded<'a> {
    let span = ip.payload;
    match (ip.follows, ip.proto) {
        (Follows::Transport, proto::TCP) => tcp::parse(span),
        (Follows::Transport, proto::UDP) => udp::parse(span, ip.beyond, ip.frag.is_some()),
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
