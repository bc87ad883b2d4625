//! Many comparisons on one page: a ladder, or scenarios that nothing was fitted to.

use model::statistics::round_significant;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bottleneck::Regime;
use super::comparison::{Comparison, SCHEMA, Verdict};
use super::judgement::Judgement;
use super::metric::{Metric, Unit};
use super::ranking::Ranking;

/// Many comparisons together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Version of this form.
    pub schema: u32,
    /// How many comparisons.
    pub compared: usize,
    /// How many of them agree.
    pub agree: usize,
    /// How many disagree.
    pub disagree: usize,
    /// How many are inconclusive.
    pub inconclusive: usize,
    /// Those whose measurement is unsound by its own account: they are in no number below.
    pub left_out: Vec<String>,
    /// The errors by regime, metric by metric: services that have room and services that have
    /// none are different questions.
    pub metrics: Vec<Errors>,
    /// Whether throughputs are in the right order.
    pub ranking: Ranking,
    /// Whether the same station is full.
    pub bottlenecks: Hits,
}

/// The errors of one metric of the whole service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Errors {
    /// In which regime the services were.
    pub regime: Regime,
    /// Of which metric.
    pub metric: Metric,
    /// How they are counted.
    pub unit: Unit,
    /// How many were judged, those within noise among them.
    pub judged: usize,
    /// How many agree.
    pub agree: usize,
    /// How many disagree.
    pub disagree: usize,
    /// Median of their sizes, signs left out.
    pub median: Option<f64>,
    /// Median with signs: too high everywhere, or too low.
    pub bias: Option<f64>,
    /// The largest.
    pub worst: Option<Worst>,
    /// Median of the measured noise that is known.
    pub noise: Option<f64>,
}

/// The largest error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Worst {
    /// Where.
    pub name: String,
    /// How large, signed.
    pub error: f64,
}

/// How often something was right.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hits {
    /// How often it could be told.
    pub told: usize,
    /// How often it was right.
    pub right: usize,
    /// Where it was wrong.
    pub wrong: Vec<String>,
}

impl Summary {
    /// The summary of `comparisons`. Errors within noise count like others: to leave out
    /// what is blurred would leave out more of the small ones.
    pub fn of(comparisons: &[Comparison]) -> Summary {
        let verdicts = |verdict| comparisons.iter().filter(|c| c.verdict == verdict).count();
        let (sound, void): (Vec<&Comparison>, Vec<&Comparison>) =
            comparisons.iter().partition(|c| c.doubts.is_empty() && c.measured.samples > 0);
        Summary {
            schema: SCHEMA,
            compared: comparisons.len(),
            agree: verdicts(Verdict::Agree),
            disagree: verdicts(Verdict::Disagree),
            inconclusive: verdicts(Verdict::Inconclusive),
            left_out: void.iter().map(|comparison| comparison.name.clone()).collect(),
            metrics: errors(&sound),
            ranking: Ranking::of(&sound),
            bottlenecks: bottlenecks(&sound),
        }
    }
}

/// The errors of each regime that there is.
fn errors(comparisons: &[&Comparison]) -> Vec<Errors> {
    let of = |regime: Regime| {
        let here: Vec<&Comparison> =
            comparisons.iter().copied().filter(|comparison| comparison.regime == regime).collect();
        let all = if here.is_empty() { None } else { Some(Metric::OVERALL) };
        all.into_iter().flatten().map(move |metric| Errors::of(regime, metric, &here))
    };
    [Regime::Unsaturated, Regime::Saturated, Regime::Unknown].into_iter().flat_map(of).collect()
}

impl Errors {
    fn of(regime: Regime, metric: Metric, comparisons: &[&Comparison]) -> Errors {
        let rows = comparisons.iter().filter_map(|c| Some((*c, c.overall(metric)?)));
        let judged: Vec<_> = rows.filter(|(_, row)| row.verdict != Judgement::NotJudged).collect();
        let count = |verdict| judged.iter().filter(|(_, row)| row.verdict == verdict).count();
        let errors: Vec<(&Comparison, f64)> =
            judged.iter().filter_map(|(c, row)| Some((*c, row.error?))).collect();
        let worst = errors.iter().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
        Errors {
            regime,
            metric,
            unit: metric.unit(),
            judged: judged.len(),
            agree: count(Judgement::Agree),
            disagree: count(Judgement::Disagree),
            median: median(errors.iter().map(|(_, error)| error.abs())),
            bias: median(errors.iter().map(|(_, error)| *error)),
            worst: worst.map(|(c, error)| Worst { name: c.name.clone(), error: *error }),
            noise: median(judged.iter().filter_map(|(_, row)| row.noise)),
        }
    }
}

fn bottlenecks(comparisons: &[&Comparison]) -> Hits {
    let mut hits = Hits::default();
    for comparison in comparisons {
        match comparison.bottleneck.right {
            None => continue,
            Some(true) => hits.right += 1,
            Some(false) => hits.wrong.push(comparison.name.clone()),
        }
        hits.told += 1;
    }
    hits
}

/// The middle of the numbers, or the mean of the two in the middle.
fn median(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = numbers.collect();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get((sorted.len() - 1) / 2)?;
    Some(round_significant(lower + (upper - lower) / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median([].into_iter()), None);
        assert_eq!(median([3.0].into_iter()), Some(3.0));
        assert_eq!(median([3.0, -1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 3.0, 2.0].into_iter()), Some(2.5));
    }
}
