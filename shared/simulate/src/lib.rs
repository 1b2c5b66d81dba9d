//! What a network telescope sees, made up.
//!
//! A [`Simulation`] is a population of sources: how many come, where from, with which tool, to which of the
//! telescope's addresses and ports, how fast and how often. It writes their packets in the order of time, with what
//! a honeypot answers, and the truth about every flow ([`Flow`]). Same [`Plan`], same packets, on every machine.
//!
//! Pure: it reads nothing and writes to a [`Sink`]. Memory is that of the sources which will send something
//! yet (about 300 octets each) and of the answers and retransmissions whose time has not come.

mod addresses;
mod cohort;
mod frame;
mod place;
mod profile;
mod random;
mod script;
mod simulation;
mod source;
mod tool;
mod truth;

pub use addresses::{AddressError, Addresses};
pub use profile::Profile;
pub use simulation::{Plan, PlanError, Simulation, Sink, Totals};
pub use truth::{Flow, Intent, Origin};
