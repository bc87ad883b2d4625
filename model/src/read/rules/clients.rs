//! Upstreams: the handlers that can use their clients, and what their headers can say.

use super::Problems;
use crate::keys::Fields;
use crate::read::diagnostic::{Problem, brief};
use crate::scenario::{Client, Concurrency, Scenario, Step};
use crate::units::Span;

/// `requests` blocks its thread, and aiohttp has to be awaited.
pub(super) fn check(scenario: &Scenario, root: &Fields, problems: &mut Problems) {
    let tables = root.table("upstream");
    for (index, upstream) in scenario.upstreams.iter().enumerate() {
        let Some(table) = tables.and_then(|tables| tables.table(&upstream.name)) else { continue };
        if let Some(after) = upstream.retry_after
            && after.nanos() % Span::from_secs(1).nanos() != 0
        {
            let name = brief(&upstream.name);
            let found = format!("`upstream.{name}.retry_after` is {after}");
            problems.push(
                Problem::new(table.position("retry_after"), found)
                    .allowed("whole seconds, such as \"1s\": the header Retry-After has no others")
                    .advice("write whole seconds"),
            );
        }
        for endpoint in &scenario.endpoints {
            let of = endpoint.concurrency(&scenario.service);
            let (allowed, advice) = match (upstream.client, of) {
                (Some(Client::Requests), Concurrency::Async) => (
                    "`requests` in handlers on threads: it blocks, and would stop the loop",
                    "write `client = \"httpx\"`, or the call as a `block` if that is what it does",
                ),
                (Some(Client::Aiohttp), Concurrency::Blocking | Concurrency::Threadpool) => {
                    ("`aiohttp` in async handlers", "write `client = \"requests\"` or `\"httpx\"`")
                }
                _ => continue,
            };
            if endpoint.steps.iter().any(|step| calls(step, index)) {
                let client = upstream.client.map_or("", Client::as_str);
                let found = format!(
                    "`upstream.{}.client` is \"{client}\", and the {} endpoint `{}` calls it",
                    brief(&upstream.name),
                    of.as_str(),
                    brief(&endpoint.name)
                );
                let at = table.position("client");
                problems.push(Problem::new(at, found).allowed(allowed).advice(advice));
            }
        }
    }
}

fn calls(step: &Step, upstream: usize) -> bool {
    match step {
        Step::Call(called) => *called == upstream,
        Step::Session(steps) | Step::Gather(steps) => {
            steps.iter().any(|step| calls(step, upstream))
        }
        _ => false,
    }
}
