//! Adds the scanning tool to packet or probe rows; see the library's documentation.

fn main() -> std::process::ExitCode {
    probeline_cli::main("fingerprint", fingerprint::run)
}
