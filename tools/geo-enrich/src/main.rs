//! Adds where a source is to any row with an address.

fn main() -> std::process::ExitCode {
    probeline_cli::main("geo-enrich", geo_enrich::run)
}
