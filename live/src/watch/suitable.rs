//! Whether the whole terminal can be drawn on.

use std::fs::File;
use std::io::{IsTerminal as _, stderr, stdin};

use clap::ValueEnum;
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;

/// When the live terminal is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless NO_COLOR or CI says that it is not wanted
    Auto,
    /// On a terminal, whatever NO_COLOR and CI say; without colours under NO_COLOR
    Always,
}

/// Why the live terminal is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsuitable {
    /// There is nothing to draw on.
    #[error("standard error is no terminal")]
    NotATerminal,
    /// There is nothing to read keys from, not even to end it.
    #[error("there is no terminal to read keys from")]
    NoKeys,
    /// The terminal stops a background program that draws or reads keys.
    #[error("the program runs in the background")]
    Background,
    /// The terminal cannot be drawn on.
    #[error("TERM says that the terminal cannot be drawn on")]
    Dumb,
    /// The user wants plain output.
    #[error("NO_COLOR is set (--watch=always shows it without colours)")]
    NoColor,
    /// Nobody watches, though there may be a terminal.
    #[error("CI is set (--watch=always shows it all the same)")]
    Ci,
}

/// What decides.
#[derive(Clone, Debug)]
struct Surroundings {
    error_is_terminal: bool,
    has_keys: bool,
    in_foreground: bool,
    term: Option<String>,
    no_color: bool,
    ci: bool,
}

/// Why the live terminal cannot be shown by this process; none if it can.
///
/// It is drawn on standard error, as all progress is, and reads keys from standard input or the
/// terminal that controls the process. Standard output may be a file: the answer goes there.
pub fn unsuitable(when: When) -> Option<Unsuitable> {
    Surroundings::of_process().unsuitable(when)
}

/// Colours are wanted: `NO_COLOR` (no-color.org) is not set, or empty.
pub(super) fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

impl Surroundings {
    fn of_process() -> Surroundings {
        let variable =
            |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let says_no = |value: &String| ["", "0", "false"].contains(&value.as_str());
        Surroundings {
            error_is_terminal: stderr().is_terminal(),
            has_keys: stdin().is_terminal() || File::open("/dev/tty").is_ok(),
            // A terminal that does not control the process says nothing.
            in_foreground: tcgetpgrp(stderr()).is_ok_and(|group| group == getpgrp())
                || tcgetpgrp(stderr()).is_err(),
            term: variable("TERM"),
            no_color: !wants_colour(),
            ci: variable("CI").is_some_and(|value| !says_no(&value)),
        }
    }

    /// What cannot be is told before what is not wanted.
    fn unsuitable(&self, when: When) -> Option<Unsuitable> {
        let term = self.term.as_deref().unwrap_or("");
        let wanted = when == When::Always;
        Some(match () {
            () if !self.error_is_terminal => Unsuitable::NotATerminal,
            () if !self.has_keys => Unsuitable::NoKeys,
            () if !self.in_foreground => Unsuitable::Background,
            () if ["", "dumb"].contains(&term) => Unsuitable::Dumb,
            () if self.ci && !wanted => Unsuitable::Ci,
            () if self.no_color && !wanted => Unsuitable::NoColor,
            () => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is different, and why it is then not shown.
    type Case = (fn(&mut Surroundings), Unsuitable);

    #[test]
    fn it_is_shown_where_somebody_can_see_it_and_nothing_speaks_against_it() {
        let good = Surroundings {
            error_is_terminal: true,
            has_keys: true,
            in_foreground: true,
            term: Some("xterm".into()),
            no_color: false,
            ci: false,
        };
        let why = |change: fn(&mut Surroundings), when| {
            let mut here = good.clone();
            change(&mut here);
            here.unsuitable(when)
        };
        assert_eq!(good.unsuitable(When::Auto), None);
        let never: [Case; 5] = [
            (|here| here.error_is_terminal = false, Unsuitable::NotATerminal),
            (|here| here.has_keys = false, Unsuitable::NoKeys),
            (|here| here.in_foreground = false, Unsuitable::Background),
            (|here| here.term = None, Unsuitable::Dumb),
            (|here| here.term = Some("dumb".into()), Unsuitable::Dumb),
        ];
        for (change, reason) in never {
            assert_eq!(why(change, When::Auto), Some(reason));
            assert_eq!(why(change, When::Always), Some(reason));
        }
        let unless_wanted: [Case; 2] = [
            (|here| here.no_color = true, Unsuitable::NoColor),
            (|here| here.ci = true, Unsuitable::Ci),
        ];
        for (change, reason) in unless_wanted {
            assert_eq!(why(change, When::Auto), Some(reason));
            assert_eq!(why(change, When::Always), None);
        }
    }
}
