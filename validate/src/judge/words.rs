//! Numbers of a comparison, and why they are judged as they are, in words.

use render::number;

use super::comparison::Row;
use super::judgement::Judgement;
use super::metric::{Metric, Unit};
use super::side::Side;

/// What a metric of the whole service is called.
pub(crate) fn metric(metric: Metric) -> &'static str {
    match metric {
        Metric::Throughput => "throughput",
        Metric::Mean => "mean",
        Metric::P50 => "P50",
        Metric::P90 => "P90",
        Metric::P95 => "P95",
        Metric::P99 => "P99",
        Metric::ErrorShare => "errors",
        Metric::Utilisation => "CPU in use",
        Metric::InFlight => "in flight",
        Metric::WaitingTime => "waiting time",
    }
}

/// A value with its unit.
pub(crate) fn value(metric: Metric, x: f64) -> String {
    match metric {
        Metric::Throughput => format!("{}/s", number::rate(x)),
        Metric::ErrorShare | Metric::Utilisation => number::percent(x),
        Metric::InFlight => number::significant(x, 3),
        _ => number::time(x),
    }
}

/// A value, or a dash where there is none.
pub(crate) fn value_or_dash(which: Metric, side: Option<Side>) -> String {
    side.map_or("-".into(), |side| value(which, side.value))
}

/// Half an interval, if it is known and not nothing.
pub(crate) fn half(metric: Metric, side: Option<Side>) -> String {
    let known = side.and_then(|side| side.half()).filter(|half| *half > 0.0);
    let Some(half) = known else { return String::new() };
    let text = match metric {
        Metric::ErrorShare | Metric::Utilisation => size(Unit::Points, half),
        Metric::Throughput | Metric::InFlight => number::significant(half, 2),
        _ => number::time_digits(half, 2),
    };
    format!("±{text}")
}

/// Why a prediction from a profile with these costs in doubt shows little; none without any.
pub(crate) fn costs_in_doubt(keys: &[String]) -> Option<String> {
    let (first, count) = (keys.first()?, keys.len());
    let (those, others) = match count {
        1 => ("one of the costs that the prediction rests on was".to_string(), ""),
        _ => (format!("{count} of the costs that the prediction rests on were"), " and others"),
    };
    Some(format!(
        "{those} measured while something disturbed the machine (`{first}`{others}): calibrate \
         again before you believe an error of the model"
    ))
}

/// An error with its sign: `+5.1 %`, or `-2.0 pts` for percentage points.
pub(crate) fn error(unit: Unit, error: Option<f64>) -> String {
    match (unit, error) {
        (_, None) => "-".into(),
        (Unit::Relative, Some(x)) => number::change(x),
        (Unit::Points, Some(x)) => number::change(x).replace('%', "pts"),
    }
}

/// A tolerance or a noise.
pub(crate) fn size(unit: Unit, x: f64) -> String {
    let percent = number::significant(x * 100.0, 2);
    match unit {
        Unit::Relative => format!("{percent} %"),
        Unit::Points => format!("{percent} pts"),
    }
}

/// Why a row agrees, disagrees or cannot be told, after its name.
pub(crate) fn reason(row: &Row) -> String {
    let name = metric(row.metric);
    if let Some(why) = &row.why {
        return format!("{name}: {why}");
    }
    let tolerance = size(row.unit, row.tolerance);
    let between = if row.paired { " between paired rounds" } else { "" };
    let noise = row.margin.map(|margin| format!("±{}{between}", size(row.unit, margin)));
    let off = error(row.unit, row.error);
    match (row.verdict, noise) {
        (Judgement::Disagree, Some(noise)) if row.error.is_some() => format!(
            "{name}: {off} is beyond the tolerance of {tolerance} by more than the noise of {noise}"
        ),
        (Judgement::WithinNoise, Some(noise)) => match row.error {
            Some(error) if error.abs() > row.tolerance => format!(
                "{name}: {off} is beyond the tolerance of {tolerance}, but the noise is {noise}"
            ),
            _ => format!("{name}: the noise of {noise} is wider than the tolerance of {tolerance}"),
        },
        (Judgement::Agree, _) => format!("{name}: {off} is within the tolerance of {tolerance}"),
        _ if row.error.is_some() => {
            format!("{name}: {off} is beyond the tolerance of {tolerance}; its noise is not known")
        }
        _ => {
            let predicted = value_or_dash(row.metric, row.predicted);
            format!(
                "{name}: {predicted} is predicted, {} was measured",
                value_or_dash(row.metric, row.measured)
            )
        }
    }
}
