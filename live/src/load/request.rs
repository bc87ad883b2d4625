//! The requests of a class: of rung's own services the same text each time, with another key.

use std::fmt::Write as _;

use model::scenario::{Endpoint, Scenario};
use model::stream::Draws;

use super::own::OwnRequest;
use crate::program::Program;
use crate::wire::{self, Key};

/// The request of a class without its key.
#[derive(Clone, Debug)]
pub(super) enum RequestTemplate {
    /// To a service that this program knows from the inside.
    Known {
        /// Up to the key.
        head: String,
        /// What the service is to draw.
        program: Program,
    },
    /// To a service of the user's own.
    Own(Box<OwnRequest>),
}

impl RequestTemplate {
    /// The request for `endpoint` of the service of `scenario` at `host`: of one that is the
    /// user's `own` as the endpoint says, if it does.
    pub(super) fn new(
        scenario: &Scenario,
        endpoint: &Endpoint,
        keep_alive: bool,
        host: &str,
        own: bool,
    ) -> RequestTemplate {
        let request = endpoint.request.as_ref().filter(|_| own);
        let request = request.and_then(|request| {
            OwnRequest::new(scenario.seed, &endpoint.name, request, keep_alive, host)
        });
        if let Some(request) = request {
            return RequestTemplate::Own(Box::new(request));
        }
        let path = wire::path_of(&endpoint.name);
        let close = if keep_alive { "" } else { "connection: close\r\n" };
        let key = wire::KEY;
        let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{close}{key}: ");
        RequestTemplate::Known { head, program: Program::new(scenario, endpoint) }
    }

    /// Writes the request with `key` to `request`, in place of what it held.
    pub(super) fn write(&self, key: Key, draws: &mut Draws, request: &mut String) {
        const INFALLIBLE: &str = "writing to a string cannot fail";
        request.clear();
        let (head, program) = match self {
            RequestTemplate::Known { head, program } => (head, program),
            RequestTemplate::Own(own) => return own.write(key.request, draws, request),
        };
        write!(request, "{head}{key}").expect(INFALLIBLE);
        if program.draws_anything() {
            write!(request, "\r\n{}: ", wire::DRAWS).expect(INFALLIBLE);
            program.write_draws(draws, key.request, request);
        }
        request.push_str("\r\n\r\n");
    }

    /// The requests are those of a service of the user's own, which does not know this program.
    pub(super) fn is_own(&self) -> bool {
        matches!(self, RequestTemplate::Own(_))
    }

    /// The reply has no body, whatever its head says.
    pub(super) fn bodyless(&self) -> bool {
        matches!(self, RequestTemplate::Own(own) if own.bodyless)
    }

    /// It may be sent again if nothing was heard of it.
    pub(super) fn idempotent(&self) -> bool {
        match self {
            RequestTemplate::Known { .. } => true,
            RequestTemplate::Own(own) => own.idempotent,
        }
    }
}
