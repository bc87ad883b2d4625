//! Upstreams in answers: stations, bounds, and the knobs of their limits.

use model::keys;
use model::place;
use model::report::Bound;
use model::scenario::Scenario;
use model::station::StationId;
use serde::{Deserialize, Serialize};

use super::{Op, clients, most};
use crate::answer::StationSource;
use crate::bounds::{Demand, Holding, Walk, bound};
use crate::knob::{Candidate, Price, double, twice};
use crate::observe::{Gauge, Limit};

/// What is counted of one upstream, in all workers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    /// Calls inside the semaphore.
    pub semaphore: Gauge,
    /// Limited client connections in use.
    pub connections: Gauge,
    /// Calls that the upstream works on, if that is limited.
    pub servers: Gauge,
    /// Calls in its queue.
    pub queued: Gauge,
    /// Waits of calls that are counted when they have their connection.
    pub waits: Gauge,
}

impl Observed {
    pub(crate) fn gauges(&mut self) -> impl Iterator<Item = &mut Gauge> {
        let Observed { semaphore, connections, servers, queued, waits } = self;
        [semaphore, connections, servers, queued, waits].into_iter()
    }
}

pub(crate) fn stations(scenario: &Scenario, all: &mut Vec<StationSource>) {
    let workers = u64::from(scenario.service.workers);
    let slots = |limit: u32| Some(workers * u64::from(limit));
    for (index, upstream) in scenario.upstreams.iter().enumerate() {
        let name = || upstream.name.clone();
        let mut add = |source: StationSource| all.push(source.of(index));
        // Slots are handed over without coming free: visits with a wait are counted at the place.
        if let Some(limit) = upstream.max_in_flight {
            let id = StationId::Semaphore(name());
            let source = StationSource::new(id, slots(limit), |o, i| &o.upstreams[i].semaphore)
                .queue(|o, i| o.at(place::semaphore(i as u32)));
            add(source.visits(|o, i| {
                let waited = o.at(place::semaphore(i as u32)).entries();
                o.upstreams[i].semaphore.entries() + waited
            }));
        }
        if let Some(limit) = upstream.max_connections {
            let id = StationId::Connections(name());
            let capacity = slots(limit * clients(scenario, index as u32));
            let source = StationSource::new(id, capacity, |o, i| &o.upstreams[i].connections)
                .queue(|o, i| o.at(place::connections(i as u32)));
            add(source.visits(|o, i| {
                let waited = o.at(place::connections(i as u32)).entries();
                (o.upstreams[i].connections.entries() + waited)
                    .saturating_sub(o.upstreams[i].waits.entries())
            }));
        }
        let id = StationId::Upstream(name());
        if let Some(capacity) = upstream.capacity {
            let capacity = Some(u64::from(capacity));
            let source = StationSource::new(id, capacity, |o, i| &o.upstreams[i].servers)
                .queue(|o, i| &o.upstreams[i].queued);
            add(source
                .visits(|o, i| o.upstreams[i].servers.entries() + o.upstreams[i].queued.entries()));
            continue;
        }
        let source = StationSource::new(id, None, |o, i| o.at(place::upstream(i as u32)));
        add(source.visits(|o, i| o.at(place::upstream(i as u32)).entries()));
    }
}

pub(crate) fn candidates(scenario: &Scenario, all: &mut Vec<Candidate>) {
    for (id, upstream) in (0..).zip(&scenario.upstreams) {
        let mut add = |part: &str, limit: Limit, from: String, to: String| {
            let key = keys::path(&["upstream", &upstream.name, part]);
            let price = if part.contains("timeout") { Price::Patience } else { Price::Line };
            all.push(Candidate::of(&key, from, to).at(limit).price(price));
        };
        if let Some(n) = upstream.max_in_flight {
            add("max_in_flight", Limit::Semaphore(id), n.to_string(), double(n));
        }
        if let Some(n) = upstream.max_connections {
            add("max_connections", Limit::Connections(id), n.to_string(), double(n));
            if let Some(span) = upstream.pool_timeout {
                let limit = Limit::ConnectionTimeout(id);
                add("pool_timeout", limit, span.to_string(), twice(span));
            }
        }
        if let Some(capacity) = upstream.capacity.filter(|_| upstream.queue.is_some()) {
            let share = (capacity / scenario.service.workers).max(1).to_string();
            if upstream.max_in_flight.is_none() {
                add("max_in_flight", Limit::Refused(id), "none".into(), share);
            }
            let retries = upstream.retries;
            add(
                "retries",
                Limit::Refused(id),
                retries.to_string(),
                (retries + 2).min(20).to_string(),
            );
        }
        if let Some(span) = upstream.timeout {
            add("timeout", Limit::UpstreamTimeout(id), span.to_string(), twice(span));
        }
    }
}

pub(crate) fn visit(walk: &mut Walk<'_>, op: Op) {
    match op {
        Op::SemaphoreAcquire { upstream } => walk.hold(Holding::Semaphore(upstream)),
        Op::SemaphoreRelease { upstream } => walk.release(Holding::Semaphore(upstream)),
        Op::ConnectionAcquire { upstream, .. } => walk.hold(Holding::Connections(upstream)),
        Op::ConnectionRelease { upstream } => walk.release(Holding::Connections(upstream)),
        Op::Await { client, .. } => walk.hold(Holding::Connections(client / 2)),
        Op::Disconnect { client, .. } if most(&walk.plan.scenario, client).is_some() => {
            walk.release(Holding::Connections(client / 2));
        }
        Op::Exchange { upstream, latency, .. } => {
            let timeout = walk.plan.scenario.upstreams[upstream as usize].timeout;
            let latency = &walk.plan.draws[latency as usize].distribution;
            let mean = timeout.map_or(latency.mean(), |cap| latency.mean_capped(cap));
            let whole = latency.mean();
            walk.spend(place::upstream(upstream), mean, false);
            walk.demand.add_held(Holding::Upstream(upstream), whole);
        }
        Op::Choose { .. }
        | Op::Lock { .. }
        | Op::Unlock { .. }
        | Op::Connect { .. }
        | Op::Disconnect { .. }
        | Op::Failure { .. }
        | Op::Retry { .. } => {}
    }
}

pub(crate) fn bounds(scenario: &Scenario, mean: &Demand, all: &mut Vec<Bound>) {
    let workers = f64::from(scenario.service.workers);
    for (id, upstream) in (0..).zip(&scenario.upstreams) {
        if let Some(slots) = upstream.max_in_flight {
            let name = keys::path(&["upstream", &upstream.name, "max_in_flight"]);
            let held = mean.held(Holding::Semaphore(id));
            all.push(bound(&name, workers * f64::from(slots), held));
        }
        if let Some(slots) = upstream.max_connections {
            let name = keys::path(&["upstream", &upstream.name, "max_connections"]);
            let slots = workers * f64::from(slots * clients(scenario, id));
            all.push(bound(&name, slots, mean.held(Holding::Connections(id))));
        }
        if let Some(capacity) = upstream.capacity {
            let name = keys::path(&["upstream", &upstream.name, "capacity"]);
            all.push(bound(&name, f64::from(capacity), mean.held(Holding::Upstream(id))));
        }
    }
}
