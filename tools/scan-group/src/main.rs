//! Probe rows to session rows; see the library's documentation.

fn main() -> std::process::ExitCode {
    probeline_cli::main("scan-group", scan_group::run)
}
