//! What ties packets of several sources to one run of a tool.

use std::fmt;
use std::net::IpAddr;

use probeline_record::text;

use crate::packet::{Facts, Lacks};
use crate::pattern::Input;
use crate::rules;
use crate::source::Source;
use crate::tool::Tool;
use crate::verdict::{masscan_start, pool_size};

/// A value that all packets of one run of a tool share, from whichever source they come. Written
/// `masscan:start=3632`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    tool: Tool,
    label: &'static str,
    value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Number(u64),
    Hex(u64),
    /// Pool size, and the remainder of destination less source.
    Pool(u32, u32),
}

impl Session {
    /// The session of a packet of this tool.
    pub(crate) fn of(tool: Tool, facts: &Facts, source: &Source, input: &Input) -> Option<Self> {
        if facts.lacks.any_of(Lacks::SESSION) {
            return None;
        }
        let (label, value) = match tool {
            Tool::Mirai => ("process", Value::Hex(rules::mirai_process(facts)?)),
            Tool::Masscan => ("start", Value::Number(masscan_start(facts, source)?.into())),
            Tool::Nmap => ("seqmask", Value::Hex(rules::nmap_coded(facts)?)),
            Tool::Zmap => match pool_size(facts, source, input) {
                Some(size) => {
                    let IpAddr::V4(src) = source.address() else { return None };
                    let shift = facts.dst4().wrapping_sub(u32::from(src)) % size;
                    ("pool", Value::Pool(size, shift))
                }
                None => ("start", Value::Number(rules::zmap_start(facts)?.into())),
            },
            Tool::Unicornscan => ("key", Value::Hex(rules::unicornscan_key(facts).into())),
            Tool::Hping3 => {
                let start = source.evidence()?.stream.as_ref()?.start()?;
                ("start", Value::Number(start.into()))
            }
            Tool::Nping => ("run", Value::Hex(rules::nping_run(facts)?)),
            Tool::Fi6s => ("run", Value::Hex(rules::fi6s_run(facts)?)),
            _ => return None,
        };
        Some(Self { tool, label, value })
    }

    /// Appends the text.
    pub fn write(self, out: &mut Vec<u8>) {
        for part in [self.tool.name(), ":", self.label, "="] {
            out.extend_from_slice(part.as_bytes());
        }
        match self.value {
            Value::Number(number) => text::write_uint(number, out),
            Value::Hex(number) => {
                let octets = number.to_be_bytes();
                let skip = if number >> 32 == 0 { 4 } else { 0 };
                text::write_hex(&octets[skip..], out);
            }
            Value::Pool(size, shift) => {
                text::write_uint(size.into(), out);
                out.push(b'+');
                text::write_uint(shift.into(), out);
            }
        }
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.write(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}
