//! How much a number, and its error, changes from round to round.
//!
//! A number of a round is found by the same code as that of the whole report. Where a round
//! does not have it, an endpoint without an answer for instance, the others say nothing in its
//! place: the intervals that the reports know themselves count then.

use model::report::Report;
use model::statistics::Estimate;

use super::metric::Metric;
use super::side;
use super::value::Value;

/// Rounds without which there is no spread.
const FEWEST: usize = 2;

/// True if both reports list their rounds and each pair of them saw the same load.
pub(crate) fn are_paired(predicted: &Report, measured: &Report) -> bool {
    let seeds = |report: &Report| report.rounds.iter().map(|round| round.seed).collect::<Vec<_>>();
    measured.rounds.len() >= FEWEST && seeds(predicted) == seeds(measured)
}

/// The number that `find` finds in `report`, with the interval that its rounds give it.
pub(crate) fn read(report: &Report, metric: Metric, find: impl Fn(&Report) -> Value) -> Value {
    let whole = find(report);
    let half = values(report, find).and_then(|values| half(&values, report, metric));
    match (whole.side, half) {
        (Some(side), Some(half)) => Value { side: Some(side.within(half)), ..whole },
        _ => whole,
    }
}

/// Half the interval of the difference between both numbers that `find` finds, from the
/// differences between paired rounds: chance that both sides share cancels out.
pub(crate) fn paired_half(
    predicted: &Report,
    measured: &Report,
    metric: Metric,
    find: impl Fn(&Report) -> Value,
) -> Option<f64> {
    if !are_paired(predicted, measured) {
        return None;
    }
    let (p, m) = (values(predicted, &find)?, values(measured, &find)?);
    let differences: Vec<f64> = p.iter().zip(&m).map(|(p, m)| p - m).collect();
    half(&differences, measured, metric)
}

/// The number in each round; none unless there are several and all have it.
fn values(report: &Report, find: impl Fn(&Report) -> Value) -> Option<Vec<f64>> {
    if report.rounds.len() < FEWEST {
        return None;
    }
    report.rounds.iter().map(|round| Some(find(round).side?.value)).collect()
}

/// Half the t interval of the mean of `samples`, where it says something. That a share of
/// errors was the same each time, mostly nothing, does not say that it always will be: the
/// interval of a share, which knows of how many requests it is, says more.
fn half(samples: &[f64], report: &Report, metric: Metric) -> Option<f64> {
    let half = Estimate::of_mean(samples, side::confidence(&report.run)).half_width();
    let blind = metric == Metric::ErrorShare && half == 0.0;
    (half.is_finite() && !blind).then_some(half)
}
