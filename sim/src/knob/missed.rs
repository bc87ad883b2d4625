//! An objective that the scenario as it is does not keep, which a change is to mend.

use model::objective::{Objective, State};
use model::report::Report;
use model::scenario::Scenario;

use super::goal::Goal;

/// An objective that is broken.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Missed {
    pub(super) goal: Goal,
    /// As the user wrote it.
    objective: String,
    /// By which share the number has to become better.
    needs: f64,
}

impl Missed {
    /// The one that is missed by most, of those whose number a change can be judged by.
    pub(super) fn most(scenario: &Scenario, report: &Report) -> Option<Missed> {
        let all = scenario.objectives.iter().zip(&report.objectives);
        let broken = all.filter(|(_, judged)| judged.state == State::Broken);
        let margins = broken.filter_map(|(objective, judged)| {
            let value = judged.value?;
            let missed = Missed {
                goal: Goal::of_objective(objective)?,
                objective: objective.to_string(),
                needs: needs(objective, value),
            };
            Some((objective.margin(value), missed))
        });
        margins.min_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, missed)| missed)
    }

    /// How much the objective asks for, as the end of a sentence on a change that is judged by `goal`.
    pub(super) fn asks(&self, goal: &Goal) -> String {
        let share = self.needs * 100.0;
        match self.goal {
            _ if *goal != self.goal => String::new(),
            Goal::Throughput => format!("; `{}` needs {share:+.1} %", self.objective),
            Goal::Errors | Goal::Time { .. } => {
                format!("; `{}` needs {share:.1} % off", self.objective)
            }
        }
    }
}

/// By which share `value` has to become better, in the form in which a change is told: less of a time or of
/// errors, more of a rate.
fn needs(objective: &Objective, value: f64) -> f64 {
    match objective.relation.is_upper() {
        true => 1.0 - objective.limit / value,
        false => objective.limit / value - 1.0,
    }
}
