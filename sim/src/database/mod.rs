//! The database: connections that requests take, open and give back, and the engine behind them.

mod answer;
mod compile;
mod explain;
mod pool;
pub(crate) mod postgres;
mod run;
pub(crate) mod sqlite;

pub(crate) use answer::Observed;
pub(crate) use answer::{bounds, candidates, stations, visit};
pub(crate) use explain::explain;
pub(crate) use pool::Pool;
pub(crate) use postgres::cpu_of_server;

use model::scenario::{DriverMode, Engine, Rows, Scenario, Step};
use model::units::Instant;

use crate::engine::{Arena, NONE};
use crate::plan::Pc;

/// Instructions of the database.
#[derive(Clone, Copy, PartialEq)]
pub enum Op {
    /// Moves to the thread of the database connection.
    ToDriver,
    /// Takes a database connection; waits for one if the pool is exhausted.
    Checkout,
    /// Skips to `open` if the connection is open already.
    SkipIfOpen { open: Pc },
    /// The connection is open from here on.
    Opened,
    /// Skips to `keep` if the connection goes back to the pool open.
    SkipIfKept { keep: Pc },
    /// The connection is closed from here on.
    Closed,
    /// Gives the database connection back.
    Checkin,
    /// What SQLite does.
    Sqlite(sqlite::Op),
    /// What a database server does.
    Postgres(postgres::Op),
}

impl Op {
    #[inline]
    pub(crate) fn is_native(&self) -> bool {
        matches!(self, Op::Sqlite(_))
    }

    pub(crate) fn can_fail(&self) -> bool {
        match self {
            Op::Checkout => true,
            Op::Sqlite(op) => op.can_fail(),
            Op::Postgres(op) => op.can_fail(),
            _ => false,
        }
    }

    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Op::ToDriver => "hand over to the connection's thread",
            Op::Checkout => "take a database connection",
            Op::SkipIfOpen { .. } => "if it is open already, skip opening",
            Op::Opened => "the connection is open",
            Op::SkipIfKept { .. } => "if the pool keeps it, skip closing",
            Op::Closed => "the connection is closed",
            Op::Checkin => "give the connection back",
            Op::Sqlite(op) => op.verb(),
            Op::Postgres(op) => op.verb(),
        }
    }
}

/// Without the name of the engine.
impl std::fmt::Debug for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Op::ToDriver => f.write_str("ToDriver"),
            Op::Checkout => f.write_str("Checkout"),
            Op::SkipIfOpen { open } => f.debug_struct("SkipIfOpen").field("open", open).finish(),
            Op::Opened => f.write_str("Opened"),
            Op::SkipIfKept { keep } => f.debug_struct("SkipIfKept").field("keep", keep).finish(),
            Op::Closed => f.write_str("Closed"),
            Op::Checkin => f.write_str("Checkin"),
            Op::Sqlite(op) => op.fmt(f),
            Op::Postgres(op) => op.fmt(f),
        }
    }
}

impl From<Op> for crate::plan::Op {
    fn from(op: Op) -> crate::plan::Op {
        crate::plan::Op::Database(op)
    }
}

/// The database as the engine needs it, beside what the scenario says.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// SQLite, or none for a server.
    pub(crate) sqlite: Option<sqlite::Plan>,
    /// Connections have a thread of their own where handlers are async.
    pub(crate) connection_threads: bool,
    /// Async handlers await the database; if not, they block their loop in it.
    pub(crate) awaited: bool,
    /// The draws for the rows that statements lock.
    pub(crate) rows: Vec<postgres::Drawn>,
}

impl Plan {
    pub(crate) fn new(scenario: &Scenario, seed: u64) -> Option<Plan> {
        let database = scenario.database.as_ref()?;
        let awaited = database.driver == DriverMode::Async;
        Some(Plan {
            sqlite: match &database.engine {
                Engine::Sqlite(sqlite) => Some(sqlite::Plan::new(sqlite, &scenario.costs.disk)),
                Engine::Postgres(_) => None,
            },
            connection_threads: matches!(database.engine, Engine::Sqlite(_)) && awaited,
            awaited,
            rows: scenario.rows().iter().map(|rows| drawn(scenario, rows, seed)).collect(),
        })
    }
}

/// The draws for `rows`, of which a request locks as many as its statements say.
fn drawn(scenario: &Scenario, rows: &Rows, seed: u64) -> postgres::Drawn {
    fn most(step: &Step, name: &str) -> u32 {
        let locks = step.statements().iter().filter_map(|statement| statement.locks.as_ref());
        let own = locks.filter(|lock| lock.rows == name).map(|lock| lock.nth).max();
        let inside = step.inside().iter().map(|step| most(step, name)).max();
        own.max(inside).unwrap_or(0)
    }
    let steps = scenario.endpoints.iter().flat_map(|endpoint| endpoint.all_steps());
    let most = steps.map(|step| most(step, &rows.name)).max().unwrap_or(0);
    postgres::Drawn::new(rows, most, seed)
}

/// A database connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// Its own thread under an async driver.
    pub(crate) thread: u32,
    pub(crate) open: bool,
    /// It has not committed yet.
    pub(crate) fresh: bool,
    pub(crate) hold: sqlite::Hold,
    pub(crate) session: postgres::Session,
    /// When it was opened, or, until it is, when that began.
    pub(crate) since: Instant,
    /// The connection that the request keeps meanwhile, or [`NONE`].
    pub(crate) outer: u32,
}

/// The database while the engine runs.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) connections: Arena<Connection>,
    pub(crate) locks: Option<sqlite::Locks>,
    pub(crate) server: postgres::Server,
}

impl Database {
    pub(crate) fn new(scenario: &Scenario) -> Database {
        let engine = scenario.database.as_ref().map(|database| &database.engine);
        let (locks, server) = match engine {
            Some(Engine::Sqlite(sqlite)) => (Some(sqlite::Locks::new(sqlite.journal_mode)), None),
            Some(Engine::Postgres(postgres)) => (None, Some(postgres)),
            None => (None, None),
        };
        Database { connections: Arena::new(), locks, server: postgres::Server::new(server) }
    }
}

/// What a task has to do with the database.
#[derive(Clone, Debug)]
pub(crate) struct OfTask {
    /// The connection that it holds, or [`NONE`].
    pub(crate) connection: u32,
    /// Sleeps of the busy handler in the current statement.
    pub(crate) polls: u32,
    /// It copies the write-ahead log.
    pub(crate) checkpointing: bool,
    /// When it asked the pool for a connection.
    pub(crate) asked: Instant,
    /// Rows that it has changed and passed on.
    pub(crate) passed: u32,
}

impl OfTask {
    pub(crate) const NEW: OfTask = OfTask {
        connection: NONE,
        polls: 0,
        checkpointing: false,
        asked: Instant::START,
        passed: 0,
    };
}
