//! The tool as a user runs it.

mod changed;
mod elsewhere;
mod laboratory;
mod mixed;
mod rows;
mod support;
