//! The processors in answers: their station, their bound, and the knobs that they have.

use model::place;
use model::report::Bound;
use model::scenario::Scenario;
use model::station::StationId;
use serde::{Deserialize, Serialize};

use crate::answer::StationSource;
use crate::bounds::{Demand, bound};
use crate::database;
use crate::knob::{Candidate, Price, double, twice};
use crate::observe::{Gauge, Limit};

/// What is counted of the processors.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    /// Processors in use.
    pub cores: Gauge,
    /// Stretches of work for a request, however many turns each took.
    pub bursts: u64,
}

impl Observed {
    pub(crate) fn gauges(&mut self) -> impl Iterator<Item = &mut Gauge> {
        [&mut self.cores].into_iter()
    }

    pub(crate) fn reset(&mut self) {
        self.bursts = 0;
    }
}

pub(crate) fn stations(scenario: &Scenario, all: &mut Vec<StationSource>) {
    let cores = u64::from(scenario.cpu.cores);
    all.push(
        StationSource::new(StationId::Cpu, Some(cores), |o, _| &o.cpu.cores)
            .queue(|o, _| o.at(place::CPU_WAIT))
            .served(|o, _| o.at(place::CPU))
            .visits(|o, _| o.cpu.bursts),
    );
}

pub(crate) fn candidates(scenario: &Scenario, all: &mut Vec<Candidate>) {
    let cpu = &scenario.cpu;
    if let Some(quota) = cpu.quota {
        let (from, to) = (quota.budget.to_string(), twice(quota.budget));
        let quota = Candidate::of("cpu.quota.budget", from, to).at(Limit::Quota);
        all.push(quota.price(Price::Hardware));
    }
    let twice_as_fast = (cpu.speed * 2.0).to_string();
    for (key, from, to) in [
        ("cpu.speed", cpu.speed.to_string(), twice_as_fast),
        ("cpu.cores", cpu.cores.to_string(), double(cpu.cores)),
    ] {
        all.push(Candidate::of(key, from, to).price(Price::Hardware));
    }
}

pub(crate) fn bounds(scenario: &Scenario, mean: &Demand, all: &mut Vec<Bound>) {
    let mut cores = f64::from(scenario.cpu.cores);
    if let Some(quota) = scenario.cpu.quota {
        cores = cores.min(quota.budget.secs_f64() / quota.period.secs_f64());
    }
    all.push(bound("cpu", cores, mean.at(place::CPU) + database::cpu_of_server(scenario, mean)));
}
