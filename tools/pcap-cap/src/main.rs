//! Captures packets from an interface to a file
fn main() {}
