//! The tool on wires of our own, with tcpdump, tshark and capinfos as witnesses.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod capture;
mod faults;
mod kill;
mod privileges;
mod series;
mod support;
mod witness;
