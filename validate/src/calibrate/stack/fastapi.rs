//! FastAPI on uvicorn, with SQLAlchemy on sqlite3 or aiosqlite, and httpx.

use live::stack::Target;
use model::place::PlaceId;
use model::scenario::{Concurrency, JournalMode, Server, Synchronous};

use super::description::{Fact, Hops, Stack};
use super::shared_probes::{self, Differences, MODELS, PRAGMAS};
use super::shared_recipes::{self as shared, BARE, CONNECTION, Part, Parts, connection};
use crate::calibrate::cache::{DISPLACEMENT, crowded, in_flight, warm};
use crate::calibrate::probe::{
    CALL, CALLING, Connections, HANDLER, MANY, OPEN, Probe, READ, REQUEST, Window,
};
use crate::calibrate::reading::{Caches, Reading, Round};
use crate::calibrate::recipe::Recipe;

/// SQLAlchemy on aiosqlite.
pub(crate) const HOPS: Hops = Hops {
    // Cursor, execute.
    statement: 2,
    // fetchall.
    fetch: 1,
    // The cursor's close.
    finish: 1,
    commit: 1,
    // By the session, which has not committed.
    rollback: 1,
    // By the pool, which rolls back whatever was left.
    release: 1,
    // Connect, two functions that SQLAlchemy registers, a cursor for the pragmas and its close.
    open: 5,
    // Close, and the end of the thread.
    close: 2,
};

/// It serves a third of the requests that axum does.
const DIFFERENCES: Differences = Differences {
    server: Server::Uvicorn,
    pausing: [(25, "10ms"), (220, "300ms")],
    parked: "1600ms",
    lone_calls: true,
    crowds: true,
    cold: &MODELS,
};

/// Costs that are measured by themselves here.
const PARTS: Parts = Parts {
    server: Some((
        Part { probes: &[BARE, GUNICORN], value: access_log },
        ", minus uvicorn's own part",
    )),
    looks: Some(Part { probes: &[LOOK], value: looked }),
    way: Some(Part { probes: &DRIVER, value: way }),
    crowd: &DISPLACEMENT,
};

/// Other requests in flight that displace all but 1/e of what a request has in the caches. Reads
/// on new connections by 5, 20, 100, 200 and 400 users cost 1.0, 1.1, 1.5, 1.6 and 1.8 ms of CPU on
/// the reference machine, whose processors have 1 MiB each of the second cache.
const DISPLACED_BY: u32 = 90;
/// A request needs more data than the nearest cache holds, and loses it late and then at once:
/// 0.12, 0.34, 0.72 and 0.97 ms more after 2.5, 5, 10 and 20 ms, where an exponential through the
/// last would have 0.35, 0.58, 0.82 and 0.97.
const SHAPE: f64 = 1.5;
/// Requests of the driver to the thread of a connection for the pragmas of the probe: one for
/// each, and one for the rows of each of the two that answer.
pub(crate) const PRAGMA_HOPS: u32 = 8;
/// Connections that httpx keeps.
const KEPT: u32 = 20;
/// Users whose calls are more than those connections.
const CROWD: u32 = 50;
/// Threads of anyio's pool.
const POOL: u32 = 40;
/// Users whose requests displace each other's data in the caches.
pub(crate) const DISPLACING: u32 = 200;
/// Idle connections more that a user's calls look at when many have been used at a time.
pub(crate) const LEFT: u32 = KEPT - 1;
/// Concurrency models of which one worker can have more calls at a time than httpx keeps
/// connections.
const CROWDED: [Concurrency; 2] = [Concurrency::Async, Concurrency::Threadpool];

/// Users behind a limit of httpx's connections: some calls queue for them, and many.
pub(crate) const QUEUES: [(&str, u32); 2] = [("queue short", 80), ("queue long", 200)];
/// That limit: more connections than httpx keeps, so that each goes to one call of the queue alone.
pub(crate) const LIMIT: u32 = 2 * KEPT;

const GUNICORN: &str = "gunicorn";
const LOOK: &str = "look";
const ERROR: &str = "error";
const POOLED: &str = "request threadpool";

/// The stack.
pub(super) fn stack() -> Stack {
    let mut probes = shared_probes::shared(&DIFFERENCES);
    probes.extend(own_probes());
    Stack {
        target: Target::Fastapi,
        lock: true,
        burns: false,
        event_loop: None,
        caches: Caches { shape: SHAPE, displaced_by: Some(DISPLACED_BY) },
        probes,
        recipes: recipes(),
        facts: facts(),
        seconds_per_round: 196,
    }
}

fn own_probes() -> Vec<Probe> {
    let uvicorn = |name: &str, of, works| Probe::new(name, Server::Uvicorn, of, works);
    // More calls than the client keeps connections for: each opens one.
    let connect =
        |of: Concurrency| uvicorn(&connect(of), of, CALLING).users(CROWD).upstream("50ms");
    let stage = |time: &str, users: u32| format!("{{ duration = \"{time}\", target = {users} }}");
    // Five seconds beside all connections that are left, and longer without them.
    let stages = [stage("300ms", CROWD), stage("1us", 1), stage("14200ms", 1)].join(", ");
    let mut all: Vec<Probe> = CROWDED.map(connect).into();
    all.extend(QUEUES.map(|(name, users)| {
        let queue = uvicorn(name, Concurrency::Async, CALLING).users(users);
        queue.limited("2ms", LIMIT).steps(CALL).window(Window::Times(2))
    }));
    all.extend([
        // Requests that began together end together, some hundred of them, in this window or the
        // next: it is a long one.
        uvicorn("crowded open", Concurrency::Async, OPEN)
            .users(DISPLACING)
            .sqlite(JournalMode::Delete, Synchronous::Full, Connections::Opened, "")
            .window(Window::Times(5))
            .crowd(DISPLACING),
        Probe::new(GUNICORN, Server::Gunicorn, Concurrency::Async, REQUEST),
        // One request has the only connection, and the others' pool gives them up: hardly one is
        // answered well.
        uvicorn(ERROR, Concurrency::Threadpool, READ)
            .sqlite(JournalMode::Wal, Synchronous::Full, Connections::One, "hold = \"handler\"\n")
            .steps("{ read = \"item\" }, { sleep = \"60ms\" }"),
        // One user, after a crowd that has left many connections, which expire on the way. The
        // upstream is slow enough that more calls of the crowd are under way than the client keeps.
        uvicorn(LOOK, Concurrency::Async, CALLING)
            .users(CROWD)
            .upstream("2ms")
            .steps(CALL)
            .window(Window::Stages(stages)),
    ]);
    all
}

fn connect(of: Concurrency) -> String {
    format!("connect {}", of.as_str())
}

fn recipes() -> Vec<Recipe> {
    let mut all = shared::alike();
    all.extend(connections());
    all.extend(shared::of_models(HOPS, PARTS));
    all.push(shared::pool_hop());
    all.extend(CROWDED.map(reconnect));
    all.extend(client());
    all.extend([crowded_open(), driver_hop(), server(), error()]);
    all.extend(shared::of_commits());
    all.push(shared::decay());
    all.extend(shared::cold_of_models(PARTS.crowd));
    all.push(shared::cold_commit());
    all.extend(shared::disk());
    all.extend(shared::lone());
    all.extend(shared::memory());
    all
}

/// Share of a connection's CPU time that passes when uvloop accepts it. In a burst of 200, timed
/// apart, it takes 22 us for each; five calibrations had 56 to 68 us for all of a connection.
const ACCEPTED: f64 = 0.35;

/// The costs of a connection when it is accepted and when it ends.
fn connections() -> [Recipe; 2] {
    let probes = ["accept", BARE];
    [
        Recipe::new("cpu.accept", probes, format!("a share of: {CONNECTION}"), |round| {
            connection(round) * ACCEPTED
        }),
        Recipe::new("cpu.hang_up", probes, "the rest of that", |round| {
            connection(round) * (1.0 - ACCEPTED)
        }),
    ]
}

/// httpx closes each connection that falls idle while it has more than it keeps.
fn reconnect(of: Concurrency) -> Recipe {
    let (crowd, few) = (connect(of), format!("call {}", of.as_str()));
    Recipe::new(
        format!("cpu.{}.connect", of.as_str()),
        [crowd.clone(), few.clone(), LOOK.into(), QUEUES[0].0.into(), QUEUES[1].0.into()],
        format!("CPU of a call when more than {KEPT} are under way, minus that of one of few"),
        move |round| {
            let glances = 2.0 * f64::from(under_way(of) - 1) * glance(round).max(0.0);
            warm(round, &crowd) - warm(round, &few) + 2.0 * look_at_one(round) - glances
        },
    )
}

/// Calls of the crowd at a time: nearly all, few users are elsewhere.
pub(crate) fn under_way(of: Concurrency) -> u32 {
    match of {
        Concurrency::Threadpool => POOL.min(CROWD),
        _ => CROWD,
    }
}

/// A call looks at all connections when it takes one and when it gives it back.
fn client() -> [Recipe; 3] {
    [
        // One process, with many idle connections and then without: two would differ by more.
        Recipe::new(
            "cpu.look",
            [LOOK],
            format!(
                "P90 of a lone user's calls, with {LEFT} idle connections more until they expire, \
                 minus P50, when they have: each, twice"
            ),
            look_at_one,
        ),
        Recipe::new(
            "cpu.glance",
            [QUEUES[0].0, QUEUES[1].0, "many in flight", "few in flight"],
            format!(
                "CPU of a call with {} users at {LIMIT} connections, minus with {}, for each more \
                 that waits and each connection, twice; minus in_flight of each",
                QUEUES[1].1, QUEUES[0].1
            ),
            glance,
        ),
        Recipe::new(
            "cpu.async.miss",
            ["call async", BARE, LOOK],
            "not measured: a fifth of a call",
            miss,
        ),
    ]
}

/// Of a connection in use httpcore asks some methods for its state; of one that is idle, whether
/// its socket is readable too. Timed apart in a loop, giving back and choosing: 0.42 and 0.72 us
/// for each that is in use, 5 to 7 for each that is idle. (The latter grows a little with all
/// connections, of which each that is idle is compared with: 0.09 us for each pair.) A call that waits
/// costs one of the former for each connection, when a call begins and when one ends.
fn glance(round: &Round<'_>) -> f64 {
    let [(short, few), (long, many)] = QUEUES;
    // By Little's law.
    let waiting =
        |reading: &Reading| reading.rate() * reading.part(&PlaceId::Connections("partner".into()));
    let others = f64::from(many - few) * in_flight(round).max(0.0);
    let more = warm(round, long) - warm(round, short) - others;
    more / (2.0 * f64::from(LIMIT) * round.more(long, short, waiting))
}

/// When a call finds its connection taken, httpcore throws an error, and enters the queue again.
/// With 15, 50 and 200 busy users a call chose 4.9, 4.9 and 6.7 times, counted in httpcore, and
/// cost 0.13 to 0.15 ms more for each time but the first, without its looks: a fifth of what a
/// call costs.
fn miss(round: &Round<'_>) -> f64 {
    (warm(round, "call async") - warm(round, BARE) - looked(round).max(0.0)) / 5.0
}

fn look_at_one(round: &Round<'_>) -> f64 {
    round.number(LOOK, |reading| reading.p90 - reading.p50) / (2.0 * f64::from(LEFT))
}

/// The cost of a lone call's looks at its only idle connection, twice.
fn looked(round: &Round<'_>) -> f64 {
    2.0 * look_at_one(round)
}

/// The cost of displaced data grows with the number of requests, up to a limit.
fn crowded_open() -> Recipe {
    Recipe::new(
        "cpu.async.crowded_open",
        DISPLACEMENT,
        format!(
            "CPU of a read on a new connection, with {DISPLACING} users minus with {MANY}, minus \
             in_flight of each; for all that they displace"
        ),
        crowded,
    )
}

/// Probes that show a round trip to the thread of a connection: pragmas, with such trips and
/// without.
const DRIVER: [&str; 4] = ["pragma async", "open async", "pragma blocking", "open blocking"];

/// CPU time of one way to the thread of a connection, or back.
fn way(round: &Round<'_>) -> f64 {
    let [awaited, awaited_open, blocking, blocking_open] = DRIVER.map(|name| warm(round, name));
    (awaited - awaited_open - (blocking - blocking_open)) / f64::from(2 * PRAGMA_HOPS)
}

fn driver_hop() -> Recipe {
    Recipe::new(
        "cpu.async.hop",
        DRIVER,
        format!(
            "CPU of {PRAGMAS} pragmas under async minus blocking, for each of {PRAGMA_HOPS} \
             ways to the connection's thread and as many back"
        ),
        way,
    )
}

/// The cost of uvicorn's access log: gunicorn's worker is the same without one.
fn server() -> Recipe {
    Recipe::new(
        "server.uvicorn.request",
        [BARE, GUNICORN],
        "CPU per bare request, minus that on gunicorn, which writes no access log",
        access_log,
    )
}

/// The cost of an error: raised on a thread, it passes through the framework to a reply.
fn error() -> Recipe {
    Recipe::new(
        "cpu.error",
        [ERROR, POOLED],
        "CPU per request that gets no database connection, minus that of a bare one on a thread",
        |round| {
            let failed = round.number(ERROR, |reading| reading.failed);
            let served = round.number(ERROR, |reading| reading.good);
            let bare = warm(round, POOLED) - HANDLER;
            (round.number(ERROR, |reading| reading.cpu) - served * bare) / failed - bare
        },
    )
}

fn access_log(round: &Round<'_>) -> f64 {
    warm(round, BARE) - warm(round, GUNICORN)
}

fn facts() -> Vec<Fact> {
    let mut all = vec![
        Fact::new("interpreter", "lock", true, "CPython's: one thread at a time"),
        Fact::new("driver", "autocommit", false, "SQLAlchemy begins a transaction, and commits it"),
        Fact::new(
            "driver",
            "overtaking",
            true,
            "its pool wakes the one that waits longest, and lets others come first",
        ),
        Fact::new("client", "kept", i64::from(KEPT), "httpx's own limit"),
        Fact::new("client", "expiry", "5s", "httpx's own"),
        Fact::new(
            "client",
            "locks",
            2,
            "of a connection, which httpcore takes, each with a turn of the loop",
        ),
        Fact::new("cache", "shape", SHAPE, "seen apart"),
        Fact::new("cache", "crowd", i64::from(DISPLACED_BY), "seen apart"),
    ];
    all.extend(shared::facts(HOPS));
    all
}
