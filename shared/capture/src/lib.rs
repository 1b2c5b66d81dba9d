//! Live interfaces and packet filters, through libpcap. No other crate names libpcap.
//!
//! - [`Live`] is an interface being captured from: a non-blocking source of packets with the kernel's own drop
//!   counters, waited for with a timeout so that the caller can look at its clock and its signals in between.
//! - [`LinkWatch`] tells when interfaces go down, come up, come and go, which libpcap does not.
//! - [`devices`] lists what can be captured from.
//! - [`Filter`] is a tcpdump filter expression compiled for one link type, to be asked about packets from anywhere.
//!
//! ```
//! use probeline_capture::Filter;
//! # fn main() -> Result<(), probeline_capture::Error> {
//! let filter = Filter::compile("udp port 53", probeline_capture::link_type::RAW)?;
//! let dns = [0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 198, 51, 100, 1, 203, 0, 113, 1, 0, 99, 0, 53, 0, 8, 0, 0];
//! assert!(filter.matches(&dns, 28));
//! # Ok(())
//! # }
//! ```
//!
//! What it does not do: send packets, set monitor mode, or look up what a link type means; capture files are
//! `probeline-capfile`'s.

mod bpf;
mod device;
mod error;
mod filter;
#[cfg(target_os = "linux")]
mod link;
pub mod link_type;
mod live;

pub use device::{Device, devices};
pub use error::Error;
pub use filter::Filter;
#[cfg(target_os = "linux")]
pub use link::{LinkChange, LinkState, LinkWatch};
pub use live::{Counters, Direction, Live, LiveOptions, Packet, Stamp};
