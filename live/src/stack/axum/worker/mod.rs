//! A worker process of the axum stack.
//!
//! It runs the steps of its scenario for real on one event loop, as a web service on axum
//! and sqlx would: requests that are parked, that block the loop, or that hold a thread of
//! a pool. Whatever it waits for is timed under the names that predictions use.

mod accept;
mod account;
mod burn;
mod call;
mod context;
mod database;
mod gauge;
mod handler;
mod lag;
mod queries;
mod semaphore;
mod serving;
mod socket;
mod state;
mod stations;
mod steps;
mod upstreams;
mod waiting;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::routing::any;
use axum::{Extension, Router};
use model::scenario::{Scenario, Server};
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Handle};
use tokio::task::coop::unconstrained;

use crate::clock;
use crate::machine::{Cpus, pin};
use crate::stack::{DatabaseAt, Snapshot};
use crate::supervisor::{Control, inherited_listener};
use crate::wire;
use database::Database;
use gauge::Gauge;
use handler::Accepted;
use lag::Lag;
use state::Worker;

/// The parent's first message to a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Start {
    /// The scenario's name.
    pub name: String,
    /// The resolved scenario, its costs included.
    pub scenario: String,
    /// Root of the draws of this round.
    pub seed: u64,
    /// Processors that it runs on.
    pub cpus: Cpus,
    /// Where the upstreams answer, if there are any.
    pub upstream: Option<SocketAddr>,
    /// Where the database is, if there is one.
    pub database: Option<DatabaseAt>,
}

/// What a worker says when it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ready;

/// The loop looks for results of other threads before every second task. Left alone, it
/// would let 31 of its own go first; asyncio has one queue for both.
const GLOBAL_QUEUE_INTERVAL: u32 = 2;

/// A channel to a worker, from its own side.
type Channel = Control<Start, Ready, Snapshot>;

/// Runs a worker process to its end. Only a supervisor starts it.
///
/// # Errors
/// What keeps it from serving, in words.
pub fn run() -> Result<(), String> {
    let control = Channel::from_stdout().map_err(|error| error.to_string())?;
    let listener = inherited_listener().map_err(|error| error.to_string())?;
    let start = control.start();
    match serve(&control, listener, start) {
        Ok(()) => Ok(()),
        Err(why) => control.fail(&why),
    }
}

fn serve(control: &Channel, listener: TcpListener, start: Start) -> Result<(), String> {
    let born = clock::now();
    let resolved = model::read::load_text(&start.name, &start.scenario, &[])
        .map_err(|error| error.to_string())?;
    let scenario = Arc::new(burning(Scenario { seed: start.seed, ..resolved.scenario }));
    pin(&start.cpus).map_err(|error| error.to_string())?;
    // Every file that the process may open may be a connection.
    crate::machine::raise_open_files();
    let idle = Arc::new(Gauge::new());
    let (parked, unparked) = (idle.clone(), idle.clone());
    let runtime = Builder::new_current_thread()
        .enable_all()
        // Results from other threads take turns with what is ready here: one queue, nearly.
        .global_queue_interval(GLOBAL_QUEUE_INTERVAL)
        .on_thread_park(move || parked.enter())
        .on_thread_unpark(move || unparked.leave())
        .max_blocking_threads(scenario.service.threads as usize)
        .build()
        .map_err(|error| format!("no event loop: {error}"))?;
    runtime.block_on(async {
        let database = start.database.map(|at| Database::new(&scenario, &at)).transpose();
        let database = database.map_err(|error| format!("no thread: {error}"))?.flatten();
        let worker = Arc::new(Worker::new(scenario, start.upstream, database)?);
        let listener = tokio::net::TcpListener::from_std(listener)
            .map_err(|error| format!("cannot listen: {error}"))?;
        let lag = Lag::watch(&Handle::current());
        let counted = worker.clone();
        control.ready(Ready, move || snapshot(born, &counted, &idle, &lag));
        // asyncio accepts all that wait, however many: no budget of the runtime cuts it.
        unconstrained(accept::accept(worker.clone(), listener, app(&worker))).await;
        Ok(())
    })
}

/// Of what a profile says of axum itself, nothing has to be burned: this is axum.
fn burning(scenario: Scenario) -> Scenario {
    match scenario.service.server {
        Server::Axum => Scenario { costs: scenario.costs.nothing_burned(), ..scenario },
        Server::Uvicorn | Server::Gunicorn => scenario,
    }
}

fn snapshot(born: u64, worker: &Worker, idle: &Gauge, lag: &Lag) -> Snapshot {
    Snapshot {
        name: String::new(),
        born,
        process: std::process::id(),
        at: clock::now(),
        cpu: clock::process_cpu(),
        loop_idle: idle.read().area,
        lag: lag.take(),
        stations: worker.stations.read(worker.database.as_ref()),
    }
}

/// A route for each endpoint.
fn app(worker: &Arc<Worker>) -> Router {
    let mut app = Router::new();
    for (index, endpoint) in worker.scenario.endpoints.iter().enumerate() {
        let worker = worker.clone();
        let serve = move |accepted: Option<Extension<Accepted>>, headers: HeaderMap| {
            let accepted = accepted.map(|Extension(accepted)| accepted);
            handler::handle(worker.clone(), index, accepted, headers)
        };
        app = app.route(&wire::path_of(&endpoint.name), any(serve));
    }
    app
}
