//! Scenario files: what happens on the wire, and what must come out, in the author's own words.

mod expand;
mod model;

use std::path::Path;

use model::Model;

use crate::compare::{Others, compare};
use crate::pcap::{self, Precision, Record};
use crate::{Link, Packet, Table};

/// One packet of a scenario.
#[derive(Clone, Debug)]
pub struct Stamped {
    /// When, in nanoseconds since the epoch.
    pub nanos: u64,
    /// What the capture holds of it.
    pub bytes: Vec<u8>,
    /// How long it was on the wire.
    pub wire_len: usize,
    /// What it was built from; `None` for a frame given as bytes.
    pub packet: Option<Packet>,
}

/// A scenario read from a TOML file. `shared/testkit/SCENARIO.md` describes the format.
#[derive(Debug)]
pub struct Scenario {
    model: Model,
    packets: Vec<Stamped>,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Panics
    /// When the file is missing or wrong.
    pub fn load(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads a scenario from text; the name is for messages.
    ///
    /// # Panics
    /// When it is wrong.
    pub fn parse(text: &str, name: &str) -> Self {
        let model: Model = toml::from_str(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let packets = expand::packets(&model);
        Self { model, packets }
    }

    /// Its title.
    pub fn name(&self) -> &str {
        &self.model.name
    }

    /// The telescope, ready to be a value of the tools' `--telescope` or of the variable TELESCOPE.
    pub fn telescope(&self) -> String {
        self.model.telescope.join(",")
    }

    /// Its packets in order of time; those of the same instant in the order of the file.
    pub fn packets(&self) -> &[Stamped] {
        &self.packets
    }

    /// The link type of its capture file.
    pub fn link(&self) -> Link {
        self.model.link
    }

    /// The capture file: the same bytes from the same scenario, always.
    pub fn to_pcap(&self) -> Vec<u8> {
        self.to_pcap_with(self.model.precision)
    }

    /// The capture file with timestamps of this precision.
    pub fn to_pcap_with(&self, precision: Precision) -> Vec<u8> {
        let records = self.packets.iter().map(|packet| Record {
            nanos: packet.nanos,
            bytes: packet.bytes.clone(),
            wire_len: packet.wire_len,
        });
        pcap::file(precision, self.model.link.number(), records)
    }

    /// Writes the capture file.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_pcap(&self, path: impl AsRef<Path>) {
        let path = path.as_ref();
        std::fs::write(path, self.to_pcap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }

    /// The names of the tables the author expects.
    pub fn expects(&self) -> impl Iterator<Item = &str> {
        self.model.expect.keys().map(String::as_str)
    }

    /// Holds a table against what the author expects of the table of this name (`[expect.NAME]`).
    ///
    /// # Errors
    /// A text that shows what is missing and what is too much.
    ///
    /// # Panics
    /// When the author expects nothing of this name.
    pub fn check(&self, name: &str, table: &Table) -> Result<(), String> {
        let expected = self.model.expect.get(name);
        let expected =
            expected.unwrap_or_else(|| panic!("scenario '{}' has no [expect.{name}]", self.name()));
        let others = if expected.others { Others::Allowed } else { Others::Forbidden };
        compare(&expected.rows, others, table)
            .map_err(|report| format!("scenario '{}', [expect.{name}]:\n{report}", self.name()))
    }
}

#[cfg(test)]
mod tests;
