//! Probe rows to session rows: who scanned, how wide, how long
fn main() {}
