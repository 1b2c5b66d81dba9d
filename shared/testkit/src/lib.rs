//! For tests only: what a test needs to hold the tools against a witness that is not their own code.
//!
//! - [`Packet`] builds frames byte by byte and [`pcap`] stores them, without what decodes and reads them.
//! - [`Scenario`] is a TOML file in which an author says what happens on the wire *and* what must come out.
//! - [`bash`] and [`tool`] run the compiled binaries, alone or in pipelines; [`bin`] finds them.
//! - [`Live`] runs a pipeline that is fed in steps, and hands out its rows as they come.
//! - [`Table`] reads their output with the csv and serde_json crates, not with the codec that wrote it.
//! - [`captures`], [`bundled`] and [`tshark`] bring in captures, ground truth and decodes made by others.
//!
//! Everything here panics where something is wrong: in a test that is the report.
//!
//! ```
//! use probeline_testkit::{Packet, pcap};
//!
//! let syn = Packet::tcp("203.0.113.7", 40000, "198.51.100.1", 22).flags("S").mss(1460).win(1024); let file =
//! pcap::file(pcap::Precision::Micros, syn.link_type(), [(1_700_000_000_000_000_000, syn.bytes())]);
//! assert_eq!(file.len(), 24 + 16 + 14 + 20 + 24);
//! ```
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "for tests only: whatever is wrong here fails the test"
)]

mod address;
mod bins;
mod captures;
mod checksum;
mod compare;
mod live;
mod output;
mod packet;
pub mod pcap;
mod process;
mod scenario;
mod shell;
mod skip;
mod table;
mod tcp_option;
mod tool;
mod tshark;

pub use address::{Address, addresses, ports};
pub use bins::{bin, bin_dir, built, workspace};
pub use captures::{Indexed, LabCapture, bundled, captures, index, lab_index};
pub use compare::{ExpectedRow, Others, compare};
pub use live::Live;
pub use output::Output;
pub use packet::{Link, Packet};
pub use scenario::{Scenario, Stamped};
pub use shell::{Bash, bash};
pub use skip::skipped;
pub use table::{Row, Table};
pub use tcp_option::TcpOption;
pub use tool::{Tool, tool};
pub use tshark::tshark;
