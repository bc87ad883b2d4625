//! The database's client, and the handlers that can use it.

use super::Problems;
use crate::keys::Fields;
use crate::read::diagnostic::{Problem, brief};
use crate::scenario::{
    Concurrency, Connections, DatabaseClient, DriverMode, Engine, Pooler, Scenario, Server, Step,
};

/// asyncpg has to be awaited, sqlx is Rust's, and a file has no server that could be pinged.
pub(super) fn check(scenario: &Scenario, root: &Fields, problems: &mut Problems) {
    let (Some(database), Some(table)) = (&scenario.database, root.table("database")) else {
        return;
    };
    let pings = matches!(database.connections, Connections::Pool { pre_ping: true, .. });
    let Engine::Postgres(postgres) = &database.engine else {
        if pings {
            let at = table.table("connections").map_or(table.at, |pool| pool.position("pre_ping"));
            problems.push(
                Problem::new(at, "`database.connections.pre_ping` with `engine = \"sqlite\"`")
                    .allowed("`pre_ping` only with `engine = \"postgres\"`")
                    .advice("remove `pre_ping`: a file has no server that could be gone"),
            );
        }
        return;
    };
    if postgres.pooler == Pooler::None && postgres.pgbouncer.is_some() {
        problems.push(
            Problem::new(table.position("pgbouncer"), "`database.pgbouncer` without a pooler")
                .allowed("`pgbouncer` only with `pooler = \"pgbouncer\"`")
                .advice("write `pooler = \"pgbouncer\"`, or remove `pgbouncer`"),
        );
    }
    if postgres.pooler == Pooler::PgBouncer
        && postgres.idle_in_transaction_session_timeout.is_some()
    {
        let key = "idle_in_transaction_session_timeout";
        problems.push(
            Problem::new(table.position(key), format!("`database.{key}` behind PgBouncer"))
                .allowed(format!("`{key}` only with `pooler = \"none\"`"))
                .advice("remove it, or the pooler"),
        );
    }
    let Some(client) = postgres.client else { return };
    let mut refuse = |found: String, allowed: &str, advice: &str| {
        let at = table.position("client");
        problems.push(Problem::new(at, found).allowed(allowed).advice(advice));
    };
    let server = scenario.service.server;
    if (client == DatabaseClient::Sqlx) != (server == Server::Axum) {
        let (client, server) = (client.as_str(), server.as_str());
        return refuse(
            format!("`database.client` is \"{client}\" with `service.server = \"{server}\"`"),
            "\"sqlx\" on axum, \"psycopg\" or \"asyncpg\" on uvicorn and gunicorn",
            "name the client of the service's own language",
        );
    }
    let blocks = scenario.endpoints.iter().find(|endpoint| {
        let of = endpoint.concurrency(&scenario.service);
        let awaited = of == Concurrency::Async && database.driver == DriverMode::Async;
        !awaited && endpoint.all_steps().any(Step::uses_database)
    });
    if let Some(endpoint) = blocks.filter(|_| client == DatabaseClient::Asyncpg) {
        refuse(
            format!(
                "`database.client` is \"asyncpg\", and the endpoint `{}` blocks in it",
                brief(&endpoint.name)
            ),
            "`asyncpg` where every handler that uses the database awaits it",
            "write `client = \"psycopg\"`",
        );
    }
}
