//! Completion scripts, as every program prints them.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{Console, Failure};

/// `completions`: for the shell.
#[derive(Debug, Args)]
pub struct Completions {
    /// Of which shell
    shell: Shell,
}

impl Completions {
    /// Prints the completion script of the program whose command line is `C`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn print<C: CommandFactory>(&self, console: &mut Console<'_>) -> Result<(), Failure> {
        let mut command = C::command();
        let name = command.get_name().to_string();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        Ok(console.data(&String::from_utf8_lossy(&script))?)
    }
}
