//! Addresses that cannot be a scanner on the Internet, or are not for one host alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Multicast (RFC 1112, RFC 4291 §2.7) or the limited broadcast address (RFC 919).
pub fn is_multicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_multicast() || v4 == Ipv4Addr::BROADCAST,
        IpAddr::V6(v6) => v6.is_multicast(),
    }
}

/// Link-local (RFC 3927, RFC 4291 §2.5.6) or unspecified.
pub fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.is_unspecified(),
    }
}

/// Whether no packet from the Internet can honestly carry this source: private, reserved, documentation, loopback,
/// multicast (RFC 6890 and the IANA special-purpose registries).
pub fn is_bogon(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_bogon_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_bogon_v4(v4),
            None => is_bogon_v6(v6),
        },
    }
}

fn is_bogon_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    match a {
        0 | 10 | 127 => true,
        100 => b & 0xc0 == 64,
        172 => b & 0xf0 == 16,
        192 => (b == 0 && (c == 0 || c == 2)) || b == 168,
        198 => b & 0xfe == 18 || (b == 51 && c == 100),
        203 => b == 0 && c == 113,
        _ => a >= 224,
    }
}

fn is_bogon_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    s[0] & 0xff00 == 0 // ::/8: unspecified, loopback, IPv4-compatible
        || s[0] & 0xfe00 == 0xfc00 // unique local, RFC 4193
        || s[0] & 0xff00 == 0xff00 // multicast
        || (s[0] == 0x2001 && s[1] == 0x0db8) // documentation, RFC 3849
        || s[..4] == [0x100, 0, 0, 0] // discard only, RFC 6666
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bogons() {
        for (ip, expected) in [
            ("10.1.2.3", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("172.31.255.255", true),
            ("172.32.0.0", false),
            ("192.0.1.1", false),
            ("192.0.2.1", true),
            ("198.19.255.1", true),
            ("198.20.0.1", false),
            ("203.0.113.9", true),
            ("224.0.0.1", true),
            ("8.8.8.8", false),
            ("::1", true),
            ("::ffff:8.8.8.8", false),
            ("::ffff:10.0.0.1", true),
            ("2001:db8::1", true),
            ("2001:4860::1", false),
            ("fd00::1", true),
            ("100::1", true),
            ("100:0:0:1::1", false),
        ] {
            assert_eq!(is_bogon(ip.parse().unwrap()), expected, "{ip}");
        }
    }
}
