//! Calls of upstreams become instructions.

use model::costs::Work;
use model::distribution::Distribution;
use model::scenario::{Concurrency, EventLoop};
use model::units::Span;

use super::{ClientId, LookCost, Op};
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
        self.burn(call);
        let acquire = spec
            .max_connections
            .is_some()
            .then(|| self.emit(Op::ConnectionAcquire { upstream, give_up: 0 }));
        let (connect, miss) = (self.cost(|c| c.connect), self.cost(|c| c.miss));
        let look = LookCost { idle: self.cost(|c| c.look), in_use: self.cost(|c| c.glance) };
        let is_async = self.concurrency == Concurrency::Async;
        let client = 2 * upstream + u32::from(is_async);
        // Threads take theirs without a turn of any loop.
        let locks = if is_async { self.scenario.costs.client.locks } else { 0 };
        // If choosing is free and lockless, no call can lose the race for a connection.
        let free = [connect, look.idle, look.in_use].iter().all(|cost| cost.is_zero());
        let chooses = !free || locks > 0;
        if chooses {
            let again = self.emit(Op::Choose { client, look });
            for lock in 0..locks {
                self.lock(client, lock);
            }
            self.emit(Op::Connect { client, span: connect, miss, again });
        }
        self.client_turn();
        self.emit(Op::Exchange { upstream, latency, failure });
        self.client_turn();
        // It is given back under the last of the locks, under which it was had.
        if let Some(last) = locks.checked_sub(1) {
            self.lock(client, last);
        }
        if chooses {
            self.emit(Op::Disconnect { client, look });
        }
        if let Some(acquire) = acquire {
            self.emit(Op::ConnectionRelease { upstream });
            let give_up = self.here();
            self.patch(acquire, Op::ConnectionAcquire { upstream, give_up });
        }
        let can_fail = acquire.is_some() || spec.timeout.is_some() || spec.failures > 0.0;
        if can_fail {
            let span = self.cost(|c| c.failure);
            if !span.is_zero() {
                self.emit(Op::Failure { span });
            }
            self.emit(Op::Retry { upstream, again });
        }
        if spec.max_in_flight.is_some() {
            self.scopes.pop();
            self.emit(Op::SemaphoreRelease { upstream });
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
