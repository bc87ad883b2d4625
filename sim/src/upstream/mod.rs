//! Upstreams as the workers call them: semaphore, client connections, attempts, retries.

mod answer;
mod compile;
mod explain;
mod kept;
mod run;
mod server;

pub(crate) use answer::Observed;
pub(crate) use answer::{bounds, candidates, stations, visit};
pub(crate) use explain::explain;
pub(crate) use kept::Kept;
pub(crate) use server::Server;

use model::scenario::{Client, Concurrency, Scenario, Step};
use model::units::{Instant, Span};

use crate::engine::NONE;
use crate::observe::ErrorKind;
use crate::plan::{DrawId, Pc};
use crate::slots::Slots;

/// An index into the scenario's upstreams.
pub(crate) type UpstreamId = u32;
/// An HTTP client of a worker: each upstream has one for handlers that await and one for threads.
pub(crate) type ClientId = u32;

/// Instructions of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// Enters the upstream's semaphore.
    SemaphoreAcquire { upstream: UpstreamId },
    /// Leaves it.
    SemaphoreRelease { upstream: UpstreamId },
    /// Takes a client connection; on timeout continues at `give_up`.
    ConnectionAcquire { upstream: UpstreamId, give_up: Pc },
    /// Asks the client for a connection, and pays for looking at all that there are.
    Choose { client: ClientId, look: LookCost },
    /// Waits until the client has chosen one; on timeout continues at `give_up`.
    Await { client: ClientId, give_up: Pc },
    /// Takes a lock of the chosen connection, and has it when the loop has come round.
    Lock { client: ClientId, lock: u32 },
    /// Lets go of it.
    Unlock { client: ClientId, lock: u32 },
    /// Takes the one that was chosen, or opens it for `span`; if another has taken it, that costs
    /// `miss`, and it chooses `again`.
    Connect { client: ClientId, span: Span, miss: Span, again: Pc },
    /// Gives it back, which closes it unless the client keeps it, and pays for looking at all
    /// that there are.
    Disconnect { client: ClientId, look: LookCost },
    /// Sends an attempt and waits for its reply, failure or timeout.
    Exchange { upstream: UpstreamId, latency: DrawId, failure: DrawId },
    /// Gives the client connection back.
    ConnectionRelease { upstream: UpstreamId },
    /// After a failed attempt: `span` of CPU for its error.
    Failure { span: Span },
    /// After a failed attempt: pauses and goes back to `again`, or fails.
    Retry { upstream: UpstreamId, again: Pc },
}

/// What it costs to look at the connections of a client: CPU for each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LookCost {
    /// Of those that are idle.
    pub idle: Span,
    /// Of those that are in use.
    pub in_use: Span,
}

impl Op {
    pub(crate) fn can_fail(&self) -> bool {
        matches!(self, Op::Retry { .. })
    }

    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Op::SemaphoreAcquire { .. } => "enter the semaphore",
            Op::SemaphoreRelease { .. } => "leave the semaphore",
            Op::ConnectionAcquire { .. } => "take a client connection",
            Op::Choose { .. } => "look at the client's connections and choose one: CPU",
            Op::Await { .. } => "wait for a client connection",
            Op::Lock { .. } => "lock the connection for a turn of the event loop",
            Op::Unlock { .. } => "unlock it",
            Op::Connect { .. } => "take it, open it if it is new: CPU, or choose again",
            Op::Disconnect { .. } => "give it back or close it, and look at all: CPU",
            Op::Exchange { .. } => "call and wait for the reply",
            Op::ConnectionRelease { .. } => "give the client connection back",
            Op::Failure { .. } => "after a failure, handle the error: CPU",
            Op::Retry { .. } => "after a failure, pause and call again",
        }
    }
}

impl From<Op> for crate::plan::Op {
    fn from(op: Op) -> crate::plan::Op {
        crate::plan::Op::Upstream(op)
    }
}

/// What one worker has for its calls.
#[derive(Debug)]
pub(crate) struct Clients {
    /// By upstream.
    pub(crate) semaphores: Vec<Option<Slots>>,
    /// By upstream.
    pub(crate) connections: Vec<Option<Slots>>,
    /// Connections of each HTTP client, by [`ClientId`].
    pub(crate) kept: Vec<Kept>,
}

impl Clients {
    pub(crate) fn new(scenario: &Scenario) -> Clients {
        let slots = |limit: Option<u32>| limit.map(Slots::new);
        let upstreams = &scenario.upstreams;
        Clients {
            semaphores: upstreams.iter().map(|u| slots(u.max_in_flight)).collect(),
            connections: upstreams.iter().map(|u| slots(u.max_connections)).collect(),
            kept: (0..2 * upstreams.len() as u32).map(|id| Kept::of(scenario, id)).collect(),
        }
    }
}

impl Clients {
    /// The clients of an upstream.
    pub(crate) fn kept_of(&self, upstream: usize) -> &[Kept] {
        &self.kept[2 * upstream..2 * upstream + 2]
    }
}

/// Locks of a connection that an async call takes.
fn locks(scenario: &Scenario, upstream: UpstreamId) -> u32 {
    let searched = Client::is_searched(scenario.upstreams[upstream as usize].client);
    if searched { scenario.costs.client.locks } else { 0 }
}

/// Most connections of a client whose calls queue as httpcore has it: those that take locks. Others
/// queue for slots.
pub(crate) fn most(scenario: &Scenario, client: ClientId) -> Option<u32> {
    let upstream = client / 2;
    let queues = client % 2 == 1 && locks(scenario, upstream) > 0;
    scenario.upstreams[upstream as usize].max_connections.filter(|_| queues)
}

/// Clients of an upstream in each worker, each with its own `max_connections`. Where async calls queue
/// as httpcore has it, handlers that block have a client of their own, as `httpx.Client` beside
/// `httpx.AsyncClient`; else all share the connections.
pub(crate) fn clients(scenario: &Scenario, upstream: UpstreamId) -> u32 {
    fn calls(step: &Step, upstream: usize) -> bool {
        matches!(step, Step::Call(index) if *index == upstream)
            || step.inside().iter().any(|step| calls(step, upstream))
    }
    if most(scenario, 2 * upstream + 1).is_none() {
        return 1;
    }
    let is_called = |by_async: bool| {
        scenario.endpoints.iter().any(|endpoint| {
            (endpoint.concurrency(&scenario.service) == Concurrency::Async) == by_async
                && endpoint.all_steps().any(|step| calls(step, upstream as usize))
        })
    };
    if is_called(true) && is_called(false) { 2 } else { 1 }
}

/// What a task has to do with the call that it makes.
#[derive(Clone, Debug)]
pub(crate) struct OfTask {
    /// When the attempt asked for a connection.
    pub(crate) asked: Instant,
    /// Attempts so far.
    pub(crate) attempt: u32,
    /// The connection that it has chosen or uses.
    pub(crate) connection: kept::Connection,
    /// That connection is new.
    pub(crate) opens: bool,
    /// It has been chosen for the task while the task ran.
    pub(crate) is_chosen: bool,
    /// Its place in the client's queue, which it keeps until it has a connection.
    pub(crate) ticket: Option<u64>,
    /// The last attempt is waited for until then.
    pub(crate) until: Option<Instant>,
    /// What became of the last attempt, if it failed.
    pub(crate) outcome: Option<ErrorKind>,
}

impl OfTask {
    pub(crate) const NEW: OfTask = OfTask {
        asked: Instant::START,
        attempt: 0,
        connection: NONE,
        opens: false,
        is_chosen: false,
        ticket: None,
        until: None,
        outcome: None,
    };
}
