//! Adds where a source is to any row with an address
fn main() {}
