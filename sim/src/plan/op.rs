//! The instructions that a request is made of.

use model::costs::Work;
use model::units::Span;

/// A place in the program.
pub type Pc = u32;
/// An index into [`super::Plan::draws`].
pub type DrawId = u32;
/// An index into the scenario's upstreams.
pub type UpstreamId = u32;
/// An HTTP client of a worker: each upstream has one for handlers that await and one for threads.
pub type ClientId = u32;

/// One instruction. A request runs its class's instructions in order; an instruction that
/// fails continues at its unwind address instead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// The worker reads the request: counts it, or refuses it with 503.
    Admit,
    /// The framework's CPU, more of it the more requests are in flight.
    Request { draw: DrawId, in_flight: Span },
    /// CPU to bring back what `work` needs, `cold` if nothing of it is left in the caches.
    Refill { work: Work, cold: Span },
    /// CPU of the handler, holding the interpreter lock.
    Cpu { draw: DrawId },
    /// CPU outside the interpreter lock.
    Native { draw: DrawId },
    /// A fixed amount of CPU, holding the interpreter lock.
    Burn { span: Span },
    /// A wait that blocks its thread.
    Block { draw: DrawId },
    /// A wait that is parked where the concurrency model parks.
    Sleep { draw: DrawId },
    /// Takes a thread-pool token, then moves to a pool thread.
    TokenAcquire,
    /// Gives the token back.
    TokenRelease,
    /// Moves to the event loop of the worker.
    ToLoop,
    /// Waits until the event loop has come round once.
    Turn,
    /// Moves to the thread of the database connection.
    ToDriver,
    /// Takes a database connection; waits for one if the pool is exhausted.
    Checkout,
    /// Skips to `open` if the connection is open already.
    SkipIfOpen { open: Pc },
    /// CPU for what other requests have displaced from the caches, if all of it is.
    Crowded { span: Span },
    /// The connection is open from here on.
    Opened,
    /// Skips to `keep` if the connection goes back to the pool open.
    SkipIfKept { keep: Pc },
    /// CPU of the last connection to a write-ahead log.
    LastCloseCpu { span: Span },
    /// The last connection to a write-ahead log copies it into the database.
    LastClose { sync: DrawId },
    /// The connection is closed from here on.
    Closed,
    /// Gives the database connection back.
    Checkin,
    /// Begins to read: shared lock, or snapshot.
    BeginRead,
    /// Ends a read outside a transaction.
    EndRead,
    /// Takes the write lock; after a read in the same transaction, without waiting.
    BeginWrite,
    /// Counts pages changed.
    Change { pages: u32 },
    /// Excludes readers, as a rollback journal must before it writes the database.
    CommitLock,
    /// CPU of the engine and the kernel for a commit, if there is anything to commit.
    CommitCpu { span: Span },
    /// Waits for the syncs of a commit.
    CommitSync { sync: DrawId },
    /// The commit is done: locks are released.
    CommitEnd,
    /// Checkpoints the write-ahead log if it has grown long enough.
    Checkpoint { sync: DrawId },
    /// The checkpoint is done.
    CheckpointEnd,
    /// Gives up a transaction: locks are released.
    Rollback,
    /// A statement on a database server.
    Server { engine: DrawId, round_trip: DrawId },
    /// Enters the upstream's semaphore.
    SemaphoreAcquire { upstream: UpstreamId },
    /// Leaves it.
    SemaphoreRelease { upstream: UpstreamId },
    /// Takes a client connection; on timeout continues at `give_up`.
    ConnectionAcquire { upstream: UpstreamId, give_up: Pc },
    /// Chooses a connection of the client, and pays for looking at all that there are.
    Choose { client: ClientId, look: LookCost },
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
    /// After a failed attempt: pauses and goes back to `again`, or fails.
    Retry { upstream: UpstreamId, again: Pc },
    /// Starts a branch at each address of [`super::Plan::forks`] and waits for all.
    Fork { fork: u32 },
    /// Ends a branch.
    BranchEnd,
    /// Continues elsewhere.
    Jump { to: Pc },
    /// Sends the reply.
    Respond,
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
    /// True for what the database library does by itself: it runs outside the interpreter
    /// lock, from the start of a statement to its end.
    pub fn is_native(&self) -> bool {
        matches!(
            self,
            Op::Native { .. }
                | Op::BeginRead
                | Op::EndRead
                | Op::BeginWrite
                | Op::Change { .. }
                | Op::CommitLock
                | Op::CommitCpu { .. }
                | Op::CommitSync { .. }
                | Op::CommitEnd
                | Op::Checkpoint { .. }
                | Op::CheckpointEnd
                | Op::LastCloseCpu { .. }
                | Op::LastClose { .. }
                | Op::Rollback
        )
    }

    /// What the instruction does, in words, for `sim explain`.
    pub fn verb(&self) -> &'static str {
        match self {
            Op::Admit => "admit, or refuse with 503",
            Op::Request { .. } => "framework CPU",
            Op::Cpu { .. } => "CPU",
            Op::Native { .. } => "engine CPU, interpreter lock released",
            Op::Burn { .. } => "library CPU",
            Op::Refill { .. } => "CPU for what the caches have lost",
            Op::Block { .. } => "block the thread",
            Op::Sleep { .. } => "wait",
            Op::TokenAcquire => "wait for a pool thread",
            Op::TokenRelease => "give the pool thread back",
            Op::ToLoop => "hand over to the event loop",
            Op::Turn => "wait for the event loop to come round",
            Op::ToDriver => "hand over to the connection's thread",
            Op::Checkout => "take a database connection",
            Op::SkipIfOpen { .. } => "if it is open already, skip opening",
            Op::Crowded { .. } => "CPU for what others have displaced",
            Op::Opened => "the connection is open",
            Op::SkipIfKept { .. } => "if the pool keeps it, skip closing",
            Op::LastCloseCpu { .. } => "if it is the last connection, remove the log: CPU",
            Op::LastClose { .. } => "if it is the last connection, copy the log back",
            Op::Closed => "the connection is closed",
            Op::Checkin => "give the connection back",
            Op::BeginRead => "take the shared lock or a snapshot",
            Op::EndRead => "release it",
            Op::BeginWrite => "take the write lock",
            Op::Change { .. } => "change pages",
            Op::CommitLock => "exclude readers",
            Op::CommitCpu { .. } => "commit CPU, interpreter lock released",
            Op::CommitSync { .. } => "wait for the commit's syncs",
            Op::CommitEnd => "release the locks",
            Op::Checkpoint { .. } => "if the log is long, copy it back",
            Op::CheckpointEnd => "the log is copied",
            Op::Rollback => "roll back",
            Op::Server { .. } => "statement on the database server",
            Op::SemaphoreAcquire { .. } => "enter the semaphore",
            Op::SemaphoreRelease { .. } => "leave the semaphore",
            Op::ConnectionAcquire { .. } => "take a client connection",
            Op::Choose { .. } => "look at the client's connections and choose one: CPU",
            Op::Lock { .. } => "lock the connection for a turn of the event loop",
            Op::Unlock { .. } => "unlock it",
            Op::Connect { .. } => "take it, open it if it is new: CPU, or choose again",
            Op::Disconnect { .. } => "give it back or close it, and look at all: CPU",
            Op::Exchange { .. } => "call and wait for the reply",
            Op::ConnectionRelease { .. } => "give the client connection back",
            Op::Retry { .. } => "after a failure, pause and call again",
            Op::Fork { .. } => "start branches and wait for all",
            Op::BranchEnd => "end of a branch",
            Op::Jump { .. } => "go to",
            Op::Respond => "reply",
        }
    }
}
