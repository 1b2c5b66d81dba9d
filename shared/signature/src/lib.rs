//! The marks scanners leave in headers, and what packets with such marks say about who sent them.
//!
//! [`RULES`] is one table: each entry is one mark of one tool, with its test, the chance that an unrelated packet
//! passes it, the versions that leave it, its source, and packets that pass and nearly pass. [`Engine`] asks the rules
//! of every packet, keeps the score of each source, and gives a [`Verdict`] on every packet once its source had
//! [`Options::settle`] to show more: one hit on a 16-bit mark among many packets names no tool.
//!
//! ```
//! use probeline_record::{PacketColumns, RowReader};
//! use probeline_signature::{Confidence, Engine, Options, Packet, Tool};
//!
//! let rows = "ts,src_ip,dst_ip,proto,src_port,dst_port,tcp_flags,ip_len,ttl,ip_id,ip_tos,ip_df,tcp_seq,tcp_ack,tcp_win,payload_len
//! 1,198.18.0.99,198.18.1.57,tcp,21840,23,S,40,64,23165,0,0,3323068729,0,54718,0
//! ";
//! let mut rows = RowReader::new(rows.as_bytes())?;
//! let columns = PacketColumns::find(&mut rows)?;
//! let mut engine = Engine::new(&Options::default());
//! while let Some(row) = rows.next_row()? {
//!     engine.push(&Packet::from_row(&columns.packet(row)).unwrap());
//! }
//! engine.finish();
//! let verdict = engine.pop().unwrap();
//! assert_eq!((verdict.tool, verdict.confidence), (Tool::Mirai, Some(Confidence::Certain)));
//! # Ok::<(), probeline_record::Error>(())
//! ```
//!
//! What it does not do: read files, look at payloads beyond the first 32 octets, or name a program behind an operating
//! system's own connect().

pub mod audit;
mod engine;
mod evidence;
mod grade;
mod layout;
mod packet;
mod pattern;
mod rand_stream;
mod rule;
mod rules;
mod session;
mod sig;
mod source;
mod table;
mod tally;
mod tool;
mod traits;
#[cfg(test)]
mod vector;
mod verdict;

pub use engine::{Engine, Options};
pub use grade::Confidence;
pub use layout::Layout;
pub use packet::{Facts, Kind, Kinds, Lacks, PAYLOAD, Packet};
pub use rule::{Basis, Key, Pattern, Rule, Test, Weight};
pub use rules::RULES;
pub use session::Session;
pub use sig::{Notation, write_signature};
pub use table::RuleSet;
pub use tally::{Asked, Tally};
pub use tool::Tool;
pub use traits::Traits;
pub use verdict::Verdict;
