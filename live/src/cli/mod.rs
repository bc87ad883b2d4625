//! The command line. Each command is a module.
//!
//! Exit codes: 0 measured, 2 wrong usage or a run that failed, 3 inconclusive, 4 an objective is broken.

mod audience;
mod compare;
mod export;
mod ladder;
mod load;
mod measure;
mod on;
mod options;
mod progress;
mod run;
mod serve;
mod setup;
mod upstream;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use render::ci::Form;
use render::{CommandLine, Console, Exit, Failure, Format, Output};

use crate::run::RunError;
pub use audience::{Audience, AudienceOptions, Expected};
pub use on::{Hosts, On, Place};
pub use options::Environment;
use options::{Cli, Command};
pub use setup::installation;

/// Runs the command line of the process.
pub fn run_on_terminal(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    Cli::run_on_terminal(args).into()
}

/// Runs the command line `args`, the program's name first, for another program, which reads
/// the answer and may want failures in another form.
pub fn run_for(args: impl IntoIterator<Item = OsString>, failures: Option<Format>) -> Exit {
    Cli::run_for(args, failures)
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
            Command::Compare(options) => compare::run(options, console),
            Command::Serve(options) => serve::run(options, console),
            Command::Upstream(options) => upstream::run(options, console),
            Command::Load(options) => load::run(options, console),
            Command::Setup(options) => setup::run(options, console),
            Command::Export(options) => export::run(options, console),
            Command::Completions(options) => options.print::<Cli>(console).map(|()| Exit::Success),
            Command::Man(options) => options.write::<Cli>(console).map(|()| Exit::Success),
            Command::WorkerProcess => process(crate::stack::run_worker_process()),
            Command::ServiceProcess => process(crate::stack::run_service_process()),
            Command::DatabaseProcess => process(crate::postgres::run_database_process()),
            Command::WitnessProcess => {
                process(crate::witness::run_as_child().map_err(|error| error.to_string()))
            }
            Command::UpstreamProcess => {
                process(crate::upstream::run_as_child().map_err(|error| error.to_string()))
            }
        }
    }
}

/// The end of a child process.
fn process(ended: Result<(), String>) -> Result<Exit, Failure> {
    ended.map(|()| Exit::Success).map_err(Failure::System)
}

/// Why there is no measurement of `scenario`.
fn failure(scenario: &str, error: RunError) -> Failure {
    match error {
        RunError::Refused(diagnostics) => Failure::Refused(diagnostics),
        other => Failure::run(scenario, other),
    }
}
