//! The cheapest setting that surely keeps all objectives under a load.
//!
//! The answer of a simulation is noisy, and a search that looks at many settings finds one that was
//! lucky. So there are two kinds of runs.
//!
//! **Screening** goes through the settings in the order of their cost, all on the same random numbers.
//! A setting is looked at with 6, 10, 20, 40 and 80 runs until it surely breaks an objective, and is
//! passed over, or seems to keep all, and is a candidate. Each look has a share of 5 %. Which setting
//! is the cheapest that holds is a fact, not a matter of chance, so that only its own looks can lose
//! it: with 95 % it is the answer or among those that could not be told. No setting is left out
//! because another one broke: that more of something is better is not assumed, since a larger pool may
//! be worse.
//!
//! **Confirmation** runs a candidate with seeds that no look has used. The first candidate has half of
//! 5 %, the next half of what is left, and so on; so with 95 % no candidate that breaks an objective
//! is ever confirmed, however many there are (alpha spending with independent data). The first one
//! that is confirmed is the answer.
//!
//! Like RFC 9971 (MLRsearch) this sorts what it tries into surely kept, surely broken and undecided,
//! and spends runs only where few do not decide. `cost` reads the expression, `grid` has the settings
//! in order, `trial` runs one.

mod cost;
mod grid;
mod trial;
mod words;

use model::read::{Diagnostics, Resolved};
use model::report::{Attempt, Choice, Kind, Nearest};
use model::scenario::Scenario;
use model::sweep::Axis;

use crate::engine::Runaway;
pub use cost::Cost;
use grid::{Grid, Setting};
use trial::{Trial, Verdict};

/// Confidence of the answer.
const CONFIDENCE: f64 = 0.95;
/// Runs of the looks of a screening, each of which has the same share of what is left of certainty.
const LOOKS: [u32; 5] = [6, 10, 20, 40, 80];
/// Runs of the looks of a confirmation.
const CONFIRMING: [u32; 3] = [20, 40, 80];
/// Runs with other seeds start at this index, and each candidate has as many of its own.
const OTHER_SEEDS: u32 = 1_000_000;
const SEEDS_EACH: u32 = 1_000;

/// Events of all runs, unless one asks for fewer: a minute of two processors.
pub const BUDGET: u64 = 1_000_000_000;

/// A question, checked.
#[derive(Debug)]
pub struct Question<'a> {
    resolved: &'a Resolved,
    keys: &'a [Axis],
    cost: &'a Cost,
    grid: Grid,
}

impl<'a> Question<'a> {
    /// Which setting of `keys` is the cheapest that keeps the objectives of `resolved`.
    ///
    /// # Errors
    /// There is no objective; a key is unknown or varied twice, its values are no numbers, or no setting
    /// is one that a scenario may have; or there are too many.
    pub fn new(
        resolved: &'a Resolved,
        keys: &'a [Axis],
        cost: &'a Cost,
    ) -> Result<Question<'a>, Diagnostics> {
        words::check(resolved)?;
        let grid = Grid::new(resolved, keys, cost)?;
        Ok(Question { resolved, keys, cost, grid })
    }

    /// The answer, with at most `events_max` events in a run and about `budget` in all. `progress`
    /// hears how many settings are tried.
    ///
    /// # Errors
    /// The first [`Runaway`].
    pub fn answer(
        &self,
        events_max: u64,
        budget: u64,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Choice, Runaway> {
        let mut search = Search { question: self, events_max, events: 0, candidates: 0 };
        let mut choice = self.empty();
        let mut nearest: Option<(f64, Nearest)> = None;
        for (index, setting) in self.grid.settings.iter().enumerate() {
            if search.events >= budget {
                choice.untried = (self.grid.settings.len() - index) as u64;
                break;
            }
            let mut trial = search.trial(&setting.scenario(self.resolved, self.keys), 0);
            let screened = search.look(&mut trial, &LOOKS, 1.0 - CONFIDENCE)?;
            let attempt = setting.attempt(&trial);
            choice.tried.push(attempt.clone());
            if screened == Verdict::Broken {
                let (margin, breaks) = trial.breaks();
                if nearest.as_ref().is_none_or(|(best, _)| margin > *best) {
                    nearest = Some((margin, Nearest { setting: attempt, breaks }));
                }
            } else {
                let confirmed = match screened {
                    Verdict::Kept => search.confirm(setting)?,
                    _ => None,
                };
                match confirmed {
                    Some(confirmed) => {
                        choice.one_worker_less = search.one_worker_less(setting)?;
                        choice.chosen = Some(confirmed);
                        break;
                    }
                    None => choice.undecided.push(attempt),
                }
            }
            progress(index + 1, self.grid.settings.len());
        }
        if choice.chosen.is_none() {
            choice.nearest = nearest.map(|(_, nearest)| nearest);
        }
        choice.warnings = words::warnings(&choice, self.resolved);
        Ok(choice)
    }

    /// The scenario with a setting.
    pub fn scenario(&self, values: &[String]) -> Result<Scenario, Diagnostics> {
        grid::scenario(self.resolved, self.keys, values, &[])
    }

    fn empty(&self) -> Choice {
        let scenario = &self.resolved.scenario;
        Choice {
            schema: Choice::SCHEMA,
            kind: Kind::Predicted,
            scenario: scenario.name.clone(),
            seed: scenario.seed,
            digest: self.resolved.digest(),
            load: words::load(scenario),
            objectives: scenario.objectives.iter().map(ToString::to_string).collect(),
            confidence: CONFIDENCE,
            keys: self.keys.to_vec(),
            cost: self.cost.text().to_string(),
            settings: (self.grid.settings.len() + self.grid.refused) as u64,
            refused: self.grid.refused as u64,
            chosen: None,
            undecided: Vec::new(),
            one_worker_less: None,
            nearest: None,
            tried: Vec::new(),
            untried: 0,
            warnings: Vec::new(),
        }
    }
}

/// A search under way.
struct Search<'q, 'a> {
    question: &'q Question<'a>,
    events_max: u64,
    /// Of all runs so far.
    events: u64,
    /// Candidates that were run with other seeds.
    candidates: u32,
}

impl Search<'_, '_> {
    fn trial(&self, scenario: &Scenario, first_run: u32) -> Trial {
        Trial::new(scenario.clone(), first_run, self.events_max)
    }

    /// Runs until it is sure, with an error of at most `error` in all looks together.
    fn look(&mut self, trial: &mut Trial, looks: &[u32], error: f64) -> Result<Verdict, Runaway> {
        let each = error / looks.len() as f64;
        let before = trial.events();
        let mut verdict = Verdict::Undecided;
        for &runs in looks {
            verdict = trial.look(runs, each)?;
            if verdict != Verdict::Undecided {
                break;
            }
        }
        self.events += trial.events() - before;
        Ok(verdict)
    }

    /// The setting on seeds of its own; none unless it surely keeps all.
    fn confirm(&mut self, setting: &Setting) -> Result<Option<Attempt>, Runaway> {
        self.candidates += 1;
        let error = (1.0 - CONFIDENCE) * libm::pow(0.5, f64::from(self.candidates));
        let first_run = OTHER_SEEDS + self.candidates * SEEDS_EACH;
        let question = self.question;
        let scenario = setting.scenario(question.resolved, question.keys);
        let mut trial = self.trial(&scenario, first_run);
        let verdict = self.look(&mut trial, &CONFIRMING, error)?;
        Ok((verdict == Verdict::Kept).then(|| setting.attempt(&trial)))
    }

    /// The setting after a worker was lost, on the seeds of the search.
    fn one_worker_less(&mut self, setting: &Setting) -> Result<Option<Attempt>, Runaway> {
        let question = self.question;
        let workers = setting.scenario(question.resolved, question.keys).service.workers;
        if workers < 2 {
            return Ok(None);
        }
        let less = [("service.workers".to_string(), (workers - 1).to_string())];
        let scenario = grid::scenario(question.resolved, question.keys, &setting.values, &less);
        let Ok(scenario) = scenario else { return Ok(None) };
        let mut trial = self.trial(&scenario, 0);
        self.look(&mut trial, &CONFIRMING, 1.0 - CONFIDENCE)?;
        Ok(Some(setting.attempt(&trial)))
    }
}
