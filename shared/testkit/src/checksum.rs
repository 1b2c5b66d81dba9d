//! The sums that headers carry.

/// The Internet checksum (RFC 1071 §1) over the parts, each of which but the last has an even length.
pub(crate) fn internet(parts: &[&[u8]]) -> u16 {
    let mut sum: u64 = 0;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u64::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// CRC32c, which SCTP stores in little-endian order (RFC 9260 appendix A).
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            // 0x82F63B78 is the reflected Castagnoli polynomial.
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0x82F6_3B78 } else { 0 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_sums() {
        // The worked example of RFC 1071 §3: the sum is ddf2, the checksum its complement.
        assert_eq!(super::internet(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
        // The check value of CRC-32C for the nine digits, as in the catalogue of CRC algorithms.
        assert_eq!(super::crc32c(b"123456789"), 0xE306_9283);
    }
}
