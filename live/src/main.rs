//! The command `live`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    live::cli::run_on_terminal(std::env::args_os())
}
