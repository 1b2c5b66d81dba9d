//! Packets of captures to packet rows; see the library's documentation.

fn main() -> std::process::ExitCode {
    probeline_cli::main("pkt2csv", pkt2csv::run)
}
