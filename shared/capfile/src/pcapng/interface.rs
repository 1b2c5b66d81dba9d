//! Interface Description Blocks (draft-ietf-opsawg-pcapng §4.2) and what they say about time.

use crate::{
    batch::LinkType,
    damage::DamageKind,
    walk::{Sink, u16_at, u32_at},
};

/// Options of an Interface Description Block (§4.2).
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;

/// An interface of a section.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interface {
    pub(super) link: LinkType,
    /// Longest capture of a packet; 0 for no limit.
    pub(super) snaplen: u32,
    pub(super) unit: Unit,
    /// `if_tsoffset` in nanoseconds.
    offset: i128,
}

/// What one tick of a timestamp is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// So many nanoseconds.
    Nanos(u64),
    /// So many to the nanosecond; 0 if more than 2^64.
    PerNano(u64),
    /// 2^-n seconds.
    Binary(u8),
}

impl Interface {
    /// From a whole Interface Description Block of at least 20 bytes.
    pub(super) fn decode<const BIG: bool>(block: &[u8], offset: u64, sink: &mut Sink<'_>) -> Self {
        let mut resolution = None;
        let mut time_offset = None;
        let end = block.len() - 4;
        let mut at = 16;
        while at + 4 <= end {
            let code = u16_at::<BIG>(block, at);
            let length = usize::from(u16_at::<BIG>(block, at + 2));
            let Some(value) = block.get(at + 4..at + 4 + length).filter(|_| code != 0) else { break };
            let good = match code {
                IF_TSRESOL => match value {
                    [byte] => *resolution.get_or_insert(*byte) == *byte,
                    _ => false,
                },
                IF_TSOFFSET => match <[u8; 8]>::try_from(value) {
                    Ok(eight) => {
                        let seconds = if BIG { i64::from_be_bytes(eight) } else { i64::from_le_bytes(eight) };
                        *time_offset.get_or_insert(seconds) == seconds
                    }
                    Err(_) => false,
                },
                _ => true,
            };
            if !good {
                sink.note(DamageKind::InterfaceOption { code }, offset, 0);
            }
            at += 4 + length.next_multiple_of(4);
        }
        Self {
            link: LinkType(u32::from(u16_at::<BIG>(block, 8))),
            snaplen: u32_at::<BIG>(block, 12),
            unit: Unit::from_option(resolution.unwrap_or(6)),
            offset: i128::from(time_offset.unwrap_or(0)) * 1_000_000_000,
        }
    }

    /// Unix nanoseconds of a timestamp; the nearest there are, as an error, if they do not fit.
    #[inline]
    pub(super) fn time(&self, ticks: u64) -> Result<i64, i64> {
        if let Unit::Nanos(nanos) = self.unit
            && self.offset == 0
            && let Some(sum) = ticks.checked_mul(nanos)
            && let Ok(time) = i64::try_from(sum)
        {
            return Ok(time);
        }
        let nanos = self.unit.nanos(ticks).saturating_add(self.offset);
        i64::try_from(nanos).map_err(|_| if nanos < 0 { i64::MIN } else { i64::MAX })
    }
}

impl Unit {
    /// §4.2, `if_tsresol`: the top bit chooses powers of two, the rest is the negative exponent.
    fn from_option(byte: u8) -> Self {
        let exponent = byte & 0x7f;
        if byte & 0x80 != 0 {
            Self::Binary(exponent)
        } else if exponent <= 9 {
            Self::Nanos(10_u64.pow(9 - u32::from(exponent)))
        } else {
            Self::PerNano(10_u64.checked_pow(u32::from(exponent) - 9).unwrap_or(0))
        }
    }

    /// 2^-n seconds have n decimal digits, so any n above 6 needs more than microseconds.
    pub(super) fn finer_than_micros(self) -> bool {
        match self {
            Self::Nanos(nanos) => nanos < 1_000,
            Self::PerNano(_) => true,
            Self::Binary(exponent) => exponent > 6,
        }
    }

    /// So many ticks in nanoseconds, rounded down.
    fn nanos(self, ticks: u64) -> i128 {
        match self {
            // Both below 2^64.
            Self::Nanos(nanos) => i128::from(ticks).saturating_mul(i128::from(nanos)),
            Self::PerNano(count) => i128::from(ticks.checked_div(count).unwrap_or(0)),
            // 2^64 * 10^9 is below 2^94.
            Self::Binary(exponent) => (i128::from(ticks).saturating_mul(1_000_000_000)) >> exponent,
        }
    }
}
