//! The intervals of learned numbers widen the intervals of the answer.
//!
//! Values of all numbers with an interval are drawn together, and each set is predicted with few
//! runs on the same random numbers as the answer itself, so that sets differ by their values and
//! hardly by chance. Draws are a Latin hypercube (McKay, Beckman and Conover 1979, "A comparison
//! of three methods for selecting values of input variables"): each number has one value in each
//! of as many equally likely slices as there are sets, at the middle of the slice.

mod draw;

use std::collections::BTreeMap;

use rayon::prelude::*;

use model::read::{Known, Resolved};
use model::report::{Margins, Report, ResponseTime, Swing};
use model::scenario::Scenario;
use model::statistics::Estimate;

use crate::answer;
use crate::engine::Runaway;
use crate::replicate::{Effort, replications};

use draw::Drawn;

/// Sets of values. With so many slices the second and the second last are about the ends of a
/// 95 % interval.
const SETS: u32 = 40;
/// Runs of each set.
const RUNS: u32 = 2;
/// Learned numbers that are tried at both ends of their intervals, the least known first.
const TRIED: usize = 40;

/// The numbers of one prediction that get an interval.
#[derive(Clone, Copy, Debug)]
struct Answer {
    throughput: f64,
    times: ResponseTime,
    errors: f64,
}

/// The intervals of `report` with what is known of the learned numbers; none where no interval is
/// known. With `swings`, each number is tried by itself too.
///
/// # Errors
/// [`Runaway`] if a run of the scenario itself does not come to its end.
pub(crate) fn margins(
    resolved: &Resolved,
    effort: &Effort,
    report: &Report,
    swings: bool,
) -> Result<Option<Margins>, Runaway> {
    let (known, held): (Vec<Known>, Vec<Known>) = resolved.known().into_iter().partition(varies);
    if known.is_empty() {
        return Ok(None);
    }
    let drawn: Vec<Drawn> =
        known.iter().filter_map(|known| Drawn::new(known, report.seed, SETS)).collect();
    let base = few(&resolved.scenario, effort)?;
    let sets: Vec<Option<Answer>> = (0..SETS as usize)
        .into_par_iter()
        .map(|set| possible(resolved, &drawn, set).and_then(|one| few(&one, effort).ok()))
        .collect();
    let refused = sets.iter().filter(|set| set.is_none()).count() as u32;
    let sets: Vec<Answer> = sets.into_iter().flatten().collect();
    let interval = |estimate: Estimate, pick: &dyn Fn(&Answer) -> f64| {
        let answers: Vec<f64> = sets.iter().map(pick).collect();
        widened(estimate, pick(&base), &answers, effort.confidence)
    };
    let times: BTreeMap<String, Estimate> = report
        .response_time_intervals
        .iter()
        .filter(|(name, _)| *name != "max")
        .map(|(name, estimate)| {
            let pick = |answer: &Answer| answer.times.get(name).unwrap_or(0.0);
            (name.clone(), interval(*estimate, &pick))
        })
        .collect();
    Ok(Some(Margins {
        draws: SETS,
        refused,
        drawn: known.iter().map(|known| known.key.clone()).collect(),
        held: held.into_iter().filter(is_unknown).map(|known| known.key).collect(),
        throughput: interval(report.throughput, &|answer| answer.throughput),
        response_time: times,
        error_share: interval(Estimate::exact(report.error_share), &|answer| answer.errors),
        swings: if swings { tried(resolved, &known, effort) } else { Vec::new() },
    }))
}

fn varies(known: &Known) -> bool {
    known.interval.is_some_and(|interval| interval.low != interval.high)
}

/// It is a number of which no interval is known.
fn is_unknown(known: &Known) -> bool {
    known.number.is_some() && known.interval.is_none()
}

/// What a few runs of a scenario show.
fn few(scenario: &Scenario, effort: &Effort) -> Result<Answer, Runaway> {
    let effort = Effort { replications: RUNS, replications_max: RUNS, precision: None, ..*effort };
    let seen = replications(scenario, &effort, &mut |_| {})?;
    let report = answer::report(scenario, String::new(), &seen, effort.confidence);
    Ok(Answer {
        throughput: report.throughput.value,
        times: report.response_time,
        errors: report.error_share,
    })
}

/// The scenario with the values of one set. Values that no scenario can have together, such as a
/// P99 below its P50, are taken nearer to those in the file.
fn possible(resolved: &Resolved, drawn: &[Drawn], set: usize) -> Option<Scenario> {
    const NEARER: [f64; 4] = [1.0, 0.5, 0.25, 0.0];
    NEARER.into_iter().find_map(|share| {
        let values: Vec<(String, String)> = drawn.iter().map(|one| one.value(set, share)).collect();
        resolved.with(&values).ok()
    })
}

/// The interval of `estimate` with the spread of the `answers` of the sets, of which `base` is the
/// one with all values as they are written. The noise of the runs and what is not known of the
/// numbers are independent of each other: half widths add up as squares do.
fn widened(estimate: Estimate, base: f64, answers: &[f64], confidence: f64) -> Estimate {
    let tail = (1.0 - confidence) / 2.0;
    let [low, high] = [quantile(answers, tail), quantile(answers, 1.0 - tail)];
    // Relative to the value, which more runs know better than these; absolute about nothing.
    let scale = if base > 0.0 { estimate.value / base } else { 1.0 };
    let below = ((base - low) * scale).max(0.0);
    let above = ((high - base) * scale).max(0.0);
    let noise = estimate.half_width();
    Estimate {
        value: estimate.value,
        low: (estimate.value - libm::hypot(below, noise)).max(0.0),
        high: estimate.value + libm::hypot(above, noise),
    }
    .rounded()
}

/// The quantile of a few numbers, each of which stands for the middle of its slice (Hazen's
/// plotting positions).
fn quantile(numbers: &[f64], probability: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = (probability * sorted.len() as f64 - 0.5).clamp(0.0, last as f64);
    let below = at as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (at - below as f64)
}

/// The answer at either end of each interval, the largest change first.
fn tried(resolved: &Resolved, known: &[Known], effort: &Effort) -> Vec<Swing> {
    let mut widest: Vec<(&Known, model::read::Interval)> =
        known.iter().filter_map(|known| Some((known, known.interval?))).collect();
    widest.sort_by(|a, b| b.1.relative_width().total_cmp(&a.1.relative_width()));
    widest.truncate(TRIED);
    let mut swings: Vec<Swing> = widest
        .par_iter()
        .filter_map(|(known, interval)| {
            let end = |value: model::Quantity| {
                let scenario = resolved.with(&[(known.key.clone(), value.to_string())]).ok()?;
                few(&scenario, effort).ok()
            };
            let (low, high) = (end(interval.low)?, end(interval.high)?);
            Some(Swing {
                key: known.key.clone(),
                low: interval.low.to_string(),
                high: interval.high.to_string(),
                throughput: [low.throughput, high.throughput],
                p99: [low.times.p99, high.times.p99],
            })
        })
        .collect();
    swings.sort_by(|a, b| b.largest().total_cmp(&a.largest()));
    swings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_of_forty_is_about_the_end_of_the_interval() {
        let numbers: Vec<f64> = (1..=40).map(f64::from).collect();
        assert_eq!(quantile(&numbers, 0.5), 20.5);
        assert_eq!(quantile(&numbers, 0.025), 1.5);
        assert_eq!(quantile(&numbers, 0.0), 1.0);
    }

    #[test]
    fn noise_and_doubt_add_up_as_squares() {
        let estimate = Estimate { value: 10.0, low: 7.0, high: 13.0 };
        let same = widened(estimate, 10.0, &[10.0; 40], 0.95);
        assert_eq!(same, estimate);
        let doubt: Vec<f64> = vec![6.0; 20].into_iter().chain(vec![14.0; 20]).collect();
        assert_eq!(
            widened(estimate, 10.0, &doubt, 0.95),
            Estimate { value: 10.0, low: 5.0, high: 15.0 }
        );
    }
}
