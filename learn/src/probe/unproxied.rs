//! How long requests wait without proxies between the service and what it waits for: proxies show what a request
//! waits for, and make each of these waits longer.

use render::number;

use super::median::median;
use super::queries;
use super::session::{Session, Turn};
use crate::learned::{Database, Figure, Latency, Step};

/// Fewer turns say nothing of their noise.
const TURNS_LEAST: usize = 3;
/// A wait that is shorter than this is not told from none, in seconds.
const WAIT_LEAST: f64 = 20e-6;

/// Requests one at a time without proxies.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Unproxied {
    /// Seconds of a way to the database and back; none if that was not seen.
    trip: Option<f64>,
    /// How long requests of each endpoint wait; none if that was not measured. The order is that of the
    /// endpoints in the session.
    endpoints: Vec<Option<Waits>>,
}

/// An endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Waits {
    /// Ways to the database and back.
    trips: f64,
    /// Seconds of a request in which neither the service nor the database's server computes.
    seconds: f64,
}

impl Unproxied {
    /// Of a session that asked the service without proxies too; else it knows nothing.
    pub(super) fn of(session: &Session<'_>) -> Unproxied {
        fitted((0..session.asks.len()).map(|index| of_endpoint(session, index)).collect())
    }

    /// The `database` as it is reached without a proxy.
    pub(super) fn database(&self, database: Database) -> Database {
        Database { round_trip: database.round_trip.map(|trip| self.round_trip(trip)), ..database }
    }

    fn round_trip(&self, proxied: Figure) -> Figure {
        let Some(trip) = self.trip.filter(|trip| *trip < proxied.value) else { return proxied };
        let how = format!(
            "{}; {} through a proxy, and so much without by what requests one at a time take beside CPU time",
            proxied.how,
            number::time(proxied.value)
        );
        let high = proxied.high.unwrap_or(proxied.value);
        Figure {
            value: trip,
            low: proxied.low.map(|low| low.min(trip)),
            high: Some(high),
            how,
            ..proxied
        }
    }

    /// The steps of the endpoint with this number, whose other waits are no longer than what a request waits in
    /// all. `round_trip` is what a way to the database takes.
    pub(super) fn steps(&self, index: usize, steps: Vec<Step>, round_trip: f64) -> Vec<Step> {
        let waits: f64 = steps.iter().filter_map(wait).map(|wait| wait.mean()[0]).sum();
        let Some(known) = self.endpoints.get(index).copied().flatten() else { return steps };
        let left = (known.seconds - known.trips * round_trip).max(0.0) / waits;
        if waits <= 0.0 || left >= 1.0 {
            return steps;
        }
        let how = format!("{:.0} % of it without proxies", left * 100.0);
        let of = |step: Step| match step {
            Step::Wait(wait) => Step::Wait(wait.scaled(left, &how)),
            Step::Block(wait) => Step::Block(wait.scaled(left, &how)),
            other => other,
        };
        let is_left = |step: &Step| wait(step).is_none_or(|wait| wait.mean()[0] >= WAIT_LEAST);
        steps.into_iter().map(of).filter(is_left).collect()
    }
}

/// How long a step waits for something of unknown kind.
fn wait(step: &Step) -> Option<&Latency> {
    match step {
        Step::Wait(wait) | Step::Block(wait) => Some(wait),
        _ => None,
    }
}

/// None of an endpoint that asks no database, or that calls an upstream, whose own time varies more than what
/// a proxy adds; nor where the database's CPU time is not known, which would be taken for waiting.
fn of_endpoint(session: &Session<'_>, index: usize) -> Option<Waits> {
    let steps = &session.seen.as_ref()?.endpoints.get(&session.asks[index].name)?.steps;
    let database = session.database()?;
    let trips: f64 = queries::counts(steps).values().sum();
    if trips <= 0.0 || steps.iter().any(calls) {
        return None;
    }
    let measured = &session.measured[index];
    let each: Vec<f64> = measured.direct.iter().map(|turn| waits(turn, database)).collect();
    let overhead = session.alone(index).overhead;
    let seconds = (each.len() >= TURNS_LEAST).then(|| median(&each).value - overhead)?;
    Some(Waits { trips: trips + measured.opened.unwrap_or(0.0), seconds: seconds.max(0.0) })
}

fn calls(step: &Step) -> bool {
    match step {
        Step::Call(_) => true,
        Step::Parallel(steps) => steps.iter().any(calls),
        _ => false,
    }
}

fn waits(turn: &Turn, database: usize) -> f64 {
    let time = turn.times.iter().sum::<f64>() / turn.times.len().max(1) as f64;
    let server = turn.others.get(database).copied().unwrap_or(0.0);
    time - turn.cpu - turn.delayed - server
}

/// With the least squares fit of a line through zero: how long requests wait over their ways to the database.
fn fitted(endpoints: Vec<Option<Waits>>) -> Unproxied {
    let known = || endpoints.iter().flatten();
    let squares: f64 = known().map(|one| one.trips * one.trips).sum();
    let products: f64 = known().map(|one| one.trips * one.seconds).sum();
    let trip = (squares > 0.0).then(|| products / squares);
    Unproxied { trip, endpoints }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits_of(trips: f64, seconds: f64) -> Option<Waits> {
        Some(Waits { trips, seconds })
    }

    fn figure(value: f64) -> Figure {
        Figure::measured(value, [0.9 * value, 1.1 * value], "seen")
    }

    #[test]
    fn a_way_to_the_database_takes_what_requests_wait_by_their_ways() {
        let all = vec![waits_of(1.0, 0.2e-3), None, waits_of(5.0, 1.0e-3), waits_of(5.0, 1.0e-3)];
        let found = fitted(all);
        let trip = found.round_trip(figure(0.5e-3));
        assert!((trip.value - 0.2e-3).abs() < 1e-9 && trip.how.contains("500 µs"), "{trip:?}");
        assert!(trip.low <= Some(trip.value) && trip.high >= Some(0.5e-3), "{trip:?}");
        // A proxy makes nothing faster.
        assert_eq!(found.round_trip(figure(0.1e-3)), figure(0.1e-3));
        assert_eq!(fitted(vec![None]).round_trip(figure(0.1e-3)), figure(0.1e-3));
    }

    #[test]
    fn other_waits_are_no_longer_than_what_a_request_waits_in_all() {
        let found = Unproxied {
            trip: None,
            endpoints: vec![waits_of(5.0, 4e-3), waits_of(5.0, 0.9e-3), waits_of(5.0, 9e-3), None],
        };
        let wait_of = |seconds| Step::Wait(Latency::Constant(figure(seconds)));
        let steps = || vec![wait_of(3e-3), Step::Query("one".into()), wait_of(1e-3)];
        let left = |index| -> Vec<f64> {
            let steps = found.steps(index, steps(), 0.2e-3);
            assert!(steps.iter().any(|step| matches!(step, Step::Query(_))), "{steps:?}");
            steps.iter().filter_map(wait).map(|wait| wait.mean()[0]).collect()
        };
        // Of 4 ms five ways take 1 ms: 3 ms are left for what took 4 ms with proxies.
        let first = left(0);
        assert!(
            (first[0] - 2.25e-3).abs() < 1e-9 && (first[1] - 0.75e-3).abs() < 1e-9,
            "{first:?}"
        );
        assert_eq!(left(1), Vec::<f64>::new(), "the ways take all of it");
        assert_eq!(left(2), [3e-3, 1e-3], "it waits for longer than was seen");
        assert_eq!(left(3), [3e-3, 1e-3], "nothing is known");
    }
}
