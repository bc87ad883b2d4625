//! Probes of every stack that runs the application of the scenarios.

use model::costs::Work;
use model::scenario::{Concurrency, JournalMode, Server, Synchronous};

use crate::calibrate::cache::{KINDS, rare};
use crate::calibrate::probe::{
    CALL, CALLING, Connections, MANY, OPEN, Probe, READ, REQUEST, WRITE, Window,
};

/// Requests a second of which each finds the caches much as the last one left them, and a
/// processor that is idle.
pub(crate) const FREQUENT: u32 = 400;
/// Requests a second that are alone: each finds an idle processor.
pub(crate) const SELDOM: u32 = 100;
/// Requests a second that find most of what they need gone from the caches.
pub(crate) const RARELY: u32 = 20;
/// Requests a second beside which the service has little to do but its background work.
pub(crate) const HARDLY: u32 = 2;
/// Users whose requests are all parked. Few enough for the usual limit of 1024 open files.
const PARKED: u32 = 400;
/// Pragmas of each connection in the probe of their cost.
pub(crate) const PRAGMAS: u32 = 6;
/// Few requests come in a second, and caches do not lose the same each time.
const RARE: Window = Window::Times(3);

/// All concurrency models.
pub(crate) const MODELS: [Concurrency; 3] =
    [Concurrency::Async, Concurrency::Threadpool, Concurrency::Blocking];

/// Journal modes and synchronous levels whose commits are measured. PERSIST is taken as
/// TRUNCATE, EXTRA as FULL.
pub(crate) fn commits() -> impl Iterator<Item = (JournalMode, Synchronous)> {
    let modes = [JournalMode::Wal, JournalMode::Delete, JournalMode::Truncate];
    let levels = [Synchronous::Off, Synchronous::Normal, Synchronous::Full];
    modes.into_iter().flat_map(move |mode| levels.map(|level| (mode, level)))
}

/// How the probes of stacks differ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Differences {
    /// The server that the probes run on.
    pub(crate) server: Server,
    /// Users whose requests pause, and how long: few in flight, and many. With so many users the
    /// service is just busy, so that about as few wait for its loop in both cases.
    pub(crate) pausing: [(u32, &'static str); 2],
    /// Latency of the upstream behind which requests are parked.
    pub(crate) parked: &'static str,
    /// Calls are made by one user where the client looks at all connections: a lone one looks
    /// at its own and nothing else.
    pub(crate) lone_calls: bool,
    /// Requests in flight displace each other's data in the caches by an amount that is measured.
    pub(crate) crowds: bool,
    /// Concurrency models whose rare work is measured. Models that run on the same threads with
    /// the same libraries need one for all.
    pub(crate) cold: &'static [Concurrency],
}

/// The probes of a stack with these `differences`.
pub(crate) fn shared(differences: &Differences) -> Vec<Probe> {
    let mut all = of_models(differences);
    all.extend(writes(differences.server));
    all.extend(connections_and_flight(differences));
    all.extend(lone(differences.server));
    all.extend(open_log_and_parked(differences));
    all.extend(cold(differences));
    all
}

/// Work that each concurrency model does in its own way.
fn of_models(differences: &Differences) -> Vec<Probe> {
    let server = differences.server;
    let (delete, full) = (JournalMode::Delete, Synchronous::Full);
    let probe = |name: &str, of: Concurrency, works| {
        Probe::new(format!("{name} {}", of.as_str()), server, of, works)
    };
    let crowd = |of| if differences.crowds && of == Concurrency::Async { MANY } else { 1 };
    let request = |of| probe("request", of, REQUEST);
    let statement =
        |of| probe("statement", of, READ).sqlite(JournalMode::Wal, full, Connections::Kept, "");
    // Under a write-ahead log the last connection to close would remove the log.
    let open = |name: &str, of: Concurrency, more: &str| {
        let opened = probe(name, of, OPEN).sqlite(delete, full, Connections::Opened, more);
        opened.crowd(crowd(of))
    };
    let pragmas = format!("pragmas = {PRAGMAS}\n");
    let call = |of| {
        let lone = differences.lone_calls && of != Concurrency::Blocking;
        probe("call", of, CALLING).upstream("0s").users(if lone { 1 } else { MANY })
    };
    let mut all = Vec::new();
    all.extend(MODELS.map(request));
    all.extend(MODELS.map(statement));
    all.extend(MODELS.map(|of| open("open", of, "")));
    all.extend(MODELS.map(|of| open("pragma", of, &pragmas)));
    all.extend(MODELS.map(call));
    all
}

/// Writes, one at a time: no lock is ever waited for.
fn writes(server: Server) -> impl Iterator<Item = Probe> {
    commits().map(move |(mode, level)| {
        let name = format!("commit {} {}", mode.as_str(), level.as_str());
        let probe = Probe::new(name, server, Concurrency::Blocking, WRITE);
        probe.sqlite(mode, level, Connections::Kept, "")
    })
}

/// Connections of clients, and requests that pause.
fn connections_and_flight(differences: &Differences) -> [Probe; 4] {
    let bare = |name: &str| Probe::new(name, differences.server, Concurrency::Async, REQUEST);
    let pausing = |name: &str, (users, pause): (u32, &str)| {
        bare(name).users(users).steps(format!("{{ cpu = \"0.5ms\" }}, {{ sleep = \"{pause}\" }}"))
    };
    let [few, many] = differences.pausing;
    [
        // A connection for each request.
        bare("accept").load(format!("users = {MANY}\nkeep_alive = false")),
        // All but a few of the users find the worker full. Those that are refused in next to no
        // time must not come back in no time.
        bare("reject")
            .load(format!("users = {MANY}\nthink_time = \"2ms\""))
            .service("limit_concurrency = 4"),
        pausing("few in flight", few),
        pausing("many in flight", many),
    ]
}

/// Requests so rare that each is alone and finds an idle processor.
fn lone(server: Server) -> Vec<Probe> {
    let bare = |name: &str| Probe::new(name, server, Concurrency::Async, REQUEST);
    let full = Synchronous::Full;
    // Alone, since a disk is slower if it is used now and then than if it is used all the time.
    // The syncs of checkpoints are not those of commits.
    let write = |level: Synchronous| {
        let name = format!("alone write {}", level.as_str());
        let probe = Probe::new(name, server, Concurrency::Blocking, WRITE).rate(SELDOM);
        probe.sqlite(JournalMode::Wal, level, Connections::Kept, "wal_autocheckpoint = 0\n")
    };
    let open = |mode: JournalMode| {
        let name = format!("alone open {}", mode.as_str());
        let probe = Probe::new(name, server, Concurrency::Async, OPEN).rate(SELDOM);
        probe.sqlite(mode, full, Connections::Opened, "")
    };
    vec![
        bare("alone").rate(SELDOM),
        bare("frequent").rate(FREQUENT),
        bare("resting").rate(HARDLY).window(RARE),
        Probe::new("alone call", server, Concurrency::Async, CALLING).rate(SELDOM).upstream("1ms"),
        write(Synchronous::Off),
        write(full),
        open(JournalMode::Delete),
        open(JournalMode::Wal),
    ]
}

/// Latency of the upstream of the probe `alone call`, in seconds.
pub(crate) const LATENCY: f64 = 1e-3;

/// Many new connections to a write-ahead log at a time, and requests behind a slow upstream.
fn open_log_and_parked(differences: &Differences) -> [Probe; 2] {
    let probe = |name, works| Probe::new(name, differences.server, Concurrency::Async, works);
    let (wal, full) = (JournalMode::Wal, Synchronous::Full);
    [
        probe("open log", OPEN)
            .sqlite(wal, full, Connections::Opened, "")
            .crowd(if differences.crowds { MANY } else { 1 }),
        // Answers of many users that come together would keep the CPU busy.
        probe("parked", CALLING).users(PARKED).upstream(differences.parked).steps(CALL),
    ]
}

/// Work so rare that the caches have lost most of it in between.
fn cold(differences: &Differences) -> Vec<Probe> {
    let (wal, full) = (JournalMode::Wal, Synchronous::Full);
    let probe = |of: Concurrency, work: Work| {
        let works = match work {
            Work::Request => REQUEST,
            Work::Statement => READ,
            Work::Open => OPEN,
            Work::Call => CALLING,
            Work::Commit => WRITE,
        };
        let probe = Probe::new(rare(of, work), differences.server, of, works);
        let probe = probe.rate(RARELY).window(RARE);
        match work {
            Work::Request => probe,
            Work::Statement => probe.sqlite(wal, full, Connections::Kept, ""),
            Work::Open => probe.sqlite(JournalMode::Delete, full, Connections::Opened, ""),
            Work::Call => probe.upstream("0s"),
            Work::Commit => probe.sqlite(wal, Synchronous::Normal, Connections::Kept, ""),
        }
    };
    let models = differences.cold.iter();
    let mut all: Vec<Probe> = models.flat_map(|&of| KINDS.map(|work| probe(of, work))).collect();
    all.push(probe(Concurrency::Blocking, Work::Commit));
    all
}
