//! Counts and bins any column, and draws it
fn main() {}
