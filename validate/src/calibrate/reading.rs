//! The numbers of reports that calibration uses.

use std::collections::{BTreeMap, BTreeSet};

use model::costs::Work;
use model::failure::ErrorKind;
use model::place::PlaceId;
use model::report::Report;

use super::probe::Probe;

/// The numbers of a probe in one round. Times are in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reading {
    /// CPU time of the workers in the counted window; where they write to a disk, with that of the
    /// kernel's threads on their processors.
    pub cpu: f64,
    /// CPU time of the database server; not a number without one.
    pub server: f64,
    /// Good answers.
    pub good: f64,
    /// Requests that were refused.
    pub rejected: f64,
    /// Requests that ended in an error of the service.
    pub failed: f64,
    /// Length of the window.
    pub seconds: f64,
    /// Mean response time.
    pub mean: f64,
    /// Median response time.
    pub p50: f64,
    /// Nine of ten response times are shorter.
    pub p90: f64,
    /// 99 of 100 response times are shorter.
    pub p99: f64,
    /// Where the time of a good answer went, on average.
    pub parts: BTreeMap<PlaceId, f64>,
    /// Resident memory of the workers before the load, in bytes.
    pub at_rest: f64,
    /// More resident memory per request in the service; not a number with few of them.
    pub per_request: f64,
    /// Why the measurement is unsound; empty if it is sound.
    pub doubts: Vec<String>,
}

impl Reading {
    /// The numbers of the report on `probe`.
    pub(crate) fn of(report: &Report, probe: &Probe) -> Reading {
        let how = report.measurement.clone().unwrap_or_default();
        let processors = how.service_cpus.len() as f64;
        // To write is the kernel's work in part. Beside a service that only reads, it works for
        // other programs.
        let writes = if probe.works.contains(&Work::Commit) { 1.0 } else { 0.0 };
        let of_kernel = writes * how.kernel * processors * report.run.duration;
        let workers = how.processes.iter().filter(|process| process.is_worker());
        Reading {
            cpu: workers.map(|worker| worker.cpu).sum::<f64>() + of_kernel,
            server: how
                .database
                .as_ref()
                .map_or(f64::NAN, |server| server.utilisation * report.run.duration),
            good: report.run.samples as f64,
            rejected: report.errors.get(ErrorKind::Rejected.name()).copied().unwrap_or(0.0),
            failed: report
                .errors
                .iter()
                .filter(|(kind, _)| *kind != ErrorKind::Timeout.name())
                .map(|(_, count)| count)
                .sum(),
            seconds: report.run.duration,
            mean: report.response_time.mean,
            p50: report.response_time.p50,
            p90: report.response_time.p90,
            p99: report.response_time.p99,
            parts: report.time.iter().map(|part| (part.place.clone(), part.seconds)).collect(),
            at_rest: how.memory.idle as f64,
            per_request: how.memory.per_request.unwrap_or(f64::NAN),
            doubts: how.inconclusive.clone(),
        }
    }

    /// The measurement is sound.
    pub(crate) fn is_sound(&self) -> bool {
        self.doubts.is_empty()
    }

    /// CPU time per good answer.
    pub(crate) fn cpu_per_request(&self) -> f64 {
        self.cpu / self.good
    }

    /// CPU time of the database server per good answer.
    pub(crate) fn server_cpu_per_request(&self) -> f64 {
        self.server / self.good
    }

    /// Good answers per second.
    pub(crate) fn rate(&self) -> f64 {
        self.good / self.seconds
    }

    /// The mean of several readings.
    fn mean_of(readings: &[&Reading]) -> Reading {
        let count = readings.len() as f64;
        let mean = |pick: &dyn Fn(&Reading) -> f64| {
            readings.iter().map(|reading| pick(reading)).sum::<f64>() / count
        };
        let places: BTreeSet<&PlaceId> = readings.iter().flat_map(|one| one.parts.keys()).collect();
        let part = |place: &&PlaceId| ((*place).clone(), mean(&|reading| reading.part(place)));
        Reading {
            cpu: mean(&|reading| reading.cpu),
            server: mean(&|reading| reading.server),
            good: mean(&|reading| reading.good),
            rejected: mean(&|reading| reading.rejected),
            failed: mean(&|reading| reading.failed),
            seconds: mean(&|reading| reading.seconds),
            mean: mean(&|reading| reading.mean),
            p50: mean(&|reading| reading.p50),
            p90: mean(&|reading| reading.p90),
            p99: mean(&|reading| reading.p99),
            parts: places.iter().map(part).collect(),
            at_rest: mean(&|reading| reading.at_rest),
            per_request: mean(&|reading| reading.per_request),
            doubts: readings.iter().flat_map(|reading| reading.doubts.clone()).collect(),
        }
    }

    /// Mean time at a place; zero at one that the report does not name.
    pub(crate) fn part(&self, place: &PlaceId) -> f64 {
        self.parts.get(place).copied().unwrap_or(0.0)
    }
}

/// How the caches lose data on a stack, as far as it was measured outside calibrations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caches {
    /// The shape of the loss over time: five rates are too few to find it by.
    pub(crate) shape: f64,
    /// Other requests in flight that displace all but 1/e of what a request has in the caches;
    /// none if that was not seen.
    pub(crate) displaced_by: Option<u32>,
}

/// One run of each probe.
#[derive(Clone, Debug)]
pub(crate) struct Round<'a> {
    /// How the caches of their stack lose data.
    pub(crate) caches: Caches,
    readings: BTreeMap<&'a str, (&'a Probe, Reading)>,
}

impl<'a> Round<'a> {
    /// Without any reading yet.
    pub(crate) fn new(caches: Caches) -> Round<'a> {
        Round { caches, readings: BTreeMap::new() }
    }

    /// Adds the reading of `probe`.
    pub(crate) fn insert(&mut self, probe: &'a Probe, reading: Reading) {
        self.readings.insert(&probe.name, (probe, reading));
    }

    /// The mean of several rounds, at least one. Probes that not all of them ran are left out.
    pub(crate) fn mean_of(rounds: &[&Round<'a>]) -> Round<'a> {
        let mut mean = Round::new(rounds[0].caches);
        for (name, (probe, _)) in &rounds[0].readings {
            let readings: Option<Vec<&Reading>> =
                rounds.iter().map(|round| round.get(name)).collect();
            if let Some(readings) = readings {
                mean.insert(probe, Reading::mean_of(&readings));
            }
        }
        mean
    }

    /// The reading of the probe of this name, if it was run.
    pub(crate) fn get(&self, name: &str) -> Option<&Reading> {
        self.readings.get(name).map(|(_, reading)| reading)
    }

    /// The probe of this name, if it was run.
    pub(crate) fn probe(&self, name: &str) -> Option<&'a Probe> {
        self.readings.get(name).map(|(probe, _)| *probe)
    }

    /// A number of a probe; NaN if it was not run.
    pub(crate) fn number(&self, name: &str, pick: impl Fn(&Reading) -> f64) -> f64 {
        self.get(name).map_or(f64::NAN, pick)
    }

    /// The difference of a number between two probes.
    pub(crate) fn more(&self, name: &str, than: &str, pick: impl Fn(&Reading) -> f64) -> f64 {
        self.number(name, &pick) - self.number(than, &pick)
    }

    /// CPU time per good answer of a probe, in seconds.
    pub(crate) fn cpu(&self, name: &str) -> f64 {
        self.number(name, Reading::cpu_per_request)
    }

    /// Mean time of a probe at a place, in seconds.
    pub(crate) fn part(&self, name: &str, place: &PlaceId) -> f64 {
        self.number(name, |reading| reading.part(place))
    }
}
