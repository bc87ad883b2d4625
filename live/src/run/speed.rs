//! The speed of the service's processors in counted rounds, from what their witnesses saw.

use std::collections::BTreeMap;

use model::speed::{Speed, SpeedSecond, WorkTime};
use model::statistics::round_significant;

use super::round::Round;
use crate::witness::{self, KINDS, Sample, speed, usual};

/// Samples without which a second says nothing.
const FEWEST: usize = 3;
/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// The speed in the windows of `rounds`; none if no witness saw anything in them.
pub(super) fn measured(rounds: &[&Round]) -> Option<Speed> {
    let samples: Vec<&Sample> = rounds.iter().flat_map(|round| inside(round)).collect();
    if samples.is_empty() {
        return None;
    }
    let kinds = (KINDS.iter().enumerate()).map(|(index, kind)| {
        let time = |pick: fn(&Sample) -> &[u64]| {
            let times = samples.iter().filter_map(|sample| pick(sample).get(index).copied());
            usual(times.collect())
        };
        let warm = time(|sample| &sample.warm);
        let seconds = |nanos: f64| round_significant(nanos / 1e9);
        let work = WorkTime {
            count: samples.len() as u64,
            cold: seconds(time(|sample| &sample.cold)),
            warm: seconds(warm),
            speed: round_significant(kind.reference / warm.max(1.0)),
        };
        (kind.name.to_string(), work)
    });
    let kinds: BTreeMap<String, WorkTime> = kinds.collect();
    let mean = speed(&samples);
    let by_second: Vec<SpeedSecond> = rounds.iter().flat_map(|round| seconds(round)).collect();
    let each = by_second.iter().map(|second| second.speed);
    Some(Speed {
        witness: witness::version().to_string(),
        mean,
        low: each.clone().fold(mean, f64::min),
        high: each.fold(mean, f64::max),
        share: share(rounds),
        kinds,
        over_time: if rounds.len() == 1 { by_second } else { Vec::new() },
    })
}

/// The samples in the counted window of `round`.
fn inside(round: &Round) -> impl Iterator<Item = &Sample> {
    let window = round.tally.opened..round.tally.closed;
    let all = round.close.witness.iter().flat_map(|seen| &seen.samples);
    all.filter(move |sample| window.contains(&sample.at))
}

/// The seconds of the window of `round` that have enough samples.
fn seconds(round: &Round) -> Vec<SpeedSecond> {
    let mut all: BTreeMap<u64, Vec<&Sample>> = BTreeMap::new();
    for sample in inside(round) {
        all.entry((sample.at - round.tally.opened) / SECOND).or_default().push(sample);
    }
    all.retain(|_, samples| samples.len() >= FEWEST);
    let second = |(index, samples): (u64, Vec<&Sample>)| SpeedSecond {
        from: index as f64,
        count: samples.len() as u64,
        speed: speed(&samples),
    };
    all.into_iter().map(second).collect()
}

/// CPU time of the witnesses as a share of one of the service's processors.
fn share(rounds: &[&Round]) -> f64 {
    let (mut cpu, mut time) = (0, 0);
    for round in rounds {
        if let (Some(open), Some(close)) = (&round.open.witness, &round.close.witness) {
            cpu += close.cpu.saturating_sub(open.cpu);
            time += round.close.at.saturating_sub(round.open.at);
        }
    }
    round_significant(cpu as f64 / time.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::sample;
    use crate::witness::Snapshot;

    /// A sample that took `slowness` times as long as at the speed 1.
    fn sample(at: u64, slowness: f64) -> Sample {
        let times = |more: f64| KINDS.iter().map(|kind| (kind.reference * more) as u64).collect();
        Sample { at, cold: times(2.0 * slowness), warm: times(slowness) }
    }

    /// A round whose witness took ten samples a second, each so slow.
    fn round(slowness: impl Fn(u64) -> f64) -> Round {
        let mut round = sample::round(1);
        let (opened, closed) = (round.tally.opened, round.tally.closed);
        let from = round.tally.started;
        let at = (from..closed + SECOND).step_by(SECOND as usize / 10);
        let samples = at.map(|at| {
            // What it saw before the window opened and after it closed does not count.
            let counts = (opened..closed).contains(&at);
            sample(at, if counts { slowness((at - opened) / SECOND) } else { 9.0 })
        });
        let close = Snapshot { cpu: SECOND / 10, samples: samples.collect() };
        round.open.witness = Some(Snapshot::default());
        round.close.witness = Some(close);
        round
    }

    fn near(found: f64, wanted: f64) {
        assert!((found / wanted - 1.0).abs() < 1e-3, "{found} is not {wanted}");
    }

    #[test]
    fn work_that_takes_twice_as_long_is_half_the_speed() {
        let speed = measured(&[&round(|_| 2.0)]).expect("it has a witness");
        for found in [speed.mean, speed.low, speed.high] {
            near(found, 0.5);
        }
        assert_eq!((speed.kinds.len(), speed.over_time.len()), (KINDS.len(), 10));
        for (kind, work) in KINDS.iter().map(|kind| (kind, &speed.kinds[kind.name])) {
            near(work.warm, 2.0 * kind.reference / 1e9);
            near(work.cold, 4.0 * kind.reference / 1e9);
            near(work.speed, 0.5);
            assert_eq!(work.count, 100);
        }
        // A tenth of a second of CPU time in ten.
        near(speed.share, 0.01);
    }

    #[test]
    fn the_slowest_and_the_fastest_second_are_told() {
        let slowness = |second| if second == 3 { 2.0 } else { 1.25 };
        let speed = measured(&[&round(slowness)]).expect("it has a witness");
        near(speed.low, 0.5);
        near(speed.high, 0.8);
        let told: Vec<f64> = speed.over_time.iter().map(|second| second.from).collect();
        assert_eq!(told, (0..10).map(f64::from).collect::<Vec<_>>());
    }

    #[test]
    fn a_sample_that_was_interrupted_says_nothing() {
        let mut one = round(|_| 1.0);
        let samples = &mut one.close.witness.as_mut().expect("it has one").samples;
        samples.iter_mut().step_by(11).for_each(|sample| sample.warm[0] *= 100);
        near(measured(&[&one]).expect("it has a witness").mean, 1.0);
    }

    #[test]
    fn several_rounds_have_one_speed_and_no_seconds() {
        let speed = measured(&[&round(|_| 1.0), &round(|_| 1.0)]).expect("they have witnesses");
        near(speed.mean, 1.0);
        assert!(speed.over_time.is_empty() && speed.kinds["code"].count == 200);
        assert_eq!(measured(&[&sample::round(1)]), None);
    }
}
