//! Adds the scanning tool to packet or probe rows
fn main() {}
