//! From captured bytes to the facts of one packet: link, network and transport headers, never a panic
