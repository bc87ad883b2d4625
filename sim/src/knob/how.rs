//! A change in the words of the stack that the scenario names.
//!
//! The options are those of uvicorn and gunicorn, SQLAlchemy, anyio (which has Starlette's thread
//! pool) and httpx; of tokio, sqlx and reqwest for axum; and of SQLite.

use model::report::Setting;
use model::scenario::{Scenario, Server, WorkerClass};
use model::units::Span;

/// How to make the changes; none where the scenario's key says it best.
pub(crate) fn how(scenario: &Scenario, changes: &[Setting]) -> Option<String> {
    let mut words: Vec<String> =
        changes.iter().filter_map(|change| one(scenario, change)).collect();
    words.dedup();
    (!words.is_empty()).then(|| words.join("; "))
}

fn one(scenario: &Scenario, change: &Setting) -> Option<String> {
    let Setting { key, to, .. } = change;
    let rust = scenario.service.server == Server::Axum;
    let last = key.rsplit('.').next().unwrap_or(key);
    let first = key.split('.').next().unwrap_or(key);
    let choose = |python: String, axum: String| Some(if rust { axum } else { python });
    match (first, last) {
        ("service", _) => service(scenario, last, to),
        ("load", "keep_alive_timeout") => Some(format!(
            "the client or balancer closes idle connections after {to} (`keepalive_expiry` of \
             httpx, `keepalive_timeout` of an nginx upstream)"
        )),
        ("endpoint", "concurrency") => concurrency(scenario, to),
        ("endpoint", "begin") => choose(
            "an event listener on the engine's `begin` that runs BEGIN IMMEDIATE".into(),
            "`pool.begin_with(\"BEGIN IMMEDIATE\")`".into(),
        ),
        ("database", "size") => choose(
            format!("`pool_size={to}` in `create_engine`"),
            format!("`max_connections({to})` of sqlx's PoolOptions"),
        ),
        ("database", "overflow") => {
            (!rust).then(|| format!("`max_overflow={to}` in `create_engine`"))
        }
        ("database", "connections") if wsgi(scenario) => Some(
            "Django: `CONN_MAX_AGE` above 0; SQLAlchemy: `poolclass=QueuePool` in `create_engine`"
                .into(),
        ),
        ("database", "connections") => choose(
            "`poolclass=QueuePool` in `create_engine`".into(),
            "one sqlx pool for all requests".into(),
        ),
        ("database", "timeout") => choose(
            format!("`pool_timeout={}` in `create_engine`", seconds(to)),
            format!("`acquire_timeout({to})` of sqlx's PoolOptions"),
        ),
        ("database", "hold") => Some(
            "open the session for each statement or transaction, and close it before slow calls"
                .into(),
        ),
        ("database", "journal_mode") => {
            Some(format!("`PRAGMA journal_mode={}`", to.to_uppercase()))
        }
        ("database", "synchronous") => Some(format!("`PRAGMA synchronous={}`", to.to_uppercase())),
        ("database", "busy_timeout") => Some(format!("`PRAGMA busy_timeout={}`", millis(to))),
        ("database", "max_connections") => {
            Some(format!("`max_connections = {to}` in postgresql.conf, and a restart"))
        }
        ("database", "synchronous_commit") => Some(format!(
            "`synchronous_commit = {to}`: the last commits are lost if the server falls"
        )),
        ("database", "pooler") => {
            Some("PgBouncer with `pool_mode = transaction` before the database server".into())
        }
        ("database", "default_pool_size" | "max_client_conn") => {
            Some(format!("`{last} = {to}` in pgbouncer.ini"))
        }
        ("database", "query_wait_timeout") => {
            Some(format!("`query_wait_timeout = {}` in pgbouncer.ini", seconds(to)))
        }
        ("database", "count") => Some(format!(
            "{to} rows in the place of what many requests lock now, each of which locks one of them"
        )),
        (
            "database",
            "lock_timeout" | "statement_timeout" | "idle_in_transaction_session_timeout",
        ) => Some(format!("`{last} = {}ms` in postgresql.conf, or SET in a session", millis(to))),
        ("database", "cpu") => Some("a database server on a machine of its own".into()),
        ("database", "cores") => Some(format!("a database server with {to} processors")),
        ("upstream", "max_in_flight") => choose(
            format!("`asyncio.Semaphore({to})` around the call"),
            format!("`Semaphore::new({to})` around the call"),
        ),
        ("upstream", "max_connections") => {
            (!rust).then(|| format!("`httpx.Limits(max_connections={to})`"))
        }
        ("upstream", "pool_timeout") => {
            (!rust).then(|| format!("`httpx.Timeout(..., pool={})`", seconds(to)))
        }
        ("upstream", "timeout") => choose(
            format!("`httpx.Timeout({})`", seconds(to)),
            format!("`timeout({to})` of reqwest's ClientBuilder"),
        ),
        ("lock", "holders") => choose(
            format!("a semaphore of {to} instead of the lock, if what it guards allows that"),
            format!("`Semaphore::new({to})` instead of the lock, if what it guards allows that"),
        ),
        ("load", "retry_budget") => Some(format!(
            "a retry budget of {to} in the clients, as Finagle's RetryBudget and Envoy's \
             `retry_budget`"
        )),
        ("cpu", "cores") => Some(format!("{to} processors")),
        ("cpu", "speed") => Some("faster processors".into()),
        ("cpu", "budget") => scenario.cpu.quota.map(|quota| {
            let cpus = span(to) / quota.period.secs_f64();
            format!("`docker run --cpus {cpus}`")
        }),
        _ => None,
    }
}

fn service(scenario: &Scenario, key: &str, to: &str) -> Option<String> {
    let server = scenario.service.server;
    let rust = server == Server::Axum;
    match key {
        "workers" if rust => Some(format!("{to} processes that share the port (SO_REUSEPORT)")),
        "workers" => Some(format!("`--workers {to}`")),
        "threads" if rust => {
            Some(format!("`max_blocking_threads({to})` of tokio's runtime builder"))
        }
        "threads" if wsgi(scenario) => Some(format!("`--threads {to}`")),
        "threads" => Some(format!(
            "`anyio.to_thread.current_default_thread_limiter().total_tokens = {to}` at startup"
        )),
        "limit_concurrency" => {
            (server == Server::Uvicorn).then(|| format!("`--limit-concurrency {to}`"))
        }
        "keep_alive" => match server {
            Server::Uvicorn => Some(format!("`--timeout-keep-alive {}`", seconds(to))),
            Server::Gunicorn => Some(format!("`--keep-alive {}`", seconds(to))),
            Server::Axum => None,
        },
        "worker_timeout" => Some(format!("`--timeout {}`", seconds(to))),
        "max_requests" if server == Server::Gunicorn => Some(format!("`--max-requests {to}`")),
        "max_requests" => Some(format!("`--limit-max-requests {to}`")),
        "backlog" => (!rust).then(|| format!("`--backlog {to}`")),
        "concurrency" => concurrency(scenario, to),
        "worker_class" => Some(format!("`--worker-class {to}`")),
        "spread" if to == "hash" => {
            Some("a listening socket for each worker (SO_REUSEPORT)".into())
        }
        "spread" => Some("a balancer in front that gives each worker its turn".into()),
        _ => None,
    }
}

/// gunicorn's own workers serve Django, Flask and others that know nothing of `async`.
fn wsgi(scenario: &Scenario) -> bool {
    scenario.service.worker_class != WorkerClass::Uvicorn
}

fn concurrency(scenario: &Scenario, to: &str) -> Option<String> {
    let rust = scenario.service.server == Server::Axum;
    // The class of the workers says it.
    if wsgi(scenario) {
        return None;
    }
    match (to, rust) {
        ("async", false) => Some("`async def`, with clients that are awaited".into()),
        ("async", true) => Some("`.await` instead of a blocking call".into()),
        ("threadpool", false) => Some("plain `def`, which runs on a thread".into()),
        ("threadpool", true) => {
            Some("`tokio::task::spawn_blocking` around the blocking call".into())
        }
        _ => None,
    }
}

/// Seconds of a span as it is written in a scenario; 0 for one that is none.
fn span(text: &str) -> f64 {
    Span::parse(text).map_or(0.0, |span| span.secs_f64())
}

fn seconds(text: &str) -> String {
    span(text).to_string()
}

fn millis(text: &str) -> String {
    (span(text) * 1e3).round().to_string()
}
