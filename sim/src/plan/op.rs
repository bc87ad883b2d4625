//! The instructions that a request is made of.

use std::fmt;

use model::units::Span;

use crate::{cache, database, lock, threads, upstream};

/// An address in the program.
pub type Pc = u32;
/// An index into [`super::Plan::draws`].
pub type DrawId = u32;

/// One instruction. A request runs its class's instructions in order; an instruction that
/// fails continues at its unwind address instead.
///
/// Each resource has instructions of its own.
#[derive(Clone, Copy, PartialEq)]
pub enum Op {
    /// What every request does.
    Basic(Basic),
    /// The processor's caches.
    Cache(cache::Op),
    /// The thread pool.
    Threads(threads::Op),
    /// The database.
    Database(database::Op),
    /// The upstreams.
    Upstream(upstream::Op),
    /// The locks of the application.
    Lock(lock::Op),
}

/// Instructions that need no resource but a thread, the CPU and time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Basic {
    /// The worker reads the request: counts it, or refuses it with 503.
    Admit,
    /// The framework's CPU, more of it the more requests are in flight.
    Request { draw: DrawId, in_flight: Span },
    /// CPU of the handler, holding the interpreter lock.
    Cpu { draw: DrawId },
    /// A fixed amount of CPU, holding the interpreter lock.
    Burn { span: Span },
    /// CPU of the first request of a process, holding the interpreter lock.
    First { span: Span },
    /// A wait that blocks its thread.
    Block { draw: DrawId },
    /// A wait that is parked where the concurrency model parks.
    Sleep { draw: DrawId },
    /// Moves to the event loop of the worker.
    ToLoop,
    /// Waits until the event loop has come round once.
    Turn,
    /// Starts a branch at each address of [`super::Plan::forks`] and waits for all.
    Fork { fork: u32 },
    /// Ends a branch.
    BranchEnd,
    /// Continues elsewhere.
    Jump { to: Pc },
    /// Sends the reply.
    Respond,
    /// Sends the reply; the worker goes on with what it does after it.
    Reply,
    /// Begins the scenario's work after the reply; if it is `admitted`, the worker counts the request
    /// among its tasks until that ends.
    After { admitted: bool },
    /// Ends that work.
    AfterEnd { admitted: bool },
    /// Ends what is done after the reply.
    End,
    /// Ends a handler whose client has gone.
    Drop,
}

impl Op {
    /// True for what the database library does by itself: it runs outside the interpreter
    /// lock, from the start of a statement to its end.
    #[inline]
    pub fn is_native(&self) -> bool {
        matches!(self, Op::Database(op) if op.is_native())
    }

    /// True if it may continue at its unwind address.
    pub(super) fn can_fail(&self) -> bool {
        match self {
            Op::Basic(op) => matches!(op, Basic::Fork { .. }),
            Op::Database(op) => op.can_fail(),
            Op::Upstream(op) => op.can_fail(),
            Op::Lock(op) => op.can_fail(),
            Op::Cache(_) | Op::Threads(_) => false,
        }
    }

    /// What the instruction does, in words, for traces.
    pub fn verb(&self) -> &'static str {
        match self {
            Op::Basic(op) => op.verb(),
            Op::Cache(op) => op.verb(),
            Op::Threads(op) => op.verb(),
            Op::Database(op) => op.verb(),
            Op::Upstream(op) => op.verb(),
            Op::Lock(op) => op.verb(),
        }
    }
}

/// Without the name of the resource.
impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Basic(op) => op.fmt(f),
            Op::Cache(op) => op.fmt(f),
            Op::Threads(op) => op.fmt(f),
            Op::Database(op) => op.fmt(f),
            Op::Upstream(op) => op.fmt(f),
            Op::Lock(op) => op.fmt(f),
        }
    }
}

impl Basic {
    fn verb(&self) -> &'static str {
        match self {
            Basic::Admit => "admit, or refuse with 503",
            Basic::Request { .. } => "framework CPU",
            Basic::Cpu { .. } => "CPU",
            Basic::Burn { .. } => "library CPU",
            Basic::First { .. } => "CPU of the process's first request",
            Basic::Block { .. } => "block the thread",
            Basic::Sleep { .. } => "wait",
            Basic::ToLoop => "hand over to the event loop",
            Basic::Turn => "wait for the event loop to come round",
            Basic::Fork { .. } => "start branches and wait for all",
            Basic::BranchEnd => "end of a branch",
            Basic::Jump { .. } => "go to",
            Basic::Respond | Basic::Reply => "reply",
            Basic::After { .. } => "begin the work after the reply",
            Basic::AfterEnd { .. } => "account for the work after the reply",
            Basic::End => "end of the work after the reply",
            Basic::Drop => "end of a handler whose client has gone",
        }
    }
}

impl From<Basic> for Op {
    fn from(op: Basic) -> Op {
        Op::Basic(op)
    }
}
