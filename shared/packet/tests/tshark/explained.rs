//! Where tshark and we differ on purpose, each with its reason. Anything else is an error.

use probeline_packet::{Packet, Transport, Verdict};

use crate::fields::Row;
use crate::layers::Layers;

/// A field of one packet.
pub(crate) fn difference(
    field: &str,
    packet: &Packet<'_>,
    row: &Row,
    layers: &Layers,
    ours: Option<&str>,
    theirs: Option<&str>,
) -> Option<&'static str> {
    let fabric_path = layers.before_ip().iter().any(|name| name == "cfp");
    let good = packet.checksum.is_some_and(|checksum| checksum.transport == Verdict::Good);
    if fabric_path && good && (field.starts_with("tcp.") || field == "checksum.transport") {
        // The transport checksum, which covers these octets, is good.
        return Some(
            "tshark takes the packet's last four octets for the check sequence of a FabricPath frame",
        );
    }
    match (field, ours, theirs) {
        ("proto", Some(_), None) if packet.src.is_ipv6() => {
            return Some(
                "tshark does not name what follows the extension headers of a fragment or a broken chain",
            );
        }
        ("quoted.proto", Some(_), None) => {
            return Some("tshark does not name what follows the extension headers of a quoted fragment");
        }
        ("quoted.src_port", Some(_), None) if layers.quoted_transport.is_none() => {
            return Some("tshark shows no port of a quoted header of less than four octets");
        }
        ("checksum.transport", Some("2"), None) => {
            return Some("tshark says nothing of a checksum that was not captured, we say unknown");
        }
        _ => {}
    }
    match packet.transport {
        Transport::Tcp(_) => tcp(field, packet, row, layers, ours, theirs),
        Transport::Udp { .. } => udp(field, row, layers, ours, theirs),
        Transport::Icmp(_) => icmp(field, row, layers, theirs),
        _ => None,
    }
}

fn tcp(
    field: &str,
    packet: &Packet<'_>,
    row: &Row,
    layers: &Layers,
    ours: Option<&str>,
    theirs: Option<&str>,
) -> Option<&'static str> {
    let nth = layers.transport.as_ref().map_or(0, |layer| layer.nth);
    let header = row.number("tcp.hdr_len", nth);
    match (field, ours, theirs) {
        ("tcp.len" | "tcp.payload", Some(_), None) if packet.frag.is_some() => {
            Some("tshark tells no payload length of a fragment")
        }
        ("tcp.payload", Some(_), None)
            if row.number("tcp.flags", nth).is_some_and(|flags| flags & 4 != 0) =>
        {
            Some("tshark takes the payload of a RST for its reason")
        }
        ("tcp.len", None, Some(_)) if header < Some(20) => {
            Some("tshark counts the end of a TCP header of impossible length to its payload")
        }
        (_, Some(_), None) if header.is_none_or(|octets| octets < 20) && !field.starts_with("tcp.opt") => {
            Some(
                "tshark reads no further than the ports of a cut TCP header, or the length of an impossible one",
            )
        }
        _ => None,
    }
}

fn udp(
    field: &str,
    row: &Row,
    layers: &Layers,
    ours: Option<&str>,
    theirs: Option<&str>,
) -> Option<&'static str> {
    let nth = layers.transport.as_ref().map_or(0, |layer| layer.nth);
    let said = row.number("udp.length", nth);
    match (field, ours, theirs) {
        ("udp.payload", Some(ours), Some(theirs)) if theirs.starts_with(ours) => {
            let bounded = said == Some(ours.len() as u64 / 2 + 8);
            bounded.then_some("tshark counts octets after the UDP length to the payload")
        }
        (_, Some(_), None) if said.is_none_or(|octets| octets < 8) => {
            Some("tshark reads no further than a UDP header that is cut or of impossible length")
        }
        _ => None,
    }
}

fn icmp(field: &str, row: &Row, layers: &Layers, theirs: Option<&str>) -> Option<&'static str> {
    let layer = layers.transport.as_ref()?;
    let nothing = theirs.is_none() && row.nth(&format!("{}.type", layer.name), layer.nth).is_none();
    (nothing && (field.starts_with("icmp.") || field.starts_with("checksum")))
        .then_some("tshark shows nothing of an ICMP message of which there are less than 8 octets")
}
