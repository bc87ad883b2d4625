//! Database steps: connections, SQLite's locks and syncs, the database server.

use model::units::Span;

use super::Engine;
use super::state::{DatabaseConnection, NONE, Role, Thread, ThreadState};
use super::step::Flow;
use crate::event::Event;
use crate::observe::{ErrorKind, Limit};
use crate::plan::{DrawId, Op, Pc, SqlitePlan};
use crate::station::callbacks::Via;
use crate::station::pool::{Checkin, Checkout, Pool};
use crate::station::sqlite::{self, Locks, Refusal};
use crate::trace::Trace;
use model::place::{self, Place};
use model::scenario::{Concurrency, Connections, JournalMode, Synchronous};

/// Files that the last connection to a write-ahead log removes: the log and its index.
const LOG_FILES: u64 = 2;

impl<T: Trace> Engine<'_, T> {
    fn pool(&mut self, task: u32) -> &mut Pool {
        let worker = self.worker_of(task) as usize;
        self.workers[worker].pool.as_mut().expect("planned with a database")
    }

    fn sqlite(&self) -> &SqlitePlan {
        let database = self.plan.database.as_ref().expect("planned with a database");
        database.sqlite.as_ref().expect("planned with SQLite")
    }

    fn locks(&mut self) -> &mut Locks {
        self.locks.as_mut().expect("planned with SQLite")
    }

    /// The lock state, and what the connection of `task` holds of it.
    fn locks_and_hold(&mut self, task: u32) -> (&mut Locks, &mut sqlite::Hold, u32) {
        let id = self.tasks[task].connection;
        let hold = &mut self.database_connections[id].hold;
        (self.locks.as_mut().expect("planned with SQLite"), hold, id)
    }

    /// The task waits in a database call: a driver that is not awaited blocks its thread,
    /// the loop included.
    fn suspend_in_driver(&mut self, thread: u32, task: u32, place: Place) -> Flow {
        if self.plan.database.as_ref().is_some_and(|database| database.awaited) {
            return self.suspend(thread, task, place);
        }
        self.set_place(task, place);
        Flow::Blocked
    }

    fn wait_in_driver(&mut self, thread: u32, task: u32, span: Span, place: Place) -> Flow {
        if span.is_zero() {
            return Flow::Continue;
        }
        self.agenda.push(self.now + span, Event::Resume { task });
        self.suspend_in_driver(thread, task, place)
    }

    pub(super) fn checkout(&mut self, thread: u32, task: u32) -> Flow {
        match self.pool(task).checkout(task) {
            Checkout::Idle(connection) => {
                self.tasks[task].connection = connection;
                self.seen.connections.enter(self.now);
                Flow::Continue
            }
            Checkout::New => {
                self.new_connection(task);
                self.seen.connections.enter(self.now);
                Flow::Continue
            }
            Checkout::Wait => {
                self.seen.reach(Limit::Pool);
                let rule = self.plan.database.as_ref().map(|database| database.connections);
                let timeout = match rule {
                    Some(Connections::Pool { timeout, .. }) => timeout,
                    _ => None,
                };
                self.give_up_after(task, timeout);
                self.suspend_in_driver(thread, task, place::POOL)
            }
        }
    }

    /// A connection record for `task`, closed as yet; with a thread under an async driver.
    fn new_connection(&mut self, task: u32) {
        let request = &self.requests[self.tasks[task].request];
        let (worker, class) = (request.worker, request.class);
        let threaded = self.plan.database.as_ref().is_some_and(|d| d.connection_threads)
            && self.plan.classes[class as usize].concurrency == Concurrency::Async;
        let thread = if threaded { self.driver_thread(worker) } else { NONE };
        let connection =
            DatabaseConnection { thread, open: false, fresh: true, hold: sqlite::Hold::default() };
        self.tasks[task].connection = self.database_connections.insert(connection, |_, _| {});
    }

    fn driver_thread(&mut self, worker: u32) -> u32 {
        self.threads.insert(Thread::new(worker, Role::Driver), |_, _| {})
    }

    pub(super) fn hand_to_driver(&mut self, task: u32) -> Flow {
        let connection = self.tasks[task].connection;
        let mut thread = self.database_connections[connection].thread;
        if thread == NONE {
            // A connection that a handler of another model opened gets its thread now.
            thread = self.driver_thread(self.worker_of(task));
            self.database_connections[connection].thread = thread;
        }
        debug_assert!(self.threads[thread].state == ThreadState::Idle);
        self.carry(thread, task);
        Flow::Detached
    }

    pub(super) fn skip_if_open(&mut self, task: u32, open: Pc) -> Flow {
        if self.database_connections[self.tasks[task].connection].open {
            return self.jump(task, open);
        }
        Flow::Continue
    }

    pub(super) fn opened(&mut self, task: u32) -> Flow {
        let connection = self.tasks[task].connection;
        self.database_connections[connection].open = true;
        if let Some(locks) = &mut self.locks {
            locks.open();
        }
        Flow::Continue
    }

    pub(super) fn skip_if_kept(&mut self, task: u32, keep: Pc) -> Flow {
        if self.pool(task).keeps() {
            return self.jump(task, keep);
        }
        Flow::Continue
    }

    /// What the only connection to a write-ahead log computes for the log's files.
    pub(super) fn last_close_cpu(&mut self, span: Span) -> Flow {
        let wal = self.sqlite().journal_mode == JournalMode::Wal;
        let last = wal && self.locks().is_last();
        if last { Flow::Work { span, native: true } } else { Flow::Continue }
    }

    /// The last connection to a write-ahead log copies what is left of it and removes it.
    pub(super) fn last_close(&mut self, thread: u32, task: u32, sync: DrawId) -> Flow {
        if !self.locks().is_last() {
            return Flow::Continue;
        }
        let Some(pages) = self.locks().drain_log() else { return Flow::Continue };
        let plan = self.sqlite();
        let unlink = plan.log_unlink * LOG_FILES;
        let copy = plan.checkpoint_page * u64::from(pages);
        let syncs = if pages > 0 { last_close_syncs(plan.synchronous) } else { 0 };
        let span = self.syncs(task, sync, syncs) + copy + unlink;
        self.wait_in_driver(thread, task, span, place::DISK)
    }

    pub(super) fn closed(&mut self, task: u32) -> Flow {
        let connection = self.tasks[task].connection;
        self.database_connections[connection].open = false;
        if let Some(locks) = &mut self.locks {
            locks.close();
        }
        Flow::Continue
    }

    pub(super) fn checkin(&mut self, task: u32) -> Flow {
        let connection = std::mem::replace(&mut self.tasks[task].connection, NONE);
        let entry = &self.database_connections[connection];
        let (open, thread) = (entry.open, entry.thread);
        match self.pool(task).checkin(connection, open) {
            Checkin::Handed(waiter) => {
                self.tasks[waiter].connection = connection;
                self.grant(waiter, Via::Loop);
            }
            Checkin::Told(waiter) => {
                self.seen.connections.leave(self.now);
                // It asks again when it runs, at the end of the queue if it comes too late.
                self.tasks[waiter].pc -= 1;
                self.grant(waiter, Via::Loop);
            }
            Checkin::Kept => self.seen.connections.leave(self.now),
            Checkin::Discarded(waiter) => {
                self.database_connections.remove(connection);
                if thread != NONE {
                    self.threads.remove(thread);
                }
                match waiter {
                    Some(waiter) => {
                        self.new_connection(waiter);
                        self.grant(waiter, Via::Loop);
                    }
                    None => self.seen.connections.leave(self.now),
                }
            }
        }
        Flow::Continue
    }

    /// Tries for the lock that `op` needs; polls for it if that can help.
    pub(super) fn lock(&mut self, thread: u32, task: u32, op: Op) -> Flow {
        self.tasks[task].polls = 0;
        self.seen.locks += 1;
        match self.try_lock(task, op) {
            Ok(()) => Flow::Continue,
            Err(Refusal::Upgrade) => self.fail(task, ErrorKind::DatabaseBusy),
            Err(Refusal::Busy) => match self.next_poll(task) {
                Some(delay) => {
                    self.agenda.push(self.now + delay, Event::Poll { task });
                    self.suspend_in_driver(thread, task, place::LOCK)
                }
                None => self.fail(task, ErrorKind::DatabaseBusy),
            },
        }
    }

    fn try_lock(&mut self, task: u32, op: Op) -> Result<(), Refusal> {
        let (locks, hold, id) = self.locks_and_hold(task);
        let was_writing = locks.writes(hold);
        let result = match op {
            Op::BeginRead => locks.read(hold),
            Op::BeginWrite => locks.write(id, hold),
            Op::CommitLock => locks.exclude(hold),
            other => unreachable!("{other:?} takes no lock"),
        };
        if !was_writing && self.locks.as_ref().is_some_and(|l| l.writer() == Some(id)) {
            self.seen.writer.enter(self.now);
        }
        result
    }

    /// How long the busy handler sleeps now, or none if its time is up.
    fn next_poll(&mut self, task: u32) -> Option<Span> {
        let timeout = self.sqlite().busy_timeout;
        let polls = self.tasks[task].polls;
        let delay = sqlite::busy_delay(polls, timeout);
        if delay != sqlite::busy_delay(polls, Span::MAX) {
            self.seen.reach(Limit::BusyTimeout);
        }
        self.tasks[task].polls += 1;
        delay
    }

    /// The busy handler wakes and tries again. Its thread needs no interpreter for that.
    pub(super) fn poll(&mut self, task: u32) {
        let op = self.plan.ops[self.tasks[task].pc as usize - 1];
        match self.try_lock(task, op) {
            Ok(()) => self.resume(task, Via::Poll),
            Err(_) => match self.next_poll(task) {
                Some(delay) => self.agenda.push(self.now + delay, Event::Poll { task }),
                None => {
                    self.fail(task, ErrorKind::DatabaseBusy);
                    self.resume(task, Via::Poll);
                }
            },
        }
    }

    pub(super) fn unlock(&mut self, task: u32, commit: bool) -> Flow {
        let now = self.now;
        let (locks, hold, _) = self.locks_and_hold(task);
        let wrote = locks.writes(hold);
        locks.release(hold, commit);
        if wrote {
            self.seen.writer.leave(now);
        }
        Flow::Continue
    }

    pub(super) fn change(&mut self, task: u32, pages: u32) -> Flow {
        let (locks, hold, _) = self.locks_and_hold(task);
        locks.change(hold, pages);
        Flow::Continue
    }

    /// The CPU of a commit, if there is anything to commit.
    pub(super) fn commit_cpu(&mut self, task: u32, span: Span) -> Flow {
        let (locks, hold, _) = self.locks_and_hold(task);
        if locks.writes(hold) { Flow::Work { span, native: true } } else { Flow::Continue }
    }

    /// The syncs of a commit, if there is anything to commit.
    pub(super) fn commit_sync(&mut self, thread: u32, task: u32, sync: DrawId) -> Flow {
        let (locks, hold, id) = self.locks_and_hold(task);
        if !locks.writes(hold) {
            return Flow::Continue;
        }
        let plan = self.sqlite();
        let (mut syncs, unlink) = (plan.commit_syncs, plan.unlink);
        let wal = plan.journal_mode == JournalMode::Wal;
        if wal && plan.synchronous >= Synchronous::Full && self.database_connections[id].fresh {
            // The first commit of a connection also syncs the directory of the log.
            syncs += 1;
        }
        self.database_connections[id].fresh = false;
        let span = self.syncs(task, sync, syncs) + unlink;
        self.wait_in_driver(thread, task, span, place::DISK)
    }

    /// The sum of `count` syncs, each drawn for itself.
    fn syncs(&mut self, task: u32, sync: DrawId, count: u32) -> Span {
        (0..count).map(|nth| self.sample_attempt(task, sync, nth)).sum()
    }

    pub(super) fn checkpoint(&mut self, thread: u32, task: u32, sync: DrawId) -> Flow {
        let plan = self.sqlite();
        let (threshold, syncs, page) =
            (plan.wal_autocheckpoint, plan.checkpoint_syncs, plan.checkpoint_page);
        let Some(pages) = self.locks().begin_checkpoint(threshold) else { return Flow::Continue };
        self.tasks[task].checkpointing = true;
        let span = self.syncs(task, sync, syncs) + page * u64::from(pages);
        self.wait_in_driver(thread, task, span, place::DISK)
    }

    pub(super) fn checkpoint_end(&mut self, task: u32) -> Flow {
        if std::mem::take(&mut self.tasks[task].checkpointing) {
            self.locks().end_checkpoint();
        }
        Flow::Continue
    }

    /// A statement travels to the database server, waits for a processor, and its reply
    /// travels back.
    pub(super) fn server(&mut self, thread: u32, task: u32, trip: DrawId) -> Flow {
        let there = self.sample(task, trip).scale(0.5);
        self.agenda.push(self.now + there, Event::ServerArrival { task });
        self.suspend_in_driver(thread, task, place::SERVER)
    }

    pub(super) fn server_arrival(&mut self, task: u32) {
        let service_time = self.server_draw(task, |engine, _| engine);
        if self.server.arrive(task, service_time) {
            self.seen.server.enter(self.now);
            self.agenda.push(self.now + service_time, Event::ServerDone { task });
        } else {
            self.seen.server_queue.enter(self.now);
        }
    }

    pub(super) fn server_done(&mut self, task: u32) {
        match self.server.done() {
            Some((next, service_time)) => {
                self.seen.server_queue.leave(self.now);
                self.agenda.push(self.now + service_time, Event::ServerDone { task: next });
            }
            None => self.seen.server.leave(self.now),
        }
        let trip = self.server_draw(task, |_, trip| trip);
        let back = trip - trip.scale(0.5);
        self.agenda.push(self.now + back, Event::Resume { task });
    }

    fn server_draw(&mut self, task: u32, pick: impl Fn(DrawId, DrawId) -> DrawId) -> Span {
        match self.plan.ops[self.tasks[task].pc as usize - 1] {
            Op::Server { engine, round_trip } => self.sample(task, pick(engine, round_trip)),
            other => unreachable!("{other:?} is not at the database server"),
        }
    }
}

/// Syncs when the last connection copies the log: what a checkpoint syncs, and at NORMAL
/// the log itself, which no commit has synced.
fn last_close_syncs(level: Synchronous) -> u32 {
    match level {
        Synchronous::Off => 0,
        Synchronous::Normal => 4,
        Synchronous::Full | Synchronous::Extra => 3,
    }
}
