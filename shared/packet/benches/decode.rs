//! Nanoseconds for one packet: `cargo bench -p probeline-packet`.
fn main() {
    divan::main();
}
