use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jiff::Timestamp;
use probeline_capfile::{LinkType, PcapWriter};
use probeline_capture::Packet;

/// Bytes gathered before they are written.
const BLOCK: usize = 256 * 1024;

/// How far a reader of the output may be behind.
pub(crate) const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// The file a capture goes to.
pub(crate) struct Output {
    writer: PcapWriter<BufWriter<Box<dyn Write + Send>>>,
    name: String,
    each_packet: bool,
    flushed: Instant,
    /// Packets written.
    pub(crate) written: u64,
    /// Packets whose time stamp pcap has no room for (before 1970 or after 2106).
    pub(crate) untimed: u64,
}

/// What the file header says.
pub(crate) struct Header {
    pub(crate) link_type: u32,
    pub(crate) snaplen: u32,
    pub(crate) nanoseconds: bool,
}

impl Output {
    /// Opens the output and writes the file header to it.
    ///
    /// # Errors
    /// When it cannot be made or written, or is a terminal.
    pub(crate) fn create(
        path: &Path,
        interface: &str,
        header: &Header,
        each_packet: bool,
    ) -> Result<Self, anyhow::Error> {
        let (inner, name): (Box<dyn Write + Send>, String) = if path == Path::new("-") {
            if io::IsTerminal::is_terminal(&io::stdout()) {
                bail!("standard output is a terminal; write to a file or a folder with -w, or pipe it on");
            }
            (probeline_cli::stdout(), "<stdout>".to_owned())
        } else {
            // "caps/" says folder, whether it is there or not.
            let (file, path) = if path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
                new_file_in(path, interface, Timestamp::now())?
            } else {
                (File::create(path).with_context(|| path.display().to_string())?, path.to_owned())
            };
            (Box::new(file), path.display().to_string())
        };
        let inner = BufWriter::with_capacity(BLOCK, inner);
        let link_type = LinkType(header.link_type);
        let writer = PcapWriter::new(inner, link_type, header.snaplen, header.nanoseconds)
            .with_context(|| format!("writing {name}"))?;
        let mut output = Self { writer, name, each_packet, flushed: Instant::now(), written: 0, untimed: 0 };
        // A reader at the other end of a pipe can begin before the first packet comes.
        output.flush()?;
        Ok(output)
    }

    /// What to call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Writes one packet.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&mut self, packet: &Packet<'_>) -> Result<(), anyhow::Error> {
        match self.writer.write(packet.ts_ns, packet.wire_len, packet.data) {
            Ok(()) => self.written += 1,
            Err(e) if e.kind() == io::ErrorKind::InvalidInput => self.untimed += 1,
            Err(e) => return Err(self.failed(e)),
        }
        if self.each_packet { self.flush() } else { Ok(()) }
    }

    /// Flushes, if the last time was long enough ago.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn flush_if_due(&mut self) -> Result<(), anyhow::Error> {
        if self.flushed.elapsed() < FLUSH_EVERY { Ok(()) } else { self.flush() }
    }

    /// Flushes.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn flush(&mut self) -> Result<(), anyhow::Error> {
        self.flushed = Instant::now();
        self.writer.flush().map_err(|e| self.failed(e))
    }

    fn failed(&self, error: io::Error) -> anyhow::Error {
        anyhow::Error::new(error).context(format!("writing {}, packet {}", self.name, self.written + 1))
    }
}

/// Makes NAME-TIME.pcap in a folder, time in UTC (ISO 8601, basic form); -2 and so on behind it when it is there
/// already. Nothing is ever overwritten.
fn new_file_in(folder: &Path, interface: &str, now: Timestamp) -> Result<(File, PathBuf), anyhow::Error> {
    let stem = format!("{interface}-{}", now.strftime("%Y%m%dT%H%M%SZ"));
    for number in 1..1000 {
        let name = if number == 1 { format!("{stem}.pcap") } else { format!("{stem}-{number}.pcap") };
        let path = folder.join(name);
        match fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e).with_context(|| path.display().to_string()),
        }
    }
    bail!("{}: {stem}.pcap and 998 more of that second are there already", folder.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gets_a_new_file_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let second = Timestamp::from_second(1_800_000_000).unwrap();
        let names =
            ["eth0-20270115T080000Z.pcap", "eth0-20270115T080000Z-2.pcap", "eth0-20270115T080000Z-3.pcap"];
        for name in names {
            let (_, path) = new_file_in(folder.path(), "eth0", second).unwrap();
            assert_eq!(path, folder.path().join(name));
        }
    }
}
