//! The command line. Each command is a module; all of them can run in a test.
//!
//! Standard output carries data, standard error talk. Exit codes: 0 for an answer, 2 for
//! none, whatever the reason.

mod check;
mod completions;
mod console;
mod explain;
mod failure;
mod ladder;
mod options;
mod progress;
mod scenario;
mod schema;
mod trace;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};
use serde::Serialize;

pub use console::Console;
use failure::Failure;
use options::{Cli, Command};

/// Columns of the help text where no terminal says how wide it is.
const HELP_COLUMNS: usize = 100;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With an answer.
    Success,
    /// Without one: wrong usage, wrong input or a run that does not end.
    Failure,
}

impl Exit {
    /// The code for the shell.
    pub fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Failure => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Runs the command line `args`, the program's name first, on streams that nobody watches.
pub fn run<I>(args: I, out: &mut (dyn Write + Send), err: &mut (dyn Write + Send)) -> Exit
where
    I: IntoIterator<Item: Into<OsString> + Clone>,
{
    run_on(args, &mut Console::plain(out, err))
}

/// Runs the command line `args` on the streams of the process.
pub fn run_on_terminal(args: std::env::ArgsOs) -> Exit {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    run_on(args, &mut Console::of_process(&mut out, &mut err))
}

fn run_on<I>(args: I, console: &mut Console<'_>) -> Exit
where
    I: IntoIterator<Item: Into<OsString> + Clone>,
{
    let mut parser = Cli::command();
    if !console.out_is_terminal {
        parser = parser.term_width(HELP_COLUMNS);
    }
    let parsed = parser
        .try_get_matches_from(args)
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map_err(|error| usage(&error, console));
    let command = match parsed {
        Ok(cli) => cli.command,
        Err(exit) => return exit,
    };
    match on_threads(&command, console) {
        Ok(()) => Exit::Success,
        // Whoever closed the pipe has seen enough.
        Err(Failure::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Success,
        Err(failure) => {
            console.talk(&failure.text(command.format()));
            Exit::Failure
        }
    }
}

/// Help and version are answers; everything else that clap says is an error.
fn usage(error: &clap::Error, console: &mut Console<'_>) -> Exit {
    let styled = error.render();
    let colour = console.colour
        && if error.use_stderr() { console.err_is_terminal } else { console.out_is_terminal };
    let text = if colour { styled.ansi().to_string() } else { styled.to_string() };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match console.data(&text) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Exit::Failure,
            _ => Exit::Success,
        },
        _ => {
            console.talk(&text);
            Exit::Failure
        }
    }
}

fn on_threads(command: &Command, console: &mut Console<'_>) -> Result<(), Failure> {
    let Some(threads) = command.threads() else { return dispatch(command, console) };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(usize::from(threads))
        .build()
        .map_err(|error| Failure::System(format!("cannot start {threads} threads: {error}")))?;
    pool.install(|| dispatch(command, console))
}

fn dispatch(command: &Command, console: &mut Console<'_>) -> Result<(), Failure> {
    match command {
        Command::Scenario(options) => scenario::run(options, console),
        Command::Ladder(options) => ladder::run(options, console),
        Command::Explain(options) => explain::run(options, console),
        Command::Check(options) => check::run(options, console),
        Command::Schema(options) => schema::run(options, console),
        Command::Trace(options) => trace::run(options, console),
        Command::Completions(options) => completions::run(options, console),
    }
}

/// A document for programs, indented, with a line end.
fn json(document: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(document);
    // Reports and schemas have text keys and plain numbers: nothing in them can fail.
    format!("{}\n", text.expect("a document of plain values"))
}
