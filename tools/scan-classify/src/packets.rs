//! Rows to packets, in batches.

use std::io::{self, Read};

use probeline_cli::row_error;
use probeline_record::{Error, PacketColumns, RowReader};
use probeline_scan::Packet;

use crate::probe_rows::FirstRow;

/// A batch is handed on when its packets keep this many bytes, if the input has not paused before.
const FULL: usize = 256 << 10;

/// Packets of consecutive rows.
#[derive(Default)]
pub(crate) struct Packets {
    packets: Vec<(Packet, usize)>,
    /// What is kept of their rows, one behind the other; beside each packet stands where its own ends.
    kept: Vec<u8>,
    pub(crate) counts: Counts,
    /// What was wrong with rows, as told to the user.
    pub(crate) faults: Vec<String>,
}

/// Rows by what became of them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    /// Rows that could be split into cells.
    pub(crate) read: u64,
    /// Rows that could not.
    pub(crate) malformed: u64,
    /// Rows with a cell that is not what its column promises.
    pub(crate) malformed_cells: u64,
}

impl Packets {
    /// Each packet with what is kept of its row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Packet, &[u8])> {
        let mut start = 0;
        self.packets.iter().map(move |(packet, end)| {
            let kept = &self.kept[start..*end];
            start = *end;
            (packet, kept)
        })
    }

    fn clear(&mut self) {
        self.packets.clear();
        self.kept.clear();
        self.faults.clear();
        self.counts = Counts::default();
    }
}

/// Reads packets from rows.
pub(crate) struct PacketReader<R> {
    pub(crate) name: String,
    pub(crate) rows: RowReader<R>,
    pub(crate) columns: PacketColumns,
    pub(crate) first: FirstRow,
}

impl<R: Read> PacketReader<R> {
    /// Fills a batch with the packets of the next rows, and says whether more may follow. It ends early where reading
    /// on might have to wait.
    ///
    /// # Errors
    /// When the input fails.
    pub(crate) fn fill(&mut self, batch: &mut Packets) -> Result<bool, anyhow::Error> {
        batch.clear();
        while batch.kept.len() < FULL {
            let untouched = batch.counts.read + batch.counts.malformed == 0;
            let mut pause = || if untouched { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) };
            let row = match self.rows.next_row_with(&mut pause) {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(false),
                Err(Error::BeforeRead(_)) => return Ok(true),
                Err(e) if e.is_row() => {
                    batch.counts.malformed += 1;
                    batch.faults.push(format!("{}: {e}", self.name));
                    continue;
                }
                Err(e) => return Err(row_error(e, &self.name)),
            };
            batch.counts.read += 1;
            batch.packets.push((Packet::NONE, 0));
            let Some((packet, end)) = batch.packets.last_mut() else { unreachable!("one was just pushed") };
            match packet.read(&self.columns.packet(row)) {
                Ok(()) => {
                    self.first.take(&row, &mut batch.kept);
                    *end = batch.kept.len();
                }
                Err(e) => {
                    batch.packets.pop();
                    batch.counts.malformed_cells += 1;
                    batch.faults.push(format!("{}: line {}: {e}", self.name, row.line()));
                }
            }
        }
        Ok(true)
    }
}
