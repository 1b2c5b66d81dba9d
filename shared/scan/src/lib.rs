//! What a scan is.
//!
//! [`Classifier`] turns packets into probes: flows with a [`Class`], a [`Technique`] and, where something answered, a
//! [`Handshake`]. [`Grouper`] turns probes into sessions with their geometry and sizes. Both are pure: packets in
//! order of time go in, results come out in order of their first packet, and time is whatever the packets say.
//! [`Reorder`] puts input in order first. The rules, in words, are in docs/CLASSIFICATION.md.
//!
//! Memory: a classifier holds the flows of the last time-out (300 s), about 250 bytes and the attached header cells
//! each; a grouper the sessions whose window is open.

mod backscatter;
mod bogon;
mod burst;
mod classify;
mod distinct;
pub mod estimate;
mod first;
mod flow;
mod flows;
mod group;
mod irregular;
mod keep;
mod names;
mod reorder;
mod ring;
mod sessions;
mod sizes;
mod sketch;
mod state;
mod telescope;
mod udp_reply;
mod units;
mod wire;
mod words;

pub use backscatter::BackscatterRule;
pub use bogon::{is_bogon, is_link_local, is_multicast};
pub use classify::{Classifier, Options, Probe, Tally};
pub use first::{FirstPacket, first_packet};
pub use flow::{FlowKey, Packet, Quoted};
pub use group::{GroupOptions, Grouper, NewProbe, Session, StateError, Window, join_key, key_parts};
pub use names::{Class, ClosedBy, Geometry, Handshake, Reason, Reasons, SynStack, Technique};
pub use reorder::Reorder;
pub use state::{SavedState, StateFileError};
pub use telescope::{Telescope, TelescopeError};
pub use units::Unit;
