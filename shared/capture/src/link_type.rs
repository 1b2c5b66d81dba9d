//! Link types: the numbers in capture files and the numbers libpcap uses inside.
//!
//! Most are equal. The exceptions are old data link types that different systems numbered differently, so files got
//! numbers of their own: <https://www.tcpdump.org/linktypes.html>, and `pcap-common.c` of libpcap for the pairs.

/// LINKTYPE_ETHERNET.
pub const ETHERNET: u32 = 1;
/// LINKTYPE_RAW: packets begin with the IPv4 or IPv6 header.
pub const RAW: u32 = 101;
/// LINKTYPE_LINUX_SLL2: Linux "cooked" capture, version 2, which says the interface of each packet.
pub const LINUX_SLL2: u32 = 276;

/// Pairs (in files, inside libpcap) that differ, for the system this was built for.
const DIFFERENT: &[(u32, i32)] =
    &[(100, 11), (RAW, if cfg!(target_os = "openbsd") { 14 } else { 12 }), (102, 13)];

/// The number in files for libpcap's number.
pub(crate) fn from_libpcap(inside: i32) -> u32 {
    DIFFERENT.iter().find(|pair| pair.1 == inside).map_or(inside.unsigned_abs(), |pair| pair.0)
}

/// libpcap's number for the number in files; none for what no link type can be.
pub(crate) fn to_libpcap(in_file: u32) -> Option<i32> {
    match DIFFERENT.iter().find(|pair| pair.0 == in_file) {
        Some(pair) => Some(pair.1),
        // The upper bits of a capture file's field say other things (draft-ietf-opsawg-pcap, section 4).
        None => i32::try_from(in_file).ok().filter(|n| *n <= 0xffff),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_agree() {
        for in_file in [0, ETHERNET, 9, 100, RAW, 102, 105, 113, 127, 228, LINUX_SLL2] {
            let inside = to_libpcap(in_file).unwrap();
            assert_eq!(from_libpcap(inside), in_file);
        }
        assert_eq!(to_libpcap(u32::MAX), None);
        assert_eq!(to_libpcap(0x1_0000), None);
    }
}
