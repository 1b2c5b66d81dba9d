//! Writing pcapng (draft-ietf-opsawg-pcapng-03): one section, its interfaces, packets and drop counters.

use std::io::{self, Write};

use super::{ENHANCED_PACKET, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS};
use crate::batch::LinkType;
use crate::sniff::{BYTE_ORDER_MAGIC, SECTION_HEADER};

/// What a section says of the machine and the program that captured (Section Header Block, section 4.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SectionInfo {
    /// The processor (`shb_hardware`); left out when empty, as the others are.
    pub hardware: String,
    /// The operating system (`shb_os`).
    pub os: String,
    /// The program (`shb_userappl`).
    pub application: String,
    /// Anything else a reader should know, such as the name of the host (`opt_comment`).
    pub comment: String,
}

/// What a file says of one interface (Interface Description Block, section 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceInfo {
    /// Its link type.
    pub link: LinkType,
    /// The longest captured length, in bytes; stated and not enforced.
    pub snaplen: u32,
    /// Its name (`if_name`); left out when empty, as the others are.
    pub name: String,
    /// What the system says of it (`if_description`).
    pub description: String,
    /// The filter expression that packets had to pass, in libpcap's language (`if_filter`).
    pub filter: String,
    /// The operating system (`if_os`).
    pub os: String,
    /// Whether times are nanoseconds; microseconds if not (`if_tsresol`).
    pub nanos: bool,
}

/// The counters of one interface (Interface Statistics Block, section 4.6), all since the capture began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterfaceStatistics {
    /// When the capture began, in Unix nanoseconds (`isb_starttime`).
    pub start_nanos: i64,
    /// When these numbers were taken, in Unix nanoseconds (`isb_endtime` and the block's own time).
    pub end_nanos: i64,
    /// Packets received from the interface, where it is known (`isb_ifrecv`).
    pub received: Option<u64>,
    /// Packets that passed the filter (`isb_filteraccept`).
    pub accepted: u64,
    /// Packets dropped by the interface (`isb_ifdrop`).
    pub dropped_by_interface: u64,
    /// Packets dropped by the operating system for want of room (`isb_osdrop`).
    pub dropped_by_system: u64,
    /// Packets delivered to the program (`isb_usrdeliv`).
    pub delivered: u64,
}

/// Writes pcapng, version 1.0, little-endian: one section.
///
/// Every block goes to the inner writer in a few writes: hand in a buffered one.
#[derive(Debug)]
pub struct PcapngWriter<W: Write> {
    inner: W,
    nanos: Vec<bool>,
}

const END_OF_OPTIONS: u16 = 0;

impl<W: Write> PcapngWriter<W> {
    /// Writes the section header and the descriptions of all interfaces, which are then numbered from 0.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] if a link type does not fit the format's 16 bits; otherwise those of the
    /// inner writer.
    pub fn new(mut inner: W, section: &SectionInfo, interfaces: &[InterfaceInfo]) -> io::Result<Self> {
        let mut body = Vec::new();
        body.extend_from_slice(&BYTE_ORDER_MAGIC.to_le_bytes());
        body.extend_from_slice(&[1, 0, 0, 0]);
        // The section's length is not known beforehand: -1.
        body.extend_from_slice(&u64::MAX.to_le_bytes());
        let texts =
            [(1, &section.comment), (2, &section.hardware), (3, &section.os), (4, &section.application)];
        options(&mut body, texts.iter().map(|(code, text)| (*code, text.as_bytes())));
        block(&mut inner, SECTION_HEADER, &body)?;
        for interface in interfaces {
            body.clear();
            let link = u16::try_from(interface.link.0).map_err(|_| {
                io::Error::new(io::ErrorKind::InvalidInput, "link type above 65535 in pcapng")
            })?;
            body.extend_from_slice(&link.to_le_bytes());
            body.extend_from_slice(&[0, 0]);
            body.extend_from_slice(&interface.snaplen.to_le_bytes());
            let resolution = [if interface.nanos { 9 } else { 6 }];
            // The first octet says that the rest is an expression, not a compiled program.
            let filter = match interface.filter.as_str() {
                "" => String::new(),
                expression => format!("\0{expression}"),
            };
            let texts = [
                (2, interface.name.as_bytes()),
                (3, interface.description.as_bytes()),
                (9, &resolution[..]),
                (11, filter.as_bytes()),
                (12, interface.os.as_bytes()),
            ];
            options(&mut body, texts.into_iter());
            block(&mut inner, INTERFACE_DESCRIPTION, &body)?;
        }
        Ok(Self { inner, nanos: interfaces.iter().map(|interface| interface.nanos).collect() })
    }

    /// Writes one packet of an interface (by number). `ts_nanos` is Unix time; where the interface has microseconds
    /// it is rounded down to them.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`], and nothing written, if there is no such interface, the time is before 1970,
    /// or the block would be longer than 4 GiB; otherwise those of the inner writer.
    pub fn write(&mut self, interface: u32, ts_nanos: i64, wire_len: u32, bytes: &[u8]) -> io::Result<()> {
        let invalid = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        let time =
            self.time(interface, ts_nanos).ok_or_else(|| invalid("no such interface or time in pcapng"))?;
        let cap_len = u32::try_from(bytes.len()).map_err(|_| invalid("packet above 4 GiB in pcapng"))?;
        let padding = bytes.len().next_multiple_of(4) - bytes.len();
        let length =
            u32::try_from(32 + bytes.len() + padding).map_err(|_| invalid("packet above 4 GiB in pcapng"))?;
        let mut header = [0; 28];
        let fields = [ENHANCED_PACKET, length, interface, time[0], time[1], cap_len, wire_len];
        for (place, field) in header.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        let mut trailer = [0; 7];
        trailer[padding..padding + 4].copy_from_slice(&length.to_le_bytes());
        self.inner.write_all(&header)?;
        self.inner.write_all(bytes)?;
        self.inner.write_all(&trailer[..padding + 4])
    }

    /// Writes the counters of an interface (by number), as they are at this place of the file.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`], and nothing written, if there is no such interface or a time is before
    /// 1970; otherwise those of the inner writer.
    pub fn write_statistics(&mut self, interface: u32, counts: &InterfaceStatistics) -> io::Result<()> {
        let times = self.time(interface, counts.start_nanos).zip(self.time(interface, counts.end_nanos));
        let Some((start, end)) = times else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no such interface or time in pcapng"));
        };
        let bytes = |time: [u32; 2]| [time[0].to_le_bytes(), time[1].to_le_bytes()].concat();
        let mut body = interface.to_le_bytes().to_vec();
        body.extend_from_slice(&bytes(end));
        let received = counts.received.map(u64::to_le_bytes);
        let counters = [
            (5, counts.dropped_by_interface),
            (6, counts.accepted),
            (7, counts.dropped_by_system),
            (8, counts.delivered),
        ]
        .map(|(code, count)| (code, count.to_le_bytes()));
        let (start, end) = (bytes(start), bytes(end));
        let all = [(2, &start[..]), (3, &end[..])]
            .into_iter()
            .chain(received.iter().map(|count| (4, &count[..])))
            .chain(counters.iter().map(|(code, count)| (*code, &count[..])));
        options(&mut body, all);
        block(&mut self.inner, INTERFACE_STATISTICS, &body)
    }

    /// The upper and the lower half of a time in the interface's unit.
    fn time(&self, interface: u32, nanos: i64) -> Option<[u32; 2]> {
        let fine = *self.nanos.get(usize::try_from(interface).ok()?)?;
        let nanos = u64::try_from(nanos).ok()?;
        let time = if fine { nanos } else { nanos / 1_000 };
        Some([u32::try_from(time >> 32).ok()?, u32::try_from(time & 0xffff_ffff).ok()?])
    }

    /// Flushes the inner writer.
    ///
    /// # Errors
    /// Those of the inner writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    /// The inner writer; what is written to it must be whole blocks.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    /// Gives the inner writer back, unflushed.
    pub fn into_inner(self) -> W {
        self.inner
    }
}

/// Appends options (code, length, value padded to 32 bits) and their end. One without a value is left out, one longer
/// than the format can say is cut.
fn options<'a>(body: &mut Vec<u8>, all: impl Iterator<Item = (u16, &'a [u8])>) {
    let before = body.len();
    for (code, value) in all.filter(|(_, value)| !value.is_empty()) {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        body.extend_from_slice(&code.to_le_bytes());
        body.extend_from_slice(&length.to_le_bytes());
        body.extend_from_slice(&value[..usize::from(length)]);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    if body.len() > before {
        body.extend_from_slice(&END_OF_OPTIONS.to_le_bytes());
        body.extend_from_slice(&[0, 0]);
    }
}

/// Writes one block around a body whose length is a multiple of 4.
fn block(inner: &mut impl Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len() + 12)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "block above 4 GiB in pcapng"))?;
    inner.write_all(&kind.to_le_bytes())?;
    inner.write_all(&length.to_le_bytes())?;
    inner.write_all(body)?;
    inner.write_all(&length.to_le_bytes())
}
