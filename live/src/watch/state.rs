//! What is known of the measurement.

use std::collections::VecDeque;

use model::report::Report;

use super::message::{Message, Plan, Planned, Sample};
use super::remaining::Remaining;
use super::so_far::SoFar;
use model::units::NANOS_PER_SECOND;

/// Seconds of a round that are kept to be drawn: more than the columns of any terminal.
const KEPT: usize = 1000;
/// Seconds over which the requests at a place are averaged: an answer's whole time is told in the
/// second in which it comes.
pub(super) const RECENT: usize = 5;

/// What is known of the measurement. Instants are in nanoseconds on the caller's clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    plan: Option<Plan>,
    /// By scenario of the plan; empty if nothing was predicted.
    predictions: Vec<Report>,
    remaining: Remaining,
    scenario: usize,
    round: u32,
    /// The load of the round has ended.
    ended: bool,
    /// The user wants to end.
    pub(super) stopping: bool,
    /// The last seconds of the present round.
    seconds: VecDeque<Sample>,
    /// What was counted so far, by scenario.
    so_far: Vec<SoFar>,
}

/// What the present round is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No round has begun.
    Waiting,
    /// Its processes and data are being made.
    Starting,
    /// Its load runs and does not count yet; nanoseconds that have passed of how many.
    WarmingUp(u64, u64),
    /// Its load counts.
    Counting(u64, u64),
    /// Its processes are stopped.
    Ending,
}

impl State {
    /// Nothing is known yet but what was predicted of each scenario, if it was.
    pub(crate) fn new(predictions: Vec<Report>) -> State {
        State { predictions, ..State::default() }
    }

    /// Takes in what happened at `now`.
    pub(crate) fn feed(&mut self, message: Message, now: u64) {
        match message {
            Message::Plan(plan) => {
                self.so_far = plan.scenarios.iter().map(|_| SoFar::default()).collect();
                self.plan = Some(plan);
            }
            Message::Round { scenario, round, .. } => {
                self.remaining.begin(now);
                (self.scenario, self.round, self.ended) = (scenario, round, false);
                self.seconds.clear();
            }
            Message::Load => {
                let length = self.planned().map_or(0, |one| one.warmup + one.duration);
                self.remaining.load(length, now);
            }
            Message::Second(sample) => self.second(*sample),
            Message::Ended => self.ended = true,
        }
    }

    fn second(&mut self, sample: Sample) {
        if sample.length == 0 {
            return;
        }
        let counts = self.planned().is_some_and(|planned| counts(planned, &sample));
        if let (true, Some(so_far)) = (counts, self.so_far.get_mut(self.scenario)) {
            so_far.add(&sample);
        }
        if self.seconds.len() == KEPT {
            self.seconds.pop_front();
        }
        self.seconds.push_back(sample);
    }

    /// What is being measured.
    pub(crate) fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// The number of the scenario of the present round.
    pub(crate) fn scenario(&self) -> usize {
        self.scenario
    }

    /// The scenario of the present round.
    pub(crate) fn planned(&self) -> Option<&Planned> {
        self.plan.as_ref()?.scenarios.get(self.scenario)
    }

    /// The present scenario and round, and how many there are of each, counted from 1.
    pub(crate) fn turn(&self) -> Option<[usize; 4]> {
        let plan = self.plan.as_ref().filter(|_| self.remaining.begun() > 0)?;
        let (round, rounds) = (self.round as usize + 1, plan.rounds as usize);
        Some([self.scenario + 1, plan.scenarios.len(), round, rounds])
    }

    /// What was predicted of the present scenario.
    pub(crate) fn prediction(&self) -> Option<&Report> {
        self.prediction_of(self.scenario)
    }

    /// What was predicted of the scenario with this number.
    pub(crate) fn prediction_of(&self, scenario: usize) -> Option<&Report> {
        self.predictions.get(scenario)
    }

    /// Anything was predicted.
    pub(super) fn has_predictions(&self) -> bool {
        !self.predictions.is_empty()
    }

    /// What the present round is at.
    pub(crate) fn phase(&self, now: u64) -> Phase {
        let Some(planned) = self.planned().filter(|_| self.remaining.begun() > 0) else {
            return Phase::Waiting;
        };
        let (warmup, duration) = (planned.warmup, planned.duration);
        match self.remaining.passed(now) {
            _ if self.ended => Phase::Ending,
            None => Phase::Starting,
            Some(passed) if passed < warmup => Phase::WarmingUp(passed, warmup),
            Some(passed) => Phase::Counting(passed - warmup, duration),
        }
    }

    /// Nanoseconds that all rounds together still take, and the share that is over.
    pub(super) fn left(&self, now: u64) -> Option<(u64, f64)> {
        self.plan.as_ref().map(|plan| self.remaining.left(plan, now))
    }

    /// The seconds of the present round, the last one at the end.
    pub(super) fn seconds(&self) -> &VecDeque<Sample> {
        &self.seconds
    }

    /// The last second of the present round.
    pub(crate) fn last(&self) -> Option<&Sample> {
        self.seconds.back()
    }

    /// The same as what was counted in it.
    pub(crate) fn last_second(&self) -> SoFar {
        SoFar::of(self.last())
    }

    /// What was counted in the present round, its warm-up included.
    pub(super) fn this_round(&self) -> SoFar {
        SoFar::of(&self.seconds)
    }

    /// The last seconds of the present round together.
    pub(crate) fn recent(&self) -> SoFar {
        SoFar::of(self.seconds.iter().rev().take(RECENT))
    }

    /// What was counted of the present scenario, in all rounds so far.
    pub(crate) fn so_far(&self) -> Option<&SoFar> {
        self.so_far.get(self.scenario)
    }
}

/// The whole second lies in the counted window of its round.
fn counts(planned: &Planned, sample: &Sample) -> bool {
    let from = sample.index * NANOS_PER_SECOND;
    from >= planned.warmup && from + sample.length <= planned.warmup + planned.duration
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::sample::{SECOND, plan, round, second};

    fn begun() -> State {
        let mut state = State::default();
        assert_eq!(state.phase(0), Phase::Waiting);
        state.feed(Message::Plan(plan(2, 3)), 0);
        assert_eq!((state.phase(0), state.turn()), (Phase::Waiting, None));
        state.feed(round(0, 0), 0);
        assert_eq!(state.phase(0), Phase::Starting);
        state.feed(Message::Load, SECOND);
        state
    }

    #[test]
    fn the_phase_follows_the_load() {
        let mut state = begun();
        assert_eq!(state.phase(2 * SECOND), Phase::WarmingUp(SECOND, 2 * SECOND));
        assert_eq!(state.phase(4 * SECOND), Phase::Counting(SECOND, 10 * SECOND));
        assert_eq!(state.phase(99 * SECOND), Phase::Counting(10 * SECOND, 10 * SECOND));
        state.feed(Message::Ended, 14 * SECOND);
        assert_eq!(state.phase(99 * SECOND), Phase::Ending);
        state.feed(round(1, 2), 15 * SECOND);
        assert_eq!(state.phase(15 * SECOND), Phase::Starting);
        assert_eq!(state.turn(), Some([2, 2, 3, 3]));
    }

    #[test]
    fn the_warm_up_does_not_count_and_rounds_of_a_scenario_add_up() {
        let mut state = begun();
        let so_far = |state: &State| state.so_far().map(SoFar::answers);
        (0..2).for_each(|index| state.feed(second(index, 100).into(), 0));
        assert_eq!((so_far(&state), state.recent().answers()), (Some(0), 200));
        (2..14).for_each(|index| state.feed(second(index, 100).into(), 0));
        // Ten seconds are the window; what comes after it does not count.
        assert_eq!((so_far(&state), state.recent().answers()), (Some(1000), 500));
        state.feed(round(1, 0), 0);
        assert_eq!((so_far(&state), state.last()), (Some(0), None));
        state.feed(round(0, 1), 0);
        state.feed(second(5, 100).into(), 0);
        assert_eq!(so_far(&state), Some(1100));
    }

    #[test]
    fn memory_does_not_grow_with_the_length_of_a_round() {
        let mut state = begun();
        (0..2 * KEPT as u64).for_each(|index| state.feed(second(index, 1).into(), 0));
        assert_eq!(state.seconds().len(), KEPT);
    }
}
