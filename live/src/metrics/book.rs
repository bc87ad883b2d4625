//! What was measured so far, and what was predicted for it.

use std::collections::BTreeMap;

use model::report::Report;

use crate::watch::{Message, Planned, SoFar, State};

/// What was measured so far, and what was predicted for it. Fed with the messages of a measurement.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// Of the present round, and the predictions.
    pub(super) state: State,
    /// All seconds of load of each scenario of the plan, those of warm-ups included.
    totals: Vec<Total>,
}

/// All that was counted of a scenario.
#[derive(Debug, Default)]
pub(super) struct Total {
    /// The load.
    pub(super) all: SoFar,
    /// CPU time of the service by the name of the process, in seconds.
    pub(super) cpu: BTreeMap<String, f64>,
    /// Processor time that the service might have used, in seconds.
    pub(super) offered: f64,
}

/// A scenario that was begun.
#[derive(Debug)]
pub(super) struct Begun<'a> {
    pub(super) planned: &'a Planned,
    pub(super) total: &'a Total,
    /// None if nothing was predicted.
    pub(super) predicted: Option<&'a Report>,
}

impl Book {
    /// Nothing is known yet but the predictions of the scenarios, if there are any, in the order of the
    /// plan.
    pub(super) fn new(predictions: Vec<Report>) -> Book {
        Book { state: State::new(predictions), totals: Vec::new() }
    }

    /// Takes in what happened at `now`, in nanoseconds on any clock.
    pub(super) fn feed(&mut self, message: Message, now: u64) {
        match &message {
            Message::Plan(plan) => {
                self.totals = plan.scenarios.iter().map(|_| Total::default()).collect();
            }
            Message::Second(sample) => {
                let scenario = self.state.scenario();
                if let Some(total) = self.totals.get_mut(scenario).filter(|_| sample.length > 0) {
                    let seconds = sample.length as f64 / 1e9;
                    total.all.add(sample);
                    total.offered += f64::from(sample.cores) * seconds;
                    for worker in &sample.workers {
                        let used = total.cpu.entry(worker.name.clone()).or_default();
                        *used += worker.cpu.unwrap_or(0.0) * seconds;
                    }
                }
            }
            Message::Round { .. } | Message::Load | Message::Ended => {}
        }
        self.state.feed(message, now);
    }

    /// The scenarios of which something was counted.
    pub(super) fn begun(&self) -> impl Iterator<Item = Begun<'_>> {
        let planned = self.state.plan().map_or(&[][..], |plan| &plan.scenarios);
        planned.iter().zip(&self.totals).enumerate().filter(|(_, (_, total))| total.any()).map(
            |(index, (planned, total))| Begun {
                planned,
                total,
                predicted: self.state.prediction_of(index),
            },
        )
    }
}

impl Total {
    fn any(&self) -> bool {
        !self.all.is_empty()
    }

    /// How long the load was, in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.all.length as f64 / 1e9
    }
}
