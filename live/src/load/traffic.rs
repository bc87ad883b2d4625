//! What all users of a run share.

use std::cell::{RefCell, RefMut};
use std::net::SocketAddr;

use model::place;
use model::scenario::Scenario;
use model::stream::Draws;
use model::workload::{RequestKey, Workload};

use super::ledger::{Ledger, Schedule, Ticket};
use super::request::RequestTemplate;
use crate::alarm::Alarm;
use crate::clock;

/// What all users of a run share.
pub(super) struct Traffic {
    pub(super) target: SocketAddr,
    pub(super) schedule: Schedule,
    pub(super) alarm: Alarm,
    pub(super) workload: Workload,
    pub(super) ledger: RefCell<Ledger>,
    /// The request of each class.
    pub(super) requests: Vec<RequestTemplate>,
    draws: RefCell<Draws>,
    pub(super) keep_alive: bool,
    /// The service has a supervisor that kills workers.
    pub(super) kills_workers: bool,
    /// How long clients keep an idle connection.
    pub(super) keep_alive_timeout: Option<Span>,
}

/// A request that is due and has not been sent.
pub(super) struct Call {
    pub(super) key: RequestKey,
    pub(super) class: usize,
    pub(super) ticket: Ticket,
}

impl Traffic {
    pub(super) fn new(
        scenario: &Scenario,
        target: SocketAddr,
        schedule: Schedule,
        alarm: Alarm,
        events: std::sync::mpsc::Sender<super::Event>,
    ) -> Traffic {
        let Scenario { seed, load, endpoints, .. } = scenario;
        let places = place::count(scenario);
        Traffic {
            target,
            schedule,
            alarm,
            workload: Workload::new(*seed, load, endpoints),
            ledger: RefCell::new(Ledger::new(schedule, endpoints.len(), places, events)),
            requests: endpoints
                .iter()
                .map(|endpoint| RequestTemplate::new(scenario, endpoint, target))
                .collect(),
            draws: RefCell::new(Draws::new()),
            keep_alive: load.keep_alive,
            kills_workers: scenario.service.worker_timeout.is_some(),
            keep_alive_timeout: load.keep_alive_timeout,
        }
    }

    /// The cache of draws.
    pub(super) fn draws(&self) -> RefMut<'_, Draws> {
        self.draws.borrow_mut()
    }

    /// Begins a request that was intended at `intended`.
    pub(super) fn begin(&self, key: RequestKey, intended: u64) -> Call {
        let class = self.workload.class(&mut self.draws(), key);
        let ticket = self.ledger.borrow_mut().begin(class, intended, clock::now());
        Call { key, class, ticket }
    }
}
