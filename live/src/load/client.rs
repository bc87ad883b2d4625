//! A user's side of the wire: its connection, if it has one, and how it asks.

use std::fmt::{self, Write as _};

use model::scenario::{Endpoint, Scenario};
use model::workload::RequestKey;

use super::connection::{Connection, Failure};
use super::reply::Reply;
use super::traffic::Traffic;
use crate::clock;
use crate::program::Program;
use crate::wire::{self, Key};

/// A user's connection and room for its request.
#[derive(Debug, Default)]
pub(super) struct Client {
    connection: Option<Connection>,
    request: String,
}

/// The reply to a request.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) reply: Reply,
    /// When the request was sent.
    pub(super) sent: u64,
    /// When the reply had come.
    pub(super) received: u64,
}

impl Client {
    /// Sends a request and waits for its reply, on the connection that is open or a new one.
    ///
    /// A server may close an idle connection just as a request is on its way. As browsers
    /// do, such a request is sent once again, on a new connection: if a connection that has
    /// carried others fails before a byte of the reply has come.
    ///
    /// This future may be dropped, but then the connection must be closed.
    pub(super) async fn ask(
        &mut self,
        traffic: &Traffic,
        class: usize,
        key: RequestKey,
    ) -> Result<Answer, Failure> {
        let reused = self.connection.is_some();
        if self.connection.as_ref().is_some_and(Connection::is_quiet) {
            match self.exchange(traffic, class, key).await {
                Err(Failure::Broken { silent: true }) => {}
                settled => return settled,
            }
        }
        self.close(traffic);
        self.connection = Some(Connection::open(traffic.target).await?);
        traffic.ledger.borrow_mut().connected(reused);
        self.exchange(traffic, class, key).await
    }

    async fn exchange(
        &mut self,
        traffic: &Traffic,
        class: usize,
        key: RequestKey,
    ) -> Result<Answer, Failure> {
        let Some(connection) = &mut self.connection else {
            return Err(Failure::Broken { silent: true });
        };
        let form = &traffic.forms[class];
        let sent = clock::now();
        form.fill(Key { request: key, sent }, traffic, &mut self.request);
        let (reply, received) = connection.exchange(self.request.as_bytes()).await?;
        Ok(Answer { reply, sent, received })
    }

    /// Closes the connection, if there is one.
    pub(super) fn close(&mut self, traffic: &Traffic) {
        if self.connection.take().is_some() {
            traffic.ledger.borrow_mut().disconnected();
        }
    }
}

/// The request of a class, but for its key.
#[derive(Clone, Debug)]
pub(super) struct Form {
    head: String,
    program: Program,
}

impl Form {
    /// The request for `endpoint` of the service of `scenario` at `host`.
    pub(super) fn new(scenario: &Scenario, endpoint: &Endpoint, host: impl fmt::Display) -> Form {
        let path = wire::path_of(&endpoint.name);
        let close = if scenario.load.keep_alive { "" } else { "connection: close\r\n" };
        let key = wire::KEY;
        let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{close}{key}: ");
        Form { head, program: Program::new(scenario, endpoint) }
    }

    fn fill(&self, key: Key, traffic: &Traffic, request: &mut String) {
        const TAKES: &str = "a string takes what is written to it";
        request.clear();
        write!(request, "{}{key}", self.head).expect(TAKES);
        if self.program.draws_anything() {
            write!(request, "\r\n{}: ", wire::DRAWS).expect(TAKES);
            self.program.write_draws(&mut traffic.draws(), key.request, request);
        }
        request.push_str("\r\n\r\n");
    }
}
