//! A made-up telescope's captures; see the library's documentation.

fn main() -> std::process::ExitCode {
    probeline_cli::main("pcap-sim", pcap_sim::run)
}
