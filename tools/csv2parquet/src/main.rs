//! Rows to Parquet; see the library's documentation.

fn main() -> std::process::ExitCode {
    probeline_cli::main("csv2parquet", csv2parquet::run)
}
