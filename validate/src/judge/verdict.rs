//! Many judgements become one verdict.
//!
//! In this order:
//!
//! 1. **Inconclusive** if the measurement says itself that it is unsound, or holds no good answer:
//!    an unsound measurement refutes nothing.
//! 2. **Disagree** if a headline number disagrees.
//! 3. **Inconclusive** if a headline number is within noise or rests on too few samples; if
//!    the station that the prediction says is full is not in the measurement, so that the
//!    right throughput may have a wrong cause; or if nothing can be judged. A measurement by a
//!    tool that has no stations at all gets a note instead.
//! 4. **Agree**, else.
//!
//! A number that one side does not have at all is no reason against the others. It is shown,
//! as are endpoints, stations and a different bottleneck: they help to find the error in a model,
//! but with dozens of them some are off by chance.

use model::report::{OTHER_STATIONS, STATIONS};

use super::comparison::{Comparison, Row, Verdict};
use super::judgement::Judgement;
use super::metric::Metric;
use super::words;

/// Fills in verdict, reasons and the warnings that come with them.
pub(crate) fn decide(comparison: &mut Comparison) {
    let missing = missing_bottleneck(comparison);
    let headlines: Vec<&Row> = comparison.rows.iter().filter(|row| row.headline).collect();
    let of = |judgement: Judgement| {
        headlines.iter().filter(move |row| row.verdict == judgement).copied()
    };
    let (verdict, reasons) = if let Some(reasons) = void(comparison) {
        (Verdict::Inconclusive, reasons)
    } else if of(Judgement::Disagree).next().is_some() {
        (Verdict::Disagree, of(Judgement::Disagree).map(words::reason).collect())
    } else {
        let unsure = of(Judgement::WithinNoise).chain(too_few(&headlines));
        let mut reasons: Vec<String> = unsure.map(words::reason).collect();
        reasons.extend(missing.clone().filter(|_| !untold(comparison)));
        if reasons.is_empty() && of(Judgement::Agree).next().is_none() {
            reasons.push("no headline number is on both sides".to_string());
        }
        match reasons.is_empty() {
            true => (Verdict::Agree, reasons),
            false => (Verdict::Inconclusive, reasons),
        }
    };
    // Without a good answer there is no response time, and one sentence says so.
    let absent = headlines
        .iter()
        .filter(|row| is_absent(row) && comparison.measured.samples > 0)
        .filter(|row| !comparison.untold.contains(row.metric.name()))
        .map(|row| words::reason(row));
    let mut warnings: Vec<String> = absent.collect();
    warnings.extend(missing.filter(|reason| !reasons.contains(reason)));
    warnings.extend(wrong_bottleneck(comparison));
    comparison.warnings.extend(warnings.into_iter().filter(|warning| !reasons.contains(warning)));
    comparison.verdict = verdict;
    comparison.reasons = reasons;
}

/// The measurement cannot see all stations.
fn untold(comparison: &Comparison) -> bool {
    [STATIONS, OTHER_STATIONS].iter().any(|name| comparison.untold.contains(*name))
}

/// Why the measurement as a whole is unsound.
fn void(comparison: &Comparison) -> Option<Vec<String>> {
    let mut reasons = comparison.doubts.clone();
    if comparison.measured.samples == 0 {
        reasons.push("no good answer was measured".to_string());
    }
    (!reasons.is_empty()).then_some(reasons)
}

/// Headline numbers that both sides have, on too few samples.
fn too_few<'a>(headlines: &[&'a Row]) -> impl Iterator<Item = &'a Row> {
    let few = |row: &&Row| {
        row.verdict == Judgement::NotJudged && row.predicted.is_some() && row.measured.is_some()
    };
    headlines.iter().copied().filter(few)
}

/// True for a number that one side does not have.
fn is_absent(row: &Row) -> bool {
    row.predicted.is_none() || row.measured.is_none()
}

/// The prediction says that a station is full that the measurement does not have.
fn missing_bottleneck(comparison: &Comparison) -> Option<String> {
    let name = comparison.bottleneck.predicted.as_ref()?;
    let measured = comparison.rows.iter().any(|row| {
        row.scope == super::comparison::Scope::Station(name.clone())
            && row.metric == Metric::Utilisation
            && row.measured.is_some()
    });
    (!measured).then(|| format!("the predicted bottleneck, `{name}`, is not in the measurement"))
}

fn wrong_bottleneck(comparison: &Comparison) -> Option<String> {
    let both = &comparison.bottleneck;
    let full = |name: &Option<String>| match name {
        Some(name) => format!("`{name}` is full"),
        None => "nothing is full".to_string(),
    };
    (both.right == Some(false)).then(|| {
        format!(
            "the bottleneck is another: {} in the prediction, {} when measured",
            full(&both.predicted),
            full(&both.measured)
        )
    })
}
