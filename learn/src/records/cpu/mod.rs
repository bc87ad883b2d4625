//! CPU that processes used, from what recorded it.

mod cgroup;
mod counter;
mod docker;
mod pidstat;
mod table;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use model::read::Diagnostic;

pub use counter::Counter;

use super::lines::{self, Account, Broken};
use super::time::instant;

/// CPU seconds of each process, container or group that a record has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cpu {
    /// By name.
    pub sources: BTreeMap<String, Counter>,
    /// What a reader has to know, in whole sentences.
    pub notes: Vec<String>,
}

/// Forms of CPU records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A table with a line of names.
    Table,
    /// What `pidstat` prints.
    Pidstat,
    /// What `docker stats` prints, and what Docker's API says.
    Docker,
    /// Samples of a control group's `cpu.stat`.
    Cgroup,
}

impl Form {
    /// The form of a text by its first lines.
    pub fn of(head: &str) -> Form {
        if head.contains("usage_usec") && !head.lines().any(|line| line.contains(",usage_usec")) {
            return Form::Cgroup;
        }
        let docker = ["CPU %", "CPUPerc", "cpu_stats"];
        if docker.iter().any(|word| head.contains(word)) {
            return Form::Docker;
        }
        if head.contains("%CPU") && !head.contains(",%CPU") {
            return Form::Pidstat;
        }
        Form::Table
    }
}

/// Reads lines of a form.
enum Reader {
    Table(table::Table),
    Pidstat(pidstat::Pidstat),
    Docker(docker::Docker),
    Cgroup(cgroup::Cgroup),
}

/// Reads a record of CPU, whatever its form.
///
/// # Errors
/// The file cannot be read, or too much of it is broken, or no CPU is in it.
pub fn read(file: &Path) -> Result<Cpu, Diagnostic> {
    let unreadable = |error: io::Error| lines::unreadable(file, &error);
    let mut from = lines::open(file).map_err(unreadable)?;
    let head = from.fill_buf().map_err(unreadable)?;
    let form = Form::of(&String::from_utf8_lossy(&head[..head.len().min(4096)]));
    let (mut cpu, account) = samples(form, from).map_err(unreadable)?;
    account.check(
        file,
        "a CSV file with a line of names (`time,cpu_seconds` or `time,cpu_percent`), what `pidstat` or \
         `docker stats` print, or samples of a control group's `cpu.stat`",
        "write a line with the time (`date +%s`) before each sample that has none",
    )?;
    cpu.notes.extend(account.note(file));
    cpu.sources.retain(|_, counter| counter.samples() >= 2);
    if cpu.sources.is_empty() {
        return Err(Diagnostic::of_file(
            file.display().to_string(),
            "has no two samples of CPU with their times",
            "at least two samples with times",
            "record more, about one sample a second",
        ));
    }
    Ok(cpu)
}

/// The samples of a text, and an account of its lines.
///
/// # Errors
/// Those of the stream.
pub fn samples(form: Form, from: impl io::BufRead) -> io::Result<(Cpu, Account)> {
    let mut cpu = Cpu::default();
    let mut reader = match form {
        Form::Table => Reader::Table(Default::default()),
        Form::Pidstat => Reader::Pidstat(Default::default()),
        Form::Docker => Reader::Docker(Default::default()),
        Form::Cgroup => Reader::Cgroup(Default::default()),
    };
    let account = lines::each(from, |line| match &mut reader {
        Reader::Table(table) => table.line(line, &mut cpu),
        Reader::Pidstat(pidstat) => pidstat.line(line, &mut cpu),
        Reader::Docker(docker) => docker.line(line, &mut cpu),
        Reader::Cgroup(cgroup) => cgroup.line(line, &mut cpu),
    })?;
    if let Reader::Pidstat(pidstat) = &reader {
        pidstat.end(&mut cpu);
    }
    if let Reader::Table(table) = reader {
        table.end(&mut cpu);
    }
    Ok((cpu, account))
}

impl Cpu {
    /// The CPU seconds that `source` had used by `time`.
    fn total(&mut self, source: &str, time: f64, seconds: f64) {
        self.counter(source).total(time, seconds);
    }

    /// The share of one processor that `source` used since its last sample.
    fn share(&mut self, source: &str, time: f64, share: f64) {
        self.counter(source).share(time, share);
    }

    fn counter(&mut self, source: &str) -> &mut Counter {
        if !self.sources.contains_key(source) {
            self.sources.insert(source.to_owned(), Counter::default());
        }
        self.sources.entry(source.to_owned()).or_default()
    }

    /// All sources together whose name holds `wanted`; all of them if it is none.
    pub fn only(mut self, wanted: Option<&str>) -> Cpu {
        if let Some(wanted) = wanted {
            self.sources.retain(|name, _| name.contains(wanted));
        }
        self
    }
}

/// The time that a line of its own says: `1795890619`, `# 2026-11-28T18:30:19Z`.
fn stamp(line: &str) -> Option<f64> {
    instant(
        line.trim_start_matches(['#', ' '])
            .trim_start_matches("time")
            .trim_start_matches([' ', ':']),
    )
}

/// The time at the beginning of a line, and the rest of it.
fn stamped(line: &str) -> (Option<f64>, &str) {
    let line = line.trim_start();
    match line.split_once([' ', '\t', ',']) {
        Some((first, rest)) if instant(first).is_some() => (instant(first), rest.trim_start()),
        _ => (None, line),
    }
}

/// A share of a processor: `12.34%`, `12,34`.
fn percent(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches('%').trim();
    let number: f64 = text.parse().or_else(|_| text.replace(',', ".").parse()).ok()?;
    (number.is_finite() && number >= 0.0).then_some(number / 100.0)
}

/// A line that has no time and comes after none.
fn no_time() -> Broken {
    Broken::new("no time is known of it: a line with the time must come first")
}
