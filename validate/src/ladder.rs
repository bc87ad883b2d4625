//! A ladder that was predicted and measured: what each change gains on both sides.
//!
//! A ladder is read for which rung is better, and by how much. So besides the numbers of each rung
//! the gain of each step is compared, and its direction: up or down on both sides. A step whose
//! measured throughputs differ by less than the noise has no direction.

use model::report::PublishedFigure;
use model::statistics::round_significant;
use render::Exit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judge::comparison::{Comparison, SCHEMA};
use crate::judge::metric::Metric;
use crate::judge::ranking::Ranking;
use crate::judge::summary::Summary;
use crate::judge::validation;

/// A ladder on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Climb {
    /// Version of this form.
    pub schema: u32,
    /// Name of the last rung.
    pub scenario: String,
    /// Rung by rung, the first one first.
    pub rungs: Vec<Rung>,
    /// The gain of each rung after the first.
    pub steps: Vec<Step>,
    /// All rungs together; the order of any two of them is in `ranking`.
    pub summary: Summary,
}

/// A rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rung {
    /// The keys that it changes, in words; none for the first.
    pub turned: Option<String>,
    /// A published figure, and how far the prediction is from it.
    pub published: Option<PublishedFigure>,
    /// How far the measurement is from it, relative.
    pub published_measured: Option<f64>,
    /// Predicted against measured.
    pub comparison: Comparison,
}

/// From one rung to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The rung before.
    pub from: String,
    /// The rung.
    pub to: String,
    /// Throughput relative to the rung before, minus one, as predicted; none if the rung before
    /// has a throughput of zero.
    pub predicted_gain: Option<f64>,
    /// The same as measured.
    pub measured_gain: Option<f64>,
    /// Both change in the same direction; none if the measured change is within the noise.
    pub right: Option<bool>,
}

impl Climb {
    /// The ladder of `rungs`, the first one first, as far as it was measured.
    pub fn of(scenario: &str, rungs: Vec<Rung>) -> Climb {
        let comparisons: Vec<Comparison> = rungs.iter().map(|r| r.comparison.clone()).collect();
        Climb {
            schema: SCHEMA,
            scenario: scenario.to_string(),
            steps: comparisons.windows(2).map(|pair| Step::of(&pair[0], &pair[1])).collect(),
            summary: Summary::of(&comparisons),
            rungs,
        }
    }

    /// A pair of rungs in the wrong order is a disagreement, however small the errors.
    pub fn exit(&self) -> Exit {
        match self.summary.ranking.wrong.is_empty() {
            true => validation::exit(self.rungs.iter().map(|rung| &rung.comparison)),
            false => Exit::Disagree,
        }
    }
}

impl Rung {
    /// A rung that changes the keys `turned`, with the published figure beside its prediction.
    pub fn new(
        turned: Option<String>,
        published: Option<PublishedFigure>,
        comparison: Comparison,
    ) -> Rung {
        let measured = comparison.overall(Metric::Throughput).and_then(|row| row.measured);
        let off = |figure: &PublishedFigure| relative(measured?.value, figure.throughput);
        let published_measured = published.as_ref().and_then(off);
        Rung { turned, published, published_measured, comparison }
    }
}

impl Step {
    fn of(below: &Comparison, above: &Comparison) -> Step {
        let gain = |predicted: bool| {
            let value = |comparison: &Comparison| {
                let row = comparison.overall(Metric::Throughput)?;
                Some(if predicted { row.predicted? } else { row.measured? }.value)
            };
            relative(value(above)?, value(below)?)
        };
        // An unsound measurement has no direction.
        let sound = [below, above].iter().all(|c| c.doubts.is_empty() && c.measured.samples > 0);
        let ranking = Ranking::of(&[below, above]);
        Step {
            from: below.name.clone(),
            to: above.name.clone(),
            predicted_gain: gain(true),
            measured_gain: gain(false),
            right: (sound && ranking.pairs > 0).then_some(ranking.right > 0),
        }
    }
}

fn relative(value: f64, to: f64) -> Option<f64> {
    let change = value / to - 1.0;
    change.is_finite().then(|| round_significant(change))
}
