//! TCP options, as far as they were captured and make sense.

const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const TIMESTAMPS: u8 = 8;

/// The options of a TCP header, listed as tshark lists `tcp.option_kind`; see [`TcpOptions::iter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpOptions<'a> {
    raw: &'a [u8],
    area: usize,
    mss: Option<u16>,
    wscale: Option<u8>,
    tsval: Option<u32>,
    tsecr: Option<u32>,
}

/// One option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpOption<'a> {
    /// Option kind, IANA "TCP Option Kind Numbers".
    pub kind: u8,
    /// Length octet: the whole option with kind and length; 1 for kinds 0 and 1, which have none.
    pub len: u8,
    /// The data after kind and length, less what the capture cut off.
    pub data: &'a [u8],
}

impl<'a> TcpOptions<'a> {
    /// `raw` is what was captured of an option area of `area` octets.
    #[inline]
    pub(crate) fn new(raw: &'a [u8], area: usize) -> Self {
        let mut options = Self { raw, area, ..Self::default() };
        for option in &options {
            // As in tshark, an option of a wrong length has no value.
            match (option.kind, option.len, option.data) {
                (MSS, 4, &[high, low]) => {
                    options.mss.get_or_insert(u16::from_be_bytes([high, low]));
                }
                (WINDOW_SCALE, 3, &[shift]) => {
                    options.wscale.get_or_insert(shift);
                }
                (TIMESTAMPS, 10, &[a, b, c, d, ref echo @ ..]) if options.tsval.is_none() => {
                    options.tsval = Some(u32::from_be_bytes([a, b, c, d]));
                    options.tsecr = echo.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
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

    /// Whether the data offset leaves room for options that were not captured.
    #[inline]
    pub fn is_cut(&self) -> bool {
        self.raw.len() < self.area
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
        self.tsval
    }

    /// Timestamp echo reply (kind 8, RFC 7323) of the first such option.
    #[inline]
    pub fn tsecr(&self) -> Option<u32> {
        self.tsecr
    }

    /// The options in wire order, as far as they make sense:
    ///
    /// * no-operation (1) and end of list (0) are options; after an end of list only further zeros are, so that its
    ///   padding is listed, but nothing behind it;
    /// * an option whose length octet is below 2 or reaches beyond the option area ends the list and is not in it;
    /// * an option of a length its kind should not have is listed;
    /// * an option is listed if its kind and length were captured, though its data may not have been.
    #[inline]
    pub fn iter(&self) -> TcpOptionIter<'a> {
        TcpOptionIter { rest: self.raw, area: self.area }
    }
}

impl<'a> IntoIterator for &TcpOptions<'a> {
    type Item = TcpOption<'a>;
    type IntoIter = TcpOptionIter<'a>;

    #[inline]
    fn into_iter(self) -> TcpOptionIter<'a> {
        self.iter()
    }
}

/// The options of one header; see [`TcpOptions::iter`].
#[derive(Debug, Clone)]
pub struct TcpOptionIter<'a> {
    rest: &'a [u8],
    /// Octets of the option area from `rest` on; more than `rest` when the capture was cut.
    area: usize,
}

impl<'a> TcpOptionIter<'a> {
    #[inline]
    fn single(&mut self, kind: u8, rest: &'a [u8]) -> TcpOption<'a> {
        self.rest = rest;
        self.area -= 1;
        TcpOption { kind, len: 1, data: &[] }
    }
}

impl<'a> Iterator for TcpOptionIter<'a> {
    type Item = TcpOption<'a>;

    #[inline]
    fn next(&mut self) -> Option<TcpOption<'a>> {
        let (&kind, rest) = self.rest.split_first()?;
        match kind {
            NO_OPERATION => Some(self.single(kind, rest)),
            END => {
                let padding = if rest.first() == Some(&END) { rest } else { &[] };
                Some(self.single(kind, padding))
            }
            _ => {
                self.rest = &[];
                let (&len, data) = rest.split_first()?;
                let octets = usize::from(len);
                if octets < 2 || octets > self.area {
                    return None;
                }
                self.area -= octets;
                let (data, rest) = data.split_at_checked(octets - 2).unwrap_or((data, &[]));
                self.rest = rest;
                Some(TcpOption { kind, len, data })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(raw: &[u8]) -> Vec<u8> {
        TcpOptions::new(raw, raw.len()).iter().map(|option| option.kind).collect()
    }

    // Expected lists: tshark 4.0.17 on SYNs with these options.
    #[test]
    fn test_parse() {
        let linux = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7];
        let options = TcpOptions::new(&linux, linux.len());
        assert_eq!(kinds(&linux), [2, 4, 8, 1, 3]);
        assert_eq!((options.mss(), options.wscale()), (Some(1460), Some(7)));
        assert_eq!((options.tsval(), options.tsecr()), (Some(9), Some(0)));
        assert!(!options.is_cut());
    }

    #[test]
    fn test_end_of_list() {
        assert_eq!(kinds(&[0, 1, 2, 4]), [0]);
        assert_eq!(kinds(&[2, 4, 0, 10, 0, 0, 0, 1, 1, 1, 1, 1]), [2, 0, 0, 0]);
        assert_eq!(kinds(&[1, 0, 0, 0]), [1, 0, 0, 0]);
    }

    #[test]
    fn test_malformed_options() {
        assert_eq!(kinds(&[2, 0, 255, 255, 1, 1, 1, 1]), []);
        assert_eq!(kinds(&[1, 2, 1, 1]), [1]);
        assert_eq!(kinds(&[1, 1, 2, 10, 5, 0xb4, 1, 1]), [1, 1]);
        assert_eq!(kinds(&[1, 1, 1, 2]), [1, 1, 1]);
        assert_eq!(kinds(&[253, 32, 1, 1]), []);
    }

    #[test]
    fn test_impossible_len() {
        let raw = [2, 3, 5, 1, 3, 4, 1, 1, 8, 6, 0, 0, 0, 1, 1, 1];
        let options = TcpOptions::new(&raw, raw.len());
        assert_eq!(kinds(&raw), [2, 1, 3, 8, 1, 1]);
        assert_eq!((options.mss(), options.wscale(), options.tsval()), (None, None, None));
    }

    #[test]
    fn the_first_of_two_counts() {
        let raw = [2, 4, 0, 1, 2, 4, 0, 2];
        assert_eq!(TcpOptions::new(&raw, raw.len()).mss(), Some(1));
    }

    #[test]
    fn test_truncated() {
        let whole = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88];
        let seen = |captured: usize| {
            let options = TcpOptions::new(&whole[..captured], whole.len());
            let kinds: Vec<u8> = options.iter().map(|option| option.kind).collect();
            (kinds, options.mss(), options.tsval(), options.tsecr())
        };
        assert_eq!(seen(1), (vec![], None, None, None));
        assert_eq!(seen(2), (vec![2], None, None, None));
        assert_eq!(seen(5), (vec![2], Some(1460), None, None));
        assert_eq!(seen(8), (vec![2, 4, 8], Some(1460), None, None));
        assert_eq!(seen(12), (vec![2, 4, 8], Some(1460), Some(0x1122_3344), None));
        assert_eq!(seen(16), (vec![2, 4, 8], Some(1460), Some(0x1122_3344), Some(0x5566_7788)));
        assert!(TcpOptions::new(&whole[..15], 16).is_cut());
    }
}
