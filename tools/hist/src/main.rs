//! Counts and bins any column, and draws it.

fn main() -> std::process::ExitCode {
    probeline_cli::main("hist", hist::run)
}
