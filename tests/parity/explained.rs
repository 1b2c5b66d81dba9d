//! Where tshark and the rows differ on purpose, each with its reason. Anything else is an error.

use probeline_testkit::Row as Ours;

use crate::columns::fragment;
use crate::fields::Row;
use crate::layers::Layers;

/// A frame without a row although tshark shows an address.
pub(crate) fn no_row(row: &Row) -> Option<&'static str> {
    let cut =
        |version: &str| row.all(&format!("{version}.src")).len() > row.all(&format!("{version}.dst")).len();
    (cut("ip") || cut("ipv6")).then_some("tshark shows a source address whose destination was cut off")
}

/// One cell.
pub(crate) fn difference(
    column: &str,
    row: Ours<'_>,
    frame: &Row,
    layers: &Layers,
    theirs: Option<&str>,
) -> Option<&'static str> {
    let ours = row.get(column);
    let fabric_path = layers.before_ip().iter().any(|name| name == "cfp");
    let of_transport = column.starts_with("tcp_") || column.starts_with("payload_") || column == "checksum";
    if fabric_path && of_transport && row.get("checksum") == Some("good") {
        // The transport checksum, which covers these octets, is good.
        return Some(
            "tshark takes the packet's last four octets for the check sequence of a FabricPath frame",
        );
    }
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok());
    match (column, ours, theirs) {
        ("ts", Some("0.000000"), None) => {
            return Some("a Simple Packet Block of pcapng has no time: tshark shows none, the row 0");
        }
        ("interface", Some(_), Some(_)) if number(ours) > number(theirs) => {
            return Some("tshark counts interfaces anew in each section of a pcapng file, the rows go on");
        }
        ("proto", Some("51"), None) => {
            return Some("tshark does not name what follows an authentication header that is cut");
        }
        ("proto", Some(_), None) if row.get("src_ip").is_some_and(|ip| ip.contains(':')) => {
            return Some(
                "tshark does not name what follows the extension headers of a fragment or a broken chain",
            );
        }
        ("quoted_proto", Some(_), None) => {
            return Some("tshark does not name what follows the extension headers of a quoted fragment");
        }
        ("quoted_src_port", Some(_), None) if layers.quoted_transport.is_none() => {
            return Some("tshark shows no port of a quoted header of less than four octets");
        }
        ("payload_len", Some(_), Some(_))
            if number(row.get("ip_len")) > number(row.get("wire_len")) && number(ours) < number(theirs) =>
        {
            return Some(
                "the IP header claims more octets than were on the wire; the payload is counted by what was",
            );
        }
        _ => {}
    }
    match layers.transport.as_ref()?.name.as_str() {
        "tcp" => tcp(column, ours, frame, layers, theirs),
        "udp" => udp(column, ours, frame, layers, theirs),
        "icmp" | "icmpv6" => icmp(column, row),
        _ => None,
    }
}

fn tcp(
    column: &str,
    ours: Option<&str>,
    frame: &Row,
    layers: &Layers,
    theirs: Option<&str>,
) -> Option<&'static str> {
    let nth = layers.transport.as_ref().map_or(0, |layer| layer.nth);
    let header = frame.number("tcp.hdr_len", nth);
    match (column, ours, theirs) {
        ("payload_len" | "payload_head", Some(_), None) if fragment(frame, layers).is_some() => {
            Some("tshark tells no payload length of a fragment")
        }
        ("payload_head", Some(_), None)
            if frame.number("tcp.flags", nth).is_some_and(|flags| flags & 4 != 0) =>
        {
            Some("tshark takes the payload of a RST for its reason")
        }
        ("payload_len", None, Some(_)) if header < Some(20) => {
            Some("tshark counts the end of a TCP header of impossible length to its payload")
        }
        (_, Some(_), None) if header.is_none_or(|octets| octets < 20) && column != "tcp_opts" => Some(
            "tshark reads no further than the ports of a cut TCP header, or the length of an impossible one",
        ),
        _ => None,
    }
}

fn udp(
    column: &str,
    ours: Option<&str>,
    frame: &Row,
    layers: &Layers,
    theirs: Option<&str>,
) -> Option<&'static str> {
    let nth = layers.transport.as_ref().map_or(0, |layer| layer.nth);
    let said = frame.number("udp.length", nth);
    match (column, ours, theirs) {
        ("payload_head", Some(ours), Some(theirs)) if theirs.starts_with(ours) => {
            let bounded = said == Some(ours.len() as u64 / 2 + 8);
            bounded.then_some("tshark counts octets after the UDP length to the payload")
        }
        (_, Some(_), None) if said.is_none_or(|octets| octets < 8) => {
            Some("tshark reads no further than a UDP header that is cut or of impossible length")
        }
        _ => None,
    }
}

fn icmp(column: &str, row: Ours<'_>) -> Option<&'static str> {
    let short = row.get("payload_len").is_none();
    (short && (column.starts_with("icmp_") || column == "checksum"))
        .then_some("tshark shows nothing of an ICMP message of less than 8 octets")
}
