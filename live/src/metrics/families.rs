//! The metrics: what each of them is, measured and predicted.
//!
//! What OpenTelemetry's semantic conventions have a name for has that name. A prediction has no past;
//! its counters are what would have been counted by now if it were true, so that one query asks for
//! both sides.

use std::collections::BTreeSet;
use std::iter;

use model::place::{POOL, PlaceId};
use model::report::{Report, ResponseTime};
use model::station::StationId;

use super::book::{Begun, Book};
use super::buckets;
use super::family::{Family, Labels, Points, Unit};
use crate::watch::{Phase, Planned, SoFar};

/// Which side a point is of.
const SOURCE: &str = "rung.source";
const MEASURED: &str = "measured";
const PREDICTED: &str = "predicted";
/// Name of the scenario.
const SCENARIO: &str = "rung.scenario";
/// Name of the endpoint.
const ENDPOINT: &str = "rung.endpoint";
/// Name of a process of the service.
const PROCESS: &str = "rung.process";
/// Where requests are.
const PLACE: &str = "rung.place";
/// What limits them.
const STATION: &str = "rung.station";
/// Which number of a distribution: `mean`, `p50`, `p99`.
const STATISTIC: &str = "rung.statistic";
/// Kind of an error.
const ERROR: &str = "error.type";
/// Name of a connection pool.
const POOL_NAME: &str = "db.client.connection.pool.name";

/// All metrics that have a point at `now`, in nanoseconds on the clock of the messages.
pub(super) fn families(book: &Book, now: u64) -> Vec<Family> {
    let sums = [duration, answers, errors, dropped, cpu_time];
    let present = [in_flight, utilisation, memory, pending, places, stations];
    let so_far = [throughput, response_time];
    let all = sums.into_iter().chain(present).chain(so_far).map(|family| family(book));
    let all = all.chain([round(book), counting(book, now)]);
    all.filter(|family| !family.points.is_empty()).collect()
}

fn duration(book: &Book) -> Family {
    let measured = |one: &Begun<'_>| {
        Some((measured(one.planned, []), buckets::measured(&one.total.all.times)))
    };
    let expected = |one: &Begun<'_>| {
        let report = one.predicted?;
        let answers = report.throughput.value * one.total.seconds();
        Some((predicted(one.planned, []), buckets::predicted(report, answers)?))
    };
    let points = book.begun().flat_map(|one| [measured(&one), expected(&one)]).flatten();
    Family {
        name: "http.server.request.duration",
        unit: Unit::Seconds,
        help: "Response times of good answers, from when a request was due to the end of its reply",
        points: Points::Histogram(points.collect()),
    }
}

fn answers(book: &Book) -> Family {
    let points = book.begun().flat_map(|one| {
        let Begun { planned, total, predicted: report } = one;
        let seconds = total.seconds();
        let counted =
            planned.endpoints.iter().zip(&total.all.good).map(|(name, count)| {
                (measured(planned, [(ENDPOINT, name.clone())]), *count as f64)
            });
        let classes = report.map_or(&[][..], |report| &report.classes);
        let expected = classes.iter().map(move |class| {
            let labels = predicted(planned, [(ENDPOINT, class.name.clone())]);
            (labels, class.throughput.value * seconds)
        });
        counted.chain(expected).collect::<Vec<_>>()
    });
    Family {
        name: "rung.answers",
        unit: Unit::Requests,
        help: "Good answers",
        points: Points::Counter(points.collect()),
    }
}

fn errors(book: &Book) -> Family {
    let points = book.begun().flat_map(|one| {
        let Begun { planned, total, predicted: report } = one;
        let expected = report.map(|report| (&report.errors, runs(report, total.seconds())));
        let foreseen = expected.iter().flat_map(|(errors, _)| errors.iter());
        let foreseen = foreseen.filter(|(_, count)| **count > 0.0).map(|(kind, _)| kind);
        // What occurs on one side only is none on the other.
        let kinds: BTreeSet<&String> = total.all.errors.keys().chain(foreseen).collect();
        let each = kinds.into_iter().flat_map(|kind| {
            let label = [(ERROR, kind.clone())];
            let count = *total.all.errors.get(kind).unwrap_or(&0) as f64;
            let counted = (measured(planned, label.clone()), count);
            let expected = expected.map(|(errors, runs)| {
                (predicted(planned, label), errors.get(kind).unwrap_or(&0.0) * runs)
            });
            iter::once(counted).chain(expected)
        });
        each.collect::<Vec<_>>()
    });
    Family {
        name: "rung.errors",
        unit: Unit::Requests,
        help: "Requests that ended in an error",
        points: Points::Counter(points.collect()),
    }
}

fn dropped(book: &Book) -> Family {
    let points = sums(
        book,
        |one| one.total.all.dropped as f64,
        |report, one| Some(report.arrivals.dropped * runs(report, one.total.seconds())),
    );
    Family {
        name: "rung.arrivals.dropped",
        unit: Unit::Requests,
        help: "Arrivals that found every user busy and were not sent",
        points: Points::Counter(points),
    }
}

fn cpu_time(book: &Book) -> Family {
    let points = book.begun().flat_map(|one| {
        let counted =
            one.total.cpu.iter().map(|(name, seconds)| {
                (measured(one.planned, [(PROCESS, name.clone())]), *seconds)
            });
        let used = one.predicted.and_then(cpu).map(|share| share * one.total.offered);
        let expected = used.map(|seconds| (predicted(one.planned, []), seconds));
        counted.chain(expected).collect::<Vec<_>>()
    });
    Family {
        name: "process.cpu.time",
        unit: Unit::Seconds,
        help: "CPU time of the service's processes while they were under load",
        points: Points::Counter(points.collect()),
    }
}

fn in_flight(book: &Book) -> Family {
    let points = present(
        book,
        |book| book.state.last().map(|last| last.in_flight as f64),
        |report| Some(report.in_flight.mean.value),
    );
    Family {
        name: "http.server.active_requests",
        unit: Unit::Requests,
        help: "Requests sent and not answered yet",
        points: Points::UpDown(points),
    }
}

fn utilisation(book: &Book) -> Family {
    let last = |book: &Book| book.state.last_second().used();
    Family {
        name: "process.cpu.utilization",
        unit: Unit::Ratio,
        help: "Share of its processors that the service uses",
        points: Points::Gauge(present(book, last, cpu)),
    }
}

fn memory(book: &Book) -> Family {
    let mut points = Vec::new();
    if let (Some(planned), Some(last)) = (book.state.planned(), book.state.last()) {
        for worker in &last.workers {
            let labels = measured(planned, [(PROCESS, worker.name.clone())]);
            points.extend(worker.memory.map(|bytes| (labels, bytes as f64)));
        }
        let report = book.state.prediction();
        points.extend(report.map(|report| (predicted(planned, []), report.memory.mean)));
    }
    Family {
        name: "process.memory.usage",
        unit: Unit::Bytes,
        help: "Resident memory of the service's processes",
        points: Points::UpDown(summed(points)),
    }
}

fn pending(book: &Book) -> Family {
    let pool = [(POOL_NAME, "database".to_string())];
    let points = if_ever([
        at_places(book).map(|recent| recent.at(POOL.index())),
        predicted_at(book, &PlaceId::DatabasePool),
    ]);
    Family {
        name: "db.client.connection.pending_requests",
        unit: Unit::Requests,
        help: "Requests that wait for a database connection, the mean of the last seconds",
        points: Points::UpDown(both(book, points, pool)),
    }
}

fn places(book: &Book) -> Family {
    let ids = book.state.planned().map_or(&[][..], |planned| &planned.places);
    let recent = at_places(book);
    let points = ids.iter().enumerate().flat_map(|(place, id)| {
        let found = [recent.as_ref().map(|recent| recent.at(place)), predicted_at(book, id)];
        both(book, if_ever(found), [(PLACE, id.to_string())])
    });
    Family {
        name: "rung.place.requests",
        unit: Unit::Requests,
        help: "Requests at a place on their way, the mean of the last seconds",
        points: Points::UpDown(points.collect()),
    }
}

fn stations(book: &Book) -> Family {
    let limits = book.state.planned().map_or(&[][..], |planned| &planned.slots);
    let recent = at_places(book);
    let points = limits.iter().flat_map(|limit| {
        let share = |recent: &SoFar| recent.at(limit.place) / limit.most.max(1) as f64;
        let station = book.state.prediction().and_then(|report| report.station(&limit.station));
        let found = [recent.as_ref().map(share), station.map(|one| one.utilisation)];
        both(book, found, [(STATION, limit.station.to_string())])
    });
    Family {
        name: "rung.station.utilization",
        unit: Unit::Ratio,
        help: "Share of a limit on calls of an upstream that is in use",
        points: Points::Gauge(points.collect()),
    }
}

fn throughput(book: &Book) -> Family {
    let measured = |book: &Book| book.state.so_far().and_then(|all| all.rate(all.answers()));
    Family {
        name: "rung.throughput",
        unit: Unit::RequestsPerSecond,
        help: "Good answers per second in the counted windows so far",
        points: Points::Gauge(present(book, measured, |report| Some(report.throughput.value))),
    }
}

fn response_time(book: &Book) -> Family {
    let so_far = book.state.so_far();
    let report = book.state.prediction();
    let mean = ("mean", so_far.and_then(SoFar::mean));
    let quantiles = ResponseTime::QUANTILES.iter();
    let quantiles = quantiles.map(|(name, q)| (*name, so_far.and_then(|all| all.quantile(*q))));
    let points = [mean].into_iter().chain(quantiles).flat_map(|(name, measured)| {
        let predicted = report.and_then(|report| report.response_time.get(name));
        both(book, [measured, predicted], [(STATISTIC, name.to_string())])
    });
    Family {
        name: "rung.response_time",
        unit: Unit::Seconds,
        help: "Response times of the good answers in the counted windows so far",
        points: Points::Gauge(points.collect()),
    }
}

fn round(book: &Book) -> Family {
    let round = |book: &Book| book.state.turn().map(|[_, _, round, _]| round as f64);
    Family {
        name: "rung.round",
        unit: Unit::None,
        help: "The round of the scenario that is measured, from 1",
        points: Points::Gauge(present(book, round, |_| None)),
    }
}

fn counting(book: &Book, now: u64) -> Family {
    let counting = |book: &Book| match book.state.phase(now) {
        Phase::Waiting => None,
        Phase::Counting(..) => Some(1.0),
        Phase::Starting | Phase::WarmingUp(..) | Phase::Ending => Some(0.0),
    };
    Family {
        name: "rung.counting",
        unit: Unit::None,
        help: "1 while the load counts, 0 while it warms up and between rounds",
        points: Points::Gauge(present(book, counting, |_| None)),
    }
}

/// A sum of each scenario.
fn sums(
    book: &Book,
    counted: impl Fn(&Begun<'_>) -> f64,
    expected: impl Fn(&Report, &Begun<'_>) -> Option<f64>,
) -> Vec<(Labels, f64)> {
    let of = |one: Begun<'_>| {
        let expected = one.predicted.and_then(|report| expected(report, &one));
        let expected = expected.map(|sum| (predicted(one.planned, []), sum));
        [Some((measured(one.planned, []), counted(&one))), expected]
    };
    book.begun().flat_map(of).flatten().collect()
}

/// A number of the present scenario on both sides.
fn present(
    book: &Book,
    measured: impl Fn(&Book) -> Option<f64>,
    predicted: impl Fn(&Report) -> Option<f64>,
) -> Vec<(Labels, f64)> {
    both(book, [measured(book), book.state.prediction().and_then(predicted)], [])
}

/// What is known of the `[measured, predicted]` values of the present scenario.
fn both<const N: usize>(
    book: &Book,
    values: [Option<f64>; 2],
    labels: [(&'static str, String); N],
) -> Vec<(Labels, f64)> {
    let (Some(planned), Some(_)) = (book.state.planned(), book.state.turn()) else {
        return Vec::new();
    };
    let sides = [measured(planned, labels.clone()), predicted(planned, labels)];
    sides.into_iter().zip(values).filter_map(|(labels, value)| Some((labels, value?))).collect()
}

/// What is known of the requests at a place, if there is any on either side.
fn if_ever(requests: [Option<f64>; 2]) -> [Option<f64>; 2] {
    if requests.iter().flatten().any(|count| *count > 0.0) { requests } else { [None, None] }
}

/// The last seconds, if the service says where requests were.
fn at_places(book: &Book) -> Option<SoFar> {
    Some(book.state.recent()).filter(SoFar::knows_places)
}

/// The predicted mean number of requests at a place, by Little's law.
fn predicted_at(book: &Book, id: &PlaceId) -> Option<f64> {
    let report = book.state.prediction()?;
    let parts = report.time.iter().filter(|part| part.place == *id);
    // A sum of nothing would be written as -0.
    let seconds = parts.fold(0.0, |sum, part| sum + part.seconds);
    Some(seconds * report.throughput.value)
}

/// The predicted utilisation of the service's processors.
fn cpu(report: &Report) -> Option<f64> {
    report.station(&StationId::Cpu).map(|cpu| cpu.utilisation)
}

/// How many runs of a prediction fit into so many seconds.
fn runs(report: &Report, seconds: f64) -> f64 {
    if report.run.duration > 0.0 { seconds / report.run.duration } else { 0.0 }
}

/// Points of which several have the same labels as one: processes may have one name.
fn summed(points: Vec<(Labels, f64)>) -> Vec<(Labels, f64)> {
    let mut all: Vec<(Labels, f64)> = Vec::new();
    for (labels, value) in points {
        match all.iter_mut().find(|(known, _)| *known == labels) {
            Some((_, sum)) => *sum += value,
            None => all.push((labels, value)),
        }
    }
    all
}

fn measured<const N: usize>(planned: &Planned, more: [(&'static str, String); N]) -> Labels {
    labels(MEASURED, planned, more)
}

fn predicted<const N: usize>(planned: &Planned, more: [(&'static str, String); N]) -> Labels {
    labels(PREDICTED, planned, more)
}

fn labels<const N: usize>(
    source: &str,
    planned: &Planned,
    more: [(&'static str, String); N],
) -> Labels {
    let all = [(SOURCE, source.to_string()), (SCENARIO, planned.name.clone())];
    all.into_iter().chain(more).collect()
}
