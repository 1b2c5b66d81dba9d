//! Captures built byte by byte, and what a reader makes of them.

use std::io::Read;

use probeline_capfile::{Batch, Damage, Reader};

/// Bytes in one byte order.
pub(crate) struct Bytes {
    pub(crate) big: bool,
    pub(crate) out: Vec<u8>,
}

impl Bytes {
    pub(crate) fn new(big: bool) -> Self {
        Self { big, out: Vec::new() }
    }

    pub(crate) fn u16(&mut self, value: u16) -> &mut Self {
        self.out.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.out.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.out.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.out.extend(bytes);
        self
    }
}

pub(crate) const MICROS: u32 = 0xA1B2_C3D4;
pub(crate) const NANOS: u32 = 0xA1B2_3C4D;
pub(crate) const MODIFIED: u32 = 0xA1B2_CD34;

/// Classic pcap.
pub(crate) struct Pcap {
    pub(crate) bytes: Bytes,
    modified: bool,
}

impl Pcap {
    pub(crate) fn new(big: bool, magic: u32, snaplen: u32, link: u32) -> Self {
        Self::version(big, magic, (2, 4), snaplen, link)
    }

    pub(crate) fn version(big: bool, magic: u32, version: (u16, u16), snaplen: u32, link: u32) -> Self {
        let mut bytes = Bytes::new(big);
        bytes.u32(magic).u16(version.0).u16(version.1).u32(0).u32(0).u32(snaplen).u32(link);
        Self { bytes, modified: magic == MODIFIED }
    }

    pub(crate) fn record(
        &mut self,
        sec: u32,
        frac: u32,
        cap_len: u32,
        wire_len: u32,
        data: &[u8],
    ) -> &mut Self {
        self.bytes.u32(sec).u32(frac).u32(cap_len).u32(wire_len);
        if self.modified {
            self.bytes.u32(2).u16(0x0800).raw(&[0, 0]);
        }
        self.bytes.raw(data);
        self
    }

    /// A record whose lengths are true.
    pub(crate) fn packet(&mut self, sec: u32, frac: u32, data: &[u8]) -> &mut Self {
        self.record(sec, frac, data.len() as u32, data.len() as u32, data)
    }

    pub(crate) fn done(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes.out)
    }
}

/// `count` records of 60 bytes, one second apart, with contents that look like no header.
pub(crate) fn plain_pcap(count: u32) -> Vec<u8> {
    let mut pcap = Pcap::new(false, MICROS, 65_535, 1);
    for number in 0..count {
        pcap.packet(1_700_000_000 + number, number % 1_000_000, &[0xA5; 60]);
    }
    pcap.done()
}

/// pcapng.
pub(crate) struct Ng {
    pub(crate) bytes: Bytes,
}

impl Ng {
    /// With a section header of unknown section length.
    pub(crate) fn new(big: bool) -> Self {
        let mut ng = Self { bytes: Bytes::new(big) };
        ng.section(u64::MAX);
        ng
    }

    pub(crate) fn section(&mut self, length: u64) -> &mut Self {
        let mut body = Bytes::new(self.bytes.big);
        body.u32(0x1A2B_3C4D).u16(1).u16(0).u64(length);
        self.block(0x0A0D_0D0A, &body.out)
    }

    /// A block of any type, its body padded.
    pub(crate) fn block(&mut self, block_type: u32, body: &[u8]) -> &mut Self {
        let length = 12 + body.len().next_multiple_of(4) as u32;
        self.bytes.u32(block_type).u32(length).raw(body);
        let padding = body.len().next_multiple_of(4) - body.len();
        self.bytes.raw(&[0; 3][..padding]).u32(length);
        self
    }

    pub(crate) fn interface(&mut self, link: u16, snaplen: u32, options: &[(u16, &[u8])]) -> &mut Self {
        let mut body = Bytes::new(self.bytes.big);
        body.u16(link).u16(0).u32(snaplen);
        for (code, value) in options {
            body.u16(*code).u16(value.len() as u16).raw(value);
            let padding = value.len().next_multiple_of(4) - value.len();
            body.raw(&[0; 3][..padding]);
        }
        if !options.is_empty() {
            body.u16(0).u16(0);
        }
        self.block(1, &body.out)
    }

    pub(crate) fn packet(&mut self, interface: u32, ticks: u64, wire_len: u32, data: &[u8]) -> &mut Self {
        let mut body = Bytes::new(self.bytes.big);
        body.u32(interface)
            .u32((ticks >> 32) as u32)
            .u32(ticks as u32)
            .u32(data.len() as u32)
            .u32(wire_len)
            .raw(data);
        self.block(6, &body.out)
    }

    pub(crate) fn simple(&mut self, wire_len: u32, data: &[u8]) -> &mut Self {
        let mut body = Bytes::new(self.bytes.big);
        body.u32(wire_len).raw(data);
        self.block(3, &body.out)
    }

    pub(crate) fn obsolete(&mut self, interface: u16, drops: u16, ticks: u64, data: &[u8]) -> &mut Self {
        let mut body = Bytes::new(self.bytes.big);
        body.u16(interface).u16(drops).u32((ticks >> 32) as u32).u32(ticks as u32);
        body.u32(data.len() as u32).u32(data.len() as u32).raw(data);
        self.block(2, &body.out)
    }

    pub(crate) fn done(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes.out)
    }
}

/// `count` Enhanced Packet Blocks of 60 bytes each, a second apart.
pub(crate) fn plain_ng(count: u32) -> Vec<u8> {
    let mut ng = Ng::new(false);
    ng.interface(1, 65_535, &[]);
    for number in 0..count {
        ng.packet(0, (1_700_000_000 + u64::from(number)) * 1_000_000, 60, &[0xA5; 60]);
    }
    ng.done()
}

/// One packet, out of its batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) ts_nanos: i64,
    pub(crate) link: u32,
    pub(crate) interface: u32,
    pub(crate) wire_len: u32,
    pub(crate) offset: u64,
    pub(crate) data: Vec<u8>,
}

/// All there is in a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) packets: Vec<Packet>,
    pub(crate) damage: Vec<Damage>,
    pub(crate) damage_count: u64,
    pub(crate) skipped: u64,
    pub(crate) digits: u8,
    pub(crate) name: String,
}

impl Got {
    pub(crate) fn times(&self) -> Vec<i64> {
        self.packets.iter().map(|packet| packet.ts_nanos).collect()
    }

    /// Damage as its text.
    pub(crate) fn said(&self) -> Vec<String> {
        self.damage.iter().map(ToString::to_string).collect()
    }
}

/// Reads everything, and checks what holds for every capture.
pub(crate) fn read(input: impl Read) -> Got {
    drain(Reader::new(input).expect("a capture"))
}

pub(crate) fn drain<R: Read>(mut reader: Reader<R>) -> Got {
    let mut batch = Batch::new();
    let mut packets = Vec::new();
    while reader.read_batch(&mut batch).expect("readable") {
        assert!(!batch.is_empty(), "a batch without a record");
        for (record, bytes) in batch.iter() {
            packets.push(Packet {
                ts_nanos: record.ts_nanos,
                link: record.link.0,
                interface: record.interface,
                wire_len: record.wire_len,
                offset: record.offset,
                data: bytes.to_vec(),
            });
            assert_eq!(record.number, packets.len() as u64);
            assert_eq!(record.cap_len as usize, bytes.len());
            assert_eq!(record.input, 0);
        }
    }
    assert!(batch.is_empty());
    assert!(!reader.read_batch(&mut batch).expect("still the end"));
    assert_eq!(reader.packets(), packets.len() as u64);
    assert!(packets.windows(2).all(|two| two[0].offset < two[1].offset), "records overlap");
    Got {
        packets,
        damage: reader.damage().to_vec(),
        damage_count: reader.damage_count(),
        skipped: reader.damage_bytes(),
        digits: reader.time_digits(),
        name: reader.format_name().to_owned(),
    }
}

/// A `Read` that gives a byte here and a few there.
pub(crate) struct Sips<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) sizes: &'a [usize],
    pub(crate) turn: usize,
}

impl Read for Sips<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()];
        self.turn += 1;
        let n = size.min(into.len()).min(self.bytes.len());
        into[..n].copy_from_slice(&self.bytes[..n]);
        self.bytes = &self.bytes[n..];
        Ok(n)
    }
}
