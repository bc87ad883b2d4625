//! `validate completions`: for the shell.

use clap::CommandFactory;
use render::{Console, Exit, Failure};

use super::options::{Cli, CompletionsOptions};

/// Prints a completion script.
pub(super) fn run(
    options: &CompletionsOptions,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "validate", &mut script);
    console.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
