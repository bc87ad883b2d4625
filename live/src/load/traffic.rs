//! What all users of a run share.

use std::cell::{RefCell, RefMut};
use std::net::SocketAddr;

use model::failure::ErrorKind;
use model::place;
use model::retry::{Failed, Next, Retries};
use model::scenario::{Group, Scenario};
use model::stream::Draws;
use model::units::Span;
use model::workload::{RequestKey, Workload};

use super::Plan;
use super::ledger::{Ledger, Schedule, Ticket};
use super::request::RequestTemplate;
use crate::alarm::{Alarm, NEVER};
use crate::clock;

/// What all users of a run share.
pub(super) struct Traffic {
    pub(super) target: SocketAddr,
    pub(super) schedule: Schedule,
    pub(super) alarm: Alarm,
    /// The loads at once; one without a name where the scenario has no groups.
    pub(super) loads: Vec<LoadTraffic>,
    pub(super) ledger: RefCell<Ledger>,
    draws: RefCell<Draws>,
    retries: RefCell<Retries>,
    give_up: Option<Span>,
    /// The service has a supervisor that kills workers.
    pub(super) kills_workers: bool,
    /// How long clients keep an idle connection.
    pub(super) keep_alive_timeout: Option<Span>,
}

/// What all users of one load share.
pub(super) struct LoadTraffic {
    pub(super) workload: Workload,
    /// The request of each class.
    pub(super) requests: Vec<RequestTemplate>,
    pub(super) keep_alive: bool,
}

/// A request that is due and has not been sent.
pub(super) struct Call {
    /// The load that it belongs to.
    pub(super) load: usize,
    pub(super) key: RequestKey,
    pub(super) class: usize,
    pub(super) ticket: Ticket,
}

impl Traffic {
    pub(super) fn new(
        plan: &Plan,
        schedule: Schedule,
        alarm: Alarm,
        events: std::sync::mpsc::Sender<super::Event>,
    ) -> Traffic {
        let Plan { scenario, target, own } = plan;
        let scenario: &Scenario = scenario;
        let Scenario { seed, load, endpoints, .. } = scenario;
        let host = own.clone().unwrap_or_else(|| target.to_string());
        let places = place::count(scenario);
        let of = |group: &Group| LoadTraffic {
            workload: Workload::of(*seed, group, endpoints),
            requests: endpoints
                .iter()
                .map(|endpoint| {
                    let keep_alive = group.load.keep_alive;
                    RequestTemplate::new(scenario, endpoint, keep_alive, &host, own.is_some())
                })
                .collect(),
            keep_alive: group.load.keep_alive,
        };
        let loads: Vec<LoadTraffic> = load.groups().iter().map(of).collect();
        Traffic {
            target: *target,
            schedule,
            alarm,
            ledger: RefCell::new(
                Ledger::new(schedule, endpoints.len(), loads.len(), places, events).watching(load),
            ),
            loads,
            draws: RefCell::new(Draws::new()),
            retries: RefCell::new(Retries::new(*seed, &load.retry)),
            give_up: load.retry.give_up,
            kills_workers: scenario.service.worker_timeout.is_some(),
            keep_alive_timeout: load.keep_alive_timeout,
        }
    }

    /// The cache of draws.
    pub(super) fn draws(&self) -> RefMut<'_, Draws> {
        self.draws.borrow_mut()
    }

    /// When the attempt with `key`, which was due at `due`, is abandoned, of a request that was
    /// intended at `intended`.
    pub(super) fn patience(&self, load: usize, key: RequestKey, intended: u64, due: u64) -> u64 {
        let after = |from: u64, span: Option<Span>| {
            span.map_or(NEVER, |span| from.saturating_add(span.nanos()))
        };
        let patience = self.loads[load].workload.patience(&mut self.draws(), key);
        after(due, patience).min(after(intended, self.give_up))
    }

    /// The pause before another attempt of a request that failed at `now`, if there is one.
    pub(super) fn retry(
        &self,
        key: RequestKey,
        attempt: u32,
        kind: ErrorKind,
        intended: u64,
        now: u64,
    ) -> Option<Span> {
        let since = |at: u64| Span::from_nanos(at.saturating_sub(self.schedule.start));
        let failed = Failed { key, attempt, kind, first: since(intended), now: since(now) };
        let next = self.retries.borrow_mut().next(&mut self.draws(), failed);
        self.ledger.borrow_mut().failed(next, now);
        match next {
            Next::Retry(pause) => Some(pause),
            Next::End | Next::Refused => None,
        }
    }

    /// Begins a request that was intended at `intended`.
    pub(super) fn begin(&self, load: usize, key: RequestKey, intended: u64) -> Call {
        let class = self.loads[load].workload.class(&mut self.draws(), key);
        let since = Span::from_nanos(intended.saturating_sub(self.schedule.start));
        self.retries.borrow_mut().request(since);
        let ticket = self.ledger.borrow_mut().begin(load, class, intended, clock::now());
        Call { load, key, class, ticket }
    }
}
