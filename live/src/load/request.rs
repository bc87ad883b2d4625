//! The requests of a class: the same text each time, with another key.

use std::fmt::{self, Write as _};

use model::scenario::{Endpoint, Scenario};
use model::stream::Draws;

use crate::program::Program;
use crate::wire::{self, Key};

/// The request of a class without its key.
#[derive(Clone, Debug)]
pub(super) struct RequestTemplate {
    head: String,
    program: Program,
}

impl RequestTemplate {
    /// The request for `endpoint` of the service of `scenario` at `host`.
    pub(super) fn new(
        scenario: &Scenario,
        endpoint: &Endpoint,
        keep_alive: bool,
        host: impl fmt::Display,
    ) -> RequestTemplate {
        let path = wire::path_of(&endpoint.name);
        let close = if keep_alive { "" } else { "connection: close\r\n" };
        let key = wire::KEY;
        let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{close}{key}: ");
        RequestTemplate { head, program: Program::new(scenario, endpoint) }
    }

    /// Writes the request with `key` to `request`, in place of what it held.
    pub(super) fn write(&self, key: Key, draws: &mut Draws, request: &mut String) {
        const INFALLIBLE: &str = "writing to a string cannot fail";
        request.clear();
        write!(request, "{}{key}", self.head).expect(INFALLIBLE);
        if self.program.draws_anything() {
            write!(request, "\r\n{}: ", wire::DRAWS).expect(INFALLIBLE);
            self.program.write_draws(draws, key.request, request);
        }
        request.push_str("\r\n\r\n");
    }
}
