//! An invented measurement for tests: rounds of a shop with one worker and one upstream.

use std::path::Path;

use model::measurement::MeasuredMemory;
use model::place;
use model::read::Resolved;
use model::report::Report;

use super::assemble::{self, MeasuredOn};
use super::round::Round;
use super::stage::Counts;
use crate::load::{Account, ClassTally, Connections, InFlight, LoadSecond, Second, Tally};
use crate::machine::Facts;
use crate::machine::Holdings;
use crate::machine::Noise;
use crate::machine::{Cpus, Split};
use crate::stack::{GaugeReading, Snapshot, Target};
use crate::times;
use crate::upstream;

pub(super) const SECOND: u64 = 1_000_000_000;
const MILLISECOND: u64 = 1_000_000;
/// When the load of a round begins.
const START: u64 = 100 * SECOND;
/// Lengths of warm-up and window in seconds.
pub(super) const WARMUP: u64 = 2;
pub(super) const WINDOW: u64 = 10;
/// Good answers of a second, each of which took 20 ms.
pub(super) const RATE: u64 = 100;

/// How the load of the shop is written.
const CLOSED: &str = "load = { users = 2";

pub(super) fn resolved() -> Resolved {
    resolved_with(CLOSED, CLOSED)
}

/// The shop with something written otherwise.
fn resolved_with(part: &str, other: &str) -> Resolved {
    let text = r#"
        costs.cpu.request = "1ms"
        load = { users = 2, warmup = "2s", duration = "10s" }
        service.concurrency = "async"
        upstream.partner.latency = "10ms"
        endpoint = [{ name = "quote", weight = 1, steps = [{ call = "partner" }] }]
        published = { throughput = "80/s", fitted = false, note = "somebody's" }
    "#;
    let text = text.replace(part, other);
    model::read::load_text("shop.toml", &text, &[]).expect("a scenario")
}

pub(super) fn report(rounds: &[Round]) -> Report {
    report_under(CLOSED, rounds)
}

/// The same under another load.
pub(super) fn report_under(load: &str, rounds: &[Round]) -> Report {
    report_on(&resolved_with(CLOSED, load), rounds)
}

/// The same with work after the reply.
pub(super) fn report_with_after(rounds: &[Round]) -> Report {
    report_on(&resolved_with("steps =", "after = [{ cpu = \"1ms\" }], steps ="), rounds)
}

fn report_on(resolved: &Resolved, rounds: &[Round]) -> Report {
    let cpus = |number| Cpus::new(vec![number]);
    let split = Split { service: cpus(1), load: cpus(0), separate: true, room: false, note: None };
    let facts = Facts::gather(Path::new("/"));
    assemble::report(
        resolved,
        rounds,
        &MeasuredOn {
            target: Target::Axum,
            own: None,
            split: &split,
            facts: &facts,
            notes: Vec::new(),
        },
    )
}

/// A round that came to its end. With a larger `factor` it had more good answers.
pub(super) fn round(factor: u64) -> Round {
    let good = RATE * factor;
    let places = place::count(&resolved().scenario);
    let count = good * WINDOW;
    let mut time = vec![0; places];
    for (place, millis) in [(place::CPU, 5), (place::LOOP, 4), (place::upstream(0), 10)] {
        time[place.index()] = u128::from(count * millis * MILLISECOND);
    }
    time[place::REPLY.index()] = u128::from(count * MILLISECOND);
    let class = ClassTally {
        good: count,
        sum: u128::from(count * 20 * MILLISECOND),
        max: 20 * MILLISECOND,
        response_times: answers(count),
        errors: Default::default(),
        time,
        timed: count,
        untimed: 0,
        malformed: 0,
        statuses: Default::default(),
    };
    let all = good * (WARMUP + WINDOW);
    let tally = Tally {
        started: START,
        opened: START + WARMUP * SECOND,
        closed: START + (WARMUP + WINDOW) * SECOND,
        interrupted: false,
        classes: vec![class],
        groups: Vec::new(),
        sent: count,
        dropped: 0,
        in_flight: InFlight {
            at_open: 2,
            at_close: 2,
            peak: 3,
            area: u128::from(count * 20 * MILLISECOND),
        },
        connections: Connections { made: 2, remade: 0, peak: 2 },
        lateness: answers(0),
        retried: Default::default(),
        aftermath: Default::default(),
        cpu: SECOND,
        seconds: Vec::new(),
        whole: Account { sent: all + 2, good: all, in_flight: 2, ..Account::default() },
    };
    let noise = Some(Noise { busy: 0.5, steal: 0.0, kernel: 0.02, others: 0.01 });
    Round {
        started: 1_700_000_000,
        tally,
        seconds: (0..WARMUP + WINDOW).map(|index| second(index, good)).collect(),
        open: counts(WARMUP, factor),
        close: counts(WARMUP + WINDOW, factor),
        load_cpu: SECOND,
        onlooker: None,
        noise,
        load_noise: noise,
        server: None,
        clock: Vec::new(),
        memory: MeasuredMemory { idle: 10 << 20, loaded: 12 << 20, ..MeasuredMemory::default() },
        holdings: vec![Holdings { resident: Some(12 << 20), resident_peak: Some(15 << 20) }],
        load_memory: 20 << 20,
        troubles: Vec::new(),
    }
}

/// A round that was ended in its warm-up.
pub(super) fn cold() -> Round {
    let mut round = round(1);
    let tally = &mut round.tally;
    let end = START + SECOND;
    (tally.opened, tally.closed, tally.interrupted) = (end, end, true);
    let empty = tally.classes.iter().map(|class| ClassTally {
        good: 0,
        sum: 0,
        max: 0,
        response_times: answers(0),
        errors: Default::default(),
        time: vec![0; class.time.len()],
        timed: 0,
        untimed: 0,
        malformed: 0,
        statuses: Default::default(),
    });
    tally.classes = empty.collect();
    tally.in_flight = InFlight { at_open: 2, at_close: 2, peak: 2, area: 0 };
    tally.sent = 0;
    round.open = round.close.clone();
    round.seconds.truncate(1);
    round
}

/// A round that was ended in the middle of its window, its numbers being a tenth of another
/// round's.
pub(super) fn cut() -> Round {
    let mut round = round(1);
    round.tally.interrupted = true;
    round.tally.closed = START + (WARMUP + 1) * SECOND;
    let class = &mut round.tally.classes[0];
    (class.good, class.timed) = (RATE, RATE);
    class.sum /= u128::from(WINDOW);
    class.time.iter_mut().for_each(|part| *part /= u128::from(WINDOW));
    class.response_times = answers(RATE);
    round.tally.sent = RATE;
    round.tally.in_flight.area /= u128::from(WINDOW);
    round
}

fn answers(count: u64) -> hdrhistogram::Histogram<u64> {
    let mut times = times::histogram();
    times.saturating_record_n(20 * MILLISECOND, count);
    times
}

fn second(index: u64, good: u64) -> LoadSecond {
    let second = Second {
        index,
        length: SECOND,
        sent: good,
        dropped: 0,
        good,
        errors: 0,
        p50: 20 * MILLISECOND,
        p99: 20 * MILLISECOND,
        in_flight: 2,
    };
    LoadSecond {
        second,
        times: answers(good),
        good: vec![good],
        errors: Default::default(),
        time: Vec::new(),
    }
}

/// What the children have counted after so many seconds of load.
fn counts(seconds: u64, factor: u64) -> Counts {
    let at = START + seconds * SECOND;
    let spent = |millis: u64| GaugeReading {
        area: RATE * factor * seconds * millis * MILLISECOND,
        entries: RATE * factor * seconds,
        ..GaugeReading::default()
    };
    let mut worker = Snapshot {
        process: 42,
        born: START,
        at,
        cpu: seconds * SECOND / 2,
        loop_idle: seconds * SECOND / 2,
        lag: vec![(MILLISECOND, 10)],
        ..Snapshot::default()
    };
    worker.stations.places = vec![GaugeReading::default(); place::count(&resolved().scenario)];
    for (place, millis) in [(place::CPU, 5), (place::LOOP, 4), (place::upstream(0), 10)] {
        worker.stations.places[place.index()] = spent(millis);
    }
    worker.stations.requests = spent(20);
    let partner = upstream::UpstreamCounts {
        name: "partner".into(),
        calls: RATE * factor * seconds,
        answered: RATE * factor * seconds,
        ..upstream::UpstreamCounts::default()
    };
    let mock = upstream::Snapshot {
        at,
        cpu: seconds * SECOND / 10,
        holdings: Holdings::default(),
        upstreams: vec![partner],
        refused: 0,
        accept_errors: 0,
        lateness: upstream::Lateness::default(),
    };
    Counts { at, workers: vec![worker], upstream: Some(mock), database: None, witness: None }
}
