//! How a measurement is followed: on a line that is written over and over, on the whole terminal, or
//! by other programs.

use render::{Console, number};

use super::watch::{Shown, sample};
use crate::load::Second;
use crate::machine::Cpus;
use crate::run::{Onlooker, Progress as Stage};
use crate::watch::{Came, Message, Socket};

/// Back to the beginning of the line, and clear it.
const AGAIN: &str = "\r\x1b[K";
/// Columns of a terminal that does not say how many it has.
const COLUMNS: usize = 100;

/// A line on standard error that is written over and over, and cleared when this is dropped.
/// Written on terminals only.
pub(super) struct Line<'c, 'a> {
    console: &'c mut Console<'a>,
    /// Something stands there.
    written: bool,
}

impl<'c, 'a> Line<'c, 'a> {
    /// A line on `console`, if that is a terminal.
    pub(super) fn new(console: &'c mut Console<'a>) -> Line<'c, 'a> {
        Line { console, written: false }
    }

    /// Writes `text` in place of what was there.
    pub(super) fn write(&mut self, text: &str) {
        if self.console.err_is_terminal {
            let line = cut(text, columns());
            self.console.talk(&format!("{AGAIN}{line}"));
            self.written = true;
        }
    }
}

impl Line<'_, '_> {
    /// Clears what stands there.
    fn clear(&mut self) {
        if std::mem::take(&mut self.written) {
            self.console.talk(AGAIN);
        }
    }
}

impl Drop for Line<'_, '_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The rounds of a measurement, as they are followed.
pub(super) struct Progress<'c, 'a> {
    /// Where the terminal is not taken.
    line: Line<'c, 'a>,
    /// What else shows it.
    shown: Option<Shown>,
    /// The parent process, which decides what is measured next, if it does not show the numbers too.
    decider: Option<Socket>,
    /// Which scenario, and which round of how many.
    title: String,
}

/// A round that begins.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    /// The scenario, among others from 0, and its name.
    pub(super) scenario: usize,
    pub(super) name: &'a str,
    /// Which round of it, from 0.
    pub(super) round: u32,
    /// Which of all rounds, from 1, and how many those are; none if that is decided as they come.
    pub(super) number: usize,
    pub(super) total: Option<usize>,
    /// Where the load generator runs.
    pub(super) cpus: &'a Cpus,
}

impl<'c, 'a> Progress<'c, 'a> {
    /// Progress that is written on `console`, if that is a terminal and not taken. `decider`, or the parent
    /// process that is `shown` the numbers, is asked what is measured next.
    pub(super) fn new(
        console: &'c mut Console<'a>,
        shown: Option<Shown>,
        decider: Option<Socket>,
    ) -> Progress<'c, 'a> {
        Progress { line: Line::new(console), shown, decider, title: String::new() }
    }

    /// Which scenario is measured next, after all this has come; none if it is enough.
    pub(super) fn ask(&mut self, came: &[Came]) -> Option<usize> {
        let shown = self.shown.as_mut().and_then(Shown::parent);
        self.decider.as_mut().or(shown)?.ask(came)
    }

    /// A round begins.
    pub(super) fn begin(&mut self, turn: &Turn<'_>) {
        let Turn { scenario, name, round, number, total, cpus } = *turn;
        self.title = match total {
            Some(1) => name.to_string(),
            Some(total) => format!("{name} ({number} of {total})"),
            None => format!("{name} (round {})", round + 1),
        };
        if let Some(shown) = &mut self.shown {
            shown.tell(Message::Round { scenario, round, cpus: cpus.clone() });
        }
    }

    /// The display that runs during a round. Its CPU time is counted apart.
    pub(super) fn onlooker(&self) -> Option<Onlooker> {
        self.shown.as_ref().and_then(Shown::onlooker)
    }

    /// Something happened.
    pub(super) fn report(&mut self, what: Stage<'_>) {
        if let Some(shown) = &mut self.shown {
            match what {
                Stage::Starting => {}
                Stage::Load => shown.tell(Message::Load),
                Stage::Second(ref seen) => shown.tell(Message::Second(Box::new(sample(seen)))),
                Stage::Ended => shown.tell(Message::Ended),
            }
            if shown.has_screen() {
                return;
            }
        }
        let text = match what {
            Stage::Starting => "starting".to_string(),
            Stage::Second(seen) => line(&seen.second.second, seen.busy),
            Stage::Load | Stage::Ended => return,
        };
        self.line.write(&format!("{}: {text}", self.title));
    }

    /// The measurement is over. The terminal is as it was before anything else is told on it.
    pub(super) fn end(mut self) {
        self.line.clear();
        if let Some(shown) = self.shown.take() {
            shown.end(self.line.console);
        }
    }
}

/// Columns of the terminal at standard error.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stderr());
    size.ok().map(|size| usize::from(size.ws_col)).filter(|&wide| wide > 0).unwrap_or(COLUMNS)
}

/// What of `line` fits into so many `columns`: what wraps cannot be cleared. The last column
/// stays free, where some terminals wrap already.
fn cut(line: &str, columns: usize) -> String {
    line.chars().take(columns.saturating_sub(1)).collect()
}

fn line(second: &Second, cpu: Option<f64>) -> String {
    let rate = second.good as f64 * 1e9 / second.length.max(1) as f64;
    let time = |nanos: u64| match second.good {
        0 => "-".to_string(),
        _ => number::time(nanos as f64 / 1e9),
    };
    let cpu = cpu.map_or_else(String::new, |cpu| format!(", CPU {}", number::percent(cpu)));
    format!(
        "{} s: {}/s good, P50 {}, P99 {}, {} errors, {} in flight{cpu}",
        second.index + 1,
        number::rate(rate),
        time(second.p50),
        time(second.p99),
        second.errors,
        second.in_flight,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_to_the_terminal() {
        assert_eq!(cut("v2: P50 10 µs", 80), "v2: P50 10 µs");
        assert_eq!(cut("v2: P50 10 µs", 13), "v2: P50 10 µ");
        assert_eq!(cut("v2", 0), "");
    }

    #[test]
    fn the_line_is_cleared_at_the_end_and_only_where_it_is_watched() {
        let told = |watched: bool| {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut console = Console::plain(&mut out, &mut err);
            console.err_is_terminal = watched;
            let mut progress = Progress::new(&mut console, None, None);
            let cpus = Cpus::default();
            let (number, total) = (2, Some(3));
            let turn = Turn { scenario: 0, name: "v2", round: 1, number, total, cpus: &cpus };
            progress.begin(&turn);
            progress.report(Stage::Starting);
            drop(progress);
            String::from_utf8(err).expect("UTF-8")
        };
        assert_eq!(told(true), format!("{AGAIN}v2 (2 of 3): starting{AGAIN}"));
        assert_eq!(told(false), "");
    }
}
