//! How the caches lose data, from work that is done often and the same work done rarely.
//!
//! A kind of work that comes back after a time t costs `C (1 - exp(-(t / decay)^shape))` more than
//! one that follows itself at once ([`model::costs::CacheCosts`]). All requests of a probe are alike, so
//! that t is the time between two of them.
//!
//! Requests in flight also displace each other's data, independently of time, and more of it the
//! more they are: seen in reads on new connections.

use model::costs::Work;
use model::place::PlaceId;
use model::scenario::Concurrency;

use super::reading::{Reading, Round};

/// Shortest and longest time in which the caches may lose what they have, in seconds. Times
/// beyond come from noise.
const DECAY: (f64, f64) = (0.5e-3, 0.2);
/// Thirds that are cut off an interval until it is narrower than a nanosecond.
const NARROWINGS: usize = 60;

/// Kinds of work that each concurrency model does in its own way.
pub(crate) const KINDS: [Work; 4] = [Work::Request, Work::Statement, Work::Call, Work::Open];

/// A kind of work as profiles and probes name it.
pub(crate) fn kind(of: Work) -> &'static str {
    match of {
        Work::Request => "request",
        Work::Statement => "statement",
        Work::Call => "call",
        Work::Open => "open",
        Work::Commit => "commit",
    }
}

/// The probe in which `work` follows itself at once.
fn often(of: Concurrency, work: Work) -> String {
    match work {
        // A commit that waits for no disk.
        Work::Commit => "commit wal normal".into(),
        _ => format!("{} {}", kind(work), of.as_str()),
    }
}

/// The probe in which `work` is rare.
pub(crate) fn rare(of: Concurrency, work: Work) -> String {
    let of = if work == Work::Commit { Concurrency::Blocking } else { of };
    format!("cold {} {}", kind(work), of.as_str())
}

/// Probes that the cost of rare `work` is made of; `crowd` are those that show displaced data.
pub(crate) fn probes(of: Concurrency, work: Work, crowd: &[&str]) -> Vec<String> {
    let often = often(of, work);
    let crowd = if often == OPEN { crowd } else { &[] };
    let others = BARE.iter().chain(crowd).map(|name| name.to_string());
    [rare(of, work), often].into_iter().chain(others).collect()
}

/// Share of what was used `elapsed` seconds ago that has gone.
fn lost(elapsed: f64, decay: f64, shape: f64) -> f64 {
    -(-(elapsed / decay).powf(shape)).exp_m1()
}

/// Seconds between two requests of `probe`.
fn interval(round: &Round<'_>, probe: &str) -> f64 {
    1.0 / round.number(probe, Reading::rate)
}

/// Bare requests, from those that find all in the caches to those that find nothing.
const BARE: [&str; 5] = ["request async", "frequent", "alone", "cold request async", "resting"];

/// The cache model that fits the CPU per bare request at each rate.
struct Fit {
    shape: f64,
    /// Time in which the caches lose all but 1/e, in seconds.
    decay: f64,
    /// CPU time of a service that rests, as a share of the time: its timers, and its
    /// supervision. The rarer requests are, the larger each one's share of it.
    background: f64,
}

/// The best fit, by least squares, of the CPU that a request at each rate costs beyond that at the
/// busiest rate.
fn fit(round: &Round<'_>) -> Fit {
    let shape = round.caches.shape;
    let [busy, rarer @ ..] = BARE;
    let more = rarer.map(|probe| round.cpu(probe) - round.cpu(busy));
    if more.iter().any(|cost| !cost.is_finite()) {
        return Fit { shape, decay: f64::NAN, background: 0.0 };
    }
    let idle = rarer.map(|probe| interval(round, probe) - interval(round, busy));
    let with = |decay: f64| {
        let lost = |probe: &str| lost(interval(round, probe), decay, shape);
        shares(&more, &rarer.map(|probe| lost(probe) - lost(busy)), &idle)
    };
    // The misfit has at most one minimum, found so with rates and costs like these.
    let (mut low, mut high) = (DECAY.0.ln(), DECAY.1.ln());
    for _ in 0..NARROWINGS {
        let third = (high - low) / 3.0;
        let (left, right) = (low + third, high - third);
        if with(left.exp()).1 < with(right.exp()).1 { high = right } else { low = left }
    }
    let decay = ((low + high) / 2.0).exp();
    Fit { shape, decay, background: with(decay).0 }
}

/// Least squares of `y = a u + b v` with neither below nothing: b, and the sum of the squares.
fn shares(y: &[f64], u: &[f64], v: &[f64]) -> (f64, f64) {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (uu, uv, vv) = (product(u, u), product(u, v), product(v, v));
    let (uy, vy) = (product(u, y), product(v, y));
    let determinant = uu * vv - uv * uv;
    let both = ((uy * vv - vy * uv) / determinant, (vy * uu - uy * uv) / determinant);
    let (a, b) = match both {
        (a, _) if a < 0.0 => (0.0, (vy / vv).max(0.0)),
        (_, b) if b < 0.0 => ((uy / uu).max(0.0), 0.0),
        both => both,
    };
    let off = |((y, u), v): ((&f64, &f64), &f64)| (y - a * u - b * v).powi(2);
    (b, y.iter().zip(u).zip(v).map(off).sum())
}

/// Time in which the caches lose all but 1/e, in seconds.
pub(crate) fn decay(round: &Round<'_>) -> f64 {
    fit(round).decay
}

/// CPU time per good answer of `probe`, in seconds, without the service's background work.
fn cpu(round: &Round<'_>, probe: &str, fit: &Fit) -> f64 {
    round.cpu(probe) - fit.background * interval(round, probe)
}

/// The same without the cost of displaced data.
fn alone(round: &Round<'_>, probe: &str, fit: &Fit) -> f64 {
    cpu(round, probe, fit) - displacement(round, probe)
}

/// Probes that show how much data requests displace.
pub(crate) const DISPLACEMENT: [&str; 4] =
    ["crowded open", OPEN, "many in flight", "few in flight"];
const OPEN: &str = "open async";

/// Requests in flight of `probe` that displace each other's data.
fn crowd(round: &Round<'_>, probe: &str) -> u32 {
    round.probe(probe).map_or(1, |probe| probe.crowd)
}

/// Share of what each of the requests in flight of `probe` has in the caches that the others
/// displace.
fn displaced(round: &Round<'_>, probe: &str) -> f64 {
    let others = f64::from(crowd(round, probe) - 1);
    round.caches.displaced_by.map_or(0.0, |by| -(-others / f64::from(by)).exp_m1())
}

/// Passes in which lost and displaced data, each known from the other, converge: each pass leaves
/// less than a tenth of the error.
const PASSES: usize = 8;

/// CPU time that a read on a new connection costs more when all that its request has in the
/// caches is displaced, in seconds; beside what each request in flight costs every other, and
/// what the caches lose because a service that is slower comes back later.
pub(crate) fn crowded(round: &Round<'_>) -> f64 {
    const CROWDED: &str = "crowded open";
    let fit = fit(round);
    let lost = |probe: &str| lost(interval(round, probe), fit.decay, fit.shape);
    let later = lost(CROWDED) - lost(OPEN);
    let others = f64::from(crowd(round, CROWDED)) - f64::from(crowd(round, OPEN));
    let in_flight = others * in_flight(round).max(0.0);
    let more = cpu(round, CROWDED, &fit) - cpu(round, OPEN, &fit) - in_flight;
    let works = round.probe(OPEN).map_or(&[][..], |probe| probe.works);
    let mut crowded = 0.0;
    for _ in 0..PASSES {
        let alone = |probe: &str| cpu(round, probe, &fit) - crowded * displaced(round, probe);
        let cold = |&work: &Work| cold_by(round, Concurrency::Async, work, &fit, &alone);
        let cold: f64 = works.iter().map(cold).sum();
        crowded = (more - cold * later) / (displaced(round, CROWDED) - displaced(round, OPEN));
    }
    crowded
}

/// CPU time per request for each other in flight, in seconds.
pub(crate) fn in_flight(round: &Round<'_>) -> f64 {
    let more = |pick: &dyn Fn(&Reading) -> f64| round.more("many in flight", "few in flight", pick);
    // By Little's law: those that wait for the loop are not in the service yet.
    let pausing = |reading: &Reading| reading.rate() * reading.part(&PlaceId::Sleep);
    more(&Reading::cpu_per_request) / more(&pausing)
}

/// CPU time per good answer of `probe` for displaced data, in seconds.
fn displacement(round: &Round<'_>, probe: &str) -> f64 {
    if crowd(round, probe) == 1 {
        return 0.0;
    }
    // Without a number for the crowd, the rest of the cost is still known.
    match crowded(round) {
        known if known > 0.0 => known * displaced(round, probe),
        _ => 0.0,
    }
}

/// CPU time that `work` costs more when nothing of it is left in the caches, in seconds.
pub(crate) fn cold(round: &Round<'_>, of: Concurrency, work: Work) -> f64 {
    let fit = fit(round);
    cold_by(round, of, work, &fit, &|probe: &str| alone(round, probe, &fit))
}

/// The same by what each probe costs according to `cpu`.
fn cold_by(
    round: &Round<'_>,
    of: Concurrency,
    work: Work,
    fit: &Fit,
    cpu: &dyn Fn(&str) -> f64,
) -> f64 {
    // A concurrency model without probes of its own is taken as async.
    let known = round.get(&rare(of, Work::Request)).is_some();
    let of = if known { of } else { Concurrency::Async };
    let (rare, often) = (rare(of, work), often(of, work));
    let Some(probe) = round.probe(&rare) else { return 0.0 };
    let lost = |probe: &str| lost(interval(round, probe), fit.decay, fit.shape);
    let all = (cpu(&rare) - cpu(&often)) / (lost(&rare) - lost(&often));
    let others = probe.works.iter().filter(|&&other| other != work);
    let others = others.map(|&other| cold_by(round, probe.concurrency, other, fit, cpu));
    (all - others.sum::<f64>()).max(0.0)
}

/// CPU time per good answer of `probe` with warm caches, in seconds: without the cost of lost and
/// displaced data, and without the service's background work.
pub(crate) fn warm(round: &Round<'_>, name: &str) -> f64 {
    let Some(probe) = round.probe(name) else { return f64::NAN };
    let fit = fit(round);
    let cpu = |name: &str| alone(round, name, &fit);
    let cold = |&work: &Work| cold_by(round, probe.concurrency, work, &fit, &cpu);
    let all: f64 = probe.works.iter().map(cold).sum();
    let missing = all * lost(interval(round, name), fit.decay, fit.shape);
    // Without a number for the caches, the rest of the cost is still known.
    if missing.is_finite() { cpu(name) - missing } else { round.cpu(name) }
}
