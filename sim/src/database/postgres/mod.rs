//! A database server: commands travel to it, share its processors and its log.

mod answer;
mod beside;
mod compile;
mod explain;
mod fault;
mod introduction;
mod locked;
mod log;
mod opening;
mod pooled;
mod pooler;
mod process;
mod rows;
mod run;
mod sessions;
mod timeouts;

pub(crate) use answer::Observed;
pub(crate) use answer::{bounds, candidates, cpu_of_server, stations, visit};
pub(crate) use explain::explain;
pub(crate) use introduction::Introduction;
pub(crate) use locked::Drawn;
pub(crate) use rows::RowId;
pub(crate) use sessions::Session;

use model::scenario::{Postgres, Scenario};
use model::units::Instant;

use crate::plan::{DrawId, Pc};
use log::Log;
use opening::Opening;
use pooler::Pooler;
use rows::Rows;

/// Instructions of the database server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// Skips to `to` if the connection has no need of the command.
    SkipUnlessDue { command: Command, to: Pc },
    /// A command travels to the server, is worked on, and its reply travels back.
    Server { command: Command, engine: DrawId, round_trip: DrawId },
    /// The connection goes back in a task of its own, and the request goes on at `on`.
    Return { on: Pc },
    /// The end of that task.
    Returned,
    /// Skips to `to` if the worker's pool knows the server already; waits while another task gets to
    /// know it.
    SkipIfKnown { to: Pc },
    /// The worker's pool knows the server from here on.
    Known,
}

/// What the server is asked to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    /// Take a connection, in so many round trips; it may refuse it. A client that tries again does
    /// so at `from`. Unless the client `answers` it by a login, that is part of it.
    Open { trips: u32, from: Pc, answers: bool },
    /// Authenticate the client, in so many round trips; it may be refused then.
    Login { trips: u32, from: Pc },
    /// Say that it is there; if it is not, the client goes on at `reopen`.
    Ping { reopen: Pc },
    /// Say that it is there, on a connection that comes back.
    Test,
    /// Begin a transaction; due if none is open.
    Begin,
    /// Prepare this statement; due if it has been executed on the connection as often as the
    /// client waits for.
    Prepare { statement: u32 },
    /// Execute a statement. If it `begins`, it is the first of a transaction that nothing else
    /// begins, or one of the others.
    Statement { begins: bool, locks: Option<Locks> },
    /// Execute a statement that commits by itself.
    Write { sync: DrawId, locks: Option<Locks> },
    /// Commit.
    Commit { sync: DrawId },
    /// Roll back; due if a transaction is open.
    Rollback,
    /// Forget what was prepared; due if something was.
    Deallocate,
    /// Say which version it is and how it is set, in so many round trips.
    Introduce { trips: u32 },
}

/// A row that a statement locks until its transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locks {
    /// Which rows of the scenario it is one of.
    pub rows: u32,
    /// Which of the request's rows of that name, from 1.
    pub nth: u32,
    /// It is changed, and not only locked.
    pub changes: bool,
}

impl Command {
    /// The row that it locks once it has been worked on.
    fn locks(self) -> Option<Locks> {
        match self {
            Command::Statement { locks, .. } | Command::Write { locks, .. } => locks,
            _ => None,
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Command::Open { .. } => "connect to the database server",
            Command::Login { .. } => "log in to the database server",
            Command::Ping { .. } | Command::Test => "ping the database server",
            Command::Begin => "BEGIN on the database server",
            Command::Prepare { .. } => "prepare a statement on the database server",
            Command::Statement { .. } | Command::Write { .. } => "statement on the database server",
            Command::Commit { .. } => "COMMIT on the database server",
            Command::Rollback => "ROLLBACK on the database server",
            Command::Deallocate => "DEALLOCATE ALL on the database server",
            Command::Introduce { .. } => "get to know the database server",
        }
    }

    /// It is sent when the connection is given back. If it fails, the client drops the connection
    /// and its request goes on.
    fn releases(self) -> bool {
        matches!(self, Command::Rollback | Command::Deallocate | Command::Test)
    }

    fn pings(self) -> bool {
        matches!(self, Command::Ping { .. })
    }

    /// The log that is synced before its reply, if it is.
    fn sync(self) -> Option<DrawId> {
        match self {
            Command::Write { sync, .. } | Command::Commit { sync } => Some(sync),
            _ => None,
        }
    }
}

/// How long the server's processors take, as a multiple of what the cost profile says. Those of the
/// service may be faster or slower; which web server runs on them is nothing to the database's.
fn scale(scenario: &Scenario, postgres: &Postgres) -> f64 {
    if postgres.shares_cpu() { 1.0 / scenario.cpu.speed } else { 1.0 }
}

/// Processors of a machine of the server's own; none if it has no such machine.
pub(crate) fn own_cores(scenario: &Scenario) -> u32 {
    let own = answer::settings(scenario).filter(|postgres| !postgres.shares_cpu());
    own.map_or(0, |postgres| postgres.cores)
}

impl Op {
    pub(crate) fn can_fail(&self) -> bool {
        match self {
            Op::Server { command, .. } => !command.releases() && !command.pings(),
            _ => false,
        }
    }

    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Op::SkipUnlessDue { .. } => "skip the next command if it is not due",
            Op::Return { .. } => "give the connection back beside the request",
            Op::Returned => "the connection is back",
            Op::SkipIfKnown { .. } => "if the pool knows the server already, go on",
            Op::Known => "the pool knows the server",
            Op::Server { command, .. } => command.verb(),
        }
    }
}

impl From<Op> for crate::plan::Op {
    fn from(op: Op) -> crate::plan::Op {
        super::Op::Postgres(op).into()
    }
}

/// The server while the engine runs.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) log: Log,
    /// What stands before it.
    pub(crate) pooler: Option<Pooler>,
    /// Connections that are open or being opened, of all workers.
    pub(crate) sessions: u32,
    /// Rows that are locked.
    pub(crate) rows: Rows,
    state: State,
}

/// Whether it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    /// It is not there.
    Down,
    /// Its processes stand still until then.
    Paused {
        until: Instant,
    },
}

impl Server {
    /// Without a connection; without anything where there is no server.
    pub(crate) fn new(postgres: Option<&Postgres>) -> Server {
        Server {
            log: Log::default(),
            pooler: postgres
                .and_then(|postgres| Some(Pooler::new(postgres.pooler()?, postgres.connections()))),
            sessions: 0,
            rows: Rows::default(),
            state: State::Up,
        }
    }
}
