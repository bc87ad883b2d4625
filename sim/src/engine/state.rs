//! What the engine keeps of everything that is under way.

use model::costs::Work;
use model::place::Place;
use model::units::{Instant, Span};
use model::workload::RequestKey;

use crate::observe::ErrorKind;
use crate::plan::Pc;
use crate::station::callbacks::Callbacks;
use crate::station::interpreter::InterpreterLock;
use crate::station::kept::{Connection, Kept};
use crate::station::pool::Pool;
use crate::station::slots::Slots;
use crate::station::sqlite;

/// No thread, task, connection or parent.
pub(crate) const NONE: u32 = u32::MAX;
/// The entry of a loop's queue that accepts connections.
pub(crate) const ACCEPT: u32 = u32::MAX - 1;
/// The entry of a loop's queue that closes a connection.
pub(crate) const HANG_UP: u32 = u32::MAX - 2;

/// Reusable slots: memory grows with what is alive, not with what ever was.
#[derive(Debug)]
pub(crate) struct Arena<T> {
    slots: Vec<T>,
    free: Vec<u32>,
}

impl<T> Arena<T> {
    pub(crate) fn new() -> Arena<T> {
        Arena { slots: Vec::new(), free: Vec::new() }
    }

    /// Puts a value in a free slot; `renew` sees the old value, to carry counters over.
    #[inline]
    pub(crate) fn insert(&mut self, value: T, renew: impl FnOnce(&T, &mut T)) -> u32 {
        let mut value = value;
        match self.free.pop() {
            Some(id) => {
                renew(&self.slots[id as usize], &mut value);
                self.slots[id as usize] = value;
                id
            }
            None => {
                self.slots.push(value);
                (self.slots.len() - 1) as u32
            }
        }
    }

    /// Frees a slot. What it held stays readable until it is used again.
    #[inline]
    pub(crate) fn remove(&mut self, id: u32) {
        self.free.push(id);
    }

    /// Slots that are free.
    pub(crate) fn freed(&self) -> impl Iterator<Item = u32> + '_ {
        self.free.iter().copied()
    }

    /// Slots that were ever in use at the same time.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }
}

impl<T> std::ops::Index<u32> for Arena<T> {
    type Output = T;
    #[inline]
    fn index(&self, id: u32) -> &T {
        &self.slots[id as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, id: u32) -> &mut T {
        &mut self.slots[id as usize]
    }
}

/// A request from the client's send to the end of the last task that it started.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) key: RequestKey,
    pub(crate) sent: Instant,
    pub(crate) class: u32,
    pub(crate) user: u32,
    pub(crate) worker: u32,
    /// Tells this request from others that used the slot.
    pub(crate) generation: u32,
    /// Tasks that are not finished.
    pub(crate) tasks: u32,
    /// The client has its answer, or has given up.
    pub(crate) settled: bool,
    /// The worker counts it among its tasks.
    pub(crate) admitted: bool,
}

/// One flow of control on behalf of a request: its handler, or a branch of a gather.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) since: Instant,
    pub(crate) request: u32,
    pub(crate) pc: Pc,
    /// The thread that carries it, [`NONE`] while it is parked or queued at the loop.
    pub(crate) thread: u32,
    /// The task that forked it.
    pub(crate) parent: u32,
    /// The parent's ticket when it forked.
    pub(crate) parent_ticket: u32,
    /// Branches still running.
    pub(crate) branches: u32,
    /// Rises with every wait that can be given up, so that late timers are recognised.
    pub(crate) ticket: u32,
    /// Attempts of the current call, or of the handshake.
    pub(crate) attempt: u32,
    /// Sleeps of the busy handler in the current statement.
    pub(crate) polls: u32,
    /// Database connection.
    pub(crate) connection: u32,
    /// Connection to the upstream that it has chosen or uses.
    pub(crate) client: Connection,
    /// That connection is new.
    pub(crate) opens: bool,
    /// When what the client sends on a new connection reaches the service, at the earliest.
    pub(crate) sent: Instant,
    /// It is there to be read.
    pub(crate) written: bool,
    pub(crate) place: Place,
    /// It copies the write-ahead log.
    pub(crate) checkpointing: bool,
    /// What became of the last attempt of a call.
    pub(crate) outcome: Option<ErrorKind>,
    pub(crate) failed: Option<ErrorKind>,
}

/// What a thread is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Runs the event loop of its worker.
    Loop,
    /// Belongs to the thread pool.
    Pool,
    /// Belongs to a database connection.
    Driver,
}

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThreadState {
    Idle,
    Ready,
    Running,
    /// Sleeps until the interpreter lock is let go.
    WaitsForLock,
    /// Sleeps in a call that blocks.
    Blocked,
}

/// A thread of a worker process.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub(crate) worker: u32,
    pub(crate) role: Role,
    pub(crate) state: ThreadState,
    pub(crate) core: u32,
    /// The task that it carries.
    pub(crate) task: u32,
    /// CPU time that it still needs before it can go on.
    pub(crate) work: Span,
    /// That work needs no interpreter lock.
    pub(crate) native: bool,
}

/// A worker process.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) thread: u32,
    /// Callbacks that are ready to run: tasks, [`ACCEPT`] or [`HANG_UP`].
    pub(crate) callbacks: Callbacks,
    pub(crate) accepting: bool,
    pub(crate) lock: InterpreterLock,
    pub(crate) tokens: Slots,
    /// Pool threads without work; the latest is reused first.
    pub(crate) idle_threads: Vec<u32>,
    pub(crate) pool: Option<Pool>,
    pub(crate) semaphores: Vec<Option<Slots>>,
    pub(crate) connections: Vec<Option<Slots>>,
    /// Connections of each HTTP client, as [`crate::plan::ClientId`] counts them.
    pub(crate) kept: Vec<Kept>,
    /// Client connections that are open.
    pub(crate) clients: u32,
    /// Requests admitted and not answered.
    pub(crate) tasks: u32,
    /// When it last did each kind of [`Work`].
    pub(crate) used: [Option<Instant>; Work::COUNT],
}

/// A database connection.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseConnection {
    /// Its own thread under an async driver.
    pub(crate) thread: u32,
    pub(crate) open: bool,
    /// It has not committed yet.
    pub(crate) fresh: bool,
    pub(crate) hold: sqlite::Hold,
}

/// A user of the load generator and its connection.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// Requests sent so far.
    pub(crate) iteration: u64,
    /// The worker that its open connection leads to, or [`NONE`].
    pub(crate) worker: u32,
    /// Between requests.
    pub(crate) idle: bool,
}
