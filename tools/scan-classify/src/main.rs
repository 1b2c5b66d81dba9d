//! Packet rows to probe rows: class, technique, handshake
fn main() {}
