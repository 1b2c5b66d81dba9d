//! Every column of `pkt2csv`, and what tshark says of it.

use crate::fields::Row;
use crate::layers::{Layer, Layers};

/// What tshark says of a value.
pub(crate) enum Said {
    Value(String),
    /// It shows none: the cell must be empty.
    Nothing,
    /// It has no field for it, in this frame or at all.
    NoField,
}

impl<T: ToString> From<Option<T>> for Said {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, |value| Self::Value(value.to_string()))
    }
}

type Theirs = fn(&Row, &Layers) -> Said;

/// Columns of the default row; those after them are asked for.
pub(crate) const DEFAULT: usize = 31;

const SRC_PORT: &[(&str, &str)] = &[("tcp", "tcp.srcport"), ("udp", "udp.srcport"), ("sctp", "sctp.srcport")];
const DST_PORT: &[(&str, &str)] = &[("tcp", "tcp.dstport"), ("udp", "udp.dstport"), ("sctp", "sctp.dstport")];

/// The columns, in the order of the schema.
pub(crate) const COLUMNS: [(&str, Theirs); 39] = [
    ("ts", |row, _| time(row.text("frame.time_epoch")).into()),
    ("src_ip", |row, layers| address(row, layers.ip.as_ref(), "src")),
    ("dst_ip", |row, layers| address(row, layers.ip.as_ref(), "dst")),
    ("proto", |row, layers| proto(row, layers.ip.as_ref(), layers.transport.as_ref())),
    ("src_port", |row, layers| of(row, layers.transport.as_ref(), SRC_PORT).into()),
    ("dst_port", |row, layers| of(row, layers.transport.as_ref(), DST_PORT).into()),
    ("tcp_flags", |row, layers| {
        of(row, layers.transport.as_ref(), &[("tcp", "tcp.flags")]).map(flags).into()
    }),
    ("ip_len", ip_len),
    ("ttl", |row, layers| ip(row, layers, "ip.ttl", "ipv6.hlim")),
    ("ip_id", |row, layers| ip(row, layers, "ip.id", "")),
    ("ip_tos", |row, layers| ip(row, layers, "ip.dsfield", "ipv6.tclass")),
    ("ip_df", |row, layers| ip(row, layers, "ip.flags.df", "")),
    ("tcp_seq", |row, layers| tcp(row, layers, "tcp.seq_raw")),
    ("tcp_ack", |row, layers| tcp(row, layers, "tcp.ack_raw")),
    ("tcp_win", |row, layers| tcp(row, layers, "tcp.window_size_value")),
    ("tcp_opts", |row, layers| {
        let kinds = row.all("tcp.option_kind");
        let of_this = layers.transport.as_ref().is_some_and(|layer| layer.name == "tcp");
        (of_this && !kinds.is_empty()).then(|| kinds.join("-")).into()
    }),
    ("tcp_mss", |row, layers| tcp(row, layers, "tcp.options.mss_val")),
    ("tcp_wscale", |row, layers| tcp(row, layers, "tcp.options.wscale.shift")),
    ("tcp_tsval", |row, layers| tcp(row, layers, "tcp.options.timestamp.tsval")),
    ("icmp_type", |row, layers| icmp(row, layers, "icmp.type", "icmpv6.type")),
    ("icmp_code", |row, layers| icmp(row, layers, "icmp.code", "icmpv6.code")),
    ("icmp_id", |row, layers| echo(row, layers, "icmp.ident", "icmpv6.echo.identifier")),
    ("icmp_seq", |row, layers| echo(row, layers, "icmp.seq", "icmpv6.echo.sequence_number")),
    ("udp_sum", |row, layers| of(row, layers.transport.as_ref(), &[("udp", "udp.checksum")]).into()),
    ("payload_len", payload_len),
    ("payload_head", payload_head),
    ("quoted_proto", |row, layers| proto(row, layers.quoted_ip.as_ref(), layers.quoted_transport.as_ref())),
    ("quoted_src_ip", |row, layers| address(row, layers.quoted_ip.as_ref(), "src")),
    ("quoted_dst_ip", |row, layers| address(row, layers.quoted_ip.as_ref(), "dst")),
    ("quoted_src_port", |row, layers| of(row, layers.quoted_transport.as_ref(), SRC_PORT).into()),
    ("quoted_dst_port", |row, layers| of(row, layers.quoted_transport.as_ref(), DST_PORT).into()),
    ("frag_off", |row, layers| fragment(row, layers).map(|offset| offset * 8).into()),
    ("vlan", vlan),
    ("tcp_tsecr", |row, layers| tcp(row, layers, "tcp.options.timestamp.tsecr")),
    ("tcp_urg", |row, layers| tcp(row, layers, "tcp.urgent_pointer")),
    ("cap_len", |row, _| row.number("frame.cap_len", 0).into()),
    ("wire_len", |row, _| row.number("frame.len", 0).into()),
    ("interface", |row, _| match row.number("frame.interface_id", 0) {
        Some(number) => Said::Value(number.to_string()),
        // tshark numbers no interface of classic pcap.
        None => Said::NoField,
    }),
    ("checksum", checksum),
];

/// tshark writes nine digits behind the point, we six where the capture has no more.
fn time(text: &str) -> Option<&str> {
    (!text.is_empty()).then(|| text.strip_suffix("000").unwrap_or(text))
}

/// The number of a field of this layer, named differently for the layers it may be.
fn of(row: &Row, layer: Option<&Layer>, names: &[(&str, &str)]) -> Option<u64> {
    let layer = layer?;
    let (_, name) = names.iter().find(|(protocol, _)| *protocol == layer.name)?;
    row.number(name, layer.nth)
}

fn ip(row: &Row, layers: &Layers, v4: &str, v6: &str) -> Said {
    of(row, layers.ip.as_ref(), &[("ip", v4), ("ipv6", v6)]).into()
}

fn tcp(row: &Row, layers: &Layers, name: &str) -> Said {
    of(row, layers.transport.as_ref(), &[("tcp", name)]).into()
}

fn icmp(row: &Row, layers: &Layers, v4: &str, v6: &str) -> Said {
    of(row, layers.transport.as_ref(), &[("icmp", v4), ("icmpv6", v6)]).into()
}

/// Identifier and sequence number. In an error they may be those of a quoted message.
fn echo(row: &Row, layers: &Layers, v4: &str, v6: &str) -> Said {
    if layers.quoted_ip.is_some() { Said::Nothing } else { icmp(row, layers, v4, v6) }
}

fn address(row: &Row, layer: Option<&Layer>, which: &str) -> Said {
    layer.and_then(|layer| row.nth(&format!("{}.{which}", layer.name), layer.nth)).into()
}

/// tshark adds three reserved bits above the nine flags.
fn flags(bits: u64) -> String {
    let letters: String =
        (0..9).filter(|bit| bits >> bit & 1 == 1).map(|bit| char::from(b"FSRPAUECN"[bit])).collect();
    if letters.is_empty() { ".".to_owned() } else { letters }
}

/// Extension headers, by number: what follows them is named by no field of their own.
const EXTENSIONS: [u64; 9] = [0, 43, 44, 50, 51, 60, 135, 139, 140];

/// The protocol after extension headers: the header's number if that is none, else what the next layer is.
fn proto(row: &Row, ip: Option<&Layer>, transport: Option<&Layer>) -> Said {
    let Some(number) = of(row, ip, &[("ip", "ip.proto"), ("ipv6", "ipv6.nxt")]) else { return Said::Nothing };
    let named = transport.map(|layer| match layer.name.as_str() {
        "tcp" => 6,
        "udp" => 17,
        "icmp" => 1,
        "icmpv6" => 58,
        "sctp" => 132,
        _ => 136,
    });
    let behind = match ip.map(|layer| layer.name.as_str()) {
        Some("ipv6") => EXTENSIONS.contains(&number) && number != 50,
        _ => number == 51,
    };
    let number = if behind { named } else { Some(number) };
    number
        .map(|number| match number {
            1 => "icmp".to_owned(),
            6 => "tcp".to_owned(),
            17 => "udp".to_owned(),
            58 => "icmp6".to_owned(),
            132 => "sctp".to_owned(),
            other => other.to_string(),
        })
        .into()
}

fn ip_len(row: &Row, layers: &Layers) -> Said {
    match &layers.ip {
        Some(layer) if layer.name == "ipv6" => {
            let jumbo = row.number("ipv6.opt.jumbo", 0).unwrap_or(0);
            row.number("ipv6.plen", layer.nth)
                .map(|length| 40 + if length == 0 { jumbo } else { length })
                .into()
        }
        _ => ip(row, layers, "ip.len", ""),
    }
}

/// Offset in units of eight octets, if it is a fragment.
pub(crate) fn fragment(row: &Row, layers: &Layers) -> Option<u64> {
    let value = |v4, v6| {
        of(row, layers.ip.as_ref(), &[("ip", v4)]).or(of(
            row,
            layers.fragment.as_ref(),
            &[("ipv6.fraghdr", v6)],
        ))
    };
    let offset = value("ip.frag_offset", "ipv6.fraghdr.offset")?;
    let more = value("ip.flags.mf", "ipv6.fraghdr.more").unwrap_or(0);
    (offset | more > 0).then_some(offset)
}

/// Octets after the IP header, where its fields alone tell.
fn ip_payload(row: &Row, layers: &Layers) -> Option<u64> {
    let layer = layers.ip.as_ref()?;
    match layer.name.as_str() {
        "ip" if row.number("ip.proto", layer.nth) != Some(51) => {
            row.number("ip.len", layer.nth)?.checked_sub(row.number("ip.hdr_len", layer.nth)?)
        }
        "ipv6" if !EXTENSIONS.contains(&row.number("ipv6.nxt", layer.nth)?) => {
            row.number("ipv6.plen", layer.nth)
        }
        _ => None,
    }
}

fn payload_len(row: &Row, layers: &Layers) -> Said {
    let name = layers.transport.as_ref().map_or("", |layer| layer.name.as_str());
    if name == "tcp" {
        return tcp(row, layers, "tcp.len");
    }
    let Some(rest) = ip_payload(row, layers) else { return Said::NoField };
    match name {
        "udp" => match of(row, layers.transport.as_ref(), &[("udp", "udp.length")]) {
            // A length that cannot be, or counts what other fragments carry, says nothing of this packet.
            Some(said) if fragment(row, layers).is_none() && (8..=rest).contains(&said) => {
                Some(said - 8).into()
            }
            _ => rest.checked_sub(8).into(),
        },
        // By number, because tshark makes no layer of a header that is not there.
        _ if fragment(row, layers).is_some_and(|offset| offset > 0) => Some(rest).into(),
        _ => {
            let number = of(row, layers.ip.as_ref(), &[("ip", "ip.proto"), ("ipv6", "ipv6.nxt")]);
            let header = match number {
                Some(1 | 17 | 58) => 8,
                Some(132) => 12,
                Some(6) => 20,
                _ => 0,
            };
            rest.checked_sub(header).into()
        }
    }
}

fn payload_head(row: &Row, layers: &Layers) -> Said {
    let Some(layer) = &layers.transport else { return Said::NoField };
    match layer.name.as_str() {
        "tcp" | "udp" => {
            let payload = row.nth(&format!("{}.payload", layer.name), layer.nth);
            payload.map(|hex| hex[..hex.len().min(32)].to_owned()).into()
        }
        _ => Said::NoField,
    }
}

/// Of the tags before the packet, not of a frame that some application carries.
fn vlan(row: &Row, layers: &Layers) -> Said {
    let before = layers.before_ip();
    let has = |name: &str| before.iter().any(|layer| layer == name);
    match (has("ieee8021ad"), has("vlan")) {
        (true, _) => row.number("ieee8021ad.id", 0).into(),
        (_, true) => row.number("vlan.id", 0).into(),
        _ => Said::Nothing,
    }
}

/// PROTO_CHECKSUM_E_*: 0 bad, 1 good, 2 unverified, 3 not present.
fn checksum(row: &Row, layers: &Layers) -> Said {
    let ip = of(row, layers.ip.as_ref(), &[("ip", "ip.checksum.status")]);
    let transport = of(
        row,
        layers.transport.as_ref(),
        &[
            ("tcp", "tcp.checksum.status"),
            ("udp", "udp.checksum.status"),
            ("icmp", "icmp.checksum.status"),
            ("icmpv6", "icmpv6.checksum.status"),
        ],
    );
    let verdict = match (ip, transport) {
        (Some(0), _) | (_, Some(0)) => "bad",
        (_, Some(1)) => "good",
        (_, Some(3)) => "absent",
        _ => "unknown",
    };
    Some(verdict).into()
}
