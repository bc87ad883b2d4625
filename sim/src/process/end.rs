//! The end of a worker process: everything that it had is gone, and another takes its place.

use std::collections::BTreeSet;

use model::place;
use model::units::Instant;

use crate::cpu::Host;
use crate::database::sqlite::Hold;
use crate::engine::{Engine, Event, NONE, Role, Task, Thread, ThreadState, Trace, Worker};
use crate::observe::ErrorKind;
use crate::upstream::Kept;

impl<T: Trace> Engine<'_, T> {
    /// The tasks that are inside `worker`: not those of replies that have left, nor of requests
    /// that find their connection closed.
    pub(super) fn inside(&self, worker: u32) -> Vec<u32> {
        let inside = |entry: &Task| {
            let request = &self.requests[entry.request];
            let left = entry.place == place::REPLY;
            let lost =
                entry.place == place::CONNECT && !request.settled && !self.is_open(request.user);
            request.worker == worker && !left && !lost
        };
        self.tasks.live().filter(|(_, task)| inside(task)).map(|(id, _)| id).collect()
    }

    /// The process of `worker` ends, with all that is in it, and another is started.
    pub(crate) fn end_process(&mut self, worker: u32) {
        let tasks = self.inside(worker);
        self.forget_events(worker, &tasks);
        self.end_waits(&tasks);
        self.free_locks(worker, &tasks);
        self.free_what_is_shared(worker, &tasks);
        self.end_threads(worker);
        self.close_connections(worker);
        self.count_out(worker);
        self.replace(worker);
        // Before clients hear of it: one that connects again at once finds a loop that boots, and
        // does not wake it a second time.
        self.boot(worker);
        for &task in &tasks {
            let request = self.tasks[task].request;
            if !self.requests[request].settled {
                self.settle(request, Some(ErrorKind::WorkerKilled));
            }
        }
        for task in tasks {
            if self.tasks[task].after {
                self.tasks[task].failed = Some(ErrorKind::WorkerKilled);
                self.end_after(task, false);
            }
            self.free_task(task);
        }
        self.pass_on_connections();
    }

    /// What was to happen to the tasks of `worker` does not.
    fn forget_events(&mut self, worker: u32, tasks: &[u32]) {
        let gone: BTreeSet<u32> = tasks.iter().copied().collect();
        self.agenda.retain(|event| {
            !event.task().is_some_and(|task| gone.contains(&task))
                && *event != Event::LockTimer { worker }
        });
        self.abandon_commands(|task| gone.contains(&task));
    }

    /// Locks of the database file and its connections.
    fn free_what_is_shared(&mut self, worker: u32, tasks: &[u32]) {
        for &task in tasks {
            // Replies of upstreams that are under way find no waiter.
            self.tasks[task].ticket = self.tasks[task].ticket.wrapping_add(1);
            if std::mem::take(&mut self.tasks[task].database.checkpointing) {
                self.locks().end_checkpoint();
            }
            let mut connection = self.tasks[task].database.connection;
            while connection != NONE {
                let outer = self.database.connections[connection].outer;
                self.drop_connection(connection);
                connection = outer;
            }
            self.tasks[task].database.connection = NONE;
        }
        let Some(pool) = &mut self.workers[worker as usize].database else { return };
        let in_use = pool.in_use();
        let idle: Vec<u32> = pool.take_idle().collect();
        (0..in_use).for_each(|_| self.seen.database.connections.leave(self.now));
        idle.into_iter().for_each(|connection| self.drop_connection(connection));
    }

    /// A connection of a process that has ended: the kernel takes back its locks of the file.
    fn drop_connection(&mut self, connection: u32) {
        self.end_session(connection);
        let entry = &mut self.database.connections[connection];
        let (open, mut hold) = (entry.open, std::mem::take(&mut entry.hold));
        if let Some(locks) = &mut self.database.locks {
            if locks.writes(&hold) {
                self.seen.sqlite.writer.leave(self.now);
            }
            locks.release(&mut hold, false);
            debug_assert!(hold == Hold::default());
            if open {
                locks.close();
            }
        }
        self.database.connections.remove(connection);
    }

    fn end_threads(&mut self, worker: u32) {
        let threads: Vec<u32> =
            self.threads.live().filter(|(_, one)| one.worker == worker).map(|(id, _)| id).collect();
        for id in threads {
            match self.threads[id].state {
                ThreadState::Running => {
                    self.charge(id);
                    self.cpu[Host::Service].settle(self.now);
                    self.leave_core(id);
                }
                ThreadState::Ready => self.cpu[Host::Service].withdraw(id),
                ThreadState::Idle | ThreadState::WaitsForLock | ThreadState::Blocked => {}
            }
            match self.threads[id].role {
                Role::Loop if self.threads[id].state == ThreadState::Idle => {}
                Role::Loop => self.seen.event_loop.sleeps(worker, self.now),
                // The server's are no threads of a worker.
                Role::Session { .. } => {}
                Role::Pool | Role::Driver => {
                    self.threads[id].state = ThreadState::Idle;
                    self.end_thread(id);
                }
            }
        }
    }

    /// Clients learn at once that their connections are gone.
    fn close_connections(&mut self, worker: u32) {
        for user in 0..self.users.len() {
            let entry = &mut self.users[user];
            if entry.worker != worker || entry.closed != Instant::NEVER {
                continue;
            }
            entry.worker = NONE;
            self.workers[worker as usize].clients -= 1;
            self.seen.event_loop.disconnected(worker, self.now);
        }
    }

    /// What is counted over all workers loses the part of this one.
    fn count_out(&mut self, worker: u32) {
        let now = self.now;
        self.end_standstill(worker);
        let entry = &self.workers[worker as usize];
        if entry.lock.holder().is_some() {
            self.seen.interpreter.held.leave(now);
        }
        for _ in 0..entry.pool_threads.tokens.taken() {
            self.seen.threads.in_use.leave(now);
        }
        let clients = &entry.upstreams;
        for (index, seen) in self.seen.upstreams.iter_mut().enumerate() {
            let taken =
                |slots: &Option<crate::slots::Slots>| slots.as_ref().map_or(0, |s| s.taken());
            let queued_for: u32 = clients.kept_of(index).iter().map(Kept::queued_for).sum();
            (0..taken(&clients.semaphores[index])).for_each(|_| seen.semaphore.leave(now));
            (0..taken(&clients.connections[index]) + queued_for)
                .for_each(|_| seen.connections.leave(now));
        }
    }

    /// A new process with the loop's thread of the old one.
    fn replace(&mut self, id: u32) {
        let life = self.workers[id as usize].process.life + 1;
        if self.workers[id as usize].process.boots {
            self.seen.process.down.leave(self.now);
        }
        let thread = self.workers[id as usize].thread;
        self.cpu[Host::Service].withdraw(thread);
        self.threads[thread] = Thread::new(id, Role::Loop);
        self.workers[id as usize] = Worker::new(self.plan, id, thread, life, self.now);
    }
}
