//! The instructions of a call in words.

use model::scenario::Upstream;
use render::number;

use super::Op;
use crate::explain::program::{Reader, exact, patience};

pub(crate) fn explain(reader: &mut Reader<'_>, op: Op) {
    let scenario = reader.scenario;
    let spec = |upstream: u32| &scenario.upstreams[upstream as usize];
    match op {
        Op::SemaphoreAcquire { upstream } => {
            let slots = spec(upstream).max_in_flight.unwrap_or(0);
            reader.semaphore = format!(", under a semaphore of {slots} per worker");
        }
        Op::ConnectionAcquire { upstream, .. } => connection(reader, spec(upstream)),
        Op::Await { client, .. } => connection(reader, spec(client / 2)),
        Op::Exchange { upstream, latency, .. } => {
            let spec = spec(upstream);
            let semaphore = std::mem::take(&mut reader.semaphore);
            let latency_in_words = reader.draw_in_words(latency);
            let mut what = format!("call {}{semaphore}: {latency_in_words}", spec.name);
            what += &capacity(spec);
            what += &patience(spec.timeout);
            if spec.failures > 0.0 {
                what += &format!(", {} fail", number::percent(spec.failures));
            }
            if spec.retries > 0 {
                what += &format!(", up to {} retries", spec.retries);
            }
            let latency = &reader.plan.draws[latency as usize].distribution;
            let mean = spec.timeout.map_or(latency.mean(), |cap| latency.mean_capped(cap));
            reader.wait(what, mean);
        }
        Op::SemaphoreRelease { .. }
        | Op::ConnectionRelease { .. }
        | Op::Choose { .. }
        | Op::Lock { .. }
        | Op::Unlock { .. }
        | Op::Connect { .. }
        | Op::Disconnect { .. }
        | Op::Failure { .. }
        | Op::Retry { .. } => {}
    }
}

fn connection(reader: &mut Reader<'_>, spec: &Upstream) {
    let (slots, name) = (spec.max_connections.unwrap_or(0), &spec.name);
    let patience = patience(spec.pool_timeout);
    reader.line(format!("wait for one of {slots} connections to {name} per worker{patience}"));
}

/// How many calls the upstream works on at a time, and what it does with the others.
fn capacity(spec: &Upstream) -> String {
    let Some(capacity) = spec.capacity else { return String::new() };
    let Some(queue) = spec.queue else {
        return format!(", {capacity} at a time there, others queue");
    };
    let later = spec
        .retry_after
        .map_or(String::new(), |span| format!(", to come back after {}", exact(span)));
    let status = spec.refusal().as_str();
    format!(
        ", {capacity} at a time there, {queue} more queue, others are refused with {status}{later}"
    )
}
