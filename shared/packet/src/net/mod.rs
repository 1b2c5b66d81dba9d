//! The network layer: IPv4 and IPv6 headers, and the tunnels that put IP inside IP.

pub(crate) mod ipv4;
pub(crate) mod ipv6;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod tunnel;

use std::net::IpAddr;

use crate::bytes::Span;
use crate::link::Found;
use crate::packet::Frag;
use crate::skip::{BadIp, Skip};

/// An IP header with its extension headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ip<'a> {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) proto: u8,
    pub(crate) ip_len: u32,
    pub(crate) ttl: u8,
    pub(crate) tos: u8,
    pub(crate) ip_id: Option<u16>,
    pub(crate) df: Option<bool>,
    pub(crate) flow_label: Option<u32>,
    pub(crate) frag: Option<Frag>,
    /// What follows the last header read.
    pub(crate) payload: Span<'a>,
    /// Octets that the packet has by its own length but did not have on the wire; mostly 0.
    pub(crate) beyond: usize,
    pub(crate) follows: Follows,
    /// A routing header has stops left: the destination that pseudo-headers use is not in the IP header.
    pub(crate) en_route: bool,
}

/// What follows the IP headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follows {
    /// The header of `proto`.
    Transport,
    /// The middle or end of what another packet began.
    Fragment,
    /// Not known: an extension header was cut.
    Cut,
}

/// Version of the IP header found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V4,
    V6,
}

/// The version of the IP header that the link layer found.
#[inline(always)]
pub(crate) fn version(found: Found, span: Span<'_>) -> Result<Version, Skip> {
    let version = span.u8(0).ok_or(Skip::TruncatedIp)? >> 4;
    match (found, version) {
        (Found::Any, 4) => Ok(Version::V4),
        (_, 6) => Ok(Version::V6),
        _ => Err(Skip::BadIp(BadIp::Version(version))),
    }
}

/// Reads the IP header that the link layer found.
pub(crate) fn parse(found: Found, span: Span<'_>) -> Result<Ip<'_>, Skip> {
    match version(found, span)? {
        Version::V4 => ipv4::parse(span),
        Version::V6 => ipv6::fixed(span).map(ipv6::extensions),
    }
}

/// Steps over an authentication header (RFC 4302): its next header, and what follows.
#[inline]
fn authentication(span: Span<'_>) -> Option<(u8, Span<'_>)> {
    let next = span.u8(0)?;
    let length = (usize::from(span.u8(1)?) + 2) * 4;
    Some((next, span.after(length)))
}
