//! What all users of a run share.

use std::cell::{RefCell, RefMut};
use std::net::SocketAddr;

use model::place;
use model::scenario::{Group, Scenario};
use model::stream::Draws;
use model::units::Span;
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
    /// The loads at once; one without a name where the scenario has no groups.
    pub(super) loads: Vec<LoadTraffic>,
    pub(super) ledger: RefCell<Ledger>,
    draws: RefCell<Draws>,
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
        scenario: &Scenario,
        target: SocketAddr,
        schedule: Schedule,
        alarm: Alarm,
        events: std::sync::mpsc::Sender<super::Event>,
    ) -> Traffic {
        let Scenario { seed, load, endpoints, .. } = scenario;
        let places = place::count(scenario);
        let of = |group: &Group| LoadTraffic {
            workload: Workload::of(*seed, group, endpoints),
            requests: endpoints
                .iter()
                .map(|endpoint| {
                    RequestTemplate::new(scenario, endpoint, group.load.keep_alive, target)
                })
                .collect(),
            keep_alive: group.load.keep_alive,
        };
        let loads: Vec<LoadTraffic> = load.groups().iter().map(of).collect();
        Traffic {
            target,
            schedule,
            alarm,
            ledger: RefCell::new(Ledger::new(
                schedule,
                endpoints.len(),
                loads.len(),
                places,
                events,
            )),
            loads,
            draws: RefCell::new(Draws::new()),
            kills_workers: scenario.service.worker_timeout.is_some(),
            keep_alive_timeout: load.keep_alive_timeout,
        }
    }

    /// The cache of draws.
    pub(super) fn draws(&self) -> RefMut<'_, Draws> {
        self.draws.borrow_mut()
    }

    /// Begins a request that was intended at `intended`.
    pub(super) fn begin(&self, load: usize, key: RequestKey, intended: u64) -> Call {
        let class = self.loads[load].workload.class(&mut self.draws(), key);
        let ticket = self.ledger.borrow_mut().begin(load, class, intended, clock::now());
        Call { load, key, class, ticket }
    }
}
