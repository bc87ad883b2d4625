//! A user's connection to the service, and how a request is sent on it.

use std::net::SocketAddr;

use model::failure::ErrorKind;
use model::units::Span;
use model::workload::RequestKey;

use super::LoadError;
use super::connection::{Connection, Failure};
use super::ledger::Outcome;
use super::reply::Reply;
use super::traffic::{Call, Traffic};
use crate::alarm::NEVER;
use crate::clock;
use crate::wire::Key;

/// A connection that the server had closed before the request came ends with the reply of its
/// kernel, long before this.
const CLOSED_BEFORE: Span = Span::from_millis(100);

/// A user's connection, if it is open, and a buffer for its requests.
#[derive(Debug, Default)]
pub(super) struct Client {
    connection: Option<Connection>,
    /// When the last reply had come on it.
    idle_since: u64,
    request: String,
}

/// A reply, and when it came.
#[derive(Debug)]
struct Answer {
    reply: Reply,
    /// When the request was sent.
    sent: u64,
    /// When the last byte of the reply had come.
    received: u64,
}

/// How a request ended, as far as its user needs to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    /// When.
    pub(super) at: u64,
    /// The connection was refused or broke.
    pub(super) disconnected: bool,
}

impl Client {
    /// A user whose connection is open before its first request, if the service accepts it.
    ///
    /// # Errors
    /// This machine can open no more connections.
    pub(super) async fn connected(target: SocketAddr) -> Result<Client, LoadError> {
        match Connection::open(target).await {
            Ok(connection) => Ok(Client { connection: Some(connection), ..Client::default() }),
            Err(failure) => kind(&failure).map(|_| Client::default()),
        }
    }

    /// The connection is open.
    pub(super) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Sends a request, waits until it is answered or has timed out, and counts it.
    ///
    /// # Errors
    /// Only what ends the run: a failure of the service is a result.
    pub(super) async fn carry(
        &mut self,
        traffic: &Traffic,
        call: Call,
    ) -> Result<Settled, LoadError> {
        let Call { load, key, class, ticket } = call;
        let (mut attempt, mut due) = (0, ticket.intended);
        let own = traffic.loads[load].requests[class].is_own();
        traffic.ledger.borrow_mut().send(&ticket, clock::now());
        loop {
            let until = traffic.patience(load, key.attempt(attempt), ticket.intended, due);
            let answer = self.attempt(traffic, load, class, key.attempt(attempt), until).await;
            let (outcome, at) = match &answer {
                Some(Ok(Answer { reply, sent, received })) => {
                    let failure = if own { reply.failure_of_own() } else { reply.failure() };
                    let outcome = match failure {
                        None => Outcome::Good { due, sent: *sent, times: &reply.times },
                        Some(kind) => Outcome::Error(kind),
                    };
                    (outcome, *received)
                }
                Some(Err(failure)) => (Outcome::Error(kind(failure)?), clock::now()),
                None => (Outcome::Error(ErrorKind::Timeout), clock::now()),
            };
            self.idle_since = at;
            if let Outcome::Error(kind) = outcome
                && let Some(pause) = traffic.retry(key, attempt, kind, ticket.intended, at)
            {
                (attempt, due) = (attempt + 1, at.saturating_add(pause.nanos()));
                traffic.alarm.sleep_until(due).await;
                traffic.ledger.borrow_mut().send_again(clock::now());
                continue;
            }
            if let (true, Some(Ok(Answer { reply, .. }))) = (own, &answer) {
                traffic.ledger.borrow_mut().answered(class, reply.status, at);
            }
            let disconnected = matches!(outcome, Outcome::Error(ErrorKind::Disconnected));
            traffic.ledger.borrow_mut().settle(ticket, &outcome, at);
            return Ok(Settled { at, disconnected });
        }
    }

    /// One attempt, until it is answered or `until`, where it is abandoned.
    async fn attempt(
        &mut self,
        traffic: &Traffic,
        load: usize,
        class: usize,
        key: RequestKey,
        until: u64,
    ) -> Option<Result<Answer, Failure>> {
        let answer = tokio::select! {
            biased;
            answer = self.ask(traffic, load, class, key) => Some(answer),
            () = traffic.alarm.sleep_until(until) => None,
        };
        let keep = matches!(&answer, Some(Ok(answer)) if answer.reply.keep);
        if !keep || !traffic.loads[load].keep_alive {
            self.close(traffic);
        }
        answer
    }

    /// Sends a request and waits for its reply, on the connection that is open or a new one.
    ///
    /// A server may close an idle connection just as a request is on its way: a connection that
    /// has carried others fails before a byte of the reply has come. As browsers do, such a
    /// request is sent once again, on a new connection. If the load says how long clients keep
    /// idle connections (`load.keep_alive_timeout`), or the request does something each time that
    /// it is sent, it is not, and counts as an error.
    ///
    /// This future may be dropped, but then the connection must be closed.
    async fn ask(
        &mut self,
        traffic: &Traffic,
        load: usize,
        class: usize,
        key: RequestKey,
    ) -> Result<Answer, Failure> {
        let reused = self.connection.is_some();
        if self.expires_at(traffic) <= clock::now() {
            self.close(traffic);
        }
        if self.connection.as_ref().is_some_and(Connection::is_quiet) {
            match self.serve(traffic, load, class, key).await {
                Err(Failure::Broken { silent: true }) => {
                    let again = traffic.loads[load].requests[class].idempotent();
                    if traffic.keep_alive_timeout.is_some() || !again {
                        return Err(Failure::ClosedBefore);
                    }
                }
                settled => return settled,
            }
        }
        self.close(traffic);
        self.connection = Some(Connection::open(traffic.target).await?);
        traffic.ledger.borrow_mut().connected(reused);
        self.serve(traffic, load, class, key).await
    }

    /// Sends a request and waits for its reply, or for the end of the worker that has it: where
    /// a supervisor kills workers, that is what ends a connection on which a request has waited.
    async fn serve(
        &mut self,
        traffic: &Traffic,
        load: usize,
        class: usize,
        key: RequestKey,
    ) -> Result<Answer, Failure> {
        let began = clock::now();
        match self.exchange(traffic, load, class, key).await {
            Err(Failure::Broken { .. })
                if traffic.kills_workers && clock::now() - began > CLOSED_BEFORE.nanos() =>
            {
                Err(Failure::WorkerEnded)
            }
            other => other,
        }
    }

    async fn exchange(
        &mut self,
        traffic: &Traffic,
        load: usize,
        class: usize,
        key: RequestKey,
    ) -> Result<Answer, Failure> {
        let Some(connection) = &mut self.connection else {
            return Err(Failure::Broken { silent: true });
        };
        let sent = clock::now();
        let key = Key { request: key, sent };
        traffic.loads[load].requests[class].write(key, &mut traffic.draws(), &mut self.request);
        let bodyless = traffic.loads[load].requests[class].bodyless();
        let (reply, received) = connection.exchange(self.request.as_bytes(), bodyless).await?;
        Ok(Answer { reply, sent, received })
    }

    /// When it closes its connection unless it sends something before; [`NEVER`] if it keeps it
    /// for as long as the server does, or has none.
    pub(super) fn expires_at(&self, traffic: &Traffic) -> u64 {
        match (&self.connection, traffic.keep_alive_timeout) {
            (Some(_), Some(span)) => self.idle_since.saturating_add(span.nanos()),
            _ => NEVER,
        }
    }

    /// Closes the connection, if there is one.
    pub(super) fn close(&mut self, traffic: &Traffic) {
        if self.connection.take().is_some() {
            traffic.ledger.borrow_mut().disconnected();
        }
    }
}

/// The kind of error that a failed connection is counted as.
///
/// # Errors
/// The load generator's own machine can open no more connections.
fn kind(failure: &Failure) -> Result<ErrorKind, LoadError> {
    match failure {
        Failure::Broken { .. } => Ok(ErrorKind::Disconnected),
        Failure::WorkerEnded => Ok(ErrorKind::WorkerKilled),
        Failure::ClosedBefore => Ok(ErrorKind::ConnectionClosed),
        Failure::NotHttp => Ok(ErrorKind::ServiceFailed),
        Failure::Exhausted(error) => Err(LoadError::exhausted(error)),
    }
}
