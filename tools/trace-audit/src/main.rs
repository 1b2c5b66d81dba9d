//! Says whether a rewritten capture still gives addresses away; see the library's documentation.

fn main() -> std::process::ExitCode {
    probeline_cli::main("trace-audit", trace_audit::run)
}
