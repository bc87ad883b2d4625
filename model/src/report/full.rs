//! The station that is full.
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

use super::{Report, Station};
use crate::station::StationId;

/// Use of the CPU from which it is full.
const CPU_FULL: f64 = 0.95;
/// Use of any other capacity from which it is full.
const FULL: f64 = 0.98;

impl Report {
    /// The innermost full station; none if nothing is full.
    pub fn full(&self) -> Option<&Station> {
        let full = self.stations.iter().filter(|station| is_full(station));
        // Of several that are equally deep, the one with most requests.
        full.min_by(|a, b| {
            depth(&a.id).cmp(&depth(&b.id)).then(b.in_flight_mean.total_cmp(&a.in_flight_mean))
        })
    }
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
        StationId::DatabaseLock | StationId::Row(_) => 3,
        StationId::Loop | StationId::Worker => 4,
        StationId::Connections(_) | StationId::DatabasePooler => 5,
        StationId::Semaphore(_) => 6,
        StationId::Lock(_) | StationId::DatabasePool => 7,
        StationId::Threads => 8,
        StationId::Disk | StationId::Upstream(_) | StationId::Other(_) => 9,
    }
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
