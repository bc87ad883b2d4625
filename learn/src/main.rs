//! The command `learn`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    learn::cli::run_on_terminal(std::env::args_os()).into()
}
