//! What the caches lose, from work that is done often and the same work done rarely.
//!
//! A kind of work that comes back after a time t costs `C (1 - exp(-(t / decay)^shape))` more than
//! one that follows itself at once ([`model::costs::Cache`]). All requests of a probe are alike, so
//! that t is the time between two of them.
//!
//! What a request has in the caches while others are in flight is displaced by theirs, the more
//! the more they are, whatever the time: seen in reads on new connections.

use model::costs::Work;
use model::scenario::Concurrency;

use super::Target;
use super::probe::{DISPLACING, MANY, Probe, RARE_COMMIT};
use super::reading::{Reading, Round};
use super::recipe::in_flight;

/// Shortest and longest time in which the caches may lose what they have, in seconds. What
/// noise finds beyond is no such time.
const DECAY: (f64, f64) = (0.5e-3, 0.2);
/// Thirds that are cut off an interval until it is narrower than a nanosecond.
const NARROWINGS: usize = 60;

/// The probe in which `work` follows itself at once.
fn often(of: Concurrency, work: Work) -> Probe {
    match work {
        Work::Request => Probe::Request(of),
        Work::Statement => Probe::Statement(of),
        Work::Call => Probe::Call(of),
        Work::Open => Probe::Open(of),
        Work::Commit => Probe::Commit(RARE_COMMIT.0, RARE_COMMIT.1),
    }
}

/// The probe in which `work` is rare.
fn rare(of: Concurrency, work: Work) -> Probe {
    match work {
        Work::Commit => Probe::Cold(Concurrency::Blocking, work),
        _ => Probe::Cold(of, work),
    }
}

/// Probes that tell what `work` costs when it is rare.
pub(super) fn probes(target: Target, of: Concurrency, work: Work) -> Vec<Probe> {
    let often = often(of, work);
    let displaced = target == Target::Fastapi && often == OPEN;
    let displaced = DISPLACEMENT.into_iter().filter(|_| displaced);
    [rare(of, work), often].into_iter().chain(BARE).chain(displaced).collect()
}

/// The shape of the loss, seen apart: five rates are too few to find it by.
///
/// What axum needs goes exponentially: a bare request cost 31, 98 and 189 µs more 5, 20 and 100 ms
/// after the last one. What FastAPI needs, which is more than the nearest cache has, goes later and
/// then at once: 0.12, 0.34, 0.72 and 0.97 of a millisecond more after 2.5, 5, 10 and 20 ms, where
/// an exponential through the last would have 0.35, 0.58, 0.82 and 0.97.
pub(super) fn shape(target: Target) -> f64 {
    match target {
        Target::Axum => 1.0,
        Target::Fastapi => 1.5,
    }
}

/// Share of what was used `elapsed` seconds ago that has gone.
fn lost(elapsed: f64, decay: f64, shape: f64) -> f64 {
    -(-(elapsed / decay).powf(shape)).exp_m1()
}

/// Seconds between two requests of `probe`.
fn interval(round: &Round, probe: Probe) -> f64 {
    1.0 / round.number(probe, Reading::rate)
}

/// Bare requests, from those that find all in the caches to those that find nothing.
const BARE: [Probe; 5] = [
    Probe::Request(Concurrency::Async),
    Probe::Frequent,
    Probe::Alone,
    Probe::Cold(Concurrency::Async, Work::Request),
    Probe::Resting,
];

/// What the CPU per bare request at each rate tells.
struct Fit {
    shape: f64,
    /// Time in which the caches lose all but 1/e, in seconds.
    decay: f64,
    /// CPU time of a service that rests, as a share of the time: its timers, and those who
    /// watch it. The rarer requests are, the more of it each seems to cost.
    background: f64,
}

/// What fits best, by least squares of what a request at each rate costs more than at the
/// busiest.
fn fit(round: &Round) -> Fit {
    let shape = shape(round.target());
    let [busy, rarer @ ..] = BARE;
    let more = rarer.map(|probe| round.cpu(probe) - round.cpu(busy));
    if more.iter().any(|cost| !cost.is_finite()) {
        return Fit { shape, decay: f64::NAN, background: 0.0 };
    }
    let idle = rarer.map(|probe| interval(round, probe) - interval(round, busy));
    let with = |decay: f64| {
        let lost = |probe| lost(interval(round, probe), decay, shape);
        shares(&more, &rarer.map(|probe| lost(probe) - lost(busy)), &idle)
    };
    // The misfit has one valley, where it has any: found so with rates and costs like these.
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
pub(super) fn decay(round: &Round) -> f64 {
    fit(round).decay
}

/// CPU time per good answer of `probe`, in seconds, without what the service does by itself.
fn cpu(round: &Round, probe: Probe, fit: &Fit) -> f64 {
    round.cpu(probe) - fit.background * interval(round, probe)
}

/// The same without what others have displaced.
fn alone(round: &Round, probe: Probe, fit: &Fit) -> f64 {
    cpu(round, probe, fit) - displacement(round, probe)
}

/// Probes that tell what others displace.
pub(super) const DISPLACEMENT: [Probe; 4] =
    [Probe::CrowdedOpen, OPEN, Probe::ManyInFlight, Probe::FewInFlight];
const OPEN: Probe = Probe::Open(Concurrency::Async);

/// Other requests in flight that displace all but 1/e of what a request has in the caches. Reads
/// on new connections by 5, 20, 100, 200 and 400 users cost 1.0, 1.1, 1.5, 1.6 and 1.8 ms of CPU on
/// the reference machine, whose processors have 1 MiB each of the second cache.
pub(super) const DISPLACED_BY: u32 = 90;

/// Share of what each of so many has in the caches that the others displace.
fn displaced(users: u32) -> f64 {
    -(-f64::from(users - 1) / f64::from(DISPLACED_BY)).exp_m1()
}

/// Passes in which what the caches lose and what others displace, each known from the other,
/// settle: each leaves less than a tenth of the error.
const PASSES: usize = 8;

/// CPU time that a read on a new connection costs more when all that its request has in the
/// caches is displaced, in seconds; beside what each request in flight costs every other, and
/// what the caches lose because a service that is slower comes back later.
pub(super) fn crowded(round: &Round) -> f64 {
    let fit = fit(round);
    let lost = |probe| lost(interval(round, probe), fit.decay, fit.shape);
    let later = lost(Probe::CrowdedOpen) - lost(OPEN);
    let others = f64::from(DISPLACING - MANY) * in_flight(round).max(0.0);
    let more = cpu(round, Probe::CrowdedOpen, &fit) - cpu(round, OPEN, &fit) - others;
    let mut crowded = 0.0;
    for _ in 0..PASSES {
        let alone = |probe| cpu(round, probe, &fit) - crowded * displaced(users(probe));
        let cold = |&work: &Work| cold_by(round, Concurrency::Async, work, &fit, &alone);
        let cold: f64 = OPEN.works().iter().map(cold).sum();
        crowded = (more - cold * later) / (displaced(DISPLACING) - displaced(MANY));
    }
    crowded
}

/// Requests in flight of `probe`, if it shows what they displace.
fn users(probe: Probe) -> u32 {
    match probe {
        Probe::CrowdedOpen => DISPLACING,
        OPEN | Probe::Pragma(Concurrency::Async) | Probe::OpenLog => MANY,
        _ => 1,
    }
}

/// CPU time per good answer of `probe` for what others have displaced, in seconds.
fn displacement(round: &Round, probe: Probe) -> f64 {
    if round.target() != Target::Fastapi || users(probe) == 1 {
        return 0.0;
    }
    // Without an answer about the crowd there is still one about the rest.
    match crowded(round) {
        known if known > 0.0 => known * displaced(users(probe)),
        _ => 0.0,
    }
}

/// CPU time that `work` costs more when nothing of it is left in the caches, in seconds.
pub(super) fn cold(round: &Round, of: Concurrency, work: Work) -> f64 {
    let fit = fit(round);
    cold_by(round, of, work, &fit, &|probe| alone(round, probe, &fit))
}

/// The same by what each probe costs according to `cpu`.
fn cold_by(
    round: &Round,
    of: Concurrency,
    work: Work,
    fit: &Fit,
    cpu: &dyn Fn(Probe) -> f64,
) -> f64 {
    // A model that was not looked at is as async.
    let known = round.get(Probe::Cold(of, Work::Request)).is_some();
    let of = if known { of } else { Concurrency::Async };
    let (rare, often) = (rare(of, work), often(of, work));
    let lost = |probe| lost(interval(round, probe), fit.decay, fit.shape);
    let all = (cpu(rare) - cpu(often)) / (lost(rare) - lost(often));
    let others = rare.works().iter().filter(|&&other| other != work);
    let others = others.map(|&other| cold_by(round, rare.concurrency(), other, fit, cpu));
    (all - others.sum::<f64>()).max(0.0)
}

/// CPU time per good answer of `probe`, without what the caches had lost, what others had
/// displaced and what the service does by itself.
pub(super) fn warm(round: &Round, probe: Probe) -> f64 {
    let fit = fit(round);
    let of = probe.concurrency();
    let cpu = |probe| alone(round, probe, &fit);
    let all: f64 = probe.works().iter().map(|&work| cold_by(round, of, work, &fit, &cpu)).sum();
    let missing = all * lost(interval(round, probe), fit.decay, fit.shape);
    // Without an answer about the caches there is still one about the rest.
    if missing.is_finite() { cpu(probe) - missing } else { round.cpu(probe) }
}
