//! Spans of traces, whatever form and whatever names of attributes they were recorded with.

mod attributes;
mod jaeger;
mod otlp;

pub use jaeger::jaeger;
pub use otlp::{otlp_json_line, otlp_protobuf};

/// A piece of work with its begin and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The trace that it belongs to.
    pub trace: u128,
    /// Its number in the trace.
    pub id: u64,
    /// The span that it is a part of.
    pub parent: Option<u64>,
    /// The service that recorded it; empty if that is not said.
    pub service: String,
    /// On which side of a request it was recorded.
    pub kind: Kind,
    /// Its begin: nanoseconds since 1970.
    pub start: u64,
    /// Its end: nanoseconds since 1970.
    pub end: u64,
    /// What the instrumentation calls it.
    pub name: String,
    /// What was done.
    pub work: Work,
    /// It ended with an error.
    pub failed: bool,
}

impl Span {
    /// Nanoseconds from begin to end.
    pub fn nanos(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

/// On which side of a request a span was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Inside of one process.
    Internal,
    /// By the service that answers.
    Server,
    /// By the service that asks.
    Client,
    /// By the service that sends a message.
    Producer,
    /// By the service that gets a message.
    Consumer,
}

/// What was done in a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// A request was answered.
    Request {
        /// The method in capitals.
        method: String,
        /// Its path as the router knows it: `/items/{id}`.
        route: Option<String>,
        /// Its path as it was asked for, without the query.
        path: Option<String>,
        /// The status of the reply.
        status: Option<u16>,
    },
    /// Another service was called.
    Call {
        /// Its name or address: `partner`, `10.0.0.7:8080`.
        peer: String,
        /// The method in capitals; empty where there is none.
        method: String,
        /// What was asked for, without the query.
        path: String,
    },
    /// A database was asked.
    Query {
        /// Which one: `postgresql`, `sqlite`.
        system: String,
        /// The statement as it was sent.
        statement: Option<String>,
        /// Its first word: `SELECT`.
        operation: Option<String>,
        /// The table that it is about.
        table: Option<String>,
    },
    /// Anything else.
    Other,
}

/// A record that holds no spans.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is not the JSON that was expected.
    #[error("not {expected}: {found}")]
    Json {
        /// What the text should be.
        expected: &'static str,
        /// What is wrong with it.
        found: serde_json::Error,
    },
    /// It is not a message of OTLP.
    #[error("not a trace message of OTLP in protobuf: {0}")]
    Protobuf(#[from] prost::DecodeError),
}

#[cfg(test)]
mod tests;
