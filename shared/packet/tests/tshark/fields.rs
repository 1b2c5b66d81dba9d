//! The table of fields: what tshark calls each, and what we do.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use probeline_packet::{Icmp, Packet, Quoted, Tcp, Transport, Verdict};

use crate::layers::{Layer, Layers};

/// Fields asked of tshark.
const NAMES: &[&str] = &[
    "frame.protocols",
    "frame.encap_type",
    "frame.cap_len",
    "frame.len",
    "eth.trailer",
    "ip.src",
    "ip.dst",
    "ip.proto",
    "ip.len",
    "ip.hdr_len",
    "ip.id",
    "ip.ttl",
    "ip.dsfield",
    "ip.flags.df",
    "ip.flags.mf",
    "ip.frag_offset",
    "ip.checksum.status",
    "ipv6.src",
    "ipv6.dst",
    "ipv6.nxt",
    "ipv6.plen",
    "ipv6.hlim",
    "ipv6.tclass",
    "ipv6.flow",
    "ipv6.opt.jumbo",
    "ipv6.fraghdr.offset",
    "ipv6.fraghdr.more",
    "ipv6.fraghdr.ident",
    "vlan.id",
    "ieee8021ad.id",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.hdr_len",
    "tcp.flags",
    "tcp.window_size_value",
    "tcp.checksum",
    "tcp.checksum.status",
    "tcp.urgent_pointer",
    "tcp.len",
    "tcp.payload",
    "tcp.option_kind",
    "tcp.options.mss_val",
    "tcp.options.wscale.shift",
    "tcp.options.timestamp.tsval",
    "tcp.options.timestamp.tsecr",
    "udp.srcport",
    "udp.dstport",
    "udp.length",
    "udp.checksum",
    "udp.checksum.status",
    "udp.payload",
    "icmp.type",
    "icmp.code",
    "icmp.checksum",
    "icmp.checksum.status",
    "icmp.ident",
    "icmp.seq",
    "icmpv6.type",
    "icmpv6.code",
    "icmpv6.checksum",
    "icmpv6.checksum.status",
    "icmpv6.echo.identifier",
    "icmpv6.echo.sequence_number",
    "sctp.srcport",
    "sctp.dstport",
    "sctp.verification_tag",
    "sctp.chunk_type",
];

/// One frame as tshark decodes it: every occurrence of every field.
pub(crate) struct Row(HashMap<&'static str, Vec<String>>);

impl Row {
    fn parse(line: &str) -> Self {
        let values = line.split('\t').map(|text| match text {
            "" => Vec::new(),
            _ => text.split(',').map(str::to_owned).collect(),
        });
        Self(NAMES.iter().copied().zip(values).collect())
    }

    /// The first value, or nothing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.all(name).first().map_or("", String::as_str)
    }

    pub(crate) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn nth(&self, name: &str, nth: usize) -> Option<&str> {
        self.all(name).get(nth).map(String::as_str)
    }

    pub(crate) fn number(&self, name: &str, nth: usize) -> Option<u64> {
        self.nth(name, nth).map(number)
    }
}

/// A number in decimal or after `0x`; flags are `0` and `1`, or words.
fn number(text: &str) -> u64 {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    match (parsed, text) {
        (Ok(number), _) => number,
        (_, "True") => 1,
        (_, "False") => 0,
        _ => panic!("tshark wrote {text:?} for a number"),
    }
}

pub(crate) fn tshark_is_installed() -> bool {
    let found = Command::new("tshark").arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: tshark is not installed");
    }
    found
}

/// Runs tshark over a file. Whatever joins several packets into one picture is switched off.
pub(crate) fn rows(path: &Path, most: usize) -> Vec<Row> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,"]);
    for preference in [
        "ip.defragment:FALSE",
        "ipv6.defragment:FALSE",
        "ip.check_checksum:TRUE",
        "tcp.check_checksum:TRUE",
        "udp.check_checksum:TRUE",
        "tcp.relative_sequence_numbers:FALSE",
        "tcp.desegment_tcp_streams:FALSE",
        "tcp.analyze_sequence_numbers:FALSE",
        "tcp.track_bytes_in_flight:FALSE",
        "tcp.no_subdissector_on_error:TRUE",
    ] {
        command.args(["-o", preference]);
    }
    for name in NAMES {
        command.args(["-e", name]);
    }
    command.arg("-c").arg(most.to_string()).arg("-r").arg(path);
    let output = command.output().expect("run tshark");
    let text = String::from_utf8_lossy(&output.stdout);
    // Blocks of pcapng other than packets are frames to tshark, of no link type.
    text.lines().map(Row::parse).filter(|row| !row.text("frame.encap_type").is_empty()).collect()
}

/// One fact of a packet: where we have it, and where tshark does. Values are compared as decimal text or hexadecimal.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) ours: fn(&Packet<'_>) -> Option<String>,
    pub(crate) theirs: fn(&Row, &Layers) -> Option<String>,
}

fn text(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tcp<'a>(packet: &Packet<'a>) -> Option<Tcp<'a>> {
    match packet.transport {
        Transport::Tcp(tcp) => Some(tcp),
        _ => None,
    }
}

fn icmp(packet: &Packet<'_>) -> Option<Icmp> {
    match packet.transport {
        Transport::Icmp(icmp) => Some(icmp),
        _ => None,
    }
}

fn quoted(packet: &Packet<'_>) -> Option<Quoted> {
    icmp(packet)?.quoted
}

/// The value of a field of this layer, named differently for the layers it may be.
fn of(row: &Row, layer: Option<&Layer>, names: &[(&str, &str)]) -> Option<u64> {
    let layer = layer?;
    let (_, name) = names.iter().find(|(protocol, _)| *protocol == layer.name)?;
    row.number(name, layer.nth)
}

fn ip(row: &Row, layers: &Layers, v4: &str, v6: &str) -> Option<String> {
    text(of(row, layers.ip.as_ref(), &[("ip", v4), ("ipv6", v6)]))
}

fn transport(row: &Row, layers: &Layers, names: &[(&str, &str)]) -> Option<String> {
    text(of(row, layers.transport.as_ref(), names))
}

/// A field of the IPv4 header or of the IPv6 fragment header.
fn fragment(row: &Row, layers: &Layers, v4: &str, v6: &str) -> Option<u64> {
    match (&layers.ip, &layers.fragment) {
        (Some(ip), _) if ip.name == "ip" => row.number(&format!("ip.{v4}"), ip.nth),
        (_, Some(layer)) => row.number(&format!("ipv6.fraghdr.{v6}"), layer.nth),
        _ => None,
    }
}

fn address(row: &Row, layer: Option<&Layer>, which: &str) -> Option<String> {
    let layer = layer?;
    text(row.nth(&format!("{}.{which}", layer.name), layer.nth))
}

/// Protocol number after extension headers: the number in the header if that is none, else what the next layer is.
fn proto(row: &Row, ip: Option<&Layer>, transport: Option<&Layer>) -> Option<String> {
    let number = of(row, ip, &[("ip", "ip.proto"), ("ipv6", "ipv6.nxt")])?;
    let named = transport.map(|layer| match layer.name.as_str() {
        "tcp" => 6,
        "udp" => 17,
        "icmp" => 1,
        "icmpv6" => 58,
        "sctp" => 132,
        _ => 136,
    });
    match (ip?.name.as_str(), number) {
        ("ipv6", 0 | 43 | 44 | 51 | 60 | 135 | 139 | 140) | ("ip", 51) => text(named),
        _ => text(Some(number)),
    }
}

fn proto_if_known(number: u8, seen: bool) -> Option<String> {
    seen.then(|| number.to_string())
}

fn status(verdict: Option<Verdict>) -> Option<String> {
    // PROTO_CHECKSUM_E_*: bad, good, unverified, not present.
    text(verdict.map(|verdict| match verdict {
        Verdict::Bad => 0,
        Verdict::Good => 1,
        Verdict::Unknown => 2,
        Verdict::Absent => 3,
    }))
}

const SRC_PORT: &[(&str, &str)] = &[("tcp", "tcp.srcport"), ("udp", "udp.srcport"), ("sctp", "sctp.srcport")];
const DST_PORT: &[(&str, &str)] = &[("tcp", "tcp.dstport"), ("udp", "udp.dstport"), ("sctp", "sctp.dstport")];

macro_rules! field {
    ($name:literal, |$packet:ident| $ours:expr, |$row:ident, $layers:ident| $theirs:expr) => {
        Field { name: $name, ours: |$packet| $ours, theirs: |$row, $layers| $theirs }
    };
}

/// Every fact compared.
pub(crate) const FIELDS: &[Field] = &[
    field!("src", |p| text(Some(p.src)), |r, l| address(r, l.ip.as_ref(), "src")),
    field!("dst", |p| text(Some(p.dst)), |r, l| address(r, l.ip.as_ref(), "dst")),
    field!("proto", |p| proto_if_known(p.proto, !matches!(p.transport, Transport::Cut)), |r, l| proto(
        r,
        l.ip.as_ref(),
        l.transport.as_ref()
    )),
    field!("ip_len", |p| text(Some(p.ip_len)), |r, l| {
        let layer = l.ip.as_ref()?;
        if layer.name == "ip" {
            return text(r.number("ip.len", layer.nth));
        }
        let jumbo = r.number("ipv6.opt.jumbo", 0);
        text(
            r.number("ipv6.plen", layer.nth)
                .map(|length| 40 + if length == 0 { jumbo.unwrap_or(0) } else { length }),
        )
    }),
    field!("ttl", |p| text(Some(p.ttl)), |r, l| ip(r, l, "ip.ttl", "ipv6.hlim")),
    field!("tos", |p| text(Some(p.tos)), |r, l| ip(r, l, "ip.dsfield", "ipv6.tclass")),
    field!("ip_id", |p| text(p.ip_id), |r, l| ip(r, l, "ip.id", "")),
    field!("df", |p| text(p.df.map(u8::from)), |r, l| ip(r, l, "ip.flags.df", "")),
    field!("flow_label", |p| text(p.flow_label), |r, l| ip(r, l, "", "ipv6.flow")),
    field!("frag.offset", |p| text(Some(p.frag.map_or(0, |frag| frag.offset / 8))), |r, l| {
        text(Some(fragment(r, l, "frag_offset", "offset").unwrap_or(0)))
    }),
    field!("frag.more", |p| text(Some(p.frag.map_or(0, |frag| u8::from(frag.more)))), |r, l| {
        text(Some(fragment(r, l, "flags.mf", "more").unwrap_or(0)))
    }),
    field!("frag.id", |p| text(p.frag.map(|frag| frag.id)), |r, l| {
        let more = fragment(r, l, "flags.mf", "more") > Some(0);
        let is_fragment = more || fragment(r, l, "frag_offset", "offset") > Some(0);
        if is_fragment { text(fragment(r, l, "id", "ident")) } else { None }
    }),
    field!("vlan", |p| text(p.vlan), |r, l| {
        // Of the tags before the packet, not of a frame that some application carries.
        let before = l.before_ip();
        let has = |name: &str| before.iter().any(|layer| layer == name);
        match (has("ieee8021ad"), has("vlan")) {
            (true, _) => text(r.number("ieee8021ad.id", 0)),
            (_, true) => text(r.number("vlan.id", 0)),
            _ => None,
        }
    }),
    field!(
        "checksum.ip",
        |p| if p.src.is_ipv4() { status(p.checksum.map(|c| c.ip)) } else { None },
        |r, l| { ip(r, l, "ip.checksum.status", "") }
    ),
    field!(
        "checksum.transport",
        |p| match p.transport {
            Transport::Tcp(_) | Transport::Udp { .. } | Transport::Icmp(_) =>
                status(p.checksum.map(|c| c.transport)),
            _ => None,
        },
        |r, l| transport(
            r,
            l,
            &[
                ("tcp", "tcp.checksum.status"),
                ("udp", "udp.checksum.status"),
                ("icmp", "icmp.checksum.status"),
                ("icmpv6", "icmpv6.checksum.status"),
            ]
        )
    ),
    field!("src_port", |p| text(p.src_port()), |r, l| transport(r, l, SRC_PORT)),
    field!("dst_port", |p| text(p.dst_port()), |r, l| transport(r, l, DST_PORT)),
    field!("tcp.seq", |p| text(tcp(p).and_then(|t| t.seq)), |r, l| transport(
        r,
        l,
        &[("tcp", "tcp.seq_raw")]
    )),
    field!("tcp.ack", |p| text(tcp(p).and_then(|t| t.ack)), |r, l| transport(
        r,
        l,
        &[("tcp", "tcp.ack_raw")]
    )),
    field!("tcp.flags", |p| text(tcp(p).and_then(|t| t.flags)), |r, l| {
        // tshark adds the three reserved bits above the nine flags.
        text(of(r, l.transport.as_ref(), &[("tcp", "tcp.flags")]).map(|flags| flags & 0x1ff))
    }),
    field!("tcp.data_offset", |p| text(tcp(p).and_then(|t| t.data_offset)), |r, l| {
        text(of(r, l.transport.as_ref(), &[("tcp", "tcp.hdr_len")]).map(|octets| octets / 4))
    }),
    field!("tcp.win", |p| text(tcp(p).and_then(|t| t.win)), |r, l| {
        transport(r, l, &[("tcp", "tcp.window_size_value")])
    }),
    field!("tcp.sum", |p| text(tcp(p).and_then(|t| t.sum)), |r, l| transport(
        r,
        l,
        &[("tcp", "tcp.checksum")]
    )),
    field!("tcp.urg", |p| text(tcp(p).and_then(|t| t.urg)), |r, l| {
        transport(r, l, &[("tcp", "tcp.urgent_pointer")])
    }),
    field!(
        "tcp.option_kind",
        |p| {
            let kinds: Vec<_> = tcp(p)?.options.iter().map(|option| option.kind.to_string()).collect();
            (!kinds.is_empty()).then(|| kinds.join(","))
        },
        |r, l| {
            let kinds = r.all("tcp.option_kind");
            (l.transport.as_ref()?.name == "tcp" && !kinds.is_empty()).then(|| kinds.join(","))
        }
    ),
    field!("tcp.mss", |p| text(tcp(p).and_then(|t| t.options.mss())), |r, l| {
        transport(r, l, &[("tcp", "tcp.options.mss_val")])
    }),
    field!("tcp.wscale", |p| text(tcp(p).and_then(|t| t.options.wscale())), |r, l| {
        transport(r, l, &[("tcp", "tcp.options.wscale.shift")])
    }),
    field!("tcp.tsval", |p| text(tcp(p).and_then(|t| t.options.tsval())), |r, l| {
        transport(r, l, &[("tcp", "tcp.options.timestamp.tsval")])
    }),
    field!("tcp.tsecr", |p| text(tcp(p).and_then(|t| t.options.tsecr())), |r, l| {
        transport(r, l, &[("tcp", "tcp.options.timestamp.tsecr")])
    }),
    field!("tcp.len", |p| tcp(p).and_then(|_| text(p.payload_len)), |r, l| transport(
        r,
        l,
        &[("tcp", "tcp.len")]
    )),
    field!("tcp.payload", |p| tcp(p).filter(|_| !p.payload.is_empty()).map(|_| hex(p.payload)), |r, l| text(
        r.nth("tcp.payload", l.transport.as_ref().filter(|layer| layer.name == "tcp")?.nth)
    )),
    field!(
        "udp.len",
        |p| match p.transport {
            Transport::Udp { len, .. } => text(len),
            _ => None,
        },
        |r, l| transport(r, l, &[("udp", "udp.length")])
    ),
    field!(
        "udp.sum",
        |p| match p.transport {
            Transport::Udp { sum, .. } => text(sum),
            _ => None,
        },
        |r, l| transport(r, l, &[("udp", "udp.checksum")])
    ),
    field!(
        "udp.payload",
        |p| match p.transport {
            Transport::Udp { .. } if !p.payload.is_empty() => Some(hex(p.payload)),
            _ => None,
        },
        |r, l| text(r.nth("udp.payload", l.transport.as_ref().filter(|layer| layer.name == "udp")?.nth))
    ),
    field!("icmp.type", |p| text(icmp(p).and_then(|i| i.kind)), |r, l| {
        transport(r, l, &[("icmp", "icmp.type"), ("icmpv6", "icmpv6.type")])
    }),
    field!("icmp.code", |p| text(icmp(p).and_then(|i| i.code)), |r, l| {
        transport(r, l, &[("icmp", "icmp.code"), ("icmpv6", "icmpv6.code")])
    }),
    field!("icmp.sum", |p| text(icmp(p).and_then(|i| i.sum)), |r, l| {
        transport(r, l, &[("icmp", "icmp.checksum"), ("icmpv6", "icmpv6.checksum")])
    }),
    field!("icmp.id", |p| text(icmp(p).filter(|i| i.quoted.is_none()).and_then(|i| i.id)), |r, l| {
        // With a quoted message inside, the values may be of that one.
        if l.quoted_ip.is_some() {
            return None;
        }
        transport(r, l, &[("icmp", "icmp.ident"), ("icmpv6", "icmpv6.echo.identifier")])
    }),
    field!("icmp.seq", |p| text(icmp(p).filter(|i| i.quoted.is_none()).and_then(|i| i.seq)), |r, l| {
        if l.quoted_ip.is_some() {
            return None;
        }
        transport(r, l, &[("icmp", "icmp.seq"), ("icmpv6", "icmpv6.echo.sequence_number")])
    }),
    field!("quoted.src", |p| text(quoted(p).map(|q| q.src)), |r, l| address(r, l.quoted_ip.as_ref(), "src")),
    field!("quoted.dst", |p| text(quoted(p).map(|q| q.dst)), |r, l| address(r, l.quoted_ip.as_ref(), "dst")),
    field!("quoted.proto", |p| text(quoted(p).map(|q| q.proto)), |r, l| {
        proto(r, l.quoted_ip.as_ref(), l.quoted_transport.as_ref())
    }),
    field!("quoted.src_port", |p| text(quoted(p).and_then(|q| q.src_port)), |r, l| {
        text(of(r, l.quoted_transport.as_ref(), SRC_PORT))
    }),
    field!("quoted.dst_port", |p| text(quoted(p).and_then(|q| q.dst_port)), |r, l| {
        text(of(r, l.quoted_transport.as_ref(), DST_PORT))
    }),
    field!(
        "sctp.tag",
        |p| match p.transport {
            Transport::Sctp { tag, .. } => text(tag),
            _ => None,
        },
        |r, l| transport(r, l, &[("sctp", "sctp.verification_tag")])
    ),
    field!(
        "sctp.chunk",
        |p| match p.transport {
            Transport::Sctp { chunk, .. } => text(chunk),
            _ => None,
        },
        |r, l| transport(r, l, &[("sctp", "sctp.chunk_type")])
    ),
];
