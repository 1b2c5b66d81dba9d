//! Capture files: pcap and pcapng in and out, compressed or plain, damaged or whole.
//!
//! [`Reader`] reads any [`std::io::Read`] (a file, a pipe, a slice) and hands out [`Batch`]es: one reused
//! buffer of capture bytes and the [`Record`]s found in it. Nothing is allocated per packet.
//! [`MergeReader`] puts several readers into one time order, [`PcapWriter`] writes classic pcap and
//! [`PcapngWriter`] pcapng, through a [`Compressor`] if wished.
//!
//! ```
//! use probeline_capfile::{Batch, LinkType, PcapWriter, Reader};
//!
//! let mut file = Vec::new();
//! let mut writer = PcapWriter::new(&mut file, LinkType::ETHERNET, 65_535, false)?;
//! writer.write(1_700_000_000_000_001_000, 60, &[0; 60])?;
//!
//! let mut reader = Reader::new(&file[..])?;
//! let mut batch = Batch::new();
//! while reader.read_batch(&mut batch)? {
//!     for record in batch.records() {
//!         assert_eq!(batch.bytes(record).len(), 60);
//!     }
//! }
//! assert_eq!(reader.packets(), 1);
//! assert_eq!(reader.damage_count(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is read
//!
//! * Classic pcap, both byte orders: microseconds (`a1b2c3d4`), nanoseconds (`a1b23c4d`), Kuznetzov's
//!   modified form with 24-byte record headers (`a1b2cd34`). Sources: draft-ietf-opsawg-pcap; libpcap `sf-pcap.c`.
//! * pcapng (draft-ietf-opsawg-pcapng): any number of sections of either byte order, any number of interfaces,
//!   Enhanced, Simple and obsolete Packet Blocks. Every other block is stepped over.
//! * Several captures one behind the other in one stream (`cat a.pcap b.pcapng`), each with its own header.
//! * gzip (RFC 1952, several members) and zstd (RFC 8878, several frames) around either, up to three deep.
//!
//! # What is delivered, and what is not
//!
//! Every record that lies wholly in the input is delivered once, in file order, whatever it says: zero
//! captured bytes, more captured bytes than the wire length, more than the snapshot length. A record cut by
//! the end of the input is **not** delivered (neither does tshark); its bytes are counted in a [`Damage`].
//!
//! Damaged input never ends the reading. What was lost is written down as [`Damage`] with its place and size,
//! and reading goes on at the next place that makes sense; see [`DamageKind`] for each case and
//! [`Reader::damage`] for the list.
//!
//! # Time
//!
//! Timestamps are Unix nanoseconds. Seconds of classic pcap are unsigned and good until 2106. A fraction of a
//! second or more (`usec >= 1_000_000`) is carried into the seconds; libpcap hands it through as it is and
//! tshark prints a negative time for it. A Simple Packet Block has no time: its record has `ts_nanos` 0, as
//! in tshark.

mod batch;
mod compress;
mod damage;
mod error;
mod input;
mod merge;
mod pcap;
mod pcapng;
mod reader;
mod sniff;
mod walk;
mod writer;

pub use batch::{Batch, LinkType, Record};
pub use compress::{Compression, Compressor};
pub use damage::{Damage, DamageKind};
pub use error::{Error, MergeError};
pub use merge::MergeReader;
pub use pcapng::{InterfaceInfo, InterfaceStatistics, PcapngWriter, SectionInfo};
pub use reader::Reader;
pub use writer::PcapWriter;
