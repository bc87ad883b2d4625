//! What a Postgres server costs, and what a stack's client spends on it.

use live::stack::Target;
use model::place::PlaceId;
use model::scenario::{Concurrency, Server};

use super::Stack;
use super::shared_probes::{MODELS, SELDOM};
use crate::calibrate::probe::{OPEN, Probe, READ, REQUEST, WRITE};
use crate::calibrate::reading::{Reading, Round};
use crate::calibrate::recipe::Recipe;

/// How the clients of a stack talk to the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clients {
    /// The server that the probes run on.
    server: Server,
    /// Round trips of a read beside its statement.
    pub(crate) beside: u32,
    /// All concurrency models have one driver, which the server sees no difference in.
    pub(crate) one: bool,
    /// Pings after each use, of a connection that goes back to its pool.
    pub(crate) returns: u32,
}

impl Clients {
    /// Those of `target`.
    pub(crate) fn of(target: Target) -> Clients {
        match target {
            // sqlx; a write by itself commits itself, so that a transaction shows what COMMIT costs.
            Target::Axum => Clients { server: Server::Axum, beside: 0, one: true, returns: 1 },
            // SQLAlchemy on psycopg or asyncpg: BEGIN and ROLLBACK.
            Target::Fastapi | Target::Own => {
                Clients { server: Server::Uvicorn, beside: 2, one: false, returns: 0 }
            }
        }
    }

    /// Round trips of a ping.
    pub(crate) fn ping_trips(self, of: Concurrency) -> u32 {
        if !self.one && of == Concurrency::Async { 3 } else { 1 }
    }

    /// Statements that a read on a new connection prepares: psycopg waits for the sixth.
    pub(crate) fn prepares(self, of: Concurrency) -> u32 {
        u32::from(self.one || of == Concurrency::Async)
    }

    /// Concurrency models whose work the server is asked for apart.
    fn apart(self) -> &'static [Concurrency] {
        if self.one { &MODELS[..1] } else { &MODELS }
    }

    /// The table of what the server spends.
    fn table(self, of: Concurrency) -> String {
        if self.one { "postgres".into() } else { format!("postgres.{}", of.as_str()) }
    }
}

/// Round trip of the probe of the network, as it is written and in seconds.
const ROUND_TRIP: (&str, f64) = ("0.5ms", 0.5e-3);
const POOL: &str = "{ kind = \"pool\", size = 20, overflow = 0 }";
const PINGED: &str = "{ kind = \"pool\", size = 20, overflow = 0, pre_ping = true }";
const OPENED: &str = "{ kind = \"per-operation\" }";
const OFF: &str = "synchronous_commit = \"off\"\nhold = \"handler\"\n";
/// A read, and then a write: two statements to prepare on a new connection.
const BOTH: &str = "{ cpu = \"0.5ms\" }, { read = \"item\" }, { write = \"item\" }";

const KEPT_BOTH: &str = "postgres both";
const OPENED_BOTH: &str = "postgres opened both";
pub(crate) const ALONE: &str = "postgres alone read";
const SYNCED: &str = "postgres alone write on";
const UNSYNCED: &str = "postgres alone write off";

/// The stack `base` with the probes and costs of Postgres alone.
pub(super) fn of(base: Stack) -> Stack {
    let clients = Clients::of(base.target);
    Stack {
        probes: probes(clients),
        recipes: recipes(clients),
        facts: Vec::new(),
        seconds_per_round: if clients.one { 100 } else { 150 },
        ..base
    }
}

fn named(name: &str, of: Concurrency) -> String {
    format!("postgres {name} {}", of.as_str())
}

fn probes(clients: Clients) -> Vec<Probe> {
    let mut all: Vec<Probe> = MODELS.into_iter().flat_map(|of| of_model(clients, of)).collect();
    let probe = |name: &str, works| Probe::new(name, clients.server, Concurrency::Async, works);
    let alone = |name, works| probe(name, works).rate(SELDOM);
    all.extend([
        probe(KEPT_BOTH, WRITE).steps(BOTH).postgres(POOL, "0s", OFF),
        probe(OPENED_BOTH, WRITE).steps(BOTH).postgres(OPENED, "0s", OFF),
        alone(ALONE, READ).postgres(POOL, ROUND_TRIP.0, ""),
        alone(SYNCED, WRITE).postgres(POOL, "0s", ""),
        alone(UNSYNCED, WRITE).postgres(POOL, "0s", "synchronous_commit = \"off\"\n"),
    ]);
    all
}

/// Work that each concurrency model does in its own way.
fn of_model(clients: Clients, of: Concurrency) -> [Probe; 5] {
    let probe = |name: String, works| Probe::new(name, clients.server, of, works);
    let write = probe(named("write", of), WRITE).postgres(POOL, "0s", "");
    let write = match clients.one {
        true => write.steps("{ cpu = \"0.5ms\" }, { transaction = [{ write = \"item\" }] }"),
        false => write,
    };
    [
        probe(format!("request {}", of.as_str()), REQUEST),
        probe(named("read", of), READ).postgres(POOL, "0s", ""),
        probe(named("ping", of), READ).postgres(PINGED, "0s", ""),
        probe(named("open", of), OPEN).postgres(OPENED, "0s", ""),
        write,
    ]
}

fn recipes(clients: Clients) -> Vec<Recipe> {
    let mut all: Vec<Recipe> = MODELS.into_iter().flat_map(|of| client(clients, of)).collect();
    all.extend(clients.apart().iter().flat_map(|&of| server(clients, of)));
    all.push(Recipe::new(
        "postgres.prepare",
        prepared(),
        "the server's CPU of a read and a write on a new connection, minus on a kept one, minus the \
         same of a read alone",
        prepare,
    ));
    all.extend(log_sync());
    all.push(network(clients));
    all
}

/// Whose CPU time.
#[derive(Clone, Copy, Debug)]
enum Side {
    /// The service's.
    Client,
    /// The database server's.
    Server,
}

impl Side {
    fn cpu(self, reading: &Reading) -> f64 {
        match self {
            Side::Client => reading.cpu_per_request(),
            Side::Server => reading.server_cpu_per_request(),
        }
    }
}

/// CPU time of one round trip that is no statement, from pings before use.
fn trip(round: &Round<'_>, clients: Clients, of: Concurrency, side: Side) -> f64 {
    let more = round.more(&named("ping", of), &named("read", of), |one| side.cpu(one));
    more / f64::from(clients.ping_trips(of))
}

/// The same, as a part of other costs.
fn trips(round: &Round<'_>, clients: Clients, of: Concurrency, side: Side, count: f64) -> f64 {
    count * trip(round, clients, of, side).max(0.0)
}

/// What a commit adds to a write: a read has as many round trips beside its statement as `beside`
/// says, a transaction has its BEGIN.
fn commit(round: &Round<'_>, clients: Clients, of: Concurrency, side: Side) -> f64 {
    let more = round.more(&named("write", of), &named("read", of), |one| side.cpu(one));
    more + trips(round, clients, of, side, f64::from(clients.beside) - 1.0)
}

/// CPU time of the worker.
fn client(clients: Clients, of: Concurrency) -> [Recipe; 4] {
    const SIDE: Side = Side::Client;
    let (beside, prepares) = (f64::from(clients.beside), f64::from(clients.prepares(of)));
    let key = |name: &str| format!("postgres_client.{}.{name}", of.as_str());
    let bare = format!("request {}", of.as_str());
    let [read, ping, open, write] = ["read", "ping", "open", "write"].map(|name| named(name, of));
    let returns = f64::from(clients.returns);
    let less = match (clients.beside, clients.returns) {
        (0, 0) => "",
        (0, _) => ", and the ping when it goes back",
        _ => ", BEGIN and ROLLBACK",
    };
    [
        Recipe::new(
            format!("cpu.{}.trip", of.as_str()),
            [ping.clone(), read.clone()],
            "CPU of a read after a ping, minus one without, for each of its round trips",
            move |round| trip(round, clients, of, SIDE),
        ),
        Recipe::new(
            key("statement"),
            [read.clone(), bare.clone(), ping.clone()],
            format!("CPU of a request that reads, minus one that does not{less}"),
            move |round| {
                round.more(&named("read", of), &bare, Reading::cpu_per_request)
                    - trips(round, clients, of, SIDE, beside + returns)
            },
        ),
        Recipe::new(
            key("open"),
            [open, read.clone(), ping.clone()],
            "CPU of a read on a new connection, minus one on a kept one; with its close",
            move |round| {
                round.more(&named("open", of), &named("read", of), Reading::cpu_per_request)
                    + trips(round, clients, of, SIDE, returns - prepares)
            },
        ),
        Recipe::new(
            key("commit"),
            [write, read, ping],
            "CPU of a transaction with a write, minus a read and what is sent beside either",
            move |round| commit(round, clients, of, SIDE),
        ),
    ]
}

/// CPU time of the server.
fn server(clients: Clients, of: Concurrency) -> [Recipe; 4] {
    const SIDE: Side = Side::Server;
    let (beside, prepares) = (f64::from(clients.beside), f64::from(clients.prepares(of)));
    let key = |name: &str| format!("{}.{name}", clients.table(of));
    let [read, ping, open, write] = ["read", "ping", "open", "write"].map(|name| named(name, of));
    let returns = f64::from(clients.returns);
    let less = match (clients.beside, clients.returns) {
        (0, 0) => "",
        (0, _) => ", minus the ping when it goes back",
        _ => ", minus BEGIN and ROLLBACK",
    };
    let connect = Recipe::new(
        key("connect"),
        [open, read.clone(), ping.clone()],
        "the server's CPU of a read on a new connection, minus one on a kept one",
        move |round| {
            let more =
                round.more(&named("open", of), &named("read", of), Reading::server_cpu_per_request);
            let prepared = if prepares > 0.0 { prepare(round).max(0.0) } else { 0.0 };
            more - prepared + trips(round, clients, of, SIDE, returns)
        },
    );
    let connect = if prepares > 0.0 { connect.with(&prepared()) } else { connect };
    [
        connect,
        Recipe::new(
            key("command"),
            [ping.clone(), read.clone()],
            "the server's CPU of a read after a ping, minus one without, for each round trip",
            move |round| trip(round, clients, of, SIDE),
        ),
        Recipe::new(
            key("statement"),
            [read.clone(), ping.clone()],
            format!("the server's CPU of a request that reads{less}"),
            move |round| {
                round.number(&named("read", of), Reading::server_cpu_per_request)
                    - trips(round, clients, of, SIDE, beside + returns)
            },
        ),
        Recipe::new(
            key("commit"),
            [write, read, ping],
            "the server's CPU of a transaction with a write, minus a read, both alone",
            move |round| commit(round, clients, of, SIDE),
        ),
    ]
}

const OPENED_READ: &str = "postgres open async";
const KEPT_READ: &str = "postgres read async";

fn prepared() -> [&'static str; 4] {
    [OPENED_BOTH, KEPT_BOTH, OPENED_READ, KEPT_READ]
}

/// Two statements on a new connection are both prepared there, one is alone.
fn prepare(round: &Round<'_>) -> f64 {
    let cpu = Reading::server_cpu_per_request;
    round.more(OPENED_BOTH, KEPT_BOTH, cpu) - round.more(OPENED_READ, KEPT_READ, cpu)
}

/// The part of a response time that is the sync of the log.
fn synced(round: &Round<'_>, pick: impl Fn(&Reading) -> f64) -> f64 {
    round.more(SYNCED, UNSYNCED, pick)
        - round.more(SYNCED, UNSYNCED, Reading::cpu_per_request)
        - round.more(SYNCED, UNSYNCED, Reading::server_cpu_per_request)
}

/// The sync of the log that a commit waits for.
fn log_sync() -> [Recipe; 3] {
    let of = |key: &str, name: &str, pick: fn(&Reading) -> f64| {
        Recipe::new(
            format!("disk.log_sync.{key}"),
            [SYNCED, UNSYNCED],
            format!("{name} of a write that waits for the log, minus one that does not, minus CPU"),
            move |round| synced(round, pick),
        )
    };
    [
        of("p50", "P50", |reading| reading.p50),
        of("p99", "P99", |reading| reading.p99),
        of("mean", "mean", |reading| reading.mean),
    ]
}

/// What a round trip takes beside the network's own time and the server's CPU time.
fn network(clients: Clients) -> Recipe {
    let of = Concurrency::Async;
    let count = f64::from(1 + clients.beside);
    Recipe::new(
        "network.database",
        [ALONE.to_string(), named("ping", of), named("read", of)],
        format!(
            "a lone read's time at the server, minus its CPU and {}, by round trip",
            ROUND_TRIP.0
        ),
        move |round| {
            // What is done once the answer has been sent does not hold it up.
            let later = trips(round, clients, of, Side::Server, f64::from(clients.returns));
            let cpu = round.number(ALONE, Reading::server_cpu_per_request) - later;
            (round.part(ALONE, &PlaceId::DatabaseServer) - cpu) / count - ROUND_TRIP.1
        },
    )
}
