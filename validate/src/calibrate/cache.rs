//! What the caches lose, from work that is done often and the same work done rarely.
//!
//! A kind of work that comes back after a time t costs `C (1 - exp(-t / decay))` more than one
//! that follows itself at once ([`model::costs::Cache`]). All requests of a probe are alike, so
//! that t is the time between two of them.

use model::costs::Work;
use model::scenario::Concurrency;

use super::probe::{Probe, RARE_COMMIT};
use super::reading::{Reading, Round};

/// Shortest and longest time in which the caches may lose what they have, in seconds. What
/// noise finds beyond is no such time.
const DECAY: (f64, f64) = (0.5e-3, 0.2);
/// Halvings of an interval that narrow a time down to the nanosecond.
const HALVINGS: usize = 60;

/// The probe in which `work` follows itself at once.
fn often(work: Work) -> Probe {
    match work {
        Work::Request => Probe::Request(Concurrency::Async),
        Work::Statement => Probe::Statement(Concurrency::Async),
        Work::Call => Probe::Call(Concurrency::Async),
        Work::Open => Probe::Open(Concurrency::Async),
        Work::Commit => Probe::Commit(RARE_COMMIT.0, RARE_COMMIT.1),
    }
}

/// Probes that tell what `work` costs when it is rare.
pub(super) fn probes(work: Work) -> Vec<Probe> {
    vec![Probe::Cold(work), often(work), Probe::Alone]
}

/// Share of what was used `elapsed` seconds ago that has gone.
fn lost(elapsed: f64, decay: f64) -> f64 {
    -(-elapsed / decay).exp_m1()
}

/// Seconds between two requests of `probe`.
fn interval(round: &Round, probe: Probe) -> f64 {
    1.0 / round.number(probe, Reading::rate)
}

/// Time in which the caches lose all but 1/e, in seconds: the one that gives requests which
/// are rare, and those which are half as rare, the costs that they have.
pub(super) fn decay(round: &Round) -> f64 {
    let [often, seldom, rare] = [often(Work::Request), Probe::Alone, Probe::Cold(Work::Request)];
    let cpu = |probe| round.cpu(probe);
    let found = (cpu(seldom) - cpu(often)) / (cpu(rare) - cpu(often));
    // Falls: what decays slowly loses in proportion to the time, what decays quickly all of it.
    let share = |decay: f64| {
        let lost = |probe| lost(interval(round, probe), decay);
        (lost(seldom) - lost(often)) / (lost(rare) - lost(often))
    };
    if found.is_nan() {
        return f64::NAN;
    }
    let (mut low, mut high) = DECAY;
    for _ in 0..HALVINGS {
        let middle = (low * high).sqrt();
        if share(middle) > found { low = middle } else { high = middle }
    }
    low
}

/// CPU time of `work` when nothing of it is left in the caches, in seconds.
pub(super) fn cold(round: &Round, work: Work) -> f64 {
    let (rare, often) = (Probe::Cold(work), often(work));
    let decay = decay(round);
    let lost = |probe| lost(interval(round, probe), decay);
    let all = (round.cpu(rare) - round.cpu(often)) / (lost(rare) - lost(often));
    let others = rare.works().iter().filter(|&&other| other != work);
    (all - others.map(|&other| cold(round, other)).sum::<f64>()).max(0.0)
}

/// CPU time per good answer of `probe`, without what the caches had lost.
pub(super) fn warm(round: &Round, probe: Probe) -> f64 {
    let all: f64 = probe.works().iter().map(|&work| cold(round, work)).sum();
    let missing = all * lost(interval(round, probe), decay(round));
    // Without an answer about the caches there is still one about the rest.
    round.cpu(probe) - if missing.is_finite() { missing } else { 0.0 }
}
