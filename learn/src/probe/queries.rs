//! What of a query's time its server computes, where the CPU time of the server is known.
//!
//! A query one at a time takes the CPU time of its server, and the time in which the server wakes
//! up, waits for its disk and is reached over the network. The CPU time alone limits how many
//! queries a busy server answers: it is measured, by endpoint, and shared out over the endpoint's
//! queries by their times. The rest of a time stays in the prediction, as part of the round trip,
//! and in statements that commit by themselves as the sync of the log.

use std::collections::BTreeMap;

use model::scenario::Engine;

use super::each_query::each_query;
use super::mix::{self, Mixed};
use super::posterior::Sum;
use crate::learned::{Database, Figure, Query, Step};

/// A sync shorter than this is not told from noise, in seconds.
const SYNC_LEAST: f64 = 20e-6;
/// A round trip is at least this share of the one that was seen: the rest may be the server's CPU
/// time for a statement that does no work.
const TRIP_LEAST: f64 = 0.2;
/// A CPU time is not better known than this, relative to itself and to the mean of all endpoints.
const ERROR_LEAST: f64 = 0.05;

/// What a request of one endpoint asks of the database.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    /// Which one: its place among all that is asked.
    endpoint: usize,
    /// How often it asks each query.
    counts: BTreeMap<String, f64>,
    /// Connections that it opens.
    opened: f64,
    /// CPU time of the server, seconds.
    cpu: Figure,
}

impl Asked {
    /// None if the steps ask the database nothing.
    pub(super) fn new(endpoint: usize, steps: &[Step], opened: f64, cpu: Figure) -> Option<Asked> {
        let counts = counts(steps);
        (!counts.is_empty()).then_some(Asked { endpoint, counts, opened, cpu })
    }

    /// How badly the CPU time is known, where the mean of all endpoints is `mean`.
    fn error(&self, mean: f64) -> f64 {
        let Figure { value, low, high, .. } = self.cpu;
        let half = (high.unwrap_or(value) - low.unwrap_or(value)) / 2.0;
        half.max(ERROR_LEAST * value.max(mean))
    }

    /// Sum over the queries that `of` gives a number, each as often as it is asked.
    fn sum(&self, queries: &[Query], of: impl Fn(&Query) -> f64) -> f64 {
        let each = |query: &Query| self.counts.get(&query.name).map_or(0.0, |n| n * of(query));
        queries.iter().map(each).sum()
    }
}

/// How often the steps ask each query.
pub(super) fn counts(steps: &[Step]) -> BTreeMap<String, f64> {
    let mut counts = BTreeMap::new();
    count(steps, &mut counts);
    counts
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

/// What of the times is CPU time of the server: a share of each, less what each takes beside it.
#[derive(Clone, Copy, Debug)]
struct Shares {
    reads: Part,
    writes: Part,
    /// Ends of the CPU time, relative to it.
    ends: [f64; 2],
}

/// What of the time of one query is CPU time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Part {
    share: f64,
    /// Seconds that each query takes beside the CPU time, however long it is: the server wakes up.
    beside: f64,
}

impl Part {
    fn of(share: f64) -> Part {
        Part { share, beside: 0.0 }
    }

    fn of_time(self, seconds: f64) -> f64 {
        (self.share * seconds - self.beside).max(0.0)
    }
}

impl Shares {
    /// CPU seconds of the server for a query.
    fn of(&self, query: &Query) -> f64 {
        let part = if query.writes { self.writes } else { self.reads };
        part.of_time(query.time.value)
    }
}

/// The `database` whose queries take the CPU time that its server used; unchanged where that is
/// not known, or it computes in the service's process.
pub(super) fn computed(database: Database, asked: &[Asked]) -> Database {
    let Engine::Postgres(_) = &database.engine else { return database };
    let Some(shares) = shares(&database, asked) else { return database };
    let queries = &database.queries;
    let sync = sync(&database, &shares, asked);
    let cpu = each(&database, &shares, sync, asked);
    let of = |query: &Query| cpu.get(query.name.as_str()).copied().unwrap_or(0.0);
    let beside = |query: &Query| if query.writes { sync } else { 0.0 };
    let left = |query: &Query| query.time.value - of(query) - beside(query);
    // A connection that is opened is one trip more.
    let trips = |one: &Asked| one.counts.values().sum::<f64>() + one.opened;
    let opening = database.connect.as_ref().map_or(0.0, |connect| connect.value);
    let opening = opening * (1.0 - shares.reads.share);
    let more = asked.iter().map(|one| one.sum(queries, left) + one.opened * opening).sum::<f64>()
        / asked.iter().map(trips).sum::<f64>();
    let round_trip = database.round_trip.clone().map(|trip| with_rest(trip, more));
    let commit = (sync > 0.0).then(|| {
        let how = "what a statement that commits by itself takes beside the server's CPU time";
        Figure::derived(sync, how)
    });
    let queries = queries.iter().map(|query| of_server(query, of(query), shares.ends)).collect();
    let share = shares.reads.share.min(1.0);
    let connect = database.connect.map(|connect| scaled(&connect, share, shares.ends));
    Database { round_trip, commit: database.commit.or(commit), queries, connect, ..database }
}

/// The `database` whose queries take what the server used for requests of all endpoints together: the
/// CPU time of the server is that of the process with this `number`.
pub(super) fn together(
    database: Database,
    asked: &[Asked],
    turns: &[Mixed],
    number: usize,
) -> Database {
    let Engine::Postgres(_) = &database.engine else { return database };
    let each = database.queries.iter().map(|query| query.time.clone());
    let figures: Vec<Figure> = each.chain(database.connect.clone()).collect();
    let counts = |turn: &Mixed| {
        let sum = |of: &dyn Fn(&Asked) -> f64| -> f64 {
            asked.iter().map(|one| turn.answered[one.endpoint] as f64 * of(one)).sum()
        };
        let of =
            |query: &Query| sum(&|one| one.counts.get(&query.name).copied().unwrap_or_default());
        let opened = database.connect.iter().map(|_| sum(&|one| one.opened));
        database.queries.iter().map(of).chain(opened).collect()
    };
    let used = |turn: &Mixed| turn.others.get(number).copied().unwrap_or_default();
    let mut found = mix::corrected(&figures, turns, counts, used).into_iter();
    let of = |(query, time): (&Query, Figure)| Query { time, ..query.clone() };
    let queries = database.queries.iter().zip(found.by_ref()).map(of).collect();
    let connect = found.next();
    Database { queries, connect, ..database }
}

/// The least squares fit of the endpoints' CPU times to the times of their queries, each weighted
/// by how well it is known; none if no query takes time.
fn shares(database: &Database, asked: &[Asked]) -> Option<Shares> {
    let mean = mean_cpu(asked);
    // The server's CPU time without requests was subtracted before, with zero as the least result. So an
    // endpoint with zero has a CPU time that was too small to see, and says nothing.
    let seen = asked.iter().filter(|one| one.cpu.value > 0.0);
    let rows: Vec<Row> = seen.map(|one| Row::new(one, database, mean)).collect();
    let all = fitted(&rows, |row| row.reads + row.writes, |row| row.cpu[0])?;
    if mean <= 0.0 || all <= 0.0 {
        return None;
    }
    let end = |end: usize| {
        let fitted = fitted(&rows, |row| row.reads + row.writes, |row| row.cpu[end]);
        fitted.map_or(1.0, |fitted| fitted / all)
    };
    let ends = [end(1), end(2)];
    let reading: Vec<Row> = rows.iter().copied().filter(|row| row.writes == 0.0).collect();
    let reads = fitted(&reading, |row| row.reads, |row| row.cpu[0]);
    // Where commits were seen, no statement holds one.
    match reads.filter(|_| database.commit.is_none() && reading.len() < rows.len()) {
        Some(share) => {
            let reads = line(&reading).unwrap_or(Part::of(share));
            let read = |row: &Row| (reads.share * row.reads - reads.beside * row.count).max(0.0);
            let left = fitted(&rows, |row| row.writes, |row| row.cpu[0] - read(row));
            Some(Shares { reads, writes: Part::of(left.unwrap_or(all).max(0.0)), ends })
        }
        None => {
            let part = line(&rows).unwrap_or(Part::of(all));
            Some(Shares { reads: part, writes: part, ends })
        }
    }
}

/// Endpoints that a share and a time beside it can be told apart by.
const ENOUGH: usize = 3;

/// The least squares fit with both, where the endpoints can tell them apart: long queries say what share is
/// CPU time, short ones what each takes beside it. The server computes for no longer than a query
/// takes.
fn line(rows: &[Row]) -> Option<Part> {
    if rows.len() < ENOUGH {
        return None;
    }
    let sum = |of: &dyn Fn(&Row) -> f64| rows.iter().map(|row| row.weight * of(row)).sum::<f64>();
    let time = |row: &Row| row.reads + row.writes;
    let (squares, counts) = (sum(&|row| time(row) * time(row)), sum(&|row| row.count * row.count));
    let both = sum(&|row| time(row) * row.count);
    let (of_time, of_count) =
        (sum(&|row| time(row) * row.cpu[0]), sum(&|row| row.count * row.cpu[0]));
    let apart = squares * counts - both * both;
    if apart <= TOLD_APART * squares * counts {
        return None;
    }
    let share = ((of_time * counts - both * of_count) / apart).min(1.0);
    let beside = (both * share - of_count) / counts;
    (share > 0.0 && beside >= 0.0).then_some(Part { share, beside })
}

/// One less the squared correlation of times and counts, at least.
const TOLD_APART: f64 = 0.05;

/// What a request of one endpoint takes at the database, in seconds.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Times of its queries that read, and of the connections that it opens.
    reads: f64,
    /// Times of its queries that write.
    writes: f64,
    /// How many queries that take time there are.
    count: f64,
    /// CPU time of the server, and the ends of it.
    cpu: [f64; 3],
    /// One over the variance of the CPU time.
    weight: f64,
}

impl Row {
    /// Of endpoints for which the server computes for `mean` seconds.
    fn new(asked: &Asked, database: &Database, mean: f64) -> Row {
        let of = |writes: bool| {
            asked.sum(&database.queries, |query| {
                if query.writes == writes { query.time.value } else { 0.0 }
            })
        };
        let Figure { value, low, high, .. } = asked.cpu;
        let (low, high) = (low.unwrap_or(value), high.unwrap_or(value));
        let error = asked.error(mean);
        let opening = database.connect.as_ref().map_or(0.0, |connect| connect.value);
        Row {
            reads: of(false) + asked.opened * opening,
            writes: of(true),
            count: asked.sum(&database.queries, |query| f64::from(query.time.value > 0.0)),
            cpu: [value, low, high],
            weight: 1.0 / (error * error),
        }
    }
}

/// The number of which `time` is multiplied to give `cpu`, in the least squares sense.
fn fitted(rows: &[Row], time: impl Fn(&Row) -> f64, cpu: impl Fn(&Row) -> f64) -> Option<f64> {
    let sum = |of: &dyn Fn(&Row) -> f64| rows.iter().map(|row| row.weight * of(row)).sum::<f64>();
    let squares = sum(&|row| time(row) * time(row));
    let fitted = sum(&|row| time(row) * cpu(row)) / squares;
    (squares > 0.0 && fitted.is_finite()).then_some(fitted)
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
    let mean = if count > 0.0 { time * (1.0 - shares.writes.share) / count } else { 0.0 };
    if mean > SYNC_LEAST { mean } else { 0.0 }
}

/// The query with the CPU time `cpu`.
fn of_server(query: &Query, cpu: f64, ends: [f64; 2]) -> Query {
    if query.time.value == 0.0 {
        return query.clone();
    }
    Query { time: scaled(&query.time, cpu / query.time.value, ends), ..query.clone() }
}

/// CPU seconds of each query by its name: what the shares give, as far as the endpoints do not say
/// otherwise.
fn each<'d>(
    database: &'d Database,
    shares: &Shares,
    sync: f64,
    asked: &[Asked],
) -> BTreeMap<&'d str, f64> {
    let queries = &database.queries;
    let guess: Vec<f64> = queries.iter().map(|query| shares.of(query)).collect();
    let time = |query: &Query| query.time.value - if query.writes { sync } else { 0.0 };
    let times: Vec<f64> = queries.iter().map(|query| time(query).max(0.0)).collect();
    let mean = mean_cpu(asked);
    let connect = database.connect.as_ref().map_or(0.0, |connect| connect.value);
    let seen = asked.iter().filter(|one| one.cpu.value > 0.0).map(|one| Sum {
        counts: queries
            .iter()
            .map(|query| one.counts.get(&query.name).copied().unwrap_or(0.0))
            .collect(),
        value: one.cpu.value - one.opened * connect * shares.reads.share,
        error: one.error(mean),
    });
    let found = each_query(&guess, &times, &seen.collect::<Vec<_>>());
    queries.iter().map(|query| query.name.as_str()).zip(found).collect()
}

/// CPU time of the server for a request, the mean of all endpoints.
fn mean_cpu(asked: &[Asked]) -> f64 {
    asked.iter().map(|one| one.cpu.value).sum::<f64>() / asked.len().max(1) as f64
}

/// The `share` of a time that is CPU time of the server, with the `ends` of it relative to itself.
fn scaled(time: &Figure, share: f64, ends: [f64; 2]) -> Figure {
    let value = time.value * share;
    let percent = share * 100.0;
    let how = if share <= 1.0 {
        format!("{}; {percent:.0} % of it CPU time of the server", time.how)
    } else {
        format!(
            "{}; the server's CPU time is {percent:.0} % of it, since it also answers what takes \
             no time here, such as BEGIN",
            time.how
        )
    };
    Figure { value, how, ..time.clone() }.within(ends.map(|end| value * end))
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
    use crate::learned::{Connections, Pool};

    fn query(name: &str, writes: bool, time: f64) -> Query {
        Query { name: name.into(), writes, time: Figure::measured(time, [time; 2], "seen") }
    }

    fn database(commit: Option<f64>) -> Database {
        let trip = Distribution::Constant(Span::from_micros(100));
        let size = Figure::measured(5, [5; 2], "seen");
        Database {
            engine: Engine::Postgres(Postgres::new(trip, 1)),
            cores: None,
            cpu: None,
            connections: Connections::Pool(Pool { size: size.clone(), overflow: size }),
            hold: None,
            queries: vec![
                query("begin", false, 0.0),
                query("read", false, 1e-3),
                query("write", true, 3e-3),
            ],
            round_trip: Some(Figure::measured(1e-4, [1e-4; 2], "seen")),
            commit: commit.map(|commit| Figure::measured(commit, [commit; 2], "seen")),
            connect: None,
        }
    }

    fn asked(counts: &[(&str, f64)], cpu: f64) -> Asked {
        let counts = counts.iter().map(|(name, count)| (name.to_string(), *count)).collect();
        let cpu = Figure::measured(cpu, [0.9 * cpu, 1.1 * cpu], "seen");
        Asked { endpoint: 0, counts, opened: 0.0, cpu }
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
    fn a_connection_that_each_request_opens_has_its_part_of_the_cpu_time() {
        let mut one = asked(&[("begin", 1.0), ("read", 2.0)], 4e-3);
        one.opened = 1.0;
        let connect = Some(Figure::measured(3e-3, [3e-3; 2], "seen"));
        let found = computed(Database { connect, ..database(Some(1e-3)) }, &[one]);
        // 3 ms to open and twice 1 ms to read, of which 4 ms are CPU time.
        let connect = found.connect.as_ref().expect("it was seen").value;
        assert!((connect - 2.4e-3).abs() < 1e-9, "{connect}");
        assert!((time(&found, "read") - 0.8e-3).abs() < 1e-9, "{found:?}");
        let trip = found.round_trip.as_ref().expect("there is one").value;
        assert!((trip - (1e-4 + 1e-3 / 4.0)).abs() < 1e-9, "{trip}");
    }

    /// A query of ten milliseconds beside short ones, of which most of the time is the way.
    #[test]
    fn long_queries_compute_and_short_ones_wake_the_server() {
        let queries = [("short", 0.2e-3), ("other", 0.4e-3), ("long", 10e-3)]
            .map(|(name, time)| query(name, false, time));
        let of = Database { queries: queries.to_vec(), ..database(None) };
        // Each takes 0.15 ms beside the CPU time of the server.
        let asked = [
            asked(&[("short", 2.0)], 0.1e-3),
            asked(&[("short", 1.0), ("other", 1.0)], 0.3e-3),
            asked(&[("other", 1.0)], 0.25e-3),
            asked(&[("long", 1.0), ("short", 1.0)], 9.9e-3),
        ];
        let found = computed(of, &asked);
        let near = |name: &str, wanted: f64| {
            assert!((time(&found, name) - wanted).abs() < 0.05e-3, "{name}: {found:?}");
        };
        near("long", 9.85e-3);
        near("short", 0.05e-3);
        near("other", 0.25e-3);
        let trip = found.round_trip.as_ref().expect("there is one").value;
        assert!((trip - 0.25e-3).abs() < 0.05e-3, "{trip}");
    }

    /// A request that computes for long is asked few times, and the server does other things
    /// meanwhile.
    #[test]
    fn what_is_known_badly_counts_little() {
        let mut noisy = asked(&[("read", 1.0)], 9e-3);
        noisy.cpu = Figure::measured(9e-3, [1e-3, 17e-3], "seen");
        let good = asked(&[("read", 2.0)], 1.2e-3);
        let found = computed(database(Some(1e-3)), &[noisy, good]);
        assert!((time(&found, "read") - 0.6e-3).abs() < 1e-5, "{found:?}");
    }

    /// A login that computes for long in the service, beside which the server's work is not seen.
    #[test]
    fn an_endpoint_for_which_the_server_seems_to_compute_nothing_says_nothing() {
        let mut nothing = asked(&[("read", 1.0)], 0.0);
        nothing.cpu = Figure::measured(0.0, [0.0, 0.0], "seen");
        let good = || asked(&[("read", 2.0)], 1.2e-3);
        let found = computed(database(Some(1e-3)), &[nothing.clone(), good(), good(), good()]);
        assert!((time(&found, "read") - 0.6e-3).abs() < 1e-9, "{found:?}");
        let none = computed(database(Some(1e-3)), &[nothing]);
        assert_eq!(time(&none, "read"), 1e-3, "nothing is known");
    }

    #[test]
    fn without_the_cpu_time_of_the_server_nothing_changes() {
        let found = computed(database(None), &[]);
        assert_eq!((time(&found, "read"), time(&found, "write")), (1e-3, 3e-3));
        assert_eq!(found.round_trip.as_ref().map(|trip| trip.value), Some(1e-4));
    }
}
