//! Captures packets from an interface to a file.

fn main() -> std::process::ExitCode {
    probeline_cli::main("pcap-cap", pcap_cap::run)
}
