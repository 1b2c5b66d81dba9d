//! What a scan is: class, technique and handshake of a flow; sessions and their geometry
