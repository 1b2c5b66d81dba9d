//! Packets as records of the file format.

use std::io;

use probeline_capfile::{
    InterfaceInfo, InterfaceStatistics, LinkType, PcapWriter, PcapngWriter, SectionInfo,
};

/// Makes records in memory: pcap or pcapng.
pub(crate) enum Encoder {
    Pcap(PcapWriter<Vec<u8>>),
    Pcapng(PcapngWriter<Vec<u8>>),
}

impl Encoder {
    /// Classic pcap, and what stands at the front of each file.
    pub(crate) fn pcap(link_type: u32, snaplen: u32, nanos: bool) -> io::Result<(Self, Vec<u8>)> {
        let mut writer = PcapWriter::new(Vec::new(), LinkType(link_type), snaplen, nanos)?;
        let header = std::mem::take(writer.get_mut());
        Ok((Self::Pcap(writer), header))
    }

    /// pcapng, and what stands at the front of each file.
    pub(crate) fn pcapng(interfaces: &[InterfaceInfo]) -> io::Result<(Self, Vec<u8>)> {
        let system = rustix::system::uname();
        let words = |words: &[&std::ffi::CStr]| {
            words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
        };
        let section = SectionInfo {
            hardware: words(&[system.machine()]),
            os: words(&[system.sysname(), system.release()]),
            application: format!("pcap-cap {}", env!("CARGO_PKG_VERSION")),
            comment: format!("host {}", words(&[system.nodename()])),
        };
        let os = section.os.clone();
        let interfaces: Vec<InterfaceInfo> = interfaces
            .iter()
            .map(|interface| InterfaceInfo { os: os.clone(), ..interface.clone() })
            .collect();
        let mut writer = PcapngWriter::new(Vec::new(), &section, &interfaces)?;
        let header = std::mem::take(writer.get_mut());
        Ok((Self::Pcapng(writer), header))
    }

    /// The records made since the buffer was last taken.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Pcap(writer) => writer.get_mut(),
            Self::Pcapng(writer) => writer.get_mut(),
        }
    }

    /// Adds a packet.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when its time cannot be said in the format.
    pub(crate) fn packet(
        &mut self,
        interface: u32,
        ts_ns: i64,
        wire_len: u32,
        data: &[u8],
    ) -> io::Result<()> {
        match self {
            Self::Pcap(writer) => writer.write(ts_ns, wire_len, data),
            Self::Pcapng(writer) => writer.write(interface, ts_ns, wire_len, data),
        }
    }

    /// How long a packet is in the file, about.
    pub(crate) fn length(&self, captured: usize) -> u64 {
        let around = match self {
            Self::Pcap(_) => 16,
            Self::Pcapng(_) => 32,
        };
        u64::try_from(captured + around).unwrap_or(u64::MAX)
    }

    /// Adds an interface's counters, where the format has room for them.
    ///
    /// # Errors
    /// When a time cannot be said in the format.
    pub(crate) fn statistics(&mut self, interface: u32, counts: &InterfaceStatistics) -> io::Result<()> {
        match self {
            Self::Pcap(_) => Ok(()),
            Self::Pcapng(writer) => writer.write_statistics(interface, counts),
        }
    }
}
