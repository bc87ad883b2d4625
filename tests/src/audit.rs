//! Runs that check every invariant after every event.

use model::read::load_text;
use model::scenario::Scenario;
use model::units::Instant;
use sim::engine::{Engine, Record, Runaway, Trace};
use sim::observe::Observations;
use sim::plan::Plan;

/// Keeps nothing, but has the engine check itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Auditor;

impl Trace for Auditor {
    const AUDITS: bool = true;

    fn record(&mut self, _: Instant, _: Record) {}
}

/// One run of `scenario` under its own seed, audited.
///
/// # Errors
/// [`Runaway`] if it takes more than `events_max` events.
pub fn audited(scenario: &Scenario, events_max: u64) -> Result<Observations, Runaway> {
    let plan = Plan::new(scenario, scenario.seed);
    Engine::new(&plan, Auditor).run(events_max).map(|(seen, _)| seen)
}

/// The scenario that `text` writes.
///
/// # Panics
/// If it is refused.
pub fn scenario_of(text: &str) -> Scenario {
    match load_text("random.toml", text, &[]) {
        Ok(resolved) => resolved.scenario,
        Err(diagnostics) => panic!("{diagnostics}\n{text}"),
    }
}
