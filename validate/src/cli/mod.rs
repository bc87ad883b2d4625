//! The command line. Each command is a module; all of them can run in a test.
//!
//! Exit codes: 0 agree, 1 disagree, 2 wrong usage or no answer, 3 inconclusive.

mod calibrate;
mod compare;
mod ladder;
mod live;
mod measuring;
mod options;
mod refusal;
mod run;
mod schema;
mod size;
mod summarised;
mod sweep;
mod tolerance;
mod trial;
mod verdicts;

use std::ffi::OsString;
use std::io::Write;

use render::ci::Form;
use render::{CommandLine, Console, Exit, Failure, Format, Output};

use options::{Cli, Command};

/// Runs the command line `args`, the program's name first, on streams that are no terminal.
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
        self.command.format()
    }

    fn output(&self) -> Option<&Output> {
        self.command.output()
    }

    fn form(&self) -> Option<Form> {
        self.command.form()
    }

    fn answer(&self, console: &mut Console<'_>) -> Result<Exit, Failure> {
        match &self.command {
            Command::Run(options) => run::run(options, console),
            Command::Ladder(options) => ladder::run(options, console),
            Command::Sweep(options) => sweep::run(options, console),
            Command::Size(options) => size::run(options, console),
            Command::Compare(options) => compare::run(options, console),
            Command::Calibrate(options) => calibrate::run(options, console),
            Command::Schema(options) => schema::run(options, console),
            Command::Completions(options) => options.print::<Cli>(console).map(|()| Exit::Success),
            Command::Man(options) => options.write::<Cli>(console).map(|()| Exit::Success),
            Command::Live(options) => live::run(options),
            Command::WorkerProcess => live::child("worker-process"),
            Command::UpstreamProcess => live::child("upstream-process"),
            Command::ServiceProcess => live::child("service-process"),
            Command::DatabaseProcess => live::child("database-process"),
            Command::WitnessProcess => live::child("witness-process"),
        }
    }
}
