//! Calls and queries become named upstreams and named queries, each with its times.

use std::collections::{BTreeMap, BTreeSet};

use model::distribution::Distribution;
use model::scenario::{Engine, JournalMode, Postgres, Sqlite, Synchronous};
use model::units::Span;

use super::fit::{self, quantile};
use super::requests::Asked;
use super::sql::{Commit, Statement};
use crate::learned::{Connections, Database, Figure, Latency, Pool, Query, Upstream};

/// Paths of one upstream whose medians are this far apart are upstreams of their own.
const APART: f64 = 1.5;
/// A median of fewer times says nothing.
const ENOUGH: usize = 5;
/// The round trip where no statement without work was seen, at most: a loopback's.
const ROUND_TRIP: f64 = 100e-6;

/// How long each thing that is asked takes, in seconds, each time.
pub(super) type Times = BTreeMap<Asked, Vec<f64>>;

/// The step that a thing that is asked becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A query of this name.
    Query(String),
    /// A call of the upstream of this name.
    Call(String),
    /// Nothing: the step that writes commits too.
    Commit,
}

/// Everything that is asked, by name.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) roles: BTreeMap<Asked, Role>,
    pub(super) upstreams: Vec<Upstream>,
    pub(super) database: Option<Database>,
    pub(super) notes: Vec<String>,
    /// The times of each upstream.
    pub(super) calls: BTreeMap<String, Vec<f64>>,
}

impl Names {
    pub(super) fn of(times: &Times) -> Names {
        let mut names = Names::default();
        let system = main_system(times);
        if let Some(system) = &system {
            names.name_queries(times, system);
        }
        names.name_calls(times, system.as_deref());
        names
    }

    fn name_queries(&mut self, times: &Times, main: &str) {
        let mut queries: Vec<(&Asked, &Statement, &Vec<f64>)> = times
            .iter()
            .filter_map(|(asked, seconds)| match asked {
                Asked::Query { system, statement } if system == main => {
                    Some((asked, statement, seconds))
                }
                _ => None,
            })
            .collect();
        queries.sort_by_key(|(_, statement, seconds)| (usize::MAX - seconds.len(), *statement));
        let in_process = is_in_process(main);
        let round_trip = (!in_process).then(|| round_trip(&queries));
        let trip = round_trip.as_ref().map_or(0.0, |figure| figure.value);
        let commit = self.commits(times, main, trip);
        let commit = commit.filter(|_| !in_process);
        let mut used: BTreeMap<String, usize> = BTreeMap::new();
        let mut known = Vec::new();
        for (asked, statement, seconds) in queries {
            let name = distinct(statement.name(), &mut used);
            let by = statement.of.as_ref().map_or(String::new(), |of| format!(" by {of}"));
            let how = format!("{}: {}, {} times{by}", main, statement.text, seconds.len());
            let time = fit::mean(seconds, &how);
            // The step that writes commits too, which takes a round trip and a sync more.
            let commits = trip + commit.as_ref().map_or(0.0, |figure| figure.value);
            let (writes, beside) = match statement.commit {
                Commit::Later => (false, 0.0),
                Commit::Next => (true, 0.0),
                Commit::Unseen if in_process => (statement.writes(), 0.0),
                Commit::Unseen if statement.writes() && time.value > trip + commits => {
                    (true, commits)
                }
                Commit::Unseen => (false, 0.0),
            };
            let time = less(time, trip + beside);
            let time = if statement.is_control() { at_most(time, 0.0) } else { time };
            known.push(Query { name: name.clone(), writes, time });
            self.roles.insert(asked.clone(), Role::Query(name));
        }
        let engine = engine(main, round_trip.as_ref());
        if !in_process && main != "postgresql" {
            let note =
                format!("The database is {main}: the scenario has it as a server like Postgres.");
            self.notes.push(note);
        }
        let better = "read the size of the pool in the code of the service";
        let usual = |value, what| Figure::assumed(value, what, better);
        let size = usual(5, "the default of SQLAlchemy");
        let pool = Pool { size, overflow: usual(10, "the default of SQLAlchemy") };
        let cores = (!in_process).then(|| {
            let better = "name a process of the server with --database-pid, if it runs here";
            Figure::assumed(2, "nothing was seen of its processors", better)
        });
        self.database = Some(Database {
            engine,
            cores,
            cpu: None,
            connections: Connections::Pool(pool),
            hold: None,
            queries: known,
            round_trip,
            commit,
            connect: None,
        });
    }

    /// What a commit of `main` takes beside a round trip of so many seconds; none if none was seen.
    fn commits(&mut self, times: &Times, main: &str, trip: f64) -> Option<Figure> {
        let (asked, seconds) = times
            .iter()
            .find(|(asked, _)| matches!(asked, Asked::Commit { system } if system == main))?;
        self.roles.insert(asked.clone(), Role::Commit);
        let how = format!("{main}: COMMIT, {} times, less the round trip", seconds.len());
        Some(less(fit::mean(seconds, &how), trip))
    }

    /// Calls, and queries of other databases than the main one.
    fn name_calls(&mut self, times: &Times, main: Option<&str>) {
        let mut peers: BTreeMap<String, Vec<(&Asked, &Vec<f64>)>> = BTreeMap::new();
        for (asked, seconds) in times {
            let peer = match asked {
                Asked::Call { peer, .. } => peer,
                Asked::Query { system, .. } | Asked::Commit { system } => system,
            };
            let is_call = matches!(asked, Asked::Call { .. });
            if is_call || Some(peer.as_str()) != main {
                peers.entry(peer.clone()).or_default().push((asked, seconds));
            }
        }
        for (peer, asked) in peers {
            if are_apart(&asked) {
                self.notes.push(format!(
                    "What is asked of {peer} takes times that are far apart: each path is an \
                     upstream of its own."
                ));
                for (asked, seconds) in asked {
                    self.add_upstream(format!("{peer} {}", what(asked)), &[(asked, seconds)]);
                }
            } else {
                self.add_upstream(peer, &asked);
            }
        }
    }

    fn add_upstream(&mut self, name: String, asked: &[(&Asked, &Vec<f64>)]) {
        let seconds: Vec<f64> =
            asked.iter().flat_map(|(_, seconds)| seconds.iter().copied()).collect();
        let latency = fit::latency(&seconds, &format!("calls of {name}"));
        for (asked, _) in asked {
            self.roles.insert((*asked).clone(), Role::Call(name.clone()));
        }
        self.calls.insert(name.clone(), seconds);
        self.upstreams.push(Upstream { name, latency, max_connections: None });
    }

    /// The same step for what only a share of the requests ask. The format has no chances: the
    /// call takes no time at all in the other requests, and the query its share of its time.
    pub(super) fn in_a_share(&mut self, role: &Role, share: f64, endpoint: &str) -> Role {
        let percent = (share * 100.0).round().max(1.0);
        match role {
            Role::Call(peer) => {
                let name = format!("{peer} in {percent} % of {endpoint}");
                if self.upstreams.iter().all(|upstream| upstream.name != name) {
                    let times = self.calls.get(peer).cloned().unwrap_or_default();
                    let latency = in_a_share(&times, share, &name);
                    let upstream = Upstream { name: name.clone(), latency, max_connections: None };
                    self.upstreams.push(upstream);
                }
                Role::Call(name)
            }
            Role::Query(query) => {
                let name = format!("{query}_in_{percent}_percent");
                let trip = self.trip();
                if let Some(database) = &mut self.database {
                    add_share(database, query, &name, share, trip);
                }
                Role::Query(name)
            }
            Role::Commit => Role::Commit,
        }
    }

    /// One query in place of several that only some requests ask, which takes `seconds` with its round
    /// trip.
    pub(super) fn in_place_of(&mut self, query: &str, parts: &[String], seconds: f64) -> String {
        let trip = self.trip();
        let Some(database) = &mut self.database else { return query.to_owned() };
        let time = Figure::derived(
            (seconds - trip).max(0.0),
            format!("in place of what only some requests ask: {}", parts.join(", ")),
        );
        let is_used = |name: &str| database.queries.iter().any(|one| one.name == name);
        let mut names = (1..).map(|count| match count {
            1 => format!("{query}_or_other"),
            count => format!("{query}_or_other_{count}"),
        });
        let name = names.find(|name| !is_used(name)).expect("there are more numbers than queries");
        database.queries.push(Query { name: name.clone(), writes: false, time });
        name
    }

    /// A query that only reads, and how long it takes with its round trip, in seconds.
    pub(super) fn reads(&self, role: &Role) -> Option<(&str, f64)> {
        let Role::Query(name) = role else { return None };
        let database = self.database.as_ref()?;
        let query = database.queries.iter().find(|query| query.name == *name && !query.writes)?;
        Some((&query.name, query.time.value + self.trip()))
    }

    /// How long a round trip to the database takes, in seconds.
    pub(super) fn trip(&self) -> f64 {
        let trip = self.database.as_ref().and_then(|database| database.round_trip.as_ref());
        trip.map_or(0.0, |figure| figure.value)
    }

    /// Leaves out what no step names.
    pub(super) fn keep(&mut self, used: &BTreeSet<String>) {
        self.upstreams.retain(|upstream| used.contains(&upstream.name));
        if let Some(database) = &mut self.database {
            database.queries.retain(|query| used.contains(&query.name));
        }
        self.database.take_if(|database| database.queries.is_empty());
    }
}

fn add_share(database: &mut Database, query: &str, name: &str, share: f64, trip: f64) {
    let whole = database.queries.iter().find(|one| one.name == query);
    let known = database.queries.iter().any(|one| one.name == name);
    if let Some(whole) = whole.filter(|_| !known) {
        let time = (share * (whole.time.value + trip) - trip).max(0.0);
        let how = format!("{:.0} % of the time of {query}", share * 100.0);
        let (name, writes) = (name.to_owned(), whole.writes);
        database.queries.push(Query { name, writes, time: Figure::derived(time, how) });
    }
}

/// None in the other requests, and the quantiles of these times in the share.
fn in_a_share(seconds: &[f64], share: f64, name: &str) -> Latency {
    let how = format!("calls of {name}; no time in the other requests");
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rest = 1.0 - share;
    let inside = fit::table(&sorted).into_iter().map(|(at, time)| {
        // The jump needs two shares.
        (
            if at == 0.0 {
                rest + share * 1e-3
            } else if at == 1.0 {
                1.0
            } else {
                rest + share * at
            },
            time,
        )
    });
    let points = [(0.0, 0.0), (rest, 0.0)].into_iter().chain(inside).collect();
    let mean = share * fit::mean(seconds, "").value;
    Latency::Quantiles(points, Figure::derived(mean, how))
}

/// The database that is asked most, of those that speak SQL.
fn main_system(times: &Times) -> Option<String> {
    const SQL: [&str; 9] = [
        "postgresql",
        "sqlite",
        "mysql",
        "mariadb",
        "mssql",
        "microsoft.sql_server",
        "oracle",
        "oracle.db",
        "cockroachdb",
    ];
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (asked, seconds) in times {
        if let Asked::Query { system, .. } = asked {
            *counts.entry(system).or_default() += seconds.len();
        }
    }
    let known = counts.into_iter().filter(|(system, _)| SQL.contains(system));
    known.max_by_key(|(_, count)| *count).map(|(system, _)| system.to_owned())
}

/// It computes in the process of the service.
pub(super) fn is_in_process(system: &str) -> bool {
    system == "sqlite"
}

fn engine(system: &str, round_trip: Option<&Figure>) -> Engine {
    if is_in_process(system) {
        // As SQLite is unless the service sets it.
        return Engine::Sqlite(Sqlite {
            journal_mode: JournalMode::Delete,
            synchronous: Synchronous::Full,
            busy_timeout: Span::from_secs(5),
            pragmas: 0,
            wal_autocheckpoint: 1000,
        });
    }
    let nanos = round_trip.map_or(0.0, |figure| figure.value * 1e9);
    let round_trip = Distribution::Constant(Span::from_nanos(nanos.round() as u64));
    Engine::Postgres(Postgres::new(round_trip, 2))
}

/// Statements that begin and end transactions do no work: what they take is the way.
fn round_trip(queries: &[(&Asked, &Statement, &Vec<f64>)]) -> Figure {
    let sorted = |seconds: Vec<f64>| {
        let mut seconds = seconds;
        seconds.sort_by(f64::total_cmp);
        seconds
    };
    let control = queries.iter().filter(|(_, statement, _)| statement.is_control());
    let empty = sorted(control.flat_map(|(_, _, seconds)| seconds.iter().copied()).collect());
    if empty.len() >= ENOUGH {
        let how = format!("median of {} statements that do no work, such as BEGIN", empty.len());
        return Figure::derived(quantile(&empty, 0.5), how);
    }
    let medians = queries.iter().map(|(_, _, seconds)| quantile(&sorted(seconds.to_vec()), 0.5));
    let fastest = medians.fold(f64::INFINITY, f64::min);
    let how = "at most half of the fastest query, and no more than a loopback's";
    Figure::assumed((fastest / 2.0).min(ROUND_TRIP), how, "time `SELECT 1` from the service's host")
}

fn less(figure: Figure, seconds: f64) -> Figure {
    let part = |value: f64| (value - seconds).max(0.0);
    let (low, high) = (figure.low.map(part), figure.high.map(part));
    Figure { value: part(figure.value), low, high, ..figure }
}

fn at_most(figure: Figure, seconds: f64) -> Figure {
    let part = |value: f64| value.min(seconds);
    let (low, high) = (figure.low.map(part), figure.high.map(part));
    Figure { value: part(figure.value), low, high, ..figure }
}

fn are_apart(asked: &[(&Asked, &Vec<f64>)]) -> bool {
    let medians: Vec<f64> = asked
        .iter()
        .filter(|(_, seconds)| seconds.len() >= ENOUGH)
        .map(|(_, seconds)| {
            let mut sorted = seconds.to_vec();
            sorted.sort_by(f64::total_cmp);
            quantile(&sorted, 0.5)
        })
        .collect();
    let (low, high) = medians
        .iter()
        .fold((f64::INFINITY, 0.0f64), |(low, high), time| (low.min(*time), high.max(*time)));
    high > APART * low
}

fn what(asked: &Asked) -> String {
    match asked {
        Asked::Call { method, path, .. } => format!("{method} {path}").trim_start().to_owned(),
        Asked::Query { statement, .. } => statement.name(),
        Asked::Commit { .. } => "commit".to_owned(),
    }
}

fn distinct(name: String, used: &mut BTreeMap<String, usize>) -> String {
    let count = used.entry(name.clone()).or_default();
    *count += 1;
    if *count == 1 { name } else { format!("{name}_{count}") }
}
