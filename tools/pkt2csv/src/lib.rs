//! Packets of a capture to packet rows
