//! The scenario as the application reads it: a file of JSON.

use std::path::{Path, PathBuf};

use model::place::{self, PlaceId};
use model::scenario::{
    Client, Concurrency, Connections, Database, Endpoint, Engine, EventLoop, Hold, JournalMode,
    Lock, PoolMode, Scenario, Server, Upstream,
};
use model::units::Span;
use serde::Serialize;

use crate::dataset::pragmas_of_a_connection;
use crate::postgres::HOST;
use crate::program::{Program, Task};
use crate::stack::{DatabaseAt, StartOptions};
use crate::wire;

/// A scenario as the application runs it. Times are in seconds; none is no limit.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Plan {
    server: Server,
    workers: u32,
    threads: u32,
    limit_concurrency: Option<u32>,
    backlog: u32,
    keep_alive: Option<f64>,
    /// Whole seconds; 0 is never.
    worker_timeout: u64,
    max_requests: Option<u32>,
    max_requests_jitter: u32,
    event_loop: EventLoop,
    /// Processors of all its processes.
    cpus: Vec<usize>,
    /// The socket that workers connect to.
    report_to: PathBuf,
    /// Where time goes, by number.
    places: Vec<PlaceId>,
    database: Option<DatabasePlan>,
    upstreams: Vec<UpstreamPlan>,
    locks: Vec<LockPlan>,
    /// Names of the rows that statements lock.
    rows: Vec<String>,
    endpoints: Vec<EndpointPlan>,
}

#[derive(Clone, Debug, Serialize)]
struct DatabasePlan {
    #[serde(flatten)]
    engine: EnginePlan,
    /// None opens a connection for each use.
    pool: Option<Pool>,
    driver: model::scenario::DriverMode,
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "engine", rename_all = "lowercase")]
enum EnginePlan {
    /// A file of SQLite's.
    Sqlite {
        file: PathBuf,
        journal_mode: JournalMode,
        busy_timeout: f64,
        /// Run on each new connection.
        pragmas: Vec<String>,
    },
    /// A server.
    Postgres {
        host: &'static str,
        port: u16,
        username: String,
        password: String,
        database: String,
        /// A pooler hands its connections from transaction to transaction.
        pooled: bool,
    },
}

#[derive(Clone, Debug, Serialize)]
struct Pool {
    size: u32,
    overflow: u32,
    timeout: Option<f64>,
    pre_ping: bool,
}

#[derive(Clone, Debug, Serialize)]
struct UpstreamPlan {
    name: String,
    url: String,
    max_connections: Option<u32>,
    /// What httpx keeps, where the scenario says so.
    kept: Kept,
    pool_timeout: Option<f64>,
    max_in_flight: Option<u32>,
    timeout: Option<f64>,
    retries: u32,
    /// Seconds after each failed attempt but the last.
    pauses: Vec<f64>,
}

#[derive(Clone, Debug, Serialize)]
struct LockPlan {
    name: String,
    holders: u32,
    timeout: Option<f64>,
}

#[derive(Clone, Debug, Serialize)]
struct EndpointPlan {
    name: String,
    path: String,
    concurrency: Concurrency,
    /// `def` dependencies that run before the handler.
    dependencies: u32,
    /// Its response is validated.
    response_model: bool,
    hold: Option<Hold>,
    steps: Vec<Task>,
    /// After the reply.
    after: Vec<Task>,
    /// Results of the draws of a request that comes without.
    typical: Vec<u64>,
}

impl Plan {
    /// The plan for `options`, whose workers connect to `report_to`.
    pub(super) fn new(options: &StartOptions<'_>, report_to: &Path) -> Plan {
        let scenario = &options.resolved.scenario;
        let service = &scenario.service;
        let upstream = |upstream| UpstreamPlan::new(upstream, options.upstream);
        Plan {
            server: service.server,
            workers: service.workers,
            threads: service.threads,
            limit_concurrency: service.limit_concurrency,
            backlog: service.backlog,
            keep_alive: (service.keep_alive != Span::MAX).then(|| service.keep_alive.secs_f64()),
            worker_timeout: service.worker_timeout.map_or(0, |span| span.secs_f64() as u64),
            max_requests: service.max_requests,
            max_requests_jitter: service.max_requests_jitter,
            event_loop: service.event_loop,
            cpus: options.cpus.numbers().to_vec(),
            report_to: report_to.to_path_buf(),
            places: place::ids(scenario),
            database: database(scenario, options.database.as_ref()),
            upstreams: scenario.upstreams.iter().map(upstream).collect(),
            locks: scenario.locks.iter().map(lock).collect(),
            rows: scenario.rows().iter().map(|rows| rows.name.clone()).collect(),
            endpoints: scenario.endpoints.iter().map(|one| endpoint(scenario, one)).collect(),
        }
    }

    /// Worker processes.
    pub(super) fn workers(&self) -> u32 {
        self.workers
    }

    /// What errors call the server.
    pub(super) fn server_name(&self) -> &'static str {
        match self.server {
            Server::Gunicorn => "gunicorn",
            Server::Uvicorn | Server::Axum => "uvicorn",
        }
    }
}

fn database(scenario: &Scenario, at: Option<&DatabaseAt>) -> Option<DatabasePlan> {
    let Database { engine, connections, driver, .. } = scenario.database.as_ref()?;
    let pool = match *connections {
        Connections::PerOperation => None,
        Connections::Pool { size, overflow, timeout, pre_ping, .. } => {
            Some(Pool { size, overflow, timeout: timeout.map(Span::secs_f64), pre_ping })
        }
    };
    let engine = match (engine, at?) {
        (Engine::Sqlite(sqlite), DatabaseAt::File(file)) => EnginePlan::Sqlite {
            file: file.clone(),
            journal_mode: sqlite.journal_mode,
            busy_timeout: sqlite.busy_timeout.secs_f64(),
            pragmas: pragmas_of_a_connection(sqlite),
        },
        (Engine::Postgres(postgres), DatabaseAt::Server(address)) => EnginePlan::Postgres {
            host: HOST,
            port: address.port,
            username: address.user.clone(),
            password: address.password.clone(),
            database: address.database.clone(),
            pooled: postgres
                .pooler()
                .is_some_and(|pooler| pooler.pool_mode == PoolMode::Transaction),
        },
        // What was started is what the scenario says.
        (Engine::Sqlite(_), DatabaseAt::Server(_)) | (Engine::Postgres(_), DatabaseAt::File(_)) => {
            return None;
        }
    };
    Some(DatabasePlan { engine, pool, driver: *driver })
}

/// Idle connections of an httpx client; its own defaults where there is none.
#[derive(Clone, Debug, Serialize)]
struct Kept {
    is_given: bool,
    /// None keeps all.
    connections: Option<u32>,
    /// None keeps them for ever.
    expiry: Option<f64>,
}

impl Kept {
    fn of(spec: &Upstream) -> Kept {
        Kept {
            is_given: spec.client == Some(Client::Httpx),
            connections: spec.kept,
            expiry: spec.expiry.map(Span::secs_f64),
        }
    }
}

impl UpstreamPlan {
    fn new(spec: &Upstream, address: Option<std::net::SocketAddr>) -> UpstreamPlan {
        let path = wire::path_of(&spec.name);
        UpstreamPlan {
            name: spec.name.clone(),
            // A scenario with upstreams has a mock of them.
            url: address.map(|address| format!("http://{address}{path}")).unwrap_or_default(),
            max_connections: spec.max_connections,
            kept: Kept::of(spec),
            pool_timeout: spec.pool_timeout.map(Span::secs_f64),
            max_in_flight: spec.max_in_flight,
            timeout: spec.timeout.map(Span::secs_f64),
            retries: spec.retries,
            pauses: (0..spec.retries).map(|attempt| spec.pause_after(attempt).secs_f64()).collect(),
        }
    }
}

fn lock(lock: &Lock) -> LockPlan {
    LockPlan {
        name: lock.name.clone(),
        holders: lock.holders,
        timeout: lock.timeout.map(Span::secs_f64),
    }
}

fn endpoint(scenario: &Scenario, endpoint: &Endpoint) -> EndpointPlan {
    let program = Program::new(scenario, endpoint);
    EndpointPlan {
        name: endpoint.name.clone(),
        path: wire::path_of(&endpoint.name),
        concurrency: endpoint.concurrency(&scenario.service),
        dependencies: endpoint.dependencies(scenario),
        response_model: endpoint.validates(scenario),
        hold: endpoint.hold(scenario),
        typical: program.typical(),
        steps: program.tasks,
        after: program.after,
    }
}
