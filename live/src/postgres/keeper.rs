//! The child process that makes a cluster, starts its server, and ends it when it is told to or
//! when its parent ends, however that ends.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use model::distribution::Distribution;
use model::read::load_text;
use model::scenario::Postgres;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tokio::runtime::Runtime;

use super::binaries::Binaries;
use super::faults::{Faults, Log};
use super::network::{Network, Way};
use super::pooler::{self, Looks};
use super::reading::{PoolerReading, Reading};
use super::server::{DATABASE, Kept, LOOK, Server, Used};
use super::watcher::Watcher;
use super::{Address, data, settings};
use crate::clock;
use crate::dataset::Table;
use crate::machine::{Cpus, Holdings, pin, raise_open_files};
use crate::supervisor::Control;

/// The database that every cluster has.
const FIRST: &str = "postgres";
/// How long a server may take to answer after its start.
pub(super) const START: Duration = Duration::from_secs(60);
/// How many ports are tried, each free a moment before.
pub(super) const PORTS: usize = 5;

/// What to start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Start {
    /// Name of the scenario.
    pub(super) name: String,
    /// The resolved scenario as TOML, complete.
    pub(super) scenario: String,
    /// Root of the draws of this round.
    pub(super) seed: u64,
    /// Where the programs are.
    pub(super) programs: PathBuf,
    /// Their version.
    pub(super) version: String,
    /// The folder of the cluster.
    pub(super) folder: PathBuf,
    /// Processors of the server; empty leaves that to the system.
    pub(super) server: Cpus,
    /// Those of this process, which is the network to it.
    pub(super) network: Cpus,
}

/// The server answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Ready {
    /// Where.
    pub(super) address: Address,
}

type Channel = Control<Start, Ready, Reading>;

/// Runs the process to its end. Only a supervisor starts it.
///
/// # Errors
/// The process has no parent that speaks to it.
pub(crate) fn run_database_process() -> Result<(), String> {
    let control = Channel::from_stdout().map_err(|error| error.to_string())?;
    let start = control.start();
    let (kept, pooled) = (Kept::default(), Kept::default());
    let at_end = [pooled.clone(), kept.clone()];
    // Both at once: a parent does not wait for one after the other.
    control.before_end(move || {
        std::thread::scope(|scope| {
            for one in &at_end {
                scope.spawn(|| one.end());
            }
        });
    });
    match serve(&control, &start, &kept, &pooled) {
        Ok(never) => match never {},
        Err(why) => {
            pooled.end();
            kept.end();
            control.fail(&why)
        }
    }
}

fn serve(
    control: &Channel,
    start: &Start,
    kept: &Kept,
    pooled: &Kept,
) -> Result<Infallible, String> {
    raise_open_files();
    pin(&start.network).map_err(|error| error.to_string())?;
    let resolved = load_text(&start.name, &start.scenario, &[]);
    let scenario = resolved.map_err(|error| error.to_string())?.scenario;
    let postgres = settings(&scenario).ok_or("the scenario has no Postgres server")?;
    let binaries = Binaries::at(start.programs.clone(), start.version.clone());
    let server = Server::make(binaries, &start.folder, kept.clone())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no event loop: {error}"))?;
    let port = run(&server, (start, postgres), kept, &runtime)?;
    let turns = runtime
        .block_on(prepare(&server, port, Table::of(&scenario).rows(), postgres))
        .map_err(|error| format!("the database cannot be filled: {error}"))?
        .ok_or("the system does not tell the CPU time of the server's processes")?;
    let service = server.service(port, turns);
    let watcher = Watcher::new(server.admin(port, FIRST), service.clone());
    // Where the way to the server ends.
    let front = match postgres.pooler() {
        None => port,
        Some(settings) => runtime.block_on(pooler::start(&server, port, settings, pooled))?,
    };
    runtime.block_on(async {
        let way = match &postgres.round_trip {
            Distribution::Constant(span) if span.is_zero() => None,
            trip => {
                let (round_trip, connections) = (trip.clone(), AtomicU64::new(0));
                let (port, seed) = (front, start.seed);
                Some(Way::open(Network { port, round_trip, seed, connections }))
            }
        };
        let way = way.transpose().map_err(|error| format!("no free port: {error}"))?;
        let address = way.as_ref().map_or(front, |way| way.port);
        let looking = tokio::runtime::Handle::current();
        let ready = Ready { address: Address { port: address, ..service } };
        tokio::spawn(watcher.clone().watch());
        let looks = postgres.pooler().map(|_| Looks::default());
        if let Some(looks) = &looks {
            let (console, of) = (pooler::console(&server, front), DATABASE.to_string());
            tokio::spawn(looks.clone().watch(console, of));
        }
        let happened = Log::default();
        let (counted, of, log) = (watcher.clone(), kept.clone(), happened.clone());
        let pooler = looks.map(|looks| (looks, pooled.clone()));
        control.ready(ready, move || Reading {
            pooler: pooler.as_ref().map(|(looks, process)| of_pooler(looks, process)),
            ..looking.block_on(read(&counted, &of, &log))
        });
        let mut faults = Faults {
            server: &server,
            kept,
            watcher,
            start,
            settings: postgres,
            port,
            way,
            happened,
        };
        loop {
            if let Some(began) = control.load_began() {
                faults.carry_out(&scenario.faults, began).await?;
            }
            still_runs(&server, kept)?;
            if let Some(ended) = pooled.ended().filter(|_| postgres.pooler().is_some()) {
                let status = ended.err().unwrap_or_else(|| "unasked".into());
                return Err(server.last_words("pgbouncer", &status));
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}

/// The CPU time, memory and pools of PgBouncer up to now.
fn of_pooler(looks: &Looks, process: &Kept) -> PoolerReading {
    let tree = process.tree();
    let memory = tree.processes.iter().filter_map(|one| Holdings::of(one.pid).resident);
    PoolerReading { cpu: process.used(None).server, memory: memory.sum(), pools: looks.seen() }
}

/// Makes sure that the server has not ended.
///
/// # Errors
/// It has, unasked, and what it said.
pub(super) fn still_runs(server: &Server, kept: &Kept) -> Result<(), String> {
    let Some(ended) = kept.ended() else { return Ok(()) };
    let status = ended.err().unwrap_or_else(|| "unasked".into());
    Err(server.last_words("postgres", &status))
}

/// Starts the server on its processors, and waits until it answers. Returns its port.
fn run(
    server: &Server,
    (start, settings): (&Start, &Postgres),
    kept: &Kept,
    runtime: &Runtime,
) -> Result<u16, String> {
    let mut failed = String::new();
    for _ in 0..PORTS {
        let port = Server::free_port()?;
        launch(server, start, settings, port)?;
        match runtime.block_on(answer(server, port, kept)) {
            Ok(()) => return Ok(port),
            Err(why) => failed = why,
        }
        if !failed.contains("could not create any TCP/IP sockets") {
            break;
        }
    }
    Err(failed)
}

/// Starts the server at `port`, on its processors.
pub(super) fn launch(
    server: &Server,
    start: &Start,
    settings: &Postgres,
    port: u16,
) -> Result<(), String> {
    // What a thread starts runs where the thread does.
    pin(&start.server).map_err(|error| error.to_string())?;
    server.start(settings, port)?;
    pin(&start.network).map_err(|error| error.to_string())
}

/// Waits until the server answers on `port`.
pub(super) async fn answer(server: &Server, port: u16, kept: &Kept) -> Result<(), String> {
    let deadline = Instant::now() + START;
    loop {
        let why = match PgConnection::connect_with(&server.admin(port, FIRST).options()).await {
            Ok(connection) => return connection.close().await.map_err(|error| error.to_string()),
            Err(error) => error.to_string(),
        };
        still_runs(server, kept)?;
        if Instant::now() >= deadline {
            return Err(format!("postgres does not answer: {why}"));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Makes the database that is measured. Returns how fast the server computes.
async fn prepare(
    server: &Server,
    port: u16,
    rows: u32,
    settings: &Postgres,
) -> Result<Option<f64>, sqlx::Error> {
    let service = server.service(port, 0.0);
    let mut first = PgConnection::connect_with(&server.admin(port, FIRST).options()).await?;
    first.execute(AssertSqlSafe(format!("CREATE DATABASE {}", service.database))).await?;
    first.close().await?;
    let admin = server.admin(port, &service.database);
    let mut connection = PgConnection::connect_with(&admin.options()).await?;
    data::fill(&mut connection, &service, rows).await?;
    data::limit(&mut connection, &service, settings).await?;
    let turns = data::turns_per_nano(&mut connection).await?;
    connection.close().await?;
    Ok(turns)
}

/// What is known of the server now. One that is down, or stands still, is not asked.
async fn read(watcher: &Watcher, kept: &Kept, happened: &Log) -> Reading {
    let faults = happened.all();
    let fails = faults.last().is_some_and(|last| last.lasted.is_none());
    let (counters, looking) = match fails {
        true => (None, watcher.process_if_idle()),
        false => (watcher.counters().await, watcher.process().await),
    };
    let Used { server, watching } = kept.used(looking);
    let tree = kept.tree();
    let memory = tree.processes.iter().filter_map(|one| Holdings::of(one.pid).resident);
    Reading {
        at: clock::now(),
        cpu: server,
        watching,
        network: clock::process_cpu(),
        network_memory: Holdings::own().resident.unwrap_or(0),
        memory: memory.sum(),
        sessions: watcher.sessions(),
        counters,
        pooler: None,
        faults,
    }
}
