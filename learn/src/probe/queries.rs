//! What of a query's time its server computes, where the CPU time of the server is known.
//!
//! A query one at a time takes the CPU time of its server, and the time in which the server wakes
//! up, waits for its disk and is reached over the network. The CPU time alone limits how many
//! queries a busy server answers: it is measured, by endpoint, and shared out over the endpoint's
//! queries by their times. The rest of a time stays in the prediction, as part of the round trip,
//! and in statements that commit by themselves as the sync of the log.

use std::collections::BTreeMap;

use model::scenario::Engine;

use crate::learned::{Database, Figure, Query, Step};

/// A sync shorter than this is not told from noise, in seconds.
const SYNC_LEAST: f64 = 20e-6;
/// A round trip is at least this share of the one that was seen: the rest may be the server's CPU
/// time for a statement that does no work.
const TRIP_LEAST: f64 = 0.2;

/// What a request of one endpoint asks of the database.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    /// How often it asks each query.
    counts: BTreeMap<String, f64>,
    /// CPU time of the server, seconds.
    cpu: Figure,
}

impl Asked {
    /// None if the steps ask the database nothing.
    pub(super) fn new(steps: &[Step], cpu: Figure) -> Option<Asked> {
        let mut counts = BTreeMap::new();
        count(steps, &mut counts);
        (!counts.is_empty()).then_some(Asked { counts, cpu })
    }

    /// Sum over the queries that `of` gives a number, each as often as it is asked.
    fn sum(&self, queries: &[Query], of: impl Fn(&Query) -> f64) -> f64 {
        let each = |query: &Query| self.counts.get(&query.name).map_or(0.0, |n| n * of(query));
        queries.iter().map(each).sum()
    }
}

fn count(steps: &[Step], counts: &mut BTreeMap<String, f64>) {
    for step in steps {
        match step {
            Step::Query(name) => *counts.entry(name.clone()).or_default() += 1.0,
            Step::Parallel(steps) => count(steps, counts),
            _ => {}
        }
    }
}

/// Shares of the times that are CPU time of the server.
#[derive(Clone, Copy, Debug)]
struct Shares {
    reads: f64,
    writes: f64,
    /// Ends of the CPU time, relative to it.
    ends: [f64; 2],
}

impl Shares {
    fn of(&self, query: &Query) -> f64 {
        if query.writes { self.writes } else { self.reads }
    }
}

/// The `database` whose queries take the CPU time that its server used; unchanged where that is
/// not known, or it computes in the service's process.
pub(super) fn computed(database: Database, asked: &[Asked]) -> Database {
    let Engine::Postgres(_) = &database.engine else { return database };
    let Some(shares) = shares(&database, asked) else { return database };
    let queries = &database.queries;
    let sync = sync(&database, &shares, asked);
    let beside = |query: &Query| if query.writes { sync } else { 0.0 };
    let left = |query: &Query| query.time.value * (1.0 - shares.of(query)) - beside(query);
    let statements: f64 = asked.iter().map(|one| one.counts.values().sum::<f64>()).sum();
    let more = asked.iter().map(|one| one.sum(queries, left)).sum::<f64>() / statements;
    let round_trip = database.round_trip.clone().map(|trip| with_rest(trip, more));
    let commit = (sync > 0.0).then(|| {
        let how = "what a statement that commits by itself takes beside the server's CPU time";
        Figure::derived(sync, how)
    });
    let queries = queries.iter().map(|query| of_server(query, &shares)).collect();
    Database { round_trip, commit: database.commit.or(commit), queries, ..database }
}

/// None if no query takes time.
fn shares(database: &Database, asked: &[Asked]) -> Option<Shares> {
    let queries = &database.queries;
    let time = |query: &Query| query.time.value;
    let written =
        |one: &Asked| one.sum(queries, |query| if query.writes { time(query) } else { 0.0 });
    let cpu: f64 = asked.iter().map(|one| one.cpu.value).sum();
    let all: f64 = asked.iter().map(|one| one.sum(queries, time)).sum();
    if all <= 0.0 || cpu <= 0.0 {
        return None;
    }
    let end = |of: fn(&Figure) -> Option<f64>| {
        asked.iter().map(|one| of(&one.cpu).unwrap_or(one.cpu.value)).sum::<f64>() / cpu
    };
    let ends = [end(|figure| figure.low), end(|figure| figure.high)];
    let reading: Vec<&Asked> = asked.iter().filter(|one| written(one) == 0.0).collect();
    let read: f64 = reading.iter().map(|one| one.sum(queries, time)).sum();
    // Where commits were seen, no statement holds one.
    if database.commit.is_some() || reading.len() == asked.len() || read <= 0.0 {
        let share = cpu / all;
        return Some(Shares { reads: share, writes: share, ends });
    }
    let reads = reading.iter().map(|one| one.cpu.value).sum::<f64>() / read;
    let writes: f64 = asked.iter().map(written).sum();
    let left = cpu - reads * (all - writes);
    Some(Shares { reads, writes: (left / writes).max(0.0), ends })
}

/// Mean time of the sync in statements that commit by themselves; zero if commits were seen apart
/// or there is none.
fn sync(database: &Database, shares: &Shares, asked: &[Asked]) -> f64 {
    if database.commit.is_some() {
        return 0.0;
    }
    let queries = &database.queries;
    let writes = |of: fn(&Query) -> f64| -> f64 {
        let of = |query: &Query| if query.writes { of(query) } else { 0.0 };
        asked.iter().map(|one| one.sum(queries, of)).sum()
    };
    let (time, count) = (writes(|query| query.time.value), writes(|_| 1.0));
    let mean = if count > 0.0 { time * (1.0 - shares.writes) / count } else { 0.0 };
    if mean > SYNC_LEAST { mean } else { 0.0 }
}

fn of_server(query: &Query, shares: &Shares) -> Query {
    let share = shares.of(query);
    let value = query.time.value * share;
    if query.time.value == 0.0 {
        return query.clone();
    }
    let how = format!("{}; {:.0} % of it CPU time of the server", query.time.how, share * 100.0);
    let ends = shares.ends.map(|end| value * end);
    let time = Figure { value, how, ..query.time.clone() }.within(ends);
    Query { time, ..query.clone() }
}

/// A round trip with what queries take beside it and the server's CPU time.
fn with_rest(trip: Figure, more: f64) -> Figure {
    let value = (trip.value + more).max(TRIP_LEAST * trip.value);
    let how = format!("{}; with what queries take beside the server's CPU time", trip.how);
    Figure { value, low: None, high: None, how, ..trip }
}

#[cfg(test)]
mod tests {
    use model::distribution::Distribution;
    use model::scenario::Postgres;
    use model::units::Span;

    use super::*;
    use crate::learned::Pool;

    fn query(name: &str, writes: bool, time: f64) -> Query {
        Query { name: name.into(), writes, time: Figure::measured(time, [time; 2], "seen") }
    }

    fn database(commit: Option<f64>) -> Database {
        let trip = Distribution::Constant(Span::from_micros(100));
        let size = Figure::measured(5, [5; 2], "seen");
        Database {
            engine: Engine::Postgres(Postgres::new(trip, 1)),
            cores: None,
            pool: Pool { size: size.clone(), overflow: size },
            hold: None,
            queries: vec![
                query("begin", false, 0.0),
                query("read", false, 1e-3),
                query("write", true, 3e-3),
            ],
            round_trip: Some(Figure::measured(1e-4, [1e-4; 2], "seen")),
            commit: commit.map(|commit| Figure::measured(commit, [commit; 2], "seen")),
        }
    }

    fn asked(counts: &[(&str, f64)], cpu: f64) -> Asked {
        let counts = counts.iter().map(|(name, count)| (name.to_string(), *count)).collect();
        Asked { counts, cpu: Figure::measured(cpu, [0.9 * cpu, 1.1 * cpu], "seen") }
    }

    fn time(database: &Database, name: &str) -> f64 {
        let found = database.queries.iter().find(|query| query.name == name);
        found.expect("it is there").time.value
    }

    #[test]
    fn a_write_that_commits_by_itself_is_cpu_time_and_a_sync() {
        let asked = [
            asked(&[("read", 2.0)], 1.2e-3),
            asked(&[("read", 1.0), ("write", 1.0)], 0.6e-3 + 0.5e-3),
        ];
        let found = computed(database(None), &asked);
        assert!((time(&found, "read") - 0.6e-3).abs() < 1e-9, "{found:?}");
        assert!((time(&found, "write") - 0.5e-3).abs() < 1e-9, "{found:?}");
        let commit = found.commit.as_ref().expect("it is seen").value;
        assert!((commit - 2.5e-3).abs() < 1e-9, "{commit}");
        // Three reads are 0.4 ms longer than the server computes, of four statements.
        let trip = found.round_trip.as_ref().expect("there is one").value;
        assert!((trip - (1e-4 + 3.0 * 0.4e-3 / 4.0)).abs() < 1e-9, "{trip}");
    }

    #[test]
    fn where_commits_are_seen_the_rest_of_all_queries_is_the_way() {
        let asked = [asked(&[("begin", 1.0), ("read", 1.0), ("write", 1.0)], 2e-3)];
        let found = computed(database(Some(1e-3)), &asked);
        assert!((time(&found, "read") - 0.5e-3).abs() < 1e-9, "{found:?}");
        assert!((time(&found, "write") - 1.5e-3).abs() < 1e-9, "{found:?}");
        assert_eq!(found.commit.as_ref().map(|commit| commit.value), Some(1e-3));
        let trip = found.round_trip.as_ref().expect("there is one").value;
        assert!((trip - (1e-4 + 2e-3 / 3.0)).abs() < 1e-9, "{trip}");
    }

    #[test]
    fn without_the_cpu_time_of_the_server_nothing_changes() {
        let found = computed(database(None), &[]);
        assert_eq!((time(&found, "read"), time(&found, "write")), (1e-3, 3e-3));
        assert_eq!(found.round_trip.as_ref().map(|trip| trip.value), Some(1e-4));
    }
}
