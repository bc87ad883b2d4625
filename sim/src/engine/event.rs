//! What can happen.

/// An event of the agenda. Ends of CPU turns, open arrivals and client timeouts are kept
/// beside the agenda, see [`super::Engine::run`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The warm-up is over.
    WindowOpens,
    /// A closed user sends its next request, if it is active.
    Send { user: u32 },
    /// A user sends again what was not answered well.
    Retry { user: u32 },
    /// The client has opened a connection.
    Connected { task: u32 },
    /// A request reaches the service, or the handshake before it.
    Arrive { task: u32 },
    /// A request reaches the service on a connection that is new.
    Written { task: u32 },
    /// A reply reaches its client.
    Deliver { task: u32 },
    /// A client closes its connection, unless it has sent something since.
    ClientCloses { user: u32, iteration: u64 },
    /// A client learns that the service closed its connection.
    CloseNoticed { user: u32 },
    /// A client learns that what it sent came to a connection that was closed.
    Lost { task: u32 },
    /// The supervisor looks at when its workers gave a sign of life.
    SupervisorLooks,
    /// A worker has answered as many requests as it is to, in this life of it.
    Recycle { worker: u32, life: u32 },
    /// An idle processor is awake.
    CoreAwake,
    /// A wait of a known length is over.
    Resume { task: u32, ticket: u32 },
    /// A task that polls for a database lock tries again.
    Poll { task: u32 },
    /// A task waits no longer for a slot or connection.
    GiveUp { task: u32, ticket: u32 },
    /// A dropped handshake is tried again.
    RetryHandshake { task: u32, request: u32, generation: u32 },
    /// A client whose patience was drawn loses it.
    Patience { request: u32, generation: u32 },
    /// A waiter for a worker's interpreter lock has lost its patience.
    LockTimer { worker: u32 },
    /// A statement reaches the database server.
    ServerArrival { task: u32 },
    /// The pooler in front of the database server has passed on a command.
    PoolerPassed { task: u32 },
    /// A statement gets the row that it waited for.
    RowGranted { task: u32, ticket: u32 },
    /// A session looks for a deadlock.
    DeadlockTimeout { task: u32, ticket: u32 },
    /// A statement waits no longer for a row.
    LockTimeout { task: u32, ticket: u32 },
    /// The database server is no longer patient with a statement.
    StatementTimeout { task: u32, ticket: u32 },
    /// It is no longer patient with a session that is idle in a transaction.
    IdleInTransaction { connection: u32 },
    /// The log of the database server is synced.
    LogSynced,
    /// Something fails on schedule.
    FaultBegins { fault: u32 },
    /// It is back.
    FaultEnds,
    /// An upstream that works on so many calls at a time has done one.
    UpstreamDone { upstream: u32, task: u32, ticket: u32 },
    /// A new period of the CPU quota.
    QuotaRefill,
}

impl Event {
    /// The task that it happens to.
    pub(crate) fn task(&self) -> Option<u32> {
        match *self {
            Event::Connected { task }
            | Event::Arrive { task }
            | Event::Written { task }
            | Event::Deliver { task }
            | Event::Lost { task }
            | Event::Resume { task, .. }
            | Event::Poll { task }
            | Event::GiveUp { task, .. }
            | Event::RetryHandshake { task, .. }
            | Event::ServerArrival { task }
            | Event::PoolerPassed { task }
            | Event::RowGranted { task, .. }
            | Event::DeadlockTimeout { task, .. }
            | Event::LockTimeout { task, .. }
            | Event::StatementTimeout { task, .. } => Some(task),
            // An upstream works on, also if its caller has gone.
            Event::UpstreamDone { .. }
            | Event::WindowOpens
            | Event::Send { .. }
            | Event::Retry { .. }
            | Event::ClientCloses { .. }
            | Event::CloseNoticed { .. }
            | Event::SupervisorLooks
            | Event::Recycle { .. }
            | Event::CoreAwake
            | Event::IdleInTransaction { .. }
            | Event::LogSynced
            | Event::FaultBegins { .. }
            | Event::FaultEnds
            | Event::LockTimer { .. }
            | Event::Patience { .. }
            | Event::QuotaRefill => None,
        }
    }
}
