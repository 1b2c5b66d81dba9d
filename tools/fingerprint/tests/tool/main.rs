//! The tool as a user runs it.

mod changed;
mod laboratory;
mod mixed;
mod rows;
mod support;
