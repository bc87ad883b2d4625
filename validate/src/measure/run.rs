//! Measuring scenarios with `live` as a child process.
//!
//! Each scenario is written as one complete file into a temporary folder.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use clap::ValueEnum as _;
use live::Interrupt;
use live::cli::{Audience, On};
use live::run::Display;
use live::temporary;
use live::watch::Heard;
use model::read::Resolved;
use model::report::Report;
use render::{Console, Exit, Failure, Format};
use serde::Deserialize;

use crate::measure::child;
use crate::measure::rounds::Decider;

/// Scenarios to measure, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LiveRun<'a> {
    /// In turns, under these names.
    pub scenarios: &'a [&'a Resolved],
    /// On this stack.
    pub on: &'a On,
    /// So many rounds of each, and then as many as a decider wants.
    pub rounds: u32,
    /// Where runs are kept.
    pub out: &'a Path,
    /// How the child prints failures.
    pub failures: Format,
    /// Objectives beside those of the files.
    pub keep: &'a [String],
}

/// The measured reports, and how measuring ended.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// Of the first scenarios, in order; all of them unless it was ended early.
    pub reports: Vec<Report>,
    /// How it ended.
    pub end: End,
}

/// How measuring ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All was measured.
    Whole,
    /// The user stopped it.
    Interrupted,
    /// Something failed, and the child has printed what.
    Failed,
}

/// Measures the scenarios of `order`; more rounds of them as the `decider` says, if there is one. What
/// is measured is shown to the `audience`, which knows the predictions.
///
/// The child that measures knows nothing of the predictions, and tells what it sees; this process
/// shows both, and holds one against the other.
///
/// # Errors
/// The child cannot be run, or the answer cannot be read.
pub(crate) fn measure(
    order: &LiveRun<'_>,
    audience: Audience,
    decider: Option<&mut Decider<'_>>,
    interrupt: &Interrupt,
    console: &mut Console<'_>,
) -> Result<Measured, Failure> {
    let system = |error: io::Error| Failure::System(format!("cannot measure: {error}"));
    temporary::prepare(order.out).map_err(|error| Failure::System(error.to_string()))?;
    let temporary =
        temporary::temporary(order.out).map_err(|error| Failure::System(error.to_string()))?;
    let files = write(order.scenarios, temporary.path()).map_err(system)?;
    let answer = temporary.path().join("answer.json");
    // The terminal may be taken.
    let talk = audience.has_screen().then(|| temporary.path().join("talk"));
    let words = words(order, &files, audience.display(), decider.is_some());
    let status = heard(words, &answer, talk.as_deref(), &audience, decider, interrupt);
    audience.end(console);
    if let Some(talk) = talk {
        console.talk(&fs::read_to_string(talk).unwrap_or_default());
    }
    let status = status.map_err(system)?;
    let text = fs::read_to_string(&answer).map_err(system)?;
    let reports = read(&text, order.scenarios.len()).map_err(|error| {
        Failure::System(format!("the measurement gave an answer that is no report: {error}"))
    })?;
    let is = |exit: Exit| status.code() == Some(i32::from(exit.code()));
    let end = match () {
        () if is(Exit::Failure) => End::Failed,
        // An objective that is broken is an answer too.
        () if is(Exit::Success) || is(Exit::Inconclusive) || is(Exit::Broken) => {
            match interrupt.is_set() {
                true => End::Interrupted,
                false => End::Whole,
            }
        }
        // The child did not handle signals yet.
        () if interrupt.is_set() => {
            return Err(Failure::System("interrupted before anything was measured".into()));
        }
        () => return Err(Failure::System(format!("the measurement ended with {status}"))),
    };
    Ok(Measured { reports, end })
}

/// Puts each scenario into a file that has its name, in a folder of its own: two may be
/// called the same.
fn write(scenarios: &[&Resolved], folder: &Path) -> io::Result<Vec<PathBuf>> {
    // Whatever the name of the folder begins with, it is no option.
    let folder = std::path::absolute(folder)?;
    let write = |(index, resolved): (usize, &&Resolved)| {
        let own = folder.join(index.to_string());
        fs::create_dir(&own)?;
        let name = format!("{}.toml", resolved.scenario.name);
        for (name, text) in resolved.to_files(&name) {
            fs::write(own.join(name), text)?;
        }
        Ok(own.join(name))
    };
    scenarios.iter().enumerate().map(write).collect()
}

/// Runs the child to its end: what it tells is shown to the `audience`, and the `decider` answers what
/// it asks. What it writes to its standard error goes to the file `talk`, if there is one.
fn heard(
    words: Vec<OsString>,
    answer: &Path,
    talk: Option<&Path>,
    audience: &Audience,
    mut decider: Option<&mut Decider<'_>>,
    interrupt: &Interrupt,
) -> io::Result<ExitStatus> {
    if audience.display().is_none() && decider.is_none() {
        return child::live(words, answer, talk, None, interrupt);
    }
    let (input, heard) = Heard::pair()?;
    std::thread::scope(|threads| {
        // It ends with the child, which holds the other end alone.
        threads.spawn(move || {
            heard.listen(|message| audience.tell(message), |came| decider.as_mut()?.next(came));
        });
        child::live(words, answer, talk, Some(input), interrupt)
    })
}

/// What the child is to do; where what it measures is `shown`, if it is; and, if a decider `decides`, that it
/// asks what is measured next.
fn words(
    order: &LiveRun<'_>,
    files: &[PathBuf],
    shown: Option<Display>,
    decides: bool,
) -> Vec<OsString> {
    let failures = match order.failures {
        Format::Text | Format::Markdown => "text",
        Format::Json => "json",
    };
    let words = ["--failures", failures, "run", "--format", "json", "--repeat"].map(Into::into);
    let more = [order.rounds.to_string().into(), child::joined("--out", order.out)];
    let files = files.iter().map(OsString::from);
    let keep = order.keep.iter().map(|one| format!("--keep={one}").into());
    let tell = shown.and_then(|display| display.to_possible_value());
    let tell = tell.map(|display| format!("--tell={}", display.get_name()).into());
    let ask = decides.then(|| "--ask".into());
    let words = words.into_iter().chain(more).chain(keep).chain(tell).chain(ask);
    words.chain(child::on(order.on)).chain(files).collect()
}

/// The reports of an answer to an order of so many scenarios; none of an empty one.
fn read(text: &str, ordered: usize) -> serde_json::Result<Vec<Report>> {
    /// Reports side by side.
    #[derive(Deserialize)]
    struct Document {
        rungs: Vec<Rung>,
    }
    #[derive(Deserialize)]
    struct Rung {
        #[serde(flatten)]
        report: Report,
    }
    match ordered {
        _ if text.trim().is_empty() => Ok(Vec::new()),
        1 => Ok(vec![serde_json::from_str(text)?]),
        _ => {
            let document: Document = serde_json::from_str(text)?;
            Ok(document.rungs.into_iter().map(|rung| rung.report).collect())
        }
    }
}
