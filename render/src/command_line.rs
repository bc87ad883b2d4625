//! From a program's arguments to its exit code.
//!
//! Standard output carries answers, standard error progress and failures; see [`Exit`] for the codes.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::Parser;
use clap::error::ErrorKind;

use crate::ci::{self, Form};
use crate::{Console, Exit, Failure, Format, Output};

/// The order of a help text: what the program is for, examples, then the rest.
pub const HELP: &str = "{about}\n\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// Columns of the help text where no terminal says how wide it is.
const HELP_COLUMNS: usize = 100;

/// The arguments of a program, and how they are answered.
pub trait CommandLine: Parser {
    /// The form that the user asked for.
    fn format(&self) -> Format;

    /// How the answer is to be written, if it may go to a file too.
    fn output(&self) -> Option<&Output> {
        None
    }

    /// The form in which a build server reads the verdicts, if it is one that reads.
    fn form(&self) -> Option<Form> {
        None
    }

    /// Does what is asked. An answer goes to the console before this returns.
    ///
    /// # Errors
    /// Why there is no answer.
    fn answer(&self, console: &mut Console<'_>) -> Result<Exit, Failure>;

    /// Runs the command line `args`, the program's name first, on streams that are no terminals.
    fn run(
        args: impl IntoIterator<Item: Into<OsString> + Clone>,
        out: &mut (dyn Write + Send),
        err: &mut (dyn Write + Send),
    ) -> Exit {
        run_on::<Self>(args, None, &mut Console::plain(out, err))
    }

    /// Runs the command line `args` on the streams of the process.
    fn run_on_terminal(args: impl IntoIterator<Item = OsString>) -> Exit {
        Self::run_for(args, None)
    }

    /// The same for another program that reads the answer, while people may read why there is
    /// none: `failures` is the form of those, if not that of the answer.
    fn run_for(args: impl IntoIterator<Item = OsString>, failures: Option<Format>) -> Exit {
        let (mut out, mut err) = (io::stdout(), io::stderr());
        run_on::<Self>(args, failures, &mut Console::of_process(&mut out, &mut err))
    }
}

fn run_on<C: CommandLine>(
    args: impl IntoIterator<Item: Into<OsString> + Clone>,
    failures: Option<Format>,
    console: &mut Console<'_>,
) -> Exit {
    let mut parser = C::command();
    if !console.out_is_terminal {
        parser = parser.term_width(HELP_COLUMNS);
    }
    let parsed =
        parser.try_get_matches_from(args).and_then(|matches| C::from_arg_matches(&matches));
    let command = match parsed {
        Ok(command) => command,
        Err(error) => return usage(&error, console),
    };
    let possible = command.output().map_or(Ok(()), Output::check);
    possible.and_then(|()| command.answer(console)).unwrap_or_else(|failure| {
        console.talk(&failure.text(failures.unwrap_or(command.format())));
        if command.form() == Some(Form::Github) {
            console.talk(&ci::of_failure(&failure));
        }
        Exit::Failure
    })
}

/// Help and version are answers; everything else that clap says is an error.
fn usage(error: &clap::Error, console: &mut Console<'_>) -> Exit {
    let styled = error.render();
    let colour = console.colour
        && if error.use_stderr() { console.err_is_terminal } else { console.out_is_terminal };
    let text = if colour { styled.ansi().to_string() } else { styled.to_string() };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            console.data(&text).map_or(Exit::Failure, |()| Exit::Success)
        }
        _ => {
            console.talk(&text);
            Exit::Failure
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A comparison that knows its verdict.
    #[derive(Debug, Parser)]
    #[command(name = "verdict", version, help_template = HELP)]
    struct Verdict {
        code: u8,
    }

    impl CommandLine for Verdict {
        fn format(&self) -> Format {
            Format::Text
        }

        fn answer(&self, console: &mut Console<'_>) -> Result<Exit, Failure> {
            console.data("an answer\n")?;
            match self.code {
                0 => Ok(Exit::Success),
                1 => Ok(Exit::Disagree),
                3 => Ok(Exit::Inconclusive),
                code => Err(Failure::run("v6", format!("no verdict is {code}"))),
            }
        }
    }

    fn verdict(words: &str, out: &mut (dyn Write + Send)) -> (u8, String) {
        let mut err = Vec::new();
        let args = ["verdict"].into_iter().chain(words.split_whitespace());
        let exit = Verdict::run(args, out, &mut err);
        (exit.code(), String::from_utf8(err).expect("UTF-8"))
    }

    #[test]
    fn a_verdict_is_an_exit_code() {
        for code in [0, 1, 3] {
            assert_eq!(verdict(&code.to_string(), &mut Vec::new()), (code, String::new()));
        }
        let failed = (2, "error: v6: no verdict is 2\n".to_string());
        assert_eq!(verdict("2", &mut Vec::new()), failed);
        assert_eq!(verdict("--help", &mut Vec::new()).0, 0);
        assert_eq!(verdict("no-number", &mut Vec::new()).0, 2);
    }

    /// A stream that takes nothing, for a reason.
    struct Refusing(io::ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_changes_no_verdict_and_a_full_disk_does() {
        let mut closed = Refusing(io::ErrorKind::BrokenPipe);
        assert_eq!(verdict("1", &mut closed), (1, String::new()));
        let mut full = Refusing(io::ErrorKind::StorageFull);
        let (code, talk) = verdict("1", &mut full);
        assert!(code == 2 && talk.starts_with("error: cannot write: "), "{talk}");
    }
}
