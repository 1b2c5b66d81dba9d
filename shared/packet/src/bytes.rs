//! Big-endian reads that answer `None` where nothing was captured, and the span of a layer.

use crate::skip::Skip;

/// The bytes of one layer: what was captured of it, and how long it was on the wire.
///
/// Invariant: `data.len() <= wire`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) wire: usize,
}

impl<'a> Span<'a> {
    /// A whole captured frame. A wire length below the captured length is a capturer's mistake; the bytes are there.
    #[inline(always)]
    pub(crate) fn new(data: &'a [u8], wire_len: u32) -> Self {
        Self { data, wire: (wire_len as usize).max(data.len()) }
    }

    /// What follows the first `count` bytes; empty when the capture or the wire ended before.
    #[inline(always)]
    pub(crate) fn after(self, count: usize) -> Self {
        Self { data: self.data.get(count..).unwrap_or_default(), wire: self.wire.saturating_sub(count) }
    }

    /// The first `count` bytes: what a length field says belongs to the layer, the rest being padding.
    #[inline(always)]
    pub(crate) fn limit(self, count: usize) -> Self {
        Self { data: self.data.get(..count).unwrap_or(self.data), wire: self.wire.min(count) }
    }

    /// Why `count` bytes from the start are not there: the capture was cut, or the frame itself is too short.
    #[cold]
    fn missing(self, count: usize) -> Skip {
        if self.wire < count { Skip::BadLink } else { Skip::TruncatedLink }
    }

    /// A byte that the link layer cannot do without.
    #[inline(always)]
    pub(crate) fn link_u8(self, at: usize) -> Result<u8, Skip> {
        self.u8(at).ok_or_else(|| self.missing(at + 1))
    }

    /// Two bytes that the link layer cannot do without.
    #[inline(always)]
    pub(crate) fn link_u16(self, at: usize) -> Result<u16, Skip> {
        self.u16(at).ok_or_else(|| self.missing(at + 2))
    }

    /// Four bytes that the link layer cannot do without.
    #[inline(always)]
    pub(crate) fn link_u32(self, at: usize) -> Result<u32, Skip> {
        self.u32(at).ok_or_else(|| self.missing(at + 4))
    }

    #[inline(always)]
    pub(crate) fn u8(self, at: usize) -> Option<u8> {
        u8_at(self.data, at)
    }

    #[inline(always)]
    pub(crate) fn u16(self, at: usize) -> Option<u16> {
        u16_at(self.data, at)
    }

    #[inline(always)]
    pub(crate) fn u32(self, at: usize) -> Option<u32> {
        u32_at(self.data, at)
    }
}

/// `N` bytes from `at`, if all were captured.
#[inline(always)]
pub(crate) fn array_at<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..)?.first_chunk().copied()
}

#[inline(always)]
pub(crate) fn u8_at(data: &[u8], at: usize) -> Option<u8> {
    data.get(at).copied()
}

#[inline(always)]
pub(crate) fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    array_at(data, at).map(u16::from_be_bytes)
}

#[inline(always)]
pub(crate) fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    array_at(data, at).map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_end_where_the_capture_ends() {
        let data = [1, 2, 3, 4];
        assert_eq!(u32_at(&data, 0), Some(0x0102_0304));
        assert_eq!(u32_at(&data, 1), None);
        assert_eq!(u16_at(&data, 2), Some(0x0304));
        assert_eq!(u16_at(&data, 3), None);
        assert_eq!(u8_at(&data, 4), None);
        assert_eq!(u16_at(&data, usize::MAX), None);
    }

    #[test]
    fn a_span_keeps_the_wire_length_of_a_cut_layer() {
        let span = Span::new(&[0; 20], 60).after(14);
        assert_eq!((span.data.len(), span.wire), (6, 46));
        let span = span.limit(40);
        assert_eq!((span.data.len(), span.wire), (6, 40));
        assert_eq!(span.limit(4).data.len(), 4);
        let beyond = span.after(50);
        assert_eq!((beyond.data.len(), beyond.wire), (0, 0));
    }

    #[test]
    fn a_wire_length_below_the_captured_length_is_not_believed() {
        assert_eq!(Span::new(&[0; 20], 3).wire, 20);
    }
}
