//! Rounds become a report.

mod objectives;
mod over_time;

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram;
use model::failure::ErrorKind;
use model::place;
use model::read::Resolved;
use model::recovery::recovery;
use model::report::{
    AfterWork, Arrivals, Bin, Class, InFlight, Kind, LoadAnswer, Memory, OTHER_STATIONS, Part,
    PublishedFigure, Report, ResponseTime, Retries, Run, RunRange, SCHEMA, STATIONS, Station, bins,
};
use model::scenario::Endpoint;
use model::station::StationId;
use model::statistics::{Estimate, round_significant};

use super::evidence::{Evidence, troubles};
use super::faults;
use super::fold::{Group, Groups, response_time};
use super::guard;
use super::round::Round;
use super::server;
use super::stations::{self, Span, Window};
use crate::load::{ClassTally, GroupTally, Tally};
use crate::machine::Facts;
use crate::machine::Holdings;
use crate::machine::Split;
use crate::machine::backlog_max;
use crate::postgres;
use crate::stack::Target;

/// Confidence of every interval.
const CONFIDENCE: f64 = 0.95;
/// Good answers below which the far quantiles are rough.
const FEW: u64 = 10_000;
/// Good answers below which all quantiles are.
const VERY_FEW: u64 = 100;

/// What rounds were measured on.
#[derive(Clone, Debug)]
pub(crate) struct MeasuredOn<'a> {
    /// What the scenario ran on.
    pub target: Target,
    /// Where it listens, if it is a service of the user's own.
    pub own: Option<String>,
    /// What ran where.
    pub split: &'a Split,
    /// The machine.
    pub facts: &'a Facts,
    /// What a reader should know of it.
    pub notes: Vec<String>,
}

/// The report on `rounds` of `resolved`, at least one, in the order of their seeds.
pub(crate) fn report(resolved: &Resolved, rounds: &[Round], on: &MeasuredOn<'_>) -> Report {
    Builder::new(resolved, rounds).report(on)
}

struct Builder<'a> {
    resolved: &'a Resolved,
    all: &'a [Round],
    /// Those that the numbers are of.
    rounds: Vec<&'a Round>,
    /// Length of their windows together, in seconds.
    seconds: f64,
    groups: Groups,
}

/// The rounds that the numbers are of: those that came to their end. If none did, those
/// that began to count; if none did, all, and the numbers are zero.
fn counted(rounds: &[Round]) -> Vec<&Round> {
    let those = |which: fn(&Round) -> bool| -> Vec<&Round> {
        rounds.iter().filter(|round| which(round)).collect()
    };
    let groups = [those(Round::is_complete), those(|round| round.tally.window() > 0)];
    groups.into_iter().find(|group| !group.is_empty()).unwrap_or_else(|| those(|_| true))
}

impl<'a> Builder<'a> {
    fn new(resolved: &'a Resolved, all: &'a [Round]) -> Builder<'a> {
        let rounds = counted(all);
        let seconds: f64 = rounds.iter().map(|round| round.seconds_counted()).sum();
        let groups = match rounds.as_slice() {
            [only] => Groups::of_seconds(&Group::seconds_of(only)),
            several => Groups::of_rounds(several.iter().map(|round| Group::whole(round)).collect()),
        };
        Builder { resolved, all, rounds, seconds, groups }
    }

    fn report(&self, on: &MeasuredOn<'_>) -> Report {
        let scenario = &self.resolved.scenario;
        let good = self.good();
        let throughput = self.groups.throughput(self.rate(good as f64), CONFIDENCE);
        let times = self.response_time(|_| true);
        let published = scenario.published.as_ref().map(|published| PublishedFigure {
            throughput: published.throughput,
            fitted: published.fitted,
            note: published.note.clone(),
            error: match published.throughput {
                figure if figure > 0.0 => round_significant(throughput.value / figure - 1.0),
                _ => 0.0,
            },
        });
        let names = ["mean", "p50", "p90", "p95", "p99", "p999"];
        let intervals = names.into_iter().filter_map(|name| {
            let interval = self.groups.response_time(name, times.get(name)?, CONFIDENCE)?;
            Some((name.to_string(), interval))
        });
        let evidence = Evidence { all: self.all, counted: &self.rounds };
        let mut measurement = evidence.measurement(on);
        if let Some(server) = &mut measurement.database {
            server.faults = faults::measured(&self.resolved.scenario, &self.rounds);
        }
        let stations = self.stations(on.target);
        let mut report = Report {
            schema: SCHEMA,
            kind: Kind::Measured,
            scenario: scenario.name.clone(),
            question: scenario.question.clone(),
            seed: scenario.seed,
            digest: self.resolved.digest(),
            run: Run {
                replications: self.rounds.len() as u32,
                confidence: CONFIDENCE,
                warmup: scenario.load.warmup.secs_f64(),
                duration: round_significant(self.seconds / self.rounds.len() as f64),
                samples: good,
            },
            throughput,
            response_time: times,
            response_time_intervals: intervals.collect(),
            distribution: self.distribution(),
            over_time: over_time::over_time(&self.rounds),
            errors: self.errors(|_| true),
            error_share: self.error_share(),
            in_flight: self.in_flight(),
            arrivals: Arrivals {
                sent: self.per_round(|tally| tally.sent as f64),
                dropped: self.per_round(|tally| tally.dropped as f64),
                rate: round_significant(
                    self.rate(self.sum(|tally| (tally.sent + tally.dropped) as f64)),
                ),
            },
            retries: self.retries(),
            recovery: recovery(
                &scenario.load,
                self.rounds.iter().map(|round| &round.tally.aftermath),
                CONFIDENCE,
            ),
            classes: self.classes(),
            groups: self.loads(),
            stations,
            workers: Vec::new(),
            runs: None,
            time: self.time(|_| true),
            memory: Memory { mean: measurement.memory.loaded as f64, peak: self.memory_peak() },
            bounds: Vec::new(),
            bottleneck: None,
            knobs: Vec::new(),
            published,
            measurement: None,
            cut_short: false,
            falls_behind: None,
            untold: self.untold(on.target),
            after: self.after(on.target).filter(|_| on.target != Target::Own),
            processes: None,
            standstill: None,
            margins: None,
            objectives: Vec::new(),
            warnings: Vec::new(),
            rounds: self.each(on),
        };
        report.runs = RunRange::of(report.rounds.iter().map(|round| round.throughput.value));
        report.cut_short = self.cut_short(&report);
        report.falls_behind = self.falls_behind(&report, on.target);
        report.warnings = self.warnings(&report, on);
        report.objectives = self.objectives(&report);
        let known = std::mem::take(&mut measurement.inconclusive);
        measurement.inconclusive = guard::reasons(&report, &measurement);
        measurement.inconclusive.extend(known);
        report.measurement = Some(measurement);
        report
    }

    /// Each of the rounds by itself, if there are several.
    fn each(&self, on: &MeasuredOn<'_>) -> Vec<Report> {
        if self.rounds.len() < 2 {
            return Vec::new();
        }
        let numbered = (0..).zip(self.all).filter(|(_, round)| self.counts(round));
        let alone = |round| Builder::new(self.resolved, std::slice::from_ref(round)).report(on);
        numbered.map(|(index, round)| alone(round).into_round(index)).collect()
    }

    /// The numbers are of this round too.
    fn counts(&self, round: &Round) -> bool {
        self.rounds.iter().any(|&counted| std::ptr::eq(counted, round))
    }

    /// `count` per second; of a window that never opened, none.
    fn rate(&self, count: f64) -> f64 {
        if self.seconds > 0.0 { count / self.seconds } else { 0.0 }
    }

    fn sum(&self, pick: impl Fn(&Tally) -> f64) -> f64 {
        self.rounds.iter().map(|round| pick(&round.tally)).sum()
    }

    fn per_round(&self, pick: impl Fn(&Tally) -> f64) -> f64 {
        round_significant(self.sum(pick) / self.rounds.len() as f64)
    }

    fn retries(&self) -> Option<Retries> {
        let retries = Retries {
            attempts: self.per_round(|tally| tally.retried.attempts as f64),
            retries: self.per_round(|tally| tally.retried.retries as f64),
            refused: self.per_round(|tally| tally.retried.refused as f64),
        };
        (self.resolved.scenario.load.retry.retries > 0).then_some(retries)
    }

    fn good(&self) -> u64 {
        self.rounds.iter().map(|round| round.tally.good()).sum()
    }

    fn response_time(&self, of: impl Fn(usize) -> bool) -> ResponseTime {
        self.response_time_of(|tally| {
            let classes = tally.classes.iter().enumerate();
            classes.filter(|(index, _)| of(*index)).map(|(_, class)| class).collect()
        })
    }

    fn response_time_of<'t>(
        &'t self,
        pick: impl Fn(&'t Tally) -> Vec<&'t ClassTally>,
    ) -> ResponseTime {
        let mut times: Option<Histogram<u64>> = None;
        let (mut sum, mut max) = (0, 0);
        for class in self.rounds.iter().flat_map(|round| pick(&round.tally)) {
            sum += class.sum;
            max = max.max(class.max);
            match &mut times {
                // All have the same bounds.
                Some(times) => {
                    let _ = times.add(&class.response_times);
                }
                None => times = Some(class.response_times.clone()),
            }
        }
        times.map_or_else(ResponseTime::default, |times| response_time(&times, sum, max))
    }

    /// How the response times of all rounds are distributed.
    fn distribution(&self) -> Vec<Bin> {
        let classes = self.rounds.iter().flat_map(|round| &round.tally.classes);
        bins(classes.flat_map(|class| {
            let recorded = class.response_times.iter_recorded();
            recorded.map(|step| (step.value_iterated_to(), step.count_at_value()))
        }))
    }

    fn errors(&self, of: impl Fn(usize) -> bool) -> BTreeMap<String, f64> {
        let count = |kind: ErrorKind| {
            self.per_round(|tally| {
                let classes = tally.classes.iter().enumerate();
                let classes = classes.filter(|(index, _)| of(*index));
                classes.map(|(_, class)| class.errors[kind as usize] as f64).sum()
            })
        };
        let counts = ErrorKind::ALL.into_iter().map(|kind| (kind, count(kind)));
        let told = counts.filter(|(kind, n)| *n > 0.0 || ErrorKind::ALWAYS.contains(kind));
        told.map(|(kind, count)| (kind.name().to_string(), count)).collect()
    }

    fn error_share(&self) -> f64 {
        let errors: u64 = self.rounds.iter().flat_map(|round| round.tally.errors()).sum();
        let all = errors + self.good();
        if all == 0 { 0.0 } else { round_significant(errors as f64 / all as f64) }
    }

    fn in_flight(&self) -> InFlight {
        let mean = self.rate(self.sum(|tally| tally.in_flight.area as f64) / 1e9);
        let peak = self.rounds.iter().map(|round| round.tally.in_flight.peak).max();
        InFlight { mean: self.groups.in_flight(mean, CONFIDENCE), peak: peak.unwrap_or(0) }
    }

    fn classes(&self) -> Vec<Class> {
        let endpoints = self.resolved.scenario.endpoints.iter().enumerate();
        endpoints
            .map(|(index, endpoint)| {
                let good =
                    self.rounds.iter().map(|round| round.tally.classes[index].good).sum::<u64>();
                let rate = self.rate(good as f64);
                Class {
                    name: endpoint.name.clone(),
                    throughput: self.groups.class_throughput(index, rate, CONFIDENCE),
                    response_time: self.response_time(|other| other == index),
                    errors: self.errors(|other| other == index),
                    time: self.time(|other| other == index),
                }
            })
            .collect()
    }

    /// Each of several loads at once.
    fn loads(&self) -> Vec<LoadAnswer> {
        let groups = self.resolved.scenario.load.groups();
        let load = |(index, group): (usize, &model::scenario::Group)| {
            let each = |round: &Round| {
                let good = round.tally.groups.get(index).map_or(0, |group| group.answers.good);
                good as f64 / round.seconds_counted().max(f64::MIN_POSITIVE)
            };
            let rates: Vec<f64> = self.rounds.iter().map(|&round| each(round)).collect();
            let answers = |tally: &Tally, pick: &dyn Fn(&GroupTally) -> f64| {
                tally.groups.get(index).map_or(0.0, pick)
            };
            let errors = ErrorKind::ALL.into_iter().map(|kind| {
                let count = |group: &GroupTally| group.answers.errors[kind as usize] as f64;
                (kind, self.per_round(|tally| answers(tally, &count)))
            });
            let told = errors.filter(|(kind, n)| *n > 0.0 || ErrorKind::ALWAYS.contains(kind));
            LoadAnswer {
                name: group.name.clone(),
                throughput: match rates[..] {
                    [rate] => Estimate::exact(round_significant(rate)),
                    _ => Estimate::of_mean(&rates, CONFIDENCE).rounded(),
                },
                response_time: self.response_time_of(|tally| {
                    tally.groups.get(index).map(|group| &group.answers).into_iter().collect()
                }),
                errors: told.map(|(kind, count)| (kind.name().to_string(), count)).collect(),
                sent: self.per_round(|tally| answers(tally, &|group| group.sent as f64)),
                dropped: self.per_round(|tally| answers(tally, &|group| group.dropped as f64)),
            }
        };
        match groups.len() {
            1 => Vec::new(),
            _ => groups.iter().enumerate().map(load).collect(),
        }
    }

    /// Mean seconds per good answer by place, of those that the service timed.
    fn time(&self, of: impl Fn(usize) -> bool) -> Vec<Part> {
        let places = place::ids(&self.resolved.scenario);
        let mut sums = vec![0u128; places.len()];
        let mut timed = 0;
        for round in &self.rounds {
            let classes = round.tally.classes.iter().enumerate();
            for (_, class) in classes.filter(|(index, _)| of(*index)) {
                timed += class.timed;
                sums.iter_mut().zip(&class.time).for_each(|(sum, part)| *sum += part);
            }
        }
        let parts = places.into_iter().zip(sums).filter(|(_, sum)| *sum > 0);
        parts
            .map(|(place, sum)| Part {
                place,
                seconds: round_significant(sum as f64 / timed as f64 / 1e9),
            })
            .collect()
    }

    fn stations(&self, target: Target) -> Vec<Station> {
        let rounds = self.rounds.iter().map(|round| {
            self.in_window(round, target, |window| window.stations()).unwrap_or_default()
        });
        let mut rounds: Vec<Vec<Station>> = rounds.collect();
        if target == Target::Own {
            // Of a service that says nothing the kernel knows the CPU time, and of its database.
            let known = [StationId::Cpu, StationId::DatabaseServer];
            rounds.iter_mut().for_each(|all| all.retain(|station| known.contains(&station.id)));
            rounds.retain(|all| !all.is_empty());
        }
        stations::merged(&rounds, CONFIDENCE)
    }

    /// What is not known of a service of the user's own.
    fn untold(&self, target: Target) -> BTreeSet<String> {
        if target != Target::Own {
            return BTreeSet::new();
        }
        let seen = self.rounds.iter().any(|round| !round.close.workers.is_empty());
        let untold: &[&str] = if seen { &[OTHER_STATIONS] } else { &[STATIONS, "memory"] };
        let timed = |round: &&Round| round.tally.classes.iter().any(|class| class.timed > 0);
        let time = (!self.rounds.iter().any(timed)).then_some("time");
        untold.iter().copied().chain(time).map(String::from).collect()
    }

    fn after(&self, target: Target) -> Option<AfterWork> {
        let rounds = self.rounds.iter();
        let rounds: Vec<AfterWork> = rounds
            .filter_map(|round| self.in_window(round, target, |window| window.after()).flatten())
            .collect();
        stations::merged_after(&rounds, CONFIDENCE)
    }

    /// What `look` sees in the gauges of a round; nothing if they were not read.
    fn in_window<R>(
        &self,
        round: &Round,
        target: Target,
        look: impl FnOnce(Window<'_>) -> R,
    ) -> Option<R> {
        let spans = Span::all(&round.open.workers, &round.close.workers);
        let edges = round.close.at.saturating_sub(round.open.at);
        // A worker that is asked later has counted for longer.
        let length = spans.iter().map(Span::length).max().unwrap_or(0).max(edges);
        if spans.is_empty() || length == 0 {
            return None;
        }
        let (seconds, in_service) = (length as f64 / 1e9, in_service(&round.tally));
        let kernel = round.noise.map_or(0.0, |noise| noise.kernel);
        let window = Window::new(&self.resolved.scenario, &spans, seconds, in_service);
        let sets = target.stack().resource_sets(&self.resolved.scenario);
        let (server, pooler) = (server::used(round), server::pooled(round));
        Some(look(
            window.with_kernel(kernel).with_sets(sets).with_server(server).with_pooler(pooler),
        ))
    }

    /// The most that the workers of a round ever had.
    fn memory_peak(&self) -> f64 {
        let most = |held: &Holdings| held.resident_peak.or(held.resident).unwrap_or(0);
        let peaks = self.rounds.iter().map(|round| round.holdings.iter().map(most).sum::<u64>());
        peaks.max().unwrap_or(0) as f64
    }

    /// Little's law against what was counted, as a prediction has it.
    fn cut_short(&self, report: &Report) -> bool {
        const MANY: f64 = 1.5;
        const FEW_ERRORS: f64 = 0.05;
        if report.run.samples == 0 || report.error_share > FEW_ERRORS {
            return false;
        }
        let little = report.in_flight.mean.value / report.throughput.value;
        little > MANY * report.response_time.mean
    }

    /// By how many the requests, and the pieces of work after replies, that wait become more each
    /// second. Without errors or drops, what an open load sends and is not answered waits; the users of
    /// a closed one wait themselves. A few are always under way when the counting ends.
    fn falls_behind(&self, report: &Report, target: Target) -> Option<Estimate> {
        const MANY: f64 = 0.02;
        const FEW: f64 = 10.0;
        let grown = |more: f64, ended: f64| {
            let much = more > MANY * ended + FEW / report.run.duration;
            if much { more } else { 0.0 }
        };
        let ended = report.throughput.value / (1.0 - report.error_share.min(0.999));
        let come = report.arrivals.rate - report.arrivals.dropped / report.run.duration;
        let open = self.resolved.scenario.load.source.is_open();
        let requests = if open { grown(come - ended, ended) } else { 0.0 };
        let rounds = self.rounds.iter();
        let growths: Vec<f64> = rounds
            .filter_map(|round| {
                self.in_window(round, target, |window| window.after_growth()).flatten()
            })
            .collect();
        let after = report.after.as_ref().map_or(0.0, |after| {
            let mean = growths.iter().sum::<f64>() / growths.len().max(1) as f64;
            grown(mean, after.throughput)
        });
        let more = requests + after;
        (more > 0.0).then(|| Estimate::exact(round_significant(more)))
    }

    fn warnings(&self, report: &Report, on: &MeasuredOn<'_>) -> Vec<String> {
        let mut all = Vec::new();
        let good = report.run.samples;
        if good == 0 {
            all.push("no request was answered well in the counted window".to_string());
        } else if good < VERY_FEW {
            all.push(format!("only {good} good answers were counted: all quantiles are rough"));
        } else if good < FEW {
            all.push(format!("only {good} good answers were counted: p99.9 and max are rough"));
        }
        if report.cut_short {
            let little = report.in_flight.mean.value / report.throughput.value;
            let counted = report.response_time.mean;
            all.push(format!(
                "requests take about {little:.0} s, but the mean of those that ended in the \
                 counted time is {counted:.1} s: the slow ones are still in flight. Lengthen \
                 --warmup and --duration to see them"
            ));
        }
        all.extend(on.split.note.clone());
        all.extend(on.notes.iter().cloned());
        all.extend(self.bad_answers());
        all.extend(self.stack_warnings(on.target));
        all.extend(self.crowded_server(on.split));
        all.extend(self.left_out());
        all
    }

    /// The database server has fewer processors than the scenario says, or not to itself.
    fn crowded_server(&self, split: &Split) -> Option<String> {
        let settings = postgres::settings(&self.resolved.scenario)?;
        if settings.shares_cpu() {
            return None;
        }
        let cores = settings.cores as usize;
        let has = self.rounds.iter().find_map(|round| round.server.as_ref())?.cpus.count();
        let alone = has < split.load.count();
        let shares = if alone { "" } else { ", which it shares with the load" };
        let few = has < cores;
        (few || !alone).then(|| {
            format!(
                "the database server has {cores} processors in the scenario, and {has} \
                 here{shares}: its statements may wait for one for longer"
            )
        })
    }

    /// What became of the rounds that do not count.
    fn left_out(&self) -> Vec<String> {
        let (counted, rounds) = (self.rounds.len(), self.all.len());
        if counted == rounds {
            return Vec::new();
        }
        let uncounted = self.all.iter().filter(|round| !self.counts(round));
        let mut all = vec![format!(
            "{counted} of {rounds} rounds count: the others were ended before their time"
        )];
        all.extend(troubles(uncounted));
        all
    }

    /// The answers of a service of the user's own that were not good, by their status.
    fn bad_answers(&self) -> Vec<String> {
        let endpoints = self.resolved.scenario.endpoints.iter().enumerate();
        let of = |(index, endpoint): (usize, &Endpoint)| {
            let mut counts: BTreeMap<u16, u64> = BTreeMap::new();
            for (&status, count) in
                self.rounds.iter().flat_map(|round| &round.tally.classes[index].statuses)
            {
                *counts.entry(status).or_default() += count;
            }
            let all: u64 = counts.values().sum();
            counts.retain(|status, _| !(200..400).contains(status));
            let bad: Vec<String> =
                counts.iter().map(|(status, count)| format!("{count} times {status}")).collect();
            let request = endpoint.request.as_ref()?;
            (!bad.is_empty()).then(|| {
                format!(
                    "{} {} ({}): of {all} answers {}",
                    request.method,
                    request.path,
                    endpoint.name,
                    bad.join(", ")
                )
            })
        };
        endpoints.filter_map(of).collect()
    }

    /// Where the service that ran differs from the one that the scenario describes.
    fn stack_warnings(&self, target: Target) -> Vec<String> {
        let scenario = &self.resolved.scenario;
        let mut all = target.stack().warnings(scenario);
        let backlog = backlog_max().filter(|_| target != Target::Own);
        if let Some(most) = backlog.filter(|most| *most < scenario.service.backlog) {
            all.push(format!(
                "the kernel cuts the backlog of {} to {most} connections (net.core.somaxconn)",
                scenario.service.backlog
            ));
        }
        all
    }
}

/// Requests between the client's first byte and the service's last word, mean over a round.
fn in_service(tally: &Tally) -> f64 {
    let outside = |place: place::Place| -> f64 {
        let parts = tally.classes.iter().filter_map(|class| class.time.get(place.index()));
        parts.map(|&nanos| nanos as f64).sum()
    };
    let outside = outside(place::RETRY) + outside(place::CONNECT) + outside(place::REPLY);
    match tally.window() {
        0 => 0.0,
        window => (tally.in_flight_mean() - outside / window as f64).max(0.0),
    }
}

#[cfg(test)]
mod tests;
