//! The command `validate`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    validate::cli::run_on_terminal(std::env::args_os()).into()
}
