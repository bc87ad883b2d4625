//! The load generator: drives a service as a scenario says and counts what comes back.
//!
//! Everything is timed from the instant at which the load says that a request should go,
//! not from when the generator was able to send it. A service that stalls cannot hide its
//! stall by delaying the next request.

mod body;
mod client;
mod connection;
mod http;
mod ledger;
mod opening;
mod own;
mod reply;
mod request;
mod series;
mod stay;
mod tally;
mod traffic;
mod users;

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use model::scenario::{Scenario, Source};
use model::workload::Arrivals;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use crate::alarm::{Alarm, NEVER};
use crate::clock;
use crate::machine::raise_open_files;
use client::Client;
use ledger::Schedule;
pub use opening::opening_times;
pub use tally::{
    Account, ClassTally, Connections, GroupTally, InFlight, LoadSecond, Second, Tally,
};
use traffic::Traffic;
use users::{Door, closed_user, closed_users};

/// What load to put on what.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its load, endpoints and seed count.
    pub scenario: Arc<Scenario>,
    /// Where the service listens.
    pub target: SocketAddr,
    /// The service is the user's own: endpoints are asked as they say, if they do, and this is
    /// the `host` of the requests. None of a service that speaks this program's protocol.
    pub own: Option<String>,
}

/// What happens during a run.
#[derive(Debug)]
pub enum Event {
    /// The load begins.
    Started {
        /// When, on the machine's monotonic clock.
        at: u64,
    },
    /// A second is over. The last one may be shorter.
    Second(Box<LoadSecond>),
}

/// Why a run has no result.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No runtime or no timer.
    #[error("the load generator could not start: {0}")]
    Start(#[source] io::Error),
    /// Not the service, the generator's side can open no more connections.
    #[error(
        "the load generator could not open another connection: {0}; \
         fewer users, a higher `ulimit -n` or kept connections need less"
    )]
    Exhausted(#[source] io::Error),
    /// A request was counted twice or not at all: no number of this run can be trusted.
    #[error(
        "the load generator's books do not balance: in {of}, {came} requests came and \
         {accounted} are accounted for; this is a bug"
    )]
    Accounting {
        /// What does not balance.
        of: &'static str,
        /// Requests that came.
        came: u64,
        /// Those that were settled or are in flight.
        accounted: u64,
    },
}

/// Puts the load of `plan` on its service until the window is over or `stop` becomes true,
/// and gives what it has measured until then. Requests in flight at the end are counted as
/// such and abandoned.
///
/// Blocks the thread: give it one of its own, outside of any runtime, pinned where the load
/// generator is to run. The soft limit of open files of this process is raised to the hard
/// one.
///
/// # Errors
/// The generator failed; a service that fails is a result.
pub fn run(
    plan: &Plan,
    stop: watch::Receiver<bool>,
    events: Sender<Event>,
) -> Result<Tally, LoadError> {
    // Every user needs a file. If there are too few all the same, the run says so.
    raise_open_files();
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let (traffic, end) =
        runtime.map_err(LoadError::Start)?.block_on(conduct(plan, stop, events))?;
    // The runtime is gone, and with it every user: this is the only owner.
    let traffic = Rc::into_inner(traffic).expect("no user outlives the runtime");
    let tally = traffic.ledger.into_inner().finish(end);
    tally.balance()?;
    Ok(tally)
}

/// Runs the load. Gives the instant at which it ended.
async fn conduct(
    plan: &Plan,
    mut stop: watch::Receiver<bool>,
    events: Sender<Event>,
) -> Result<(Rc<Traffic>, u64), LoadError> {
    let load = &plan.scenario.load;
    let alarm = Alarm::new().map_err(LoadError::Start)?;
    let clients = preconnect(plan, &alarm).await?;
    let start = clock::now();
    let open = start.saturating_add(load.warmup.nanos());
    let schedule = Schedule { start, open, close: open.saturating_add(load.duration.nanos()) };
    // The receiver may be gone.
    let _ = events.send(Event::Started { at: start });
    let traffic = Rc::new(Traffic::new(plan, schedule, alarm, events));
    let mut tasks = JoinSet::new();
    let mut doors = open_doors(plan, clients, &traffic, &mut tasks);
    loop {
        let mut over = false;
        let turn = traffic.ledger.borrow().next_turn();
        let arrival = doors.iter().map(Door::next_arrival).min().unwrap_or(NEVER);
        tokio::select! {
            biased;
            () = traffic.alarm.sleep_until(turn) => over = clock::now() >= schedule.close,
            () = stopped(&mut stop) => over = true,
            () = traffic.alarm.sleep_until(arrival) => {}
            Some(ended) = tasks.join_next() => settle(ended)?,
        }
        // At the end too: a request that was due by then counts as sent, and is in flight.
        for door in &mut doors {
            door.open(&traffic, |visit| drop(tasks.spawn_local(visit.run())));
        }
        let now = clock::now();
        traffic.ledger.borrow_mut().catch_up(now);
        if over {
            return Ok((traffic, now));
        }
        // Arrivals that are late already must not keep the users from running.
        tokio::task::yield_now().await;
    }
}

/// How long connections that were opened ahead are left to be accepted.
const ACCEPTED: u64 = 500_000_000;

/// The closed users of each load that are connected before it begins; none unless it says so.
async fn preconnect(plan: &Plan, alarm: &Alarm) -> Result<Vec<Vec<Client>>, LoadError> {
    let mut clients = Vec::new();
    for group in plan.scenario.load.groups().iter() {
        let mut own = Vec::new();
        if let Source::Closed { users, preconnect: true, .. } = &group.load.source {
            for _ in closed_users(users) {
                own.push(Client::connected(plan.target).await?);
            }
        }
        clients.push(own);
    }
    if clients.iter().any(|own| !own.is_empty()) {
        alarm.sleep_until(clock::now().saturating_add(ACCEPTED)).await;
    }
    Ok(clients)
}

/// Starts the closed users of each load; returns the doors that start open arrivals.
fn open_doors(
    plan: &Plan,
    clients: Vec<Vec<Client>>,
    traffic: &Rc<Traffic>,
    tasks: &mut JoinSet<Result<(), LoadError>>,
) -> Vec<Door> {
    let mut doors = Vec::new();
    let groups = plan.scenario.load.groups();
    for (load, (group, own)) in groups.iter().zip(clients).enumerate() {
        if let Source::Closed { users, .. } = &group.load.source {
            let own = own.into_iter().chain(std::iter::repeat_with(Client::default));
            for ((user, active), client) in closed_users(users).zip(own) {
                if client.is_connected() {
                    traffic.ledger.borrow_mut().connected(false);
                }
                tasks.spawn_local(closed_user(Rc::clone(traffic), load, user, active, client));
            }
        }
        if let Source::Open { max_users, .. } | Source::Replay { max_users, .. } = group.load.source
            && let Some(arrivals) = Arrivals::of(plan.scenario.seed, group)
        {
            doors.push(Door::new(traffic, load, arrivals, max_users));
        }
    }
    doors
}

/// Waits until the run is to stop; for ever if the sender is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending().await
    }
}

/// A user has ended, perhaps with an error that ends the run.
fn settle(ended: Result<Result<(), LoadError>, JoinError>) -> Result<(), LoadError> {
    match ended {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Users are cancelled with the runtime only.
            Err(_) => Ok(()),
        },
    }
}

impl LoadError {
    fn exhausted(error: &io::Error) -> LoadError {
        LoadError::Exhausted(io::Error::new(error.kind(), error.to_string()))
    }
}
