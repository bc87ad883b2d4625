//! A question: a scenario, its changes, and how hard to try.

use std::borrow::Cow;
use std::collections::BTreeMap;

use model::read::{Diagnostic, Diagnostics, Resolved, Rung, ladder_sent, load_sent};
use model::units::parse_share;
use render::{Keep, one_knob_each};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::{Json, Lines, escaped};
use crate::knob::Goal;
use crate::replicate::Effort;

/// A question about a scenario.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// The scenario: the text of a TOML file, or the same keys as a JSON object.
    scenario: Written,
    /// The name of the scenario's file, as answers and errors name it.
    #[serde(default = "name")]
    name: String,
    /// Other files that the scenario names (`extends`, `costs`, `load.trace`), by their paths as seen from
    /// it. The built-in files need not be sent.
    #[serde(default)]
    files: BTreeMap<String, Written>,
    /// The cost profile, instead of the scenario's own: one of `files`, or a built-in one such as
    /// `costs/study.toml`.
    #[serde(default)]
    profile: Option<String>,
    /// Changes of keys, as `--set` has them: `service.workers=4`.
    #[serde(default)]
    set: Vec<String>,
    /// Objectives, as `--keep` has them: `p99 < 800ms`.
    #[serde(default)]
    keep: Vec<String>,
    /// Root of the random draws, instead of the scenario's own.
    #[serde(default)]
    #[schemars(range(max = 9_223_372_036_854_775_807_u64))]
    seed: Option<u64>,
    /// What to improve: `throughput`, `errors`, `p99` (or `mean`, `p50`, `p90`, `p95`, `p999`), or such a
    /// time of one endpoint: `endpoint:health.p99`.
    #[serde(default)]
    goal: Option<String>,
    /// Run exactly this many replications.
    #[serde(default)]
    #[schemars(range(min = 2, max = MOST_REPLICATIONS))]
    replications: Option<u32>,
    /// Replicate until the throughput's interval is within this share of it: `1%`.
    #[serde(default)]
    precision: Option<String>,
    /// Confidence of every interval: `95%`.
    #[serde(default)]
    confidence: Option<String>,
    /// Tell what happens when, too, as `over_time`.
    #[serde(default)]
    pub(super) over_time: bool,
    /// Accept rungs that turn more than one knob.
    #[serde(default)]
    allow_many: bool,
    /// Look for a rate of Poisson arrivals, where the scenario has users.
    #[serde(default)]
    open: bool,
    /// How much is left before an objective breaks, too.
    #[serde(default)]
    pub(super) headroom: bool,
}

/// Fields that not all questions have, and for which operations they are.
pub(super) const ONLY: [(&str, &[&str]); 9] = [
    ("keep", &["predict", "explain", "size"]),
    ("goal", &["predict", "explain"]),
    ("replications", &["predict", "explain", "ladder"]),
    ("precision", &["predict", "explain", "ladder"]),
    ("confidence", &["predict", "explain", "ladder"]),
    ("over_time", &["predict", "explain"]),
    ("allow_many", &["ladder"]),
    ("open", &["size"]),
    ("headroom", &["size"]),
];

/// Most replications that one can ask for.
const MOST_REPLICATIONS: u32 = 1000;
/// The name of a scenario that has none.
const NAME: &str = "scenario.toml";

fn name() -> String {
    NAME.into()
}

/// A file: its text, or its keys.
#[derive(Debug)]
enum Written {
    Text(String),
    Keys(Lines),
}

impl Written {
    fn text(&self) -> &str {
        match self {
            Written::Text(text) => text,
            Written::Keys(lines) => &lines.text,
        }
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Written, D::Error> {
        match Json::deserialize(from)? {
            Json::Text(text) => Ok(Written::Text(text)),
            Json::Table(table) => Ok(Written::Keys(Lines::of(&table))),
            _ => Err(de::Error::custom(
                "a file is the text of a TOML file, or its keys as an object",
            )),
        }
    }
}

impl JsonSchema for Written {
    fn schema_name() -> Cow<'static, str> {
        "File".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A file: the text of TOML, or its keys as an object.",
            "type": ["string", "object"],
        })
    }
}

impl Question {
    /// Reads the body of a request for an operation.
    ///
    /// # Errors
    /// It is no JSON, or no question for this operation; in a sentence.
    pub(super) fn read(operation: &str, body: &[u8]) -> Result<Question, String> {
        let question: Question = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let fields: BTreeMap<String, de::IgnoredAny> =
            serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let other =
            ONLY.iter().find(|(field, of)| fields.contains_key(*field) && !of.contains(&operation));
        match other {
            None if question.open && question.headroom => {
                Err("`headroom` is of the load of the file, and `open` looks for another: leave one out"
                    .into())
            }
            None => Ok(question),
            Some((field, of)) => {
                let of: Vec<String> = of.iter().map(|name| format!("/{name}")).collect();
                Err(format!("`{field}` is for {} alone, not for /{operation}", of.join(", ")))
            }
        }
    }

    /// The scenario, changed by `more` too.
    ///
    /// # Errors
    /// Every problem of its files, its changes and its objectives.
    pub(super) fn load(&self, more: &[String]) -> Result<Resolved, Diagnostics> {
        let mut resolved = load_sent(&self.path(), &self.texts(), &self.sets(more))?;
        if !self.set.is_empty() || self.profile.is_some() {
            resolved.scenario.published = None;
        }
        Keep::new(self.keep.clone()).apply(&mut resolved)?;
        Ok(resolved)
    }

    /// The scenario and all that it extends, root first.
    ///
    /// # Errors
    /// Every problem of any rung; else every rung that turns more than one knob.
    pub(super) fn rungs(&self) -> Result<Vec<Rung>, Diagnostics> {
        let mut rungs = ladder_sent(&self.path(), &self.texts(), &self.sets(&[]))?;
        if !self.set.is_empty() || self.profile.is_some() {
            rungs.iter_mut().for_each(|rung| rung.resolved.scenario.published = None);
        }
        one_knob_each(rungs, self.allow_many)
    }

    /// Changes that the question makes by its other fields.
    pub(super) fn opened(&self) -> Vec<String> {
        if self.open { vec!["load.rate=1/s".into()] } else { Vec::new() }
    }

    /// How hard to try; `precision` is aimed at unless the question says otherwise.
    ///
    /// # Errors
    /// Every number that is out of its range.
    pub(super) fn effort(&self, precision: f64) -> Result<Effort, Diagnostics> {
        let mut problems = Vec::new();
        let effort = Effort::default();
        let confidence = share("confidence", &self.confidence, &mut problems);
        let asked = share("precision", &self.precision, &mut problems);
        if self.replications.is_some_and(|n| !(2..=MOST_REPLICATIONS).contains(&n)) {
            problems.push(Diagnostic::of_file(
                "replications",
                format!("there are {} replications", self.replications.unwrap_or_default()),
                format!("2 to {MOST_REPLICATIONS}"),
                "ask for another number, or for a `precision`",
            ));
        }
        if self.replications.is_some() && self.precision.is_some() {
            problems.push(Diagnostic::of_file(
                "precision",
                "there are `replications` too",
                "one of both",
                "leave one out",
            ));
        }
        if !problems.is_empty() {
            return Err(Diagnostics { diagnostics: problems });
        }
        let effort = Effort { confidence: confidence.unwrap_or(effort.confidence), ..effort };
        Ok(effort.with(self.replications, asked.unwrap_or(precision)))
    }

    /// The goal, if the scenario has what it names.
    ///
    /// # Errors
    /// It is none, or about an endpoint that the scenario does not have.
    pub(super) fn goal(&self, resolved: &Resolved) -> Result<Option<Goal>, Diagnostics> {
        let Some(text) = &self.goal else { return Ok(None) };
        let goal: Goal = text.parse().map_err(|why: String| {
            let found = format!("the goal is {text:?}");
            Diagnostic::of_file("--goal", found, why, "name another goal, or leave it out")
        })?;
        goal.check(&resolved.scenario)?;
        Ok(Some(goal))
    }

    /// A problem as JSON. One in a line of what was sent as an object has the key's place in the body
    /// instead.
    pub(super) fn error(&self, problem: &Diagnostic) -> Value {
        let pointer = problem.line.and_then(|line| self.pointer(&problem.file, line));
        let mut problem = problem.clone();
        if pointer.is_some() {
            (problem.line, problem.column) = (None, None);
        }
        serde_json::to_value(Located { problem, pointer }).expect("texts and numbers")
    }

    /// The place of a line in the body, if the file was sent as an object.
    fn pointer(&self, file: &str, line: u32) -> Option<String> {
        let (above, written) = match self.files.get(file).filter(|_| file != self.path()) {
            Some(written) => (format!("/files/{}", escaped(file)), written),
            None if file == self.path() => ("/scenario".into(), &self.scenario),
            None => return None,
        };
        match written {
            Written::Text(_) => None,
            Written::Keys(lines) => Some(format!("{above}{}", lines.pointer(line))),
        }
    }

    /// The path of the scenario among the files.
    fn path(&self) -> String {
        if self.name.ends_with(".toml") { self.name.clone() } else { format!("{}.toml", self.name) }
    }

    fn texts(&self) -> Vec<(String, &str)> {
        let others = self.files.iter().map(|(name, file)| (name.clone(), file.text()));
        others.chain([(self.path(), self.scenario.text())]).collect()
    }

    /// Every change of keys, in the order in which options of a command make them.
    fn sets(&self, more: &[String]) -> Vec<String> {
        let profile = self.profile.iter().map(|path| format!("costs={path}"));
        let seed = self.seed.iter().map(|seed| format!("seed={seed}"));
        profile.chain(self.set.iter().cloned()).chain(seed).chain(more.iter().cloned()).collect()
    }
}

/// A problem, and where in the body.
#[derive(Serialize)]
struct Located {
    #[serde(flatten)]
    problem: Diagnostic,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
}

/// A share that can be a precision or a confidence: neither nothing nor all.
fn share(name: &str, text: &Option<String>, problems: &mut Vec<Diagnostic>) -> Option<f64> {
    let text = text.as_ref()?;
    let share = parse_share(text).ok().filter(|share| *share > 0.0 && *share < 1.0);
    if share.is_none() {
        let allowed = "a share above 0% and below 100%, with its sign";
        let found = format!("it is {text:?}");
        problems.push(Diagnostic::of_file(name, found, allowed, "write it as in \"1%\""));
    }
    share
}
