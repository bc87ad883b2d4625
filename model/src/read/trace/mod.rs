//! Recorded arrivals: a file of times, or the log of a server.
//!
//! The file is read when the key that names it is, so that nothing behind this module sees one.

mod line;
mod time;

use std::sync::Arc;

use super::diagnostic::{Problem, Problems, brief};
use super::extends::unreadable;
use super::files::{self, Files, LONGEST_TRACE};
use super::source::Sources;
use super::tree::{Node, Table, Value};
use crate::keys::{Position, WrittenTrace};
use crate::trace::{Names, Trace};
use crate::units::Instant;
use line::{Form, Line};
use time::Time;

/// Most arrivals of one trace.
const MOST_ARRIVALS: usize = 4_000_000;
/// Most lines of one file that are reported one by one.
const MOST_LINES: usize = 10;
/// The longest trace, in nanoseconds: later times would be taken for seconds since 1970.
const LONGEST: u64 = time::FIRST_EPOCH * time::SECOND;

/// Puts the arrivals in the place of each path of a trace in the table of a scenario, or in that
/// of one key.
pub(crate) fn name_traces(
    table: &mut Table,
    directories: &[String],
    files: &dyn Files,
    sources: &mut Sources,
    problems: &mut Problems,
) {
    let Some(load) = table.get_mut("load") else { return };
    let Value::Table(load) = &mut load.node.value else { return };
    let mut name = |table: &mut Table, key: &str| {
        if let Some(entry) = table.get_mut("trace") {
            name_trace(&mut entry.node, key, directories, files, sources, problems);
        }
    };
    name(load, "load.trace");
    let Some(Value::List(groups)) = load.get_mut("group").map(|entry| &mut entry.node.value) else {
        return;
    };
    for group in groups {
        if let Value::Table(group) = &mut group.value {
            name(group, "load.group.trace");
        }
    }
}

/// If `node` is the path of a trace as seen from one of `directories`, or the lines of one, reads
/// it.
fn name_trace(
    node: &mut Node,
    key: &str,
    directories: &[String],
    files: &dyn Files,
    sources: &mut Sources,
    problems: &mut Problems,
) {
    let Value::Text(text) = &node.value else { return };
    let (name, content) = if text.contains('\n') {
        ("inline".into(), Ok(text.clone()))
    } else {
        let paths: Vec<String> =
            directories.iter().map(|directory| files::join(directory, text)).collect();
        let path = paths.iter().find(|path| files.exists(path)).or(paths.last());
        let Some(path) = path else { return };
        (path.clone(), files.read(path, LONGEST_TRACE))
    };
    node.value = match content {
        Ok(content) => {
            let (source, _) = sources.locate(node.at);
            let shown = if name == "inline" { format!("{key} of {source}") } else { name.clone() };
            let at = sources.add(&shown, Some(content.clone()));
            match read(&content, at, problems) {
                Some((trace, firsts)) => Value::Trace(WrittenTrace {
                    name: name.into(),
                    source: at.source,
                    firsts: firsts.into(),
                    trace: Arc::new(trace),
                }),
                None => Value::Broken,
            }
        }
        Err(why) => {
            let problem = Problem::new(node.at, format!("`{key}` is \"{}\": {why}", brief(text)));
            let allowed = "a text file of at most 64MiB with one arrival on each line";
            problems.push(unreadable(files, &name, text, problem, &why, allowed));
            Value::Broken
        }
    };
}

/// What is wrong with the lines of a file: the first few, and then their number.
struct Wrong<'a> {
    problems: &'a mut Problems,
    at: Position,
    found: usize,
    first_untold: u32,
}

impl Wrong<'_> {
    fn push(&mut self, offset: u32, problem: impl FnOnce(Position) -> Problem) {
        self.found += 1;
        match self.found.cmp(&(MOST_LINES + 1)) {
            std::cmp::Ordering::Less => self.problems.push(problem(self.at_offset(offset))),
            std::cmp::Ordering::Equal => self.first_untold = offset,
            std::cmp::Ordering::Greater => {}
        }
    }

    fn at_offset(&self, offset: u32) -> Position {
        Position { offset, ..self.at }
    }

    /// True if nothing was wrong.
    fn end(self) -> bool {
        if self.found > MOST_LINES {
            let more = self.found - MOST_LINES;
            self.problems.push(
                Problem::new(
                    self.at_offset(self.first_untold),
                    format!(
                        "{more} more {} wrong from here on",
                        if more == 1 { "line is" } else { "lines are" }
                    ),
                )
                .allowed("a file in which every line is an arrival")
                .advice("put those right that are named, and try again"),
            );
        }
        self.found == 0
    }
}

/// Reads all lines. Gives the arrivals and where each of their names first stands.
fn read(text: &str, at: Position, problems: &mut Problems) -> Option<(Trace, Vec<u32>)> {
    let mut lines = lines(text);
    let form = Form::of(lines.clone().next().map_or("", |(_, line)| line));
    if form.has_header() {
        lines.next();
    }
    let mut trace =
        Trace::new(if form.is_of_requests() { Names::Requests } else { Names::Endpoints });
    let mut wrong = Wrong { problems, at, found: 0, first_untold: 0 };
    let (mut firsts, mut start, mut last): (Vec<u32>, Option<Time>, u64) = (Vec::new(), None, 0);
    for (offset, line) in lines {
        let Line { time, name } = match form.line(line) {
            Ok(line) => line,
            Err((found, allowed)) => {
                wrong.push(offset, |at| Problem::new(at, found).allowed(allowed));
                continue;
            }
        };
        let start = *start.get_or_insert(time);
        let Some(nanos) = time.since(start) else {
            wrong.push(offset, |at| unlike_the_first(at, line));
            continue;
        };
        // The first line stays what later ones are compared with where one is wrong.
        let Some(nanos) = nanos.filter(|&nanos| nanos >= last) else {
            wrong.push(offset, |at| unsorted(at, line));
            continue;
        };
        if nanos >= LONGEST || trace.len() == MOST_ARRIVALS {
            wrong.push(offset, too_many);
            break;
        }
        last = nanos;
        if let Some((_, true)) = trace.push(Instant::from_nanos(nanos), name.as_deref()) {
            firsts.push(offset);
        }
    }
    let sound = wrong.end();
    if sound && trace.is_empty() {
        problems.push(
            Problem::new(at, "there is no arrival in it")
                .allowed("one arrival on each line: a time, or `time,endpoint`")
                .advice("record some requests first, or write `load.rate` instead"),
        );
        return None;
    }
    if form.is_log() {
        spread_over_seconds(&mut trace);
    }
    sound.then_some((trace, firsts))
}

/// Lines that say something, and where each begins.
fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> + Clone {
    let mut offset = 0;
    text.split('\n').filter_map(move |whole| {
        let begin = offset;
        offset += whole.len() + 1;
        let line = whole.trim_start_matches('\u{feff}').trim();
        // A file has at most 64MiB.
        (!line.is_empty() && !line.starts_with('#')).then_some((begin as u32, line))
    })
}

/// A log says only in which second a request came: those of one second are spread evenly over it,
/// in their order.
fn spread_over_seconds(trace: &mut Trace) {
    let mut begin = 0;
    while begin < trace.len() {
        let at = trace.at(begin as u64);
        let together = (begin..trace.len()).take_while(|&i| trace.at(i as u64) == at).count();
        for number in 0..together {
            let Some(at) = at else { return };
            let later = time::SECOND * number as u64 / together as u64;
            trace.set_at(begin + number, Instant::from_nanos(at.nanos() + later));
        }
        begin += together;
    }
}

fn unlike_the_first(at: Position, line: &str) -> Problem {
    Problem::new(at, format!("\"{}\" has another form of time than the lines before", brief(line)))
        .allowed("one form in a file: seconds from the start, seconds since 1970, or ISO 8601")
}

fn unsorted(at: Position, line: &str) -> Problem {
    Problem::new(at, format!("\"{}\" is earlier than the line before", brief(line)))
        .allowed("arrivals in the order of time")
        .advice("sort the lines by time: a server's log has its lines in the order of replies")
}

fn too_many(at: Position) -> Problem {
    Problem::new(at, "the trace is too long from here on")
        .allowed(format!("at most {MOST_ARRIVALS} arrivals in less than {} s", time::FIRST_EPOCH))
        .advice("keep the part of it that you want to replay")
}

/// Checks that what the trace of `load` calls is there. `path` is the load's.
pub(crate) fn check_names(
    written: &WrittenTrace,
    path: &str,
    endpoints: &[crate::scenario::Endpoint],
    problems: &mut Problems,
) {
    let trace = &written.trace;
    let Some(found) = trace.endpoints(endpoints) else { return };
    let at = Position { source: written.source, offset: 0 };
    let mut wrong = Wrong { problems, at, found: 0, first_untold: 0 };
    let names = trace.names().iter().zip(&*written.firsts).zip(&found);
    for ((name, &offset), _) in names.filter(|(_, endpoint)| endpoint.is_none()) {
        let known = endpoints.iter().map(|endpoint| &*endpoint.name);
        let problem = |at| {
            Problem::new(
                at,
                format!("`{path}.trace` calls `{}`, which is no endpoint", brief(name)),
            )
            .allowed("names of endpoints of this scenario")
            .advice("add an endpoint of that name, or take these lines out")
            .maybe_advice(super::diagnostic::did_you_mean(name, known))
        };
        wrong.push(offset, problem);
    }
    wrong.end();
}

#[cfg(test)]
mod tests;
