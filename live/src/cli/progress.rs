//! The line on a terminal that says what is happening.

use render::{Console, number};

use crate::load::Second;
use crate::run::Progress as Stage;

/// Back to the beginning of the line, and clear it.
const AGAIN: &str = "\r\x1b[K";
/// Columns of a terminal that does not say how many it has.
const COLUMNS: usize = 100;

/// A line on standard error that is written over and over, and cleared when this is dropped.
/// Written on terminals only.
pub(super) struct Line<'c, 'a> {
    console: &'c mut Console<'a>,
}

impl<'c, 'a> Line<'c, 'a> {
    /// A line on `console`, if that is a terminal.
    pub(super) fn new(console: &'c mut Console<'a>) -> Line<'c, 'a> {
        Line { console }
    }

    /// Writes `text` in place of what was there.
    pub(super) fn write(&mut self, text: &str) {
        if self.console.err_is_terminal {
            let line = cut(text, columns());
            self.console.talk(&format!("{AGAIN}{line}"));
        }
    }
}

impl Drop for Line<'_, '_> {
    fn drop(&mut self) {
        if self.console.err_is_terminal {
            self.console.talk(AGAIN);
        }
    }
}

/// The rounds of a measurement, told on one line.
pub(super) struct Progress<'c, 'a> {
    line: Line<'c, 'a>,
    /// Which scenario, and which round of how many.
    title: String,
}

impl<'c, 'a> Progress<'c, 'a> {
    /// Progress that is told on `console`, if anybody watches it.
    pub(super) fn new(console: &'c mut Console<'a>) -> Progress<'c, 'a> {
        Progress { line: Line::new(console), title: String::new() }
    }

    /// A round of the scenario `name` begins, one of `total`.
    pub(super) fn begin(&mut self, name: &str, round: usize, total: usize) {
        self.title = match total {
            1 => name.to_string(),
            _ => format!("{name} ({round} of {total})"),
        };
    }

    /// Something happened.
    pub(super) fn report(&mut self, what: Stage<'_>) {
        let text = match what {
            Stage::Starting => "starting".to_string(),
            Stage::Second(second, cpu) => line(second, cpu),
        };
        self.line.write(&format!("{}: {text}", self.title));
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
            let mut progress = Progress::new(&mut console);
            progress.begin("v2", 2, 3);
            progress.report(Stage::Starting);
            drop(progress);
            String::from_utf8(err).expect("UTF-8")
        };
        assert_eq!(told(true), format!("{AGAIN}v2 (2 of 3): starting{AGAIN}"));
        assert_eq!(told(false), "");
    }
}
