//! What a call of an upstream draws: how long it takes, and whether it fails.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::distribution::unit_interval;
use model::scenario::Upstream;
use model::stream::Purpose;
use model::units::Span;

use crate::wire::{self, Call};

/// Steps whose streams are kept. A scenario has fewer; a caller could invent more.
const STEPS_MAX: usize = 4096;

/// What a call is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    /// Time from the call to the reply.
    pub(super) latency: Span,
    /// The reply is an error.
    pub(super) fails: bool,
}

/// The streams of a step.
#[derive(Debug)]
struct Streams {
    latency: Purpose,
    failure: Purpose,
}

/// The draws of all steps under one seed.
#[derive(Debug)]
pub(super) struct Draws {
    seed: u64,
    steps: Mutex<HashMap<String, Arc<Streams>>>,
}

impl Draws {
    pub(super) fn new(seed: u64) -> Draws {
        Draws { seed, steps: Mutex::default() }
    }

    /// What becomes of `call` of `upstream`.
    pub(super) fn fate(&self, upstream: &Upstream, call: &Call<'_>) -> Fate {
        let streams = self.streams(call.step);
        let latency = upstream.latency.sample(streams.latency.draw(call.lane, call.index));
        let failure = unit_interval(streams.failure.draw(call.lane, call.index));
        Fate { latency, fails: failure < upstream.failures }
    }

    fn streams(&self, step: &str) -> Arc<Streams> {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(streams) = steps.get(step) {
            return streams.clone();
        }
        let words = wire::step_in_words(step);
        let purpose = |what: &str| Purpose::new(self.seed, &format!("{what}@{words}"));
        let streams =
            Arc::new(Streams { latency: purpose("latency"), failure: purpose("failure") });
        if steps.len() < STEPS_MAX {
            steps.insert(step.to_string(), streams.clone());
        }
        streams
    }
}

#[cfg(test)]
mod tests {
    use model::scenario::Scenario;
    use model::stream::lane_of_attempt;
    use model::workload::{RequestKey, step_purpose};

    use super::*;

    fn scenario() -> Scenario {
        let text = r#"
            costs.cpu.request = "1ms"
            seed = 11
            load = { users = 1, duration = "1s" }
            service.concurrency = "async"
            upstream.partner = { latency = { p50 = "200ms", p99 = "1s" }, failures = "25%" }
            endpoint = [{ name = "get 日本", weight = 1, steps = [{ call = "partner" }] }]
        "#;
        model::read::load_text("draws", text, &[]).expect("a valid scenario").scenario
    }

    #[test]
    fn a_call_has_the_latency_and_the_failure_that_the_model_draws() {
        let scenario = scenario();
        let (upstream, draws) = (&scenario.upstreams[0], Draws::new(scenario.seed));
        let mut failed = 0;
        for (lane, index, attempt) in
            (0..40).flat_map(|lane| (0..100).map(move |index| (lane, index, index as u32 % 3)))
        {
            let (endpoint, path) = ("get 日本", if lane % 2 == 0 { "0" } else { "1.0" });
            let key = RequestKey { lane, index };
            let step = wire::step(endpoint, path);
            // As a header carries it.
            let header = Call::new(key, &step, attempt).to_string();
            let fate = draws.fate(upstream, &Call::parse(&header).expect("a call"));

            let draw = |what| {
                let purpose = Purpose::new(scenario.seed, &step_purpose(what, endpoint, path));
                purpose.draw(lane_of_attempt(lane, attempt), index)
            };
            assert_eq!(fate.latency, upstream.latency.sample(draw("latency")));
            assert_eq!(fate.fails, unit_interval(draw("failure")) < 0.25);
            failed += u32::from(fate.fails);
        }
        // 1000 of 4000 with a standard deviation of 27.
        assert!(failed.abs_diff(1000) < 110, "{failed}");
    }

    #[test]
    fn an_inventive_caller_does_not_fill_the_memory() {
        let scenario = scenario();
        let draws = Draws::new(scenario.seed);
        let last = format!("step/{}", STEPS_MAX + 9);
        let call = Call { lane: 1, index: 2, step: &last };
        let fate = draws.fate(&scenario.upstreams[0], &call);
        for number in 0..=STEPS_MAX + 9 {
            draws.streams(&format!("step/{number}"));
        }
        assert_eq!(draws.steps.lock().expect("no panic").len(), STEPS_MAX);
        assert_eq!(draws.fate(&scenario.upstreams[0], &call), fate);
    }
}
