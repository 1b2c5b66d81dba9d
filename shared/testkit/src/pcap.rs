//! A writer of classic pcap files, and nothing more (`draft-ietf-opsawg-pcap`).

/// What a timestamp's fraction counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub enum Precision {
    /// Microseconds, magic number a1b2c3d4.
    #[default]
    #[serde(rename = "us")]
    Micros,
    /// Nanoseconds, magic number a1b23c4d.
    #[serde(rename = "ns")]
    Nanos,
}

/// One packet record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Nanoseconds since the epoch.
    pub nanos: u64,
    /// What was captured.
    pub bytes: Vec<u8>,
    /// How long the packet was on the wire.
    pub wire_len: usize,
}

impl<B: Into<Vec<u8>>> From<(u64, B)> for Record {
    /// A packet captured whole.
    fn from((nanos, bytes): (u64, B)) -> Self {
        let bytes = bytes.into();
        Self { nanos, wire_len: bytes.len(), bytes }
    }
}

/// A capture file, little-endian, with a snapshot length of 65535.
pub fn file<R: Into<Record>>(
    precision: Precision,
    link_type: u32,
    records: impl IntoIterator<Item = R>,
) -> Vec<u8> {
    let (magic, per_unit): (u32, u64) = match precision {
        Precision::Micros => (0xa1b2_c3d4, 1000),
        Precision::Nanos => (0xa1b2_3c4d, 1),
    };
    let mut out = Vec::new();
    out.extend(magic.to_le_bytes());
    out.extend(2_u16.to_le_bytes());
    out.extend(4_u16.to_le_bytes());
    out.extend([0; 8]);
    out.extend(65535_u32.to_le_bytes());
    out.extend(link_type.to_le_bytes());
    for record in records {
        let Record { nanos, bytes, wire_len } = record.into();
        let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000 / per_unit);
        for word in [seconds, fraction, bytes.len() as u64, wire_len as u64] {
            out.extend(u32::try_from(word).expect("pcap counts seconds and bytes in 32 bits").to_le_bytes());
        }
        out.extend(bytes);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_record_as_the_format_lays_them_out() {
        let micros = file(Precision::Micros, 101, [(1_000_002_003_u64, [0xee_u8; 3])]);
        assert_eq!(micros[..4], [0xd4, 0xc3, 0xb2, 0xa1]);
        assert_eq!(micros[20..24], [101, 0, 0, 0]);
        assert_eq!(micros[24..], [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 0xee, 0xee, 0xee]);
        let nanos = file(Precision::Nanos, 1, [(1_000_002_003_u64, [0xee_u8; 3])]);
        assert_eq!(nanos[..4], [0x4d, 0x3c, 0xb2, 0xa1]);
        assert_eq!(nanos[28..32], 2003_u32.to_le_bytes());
    }
}
