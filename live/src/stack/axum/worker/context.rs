//! A request that is being served.

use std::sync::Arc;

use model::distribution::Distribution;
use model::failure::ErrorKind;
use model::place::{self, Place};
use model::scenario::{Concurrency, Hold};
use model::stream::Purpose;
use model::units::Span;
use model::workload::{RequestKey, step_purpose};

use super::account::Account;
use super::burn::burn;
use super::database::Held;
use super::state::Worker;
use super::waiting::Mode;

/// Why a request is not answered well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Its kind.
    pub kind: ErrorKind,
    /// What the library said, if it is worth telling.
    pub text: Option<String>,
}

impl From<ErrorKind> for Fault {
    fn from(kind: ErrorKind) -> Fault {
        Fault { kind, text: None }
    }
}

/// A request, or a branch of one, on its way through its handler.
#[derive(Debug)]
pub(super) struct Context {
    /// Its worker.
    pub worker: Arc<Worker>,
    /// Index of its endpoint.
    pub endpoint: usize,
    /// The key of its draws.
    pub key: RequestKey,
    /// Its concurrency model.
    pub concurrency: Concurrency,
    /// How it waits where it is now: on the loop, or with its thread.
    pub mode: Mode,
    /// The database connection that it holds between steps.
    pub held: Option<Held>,
    /// How long it holds one.
    pub hold: Hold,
    account: Account,
}

impl Context {
    /// The request with `key` for `endpoint`, whose account begins at `since`.
    pub(super) fn new(
        worker: Arc<Worker>,
        endpoint: usize,
        key: RequestKey,
        since: u64,
    ) -> Context {
        let concurrency = worker.scenario.endpoints[endpoint].concurrency(&worker.scenario.service);
        let account = Account::new(worker.stations.places.len(), since);
        let mode = match concurrency {
            Concurrency::Async => Mode::Parked,
            Concurrency::Blocking | Concurrency::Threadpool => Mode::Blocking,
        };
        let spec = &worker.scenario.endpoints[endpoint];
        let hold = spec.hold(&worker.scenario).unwrap_or(Hold::Operation);
        Context { worker, endpoint, key, concurrency, mode, held: None, hold, account }
    }

    /// A branch of this request that begins now.
    pub(super) fn branch(&self) -> Context {
        Context::new(self.worker.clone(), self.endpoint, self.key, self.account.since())
    }

    /// Takes over the time of a branch that has ended.
    pub(super) fn join(&mut self, branch: &Context) {
        self.account.join(&branch.account);
    }

    /// Its account.
    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// The name of its endpoint.
    pub(super) fn endpoint_name(&self) -> &str {
        &self.worker.scenario.endpoints[self.endpoint].name
    }

    /// The draw for `what` at the step `path`.
    pub(super) fn draw(&self, what: &str, path: &str) -> u64 {
        self.draw_named(&step_purpose(what, self.endpoint_name(), path))
    }

    /// The draw of the request that has this `name`.
    pub(super) fn draw_named(&self, name: &str) -> u64 {
        Purpose::new(self.worker.scenario.seed, name).draw(self.key.lane, self.key.index)
    }

    /// A sample of `distribution` for `what` at the step `path`.
    pub(super) fn sample(&self, what: &str, path: &str, distribution: &Distribution) -> Span {
        match distribution {
            Distribution::Constant(span) => *span,
            drawn => drawn.sample(self.draw(what, path)),
        }
    }

    /// Books time of this request, and shows it at the station.
    pub(super) fn spend(&mut self, place: Place, nanos: u64) {
        self.account.spend(place, nanos);
        self.worker.stations.place(place).add(nanos);
    }

    /// Books all time up to now as computing.
    pub(super) fn computed(&mut self) {
        self.lap(place::CPU);
    }

    /// Books all time up to now at `place`. A wait for the loop counts as a visit of it.
    pub(super) fn lap(&mut self, place: Place) {
        let nanos = self.account.lap(place);
        let gauge = self.worker.stations.place(place);
        if place == place::LOOP { gauge.add(nanos) } else { gauge.extend(nanos) }
    }

    /// Books the time up to `at`, if there is any.
    pub(super) fn book_until(&mut self, at: u64, place: Place) {
        let nanos = self.account.until(at, place);
        self.worker.stations.place(place).extend(nanos);
    }

    /// Burns CPU time of this thread.
    pub(super) fn burn(&mut self, span: Span) {
        if span.is_zero() {
            return;
        }
        self.computed();
        let used = burn(span);
        let (cpu, wait) = self.account.compute(used);
        self.worker.stations.place(place::CPU).add(cpu);
        self.worker.stations.place(place::CPU_WAIT).extend(wait);
    }

    /// Burns a cost of the profile, in the worker's speed.
    pub(super) fn burn_scaled(&mut self, span: Span) {
        self.burn(span.scale(self.worker.scale));
    }

    /// Shows the request at `place` from now on, until [`Context::waited`]. A request that
    /// is given up meanwhile leaves as well.
    pub(super) fn wait_at(&self, place: Place) -> Waiting {
        self.worker.stations.place(place).enter();
        Waiting { worker: self.worker.clone(), place, over: false }
    }

    /// Books a wait that ended at `woken`. What comes after it is booked by the caller.
    pub(super) fn wait_over(&mut self, waiting: Waiting, woken: u64) {
        let place = waiting.place;
        waiting.end(woken);
        self.account.until(woken, place);
    }

    /// Books `nanos` of computing that was no burst of the handler's own.
    pub(super) fn spend_computing(&mut self, nanos: u64) {
        self.account.spend(place::CPU, nanos);
        self.worker.stations.place(place::CPU).extend(nanos);
    }

    /// Books a wait that ended at `woken`; what has passed since then, its result waited for
    /// the thread: for the loop to come round, or for a processor.
    pub(super) fn waited(&mut self, waiting: Waiting, woken: u64) {
        self.wait_over(waiting, woken);
        self.lap(self.mode.late());
    }
}

/// A request at a place where it waits.
#[derive(Debug)]
#[must_use = "it is shown as waiting while this lives"]
pub(super) struct Waiting {
    worker: Arc<Worker>,
    place: Place,
    over: bool,
}

impl Waiting {
    fn end(mut self, at: u64) {
        self.over = true;
        self.worker.stations.place(self.place).leave_at(at);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.over {
            self.worker.stations.place(self.place).leave();
        }
    }
}
