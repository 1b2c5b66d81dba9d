//! Addresses and ports as tests write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What may stand for an address in a test: text or one of the standard types.
pub trait Address {
    /// The address.
    ///
    /// # Panics
    /// When the text is none.
    fn ip(self) -> IpAddr;
}

impl Address for &str {
    fn ip(self) -> IpAddr {
        self.parse().unwrap_or_else(|_| panic!("'{self}' is no IP address"))
    }
}

impl Address for IpAddr {
    fn ip(self) -> IpAddr {
        self
    }
}

impl Address for Ipv4Addr {
    fn ip(self) -> IpAddr {
        IpAddr::V4(self)
    }
}

impl Address for Ipv6Addr {
    fn ip(self) -> IpAddr {
        IpAddr::V6(self)
    }
}

/// The addresses of a list such as `198.51.100.1, 198.51.100.8-198.51.100.12, 2001:db8::/126`, in the order
/// written.
///
/// A prefix stands for all of its addresses, the first and the last included.
///
/// # Panics
/// When it is not such a list, or is longer than 2^20 addresses.
pub fn addresses(list: &str) -> Vec<IpAddr> {
    list.split(',').map(str::trim).flat_map(some_addresses).collect()
}

fn some_addresses(text: &str) -> Vec<IpAddr> {
    let (first, last) = if let Some((network, len)) = text.split_once('/') {
        let first = network.ip();
        let bits = if first.is_ipv4() { 32 } else { 128 };
        let len: u32 = len.parse().unwrap_or_else(|_| panic!("'{text}' has no prefix length"));
        assert!(len <= bits, "'{text}': a prefix of at most {bits} bits");
        let hosts = 1_u128.checked_shl(bits - len).map_or(u128::MAX, |count| count - 1);
        let number = number(first) & !hosts;
        (number, number | hosts)
    } else if let Some((first, last)) = text.split_once('-') {
        (number(first.trim().ip()), number(last.trim().ip()))
    } else {
        (number(text.ip()), number(text.ip()))
    };
    assert!(first <= last, "'{text}' ends before it begins");
    assert!(last - first < 1 << 20, "'{text}' is a million addresses or more");
    let v4 = !text.contains(':');
    (first..=last).map(|number| address(number, v4)).collect()
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => u32::from(v4).into(),
        IpAddr::V6(v6) => v6.into(),
    }
}

fn address(number: u128, v4: bool) -> IpAddr {
    if v4 { Ipv4Addr::from(u32::try_from(number).unwrap()).into() } else { Ipv6Addr::from(number).into() }
}

/// The ports of a list such as `22, 80, 8000-8010`, in the order written.
///
/// # Panics
/// When it is not such a list.
pub fn ports(list: &str) -> Vec<u16> {
    let port = |text: &str| -> u16 {
        text.trim().parse().unwrap_or_else(|_| panic!("'{text}' in '{list}' is no port"))
    };
    list.split(',')
        .flat_map(|part| match part.split_once('-') {
            Some((first, last)) => {
                let (first, last) = (port(first), port(last));
                assert!(first <= last, "'{part}' ends before it begins");
                first..=last
            }
            None => port(part)..=port(part),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_ranges_and_prefixes() {
        let texts = |list| addresses(list).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(texts("198.51.100.7"), "198.51.100.7");
        assert_eq!(
            texts("198.51.100.254-198.51.101.1, 192.0.2.9"),
            "198.51.100.254 198.51.100.255 198.51.101.0 198.51.101.1 192.0.2.9"
        );
        assert_eq!(texts("192.0.2.9/31"), "192.0.2.8 192.0.2.9");
        assert_eq!(texts("2001:db8::/127"), "2001:db8:: 2001:db8::1");
        assert_eq!(ports("22, 8000-8002,65535"), [22, 8000, 8001, 8002, 65535]);
    }

    #[test]
    #[should_panic(expected = "a million addresses")]
    fn a_prefix_that_is_too_wide_is_a_mistake() {
        addresses("2001:db8::/64");
    }

    #[test]
    #[should_panic(expected = "ends before it begins")]
    fn a_range_the_wrong_way_round_is_a_mistake() {
        addresses("192.0.2.9-192.0.2.8");
    }
}
