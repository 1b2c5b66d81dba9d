//! TCP options (RFC 9293 §3.1, RFC 7323, RFC 2018).

/// One TCP option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TcpOption {
    /// Kind 0: the list ends here.
    End,
    /// Kind 1: padding.
    Nop,
    /// Kind 2: maximum segment size.
    Mss(u16),
    /// Kind 3: window scale, the shift count.
    WindowScale(u8),
    /// Kind 4: selective acknowledgement permitted.
    SackPermitted,
    /// Kind 8: timestamp value and echo reply.
    Timestamps(u32, u32),
    /// Bytes as they are, for options that are unknown or malformed.
    Raw(Vec<u8>),
}

impl TcpOption {
    /// The options of a list such as `mss=1460,sackok,ts=100:0,nop,ws=7`; also `eol` and `raw=HEX`.
    ///
    /// # Panics
    /// When it is not such a list.
    pub fn list(text: &str) -> Vec<Self> {
        text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(Self::parse).collect()
    }

    fn parse(word: &str) -> Self {
        let wrong = || -> ! { panic!("'{word}' is no TCP option") };
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let number = |text: &str| -> u32 { text.parse().unwrap_or_else(|_| wrong()) };
        match name {
            "eol" => Self::End,
            "nop" => Self::Nop,
            "mss" => Self::Mss(number(value).try_into().unwrap_or_else(|_| wrong())),
            "ws" => Self::WindowScale(number(value).try_into().unwrap_or_else(|_| wrong())),
            "sackok" => Self::SackPermitted,
            "ts" => {
                let (value, echo) = value.split_once(':').unwrap_or((value, "0"));
                Self::Timestamps(number(value), number(echo))
            }
            "raw" => Self::Raw(crate::packet::hex(value)),
            _ => wrong(),
        }
    }

    /// The options as they stand in a header: padded with zeros to whole words of four bytes.
    pub(crate) fn encode(options: &[Self]) -> Vec<u8> {
        let mut out = Vec::new();
        for option in options {
            match option {
                Self::End => out.push(0),
                Self::Nop => out.push(1),
                Self::Mss(mss) => {
                    out.extend([2, 4]);
                    out.extend(mss.to_be_bytes());
                }
                Self::WindowScale(shift) => out.extend([3, 3, *shift]),
                Self::SackPermitted => out.extend([4, 2]),
                Self::Timestamps(value, echo) => {
                    out.extend([8, 10]);
                    out.extend(value.to_be_bytes());
                    out.extend(echo.to_be_bytes());
                }
                Self::Raw(bytes) => out.extend(bytes),
            }
        }
        out.resize(out.len().next_multiple_of(4), 0);
        assert!(out.len() <= 40, "a TCP header has room for 40 bytes of options, not {}", out.len());
        out
    }
}
