//! What many rules ask of a packet, found out once for each.

use crate::layout::Layout;
use crate::packet::Facts;

/// A set of traits of a packet. Each rule names those without which it finds nothing, and of the eighty rules a packet is
/// only asked the five to fifteen whose traits it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits(u16);

macro_rules! traits {
    ($($(#[$doc:meta])* $name:ident = $bit:literal: $holds:expr;)*) => {
        impl Traits {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*

            /// The traits that a packet has.
            #[inline]
            pub(crate) fn of(facts: &Facts) -> Self {
                Self($(u16::from($holds(facts)) << $bit)|*)
            }
        }
    };
}

traits! {
    /// See [`Facts::bare`].
    BARE = 0: Facts::bare;
    /// A maximum segment size of 1460 is the only TCP option: see [`Facts::only_mss`].
    ONLY_MSS_1460 = 1: |f: &Facts| f.only_mss(1460);
    /// The TCP options begin with the maximum segment size and go on.
    MSS_AND_MORE = 2: |f: &Facts| f.opts.starts_with_mss() && f.opts != Layout::of(&[2]);
    /// There is a TCP timestamp.
    TSVAL = 3: |f: &Facts| f.tsval.is_some();
    /// A time to live of at most 32, as far as traceroutes go.
    TTL_TO_32 = 4: |f: &Facts| f.ttl <= 32;
    /// See [`Facts::ttl_from_64`].
    TTL_FROM_64 = 5: Facts::ttl_from_64;
    /// See [`Facts::ttl_from_128`].
    TTL_FROM_128 = 6: Facts::ttl_from_128;
    /// See [`Facts::ttl_from_255`].
    TTL_FROM_255 = 7: Facts::ttl_from_255;
    /// A time to live that Nmap may have drawn.
    TTL_DRAWN = 8: crate::rules::nmap_ttl;
    /// See [`Facts::plain_ip`].
    PLAIN_IP = 9: Facts::plain_ip;
    /// Not to be fragmented on the way: the don't-fragment flag of IPv4, or IPv6.
    UNFRAGMENTED = 10: |f: &Facts| f.df || f.dst.is_ipv6();
    /// An acknowledgment number of 0.
    NO_ACK = 11: |f: &Facts| f.ack == 0;
    /// A TCP window of 1024.
    WIN_1024 = 12: |f: &Facts| f.win == 1024;
    /// A TCP window of 65535.
    WIN_65535 = 13: |f: &Facts| f.win == 65535;
    /// A TCP sequence number that is the IPv4 destination.
    SEQ_IS_DST = 14: |f: &Facts| f.seq == f.dst4();
    /// The IPv4 identification 54321.
    ID_54321 = 15: |f: &Facts| f.id == 54321;
}

impl Traits {
    /// No trait.
    pub const NONE: Self = Self(0);

    /// All of these.
    pub(crate) const fn all(sets: &[Self]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < sets.len() {
            bits |= sets[i].0;
            i += 1;
        }
        Self(bits)
    }

    /// Whether all of these are among them.
    #[inline]
    pub(crate) const fn has(self, all: Self) -> bool {
        self.0 & all.0 == all.0
    }

    #[inline]
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The set as two numbers of 8 bits.
    #[inline]
    pub(crate) fn halves(self) -> [u8; 2] {
        self.0.to_le_bytes()
    }
}
