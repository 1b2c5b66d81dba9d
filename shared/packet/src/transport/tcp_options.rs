//! TCP options, as far as they were captured and make sense.

const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const TIMESTAMPS: u8 = 8;

/// The options of a TCP header.
///
/// Their kinds are listed as tshark lists them in `tcp.option_kind`: see [`TcpOptions::iter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpOptions<'a> {
    raw: &'a [u8],
    mss: Option<u16>,
    wscale: Option<u8>,
    timestamps: Option<(u32, Option<u32>)>,
}

/// One option: its kind and the bytes after kind and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpOption<'a> {
    /// Option kind, IANA "TCP Option Kind Numbers".
    pub kind: u8,
    /// The option's data; empty for kinds 0 and 1, cut where the capture or the header ends.
    pub data: &'a [u8],
}

impl<'a> TcpOptions<'a> {
    #[inline]
    pub(crate) fn new(raw: &'a [u8]) -> Self {
        let mut options = Self { raw, ..Self::default() };
        for option in &options {
            match (option.kind, option.data) {
                (MSS, &[high, low]) => {
                    options.mss.get_or_insert(u16::from_be_bytes([high, low]));
                }
                (WINDOW_SCALE, &[shift]) => {
                    options.wscale.get_or_insert(shift);
                }
                (TIMESTAMPS, &[a, b, c, d, ref echo @ ..]) => {
                    let echo = echo.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
                    options.timestamps.get_or_insert((u32::from_be_bytes([a, b, c, d]), echo));
                }
                _ => {}
            }
        }
        options
    }

    /// The captured bytes from the end of the fixed header to where the data offset points.
    #[inline]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Maximum segment size (kind 2, RFC 9293) of the first such option.
    #[inline]
    pub fn mss(&self) -> Option<u16> {
        self.mss
    }

    /// Window scale (kind 3, RFC 7323) of the first such option: the shift count, not the factor.
    #[inline]
    pub fn wscale(&self) -> Option<u8> {
        self.wscale
    }

    /// Timestamp value (kind 8, RFC 7323) of the first such option.
    #[inline]
    pub fn tsval(&self) -> Option<u32> {
        self.timestamps.map(|(value, _)| value)
    }

    /// Timestamp echo reply (kind 8, RFC 7323) of the first such option.
    #[inline]
    pub fn tsecr(&self) -> Option<u32> {
        self.timestamps.and_then(|(_, echo)| echo)
    }

    /// The options in wire order.
    #[inline]
    pub fn iter(&self) -> Iter<'a> {
        Iter { rest: self.raw }
    }
}

impl<'a> IntoIterator for &TcpOptions<'a> {
    type Item = TcpOption<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// See [`TcpOptions::iter`].
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Iter<'a> {
    type Item = TcpOption<'a>;

    #[inline]
    fn next(&mut self) -> Option<TcpOption<'a>> {
        let (&kind, rest) = self.rest.split_first()?;
        if kind == END {
            self.rest = &[];
            return Some(TcpOption { kind, data: &[] });
        }
        if kind == NO_OPERATION {
            self.rest = rest;
            return Some(TcpOption { kind, data: &[] });
        }
        let Some((&length, data)) = rest.split_first() else {
            self.rest = &[];
            return None;
        };
        let Some(octets) = usize::from(length).checked_sub(2) else {
            self.rest = &[];
            return Some(TcpOption { kind, data: &[] });
        };
        let (data, rest) = data.split_at_checked(octets).unwrap_or((data, &[]));
        self.rest = rest;
        Some(TcpOption { kind, data })
    }
}
