//! One setting, run until it is clear whether it keeps the objectives.

use model::objective::State;
use model::report::{Breaks, Level, Report};
use model::scenario::Scenario;

use crate::answer;
use crate::engine::{Runaway, Workspace};
use crate::observe::Observations;
use crate::replicate::{GROUPS, Replications, grouped};
use crate::size::{of_runs, of_setting};

/// Requests in all runs below which there is nothing to judge.
const FEWEST: u64 = 300;

/// What runs say of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It keeps all objectives.
    Kept,
    /// It breaks one.
    Broken,
    /// The limit of one lies in the interval of its number.
    Undecided,
}

/// A setting under trial.
pub(super) struct Trial {
    scenario: Scenario,
    /// Index of its first run.
    first_run: u32,
    events_max: u64,
    groups: Vec<Workspace>,
    seen: Vec<Observations>,
    looked: Option<(Level, Report)>,
}

impl Trial {
    pub(super) fn new(scenario: Scenario, first_run: u32, events_max: u64) -> Trial {
        let groups = (0..GROUPS).map(|_| Workspace::default()).collect();
        Trial { scenario, first_run, events_max, groups, seen: Vec::new(), looked: None }
    }

    /// Events of all runs so far.
    pub(super) fn events(&self) -> u64 {
        self.seen.iter().map(|seen| seen.events).sum()
    }

    /// What so many runs say, with a probability of at most `error` to be wrong. Each objective has a
    /// share of that, since any of them may be broken by chance.
    pub(super) fn look(&mut self, runs: u32, error: f64) -> Result<Verdict, Runaway> {
        let done = self.seen.len() as u32;
        if done < runs {
            let indices = self.first_run + done..self.first_run + runs;
            let more = grouped(&self.scenario, indices, self.events_max, &mut self.groups)?;
            self.seen.extend(more);
        }
        let questions = self.scenario.objectives.len() + 1;
        let confidence = 1.0 - error / questions as f64;
        let groups = self.groups.iter().map(|group| group.histograms.clone()).collect();
        let runs = Replications { seen: std::mem::take(&mut self.seen), groups };
        let report = answer::report(&self.scenario, String::new(), &runs, confidence);
        self.seen = runs.seen;
        let level = of_runs(&self.scenario, &report, &self.seen, confidence);
        let enough = requests(&self.seen) >= FEWEST;
        let verdict = match (enough && level.sure, level.kept) {
            (false, _) => Verdict::Undecided,
            (true, true) => Verdict::Kept,
            (true, false) => Verdict::Broken,
        };
        self.looked = Some((level, report));
        Ok(verdict)
    }

    /// What the last look saw.
    pub(super) fn level(&self) -> Option<&Level> {
        self.looked.as_ref().map(|(level, _)| level)
    }

    /// What is broken, and by which share of its limit the worst number is on the right side of it:
    /// below zero if it is not.
    pub(super) fn breaks(&self) -> (f64, Breaks) {
        let (level, report) = self.looked.as_ref().expect("a trial that was looked at");
        let margins = self.scenario.objectives.iter().zip(&level.objectives).map(
            |(objective, judged)| match (judged.state, judged.value) {
                (State::Unknown, _) => 0.0,
                (_, Some(value)) => objective.margin(value),
                (_, None) => f64::NEG_INFINITY,
            },
        );
        let worst = margins.fold(0.0, f64::min);
        // A queue that grows has no number that would say how near it is.
        let worst = if level.falls_behind { worst.min(-1.0) } else { worst };
        (worst, of_setting(&self.scenario.objectives, level, report))
    }
}

fn requests(seen: &[Observations]) -> u64 {
    seen.iter().map(|o| o.good() + o.errors().iter().sum::<u64>()).sum()
}
