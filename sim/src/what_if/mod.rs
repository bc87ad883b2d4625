//! What-ifs about one scenario: a question as JSON in, an answer as JSON out.
//!
//! A page asks, and does not care where the engine runs: in a server process or in the browser itself.
//! So this room knows neither: `Subject` is what is asked about, `Subject::ask` is all there is.
//!
//! A change is answered twice. A *rough* answer is a few short runs, soon there. The *sharp* one is
//! that of `sim scenario`: the same document, byte by byte.

mod child;
mod numbers;
mod rough;
mod texts;

use std::path::{Path, PathBuf};

use model::read::{Control, Diagnostic, Diagnostics, Resolved, load};
use model::report::{LoadKind, Size};
use model::scenario::Source;
use render::beside::Headline as _;
use render::{Answer as _, Keep, figures};
use serde::{Deserialize, Serialize};

use crate::engine::Runaway;
use crate::failure::Failure;
use crate::predict::{Experiment, Stage, predict};
use crate::replicate::Effort;
use crate::size;

use numbers::Limit;
pub use numbers::{Numbers, Runs};
pub use texts::Texts;

/// What is asked about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A file, read anew for each question.
    File(PathBuf),
    /// A scenario in memory.
    Texts(Texts),
}

/// A question.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    ask: Ask,
    /// Changes of the scenario, as `--set` has them.
    #[serde(default)]
    set: Vec<String>,
    /// What it is to keep, as `--keep` has it.
    #[serde(default)]
    keep: Vec<String>,
    /// Runs of the scenario before the changes, to compare with.
    #[serde(default)]
    against: Option<Runs>,
    /// How much load: look for a rate of arrivals, where the file has users.
    #[serde(default)]
    open: bool,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ask {
    /// The scenario's keys.
    Keys,
    /// Its numbers, roughly.
    Rough,
    /// Its numbers, the limit and what to change.
    Sharp,
    /// How much load it takes.
    Size,
    /// A file that extends the scenario and has the changes.
    Child,
    /// The answer with all pictures as a page of its own.
    Page,
}

/// An answer.
#[derive(Debug, Serialize)]
#[serde(tag = "answer", rename_all = "lowercase")]
enum Answer {
    Keys(Keys),
    Numbers(Box<Numbers>),
    Size(HowMuch),
    Child {
        text: String,
    },
    Page {
        html: String,
    },
    /// The files or the changes are wrong.
    Refused {
        problems: Vec<Diagnostic>,
    },
    /// There is no answer.
    Failed {
        why: String,
    },
    /// Nobody waits for it.
    Stopped,
}

/// A scenario and its keys.
#[derive(Debug, Serialize)]
struct Keys {
    name: String,
    question: Option<String>,
    /// The file as the user names it.
    file: String,
    /// What `sim size` looks for here: users, or a rate; none if the load is not steady.
    load: Option<LoadKind>,
    objectives: Vec<String>,
    controls: Vec<Control>,
    /// Values that are allowed but probably a mistake.
    notes: Vec<String>,
}

/// How much load it takes.
#[derive(Debug, Serialize)]
struct HowMuch {
    sentence: String,
    /// The key and the highest load at which all is surely kept.
    set: Option<String>,
    /// What to change first, so that more load keeps all.
    first: Option<Limit>,
    /// The load that is taken with that, in a sentence.
    gain: Option<String>,
    warnings: Vec<String>,
    figures: Vec<String>,
    /// What `sim size --format json` prints.
    document: String,
}

impl Subject {
    /// The answer to a question, both as JSON.
    pub fn ask(&self, question: &str) -> String {
        let answer = match serde_json::from_str::<Question>(question) {
            Ok(question) => self.answer(&question),
            Err(why) => Err(Failure::Other(format!("this is no question: {why}"))),
        };
        let answer = answer.unwrap_or_else(|failure| match failure {
            Failure::Refused(refused) => Answer::Refused { problems: refused.diagnostics },
            Failure::Run(Runaway::Stopped) => Answer::Stopped,
            Failure::Run(runaway) => Answer::Failed { why: runaway.to_string() },
            Failure::Other(why) => Answer::Failed { why },
        });
        // Keys are text and numbers are plain: nothing in an answer can fail.
        serde_json::to_string(&answer).expect("a document of plain values")
    }

    /// The scenario with changes.
    ///
    /// # Errors
    /// Every problem of its files and of the changes.
    pub fn load(&self, set: &[String], keep: &[String]) -> Result<Resolved, Diagnostics> {
        let mut resolved = match self {
            Subject::File(path) => load(path, set)?,
            Subject::Texts(texts) => texts.load(set)?,
        };
        if !set.is_empty() {
            resolved.scenario.published = None;
        }
        Keep::new(keep.to_vec()).apply(&mut resolved)?;
        Ok(resolved)
    }

    /// The same in memory, for where there are no files.
    ///
    /// # Errors
    /// Every problem of its files.
    pub fn in_memory(&self) -> Result<Subject, Diagnostics> {
        Ok(Subject::Texts(Texts::of(&self.load(&[], &[])?)))
    }

    fn answer(&self, question: &Question) -> Result<Answer, Failure> {
        let sets = match question.ask {
            Ask::Size if question.open => [&question.set[..], &["load.rate=1/s".into()]].concat(),
            _ => question.set.clone(),
        };
        let resolved = self.load(&sets, &question.keep)?;
        Ok(match question.ask {
            Ask::Keys => Answer::Keys(self.keys(&resolved)),
            Ask::Rough => Answer::Numbers(Box::new(rough::numbers(&resolved, question)?)),
            Ask::Sharp => Answer::Numbers(Box::new(sharp(&resolved, question)?)),
            Ask::Size => Answer::Size(how_much(&resolved)?),
            Ask::Child => Answer::Child { text: child::text(&resolved, question)? },
            Ask::Page => Answer::Page { html: page(&resolved)? },
        })
    }

    fn keys(&self, resolved: &Resolved) -> Keys {
        let scenario = &resolved.scenario;
        let steady = size::kind(&scenario.load.source);
        Keys {
            name: scenario.name.clone(),
            question: scenario.question.clone(),
            file: match self {
                Subject::File(path) => path.to_string_lossy().into_owned(),
                Subject::Texts(Texts { name, .. }) => {
                    Path::new(name).file_name().map_or(name.clone(), |f| f.to_string_lossy().into())
                }
            },
            load: steady.filter(|_| !matches!(scenario.load.source, Source::Several(_))),
            objectives: scenario.objectives.iter().map(ToString::to_string).collect(),
            controls: resolved.controls(),
            notes: resolved.notes(),
        }
    }
}

/// The effort of `sim scenario`.
fn effort() -> Effort {
    Effort { precision: Some(Effort::PRECISION), ..Effort::default() }
}

/// The answer of `sim scenario`.
fn sharp(resolved: &Resolved, question: &Question) -> Result<Numbers, Failure> {
    let mut runs = Runs::default();
    let report = predict(resolved, &effort(), Experiment::First(None), &mut |stage| {
        if let Stage::Replicated(seen) = stage {
            runs = Runs::of(seen);
        }
    })?;
    let mut numbers = Numbers::new(&resolved.scenario, &report, runs, question.against.as_ref());
    numbers.figures = figures(&report);
    numbers.document = Some(render::json(&report));
    Ok(numbers)
}

/// The answer of `sim size`.
fn how_much(resolved: &Resolved) -> Result<HowMuch, Failure> {
    size::check(resolved)?;
    let events_max = Effort::default().events_max;
    let mut found: Size = size::size(resolved, events_max, size::BUDGET)?;
    let holds = found.holds.map(|holds| holds.low).or(found.unbroken);
    // As the command prints it, which advises on demand.
    let document = render::json(&found);
    if found.first.is_none() {
        size::add_first_change(&mut found, resolved, events_max, size::BUDGET)?;
    }
    let set = holds.map(|most| format!("{}={}", found.load.key(), found.load.value(most)));
    Ok(HowMuch {
        sentence: found.headline(),
        set,
        first: found.first.as_ref().map(|first| Limit::new(&resolved.scenario, &first.change)),
        gain: render::gain_of_first(&found),
        warnings: found.warnings.clone(),
        figures: render::figures_of_size(&found),
        document,
    })
}

/// The page of `sim scenario --html`.
fn page(resolved: &Resolved) -> Result<String, Failure> {
    let mut report = predict(resolved, &effort(), Experiment::First(None), &mut |_| {})?;
    let events_max = Effort::default().events_max;
    let runs = report.run.replications;
    report.over_time = Some(crate::over_time::over_time(&resolved.scenario, runs, events_max)?);
    Ok(report.illustrated().html(&report.scenario))
}
