//! Writing classic pcap.

use std::io::{self, Write};

use crate::batch::LinkType;

/// Writes classic pcap, version 2.4, little-endian, with micro- or nanoseconds.
///
/// Every record goes to the inner writer with two writes: hand in a buffered one.
#[derive(Debug)]
pub struct PcapWriter<W: Write> {
    inner: W,
    nanos: bool,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file header. `snaplen` is the longest captured length that will be written, in bytes; it is
    /// stated and not enforced.
    ///
    /// # Errors
    /// Those of the inner writer.
    pub fn new(mut inner: W, link: LinkType, snaplen: u32, nanos: bool) -> io::Result<Self> {
        let magic: u32 = if nanos { 0xA1B2_3C4D } else { 0xA1B2_C3D4 };
        let mut header = [0; 24];
        // Magic, version 2.4, zone correction and accuracy 0, snapshot length, link type.
        let fields = [magic, 2 | 4 << 16, 0, 0, snaplen, link.0];
        for (place, field) in header.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        inner.write_all(&header)?;
        Ok(Self { inner, nanos })
    }

    /// Writes one packet. `ts_nanos` is Unix time; without `nanos` it is rounded down to the microsecond.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`], and nothing written, if the time is before 1970 or after 2106, which
    /// the format cannot say, or `bytes` is longer than 4 GiB; otherwise those of the inner writer.
    pub fn write(&mut self, ts_nanos: i64, wire_len: u32, bytes: &[u8]) -> io::Result<()> {
        let invalid = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        let sec = u32::try_from(ts_nanos.div_euclid(1_000_000_000))
            .map_err(|_| invalid("time outside 1970 to 2106 in pcap"))?;
        let rest = u32::try_from(ts_nanos.rem_euclid(1_000_000_000)).unwrap_or(0);
        let frac = if self.nanos { rest } else { rest / 1_000 };
        let cap_len = u32::try_from(bytes.len()).map_err(|_| invalid("packet above 4 GiB in pcap"))?;
        let mut header = [0; 16];
        for (place, field) in header.chunks_exact_mut(4).zip([sec, frac, cap_len, wire_len]) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        self.inner.write_all(&header)?;
        self.inner.write_all(bytes)
    }

    /// Flushes the inner writer.
    ///
    /// # Errors
    /// Those of the inner writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    /// The inner writer; what is written to it must be whole records.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    /// The inner writer.
    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    /// Gives the inner writer back, unflushed.
    pub fn into_inner(self) -> W {
        self.inner
    }
}
