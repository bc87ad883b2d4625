//! Questions over HTTP: a scenario with its files as JSON in, the document of a command out.
//!
//! An answer has the bytes that the command prints with `--format json` for the same files, changes and
//! seed. No file of this machine is read. A question may use so many events and so much memory; both are
//! watched by the runs themselves ([`crate::stop`]).

mod json;
mod openapi;
mod question;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use model::read::{Diagnostics, Resolved, Rung};
use model::report::Report;
use render::ladder::{Document, steps};
use serde_json::json;
use serve::{Answer, Api, Problem};

use crate::engine::Runaway;
use crate::explain::Explanation;
use crate::failure::Failure;
use crate::over_time::over_time;
use crate::predict::{Experiment, predict};
use crate::replicate::Effort;
use crate::size;
use crate::stop::{self, Budget, Limits, Passed};
use question::Question;

/// What can be asked: a command of `sim` each.
pub const OPERATIONS: [&str; 4] = ["predict", "explain", "size", "ladder"];

/// The engine as clients ask it.
#[derive(Clone, Copy, Debug)]
pub struct Predictions {
    /// What one question may use.
    pub limits: Limits,
    /// Threads that work on one question.
    pub threads: usize,
}

impl Api for Predictions {
    fn operations(&self) -> &'static [&'static str] {
        &OPERATIONS
    }

    fn description(&self) -> String {
        render::json(&openapi::description())
    }

    fn answer(&self, operation: &'static str, body: &[u8], stop: &Arc<AtomicBool>) -> Answer {
        let budget = Arc::new(Budget::new(stop, self.limits));
        let work = || {
            let question = Question::read(operation, body).map_err(not_understood)?;
            answer(operation, &question)
                .map_err(|failure| self.problem(&question, &budget, failure))
        };
        let document = stop::within(&budget, self.threads, work).unwrap_or_else(|error| {
            let detail = format!("cannot start threads: {error}");
            Err(Problem::new(503, "threads", "The machine is too busy", detail))
        });
        Answer { document, events: budget.events() }
    }
}

/// Reads a question and its scenario, and looks at no more: what a body of any bytes can do before a run.
///
/// # Errors
/// Why there is no answer to it.
pub fn read(operation: &str, body: &[u8]) -> Result<(), Problem> {
    let question = Question::read(operation, body).map_err(not_understood)?;
    let loaded = match operation {
        "ladder" => question.rungs().map(|_| ()),
        _ => question.load(&question.opened()).and_then(|of| question.goal(&of).map(|_| ())),
    };
    loaded.map_err(|diagnostics| refused(&question, &diagnostics))
}

/// The document that the command prints.
fn answer(operation: &str, question: &Question) -> Result<String, Failure> {
    match operation {
        "size" => how_much(question),
        "ladder" => rungs(question),
        "explain" => explained(question),
        _ => predicted(question),
    }
}

fn predicted(question: &Question) -> Result<String, Failure> {
    let resolved = question.load(&[])?;
    let effort = question.effort(Effort::PRECISION)?;
    let experiment = Experiment::First(question.goal(&resolved)?);
    Ok(render::json(&report(question, &resolved, &effort, experiment)?))
}

fn explained(question: &Question) -> Result<String, Failure> {
    let resolved = question.load(&[])?;
    let effort = question.effort(Explanation::PRECISION)?;
    let experiment = Experiment::Path(question.goal(&resolved)?);
    let report = report(question, &resolved, &effort, experiment)?;
    Ok(render::json(&Explanation::new(&resolved.scenario, report)))
}

fn report(
    question: &Question,
    resolved: &Resolved,
    effort: &Effort,
    experiment: Experiment,
) -> Result<Report, Runaway> {
    let mut report = predict(resolved, effort, experiment, &mut |_| {})?;
    if question.over_time {
        let runs = report.run.replications;
        report.over_time = Some(over_time(&resolved.scenario, runs, effort.events_max)?);
    }
    Ok(report)
}

fn how_much(question: &Question) -> Result<String, Failure> {
    let resolved = question.load(&question.opened())?;
    size::check(&resolved)?;
    let events_max = Effort::default().events_max;
    let mut found = size::size(&resolved, events_max, size::BUDGET)?;
    if question.headroom {
        size::add_headroom(&mut found, &resolved, events_max, size::BUDGET)?;
    }
    Ok(render::json(&found))
}

fn rungs(question: &Question) -> Result<String, Failure> {
    let rungs = question.rungs()?;
    let effort = question.effort(Effort::PRECISION_OF_A_RUNG)?;
    let report =
        |rung: &Rung| predict(&rung.resolved, &effort, Experiment::First(None), &mut |_| {});
    let reports = rungs.iter().map(report).collect::<Result<_, Runaway>>()?;
    Ok(render::json(&Document::ladder(steps(&rungs, reports))))
}

/// The body is no question.
fn not_understood(why: String) -> Problem {
    Problem::new(400, "question", "The body is no question", why)
}

/// The scenario or its changes are wrong. Each error is told as the command tells it.
fn refused(question: &Question, diagnostics: &Diagnostics) -> Problem {
    let all = &diagnostics.diagnostics;
    let first =
        all.first().map_or(String::new(), |first| format!("{}: {}", first.file, first.found));
    let detail = match all.len() {
        1 => first,
        count => format!("{count} errors, the first of which is: {first}"),
    };
    let errors = all.iter().map(|problem| question.error(problem)).collect();
    Problem { errors, ..Problem::new(422, "scenario", "The scenario is refused", detail) }
}

impl Predictions {
    fn problem(&self, question: &Question, budget: &Budget, failure: Failure) -> Problem {
        let runaway = match failure {
            Failure::Refused(diagnostics) => return refused(question, &diagnostics),
            Failure::Run(runaway) => runaway,
            Failure::Other(why) => return not_understood(why),
        };
        match (runaway, budget.passed()) {
            (Runaway::Stopped, Some(passed)) => self.too_much(passed),
            (Runaway::Stopped, None) => {
                Problem::new(503, "stopped", "The answer was given up", "ask again")
            }
            (runaway, _) => {
                Problem::new(422, "run", "A run does not come to its end", runaway.to_string())
            }
        }
    }

    /// The question asks for more than is allowed here.
    fn too_much(&self, passed: Passed) -> Problem {
        const MIB: u64 = 1 << 20;
        let (limit, allowed, detail) = match passed {
            Passed::Events => (
                "events",
                self.limits.events,
                format!(
                    "the answer takes more than {} events, which is the limit here: shorten the load's \
                     duration, lower its rate, or ask for fewer replications",
                    self.limits.events
                ),
            ),
            Passed::Memory(needed) => (
                "memory",
                self.limits.memory,
                format!(
                    "a run needs up to {} MiB, and {} MiB are the limit here: lower the load or cap its \
                     users with load.max_users, or describe fewer endpoints",
                    needed.div_ceil(MIB),
                    self.limits.memory / MIB
                ),
            ),
        };
        let errors = vec![json!({ "limit": limit, "allowed": allowed })];
        Problem { errors, ..Problem::new(422, "limit", "The question asks for too much", detail) }
    }
}
