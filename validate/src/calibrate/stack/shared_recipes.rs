//! Recipes of every stack that runs the application of the scenarios.

use model::costs::{Work, syncs_per_commit};
use model::place::PlaceId;
use model::scenario::{Concurrency, JournalMode, Synchronous};

use super::description::{Fact, Hops};
use super::shared_probes::{FREQUENT, LATENCY, MODELS, PRAGMAS, RARELY, SELDOM, commits};
use crate::calibrate::cache::{self, KINDS, in_flight, kind, warm};
use crate::calibrate::probe::{HANDLER, MANY};
use crate::calibrate::reading::{Reading, Round};
use crate::calibrate::recipe::Recipe;

/// The bare request that others are held against.
pub(crate) const BARE: &str = "request async";
const ALONE: &str = "alone";
const SYNCED: &str = "alone write full";
const UNSYNCED: &str = "alone write off";

/// A cost that is measured by itself, and therefore subtracted from the costs that contain it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// Names of the probes that show it.
    pub(crate) probes: &'static [&'static str],
    /// In seconds.
    pub(crate) value: fn(&Round<'_>) -> f64,
}

impl Part {
    /// Its value from a round, at least zero.
    fn of(part: Option<Part>, round: &Round<'_>) -> f64 {
        part.map_or(0.0, |part| (part.value)(round).max(0.0))
    }

    fn probes(part: Option<Part>) -> &'static [&'static str] {
        part.map_or(&[], |part| part.probes)
    }
}

/// Costs that a stack has beside those that all stacks have.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parts {
    /// The server's share of each request, and how recipes name it.
    pub(crate) server: Option<(Part, &'static str)>,
    /// The cost of a lone call's looks at its idle connection.
    pub(crate) looks: Option<Part>,
    /// One way to the thread of a database connection, or back, of a handler that awaits.
    pub(crate) way: Option<Part>,
    /// Names of the probes that tell what requests in flight displace.
    pub(crate) crowd: &'static [&'static str],
}

/// CPU costs that are taken alike for all concurrency models.
pub(crate) fn alike() -> Vec<Recipe> {
    vec![
        Recipe::new(
            "cpu.log_open",
            ["open log", "open async"],
            "CPU of a connection to a log, one of many, minus one without a log",
            log_open,
        ),
        Recipe::new(
            "cpu.last_close",
            ["alone open wal", "alone open delete"],
            "CPU of the only connection to a log, minus one without a log, minus log_open",
            |round| {
                warm(round, "alone open wal") - warm(round, "alone open delete") - log_open(round)
            },
        ),
        Recipe::new(
            "cpu.in_flight",
            ["many in flight", "few in flight"],
            "CPU per request with many in flight, minus that with few, for each more",
            in_flight,
        ),
        Recipe::new(
            "cpu.reject",
            ["reject", "accept", BARE],
            "CPU per refusal of a full worker, minus that of its connection",
            |round| {
                let refused = round.number("reject", |reading| reading.rejected);
                let served = round.number("reject", |reading| reading.good);
                let cpu = round.number("reject", |reading| reading.cpu);
                (cpu - served * warm(round, BARE)) / refused - connection(round)
            },
        ),
    ]
}

fn log_open(round: &Round<'_>) -> f64 {
    warm(round, "open log") - warm(round, "open async")
}

/// How the cost of a connection is measured.
pub(crate) const CONNECTION: &str =
    "CPU per request with a connection for each, minus that without";

/// CPU time of a client's connection, from accepting to closing it.
pub(crate) fn connection(round: &Round<'_>) -> f64 {
    warm(round, "accept") - warm(round, BARE)
}

/// CPU costs that differ by concurrency model.
pub(crate) fn of_models(hops: Hops, parts: Parts) -> impl Iterator<Item = Recipe> {
    MODELS.into_iter().flat_map(move |of| of_model(of, hops, parts))
}

fn of_model(of: Concurrency, hops: Hops, parts: Parts) -> [Recipe; 5] {
    let awaits = of == Concurrency::Async;
    // A handler that blocks does all on its own thread.
    let way = parts.way.filter(|_| awaits);
    let ways = move |round: &Round<'_>, trips: u32| 2.0 * f64::from(trips) * Part::of(way, round);
    let inside = if way.is_some() { "engine inside, hops apart" } else { "engine and hops inside" };
    let key = |name: &str| format!("cpu.{}.{name}", of.as_str());
    let probe = |name: &str| format!("{name} {}", of.as_str());
    // A handler on the pool costs what an async one does, and two hops.
    let request = match of {
        Concurrency::Threadpool => BARE.to_string(),
        _ => probe("request"),
    };
    let (server, less) = match parts.server {
        Some((part, less)) => (Some(part), less),
        None => (None, ""),
    };
    let crowd = if awaits { parts.crowd } else { &[] };
    let more = |one: &str, than: &str| {
        let (one, than) = (probe(one), probe(than));
        move |round: &Round<'_>| warm(round, &one) - warm(round, &than)
    };
    let (call, read) = (more("call", "request"), more("statement", "request"));
    let (open, pragmas) = (more("open", "statement"), more("pragma", "open"));
    [
        Recipe::new(
            key("request"),
            [request.clone()],
            format!("CPU per request of {MANY} busy users, minus the 0.5 ms of the handler{less}"),
            move |round| warm(round, &request) - HANDLER - Part::of(server, round),
        )
        .with(Part::probes(server)),
        Recipe::new(
            key("call"),
            [probe("call"), probe("request")],
            "CPU of a request that calls an upstream, minus one that does not",
            move |round| call(round) - Part::of(parts.looks, round),
        )
        .with(Part::probes(parts.looks)),
        Recipe::new(
            key("statement"),
            [probe("statement"), probe("request")],
            format!("CPU of a request that reads, minus one that does not; {inside}"),
            move |round| read(round) - ways(round, hops.read()),
        )
        .with(Part::probes(way)),
        Recipe::new(
            key("open"),
            [probe("open"), probe("statement")],
            "CPU of a read on a new connection, minus one on an open one; with its close",
            move |round| open(round) - ways(round, hops.open + hops.close),
        )
        .with(Part::probes(way))
        .with(crowd),
        Recipe::new(
            key("pragma"),
            [probe("pragma"), probe("open")],
            format!("CPU of {PRAGMAS} pragmas on a new connection, each"),
            move |round| pragmas(round) / f64::from(PRAGMAS),
        ),
    ]
}

/// The hop to a thread of the pool, or back.
pub(crate) fn pool_hop() -> Recipe {
    const POOLED: &str = "request threadpool";
    Recipe::new(
        "cpu.threadpool.hop",
        [POOLED, BARE],
        "CPU per request on the thread pool, minus async: half, for there and back",
        |round| (warm(round, POOLED) - warm(round, BARE)) / 2.0,
    )
}

/// The cost of each kind of commit.
pub(crate) fn of_commits() -> impl Iterator<Item = Recipe> {
    const READ: &str = "statement blocking";
    commits().map(|(mode, level)| {
        let (mode, level) = (mode.as_str(), level.as_str());
        let write = format!("commit {mode} {level}");
        Recipe::new(
            format!("commit.{mode}.{level}"),
            [write.as_str(), READ],
            "CPU of a request that writes, one at a time, minus one that reads",
            move |round| warm(round, &format!("commit {mode} {level}")) - warm(round, READ),
        )
    })
}

/// How quickly the caches lose what they have.
pub(crate) fn decay() -> Recipe {
    Recipe::new(
        "cache.decay",
        cache::probes(Concurrency::Async, Work::Request, &[]),
        format!("from the CPU per bare request at {FREQUENT}, {SELDOM} and {RARELY} a second"),
        cache::decay,
    )
}

/// The cost of lost data, alike for all concurrency models.
pub(crate) fn cold() -> impl Iterator<Item = Recipe> {
    KINDS.into_iter().map(|work| {
        let key = format!("cache.{}", kind(work));
        cold_work(key, Concurrency::Async, work, &[])
    })
}

/// The cost of lost data of each kind of work, by concurrency model.
pub(crate) fn cold_of_models(crowd: &'static [&'static str]) -> impl Iterator<Item = Recipe> {
    KINDS.into_iter().flat_map(move |work| {
        MODELS.map(|of| {
            let key = format!("cache.{}.{}", of.as_str(), kind(work));
            cold_work(key, of, work, crowd)
        })
    })
}

/// The cost of lost data of a commit.
pub(crate) fn cold_commit() -> Recipe {
    cold_work("cache.commit".into(), Concurrency::Blocking, Work::Commit, &[])
}

fn cold_work(key: String, of: Concurrency, work: Work, crowd: &[&str]) -> Recipe {
    Recipe::new(
        key,
        cache::probes(of, work, crowd),
        format!("CPU at {RARELY} requests a second, minus that of busy users"),
        move |round| cache::cold(round, of, work),
    )
}

/// The part of a response time that is the sync: neither CPU time, nor the wake-up of a processor
/// that was idle meanwhile.
fn synced(round: &Round<'_>, pick: impl Fn(&Reading) -> f64) -> f64 {
    round.more(SYNCED, UNSYNCED, pick)
        - round.more(SYNCED, UNSYNCED, Reading::cpu_per_request)
        - idle_exit(round).max(0.0)
}

/// Mean time of one sync.
fn sync(round: &Round<'_>) -> f64 {
    round.part(SYNCED, &PlaceId::Disk) - round.part(UNSYNCED, &PlaceId::Disk)
}

/// Times at the disk.
pub(crate) fn disk() -> [Recipe; 4] {
    /// The commit with all syncs of the rollback journal.
    const ROLLBACK: &str = "commit delete full";
    let quantile = |key: &str, name: &str, pick: fn(&Reading) -> f64| {
        Recipe::new(
            format!("disk.sync.{key}"),
            [SYNCED, UNSYNCED, ALONE],
            format!("{name} of a write that syncs once, minus one that does not, minus CPU"),
            move |round| synced(round, pick),
        )
    };
    let syncs = syncs_per_commit(JournalMode::Delete, Synchronous::Full);
    [
        quantile("p50", "P50", |reading| reading.p50),
        quantile("p99", "P99", |reading| reading.p99),
        Recipe::new(
            "disk.sync.mean",
            [SYNCED, UNSYNCED],
            "mean time at the disk of one sync",
            sync,
        ),
        Recipe::new(
            "disk.unlink",
            [ROLLBACK, SYNCED, UNSYNCED],
            format!("time at the disk of a commit that deletes its journal, minus {syncs} syncs"),
            move |round| round.part(ROLLBACK, &PlaceId::Disk) - f64::from(syncs) * sync(round),
        ),
    ]
}

/// Time from client to service and back of requests that are alone. Where the service computes
/// on while the reply is on its way, no more than what is not CPU time.
fn client(round: &Round<'_>) -> f64 {
    let seen = round.part(ALONE, &PlaceId::Connect) + round.part(ALONE, &PlaceId::Reply);
    seen.min(no_cpu(round))
}

/// The part of a lone response that is not CPU time.
fn no_cpu(round: &Round<'_>) -> f64 {
    round.number(ALONE, |reading| reading.mean) - round.cpu(ALONE)
}

/// The part of a lone response that is neither network nor CPU time.
fn idle_exit(round: &Round<'_>) -> f64 {
    no_cpu(round) - client(round)
}

/// Times of requests that are alone.
pub(crate) fn lone() -> [Recipe; 3] {
    const CALL: &str = "alone call";
    [
        Recipe::new(
            "network.client",
            [ALONE],
            "a lone request's time from client to service and back",
            client,
        ),
        Recipe::new(
            "network.upstream",
            [CALL, ALONE],
            "what a call adds to a lone response, minus its latency, CPU and waking up",
            |round| {
                round.more(CALL, ALONE, |reading| reading.mean)
                    - round.more(CALL, ALONE, Reading::cpu_per_request)
                    - LATENCY
                    - idle_exit(round).max(0.0)
            },
        ),
        Recipe::new(
            "machine.idle_exit",
            [ALONE],
            "a lone response, minus network and CPU",
            idle_exit,
        ),
    ]
}

/// Resident memory.
pub(crate) fn memory() -> [Recipe; 2] {
    [
        Recipe::new("memory.worker", [BARE], "resident before the load", |round| {
            round.number(BARE, |reading| reading.at_rest)
        })
        .bytes(),
        Recipe::new(
            "memory.request",
            ["parked"],
            "more resident memory per parked request, with its connections",
            |round| round.number("parked", |reading| reading.per_request),
        )
        .bytes(),
    ]
}

/// Values of every profile that are not measured: most are part of other costs.
pub(crate) fn facts(hops: Hops) -> Vec<Fact> {
    let close =
        |of: Concurrency| Fact::new(format!("cpu.{}", of.as_str()), "close", "0s", "inside open");
    let hop =
        |key: &str, count: u32, comment: &str| Fact::new("driver", key, i64::from(count), comment);
    let trips = "to the thread of the connection and back";
    let mut all: Vec<Fact> = MODELS.map(close).into();
    all.extend([
        Fact::new("query.default", "engine", "0s", "inside statement"),
        Fact::new(
            "query.default",
            "pages",
            1,
            "as the probes write: one row, which has a page of its own",
        ),
        hop("statement_hops", hops.statement, trips),
        hop("fetch_hops", hops.fetch, "for the rows of a read"),
        hop("finish_hops", hops.finish, "at the end of a statement"),
        hop("commit_hops", hops.commit, trips),
        hop("rollback_hops", hops.rollback, "at the end of a read"),
        hop("release_hops", hops.release, "for a connection that goes back"),
        hop("open_hops", hops.open, trips),
        hop("close_hops", hops.close, trips),
        Fact::new("machine", "context_switch", "0s", "inside hop and statement"),
        Fact::new("disk", "checkpoint_page", "0s", "inside commit: it is CPU time"),
        Fact::new("memory", "connection", "0B", "inside request"),
        Fact::new("memory", "thread", "100KiB", "not measured"),
    ]);
    all
}
