//! What can happen.

/// An event of the agenda. Ends of CPU turns, open arrivals and client timeouts are kept
/// beside the agenda, see [`super::Engine::run`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The warm-up is over.
    WindowOpens,
    /// A closed user sends its next request, if it is active.
    Send { user: u32 },
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
    /// An idle processor is awake.
    CoreAwake,
    /// A wait of a known length is over.
    Resume { task: u32 },
    /// A task that polls for a database lock tries again.
    Poll { task: u32 },
    /// A task waits no longer for a slot or connection.
    GiveUp { task: u32, ticket: u32 },
    /// A dropped handshake is tried again.
    RetryHandshake { task: u32, request: u32, generation: u32 },
    /// A waiter for a worker's interpreter lock has lost its patience.
    LockTimer { worker: u32 },
    /// A statement reaches the database server.
    ServerArrival { task: u32 },
    /// The database server is done with a statement.
    ServerDone { task: u32 },
    /// A new period of the CPU quota.
    QuotaRefill,
}
