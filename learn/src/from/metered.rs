//! Requests by the service's own metrics: no single ones, but how many were answered between two scrapes.

use model::statistics::Estimate;

use super::windows::{cpu_between, grid};
use crate::demand::{Counted, Seen, Window, Windows};
use crate::paths::{Endpoints, Found, Pattern};
use crate::records::cpu::{Counter, Cpu};
use crate::records::prometheus;

/// Requests by metrics.
pub(super) struct Metered {
    pub(super) endpoints: Vec<Found>,
    /// Per endpoint its counters of requests and of seconds.
    counters: Vec<(Vec<Counter>, Vec<Counter>)>,
}

impl Metered {
    /// The endpoints that metrics count; none if they count none.
    pub(super) fn of(
        counted: Vec<prometheus::Counted>,
        given: &[Pattern],
        most: usize,
    ) -> Option<Metered> {
        let mut endpoints = Endpoints::new(given.to_vec());
        let mut leaves = Vec::new();
        for one in &counted {
            let total = one.requests.iter().filter_map(total).sum::<f64>();
            let leaf = match one.route.starts_with('/') {
                true => endpoints.path(&one.method, &one.route, None),
                false => endpoints.named(&one.method, &one.route, "", None),
            };
            leaves.push((leaf, total));
        }
        // Each leaf was counted once: its requests are those of its counters.
        let mut settled = endpoints.settle().at_most(most);
        settled.endpoints.iter_mut().for_each(|found| found.requests = 0);
        let mut counters = vec![(Vec::new(), Vec::new()); settled.endpoints.len()];
        for (one, (leaf, total)) in counted.into_iter().zip(leaves) {
            let class = settled.class[leaf as usize] as usize;
            settled.endpoints[class].requests += total.round() as u64;
            settled.endpoints[class].request = None;
            counters[class].0.extend(one.requests);
            counters[class].1.extend(one.seconds);
        }
        let any = settled.endpoints.iter().any(|found| found.requests > 0);
        any.then_some(Metered { endpoints: settled.endpoints, counters })
    }

    /// Windows of the counts beside `cpu`.
    pub(super) fn windows(&self, cpu: Option<&Cpu>, processors: u32) -> Windows {
        let counters = || self.counters.iter().flat_map(|(requests, _)| requests);
        let own = || cpu.into_iter().flat_map(|cpu| cpu.sources.values());
        let step = counters().chain(own()).filter_map(Counter::step).fold(0.0, f64::max);
        let low =
            counters().filter_map(Counter::span).map(|span| span[0]).fold(f64::INFINITY, f64::min);
        let high = counters().filter_map(Counter::span).map(|span| span[1]).fold(0.0, f64::max);
        let requests: u64 = self.endpoints.iter().map(|found| found.requests).sum();
        let (start, length, count) = grid([low, high.max(low)], requests as f64, step, low);
        let sum = |counters: &[Counter], from: f64| {
            let each = counters.iter().filter_map(|counter| {
                let [first, last] = counter.span()?;
                counter.between(from.max(first), (from + length).min(last))
            });
            each.sum::<f64>()
        };
        let window = |at: usize| {
            let from = start + at as f64 * length;
            let seen = |(requests, seconds): &(Vec<Counter>, Vec<Counter>)| {
                let count = sum(requests, from);
                let response =
                    (!seconds.is_empty() && count > 0.0).then(|| sum(seconds, from) / count);
                Seen { requests: count, response, in_flight: None }
            };
            Window {
                start: from,
                cpu: cpu.and_then(|cpu| cpu_between(cpu, from, from + length)),
                classes: self.counters.iter().map(seen).collect(),
            }
        };
        Windows {
            length,
            processors,
            counted: Counted::Completions,
            classes: self.endpoints.iter().map(|found| found.name.clone()).collect(),
            windows: (0..count).map(window).collect(),
        }
    }

    /// Requests per second, with the interval that the windows give.
    pub(super) fn rate(windows: &Windows) -> Estimate {
        let rates: Vec<f64> = windows
            .windows
            .iter()
            .map(|window| {
                window.classes.iter().map(|seen| seen.requests).sum::<f64>() / windows.length
            })
            .collect();
        Estimate::of_mean(&rates, 0.95)
    }
}

fn total(counter: &Counter) -> Option<f64> {
    Some(counter.points().last()?.1)
}
