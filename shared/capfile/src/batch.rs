//! A batch: capture bytes and the records found in them.

/// Data-link type of a packet: a `LINKTYPE_` number of the tcpdump.org registry, kept as the file has it
/// (`DLT_RAW` 12 and 14 are not turned into `LINKTYPE_RAW` 101).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct LinkType(pub u32);

impl LinkType {
    /// Ethernet II and IEEE 802.3 frames.
    pub const ETHERNET: Self = Self(1);
    /// Packets that begin with the IPv4 or IPv6 header.
    pub const RAW: Self = Self(101);
}

/// One captured packet: where it is and what the capture says about it.
///
/// Its bytes are in the [`Batch`] it came in: [`Batch::bytes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Capture time in nanoseconds since 1970-01-01 UTC.
    pub ts_nanos: i64,
    /// Number of the packet in its input, from 1.
    pub number: u64,
    /// Byte offset of the record (its header) in the uncompressed capture.
    pub offset: u64,
    /// Bytes captured: the length of [`Batch::bytes`].
    pub cap_len: u32,
    /// Bytes the packet had on the wire, as the capture claims. May be less than `cap_len` in odd captures.
    pub wire_len: u32,
    /// Data-link type of the interface it was captured on.
    pub link: LinkType,
    /// Interface number, from 0. In a pcapng file of several sections the numbers go on through the sections,
    /// so that a number means one interface in the whole file.
    pub interface: u32,
    /// Which input of a [`crate::MergeReader`] it came from, from 0; 0 for a single [`crate::Reader`].
    pub input: u32,
    /// Where its bytes begin in the batch's buffer.
    pub(crate) start: u32,
}

impl Record {
    /// A record for [`Batch::push`], with interface, input and offset 0.
    pub fn new(number: u64, ts_nanos: i64, link: LinkType, wire_len: u32) -> Self {
        Self { ts_nanos, number, offset: 0, cap_len: 0, wire_len, link, interface: 0, input: 0, start: 0 }
    }
}

/// Capture bytes read in one go, and the records in them.
///
/// Made once and refilled by [`crate::Reader::read_batch`]: in the steady state nothing is allocated. It owns
/// its bytes and is `Send`, so that batches can travel between a reading thread and decoding threads.
#[derive(Debug, Default)]
pub struct Batch {
    buffer: Vec<u8>,
    filled: usize,
    records: Vec<Record>,
}

/// A buffer that had to grow beyond this for one huge record is given back on the next refill.
const KEEP: usize = 2 << 20;

impl Batch {
    /// An empty batch. Its buffer comes with the first refill.
    pub fn new() -> Self {
        Self::default()
    }

    /// The records, in the order of the input.
    #[inline]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The captured bytes of one of this batch's records; empty for a record of another batch that does not
    /// fit.
    #[inline]
    pub fn bytes(&self, record: &Record) -> &[u8] {
        let start = record.start as usize;
        self.buffer.get(start..start.wrapping_add(record.cap_len as usize)).unwrap_or_default()
    }

    /// Every record with its bytes.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Record, &[u8])> {
        self.records.iter().map(|record| (record, self.bytes(record)))
    }

    /// Number of records.
    #[inline]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no record.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Bytes the batch holds, record headers included.
    #[inline]
    pub fn byte_len(&self) -> usize {
        self.filled
    }

    /// Removes all records and bytes and keeps the memory.
    pub fn clear(&mut self) {
        self.records.clear();
        self.filled = 0;
        if self.buffer.len() > KEEP {
            self.buffer.truncate(KEEP);
            self.buffer.shrink_to(KEEP);
        }
    }

    /// Adds a packet from elsewhere (a live interface, a merge). `cap_len` becomes the length of `bytes`.
    ///
    /// Returns `false`, and adds nothing, if the batch would grow beyond 4 GiB.
    pub fn push(&mut self, mut record: Record, bytes: &[u8]) -> bool {
        let (Ok(start), Ok(cap_len)) = (u32::try_from(self.filled), u32::try_from(bytes.len())) else {
            return false;
        };
        let Some(end) = start.checked_add(cap_len) else { return false };
        let end = end as usize;
        if self.buffer.len() < end {
            // Doubling, so that adding packets one by one stays linear.
            self.buffer.resize(end.max(self.buffer.len() * 2).max(64 << 10), 0);
        }
        if let Some(room) = self.buffer.get_mut(self.filled..end) {
            room.copy_from_slice(bytes);
        }
        record.start = start;
        record.cap_len = cap_len;
        self.filled = end;
        self.records.push(record);
        true
    }

    /// The filled bytes and the record list, to walk over the one and add to the other.
    pub(crate) fn parts(&mut self) -> (&[u8], &mut Vec<Record>) {
        (self.buffer.get(..self.filled).unwrap_or_default(), &mut self.records)
    }

    /// The filled bytes.
    pub(crate) fn filled(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// Room after the filled bytes, up to `size` bytes in all.
    pub(crate) fn room(&mut self, size: usize) -> &mut [u8] {
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
        self.buffer.get_mut(self.filled..size).unwrap_or_default()
    }

    /// Notes that `count` bytes of the room were filled.
    pub(crate) fn advance(&mut self, count: usize) {
        self.filled = (self.filled + count).min(self.buffer.len());
    }

    /// Drops the first `count` filled bytes and moves the rest to the front. Only while there is no record.
    pub(crate) fn drop_front(&mut self, count: usize) {
        debug_assert!(self.records.is_empty(), "records point into the buffer");
        let count = count.min(self.filled);
        if count > 0 {
            self.buffer.copy_within(count..self.filled, 0);
            self.filled -= count;
        }
    }
}
