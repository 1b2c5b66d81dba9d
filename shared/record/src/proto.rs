//! Transport protocols by the names the rows use.

/// An IP protocol number (IANA "Assigned Internet Protocol Numbers"), written as `tcp`, `udp`, `icmp`, `icmp6`,
/// `sctp`, or as the number for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Proto(pub u8);

impl Proto {
    /// ICMP for IPv4 (RFC 792).
    pub const ICMP: Self = Self(1);
    /// TCP (RFC 9293).
    pub const TCP: Self = Self(6);
    /// UDP (RFC 768).
    pub const UDP: Self = Self(17);
    /// ICMPv6 (RFC 4443).
    pub const ICMP6: Self = Self(58);
    /// SCTP (RFC 9260).
    pub const SCTP: Self = Self(132);

    /// The name or number as text.
    pub fn name(self) -> &'static str {
        NAMES[usize::from(self.0)]
    }

    /// Reads a name or a number from 0 to 255.
    pub fn parse(text: &[u8]) -> Option<Self> {
        match text {
            b"tcp" => Some(Self::TCP),
            b"udp" => Some(Self::UDP),
            b"icmp" => Some(Self::ICMP),
            b"icmp6" => Some(Self::ICMP6),
            b"sctp" => Some(Self::SCTP),
            _ => crate::text::parse_uint(text).and_then(|n| u8::try_from(n).ok()).map(Self),
        }
    }
}

static NAMES: std::sync::LazyLock<[&str; 256]> = std::sync::LazyLock::new(|| {
    std::array::from_fn(|number| match Proto(number as u8) {
        Proto::ICMP => "icmp",
        Proto::TCP => "tcp",
        Proto::UDP => "udp",
        Proto::ICMP6 => "icmp6",
        Proto::SCTP => "sctp",
        Proto(n) => n.to_string().leak(),
    })
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_round_trips() {
        for number in 0..=255 {
            assert_eq!(Proto::parse(Proto(number).name().as_bytes()), Some(Proto(number)));
        }
        assert_eq!(Proto::parse(b"256"), None);
        assert_eq!(Proto::parse(b"TCP"), None);
    }
}
