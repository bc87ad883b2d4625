//! The command line. Each command is a module; all of them can run in a test.
//!
//! Exit codes: 0 for an answer, 2 for none, whatever the reason, 3 for one that was interrupted, 4
//! for an answer that breaks an objective.

mod ask;
mod check;
mod emit;
mod explain;
#[cfg(feature = "ui")]
mod export;
mod interrupt;
mod known;
mod ladder;
mod merge;
mod new;
mod options;
mod progress;
mod scenario;
mod scenarios;
mod schema;
#[cfg(feature = "serve")]
mod serve;
mod show;
mod size;
mod sweep;
mod trace;
#[cfg(feature = "ui")]
mod ui;
mod written;

use std::ffi::OsString;
use std::io::Write;

use render::ci::Form;
use render::{CommandLine, Console, Exit, Failure, Format, Output};

use crate::pool;
use options::{Cli, Command};

/// Runs the command line `args`, the program's name first, on streams without a terminal.
pub fn run<I>(args: I, out: &mut (dyn Write + Send), err: &mut (dyn Write + Send)) -> Exit
where
    I: IntoIterator<Item: Into<OsString> + Clone>,
{
    Cli::run(args, out, err)
}

/// Runs the command line `args` on the streams of the process.
pub fn run_on_terminal(args: std::env::ArgsOs) -> Exit {
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
        on_threads(&self.command, console)
    }
}

fn on_threads(command: &Command, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let Some(threads) = command.threads() else { return dispatch(command, console) };
    pool::install(usize::from(threads), || (), || dispatch(command, console))
        .map_err(|error| Failure::System(format!("cannot start {threads} threads: {error}")))?
}

fn dispatch(command: &Command, console: &mut Console<'_>) -> Result<Exit, Failure> {
    match command {
        Command::Scenario(options) => return scenario::run(options, console),
        Command::Size(options) => return size::run(options, console),
        Command::Sweep(options) => return sweep::run(options, console),
        Command::Merge(options) => return merge::run(options, console),
        Command::Ladder(options) => return ladder::run(options, console),
        Command::Show(options) => show::run(options, console),
        Command::Explain(options) => return explain::run(options, console),
        Command::Check(options) => check::run(options, console),
        Command::Scenarios(options) => scenarios::run(options, console),
        Command::Schema(options) => schema::run(options, console),
        Command::Trace(options) => trace::run(options, console),
        Command::New(options) => new::run(options, console),
        #[cfg(feature = "ui")]
        Command::Ui(options) => ui::run(options, console),
        Command::Ask => ask::run(console),
        #[cfg(feature = "serve")]
        Command::Serve(options) => return serve::run(options, console),
        Command::Completions(options) => options.print::<Cli>(console),
        Command::Man(options) => options.write::<Cli>(console),
    }
    .map(|()| Exit::Success)
}
