//! The rows all tools share.
//!
//! One schema runs through every pipeline: each column has one name, one meaning and one entry in the
//! [field dictionary](field). Rows travel as CSV with a header (RFC 4180) or as NDJSON with the same names in
//! the same order; [`RowReader`] tells the two apart by the first byte, finds columns **by name**, and hands out
//! each row together with its raw bytes, so that a tool which only adds columns forwards what it does not
//! understand untouched. [`Encoder`] writes either format into one growing buffer.
//!
//! Nothing here knows packets, files, clocks or the command line: input is any [`std::io::Read`], time is a value.
//!
//! ```
//! use probeline_record::{Encoder, Format, RowReader, field};
//!
//! let input = b"ts,src_ip,mine\n1.500000,192.0.2.1,\"a,b\"\n";
//! let mut rows = RowReader::new(&input[..])?;
//! let src = rows.require(&field::SRC_IP)?;
//! let row = rows.next_row()?.unwrap();
//! assert_eq!(row.ip(src).unwrap().to_string(), "192.0.2.1");
//! assert_eq!(row.raw(), b"1.500000,192.0.2.1,\"a,b\"");
//! # Ok::<(), probeline_record::Error>(())
//! ```
//!
//! Cost: a CSV row without quotes is split eight bytes at a time, without a copy. NDJSON is read through
//! serde_json and costs several times as much; use CSV inside long pipelines.

mod chunks;
mod encode;
mod error;
pub mod field;
mod forward;
mod gather;
mod json;
mod packet_row;
pub mod proto;
mod read;
pub mod rows;
mod split;
mod tcp_flags;
pub mod text;
mod time;

pub use chunks::{Chunk, Chunks, Pieces, Rest};
pub use encode::Encoder;
pub use error::{CellError, Error};
pub use field::{Field, Kind};
pub use forward::Forward;
pub use gather::Gather;
pub use packet_row::{PacketColumns, PacketRow};
pub use proto::Proto;
pub use read::{Col, MAX_ROW_BYTES, Row, RowReader};
pub use tcp_flags::TcpFlags;
pub use time::Ts;

/// The two encodings of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header line, RFC 4180 quoting, `\n` line ends.
    Csv,
    /// One JSON object a line, every key present, `null` for an absent value.
    Ndjson,
}
