//! How each cost follows from the probes of one round.

use model::costs::{Work, syncs_per_commit};
use model::place::PlaceId;
use model::scenario::{Concurrency, JournalMode, Synchronous};

use super::Target;
use super::cache::{self, DISPLACEMENT, crowded, warm};
use super::document::Unit;
use super::probe::{
    COMMITS, CROWD, CROWDED, DISPLACING, FREQUENT, HANDLER, KEPT, KINDS, LATENCY, LEFT, MANY,
    MODELS, PRAGMA_HOPS, PRAGMAS, Probe, RARELY, SELDOM, journal, kind, model, synchronous,
};
use super::reading::{Reading, Round};

/// How a cost is made of readings.
pub(crate) struct Recipe {
    /// Its key in the profile.
    pub key: String,
    /// What it is counted in.
    pub unit: Unit,
    /// What it is made of.
    pub probes: Vec<Probe>,
    /// In words.
    pub how: String,
    /// In numbers; not a number if a probe has no good answer.
    pub value: Box<dyn Fn(&Round) -> f64>,
}

impl Recipe {
    /// What it makes of a round.
    pub(crate) fn of(&self, round: &Round) -> f64 {
        (self.value)(round)
    }
}

const ASYNC: Probe = Probe::Request(Concurrency::Async);
const BLOCKING: Concurrency = Concurrency::Blocking;
/// All syncs of the rollback journal at this level.
const ROLLBACK: (JournalMode, Synchronous) = (JournalMode::Delete, Synchronous::Full);
/// Names of places.
const ALONE_SYNCED: Probe = Probe::AloneWrite(Synchronous::Full);
const ALONE_UNSYNCED: Probe = Probe::AloneWrite(Synchronous::Off);

/// Round trips to the thread of a database connection, by what asks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hops {
    /// A statement, up to where it is executed.
    pub statement: u32,
    /// The rows of a read.
    pub fetch: u32,
    /// The end of a statement.
    pub finish: u32,
    /// A commit.
    pub commit: u32,
    /// The end of a read.
    pub rollback: u32,
    /// A connection that goes back.
    pub release: u32,
    /// Opening a connection.
    pub open: u32,
    /// Closing it.
    pub close: u32,
}

impl Hops {
    /// All of a read on a connection that is open.
    pub(crate) fn read(self) -> u32 {
        self.statement + self.fetch + self.finish + self.rollback + self.release
    }
}

/// Round trips of the stack's driver. What each costs is inside of the costs of statement and
/// open, unless it is measured by itself.
pub(crate) fn hops(target: Target) -> Hops {
    match target {
        // sqlx sends its thread one command for each.
        Target::Axum => Hops {
            statement: 1,
            fetch: 0,
            finish: 0,
            commit: 1,
            rollback: 0,
            release: 0,
            open: 1,
            close: 1,
        },
        Target::Fastapi => Hops {
            // SQLAlchemy on aiosqlite: cursor, execute.
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
            // Connect, two functions that SQLAlchemy registers, a cursor for the pragmas and its
            // close.
            open: 5,
            // Close, and the end of the thread.
            close: 2,
        },
    }
}

/// Every cost that is measured, in the order of the profile.
pub(crate) fn recipes(target: Target) -> Vec<Recipe> {
    let mut all = shared();
    all.extend(connections(target));
    all.extend(MODELS.into_iter().flat_map(|of| of_model(of, target)));
    all.push(hop());
    if target == Target::Fastapi {
        all.extend(CROWDED.map(connect));
        all.extend(look());
        all.push(crowded_open());
        all.push(driver_hop());
        all.push(server());
    }
    all.extend(COMMITS.map(|(mode, level)| commit(mode, level)));
    all.extend(caches(target));
    all.extend(disk());
    all.extend(alone());
    all.extend(memory());
    all
}

/// The recipes of the costs that `only` names, by key or by table; all of them if it names none.
///
/// # Errors
/// A name that no cost of `target` has.
pub(crate) fn chosen(target: Target, only: &[String]) -> Result<Vec<Recipe>, UnknownCost> {
    let mut all = recipes(target);
    let has = |key: &str, name: &str| {
        key.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    // A lognormal is one value in the profile: it is measured as a whole.
    let whole = |name: &String| name.starts_with("disk.sync").then(|| "disk.sync".to_string());
    let only: Vec<String> =
        only.iter().map(|name| whole(name).unwrap_or_else(|| name.clone())).collect();
    for name in &only {
        if !all.iter().any(|recipe| has(&recipe.key, name)) {
            let keys = all.iter().map(|recipe| &recipe.key);
            let nearest = keys.min_by_key(|key| strsim::osa_distance(key, name)).cloned();
            let nearest = nearest.unwrap_or_default();
            return Err(UnknownCost { target, name: name.clone(), nearest });
        }
    }
    if !only.is_empty() {
        all.retain(|recipe| only.iter().any(|name| has(&recipe.key, name)));
    }
    Ok(all)
}

/// A cost that is not measured on a stack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no cost that is measured on {}; did you mean `{nearest}`?", target.name())]
pub(crate) struct UnknownCost {
    target: Target,
    name: String,
    nearest: String,
}

fn recipe(
    key: impl Into<String>,
    probes: impl IntoIterator<Item = Probe>,
    how: impl Into<String>,
    value: impl Fn(&Round) -> f64 + 'static,
) -> Recipe {
    let probes = probes.into_iter().collect();
    Recipe { key: key.into(), unit: Unit::Time, probes, how: how.into(), value: Box::new(value) }
}

/// CPU costs that are taken alike for all concurrency models.
fn shared() -> Vec<Recipe> {
    vec![
        recipe(
            "cpu.log_open",
            [Probe::OpenLog, Probe::Open(Concurrency::Async)],
            "CPU of a connection to a log, one of many, minus one without a log",
            log_open,
        ),
        recipe(
            "cpu.last_close",
            [Probe::AloneOpen(JournalMode::Wal), Probe::AloneOpen(JournalMode::Delete)],
            "CPU of the only connection to a log, minus one without a log, minus log_open",
            |round| {
                let alone = |mode| warm(round, Probe::AloneOpen(mode));
                alone(JournalMode::Wal) - alone(JournalMode::Delete) - log_open(round)
            },
        ),
        recipe(
            "cpu.in_flight",
            [Probe::ManyInFlight, Probe::FewInFlight],
            "CPU per request with many in flight, minus that with few, for each more",
            in_flight,
        ),
        recipe(
            "cpu.reject",
            [Probe::Reject, Probe::Accept, ASYNC],
            "CPU per refusal of a full worker, minus that of its connection",
            |round| {
                let refused = round.number(Probe::Reject, |reading| reading.rejected);
                let served = round.number(Probe::Reject, |reading| reading.good);
                let cpu = round.number(Probe::Reject, |reading| reading.cpu);
                (cpu - served * warm(round, ASYNC)) / refused - connection(round)
            },
        ),
    ]
}

/// What a connection costs when it is accepted and when it ends.
fn connections(target: Target) -> Vec<Recipe> {
    let probes = [Probe::Accept, ASYNC];
    let how = "CPU per request with a connection for each, minus that without";
    match target {
        Target::Axum => vec![recipe("cpu.accept", probes, how, connection)],
        Target::Fastapi => vec![
            recipe("cpu.accept", probes, format!("a share of: {how}"), |round| {
                connection(round) * ACCEPTED
            }),
            recipe("cpu.hang_up", probes, "the rest of that", |round| {
                connection(round) * (1.0 - ACCEPTED)
            }),
        ],
    }
}

/// What of a connection's CPU time passes when uvloop accepts it. In a burst of 200, timed apart,
/// it takes 22 us for each; five calibrations had 56 to 68 us for all of a connection.
const ACCEPTED: f64 = 0.35;

/// CPU time of a client's connection, from accepting to closing it.
fn connection(round: &Round) -> f64 {
    warm(round, Probe::Accept) - warm(round, ASYNC)
}

/// CPU time per request for each other in flight, in seconds.
pub(super) fn in_flight(round: &Round) -> f64 {
    let more = |pick: fn(&Reading) -> f64| {
        round.number(Probe::ManyInFlight, pick) - round.number(Probe::FewInFlight, pick)
    };
    // By Little's law: those that wait for the loop are not in the service yet.
    let pausing = |reading: &Reading| reading.rate() * reading.part(&PlaceId::Sleep);
    more(Reading::cpu_per_request) / more(pausing)
}

fn log_open(round: &Round) -> f64 {
    warm(round, Probe::OpenLog) - warm(round, Probe::Open(Concurrency::Async))
}

/// CPU costs that differ by concurrency model.
fn of_model(of: Concurrency, target: Target) -> Vec<Recipe> {
    // Where a round trip has a cost of its own, it is no part of other costs.
    let apart = target == Target::Fastapi && of == Concurrency::Async;
    let hops = hops(target);
    let trips = move |round: &Round, count: u32| match apart {
        true => 2.0 * f64::from(count) * trip(round).max(0.0),
        false => 0.0,
    };
    let inside = if apart { "engine inside, hops apart" } else { "engine and hops inside" };
    let driver: &[Probe] = if apart { &DRIVER } else { &[] };
    let key = |name: &str| format!("cpu.{}.{name}", model(of));
    // A handler on the pool costs what an async one does, and two hops.
    let request = match of {
        Concurrency::Threadpool => Concurrency::Async,
        itself => itself,
    };
    let crowds: &[Probe] = if apart { &DISPLACEMENT } else { &[] };
    let base = Probe::Request(of);
    let statements = Probe::Statement(of);
    let (open, pragma, call) = (Probe::Open(of), Probe::Pragma(of), Probe::Call(of));
    let looks: &[Probe] = if target == Target::Fastapi { &LOOKS } else { &[] };
    let (servers, less): (&[Probe], _) = match target {
        Target::Axum => (&[], ""),
        Target::Fastapi => (&[ASYNC, Probe::Gunicorn], ", minus uvicorn's own part"),
    };
    vec![
        recipe(
            key("request"),
            [Probe::Request(request)].into_iter().chain(servers.iter().copied()),
            format!("CPU per request of {MANY} busy users, minus the 0.5 ms of the handler{less}"),
            move |round| {
                let server = match target {
                    Target::Axum => 0.0,
                    Target::Fastapi => access_log(round).max(0.0),
                };
                warm(round, Probe::Request(request)) - HANDLER - server
            },
        ),
        recipe(
            key("call"),
            [call, base].into_iter().chain(looks.iter().copied()),
            "CPU of a request that calls an upstream, minus one that does not",
            move |round| warm(round, call) - warm(round, base) - looked(round, target),
        ),
        recipe(
            key("statement"),
            [statements, base].into_iter().chain(driver.iter().copied()),
            format!("CPU of a request that reads, minus one that does not; {inside}"),
            move |round| statement(round, of) - trips(round, hops.read()),
        ),
        recipe(
            key("open"),
            [open, statements]
                .into_iter()
                .chain(driver.iter().copied())
                .chain(crowds.iter().copied()),
            "CPU of a read on a new connection, minus one on an open one; with its close",
            move |round| {
                warm(round, open) - warm(round, statements) - trips(round, hops.open + hops.close)
            },
        ),
        recipe(
            key("pragma"),
            [pragma, open],
            format!("CPU of {PRAGMAS} pragmas on a new connection, each"),
            move |round| (warm(round, pragma) - warm(round, open)) / f64::from(PRAGMAS),
        ),
    ]
}

fn statement(round: &Round, of: Concurrency) -> f64 {
    warm(round, Probe::Statement(of)) - warm(round, Probe::Request(of))
}

fn hop() -> Recipe {
    let pooled = Probe::Request(Concurrency::Threadpool);
    recipe(
        "cpu.threadpool.hop",
        [pooled, ASYNC],
        "CPU per request on the thread pool, minus async: half, for there and back",
        move |round| (warm(round, pooled) - warm(round, ASYNC)) / 2.0,
    )
}

/// httpx closes what falls idle while it has more connections than it keeps.
fn connect(of: Concurrency) -> Recipe {
    let (crowd, few) = (Probe::Connect(of), Probe::Call(of));
    recipe(
        format!("cpu.{}.connect", model(of)),
        [crowd, few].into_iter().chain(LOOKS),
        format!("CPU of a call when more than {KEPT} are under way, minus that of one of few"),
        move |round| {
            let glances = 2.0 * f64::from(under_way(of) - 1) * glance(round).max(0.0);
            warm(round, crowd) - warm(round, few) + 2.0 * look_at_one(round) - glances
        },
    )
}

/// Threads of anyio's pool.
const POOL: u32 = 40;

/// Calls of the crowd at a time: nearly all, few users are elsewhere.
pub(super) fn under_way(of: Concurrency) -> u32 {
    match of {
        Concurrency::Threadpool => POOL.min(CROWD),
        _ => CROWD,
    }
}

/// What others have displaced costs more the more they are, and at last no more.
fn crowded_open() -> Recipe {
    recipe(
        "cpu.async.crowded_open",
        DISPLACEMENT,
        format!(
            "CPU of a read on a new connection, with {DISPLACING} users minus with {MANY}, minus \
             in_flight of each; for all that they displace"
        ),
        crowded,
    )
}

/// What shows how long a client looks at its connections: one process, with many that are idle
/// and then without. Two processes would differ by more.
const LOOKS: [Probe; 1] = [Probe::Look];

/// A call looks at all connections when it takes one and when it gives it back.
fn look() -> [Recipe; 3] {
    let look = recipe(
        "cpu.look",
        LOOKS,
        format!(
            "P90 of a lone user's calls, with {LEFT} idle connections more until they expire, minus \
             P50, when they have: each, twice"
        ),
        look_at_one,
    );
    let glance = recipe("cpu.glance", LOOKS, "not measured: a share of look", glance);
    let calls = [Probe::Call(Concurrency::Async), ASYNC].into_iter().chain(LOOKS);
    let miss = recipe("cpu.async.miss", calls, "not measured: a fifth of a call", miss);
    [look, glance, miss]
}

/// Of a connection in use httpcore asks some methods for its state; of one that is idle, whether
/// its socket is readable too. Timed apart in a loop, giving back and choosing: 0.42 and 0.72 us
/// for each that is in use, 5 to 7 for each that is idle. (The latter grows a little with all
/// connections, of which each that is idle is compared with: 0.09 us for each pair.)
fn glance(round: &Round) -> f64 {
    look_at_one(round) * GLANCE
}
const GLANCE: f64 = 0.095;

/// Of a call that finds its connection taken httpcore throws an error, and enters the queue
/// again. With 15, 50 and 200 busy users a call chose 4.9, 4.9 and 6.7 times, counted in
/// httpcore, and cost 0.13 to 0.15 ms more for each time but the first, without its looks: a
/// fifth of what a call costs.
fn miss(round: &Round) -> f64 {
    let call = warm(round, Probe::Call(Concurrency::Async)) - warm(round, ASYNC);
    (call - looked(round, Target::Fastapi)) / 5.0
}

fn look_at_one(round: &Round) -> f64 {
    let more = |reading: &Reading| reading.p90 - reading.p50;
    round.number(Probe::Look, more) / (2.0 * f64::from(LEFT))
}

/// What a call of the probes looks at: the only connection that is idle, twice.
fn looked(round: &Round, target: Target) -> f64 {
    match target {
        Target::Axum => 0.0,
        Target::Fastapi => 2.0 * look_at_one(round).max(0.0),
    }
}

/// What shows a round trip to the thread of a connection: pragmas, with such trips and without.
const DRIVER: [Probe; 4] = [
    Probe::Pragma(Concurrency::Async),
    Probe::Open(Concurrency::Async),
    Probe::Pragma(BLOCKING),
    Probe::Open(BLOCKING),
];

/// CPU time of one way to the thread of a connection, or back.
fn trip(round: &Round) -> f64 {
    let pragmas = |of| warm(round, Probe::Pragma(of)) - warm(round, Probe::Open(of));
    (pragmas(Concurrency::Async) - pragmas(BLOCKING)) / f64::from(2 * PRAGMA_HOPS)
}

fn driver_hop() -> Recipe {
    recipe(
        "cpu.async.hop",
        DRIVER,
        format!(
            "CPU of {PRAGMAS} pragmas under async minus blocking, for each of {PRAGMA_HOPS} \
             ways to the connection's thread and as many back"
        ),
        trip,
    )
}

/// What uvicorn's worker costs more than gunicorn's, which is the same without an access log.
fn server() -> Recipe {
    recipe(
        "server.uvicorn.request",
        [ASYNC, Probe::Gunicorn],
        "CPU per bare request, minus that on gunicorn, which writes no access log",
        access_log,
    )
}

fn access_log(round: &Round) -> f64 {
    warm(round, ASYNC) - warm(round, Probe::Gunicorn)
}

fn commit(mode: JournalMode, level: Synchronous) -> Recipe {
    let writes = Probe::Commit(mode, level);
    recipe(
        format!("commit.{}.{}", journal(mode), synchronous(level)),
        [writes, Probe::Statement(BLOCKING)],
        "CPU of a request that writes, one at a time, minus one that reads",
        move |round| warm(round, writes) - warm(round, Probe::Statement(BLOCKING)),
    )
}

/// What the caches lose, and how quickly.
fn caches(target: Target) -> Vec<Recipe> {
    let decay = recipe(
        "cache.decay",
        cache::probes(target, Concurrency::Async, Work::Request),
        format!("from the CPU per bare request at {FREQUENT}, {SELDOM} and {RARELY} a second"),
        cache::decay,
    );
    let cold = move |key: String, of: Concurrency, work: Work| {
        recipe(
            key,
            cache::probes(target, of, work),
            format!("CPU at {RARELY} requests a second, minus that of busy users"),
            move |round| cache::cold(round, of, work),
        )
    };
    let mut all = vec![decay];
    for work in KINDS {
        match target {
            Target::Axum => {
                all.push(cold(format!("cache.{}", kind(work)), Concurrency::Async, work));
            }
            Target::Fastapi => {
                let of_model = |of| cold(format!("cache.{}.{}", model(of), kind(work)), of, work);
                all.extend(MODELS.map(of_model));
            }
        }
    }
    let commit = Work::Commit;
    all.push(cold(format!("cache.{}", kind(commit)), Concurrency::Blocking, commit));
    all
}

/// What of a response time is the sync: neither CPU time, nor the waking of a processor that
/// was idle meanwhile.
fn synced(round: &Round, pick: impl Fn(&Reading) -> f64) -> f64 {
    let more = |pick: &dyn Fn(&Reading) -> f64| {
        round.number(ALONE_SYNCED, pick) - round.number(ALONE_UNSYNCED, pick)
    };
    more(&pick) - more(&Reading::cpu_per_request) - idle_exit(round).max(0.0)
}

/// Mean time of one sync.
fn sync(round: &Round) -> f64 {
    round.part(ALONE_SYNCED, &PlaceId::Disk) - round.part(ALONE_UNSYNCED, &PlaceId::Disk)
}

fn disk() -> Vec<Recipe> {
    let writes = [ALONE_SYNCED, ALONE_UNSYNCED];
    let quantile = |key: &str, name: &str, pick: fn(&Reading) -> f64| {
        recipe(
            format!("disk.sync.{key}"),
            writes.into_iter().chain([Probe::Alone]),
            format!("{name} of a write that syncs once, minus one that does not, minus CPU"),
            move |round| synced(round, pick),
        )
    };
    let rollback = Probe::Commit(ROLLBACK.0, ROLLBACK.1);
    let syncs = syncs_per_commit(ROLLBACK.0, ROLLBACK.1);
    vec![
        quantile("p50", "P50", |reading| reading.p50),
        quantile("p99", "P99", |reading| reading.p99),
        recipe("disk.sync.mean", writes, "mean time at the disk of one sync", sync),
        recipe(
            "disk.unlink",
            [rollback, ALONE_SYNCED, ALONE_UNSYNCED],
            format!("time at the disk of a commit that deletes its journal, minus {syncs} syncs"),
            move |round| round.part(rollback, &PlaceId::Disk) - f64::from(syncs) * sync(round),
        ),
    ]
}

/// Time from client to service and back of requests that are alone. Where the service computes
/// on while the reply is on its way, no more than what is not CPU time.
fn client(round: &Round) -> f64 {
    let told =
        round.part(Probe::Alone, &PlaceId::Connect) + round.part(Probe::Alone, &PlaceId::Reply);
    told.min(no_cpu(round))
}

/// What of a lone response is not CPU time.
fn no_cpu(round: &Round) -> f64 {
    round.number(Probe::Alone, |reading| reading.mean) - round.cpu(Probe::Alone)
}

/// What of a lone response is neither network nor CPU time.
fn idle_exit(round: &Round) -> f64 {
    no_cpu(round) - client(round)
}

fn alone() -> Vec<Recipe> {
    vec![
        recipe(
            "network.client",
            [Probe::Alone],
            "a lone request's time from client to service and back",
            client,
        ),
        recipe(
            "network.upstream",
            [Probe::AloneCall, Probe::Alone],
            "what a call adds to a lone response, minus its latency, CPU and waking up",
            |round| {
                let more = |pick: fn(&Reading) -> f64| {
                    round.number(Probe::AloneCall, pick) - round.number(Probe::Alone, pick)
                };
                let waking = idle_exit(round).max(0.0);
                more(|reading| reading.mean) - more(Reading::cpu_per_request) - LATENCY - waking
            },
        ),
        recipe(
            "machine.idle_exit",
            [Probe::Alone],
            "a lone response, minus network and CPU",
            idle_exit,
        ),
    ]
}

fn memory() -> Vec<Recipe> {
    let bytes = |mut recipe: Recipe| {
        recipe.unit = Unit::Bytes;
        recipe
    };
    vec![
        bytes(recipe("memory.worker", [ASYNC], "resident before the load", |round| {
            round.number(ASYNC, |reading| reading.at_rest)
        })),
        bytes(recipe(
            "memory.request",
            [Probe::Parked],
            "more resident memory per parked request, with its connections",
            |round| round.number(Probe::Parked, |reading| reading.per_request),
        )),
    ]
}
