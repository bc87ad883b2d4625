//! The command `sim`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    sim::cli::run_on_terminal(std::env::args_os()).into()
}
