//! The station that is full, and whether both sides name the same.
//!
//! A station is full if 98 % of its capacity is in use; the CPU at 95 %, because a kernel
//! that switches and accounts never lets a service have all of it. A service where something
//! is full is saturated: more load brings no more good answers.
//!
//! Utilisation alone does not name the bottleneck. Stations are held inside each other: a
//! worker's event loop is held while its thread waits for the CPU, a database connection
//! while its owner waits for the lock. If the inner one is full, the outer one fills up with
//! requests that wait for it. Nor does the longest wait name it, since work queues at the outermost
//! full station: with two workers on one full CPU both loops are in use all the time, and
//! requests wait for seconds for a loop but for milliseconds for the CPU. So the bottleneck
//! is the **innermost** full station: the CPU there; the semaphore where an idle CPU waits for
//! a slow upstream whose semaphore is full; the loop where handlers block it with
//! nothing inside it full. A loop counts as inside a semaphore: a place in the semaphore
//! comes free only when the loop comes round, while a loop that blocks on a call holds one at most.
//!
//! The prediction's own bottleneck is found by experiment, knob by knob. A measurement has no
//! such experiment, so that this weaker sign, which both sides have, is compared.

use model::report::{OTHER_STATIONS, Report, Station};
use model::station::StationId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Use of the CPU from which it is full.
const CPU_FULL: f64 = 0.95;
/// Use of any other capacity from which it is full.
const FULL: f64 = 0.98;

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
    match full(report) {
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

/// The innermost full station.
pub(crate) fn full(report: &Report) -> Option<&Station> {
    let full = report.stations.iter().filter(|station| is_full(station));
    // Of several that are equally deep, the one with most requests.
    full.min_by(|a, b| {
        depth(&a.id).cmp(&depth(&b.id)).then(b.in_flight_mean.total_cmp(&a.in_flight_mean))
    })
}

fn is_full(station: &Station) -> bool {
    let from = if station.id.to_string() == "cpu" { CPU_FULL } else { FULL };
    station.capacity.is_some() && station.utilisation >= from
}

/// How far out a station is held: one that is held while a request waits for another comes later.
fn depth(id: &StationId) -> usize {
    match id {
        StationId::Cpu => 0,
        StationId::InterpreterLock => 1,
        StationId::DatabaseServer => 2,
        StationId::DatabaseLock => 3,
        StationId::Loop => 4,
        StationId::Connections(_) | StationId::DatabasePooler => 5,
        StationId::Semaphore(_) => 6,
        StationId::Lock(_) | StationId::DatabasePool => 7,
        StationId::Threads => 8,
        StationId::Disk | StationId::Upstream(_) | StationId::Other(_) => 9,
    }
}

/// The bottlenecks of both sides. `tolerance` is that of a utilisation: where both sides
/// agree within it how full each of the two named stations is, only the limit between full
/// and not full lies between them, and that is no difference.
pub(crate) fn bottlenecks(predicted: &Report, measured: &Report, tolerance: f64) -> Bottlenecks {
    let (p, m) = (full(predicted), full(measured));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_full_station_is_the_bottleneck_whatever_an_upstream_is_called() {
        let upstream = || "loop".to_string();
        let inside_out = [
            StationId::Cpu,
            StationId::InterpreterLock,
            StationId::DatabaseLock,
            StationId::Loop,
            StationId::Connections(upstream()),
            StationId::Semaphore(upstream()),
            StationId::DatabasePool,
            StationId::Threads,
            StationId::Other("something new".into()),
        ];
        assert!(inside_out.is_sorted_by_key(depth));
    }
}
