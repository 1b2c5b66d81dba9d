//! Packet rows to probe rows; see the library's documentation.

fn main() -> std::process::ExitCode {
    probeline_cli::main("scan-classify", scan_classify::run)
}
