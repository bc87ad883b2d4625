//! What the instructions of the thread pool do.

use model::place;

use super::Op;
use crate::engine::{Engine, Flow, NONE, Role, Thread, Trace};
use crate::observe::Limit;
use crate::standstill::Awaited;

impl<T: Trace> Engine<'_, T> {
    #[inline]
    pub(crate) fn thread_pool(&mut self, task: u32, op: Op) -> Flow {
        match op {
            Op::TokenAcquire | Op::Dependency | Op::Validation => self.token_acquire(task),
            Op::Exit => self.exit_thread(task),
            Op::TokenRelease => self.token_release(task),
        }
    }

    fn token_acquire(&mut self, task: u32) -> Flow {
        let worker = self.worker_of(task);
        self.tasks[task].thread = NONE;
        if self.workers[worker as usize].pool_threads.tokens.acquire(task) {
            self.seen.threads.in_use.enter(self.now);
            self.tasks[task].token = true;
            self.start_on_pool(worker, task);
        } else {
            self.seen.reach(Limit::Threads);
            self.set_place(task, place::THREADS);
            self.begin_wait(task, Awaited::Thread);
        }
        Flow::Detached
    }

    fn token_release(&mut self, task: u32) -> Flow {
        let worker = self.worker_of(task);
        self.tasks[task].token = false;
        match self.workers[worker as usize].pool_threads.tokens.release() {
            Some(next) => {
                self.end_wait(next, Awaited::Thread);
                self.tasks[next].token = true;
                self.start_on_pool(worker, next);
            }
            None => self.seen.threads.in_use.leave(self.now),
        }
        Flow::Continue
    }

    /// Threads are the pool's, but no token is taken: it starts at once.
    fn exit_thread(&mut self, task: u32) -> Flow {
        let worker = self.worker_of(task);
        self.tasks[task].thread = NONE;
        self.start_on_pool(worker, task);
        Flow::Detached
    }

    /// A task that has a token gets a pool thread: the one that was idle last, or a new one.
    fn start_on_pool(&mut self, worker: u32, task: u32) {
        let idle = self.workers[worker as usize].pool_threads.idle.pop();
        let thread =
            idle.unwrap_or_else(|| self.threads.insert(Thread::new(worker, Role::Pool), |_, _| {}));
        self.carry(thread, task);
    }
}
