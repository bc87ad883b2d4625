//! Event loops: callbacks in their order, and connections that are accepted.

use model::place;
use model::scenario::Spread;
use model::units::Span;

use super::listener::Handshake;
use crate::client::CONNECT_ONLY;
use crate::engine::{Engine, Event, Flow, NONE, Role, ThreadState, Trace};
use crate::event_loop::{ACCEPT, HANG_UP, Via};
use crate::observe::Limit;

/// First pause before a dropped handshake is tried again; it doubles each time.
const HANDSHAKE_RETRY: Span = Span::from_secs(1);
/// The pause doubles no more after this many times, as Linux's `tcp_syn_retries` has it.
const HANDSHAKE_DOUBLINGS: u32 = 6;

impl<T: Trace> Engine<'_, T> {
    /// Puts a task in the queue of its worker's loop.
    pub(crate) fn enqueue(&mut self, task: u32, via: Via) {
        self.set_place(task, place::LOOP);
        let worker = self.requests[self.tasks[task].request].worker;
        self.tasks[task].thread = NONE;
        self.workers[worker as usize].callbacks.push(task, via);
        self.wake_loop(worker);
    }

    /// Wakes a sleeping loop; it takes the first callback at once, so that what it then
    /// waits for is the CPU.
    pub(crate) fn wake_loop(&mut self, id: u32) {
        let thread = self.workers[id as usize].thread;
        if self.threads[thread].state != ThreadState::Idle {
            return;
        }
        self.seen.event_loop.wakes(id, self.now);
        self.listener.wake(id);
        let worker = &mut self.workers[id as usize];
        worker.process.polled = self.now;
        worker.callbacks.begin_turn();
        if let Some(first) = worker.callbacks.pop_unless(&[ACCEPT, HANG_UP]) {
            self.poll_handler(thread, first);
        }
        self.make_ready(thread);
    }

    /// What a thread that carries no task does next. Only a loop has a queue.
    pub(crate) fn next_callback(&mut self, thread: u32) -> Flow {
        let entry = &self.threads[thread];
        if entry.role != Role::Loop {
            return Flow::Idle;
        }
        let id = entry.worker;
        if let Some(task) = self.is_back(thread) {
            self.poll_handler(thread, task);
            return Flow::Continue;
        }
        if self.workers[id as usize].callbacks.polls() {
            self.looks_at_timers(id);
            self.close_expired(id);
            let takes = !self.takes_none(id);
            let worker = &mut self.workers[id as usize];
            if !worker.accepting && takes && self.listener.waiting(id) > 0 {
                worker.accepting = true;
                worker.callbacks.push(ACCEPT, Via::Poll);
            }
            worker.callbacks.begin_turn();
        }
        let Some(next) = self.workers[id as usize].callbacks.pop() else { return Flow::Idle };
        match next {
            ACCEPT => return self.accept(id),
            HANG_UP => return Flow::Work { span: self.plan.event_loop.hang_up, native: false },
            _ => {}
        }
        self.poll_handler(thread, next);
        Flow::Continue
    }

    /// True if `thread`, a loop, has just handed `task` to the thread of a connection, and looks next for
    /// its result.
    ///
    /// A future of tokio that sends a command looks into the channel of its result before it gives way
    /// to others. Where the woken thread takes the processor at once, and is done before the loop
    /// goes on, the result is there, and the handler goes on without a place in the queue.
    pub(crate) fn looks_again(&mut self, thread: u32, task: u32) -> bool {
        if !self.plan.event_loop.looks_again || task == NONE {
            return false;
        }
        let carrier = self.tasks[task].thread;
        let handed = self.threads[thread].role == Role::Loop
            && carrier != NONE
            && self.threads[carrier].role == Role::Driver;
        if handed {
            self.threads[thread].looks_for = task;
        }
        handed
    }

    /// The task that a loop looks for, if its result is there.
    fn is_back(&mut self, thread: u32) -> Option<u32> {
        let entry = &mut self.threads[thread];
        let task = std::mem::replace(&mut entry.looks_for, NONE);
        let back = task != NONE && self.workers[entry.worker as usize].callbacks.take_woken(task);
        back.then_some(task)
    }

    /// The loop, on its `thread`, comes to `task`. It reads the connection first, and may find that
    /// the client has gone.
    fn poll_handler(&mut self, thread: u32, task: u32) {
        self.threads[thread].task = task;
        let request = &self.requests[self.tasks[task].request];
        let dropped = request.gone && request.handler == task;
        let entry = &mut self.tasks[task];
        (entry.thread, entry.dropped) = (thread, dropped);
    }

    pub(crate) fn fall_idle(&mut self, thread: u32) {
        let entry = &mut self.threads[thread];
        entry.state = ThreadState::Idle;
        let id = entry.worker;
        match entry.role {
            Role::Loop => {
                self.seen.event_loop.sleeps(id, self.now);
                if !self.takes_none(id) {
                    self.listener.sleep(id);
                }
            }
            Role::Pool => self.workers[id as usize].pool_threads.idle.push(thread),
            Role::Driver | Role::Session { .. } => {}
        }
        self.end_if_drained(id);
    }

    /// A handshake for the request of `task`.
    pub(crate) fn open_connection(&mut self, task: u32) {
        let request = self.tasks[task].request;
        let key = self.requests[request].key;
        let hash = match self.scenario().service.spread {
            Spread::Hash => self.draws.draw(&self.spread, key.lane, key.index),
            _ => 0,
        };
        match self.listener.handshake(task, hash) {
            Handshake::Queued(woken) => {
                if self.tasks[task].pc != CONNECT_ONLY {
                    self.write(task);
                }
                if let Some(worker) = woken {
                    self.tell_listener(worker);
                }
            }
            Handshake::Dropped => {
                self.seen.reach(Limit::Backlog);
                let entry = &mut self.tasks[task];
                let doublings = entry.handshakes.min(HANDSHAKE_DOUBLINGS);
                entry.handshakes += 1;
                let generation = self.requests[request].generation;
                let pause = HANDSHAKE_RETRY * (1 << doublings);
                self.agenda
                    .push(self.now + pause, Event::RetryHandshake { task, request, generation });
            }
        }
    }

    /// A dropped handshake is tried again, unless the client has given up.
    pub(crate) fn retry_handshake(&mut self, task: u32, request: u32, generation: u32) {
        debug_assert!(self.requests[request].generation == generation);
        if self.requests[request].settled {
            self.free_task(task);
        } else {
            self.open_connection(task);
        }
    }

    pub(crate) fn tell_listener(&mut self, worker: u32) {
        let entry = &mut self.workers[worker as usize];
        if !entry.accepting {
            entry.accepting = true;
            entry.callbacks.push(ACCEPT, Via::Poll);
            self.wake_loop(worker);
        }
    }

    /// The loop's callback for its listening socket.
    pub(crate) fn accept(&mut self, worker: u32) -> Flow {
        self.workers[worker as usize].accepting = false;
        if self.takes_none(worker) {
            return Flow::Continue;
        }
        let most = u64::from(self.scenario().service.accept_most);
        let connecting = self.connecting > 0;
        let mut accepted = 0;
        while accepted < most
            && let Some(task) = self.listener.accept(worker)
        {
            accepted += 1;
            self.accepted(worker, task);
        }
        let span = self.plan.event_loop.accept * accepted;
        if connecting && self.connecting == 0 {
            self.begin_users(self.now + span);
        }
        if span.is_zero() { Flow::Continue } else { Flow::Work { span, native: false } }
    }

    pub(crate) fn accepted(&mut self, worker: u32, task: u32) {
        let request = self.tasks[task].request;
        self.tasks[task].handshakes = 0;
        let entry = &mut self.requests[request];
        entry.worker = worker;
        let (user, settled) = (entry.user, entry.settled);
        // A request that was sent before its client gave up is there to be read: the worker
        // serves it all the same.
        if !settled {
            self.users[user as usize].worker = worker;
            self.workers[worker as usize].clients += 1;
            self.reached(user);
            self.seen.event_loop.connected(worker, self.now);
        }
        if self.tasks[task].pc == CONNECT_ONLY {
            return self.preconnected(task);
        }
        if self.tasks[task].written {
            self.enqueue(task, Via::Loop);
        }
        if settled {
            self.hang_up(worker, Via::Loop);
        }
    }
}
