//! How fast the machine was while a service was probed, and what CPU time makes of that.
//!
//! The same request takes more CPU time while neighbours on the host use the caches and the hardware threads of a
//! processor, or while that lowers its clock. A witness ([`live::witness`]) does work that is always the
//! same meanwhile. A service may suffer more than the witness, whose data fit into the nearest cache.

use live::witness::{Sample, speed, version};
use model::machine_speed::MachineSpeed;
use model::statistics::round_significant;

use super::cpu;
use super::mix::{Mixed, Ratio, TURNS_LEAST, ratios};
use super::opening::Opening;
use super::session::Session;

/// Samples without which a while says nothing.
const FEWEST: usize = 3;
/// Samples so long before and after a turn say how fast the machine was in it, in nanoseconds.
const AROUND: u64 = 500_000_000;
/// CPU time is taken to go with one over the speed to the power of this, until turns say otherwise; and the
/// standard deviation of that.
const POWER: [f64; 2] = [1.0, 0.5];
/// What a turn says of a CPU time is no better known than this, relative to itself.
const NOISE_LEAST: f64 = 0.02;
/// No greater power is believed.
const POWER_MOST: f64 = 3.0;

/// The speed of the service's processors while requests of all endpoints went together, and the power that their
/// CPU times have shown. None without a witness, or without such requests.
pub(super) fn of(session: &Session<'_>, known: &[usize]) -> Option<MachineSpeed> {
    let of_turn = |turn: Ratio| {
        let speed = during(&session.samples, turn.window)?;
        Some((turn, speed))
    };
    let all: Vec<(Ratio, f64)> =
        ratios_of(session, known).into_iter().filter_map(of_turn).collect();
    if all.len() < TURNS_LEAST {
        return None;
    }
    // Of speeds the geometric mean, as they are used in powers.
    let logs: Vec<f64> = all.iter().map(|(_, speed)| libm::log(*speed)).collect();
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    let points = all.iter().zip(&logs).map(|((turn, _), log)| {
        let same = all.iter().filter(|(other, _)| other.at_once == turn.at_once);
        let others: Vec<f64> = same.map(|(other, _)| libm::log(other.ratio)).collect();
        let usual = others.iter().sum::<f64>() / others.len() as f64;
        (log - mean, usual - libm::log(turn.ratio))
    });
    let power = power(&points.collect::<Vec<_>>());
    Some(MachineSpeed {
        witness: version().to_string(),
        speed: round_significant(libm::exp(mean)),
        power: round_significant(power),
    })
}

/// What the turns took, of the service and of a database on its processors, relative to what their requests take
/// apart.
fn ratios_of(session: &Session<'_>, known: &[usize]) -> Vec<Ratio> {
    let database = session.database().filter(|_| session.database_shares);
    let opening = Opening::of(session);
    let [service, server] = opening.seconds();
    let apart = known.iter().map(|&index| {
        let measured = &session.measured[index];
        let other = database.and_then(|number| cpu::of_other(measured, number, server));
        cpu::of_service(measured, service).value + other.map_or(0.0, |other| other.value)
    });
    let apart: Vec<f64> = apart.collect();
    let counts = |turn: &Mixed| known.iter().map(|&index| turn.answered[index] as f64).collect();
    let other = |turn: &Mixed| database.and_then(|number| turn.others.get(number).copied());
    ratios(&apart, &session.mixed, counts, |turn| turn.cpu + other(turn).unwrap_or(0.0))
}

/// The speed in a window; none if too few samples were taken in it.
fn during(samples: &[Sample], [from, to]: [u64; 2]) -> Option<f64> {
    let window = from.saturating_sub(AROUND)..to + AROUND;
    let inside: Vec<&Sample> = samples.iter().filter(|one| window.contains(&one.at)).collect();
    (inside.len() >= FEWEST).then(|| speed(&inside))
}

/// The slope of a line through zero and `points`, each the logarithm of a speed and of what is done in a second of
/// CPU time, both relative to their means: Bayesian linear regression with what is taken before as its prior.
fn power(points: &[(f64, f64)]) -> f64 {
    let [before, spread] = POWER;
    let count = points.len().max(2) as f64;
    let both: f64 = points.iter().map(|(x, y)| x * y).sum();
    let across: f64 = points.iter().map(|(x, _)| x * x).sum();
    // What the line of least squares leaves is noise.
    let fitted = if across > 0.0 { both / across } else { before };
    let squares: f64 = points.iter().map(|(x, y)| (y - fitted * x) * (y - fitted * x)).sum();
    let variance = (squares / (count - 1.0)).max(NOISE_LEAST * NOISE_LEAST);
    let weight = 1.0 / (spread * spread);
    let slope = (before * weight + both / variance) / (weight + across / variance);
    slope.clamp(0.0, POWER_MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_that_do_not_differ_leave_the_power_as_it_was_taken() {
        assert!((power(&[(0.0, 0.05), (0.0, -0.03), (0.001, 0.0)]) - 1.0).abs() < 0.01);
    }

    #[test]
    fn the_power_of_a_service_that_suffers_more_than_the_witness_is_found() {
        for truth in [0.2, 1.0, 2.0] {
            let points: Vec<(f64, f64)> = (-6..=6)
                .map(|step| {
                    let x = f64::from(step) * 0.03;
                    let noise = if step % 2 == 0 { 0.01 } else { -0.01 };
                    (x, truth * x + noise)
                })
                .collect();
            let found = power(&points);
            assert!((found - truth).abs() < 0.15, "{found} instead of {truth}");
        }
        let wild: Vec<(f64, f64)> = (-6..=6).map(f64::from).map(|x| (x, 9.0 * x)).collect();
        assert_eq!(power(&wild), POWER_MOST);
    }

    #[test]
    fn samples_around_a_turn_say_how_fast_it_was() {
        let sample = |at: u64| Sample { at, cold: vec![1; 4], warm: vec![100_000; 4] };
        let samples: Vec<Sample> = (0..20).map(|number| sample(number * 200_000_000)).collect();
        assert!(during(&samples, [1_000_000_000, 2_000_000_000]).is_some());
        assert_eq!(during(&samples, [9_000_000_000, 9_100_000_000]), None);
    }
}
