//! How rounds were measured: what a reader needs to trust their numbers, or not to.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use model::failure::ErrorKind;
use model::measurement::{
    Accounting, Connections, MeasuredMemory, Measurement, Process, Spread, UpstreamCalls,
};
use model::statistics::round_significant;

use super::assemble::MeasuredOn;
use super::round::Round;
use super::server;
use super::stations::Span;
use crate::machine::Facts;
use crate::machine::{Cpus, Noise};
use crate::postgres::Reading;
use crate::times;

/// The process that starts the database server and is the network to it.
const NETWORK: &str = "database network";
/// The pooler before the database server.
const POOLER: &str = "PgBouncer";

/// The rounds of a measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence<'a> {
    /// All of them.
    pub all: &'a [Round],
    /// Those that the numbers are of.
    pub counted: &'a [&'a Round],
}

impl Evidence<'_> {
    /// How the rounds were measured. What makes their numbers inconclusive is found by
    /// looking at them ([`super::guard`]), but for what went wrong already.
    pub(super) fn measurement(&self, on: &MeasuredOn<'_>) -> Measurement {
        let MeasuredOn { split, facts, .. } = on;
        let cpus = |cpus: &Cpus| cpus.numbers().iter().map(|&cpu| cpu as u32).collect();
        let mocks = || self.all.iter().filter_map(|round| round.close.upstream.as_ref());
        Measurement {
            target: on.own.clone().unwrap_or_else(|| on.target.name().to_string()),
            started: self.all.iter().map(|round| round.started).min().unwrap_or(0),
            interrupted: self.all.iter().any(|round| round.tally.interrupted),
            inconclusive: troubles(self.counted.iter().copied()),
            service_cpus: cpus(&split.service),
            load_cpus: cpus(&split.load),
            pinned: split.separate || split.room,
            steal: self.worst(|round| round.noise, |noise| noise.steal),
            kernel: self.mean(|noise| noise.kernel),
            others: self.worst(|round| round.noise, |noise| noise.others),
            load_steal: self.worst(|round| round.load_noise, |noise| noise.steal),
            load_others: self.worst(|round| round.load_noise, |noise| noise.others),
            speed: super::speed::measured(self.counted),
            processes: self.processes(),
            database: server::measured(self.counted),
            lateness: self.lateness(),
            upstream_lateness: self.upstream_lateness(),
            loop_lag: self.loop_lag(),
            accounting: self.accounting(),
            connections: self.connections(),
            upstreams: self.upstreams(),
            unaccepted: mocks().map(|mock| mock.accept_errors).sum(),
            malformed: self
                .counted
                .iter()
                .flat_map(|round| &round.tally.classes)
                .map(|class| class.malformed)
                .sum(),
            memory: self.memory(),
            machine: describe_machine(facts),
            versions: facts.versions.clone(),
        }
    }

    fn worst(&self, of: fn(&Round) -> Option<Noise>, pick: fn(&Noise) -> f64) -> f64 {
        let noises = self.counted.iter().filter_map(|round| of(round));
        round_significant(noises.map(|noise| pick(&noise)).fold(0.0, f64::max))
    }

    /// Mean over the counted rounds of what `pick` finds on the service's processors.
    fn mean(&self, pick: fn(&Noise) -> f64) -> f64 {
        let noises = self.counted.iter().filter_map(|round| round.noise);
        let found: Vec<f64> = noises.map(|noise| pick(&noise)).collect();
        round_significant(found.iter().sum::<f64>() / found.len().max(1) as f64)
    }

    fn processes(&self) -> Vec<Process> {
        let mut all = Vec::new();
        let workers = self.counted.iter().map(|round| round.close.workers.len()).max();
        for index in 0..workers.unwrap_or(0) {
            let cpu = |round: &Round| {
                let edges = (round.open.workers.get(index), round.close.workers.get(index));
                let (Some(open), Some(close)) = edges else { return 0 };
                Span::new(open, close).map_or(0, |span| span.cpu())
            };
            let memory = |round: &Round| {
                round.holdings.get(index).and_then(|holdings| holdings.resident).unwrap_or(0)
            };
            let workers = || self.counted.iter().filter_map(|round| round.close.workers.get(index));
            let name = workers().map(|worker| &worker.name).find(|name| !name.is_empty());
            let process = match name {
                Some(name) => self.process(name, cpu, memory),
                None => self.process(&format!("worker {index}"), cpu, memory),
            };
            // Of a service of the user's own every process is found, those that do nothing too.
            if name.is_none() || process.cpu > 0.0 {
                all.push(process);
            }
        }
        if self.counted.iter().any(|round| round.close.upstream.is_some()) {
            let cpu = |round: &Round| match (&round.open.upstream, &round.close.upstream) {
                (Some(open), Some(close)) => close.cpu.saturating_sub(open.cpu),
                _ => 0,
            };
            let memory = |round: &Round| {
                round.close.upstream.as_ref().and_then(|close| close.holdings.resident).unwrap_or(0)
            };
            all.push(self.process("mock upstream", cpu, memory));
        }
        let ours = |round: &Round| round.server.as_ref().is_some_and(|one| one.version.is_some());
        if self.counted.iter().any(|round| ours(round) && round.close.database.is_some()) {
            let cpu = |round: &Round| match (&round.open.database, &round.close.database) {
                (Some(open), Some(close)) => close.network.saturating_sub(open.network),
                _ => 0,
            };
            let memory =
                |round: &Round| round.close.database.as_ref().map_or(0, |one| one.network_memory);
            all.push(self.process(NETWORK, cpu, memory));
        }
        let pooler = |reading: Option<&Reading>| reading.and_then(|reading| reading.pooler);
        if self.counted.iter().any(|round| pooler(round.close.database.as_ref()).is_some()) {
            let at = |reading: Option<&Reading>| pooler(reading).map_or(0, |pooler| pooler.cpu);
            let cpu = |round: &Round| {
                at(round.close.database.as_ref()).saturating_sub(at(round.open.database.as_ref()))
            };
            let memory = |round: &Round| {
                pooler(round.close.database.as_ref()).map_or(0, |pooler| pooler.memory)
            };
            all.push(self.process(POOLER, cpu, memory));
        }
        all.push(self.process("load generator", |round| round.load_cpu, |round| round.load_memory));
        if let Some((display, _)) = self.counted.iter().find_map(|round| round.onlooker) {
            let cpu = |round: &Round| round.onlooker.map_or(0, |(_, cpu)| cpu);
            // Its memory is in the load generator's, or another program's.
            all.push(self.process(display.name(), cpu, |_| 0));
        }
        all
    }

    fn process(
        &self,
        name: &str,
        cpu: impl Fn(&Round) -> u64,
        memory: impl Fn(&Round) -> u64,
    ) -> Process {
        let total = self.counted.iter().map(|round| cpu(round)).sum::<u64>() as f64 / 1e9;
        let seconds: f64 = self.counted.iter().map(|round| round.seconds_counted()).sum();
        let share = if seconds > 0.0 { total / seconds } else { 0.0 };
        Process {
            name: name.to_string(),
            cpu: round_significant(total / self.counted.len().max(1) as f64),
            utilisation: round_significant(share),
            memory: self.counted.iter().map(|round| memory(round)).max().unwrap_or(0),
        }
    }

    fn lateness(&self) -> Spread {
        let mut all = times::histogram();
        for round in self.counted {
            // All have the same bounds.
            let _ = all.add(&round.tally.lateness);
        }
        spread(&all)
    }

    /// The worst round's: quantiles of several cannot be put together.
    fn upstream_lateness(&self) -> Spread {
        let seconds = |nanos: u64| round_significant(nanos as f64 / 1e9);
        let all = self.counted.iter().filter_map(|round| round.close.upstream.as_ref());
        let worst = all.map(|upstream| upstream.lateness).max_by_key(|lateness| lateness.p99);
        worst.map_or_else(Spread::default, |lateness| Spread {
            count: lateness.count,
            mean: seconds(lateness.mean),
            p50: seconds(lateness.p50),
            p99: seconds(lateness.p99),
            max: seconds(lateness.max),
        })
    }

    fn loop_lag(&self) -> Spread {
        let mut all = times::histogram();
        let workers = self.counted.iter().flat_map(|round| &round.close.workers);
        for &(nanos, count) in workers.flat_map(|worker| &worker.lag) {
            all.saturating_record_n(nanos, count);
        }
        spread(&all)
    }

    fn accounting(&self) -> Accounting {
        let mut sum = Accounting::default();
        for whole in self.all.iter().map(|round| &round.tally.whole) {
            sum.sent += whole.sent;
            sum.good += whole.good;
            sum.in_flight += whole.in_flight;
            sum.dropped += whole.dropped;
            for kind in ErrorKind::ALL {
                let count = whole.errors[kind as usize];
                if count > 0 {
                    *sum.errors.entry(kind.name().to_string()).or_default() += count;
                }
            }
        }
        sum
    }

    fn connections(&self) -> Connections {
        let rounds = || self.all.iter().map(|round| &round.tally.connections);
        Connections {
            opened: rounds().map(|connections| connections.made).sum(),
            remade: rounds().map(|connections| connections.remade).sum(),
            peak: rounds().map(|connections| connections.peak).max().unwrap_or(0),
        }
    }

    fn upstreams(&self) -> Vec<UpstreamCalls> {
        let mut all: Vec<UpstreamCalls> = Vec::new();
        let mocks = self.all.iter().filter_map(|round| round.close.upstream.as_ref());
        for seen in mocks.flat_map(|mock| &mock.upstreams) {
            let known = all.iter().position(|known| known.name == seen.name);
            let index = known.unwrap_or_else(|| {
                all.push(UpstreamCalls { name: seen.name.clone(), ..UpstreamCalls::default() });
                all.len() - 1
            });
            let sum = &mut all[index];
            sum.calls += seen.calls;
            sum.failures += seen.failures;
            sum.refused += seen.refused;
            sum.abandoned += seen.abandoned;
        }
        all
    }

    fn memory(&self) -> MeasuredMemory {
        // The round with most requests in the service says most about them.
        let most = self.counted.iter().max_by_key(|round| round.memory.requests);
        most.map(|round| round.memory).unwrap_or_default()
    }
}

/// What went wrong in any of `rounds`, each once.
pub(super) fn troubles<'r>(rounds: impl Iterator<Item = &'r Round>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for round in rounds {
        let clocks = round.clock.iter().map(ToString::to_string);
        for trouble in round.troubles.iter().cloned().chain(clocks) {
            if !all.contains(&trouble) {
                all.push(trouble);
            }
        }
    }
    all
}

fn spread(times: &Histogram<u64>) -> Spread {
    let seconds = |nanos: f64| round_significant(nanos / 1e9);
    if times.is_empty() {
        return Spread::default();
    }
    Spread {
        count: times.len(),
        mean: seconds(times.mean()),
        p50: seconds(times.value_at_quantile(0.5) as f64),
        p99: seconds(times.value_at_quantile(0.99) as f64),
        max: seconds(times.max() as f64),
    }
}

/// The machine as a report tells of it.
pub fn describe_machine(facts: &Facts) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut tell = |name: &str, value: Option<String>| {
        all.extend(value.map(|value| (name.to_string(), value)));
    };
    tell("cpu", facts.cpu_model.clone());
    tell("cpus online", facts.cpus_online.map(|count| count.to_string()));
    tell("system", facts.os.clone());
    tell("kernel", facts.kernel.clone());
    tell("architecture", Some(facts.architecture.clone()));
    tell("memory", facts.memory.map(|bytes| format!("{} MiB", bytes >> 20)));
    tell("file system", facts.filesystem.clone());
    tell("clock", facts.clock_source.clone());
    all
}
