//! Tests that cannot run here, said aloud.

use std::io::Write;

/// Says that something was skipped and why, where it is seen: libtest keeps what `println!` writes of a test
/// that passes to itself, but not what is written to stderr directly.
pub fn skipped(what: &str, why: &str) {
    // Where stderr is closed no one is there to be told.
    drop(writeln!(std::io::stderr(), "SKIPPED: {what}: {why}"));
}
