//! The binary as users run it: what goes in, what comes out, what it says and how it ends.
#![allow(clippy::panic, reason = "in a test that is the report")]

mod arguments;
mod damage;
mod follow;
mod frames;
mod input;
mod memory;
mod rows;
mod run;
mod split;
