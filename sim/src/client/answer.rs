//! The load in answers: its bound, and the knobs of the clients.

use model::report::Bound;
use model::scenario::{Scenario, Source};
use model::statistics::round_significant;

use crate::bounds::seconds;
use crate::knob::{Candidate, Price, double, twice};
use crate::observe::Limit;

pub(crate) fn candidates(scenario: &Scenario, all: &mut Vec<Candidate>) {
    if let Source::Open { max_users: Some(n), .. } = scenario.load.source {
        let knob = Candidate::of("load.max_users", n.to_string(), double(n));
        all.push(knob.at(Limit::Users));
    }
    if let Some(span) = scenario.load.timeout {
        let knob = Candidate::of("load.timeout", span.to_string(), twice(span));
        all.push(knob.at(Limit::Patience).price(Price::Patience));
    }
}

/// The bound of the load itself, where a request without any waiting takes `elapsed` seconds.
pub(crate) fn bound_of_load(source: &Source, elapsed: f64) -> Bound {
    match source {
        Source::Closed { users, think_time, .. } => {
            let (n, z) = (users.peak(), think_time.mean());
            Bound {
                name: "load.users".into(),
                law: format!("{n} / ({} + {})", seconds(elapsed), seconds(z)),
                throughput: round_significant(n / (elapsed + z)),
            }
        }
        Source::Open { rate, .. } => Bound {
            name: "load.rate".into(),
            law: "arrivals".into(),
            throughput: round_significant(rate.peak()),
        },
    }
}
