//! `--filter`, where it was compiled in.

#[cfg(feature = "filter")]
pub(crate) use probeline_capture::{Error, Filter};

/// Stands in for libpcap's compiler: no expression is one.
#[cfg(not(feature = "filter"))]
#[derive(Debug)]
pub(crate) struct Filter(std::convert::Infallible);

/// Why there is no filter.
#[cfg(not(feature = "filter"))]
#[derive(Debug)]
pub(crate) struct Error;

#[cfg(not(feature = "filter"))]
impl Filter {
    pub(crate) fn compile(_expression: &str, _link_type: u32) -> Result<Self, Error> {
        Err(Error)
    }

    pub(crate) fn matches(&self, _data: &[u8], _wire_len: u32) -> bool {
        match self.0 {}
    }

    pub(crate) fn link_type(&self) -> u32 {
        match self.0 {}
    }
}

#[cfg(not(feature = "filter"))]
impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "this pkt2csv was built without libpcap (cargo feature 'filter'), which reads expressions",
        )
    }
}

#[cfg(not(feature = "filter"))]
impl std::error::Error for Error {}
