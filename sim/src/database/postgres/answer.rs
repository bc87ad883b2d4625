//! The database server in answers: its processors.

use model::place;
use model::report::Bound;
use model::scenario::{Engine, Postgres, Scenario};
use model::station::StationId;
use serde::{Deserialize, Serialize};

use super::Op;
use crate::answer::StationSource;
use crate::bounds::{Demand, Holding, Walk, bound};
use crate::knob::{Candidate, Price, double};
use crate::observe::Gauge;

/// What is counted of the database server.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    /// Processors at work.
    pub busy: Gauge,
    /// Statements that wait for one.
    pub queue: Gauge,
}

impl Observed {
    pub(crate) fn gauges(&mut self) -> impl Iterator<Item = &mut Gauge> {
        [&mut self.busy, &mut self.queue].into_iter()
    }
}

fn settings(scenario: &Scenario) -> Option<&Postgres> {
    match &scenario.database.as_ref()?.engine {
        Engine::Postgres(postgres) => Some(postgres),
        Engine::Sqlite(_) => None,
    }
}

pub(crate) fn stations(scenario: &Scenario, all: &mut Vec<StationSource>) {
    let Some(postgres) = settings(scenario) else { return };
    let cores = u64::from(postgres.cores);
    all.push(
        StationSource::new(StationId::DatabaseServer, Some(cores), |o, _| &o.postgres.busy)
            .queue(|o, _| &o.postgres.queue)
            .visits(|o, _| o.postgres.busy.entries() + o.postgres.queue.entries()),
    );
}

pub(crate) fn candidates(scenario: &Scenario, all: &mut Vec<Candidate>) {
    let Some(postgres) = settings(scenario) else { return };
    let (from, to) = (postgres.cores.to_string(), double(postgres.cores));
    all.push(Candidate::of("database.cores", from, to).price(Price::Hardware));
}

pub(crate) fn visit(walk: &mut Walk<'_>, op: Op) {
    match op {
        Op::Server { engine, round_trip } => {
            let (engine, trip) = (walk.mean(engine), walk.mean(round_trip));
            walk.demand.add_held(Holding::DatabaseServer, engine);
            walk.spend(place::SERVER, engine + trip, walk.database_blocks());
        }
    }
}

pub(crate) fn bounds(scenario: &Scenario, mean: &Demand, all: &mut Vec<Bound>) {
    let Some(postgres) = settings(scenario) else { return };
    let demand = mean.held(Holding::DatabaseServer);
    all.push(bound("database.cores", f64::from(postgres.cores), demand));
}
