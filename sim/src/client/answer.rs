//! The load in answers: its bound, and the knobs of the clients.

use model::distribution::Distribution;
use model::recovery::Aftermath;
use model::report::Bound;
use model::scenario::{Load, OnOff, Scenario, Source};
use model::statistics::round_significant;
use model::units::Span;
use serde::{Deserialize, Serialize};

use crate::bounds::seconds;
use crate::knob::{Candidate, Price, double, twice};
use crate::observe::Limit;

/// Observations of the clients.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Observed {
    /// Attempts on the wire, the first of each request included.
    pub attempts: u64,
    /// Failed attempts that are followed by another.
    pub retries: u64,
    /// Failed attempts that are not, for want of budget.
    pub refused: u64,
    /// Handlers that were dropped, since their client had gone.
    pub dropped: u64,
    /// The requests after a peak of the load, the warm-up included.
    pub aftermath: Aftermath,
}

impl Observed {
    pub(crate) fn new(load: &Load) -> Observed {
        Observed {
            attempts: 0,
            retries: 0,
            refused: 0,
            dropped: 0,
            aftermath: Aftermath::new(load),
        }
    }

    pub(crate) fn reset(&mut self) {
        (self.attempts, self.retries) = (0, 0);
        (self.refused, self.dropped) = (0, 0);
    }
}

pub(crate) fn candidates(scenario: &Scenario, all: &mut Vec<Candidate>) {
    let retry = &scenario.load.retry;
    if retry.retries > 0 && retry.retry_budget.is_none() {
        all.push(Candidate::of("load.retry_budget", "none".into(), "20%".into()));
    }
    for group in scenario.load.groups().iter() {
        if let Source::Open { max_users: Some(n), .. } | Source::Replay { max_users: Some(n), .. } =
            group.load.source
        {
            let knob = Candidate::of(&group.key("max_users"), n.to_string(), double(n));
            all.push(knob.at(Limit::Users));
        }
        if let Some(Distribution::Constant(span)) = group.load.timeout {
            let knob = Candidate::of(&group.key("timeout"), span.to_string(), twice(span));
            all.push(knob.at(Limit::Patience).price(Price::Patience));
        }
    }
    kept_connections(scenario, all);
}

/// The longest time for which a service is advised to keep idle connections: a client that keeps
/// them longer practically never closes them.
const LONGEST_KEPT: Span = Span::from_secs(600);

/// Idle connections end without errors if the client closes them first.
fn kept_connections(scenario: &Scenario, all: &mut Vec<Candidate>) {
    let service = scenario.service.keep_alive;
    let Some(client) = scenario.load.keep_alive_timeout else { return };
    if service == Span::MAX || service.is_zero() {
        return;
    }
    let mut change = |key: &str, from: Span, to: Span| {
        all.push(Candidate::of(key, from.to_string(), to.to_string()).at(Limit::KeepAlive));
    };
    if client <= LONGEST_KEPT {
        let seconds = libm::ceil(client.secs_f64() * 1.25) as u64;
        change("service.keep_alive", service, Span::from_secs(seconds.max(1)));
    }
    change("load.keep_alive_timeout", client, service.scale(0.8));
}

/// The bound of the load itself, if it has one: several loads at once share no `N/(R+Z)`.
/// There a request without any waiting takes `elapsed` seconds.
pub(crate) fn bound_of_load(load: &Load, elapsed: f64) -> Option<Bound> {
    Some(match &load.source {
        Source::Closed { users, think_time, .. } => {
            let (n, z) = (users.peak(), think_time.mean());
            Bound {
                name: "load.users".into(),
                law: format!("{n} / ({} + {})", seconds(elapsed), seconds(z)),
                throughput: round_significant(n / (elapsed + z)),
            }
        }
        Source::Open { rate, on_off, .. } => {
            let share = on_off.as_ref().map_or(1.0, OnOff::share);
            Bound {
                name: "load.rate".into(),
                law: if share < 1.0 { "arrivals while on, and off" } else { "arrivals" }.into(),
                throughput: round_significant(rate.peak() * share),
            }
        }
        Source::Replay { trace, .. } => {
            let counted = trace.count(load.total()) - trace.count(load.warmup);
            Bound {
                name: "load.trace".into(),
                law: "arrivals".into(),
                throughput: round_significant(counted as f64 / load.duration.secs_f64()),
            }
        }
        Source::Several(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_closes_first_or_the_service_later() {
        let advised = |sets: &str| {
            let text = format!(
                "load = {{ users = 1, duration = \"1s\"{sets} }}\nservice.concurrency = \"async\"\n\
                 costs = {{}}\nendpoint = [{{ name = \"a\", weight = 1, steps = [{{ cpu = \"1ms\" }}] }}]\n"
            );
            let scenario = model::read::load_text("test", &text, &[]).expect("sound").scenario;
            let mut all = Vec::new();
            kept_connections(&scenario, &mut all);
            all.iter().map(|one| format!("{} {}", one.name(), one.values(|c| &c.to))).collect()
        };
        let none: Vec<String> = advised("");
        assert!(none.is_empty());
        let balancer: Vec<String> = advised(", keep_alive_timeout = \"60s\"");
        assert_eq!(balancer, ["service.keep_alive 75s", "load.keep_alive_timeout 4s"]);
    }
}
