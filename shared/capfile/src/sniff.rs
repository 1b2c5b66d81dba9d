//! What a stream is, from its first bytes.

/// Length of a classic pcap file header.
pub(crate) const PCAP_HEADER: usize = 24;
/// Bytes of a pcapng section header that must be there to know its byte order and length.
pub(crate) const SECTION_START: usize = 12;
/// pcapng Section Header Block type; the same in both byte orders.
pub(crate) const SECTION_HEADER: u32 = 0x0A0D_0D0A;
/// pcapng byte-order magic.
pub(crate) const BYTE_ORDER_MAGIC: u32 = 0x1A2B_3C4D;

/// Kinds of stream that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Gzip,
    Zstd,
    Pcap(Variant),
    PcapNg,
}

/// The three classic pcap record layouts, and the byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) big: bool,
    pub(crate) nanos: bool,
    /// Kuznetzov's modified libpcap: 24-byte record headers.
    pub(crate) modified: bool,
}

/// The kind of stream that begins with `head`, which should have at least four bytes.
pub(crate) fn kind(head: &[u8]) -> Option<Kind> {
    // RFC 1952 §2.3.1: ID1, ID2, and CM 8, the only method there is.
    if head.starts_with(&[0x1f, 0x8b, 0x08]) {
        return Some(Kind::Gzip);
    }
    let four: [u8; 4] = head.get(..4)?.try_into().ok()?;
    let little = u32::from_le_bytes(four);
    // RFC 8878 §3.1.1 and §3.1.2: a frame, or a skippable frame before the first.
    if little == 0xFD2F_B528 || little & 0xFFFF_FFF0 == 0x184D_2A50 {
        return Some(Kind::Zstd);
    }
    if little == SECTION_HEADER {
        return Some(Kind::PcapNg);
    }
    pcap_variant(little).map(Kind::Pcap)
}

/// The variant of classic pcap whose magic, read as little-endian, is `little`.
pub(crate) fn pcap_variant(little: u32) -> Option<Variant> {
    let (big, magic) = match little {
        0xA1B2_C3D4 | 0xA1B2_3C4D | 0xA1B2_CD34 => (false, little),
        _ => (true, little.swap_bytes()),
    };
    match magic {
        0xA1B2_C3D4 => Some(Variant { big, nanos: false, modified: false }),
        0xA1B2_3C4D => Some(Variant { big, nanos: true, modified: false }),
        0xA1B2_CD34 => Some(Variant { big, nanos: false, modified: true }),
        _ => None,
    }
}

/// Whether the header of another capture begins here, in the middle of a stream (captures one behind the
/// other). Needs 12 bytes to say yes, and asks for more than a magic because packets can hold anything.
pub(crate) fn is_header(bytes: &[u8]) -> bool {
    let Some(Ok(four)) = bytes.get(..4).map(<[u8; 4]>::try_from) else { return false };
    let little = u32::from_le_bytes(four);
    if little == SECTION_HEADER {
        let magic = BYTE_ORDER_MAGIC;
        return bytes.get(8..12).is_some_and(|m| m == magic.to_le_bytes() || m == magic.to_be_bytes());
    }
    is_pcap_header(bytes)
}

/// The classic half of [`is_header`]: inside pcapng a section header is nothing that needs another walker.
pub(crate) fn is_pcap_header(bytes: &[u8]) -> bool {
    let Some(Ok(four)) = bytes.get(..4).map(<[u8; 4]>::try_from) else { return false };
    let Some(variant) = pcap_variant(u32::from_le_bytes(four)) else { return false };
    // Version 2.4 (every writer since 1998), and the zone correction that every writer sets to 0.
    let version: &[u8] = if variant.big { &[0, 2, 0, 4] } else { &[2, 0, 4, 0] };
    bytes.get(4..8) == Some(version) && bytes.get(8..12) == Some(&[0; 4])
}

/// What an input that is no capture looks like. Bytes as in the file format descriptions of each.
pub(crate) fn hint(head: &[u8]) -> Option<&'static str> {
    const KNOWN: &[(&[u8], &str)] = &[
        (b"version https://git-lfs", "a git-lfs pointer; the file itself was not fetched"),
        (b"\xfd7zXZ\0", "xz-compressed data; pipe it through xz -dc"),
        (b"BZh", "bzip2-compressed data; pipe it through bzip2 -dc"),
        (b"\x04\x22\x4d\x18", "lz4-compressed data; pipe it through lz4 -dc"),
        (b"PK\x03\x04", "a zip archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-zip archive"),
        (b"snoop\0\0\0", "a snoop capture; convert it with editcap -F pcap"),
        (b"btsnoop\0", "a Bluetooth snoop log"),
        (b"TRSNIFF data", "a Sniffer capture; convert it with editcap -F pcap"),
        (b"GMBU", "a Network Monitor capture; convert it with editcap -F pcap"),
        (b"RTSS", "a Network Monitor capture; convert it with editcap -F pcap"),
        (b"XCP\0", "a NetXRay capture; convert it with editcap -F pcap"),
        (b"\x89MCAP", "an MCAP log"),
        (b"PAR1", "Parquet"),
        (b"\x7fELF", "a program"),
        (b"\x89PNG", "an image"),
        (b"%PDF", "a PDF document"),
        (b"<", "HTML or XML text"),
        (b"{", "JSON text"),
        (b"[", "JSON text"),
    ];
    if let Some((_, name)) = KNOWN.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(name);
    }
    let sample = head.get(..head.len().min(256)).unwrap_or_default();
    // Cut inside a character, perhaps, but otherwise sound.
    let utf8 = match std::str::from_utf8(sample) {
        Ok(_) => true,
        Err(e) => e.error_len().is_none() && e.valid_up_to() > 0,
    };
    if utf8 && sample.iter().all(|&b| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..)) {
        let first_line = sample.split(|&b| b == b'\n').next().unwrap_or_default();
        return Some(if first_line.contains(&b',') { "CSV text" } else { "text" });
    }
    erf(head).then_some("an ERF capture; convert it with editcap -F pcap")
}

/// Endace ERF records: eight bytes of time, type (low seven bits), flags, big-endian record length of at
/// least the 16-byte header, loss counter, wire length. Believed only if a second record follows, or the
/// input ends there.
fn erf(head: &[u8]) -> bool {
    let header = |at: usize| {
        let bytes = head.get(at..at + 16)?;
        let kind = bytes.get(8)? & 0x7f;
        let length = usize::from(u16::from_be_bytes([*bytes.get(10)?, *bytes.get(11)?]));
        // ERF types in use are 1 to 27, and 48 and above for padding and metadata; 0 is legacy.
        ((1..=27).contains(&kind) && length >= 16).then_some(length)
    };
    header(0)
        .is_some_and(|length| length >= head.len() || header(length).is_some() || length + 16 > head.len())
}
