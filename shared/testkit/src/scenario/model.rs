//! The scenario file as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::pcap::Precision;
use crate::{ExpectedRow, Link};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    pub(super) name: String,
    #[serde(default)]
    pub(super) telescope: Vec<String>,
    #[serde(default = "start")]
    pub(super) start: Seconds,
    #[serde(default)]
    pub(super) precision: Precision,
    #[serde(default)]
    pub(super) link: Link,
    #[serde(default)]
    pub(super) packets: Vec<Entry>,
    #[serde(default)]
    pub(super) scan: Vec<Entry>,
    #[serde(default)]
    pub(super) expect: BTreeMap<String, Expected>,
}

fn start() -> Seconds {
    Seconds(1_700_000_000_000_000_000)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    #[serde(default)]
    pub(super) others: bool,
    pub(super) rows: Vec<ExpectedRow>,
}

/// One packet or many alike.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    #[serde(default)]
    pub(super) at: Seconds,

    /// A whole frame instead of all that follows.
    pub(super) hex: Option<String>,

    pub(super) src: Option<String>,
    pub(super) dst: Option<String>,
    #[serde(default = "tcp")]
    pub(super) proto: Proto,
    pub(super) src_port: Option<Ports>,
    pub(super) dst_port: Option<Ports>,
    pub(super) id: Option<Id>,
    pub(super) seq: Option<Seq>,
    pub(super) vlan: Option<u16>,
    pub(super) chunk: Option<u8>,
    pub(super) icmp: Option<[u8; 2]>,
    pub(super) icmp_id: Option<u16>,
    pub(super) icmp_seq: Option<u16>,
    pub(super) fragment: Option<Fragment>,
    pub(super) ack: Option<u32>,
    #[serde(default)]
    pub(super) false_checksum: bool,

    // serde cannot both flatten and reject unknown keys, so these stand here and in `Then` alike.
    pub(super) flags: Option<String>,
    pub(super) win: Option<u16>,
    pub(super) ttl: Option<u8>,
    pub(super) tos: Option<u8>,
    pub(super) df: Option<bool>,
    pub(super) options: Option<String>,
    pub(super) payload: Option<String>,
    pub(super) payload_hex: Option<String>,

    /// Not captured itself; what follows it is.
    #[serde(default)]
    pub(super) unseen: bool,

    /// How many bytes of the frame are captured.
    pub(super) cut: Option<usize>,

    #[serde(default)]
    pub(super) interval: Seconds,
    #[serde(default)]
    pub(super) sweep: Sweep,
    #[serde(default = "once")]
    pub(super) times: u32,
    #[serde(default)]
    pub(super) every: Seconds,
    #[serde(default)]
    pub(super) retransmit: Vec<Seconds>,
    #[serde(default)]
    pub(super) then: Vec<Then>,
}

fn tcp() -> Proto {
    Proto::Name("tcp".to_owned())
}

fn once() -> u32 {
    1
}

/// A packet that follows each probe.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Then {
    pub(super) after: Seconds,
    #[serde(default)]
    pub(super) from: From,
    /// The sender, where it is neither of the two: a router.
    pub(super) sender: Option<String>,
    /// Only after probes of these ports.
    pub(super) ports: Option<String>,
    /// Only after probes of these addresses.
    pub(super) dsts: Option<String>,
    pub(super) icmp: Option<[u8; 2]>,
    pub(super) flags: Option<String>,
    pub(super) win: Option<u16>,
    pub(super) ttl: Option<u8>,
    pub(super) tos: Option<u8>,
    pub(super) df: Option<bool>,
    pub(super) options: Option<String>,
    pub(super) payload: Option<String>,
    pub(super) payload_hex: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum From {
    #[default]
    Dst,
    Src,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Sweep {
    /// All addresses of one port, then the next port.
    #[default]
    Addresses,
    /// All ports of one address, then the next address.
    Ports,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fragment {
    pub(super) offset: u16,
    pub(super) more: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Proto {
    Number(u8),
    Name(String),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Ports {
    One(u16),
    List(String),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Number(u16),
    Word(IdWord),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum IdWord {
    /// Destination address xor destination port xor sequence number, its lower 16 bits.
    Masscan,
    /// One more with each probe.
    Counter,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Seq {
    Number(u32),
    Word(SeqWord),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SeqWord {
    /// The destination address, as Mirai does.
    Dst,
}

/// A span or an instant in nanoseconds, written as seconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(super) struct Seconds(pub(super) u64);

impl TryFrom<toml::Value> for Seconds {
    type Error = String;

    /// Whole numbers, decimal numbers, and decimal numbers as text where a float would not be exact.
    fn try_from(value: toml::Value) -> Result<Self, String> {
        let text = match value {
            toml::Value::Integer(number) => number.to_string(),
            // Nine digits are exact for what fits a scenario: a float holds a million seconds to 0.1 ns.
            toml::Value::Float(number) => format!("{number:.9}"),
            toml::Value::String(text) => text,
            other => return Err(format!("a {} is no number of seconds", other.type_str())),
        };
        let wrong = || format!("'{text}' is no number of seconds with up to nine decimals");
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let fraction: u64 = format!("{fraction:0<9}").parse().map_err(|_| wrong())?;
        Ok(Self(whole * 1_000_000_000 + fraction))
    }
}
