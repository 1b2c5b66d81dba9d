//! What was wrong with a capture, where, and how much it cost.

use std::fmt;

/// One place where the input was damaged. Reading went on after it wherever the format allows that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// What was found.
    pub kind: DamageKind,
    /// Packets delivered before it: the damage lies after this packet number.
    pub after: u64,
    /// Byte offset in the uncompressed capture.
    pub offset: u64,
    /// Bytes of the uncompressed capture that yielded nothing because of it.
    pub skipped: u64,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, after, offset, skipped } = self;
        write!(f, "{kind}, after packet {after} at byte {offset}")?;
        if *skipped > 0 { write!(f, ", {skipped} bytes skipped") } else { Ok(()) }
    }
}

/// Kinds of damage.
///
/// "Searched" means that reading went on at the next place where records make sense again. In classic pcap
/// that is a chain of four record headers (fewer if the input ends with them) with `0 < cap_len <= wire_len
/// <= 262144`, a fraction below one second and timestamps from one day before to 30 days after the last good
/// one. In pcapng it is a block of a known type with a sane length that is repeated at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// The input ends inside a record or block. What there is of it is not delivered.
    Truncated,
    /// A record claims a captured length that no packet has (above the snapshot length and 262,144 bytes, or
    /// above 8 MiB), or it looks odd (more bytes than on the wire or than the snapshot length, a fraction of
    /// a second or more, a time far from the last) and its length would swallow good records and end where
    /// none begins. Searched.
    Length {
        /// The captured length that the record claims.
        cap_len: u32,
    },
    /// Zeros (64 or more in classic pcap) where a record or block should begin: a hole left by a crash or an
    /// unfinished copy. Searched. Fewer zeros are a record of no bytes at time 0, as in tshark.
    ZeroFilled,
    /// A pcapng block claims a length that is too small, or above 8 MiB. Searched.
    BlockLength {
        /// The block length that the block claims.
        length: u32,
    },
    /// The length at the end of a pcapng block differs from the one at its beginning. If a block begins where
    /// the first says, or the first suits the packet in the block, the block is kept and nothing skipped;
    /// else searched.
    BlockTrailer {
        /// Length at the beginning.
        leading: u32,
        /// Length at the end.
        trailing: u32,
    },
    /// The contents of a pcapng block do not fit into it. A packet longer than its block is delivered as far
    /// as the block goes, with nothing skipped; a block too short for its fixed fields is skipped.
    BlockContent {
        /// Type of the block.
        block_type: u32,
    },
    /// A packet names an interface that the pcapng section has not described: neither link type nor time unit
    /// are known. The block is skipped.
    UnknownInterface {
        /// The interface number within the section.
        interface: u32,
    },
    /// A pcapng section describes more interfaces than the reader keeps (65,536). The block is skipped.
    TooManyInterfaces,
    /// An interface option of pcapng (`if_tsresol`, `if_tsoffset`) is unusable or given twice with another
    /// value. The default, or the first value, is used.
    InterfaceOption {
        /// Option code.
        code: u16,
    },
    /// A section header of pcapng has no byte-order magic. Searched.
    ByteOrder,
    /// The file header has a version that is not known; read as the newest known one.
    Version {
        /// Major version.
        major: u16,
        /// Minor version.
        minor: u16,
    },
    /// Reserved bits are set in the link-type field of the file header; they are ignored.
    LinkTypeBits {
        /// The whole field.
        field: u32,
    },
    /// A timestamp lies outside 1677 to 2262, what 64-bit nanoseconds can hold. The nearest of the two is
    /// delivered.
    Timestamp,
    /// Compressed data is damaged or ends early. Everything decompressed before it is kept, and what a later
    /// gzip member or zstd frame holds is read on (the last of a file that was cut off and appended to).
    Compressed {
        /// `gzip` or `zstd`.
        layer: &'static str,
        /// Byte offset in that layer's compressed data.
        at: u64,
        /// What the decompressor found.
        what: String,
    },
    /// After damage to compressed data, these bytes belong to no whole record. Searched.
    AfterBreak,
}

impl fmt::Display for DamageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => write!(f, "input ends inside a record"),
            Self::Length { cap_len } => write!(f, "impossible captured length {cap_len}"),
            Self::ZeroFilled => write!(f, "zeros instead of a record"),
            Self::BlockLength { length } => write!(f, "impossible block length {length}"),
            Self::BlockTrailer { leading, trailing } => {
                write!(f, "block length {leading} is {trailing} at the end of the block")
            }
            Self::BlockContent { block_type } => {
                write!(f, "contents do not fit into block of type {block_type:#x}")
            }
            Self::UnknownInterface { interface } => write!(f, "packet of undescribed interface {interface}"),
            Self::TooManyInterfaces => write!(f, "too many interfaces in one section"),
            Self::InterfaceOption { code } => write!(f, "unusable interface option {code}"),
            Self::ByteOrder => write!(f, "section without byte-order magic"),
            Self::Version { major, minor } => write!(f, "unknown format version {major}.{minor}"),
            Self::LinkTypeBits { field } => write!(f, "reserved bits in link-type field {field:#010x}"),
            Self::Timestamp => write!(f, "timestamp out of range"),
            Self::AfterBreak => write!(f, "no record after the break in the compressed data"),
            Self::Compressed { layer, at, what } => {
                write!(f, "{layer} data damaged at its byte {at} ({what})")
            }
        }
    }
}

/// The damage of one input: all counted, the first [`DamageLog::KEPT`] kept.
#[derive(Debug, Default)]
pub(crate) struct DamageLog {
    kept: Vec<Damage>,
    count: u64,
    skipped: u64,
}

impl DamageLog {
    /// How many are kept word by word; a hostile file can have one for every few bytes.
    pub(crate) const KEPT: usize = 64;

    /// Damage is told when it is over, which for a long search is late, and damage to the compression before
    /// what was unpacked ahead of it has been looked at. The list is in file order all the same, and so does
    /// not depend on how the bytes arrived.
    pub(crate) fn note(&mut self, kind: DamageKind, after: u64, offset: u64, skipped: u64) {
        self.count += 1;
        self.skipped = self.skipped.saturating_add(skipped);
        let first = matches!(kind, DamageKind::Compressed { .. });
        let before = |other: &Damage| {
            let other_first = matches!(other.kind, DamageKind::Compressed { .. });
            (other.offset, !other_first) <= (offset, !first)
        };
        let place = self.kept.partition_point(before);
        if place < Self::KEPT {
            self.kept.truncate(Self::KEPT - 1);
            self.kept.insert(place, Damage { kind, after, offset, skipped });
        }
    }

    pub(crate) fn kept(&self) -> &[Damage] {
        &self.kept
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }
}
