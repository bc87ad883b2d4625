//! The command line. Each command is a module; all of them can run in a test.
//!
//! Exit codes: 0 for an answer, 2 for none, whatever the reason, 3 for one that is not whole; of
//! `check` those of `validate`.

mod check;
mod from;
mod options;
mod probe;

use std::ffi::OsString;
use std::io::Write;

use render::{CommandLine, Console, Exit, Failure, Format, Output};

use crate::explain::Explanation;
use crate::update::update;
use options::{Cli, Command};

/// Runs the command line `args`, the program's name first, on streams without a terminal.
pub fn run<I>(args: I, out: &mut (dyn Write + Send), err: &mut (dyn Write + Send)) -> Exit
where
    I: IntoIterator<Item: Into<OsString> + Clone>,
{
    Cli::run(args, out, err)
}

/// Runs the command line `args` on the streams of the process.
pub fn run_on_terminal(args: impl IntoIterator<Item = OsString>) -> Exit {
    Cli::run_on_terminal(args)
}

impl CommandLine for Cli {
    fn format(&self) -> Format {
        match &self.command {
            Command::Probe(options) => options.format(),
            Command::Explain(options) => options.output.format,
            Command::Update(options) => options.output.format,
            Command::From(options) => options.output.format,
            Command::Check(_)
            | Command::Completions(_)
            | Command::Man(_)
            | Command::WitnessProcess => Format::Text,
        }
    }

    fn output(&self) -> Option<&Output> {
        match &self.command {
            Command::Explain(options) => Some(&options.output),
            Command::Update(options) => Some(&options.output),
            Command::From(options) => Some(&options.output),
            Command::Probe(_)
            | Command::Check(_)
            | Command::Completions(_)
            | Command::Man(_)
            | Command::WitnessProcess => None,
        }
    }

    fn answer(&self, console: &mut Console<'_>) -> Result<Exit, Failure> {
        match &self.command {
            Command::Probe(options) => probe::run(options, console),
            Command::Explain(options) => {
                let explanation = Explanation::of(&options.source.load(&[])?);
                options.output.answer(&explanation, console)?;
                Ok(Exit::Success)
            }
            Command::Update(options) => {
                let update = update(&options.file, &options.with, options.dry_run)?;
                options.output.answer(&update, console)?;
                Ok(Exit::Success)
            }
            Command::From(options) => options.run(console),
            Command::Check(options) => check::run(options),
            Command::Completions(options) => options.print::<Cli>(console).map(|()| Exit::Success),
            Command::Man(options) => options.write::<Cli>(console).map(|()| Exit::Success),
            Command::WitnessProcess => {
                Ok(live::cli::run_for(["live", "witness-process"].map(Into::into), None))
            }
        }
    }
}
