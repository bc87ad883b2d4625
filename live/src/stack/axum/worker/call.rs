//! A handler's call of an upstream: semaphore, connection pool of the client, timeouts,
//! retries.

use model::failure::ErrorKind;
use model::place::{self, Place};
use model::units::Span;

use super::context::{Context, Fault, Waiting};
use super::semaphore::{Inside, Permit, Semaphore};
use super::upstreams::{Attempt, Client};
use super::waiting::{Mode, Timed, deadline};
use crate::clock;
use crate::wire::{self, Call};

impl Context {
    /// Calls an upstream: attempts until one succeeds or all are used up.
    pub(super) async fn call(&mut self, upstream: usize, path: &str) -> Result<(), Fault> {
        let worker = self.worker.clone();
        let spec = &worker.scenario.upstreams[upstream];
        let client = worker.client.as_ref().ok_or(ErrorKind::UpstreamFailed)?;
        let limits = &client.limits[upstream];
        let number = upstream as u32;
        let _permit = match &limits.semaphore {
            Some(semaphore) => self.acquire(semaphore, place::semaphore(number), None).await,
            None => None,
        };
        let _inside =
            limits.semaphore.as_ref().map(|_| Inside::new(&worker.stations.semaphores[upstream]));
        let mut attempt = 0;
        loop {
            let costs = worker.scenario.costs.cpu(self.concurrency);
            self.burn_scaled(costs.call);
            let outcome = self.attempt(client, upstream, path, attempt).await;
            let Err((kind, retry_after)) = outcome else { return Ok(()) };
            self.burn_scaled(costs.failure);
            if attempt >= spec.retries {
                return Err(kind.into());
            }
            let pause = spec.pause_after(attempt).max(retry_after.unwrap_or(Span::ZERO));
            attempt += 1;
            self.pause(pause, place::backoff(number)).await;
        }
    }

    /// One attempt, on a client connection if those are limited. If it fails, how, and for how long
    /// the upstream asks to be left alone.
    async fn attempt(
        &mut self,
        client: &Client,
        upstream: usize,
        path: &str,
        attempt: u32,
    ) -> Result<(), (ErrorKind, Option<Span>)> {
        let worker = self.worker.clone();
        let spec = &worker.scenario.upstreams[upstream];
        let limits = &client.limits[upstream];
        let number = upstream as u32;
        let mut inside = None;
        let _permit = match &limits.connections {
            None => None,
            Some(connections) => {
                let at = spec.pool_timeout.map(|timeout| clock::now() + timeout.nanos());
                let permit = self.acquire(connections, place::connections(number), at).await;
                let Some(permit) = permit else {
                    // A call that times out in the queue counts as a visit, too.
                    worker.stations.upstream_connections[upstream].add(0);
                    return Err((ErrorKind::ConnectionTimeout, None));
                };
                inside = Some(Inside::new(&worker.stations.upstream_connections[upstream]));
                Some(permit)
            }
        };
        let step = wire::step(self.endpoint_name(), path);
        let call = Call::new(self.key, &step, attempt).to_string();
        let timeout = spec.timeout;
        self.computed();
        let waiting = self.wait_at(place::upstream(number));
        let begun = clock::now();
        let (answer, computing) = match self.mode {
            Mode::Parked => limits.park(&call, timeout).await,
            Mode::Blocking => limits.block(&call, timeout),
        };
        self.exchanged(waiting, begun, timeout, &answer, computing);
        drop(inside);
        answer.outcome.map_err(|kind| (kind, answer.retry_after))
    }

    /// Books an exchange that began at `begun`: up to the upstream's reply as it says
    /// itself, the client's computing, and what is left as waiting for the loop or a
    /// processor.
    fn exchanged(
        &mut self,
        waiting: Waiting,
        begun: u64,
        timeout: Option<Span>,
        attempt: &Attempt,
        computing: u64,
    ) {
        let now = clock::now();
        let limit = timeout.map_or(now, |timeout| begun.saturating_add(timeout.nanos()));
        // An upstream that does not say when it replied took all the time.
        let replied = attempt.replied.unwrap_or(now.saturating_sub(computing));
        let woken = replied.clamp(begun, limit.min(now));
        self.wait_over(waiting, woken);
        self.spend_computing(computing.min(now - woken));
        self.lap(self.mode.late());
    }

    /// A permit of `semaphore`, for which the request waits at `place`, until `at` if that is
    /// given.
    pub(super) async fn acquire(
        &mut self,
        semaphore: &Semaphore,
        place: Place,
        at: Option<u64>,
    ) -> Option<Permit> {
        if let Some(permit) = semaphore.try_acquire() {
            return Some(permit);
        }
        self.computed();
        let waiting = self.wait_at(place);
        let Some((permit, waited)) = deadline(self.mode, at, Timed::new(semaphore.acquire())).await
        else {
            // The time was up at `at`; the rest was a wait for the loop.
            self.waited(waiting, at.unwrap_or(0));
            return None;
        };
        self.waited(waiting, waited.woken);
        permit
    }
}
