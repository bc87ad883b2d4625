//! Calls of upstreams become instructions.

use model::costs::Work;
use model::distribution::Distribution;
use model::scenario::{Client, Concurrency, EventLoop};
use model::units::Span;

use super::{ClientId, LookCost, Op, locks, most};
use crate::plan::{Basic, Compiler, Scope};

impl Compiler<'_> {
    pub(crate) fn call(&mut self, upstream: u32, path: &str) {
        let spec = &self.scenario.upstreams[upstream as usize];
        if spec.max_in_flight.is_some() {
            self.emit(Op::SemaphoreAcquire { upstream });
            self.scopes.push(Scope::Semaphore(upstream));
        }
        let latency = self.draw("latency", path, spec.latency.clone());
        let failure = self.draw("failure", path, Distribution::Constant(Span::ZERO));
        let again = self.here();
        self.refill(Work::Call);
        let call = self.cost(|c| c.call);
        let is_async = self.concurrency == Concurrency::Async;
        let client = 2 * upstream + u32::from(is_async);
        let queues = most(self.scenario, client).is_some();
        // Nine tenths of it were timed with the connection in hand, where others wait for it. Here all
        // of it is, one half before the exchange and one half after.
        let (before, sends) =
            if queues { (Span::ZERO, call.scale(0.5)) } else { (call, Span::ZERO) };
        let receives = if queues { call - sends } else { Span::ZERO };
        self.burn(before);
        let acquire = (spec.max_connections.is_some() && !queues)
            .then(|| self.emit(Op::ConnectionAcquire { upstream, give_up: 0 }));
        let (connect, miss) = (self.cost(|c| c.connect), self.cost(|c| c.miss));
        let searched = Client::is_searched(spec.client);
        let of_search = |cost: Span| if searched { cost } else { Span::ZERO };
        let (idle, in_use) = (self.cost(|c| c.look), self.cost(|c| c.glance));
        let look = LookCost { idle: of_search(idle), in_use: of_search(in_use) };
        // Threads take theirs without a turn of any loop.
        let locks = if is_async { locks(self.scenario, upstream) } else { 0 };
        // If choosing is free and lockless, no call can lose the race for a connection.
        let free = [connect, look.idle, look.in_use].iter().all(|cost| cost.is_zero());
        let chooses = !free || locks > 0;
        let mut awaits = None;
        // From the connection on, which is given back below.
        let droppable = self.droppable;
        self.droppable &= acquire.is_none();
        if chooses {
            let again = self.emit(Op::Choose { client, look });
            self.droppable = false;
            awaits = queues.then(|| self.emit(Op::Await { client, give_up: 0 }));
            for lock in 0..locks {
                self.lock(client, lock);
            }
            self.emit(Op::Connect { client, span: connect, miss, again });
        }
        self.burn(sends);
        self.client_turn();
        self.emit(Op::Exchange { upstream, latency, failure });
        self.client_turn();
        self.burn(receives);
        // It is given back under the last of the locks, under which it was had.
        if let Some(last) = locks.checked_sub(1) {
            self.lock(client, last);
        }
        if chooses {
            let give_up = self.emit(Op::Disconnect { client, look });
            if let Some(awaits) = awaits {
                self.patch(awaits, Op::Await { client, give_up });
            }
        }
        if let Some(acquire) = acquire {
            self.emit(Op::ConnectionRelease { upstream });
            let give_up = self.here();
            self.patch(acquire, Op::ConnectionAcquire { upstream, give_up });
        }
        self.droppable = droppable;
        let refuses = spec.capacity.is_some() && spec.queue.is_some();
        let can_fail = refuses
            || spec.max_connections.is_some()
            || spec.timeout.is_some()
            || spec.failures > 0.0;
        if can_fail {
            let span = self.cost(|c| c.failure);
            if !span.is_zero() {
                self.emit(Op::Failure { span });
            }
            self.emit(Op::Retry { upstream, again });
        }
        if spec.max_in_flight.is_some() {
            self.scopes.pop();
            self.undropped(|c| c.emit(Op::SemaphoreRelease { upstream }));
        }
    }

    /// Takes a lock and passes it on at once: the next holder runs later than what follows here.
    pub(crate) fn lock(&mut self, client: ClientId, lock: u32) {
        self.emit(Op::Lock { client, lock });
        self.emit(Op::Unlock { client, lock });
    }

    /// hyper's connection is a task of its own: it is woken to send what a handler asks for,
    /// and wakes the handler when it has read the reply.
    pub(crate) fn client_turn(&mut self) {
        let tokio = self.scenario.service.event_loop == EventLoop::Tokio;
        if tokio && self.concurrency == Concurrency::Async {
            self.emit(Basic::Turn);
        }
    }
}
