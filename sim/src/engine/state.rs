//! What the engine keeps of everything that is under way.

use model::place::Place;
use model::units::{Instant, Span};
use model::workload::RequestKey;

use crate::cache;
use crate::cpu::Host;
use crate::database::{self, Pool};
use crate::event_loop::Callbacks;
use crate::interpreter::InterpreterLock;
use crate::observe::ErrorKind;
use crate::plan::{Pc, Plan};
use crate::process::Process;
use crate::threads::ThreadPool;
use crate::upstream::{self, Clients};

/// No thread, task, connection or parent.
pub(crate) const NONE: u32 = u32::MAX;
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
                let slot = &mut self.slots[id as usize];
                renew(slot, &mut value);
                *slot = value;
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

    /// What is not freed.
    pub(crate) fn live(&self) -> impl Iterator<Item = (u32, &T)> {
        let mut freed = vec![false; self.slots.len()];
        self.free.iter().for_each(|&id| freed[id as usize] = true);
        (0..).zip(&self.slots).filter(move |&(id, _)| !freed[id as usize])
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

/// An attempt of a request, from the client's send to the end of the last task that it started.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) key: RequestKey,
    pub(crate) sent: Instant,
    /// When the first attempt of it was sent.
    pub(crate) first: Instant,
    /// Which attempt of it this is, from 0.
    pub(crate) attempt: u32,
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
    /// The task of its handler, until that has ended; [`NONE`] of one that only opens a connection.
    pub(crate) handler: u32,
    /// The client closed its connection before it had an answer.
    pub(crate) gone: bool,
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
    /// Attempts of the handshake so far.
    pub(crate) handshakes: u32,
    pub(crate) database: database::OfTask,
    pub(crate) call: upstream::OfTask,
    /// When what the client sends on a new connection reaches the service, at the earliest.
    pub(crate) sent: Instant,
    /// It is there to be read.
    pub(crate) written: bool,
    pub(crate) place: Place,
    /// It has a token of the thread pool.
    pub(crate) token: bool,
    /// It is work after the reply.
    pub(crate) after: bool,
    /// It gives a connection back, and its waits leave the loop to others.
    pub(crate) beside: bool,
    /// Its loop drops it as soon as it can: the client has gone.
    pub(crate) dropped: bool,
    /// Why it fails, once an instruction has failed.
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
    /// A session of a database server, which works for `task`.
    Session {
        /// The task whose command it executes, or executed last.
        task: u32,
    },
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

/// A thread of a worker process, or of the database server.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub(crate) worker: u32,
    pub(crate) role: Role,
    pub(crate) state: ThreadState,
    /// The machine that it runs on.
    pub(crate) host: Host,
    pub(crate) core: u32,
    /// The task that it carries.
    pub(crate) task: u32,
    /// CPU time that it still needs before it can go on.
    pub(crate) work: Span,
    /// That work needs no interpreter lock.
    pub(crate) native: bool,
    /// A loop has handed this task to another thread, and looks next whether it is back already.
    pub(crate) looks_for: u32,
}

impl Thread {
    /// The process that it belongs to, in numbers of this program's own; `id` is its own number.
    pub(crate) fn process(&self, id: u32) -> u32 {
        // Each session of a database server is a process by itself.
        if self.worker == NONE { NONE - 1 - id } else { self.worker }
    }
}

/// A worker process.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) thread: u32,
    /// Callbacks that are ready to run: tasks, [`crate::event_loop::ACCEPT`] or [`crate::event_loop::HANG_UP`].
    pub(crate) callbacks: Callbacks,
    pub(crate) process: Process,
    pub(crate) accepting: bool,
    /// Connections that were idle for too long while the loop was busy, as (user, iteration).
    pub(crate) expired: Vec<(u32, u64)>,
    pub(crate) lock: InterpreterLock,
    pub(crate) pool_threads: ThreadPool,
    pub(crate) database: Option<Pool>,
    pub(crate) upstreams: Clients,
    /// Client connections that are open.
    pub(crate) clients: u32,
    /// Requests admitted and not answered.
    pub(crate) tasks: u32,
    pub(crate) used: cache::Used,
}

impl Worker {
    /// A worker before its first request, whose loop has the thread `thread`, started for the
    /// `life`-th time after the first.
    pub(crate) fn new(plan: &Plan, id: u32, thread: u32, life: u32, now: Instant) -> Worker {
        let scenario = &plan.scenario;
        let (service, costs) = (&scenario.service, &scenario.costs);
        Worker {
            thread,
            process: Process::new(scenario, plan.seed, id, life, now),
            callbacks: Callbacks::new(service.event_loop),
            accepting: false,
            expired: Vec::new(),
            lock: InterpreterLock::new(costs.interpreter.switch_interval),
            pool_threads: ThreadPool::new(service.threads),
            database: scenario
                .database
                .as_ref()
                .map(|database| Pool::new(database.connections, costs.driver.overtaking)),
            upstreams: Clients::new(scenario),
            clients: 0,
            tasks: 0,
            used: Default::default(),
        }
    }
}

impl Thread {
    pub(crate) fn new(worker: u32, role: Role) -> Thread {
        Thread {
            looks_for: NONE,
            worker,
            role,
            state: ThreadState::Idle,
            host: Host::Service,
            core: 0,
            task: NONE,
            work: Span::ZERO,
            native: false,
        }
    }
}
