//! What all users of a run share, and what each of them does with a request.

use std::cell::{RefCell, RefMut};
use std::net::SocketAddr;

use model::failure::ErrorKind;
use model::place;
use model::scenario::Scenario;
use model::stream::Draws;
use model::units::Span;
use model::workload::{RequestKey, Workload};

use super::LoadError;
use super::client::{Answer, Client, Form};
use super::connection::Failure;
use super::ledger::{Ledger, Outcome, Schedule, Ticket};
use crate::alarm::{Alarm, NEVER};
use crate::clock;

/// What all users of a run share.
pub(super) struct Traffic {
    pub(super) target: SocketAddr,
    pub(super) schedule: Schedule,
    pub(super) alarm: Alarm,
    pub(super) workload: Workload,
    pub(super) ledger: RefCell<Ledger>,
    /// The request of each class.
    pub(super) forms: Vec<Form>,
    draws: RefCell<Draws>,
    timeout: Option<Span>,
    keep_alive: bool,
}

/// A request that has come and is to be sent.
pub(super) struct Call {
    key: RequestKey,
    class: usize,
    ticket: Ticket,
}

/// How a request ended, as far as its user cares.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    /// When.
    pub(super) at: u64,
    /// The connection was refused or broke.
    pub(super) disconnected: bool,
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
            workload: Workload::new(*seed, &load.source, endpoints),
            ledger: RefCell::new(Ledger::new(schedule, endpoints.len(), places, events)),
            forms: endpoints.iter().map(|e| Form::new(scenario, e, target)).collect(),
            draws: RefCell::new(Draws::new()),
            timeout: load.timeout,
            keep_alive: load.keep_alive,
        }
    }

    /// The cache of draws.
    pub(super) fn draws(&self) -> RefMut<'_, Draws> {
        self.draws.borrow_mut()
    }

    /// A request comes that was intended at `intended`.
    pub(super) fn begin(&self, key: RequestKey, intended: u64) -> Call {
        let class = self.workload.class(&mut self.draws(), key);
        let ticket = self.ledger.borrow_mut().begin(class, intended, clock::now());
        Call { key, class, ticket }
    }

    /// Sends a request and sees it settled.
    ///
    /// # Errors
    /// Only what ends the run: a failure of the service is a result.
    pub(super) async fn carry(
        &self,
        client: &mut Client,
        Call { key, class, ticket }: Call,
    ) -> Result<Settled, LoadError> {
        self.ledger.borrow_mut().send(&ticket, clock::now());
        let patience =
            self.timeout.map_or(NEVER, |span| ticket.intended.saturating_add(span.nanos()));
        let answer = tokio::select! {
            biased;
            answer = client.ask(self, class, key) => Some(answer),
            () = self.alarm.sleep_until(patience) => None,
        };
        let keep = matches!(&answer, Some(Ok(answer)) if answer.reply.keep);
        if !keep || !self.keep_alive {
            client.close(self);
        }
        let (outcome, at) = match &answer {
            Some(Ok(Answer { reply, sent, received })) => {
                let outcome = match reply.failure() {
                    None => Outcome::Good { sent: *sent, times: &reply.times },
                    Some(kind) => Outcome::Error(kind),
                };
                (outcome, *received)
            }
            Some(Err(failure)) => {
                let kind = match failure {
                    Failure::Broken { .. } => ErrorKind::Disconnected,
                    Failure::NotHttp => ErrorKind::ServiceFailed,
                    Failure::Exhausted(error) => return Err(LoadError::exhausted(error)),
                };
                (Outcome::Error(kind), clock::now())
            }
            None => (Outcome::Error(ErrorKind::Timeout), clock::now()),
        };
        let disconnected = matches!(outcome, Outcome::Error(ErrorKind::Disconnected));
        self.ledger.borrow_mut().settle(ticket, &outcome, at);
        Ok(Settled { at, disconnected })
    }
}
