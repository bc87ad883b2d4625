//! How each cost follows from the probes of one round.

use model::costs::syncs_per_commit;
use model::scenario::{Concurrency, JournalMode, Synchronous};

use super::document::Unit;
use super::probe::{
    CALLS, COMMITS, HANDLER, LATENCY, MANY, MODELS, OPENS, PRAGMAS, Probe, READS, WRITES, journal,
    model, synchronous,
};
use super::reading::{Reading, Round};

/// How a cost is made of readings.
pub struct Recipe {
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

const ASYNC: Probe = Probe::Request(Concurrency::Async);
const BLOCKING: Concurrency = Concurrency::Blocking;
/// All syncs of the rollback journal at this level.
const ROLLBACK: (JournalMode, Synchronous) = (JournalMode::Delete, Synchronous::Full);
/// Names of places.
const DISK: &str = "disk";
const ALONE_SYNCED: Probe = Probe::AloneWrite(Synchronous::Full);
const ALONE_UNSYNCED: Probe = Probe::AloneWrite(Synchronous::Off);

/// Every cost that is measured, in the order of the profile.
pub fn recipes() -> Vec<Recipe> {
    let mut all = shared();
    all.extend(MODELS.into_iter().flat_map(of_model));
    all.push(hop());
    all.extend(COMMITS.map(|(mode, level)| commit(mode, level)));
    all.extend(disk());
    all.extend(alone());
    all.extend(memory());
    all
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
            "cpu.wake_up",
            [Probe::Alone, ASYNC],
            "CPU per request of one user, minus that of busy ones",
            wake_up,
        ),
        recipe(
            "cpu.last_close",
            [Probe::AloneOpen(JournalMode::Wal), Probe::AloneOpen(JournalMode::Delete)],
            "CPU of opening and closing the only connection to a log, minus one without a log",
            |round| {
                round.cpu(Probe::AloneOpen(JournalMode::Wal))
                    - round.cpu(Probe::AloneOpen(JournalMode::Delete))
            },
        ),
        recipe(
            "cpu.in_flight",
            [Probe::ManyInFlight, Probe::FewInFlight],
            "CPU per request with many in flight, minus that with few, for each more",
            |round| {
                let more = |pick: fn(&Reading) -> f64| {
                    round.number(Probe::ManyInFlight, pick) - round.number(Probe::FewInFlight, pick)
                };
                // By Little's law: those that wait for the loop are not in the service yet.
                let pausing = |reading: &Reading| reading.rate() * reading.part("sleep");
                more(Reading::cpu_per_request) / more(pausing)
            },
        ),
        recipe(
            "cpu.accept",
            [Probe::Accept, ASYNC],
            "CPU per request with a connection for each, minus that without",
            accept,
        ),
        recipe(
            "cpu.reject",
            [Probe::Reject, Probe::Accept, ASYNC],
            "CPU per refusal of a full worker, minus accepting its connection",
            |round| {
                let refused = round.number(Probe::Reject, |reading| reading.rejected);
                let served = round.number(Probe::Reject, |reading| reading.good);
                let cpu = round.number(Probe::Reject, |reading| reading.cpu);
                (cpu - served * round.cpu(ASYNC)) / refused - accept(round)
            },
        ),
    ]
}

fn wake_up(round: &Round) -> f64 {
    round.cpu(Probe::Alone) - round.cpu(ASYNC)
}

fn accept(round: &Round) -> f64 {
    round.cpu(Probe::Accept) - round.cpu(ASYNC)
}

/// CPU costs that differ by concurrency model.
fn of_model(of: Concurrency) -> Vec<Recipe> {
    let key = |name: &str| format!("cpu.{}.{name}", model(of));
    // A handler on the pool costs what an async one does, and two hops.
    let request = match of {
        Concurrency::Threadpool => Concurrency::Async,
        itself => itself,
    };
    let base = Probe::Request(of);
    let statements = Probe::Statement(of);
    let (open, pragma, call) = (Probe::Open(of), Probe::Pragma(of), Probe::Call(of));
    vec![
        recipe(
            key("request"),
            [Probe::Request(request)],
            format!("CPU per request of {MANY} busy users, minus the 0.5 ms of the handler"),
            move |round| round.cpu(Probe::Request(request)) - HANDLER,
        ),
        recipe(
            key("call"),
            [call, base],
            format!("CPU of {CALLS} calls of an upstream, each"),
            move |round| (round.cpu(call) - round.cpu(base)) / f64::from(CALLS),
        ),
        recipe(
            key("statement"),
            [statements, base],
            format!("CPU of {READS} reads on open connections, each; engine and hops inside"),
            move |round| statement(round, of),
        ),
        recipe(
            key("open"),
            [open, statements, base],
            format!("CPU of {OPENS} reads with a connection each, minus the reads; with its close"),
            move |round| {
                (round.cpu(open) - round.cpu(base)) / f64::from(OPENS) - statement(round, of)
            },
        ),
        recipe(
            key("pragma"),
            [pragma, open],
            format!("CPU of {PRAGMAS} pragmas on a new connection, each"),
            move |round| (round.cpu(pragma) - round.cpu(open)) / f64::from(OPENS * PRAGMAS),
        ),
    ]
}

fn statement(round: &Round, of: Concurrency) -> f64 {
    (round.cpu(Probe::Statement(of)) - round.cpu(Probe::Request(of))) / f64::from(READS)
}

fn hop() -> Recipe {
    let pooled = Probe::Request(Concurrency::Threadpool);
    recipe(
        "cpu.threadpool.hop",
        [pooled, ASYNC],
        "CPU per request on the thread pool, minus async: half, for there and back",
        move |round| (round.cpu(pooled) - round.cpu(ASYNC)) / 2.0,
    )
}

fn commit(mode: JournalMode, level: Synchronous) -> Recipe {
    let writes = Probe::Commit(mode, level);
    recipe(
        format!("commit.{}.{}", journal(mode), synchronous(level)),
        [writes, Probe::Statement(BLOCKING), Probe::Request(BLOCKING)],
        format!("CPU of {WRITES} writes one after the other, each, minus a statement"),
        move |round| {
            let cpu = round.cpu(writes) - round.cpu(Probe::Request(BLOCKING));
            cpu / f64::from(WRITES) - statement(round, BLOCKING)
        },
    )
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
    round.part(ALONE_SYNCED, DISK) - round.part(ALONE_UNSYNCED, DISK)
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
            move |round| {
                round.part(rollback, DISK) / f64::from(WRITES) - f64::from(syncs) * sync(round)
            },
        ),
    ]
}

/// Time from client to service and back, one user alone.
fn client(round: &Round) -> f64 {
    round.part(Probe::Alone, "connect") + round.part(Probe::Alone, "reply")
}

/// What of one user's response is neither network nor CPU time.
fn idle_exit(round: &Round) -> f64 {
    round.number(Probe::Alone, |reading| reading.mean) - client(round) - round.cpu(Probe::Alone)
}

fn alone() -> Vec<Recipe> {
    let call = Probe::Call(Concurrency::Async);
    let mut background = recipe(
        "(background)",
        [Probe::Alone, Probe::Rest],
        "CPU in use without requests: the worker's own timers and probes",
        |round| {
            let rest = |pick: fn(&Reading) -> f64| round.number(Probe::Rest, pick);
            rest(Reading::utilisation) - rest(Reading::rate) * round.cpu(Probe::Alone)
        },
    );
    background.unit = Unit::Share;
    vec![
        recipe(
            "network.client",
            [Probe::Alone],
            "one user's time from client to service and back",
            client,
        ),
        recipe(
            "network.upstream",
            [Probe::AloneCall, Probe::Alone, call, ASYNC],
            "what a call adds to one user's response, minus its latency, CPU and waking up",
            move |round| {
                let mean = |probe| round.number(probe, |reading| reading.mean);
                let cpu = (round.cpu(call) - round.cpu(ASYNC)) / f64::from(CALLS);
                let waking = wake_up(round).max(0.0) + idle_exit(round).max(0.0);
                mean(Probe::AloneCall) - mean(Probe::Alone) - LATENCY - cpu - waking
            },
        ),
        recipe(
            "machine.idle_exit",
            [Probe::Alone],
            "one user's response, minus network and CPU",
            idle_exit,
        ),
        background,
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
