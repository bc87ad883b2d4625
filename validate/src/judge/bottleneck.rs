//! The station that is full, and whether both sides name the same.
//!
//! Which one that is, is a rule of reports alike for both sides: `Report::full`.
//!
//! The prediction's own bottleneck is found by experiment, knob by knob. A measurement has no
//! such experiment, so that this weaker sign, which both sides have, is compared.

use model::report::{OTHER_STATIONS, Report, Station};
use model::station::StationId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether anything is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Regime {
    /// A station is full: throughput is its capacity, and requests queue.
    Saturated,
    /// Nothing is full: the load decides how much is done.
    Unsaturated,
    /// The measurement knows no station with a capacity.
    Unknown,
}

/// The bottlenecks of both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bottlenecks {
    /// The prediction's; none if nothing is full.
    pub predicted: Option<String>,
    /// The measurement's.
    pub measured: Option<String>,
    /// Both say the same; none if that cannot be told.
    pub right: Option<bool>,
}

/// The regime that was measured.
pub(crate) fn regime(report: &Report) -> Regime {
    match report.full() {
        Some(_) => Regime::Saturated,
        // What is full may be what is not seen.
        None if !report.tells(OTHER_STATIONS) => Regime::Unknown,
        None if report.stations.iter().any(|s| s.capacity.is_some()) => Regime::Unsaturated,
        None => Regime::Unknown,
    }
}

/// No station with a capacity is known.
fn sees_nothing(report: &Report) -> bool {
    report.stations.iter().all(|station| station.capacity.is_none())
}

/// The bottlenecks of both sides. `tolerance` is that of a utilisation: where both sides
/// agree within it how full each of the two named stations is, only the limit between full
/// and not full lies between them, and that is no difference.
pub(crate) fn bottlenecks(predicted: &Report, measured: &Report, tolerance: f64) -> Bottlenecks {
    let (p, m) = (predicted.full(), measured.full());
    let name = |station: Option<&Station>| station.map(|station| station.id.to_string());
    let right = match (p, m) {
        _ if sees_nothing(predicted) || sees_nothing(measured) => None,
        (None, None) if !predicted.tells(OTHER_STATIONS) || !measured.tells(OTHER_STATIONS) => None,
        (None, None) => Some(true),
        (Some(p), Some(m)) if p.id == m.id => Some(true),
        _ => {
            let named = p.into_iter().chain(m);
            let apart = named.map(|station| apart(predicted, measured, &station.id));
            // One that a side does not have cannot be told from one that it cannot see.
            apart.collect::<Option<Vec<f64>>>().map(|all| all.iter().all(|&x| x <= tolerance))
        }
    };
    Bottlenecks { predicted: name(p), measured: name(m), right }
}

/// How far both sides are apart on how full the station is.
fn apart(predicted: &Report, measured: &Report, id: &StationId) -> Option<f64> {
    let used = |report: &Report| {
        let station = report.station(id)?;
        station.capacity.is_some().then_some(station.utilisation)
    };
    Some((used(predicted)? - used(measured)?).abs())
}
