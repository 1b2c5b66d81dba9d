//! Which layers of a frame tshark found, and which occurrence of a field belongs to which.

use std::collections::HashMap;

use crate::fields::Row;

/// A layer: tshark's name of the protocol, and how many layers of that name come before it in the frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) name: String,
    pub(crate) nth: usize,
}

/// The layers of the packet to compare with.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    pub(crate) ip: Option<Layer>,
    /// The fragment header among its extension headers.
    pub(crate) fragment: Option<Layer>,
    pub(crate) transport: Option<Layer>,
    pub(crate) quoted_ip: Option<Layer>,
    pub(crate) quoted_transport: Option<Layer>,
    /// Names of all layers.
    all: Vec<String>,
}

const TRANSPORTS: [&str; 6] = ["tcp", "udp", "icmp", "icmpv6", "sctp", "udplite"];

fn is_ip(name: &str) -> bool {
    name == "ip" || name == "ipv6"
}

/// Extension headers stand between IP and its transport.
fn is_extension(name: &str) -> bool {
    name.starts_with("ipv6.") || name == "ah" || name == "shim6"
}

/// Layers between two IP headers of the tunnels that we follow.
fn is_tunnel(name: &str) -> bool {
    const NAMES: [&str; 13] = [
        "gre",
        "erspan",
        "vxlan",
        "geneve",
        "eth",
        "ethertype",
        "vlan",
        "ieee8021ad",
        "llc",
        "ppp",
        "mpls",
        "pppoes",
        "pwethnocw",
    ];
    NAMES.contains(&name)
}

impl Layers {
    /// Names of the layers before the IP header.
    pub(crate) fn before_ip(&self) -> &[String] {
        let Some(ip) = &self.ip else { return &[] };
        let mut places = (0..self.all.len()).filter(|place| self.all.get(*place) == Some(&ip.name));
        places.nth(ip.nth).and_then(|place| self.all.get(..place)).unwrap_or_default()
    }

    /// The outermost packet, or the innermost that we follow tunnels to.
    pub(crate) fn find(row: &Row, inner: bool) -> Self {
        let all: Vec<String> = row.text("frame.protocols").split(':').map(str::to_owned).collect();
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let layers: Vec<Layer> = all
            .iter()
            .map(|name| {
                let count = seen.entry(name).or_default();
                *count += 1;
                Layer { name: name.clone(), nth: *count - 1 }
            })
            .collect();
        // A header that was cut or that tshark gave up on lacks one of its addresses.
        let readable = |layer: &Layer| {
            ["src", "dst"].iter().all(|end| row.nth(&format!("{}.{end}", layer.name), layer.nth).is_some())
        };
        let transport = |layer: &Layer| TRANSPORTS.contains(&layer.name.as_str());

        let mut found = Self { all: all.clone(), ..Self::default() };
        let mut rest = layers.iter().skip_while(|layer| !(is_ip(&layer.name) && readable(layer))).peekable();
        found.ip = rest.next().cloned();
        loop {
            while let Some(layer) = rest.next_if(|layer| is_extension(&layer.name)) {
                if layer.name == "ipv6.fraghdr" {
                    found.fragment.get_or_insert_with(|| layer.clone());
                }
            }
            let Some(next) = rest.peek() else { return found };
            if transport(next) {
                found.transport = Some((*next).clone());
                rest.next();
            }
            if found.transport.as_ref().is_some_and(|layer| layer.name.starts_with("icmp")) {
                break;
            }
            let udp = found.transport.as_ref().is_some_and(|layer| layer.name == "udp");
            let mut ahead = rest.clone();
            let into = match ahead.peek() {
                Some(next) if udp => next.name == "vxlan" || next.name == "geneve",
                Some(_) => found.transport.is_none(),
                None => false,
            };
            if !inner || !into {
                return found;
            }
            while ahead.next_if(|layer| is_tunnel(&layer.name)).is_some() {}
            match ahead.next() {
                Some(layer) if is_ip(&layer.name) && readable(layer) => {
                    found.ip = Some(layer.clone());
                    (found.transport, found.fragment) = (None, None);
                    rest = ahead;
                }
                _ => return found,
            }
        }
        if let Some(layer) = rest.next_if(|layer| is_ip(&layer.name) && readable(layer)) {
            found.quoted_ip = Some(layer.clone());
            while rest.next_if(|layer| is_extension(&layer.name)).is_some() {}
            found.quoted_transport = rest.next_if(|layer| transport(layer)).cloned();
        }
        found
    }
}
