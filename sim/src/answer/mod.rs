//! Observations of replications become a report.

mod falls_behind;
mod objectives;
mod pooled;
mod stations;

pub(crate) use objectives::errors_of;
pub(crate) use stations::StationSource;

use std::collections::BTreeMap;
use std::ops::Range;

use model::recovery::recovery;
use model::report::{
    Arrivals, Bin, Class, InFlight, Kind, LoadAnswer, Memory, Part, PublishedFigure, Report,
    ResponseTime, Retries, Run, RunRange, SCHEMA,
};
use model::scenario::Scenario;
use model::statistics::{Estimate, round_significant};

use crate::bounds::bounds;
use crate::observe::{ClassObservations, ErrorKind, Gauge, Histograms, Observations};
use crate::plan::Plan;
use crate::replicate::{GROUPS, Replications};
use crate::{process, standstill};

use pooled::Pooled;

/// The report on replications of `scenario`, without any experiment on its knobs.
pub fn report(scenario: &Scenario, digest: String, runs: &Replications, confidence: f64) -> Report {
    let plan = Plan::new(scenario, scenario.seed);
    let (seen, groups) = (&runs.seen, &runs.groups);
    Builder { scenario, plan: &plan, seen, groups, confidence }.report(digest)
}

/// Each replication of `scenario` by itself. None if there is only one, or if there are more
/// than groups: then a group holds the response times of several.
pub fn rounds(
    scenario: &Scenario,
    digest: &str,
    runs: &Replications,
    confidence: f64,
) -> Vec<Report> {
    if !(2..=GROUPS).contains(&runs.seen.len()) {
        return Vec::new();
    }
    let plan = Plan::new(scenario, scenario.seed);
    let alone = |(seen, groups)| {
        Builder { scenario, plan: &plan, seen, groups, confidence }.report(digest.to_string())
    };
    let each = runs.seen.chunks(1).zip(runs.groups.chunks(1)).map(alone);
    (0..).zip(each).map(|(index, report)| report.into_round(index)).collect()
}

pub(crate) struct Builder<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) plan: &'a Plan,
    pub(crate) seen: &'a [Observations],
    groups: &'a [Histograms],
    confidence: f64,
}

impl Builder<'_> {
    fn report(&self, digest: String) -> Report {
        let Builder { scenario, plan, seen, confidence, .. } = *self;
        let throughput = self.estimate(Observations::throughput);
        let (response_time, response_time_intervals, distribution) = self.response_time();
        let published = scenario.published.as_ref().map(|published| PublishedFigure {
            throughput: published.throughput,
            fitted: published.fitted,
            note: published.note.clone(),
            error: round_significant(throughput.value / published.throughput - 1.0),
        });
        let mut report = Report {
            schema: SCHEMA,
            kind: Kind::Predicted,
            scenario: scenario.name.clone(),
            question: scenario.question.clone(),
            seed: scenario.seed,
            digest,
            run: Run {
                replications: seen.len() as u32,
                confidence,
                warmup: scenario.load.warmup.secs_f64(),
                duration: scenario.load.duration.secs_f64(),
                samples: seen.iter().map(Observations::good).sum(),
            },
            throughput,
            response_time,
            response_time_intervals,
            distribution,
            errors: self.errors(|o| o.errors()),
            error_share: self.error_share(),
            in_flight: InFlight {
                mean: self.estimate(|o| self.mean(&o.in_flight)),
                peak: seen.iter().map(|o| o.in_flight.peak()).max().unwrap_or(0),
            },
            arrivals: Arrivals {
                sent: self.average(|o| o.sent as f64),
                dropped: self.average(|o| o.dropped as f64),
                rate: self.average(|o| (o.sent + o.dropped) as f64 / o.window.secs_f64()),
            },
            retries: self.retries(),
            recovery: recovery(
                &scenario.load,
                seen.iter().map(|o| &o.client.aftermath),
                confidence,
            ),
            classes: self.classes(),
            groups: self.loads(),
            stations: self.stations(),
            workers: self.workers(),
            runs: RunRange::of(seen.iter().map(|seen| round_significant(seen.throughput()))),
            time: self.time(|o| &o.classes),
            memory: self.memory(),
            bounds: bounds(scenario, plan),
            bottleneck: None,
            knobs: Vec::new(),
            published,
            measurement: None,
            cut_short: self.cut_short().is_some(),
            falls_behind: falls_behind::growth(scenario, seen, confidence),
            untold: Default::default(),
            after: self.after(),
            processes: process::processes(scenario, seen),
            standstill: standstill::standstill(scenario, seen),
            margins: None,
            objectives: Vec::new(),
            over_time: None,
            warnings: self.warnings(),
            rounds: Vec::new(),
        };
        report.objectives = self.objectives(&report);
        report
    }

    fn retries(&self) -> Option<Retries> {
        let retries = Retries {
            attempts: self.average(|o| o.client.attempts as f64),
            retries: self.average(|o| o.client.retries as f64),
            refused: self.average(|o| o.client.refused as f64),
        };
        (self.scenario.load.retry.retries > 0).then_some(retries)
    }

    pub(crate) fn estimate(&self, pick: impl Fn(&Observations) -> f64) -> Estimate {
        let samples: Vec<f64> = self.seen.iter().map(pick).collect();
        Estimate::of_mean(&samples, self.confidence).rounded()
    }

    pub(crate) fn average(&self, pick: impl Fn(&Observations) -> f64) -> f64 {
        self.estimate(pick).value
    }

    /// Time average of a gauge over the window.
    pub(crate) fn mean(&self, gauge: &Gauge) -> f64 {
        gauge.area() as f64 / self.scenario.load.duration.nanos() as f64
    }

    fn errors(
        &self,
        pick: impl Fn(&Observations) -> [u64; ErrorKind::ALL.len()],
    ) -> BTreeMap<String, f64> {
        ErrorKind::ALL
            .into_iter()
            .map(|kind| (kind, self.average(|o| pick(o)[kind as usize] as f64)))
            .filter(|(kind, count)| *count > 0.0 || ErrorKind::ALWAYS.contains(kind))
            .map(|(kind, count)| (kind.name().to_string(), count))
            .collect()
    }

    /// Errors among the requests that were answered or given up.
    fn error_share(&self) -> f64 {
        let errors: u64 = self.seen.iter().flat_map(|o| o.errors()).sum();
        let good: u64 = self.seen.iter().map(Observations::good).sum();
        let all = errors + good;
        if all == 0 { 0.0 } else { round_significant(errors as f64 / all as f64) }
    }

    /// Response times of `classes` by group, of groups that have a replication.
    fn pooled(&self, classes: Range<usize>) -> Vec<Pooled> {
        let group = |(index, histograms): (usize, &Histograms)| {
            let members = self.seen.iter().skip(index).step_by(GROUPS);
            Pooled::new(members, std::slice::from_ref(histograms), classes.clone())
        };
        self.groups.iter().enumerate().take(self.seen.len()).map(group).collect()
    }

    fn response_time(&self) -> (ResponseTime, BTreeMap<String, Estimate>, Vec<Bin>) {
        let classes = 0..self.plan.classes.len();
        let groups = self.pooled(classes);
        let all = Pooled::sum(&groups);
        let point = all.response_time();
        let each: Vec<ResponseTime> =
            groups.iter().filter(|group| group.good > 0).map(Pooled::response_time).collect();
        let names = ["mean", "p50", "p90", "p95", "p99", "p999"];
        let intervals = names.into_iter().map(|name| {
            let samples: Vec<f64> = each.iter().filter_map(|times| times.get(name)).collect();
            let spread = Estimate::of_mean(&samples, self.confidence).half_width();
            let value = point.get(name).unwrap_or(0.0);
            let interval = Estimate { value, low: (value - spread).max(0.0), high: value + spread };
            (name.to_string(), interval.rounded())
        });
        (point, intervals.collect(), all.distribution())
    }

    fn classes(&self) -> Vec<Class> {
        let class = |(index, class): (usize, &crate::plan::Class)| {
            let pooled = Pooled::new(self.seen.iter(), self.groups, index..index + 1);
            Class {
                name: class.name.clone(),
                throughput: self.estimate(|o| o.classes[index].good as f64 / o.window.secs_f64()),
                response_time: pooled.response_time(),
                errors: self.errors(|o| o.classes[index].errors),
                time: self.time(|o| &o.classes[index..=index]),
            }
        };
        self.plan.classes.iter().enumerate().map(class).collect()
    }

    /// Each of several loads at once.
    fn loads(&self) -> Vec<LoadAnswer> {
        if self.plan.groups.len() < 2 {
            return Vec::new();
        }
        let load = |(index, of): (usize, &crate::plan::LoadGroup)| {
            let pooled: Vec<Pooled> = (self.groups.iter().enumerate())
                .map(|(part, histograms)| {
                    let members = self.seen.iter().skip(part).step_by(GROUPS);
                    Pooled::of_load(members, histograms, index)
                })
                .collect();
            LoadAnswer {
                name: of.group.name.clone(),
                throughput: self
                    .estimate(|o| o.groups[index].answers.good as f64 / o.window.secs_f64()),
                response_time: Pooled::sum(&pooled).response_time(),
                errors: self.errors(|o| o.groups[index].answers.errors),
                sent: self.average(|o| o.groups[index].sent as f64),
                dropped: self.average(|o| o.groups[index].dropped as f64),
            }
        };
        self.plan.groups.iter().enumerate().map(load).collect()
    }

    /// Mean seconds per good answer by place; places that took no time are left out.
    fn time(&self, pick: impl Fn(&Observations) -> &[ClassObservations]) -> Vec<Part> {
        let mut sums = vec![0u128; self.plan.place_count()];
        let mut good = 0u64;
        for class in self.seen.iter().flat_map(pick) {
            good += class.good;
            sums.iter_mut().zip(&class.time).for_each(|(sum, part)| *sum += part);
        }
        let named = self.plan.places.iter().zip(sums).filter(|(_, sum)| *sum > 0);
        named
            .map(|(name, sum)| Part {
                place: name.clone(),
                seconds: round_significant(sum as f64 / good as f64 / 1e9),
            })
            .collect()
    }

    /// Workers at rest, plus what each open connection, request in flight and busy pool
    /// thread costs.
    fn memory(&self) -> Memory {
        let costs = &self.scenario.costs.memory;
        let base = u64::from(self.scenario.service.workers) * costs.worker;
        let bytes = |requests: f64, connections: f64, threads: f64| {
            base as f64
                + requests * costs.request as f64
                + connections * costs.connection as f64
                + threads * costs.thread as f64
        };
        let mean = self.average(|o| {
            bytes(
                self.mean(&o.in_flight) + self.mean(&o.after.at_work),
                self.mean(&o.event_loop.connections),
                self.mean(&o.threads.in_use),
            )
        });
        let peak = |o: &Observations| {
            let peak = |gauge: &Gauge| gauge.peak() as f64;
            let requests = peak(&o.in_flight) + peak(&o.after.at_work);
            bytes(requests, peak(&o.event_loop.connections), peak(&o.threads.in_use))
        };
        let peak = self.seen.iter().map(peak).fold(0.0, f64::max);
        Memory { mean, peak: round_significant(peak) }
    }

    fn warnings(&self) -> Vec<String> {
        let mut all = Vec::new();
        all.extend(process::processes(self.scenario, self.seen).and_then(|one| one.sentence()));
        all.extend(standstill::standstill(self.scenario, self.seen).map(|one| one.sentence()));
        let good: u64 = self.seen.iter().map(Observations::good).sum();
        if good == 0 {
            all.push("no request was answered well in the counted window".to_string());
        } else if good < 10_000 {
            all.push(format!("only {good} good answers were counted: p99.9 and max are rough"));
        }
        all.extend(self.cut_short().map(|(little, counted)| {
            format!(
                "requests take about {little:.0} s, but the mean of those that ended in the \
                 counted time is {counted:.1} s: the slow ones are still in flight. Lengthen \
                 load.warmup and load.duration to see them"
            )
        }));
        all
    }

    /// Little's law: requests in flight are rate times response time. Where far more are in
    /// flight than the counted response times explain, the slow ones have not ended yet.
    ///
    /// Returns the mean response time by that law, and that of the counted ones, in seconds.
    fn cut_short(&self) -> Option<(f64, f64)> {
        const MANY: f64 = 1.5;
        const FEW_ERRORS: f64 = 0.05;
        let (good, sum) = self
            .seen
            .iter()
            .flat_map(|o| &o.classes)
            .fold((0u64, 0u128), |(good, sum), class| (good + class.good, sum + class.sum));
        // Requests that are given up early keep the number in flight down.
        if good == 0 || self.error_share() > FEW_ERRORS {
            return None;
        }
        let seconds: f64 = self.seen.iter().map(|o| o.window.secs_f64()).sum();
        let in_flight = self.average(|o| self.mean(&o.in_flight));
        let (little, counted) = (in_flight * seconds / good as f64, sum as f64 / good as f64 / 1e9);
        (little > MANY * counted).then_some((little, counted))
    }
}
