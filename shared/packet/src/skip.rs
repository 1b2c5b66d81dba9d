//! Why a captured frame gives no IP packet.

use std::fmt;

/// Why no packet could be made of a frame. Nothing is dropped without one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Skip {
    /// A data-link type (`LINKTYPE_` number) this crate does not read.
    #[error("data-link type {0} is not supported")]
    UnknownLink(u32),
    /// The frame carries something other than IP.
    #[error("not IP: {0}")]
    NotIp(NotIp),
    /// The capture ends inside the headers before IP.
    #[error("cut off inside the link-layer headers")]
    TruncatedLink,
    /// The headers before IP contradict themselves.
    #[error("malformed link-layer header")]
    BadLink,
    /// The capture ends before both addresses of the IP header.
    #[error("cut off before the end of the IP addresses")]
    TruncatedIp,
    /// The IP header contradicts itself; tshark decodes nothing of such a packet either.
    #[error("malformed IP header: {0}")]
    BadIp(BadIp),
}

/// What a frame carries that is not IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotIp {
    /// Address Resolution Protocol, or its reverse (EtherType 0x0806, 0x8035).
    Arp,
    /// Another EtherType.
    EtherType(u16),
    /// IEEE 802.2 LLC without SNAP: destination service access point (0x42 is the spanning tree).
    Llc(u8),
    /// IEEE 802.2 SNAP with an organization code that does not use EtherTypes.
    Snap(u32),
    /// IEEE 802.11 management frame.
    WlanManagement,
    /// IEEE 802.11 control or extension frame.
    WlanControl,
    /// IEEE 802.11 data frame without data (the null function).
    WlanNull,
    /// IEEE 802.11 data frame with an encrypted body.
    WlanEncrypted,
    /// PPP protocol number other than IPv4 and IPv6: link control, authentication, compressed data.
    Ppp(u16),
    /// PPPoE discovery stage (EtherType 0x8863).
    PppoeDiscovery,
    /// Address family of a loopback header other than IPv4 and IPv6.
    Family(u32),
    /// A record of a link type that has many kinds, of a kind without IP: the ARPHRD_ number of a Linux cooked capture
    /// whose protocol field is no EtherType, the type of an ERF record, the protocol identifier of a Frame Relay frame.
    Device(u16),
    /// MPLS payload that is neither IP nor Ethernet.
    Mpls,
}

/// How an IP header contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BadIp {
    /// The version is not the one the layer below announced, or neither 4 nor 6: the version found.
    Version(u8),
    /// IPv4 header length below 20 octets: the length found, in octets.
    HeaderLen(u8),
    /// IPv4 total length below the header length: the total length found, in octets.
    TotalLen(u16),
}

impl fmt::Display for BadIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "version {version}"),
            Self::HeaderLen(octets) => write!(f, "header length {octets}"),
            Self::TotalLen(octets) => write!(f, "total length {octets} is below the header length"),
        }
    }
}

impl NotIp {
    /// A stable lower-case word for it, without the number: the name of its [`Reason`].
    pub fn name(self) -> &'static str {
        Skip::NotIp(self).reason().name()
    }
}

impl fmt::Display for NotIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::EtherType(number) | Self::Ppp(number) => write!(f, " 0x{number:04x}"),
            Self::Llc(number) => write!(f, " 0x{number:02x}"),
            Self::Snap(number) => write!(f, " 0x{number:06x}"),
            Self::Family(number) => write!(f, " {number}"),
            Self::Device(number) => write!(f, " {number}"),
            _ => Ok(()),
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The kind of a [`Skip`] without its numbers: small enough to index an array of counters.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Reason { $($(#[$doc])* $variant,)* }

        impl Reason {
            /// Every reason, in the order of [`Reason::index`].
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// How many reasons there are: the length of an array of counters.
            pub const COUNT: usize = Self::ALL.len();

            /// A stable lower-case word.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

reasons! {
    /// See [`Skip::UnknownLink`].
    UnknownLink = "unknown-link",
    /// See [`Skip::TruncatedLink`].
    TruncatedLink = "truncated-link",
    /// See [`Skip::BadLink`].
    BadLink = "bad-link",
    /// See [`Skip::TruncatedIp`].
    TruncatedIp = "truncated-ip",
    /// See [`Skip::BadIp`].
    BadIp = "bad-ip",
    /// See [`NotIp::Arp`].
    Arp = "arp",
    /// See [`NotIp::EtherType`].
    EtherType = "ethertype",
    /// See [`NotIp::Llc`].
    Llc = "llc",
    /// See [`NotIp::Snap`].
    Snap = "snap",
    /// See [`NotIp::WlanManagement`].
    WlanManagement = "wlan-management",
    /// See [`NotIp::WlanControl`].
    WlanControl = "wlan-control",
    /// See [`NotIp::WlanNull`].
    WlanNull = "wlan-null",
    /// See [`NotIp::WlanEncrypted`].
    WlanEncrypted = "wlan-encrypted",
    /// See [`NotIp::Ppp`].
    Ppp = "ppp",
    /// See [`NotIp::PppoeDiscovery`].
    PppoeDiscovery = "pppoe-discovery",
    /// See [`NotIp::Family`].
    Family = "family",
    /// See [`NotIp::Device`].
    Device = "device",
    /// See [`NotIp::Mpls`].
    Mpls = "mpls",
}

impl Reason {
    /// Its place in [`Reason::ALL`], below [`Reason::COUNT`].
    #[inline]
    pub fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Skip {
    /// The kind, to count by.
    pub fn reason(&self) -> Reason {
        match self {
            Self::UnknownLink(_) => Reason::UnknownLink,
            Self::TruncatedLink => Reason::TruncatedLink,
            Self::BadLink => Reason::BadLink,
            Self::TruncatedIp => Reason::TruncatedIp,
            Self::BadIp(_) => Reason::BadIp,
            Self::NotIp(what) => match what {
                NotIp::Arp => Reason::Arp,
                NotIp::EtherType(_) => Reason::EtherType,
                NotIp::Llc(_) => Reason::Llc,
                NotIp::Snap(_) => Reason::Snap,
                NotIp::WlanManagement => Reason::WlanManagement,
                NotIp::WlanControl => Reason::WlanControl,
                NotIp::WlanNull => Reason::WlanNull,
                NotIp::WlanEncrypted => Reason::WlanEncrypted,
                NotIp::Ppp(_) => Reason::Ppp,
                NotIp::PppoeDiscovery => Reason::PppoeDiscovery,
                NotIp::Family(_) => Reason::Family,
                NotIp::Device(_) => Reason::Device,
                NotIp::Mpls => Reason::Mpls,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_index_an_array_of_counters() {
        for (place, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(reason.index(), place);
            assert!(reason.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
        }
        let mut names: Vec<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::COUNT);
    }

    #[test]
    fn messages_carry_the_number_met() {
        assert_eq!(Skip::NotIp(NotIp::EtherType(0x88cc)).to_string(), "not IP: ethertype 0x88cc");
        assert_eq!(Skip::UnknownLink(187).to_string(), "data-link type 187 is not supported");
        assert_eq!(Skip::BadIp(BadIp::HeaderLen(16)).to_string(), "malformed IP header: header length 16");
        assert_eq!(NotIp::Llc(0x42).name(), "llc");
    }
}
