//! Why reading could not begin, or stopped.

use std::io;

/// Why an input cannot be read. The caller adds the file's name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is not one byte (inside the compression, if any).
    #[error("empty input{}", inside(.layers))]
    Empty {
        /// Compression around it, outermost first.
        layers: Vec<&'static str>,
    },
    /// The input does not begin like any capture format known here.
    #[error("not a capture file{}: begins with {}{}", inside(.layers), hex(.first), said(.hint))]
    NotACapture {
        /// The first bytes, at most 16, after decompression.
        first: Vec<u8>,
        /// What it looks like instead, where that is known.
        hint: Option<&'static str>,
        /// Compression around it, outermost first.
        layers: Vec<&'static str>,
    },
    /// The input ends inside the file header.
    #[error("{format} file header cut short: {have} of {need} bytes")]
    HeaderTruncated {
        /// `pcap` or `pcapng`.
        format: &'static str,
        /// Bytes there are.
        have: usize,
        /// Bytes the header has.
        need: usize,
    },
    /// The compression is damaged before the first byte of the capture.
    #[error("{layer} data damaged at byte {at}: {what}")]
    Compressed {
        /// `gzip` or `zstd`.
        layer: &'static str,
        /// Byte offset in that layer's compressed data.
        at: u64,
        /// What the decompressor found.
        what: String,
    },
    /// The input could not be read further. Every packet before it has been delivered.
    #[error("read failed after packet {packets} at input byte {at}: {source}")]
    Io {
        /// Packets delivered before.
        packets: u64,
        /// Bytes of the underlying, possibly compressed, input read before.
        at: u64,
        /// The failure.
        source: io::Error,
    },
}

/// An [`Error`] of one of several merged inputs.
#[derive(Debug, thiserror::Error)]
#[error("input {input}: {source}")]
pub struct MergeError {
    /// Index of the input, from 0.
    pub input: usize,
    /// What happened to it.
    pub source: Error,
}

fn inside(layers: &[&str]) -> String {
    if layers.is_empty() { String::new() } else { format!(" inside {}", layers.join(", ")) }
}

fn said(hint: &Option<&str>) -> String {
    hint.map(|hint| format!("; it looks like {hint}")).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}
