//! The crate from outside: formats, damage, compression, merging, and other tools as witnesses.

mod build;
mod captures;
mod compressed;
mod damage;
mod formats;
mod live;
mod merge;
mod properties;
mod witness;
mod writers;

/// A line that shows even in a passing run.
fn say(line: &str) {
    use std::io::Write;
    // Not eprintln: the test harness would keep that to itself.
    let _ = writeln!(std::io::stderr(), "{line}");
}
