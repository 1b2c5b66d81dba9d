//! What every tool does alike, so that no tool does it twice.
//!
//! - [`main`] parses arguments, runs the tool and turns its outcome into an exit code: 0 done, 1 done but the input
//!   was damaged, 2 could not do it. A reader that hangs up (`| head`) is success.
//! - [`Console`] is the tool's voice on stderr: faults of the input (the first few in full, then a count), notes,
//!   and the accounting line at the end.
//! - [`Account`] is that line: what was read equals the sum of what became of it, or the tool says so loudly.
//! - [`input`] opens files and stdin, plain or compressed; [`RowOptions`] are the arguments shared by the tools that
//!   read rows.
//! - [`read_ahead`] reads on one thread and works on another.
//! - [`Progress`] shows on a terminal how far a long run has come.
//!
//! A tool's `main.rs` is one call:
//!
//! ```no_run
//! # use probeline_cli::{Console, Outcome};
//! #[derive(clap::Parser)]
//! struct Args {}
//! fn run(args: &Args, console: &mut Console) -> Outcome { Ok(()) }
//! fn main() -> std::process::ExitCode {
//!     probeline_cli::main("a-tool", run)
//! }
//! ```

mod account;
mod ahead;
mod args;
mod console;
mod fields;
pub mod input;
mod progress;
mod row_tool;

pub use account::Account;
pub use ahead::{Ahead, read_ahead};
pub use args::{FormatArg, RowOptions, duration};
pub use console::Console;
pub use fields::{ListFields, list_fields};
pub use progress::Progress;
pub use row_tool::{open_rows, row_error, rows_from};

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

/// What a tool returns: an error means it could not do its job (exit code 2).
pub type Outcome = Result<(), anyhow::Error>;

/// Runs a tool: arguments in, exit code out.
pub fn main<A: Parser>(tool: &'static str, run: fn(&A, &mut Console) -> Outcome) -> ExitCode {
    let args = match A::try_parse() {
        Ok(args) => args,
        Err(e) => {
            // A reader that hangs up on --help is as much a success as one that hangs up on rows.
            return match e.print() {
                _ if e.use_stderr() => ExitCode::from(2),
                Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                    Console::new(tool).say(format_args!("cannot write: {e}"));
                    ExitCode::from(2)
                }
                _ => ExitCode::SUCCESS,
            };
        }
    };
    let mut console = Console::new(tool);
    match run(&args, &mut console) {
        Ok(()) => console.exit_code(),
        Err(e) if hung_up(&e) => ExitCode::SUCCESS,
        Err(e) => {
            console.say(format_args!("{e:#}"));
            ExitCode::from(2)
        }
    }
}

/// Whether the error is the reader of our output having gone.
fn hung_up(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
            // record::Error is transparent over io::Error, so the chain shows the wrapper only.
            || matches!(cause.downcast_ref::<probeline_record::Error>(),
                Some(probeline_record::Error::Io(e)) if e.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// What a pipe to the next tool is asked to hold: as much as Linux gives without privileges (pipe(7),
/// `/proc/sys/fs/pipe-max-size`). With its usual 64 KiB two tools wake each other for every few hundred rows.
const PIPE: usize = 1 << 20;

/// Standard output, unbuffered: tools write large blocks.
///
/// `std::io::Stdout` keeps a line buffer that would copy and scan every block once more.
pub fn stdout() -> Box<dyn Write + Send> {
    use std::os::fd::AsFd;
    match io::stdout().as_fd().try_clone_to_owned() {
        Ok(fd) => {
            // What is no pipe, or may have no more, stays as it is.
            let _ = rustix::pipe::fcntl_setpipe_size(&fd, PIPE);
            Box::new(std::fs::File::from(fd))
        }
        Err(_) => Box::new(io::stdout()),
    }
}
