//! Spans become requests: what each asked of others, and when.

use std::collections::HashMap;

use super::spans::{Kind, Span, Work};
use super::sql::Statement;

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The endpoint: `GET /items/{id}`.
    pub endpoint: String,
    /// Its begin: nanoseconds since 1970.
    pub start: u64,
    /// Its end.
    pub end: u64,
    /// Its status is below 400, and no error was recorded.
    pub good: bool,
    /// What it asked of others, in order of begin.
    pub operations: Vec<Operation>,
}

/// What was asked of another program, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What was asked.
    pub asked: Asked,
    /// Its begin: nanoseconds since 1970.
    pub start: u64,
    /// Its end.
    pub end: u64,
    /// It was timed outside of the service's process, so that none of its CPU is in it.
    pub outside: bool,
}

impl Operation {
    /// Seconds from begin to end.
    pub fn seconds(&self) -> f64 {
        self.end.saturating_sub(self.start) as f64 / 1e9
    }
}

/// What was asked of another program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// A call of an upstream.
    Call {
        /// Its name or address.
        peer: String,
        /// The method in capitals.
        method: String,
        /// The path, with `{id}` for parts that vary.
        path: String,
    },
    /// A query of a database.
    Query {
        /// Which one: `postgresql`.
        system: String,
        /// What was asked.
        statement: Statement,
    },
    /// The end of a transaction that wrote.
    Commit {
        /// Which database.
        system: String,
    },
}

impl Asked {
    /// None for work that asks nothing of another program.
    pub(super) fn by(work: &Work) -> Option<Asked> {
        match work {
            Work::Call { peer, method, path } => Some(Asked::Call {
                peer: peer.clone(),
                method: method.clone(),
                path: template(path),
            }),
            Work::Query { system, statement, operation, table } => {
                let named =
                    || [operation.as_deref(), table.as_deref()].map(Option::unwrap_or_default);
                let text = statement.clone().unwrap_or_else(|| named().join(" "));
                let mut found = Statement::new(&text);
                found.table = found.table.or_else(|| table.clone());
                Some(Asked::Query { system: system.clone(), statement: found })
            }
            Work::Request { .. } | Work::Other => None,
        }
    }
}

/// The requests that these spans tell of, in order of begin. A request is a span of a server; what
/// it asked of others are the spans below it, as far as the next server or client.
pub fn requests(spans: &[Span]) -> Vec<Request> {
    let mut children: HashMap<(u128, u64), Vec<&Span>> = HashMap::new();
    for span in spans {
        if let Some(parent) = span.parent {
            children.entry((span.trace, parent)).or_default().push(span);
        }
    }
    let mut requests: Vec<Request> = spans
        .iter()
        .filter_map(|span| {
            let (endpoint, good) = answered(span)?;
            let mut operations = Vec::new();
            below(span, &children, &mut operations);
            operations.retain(|operation| operation.start < span.end);
            operations.sort_by_key(|operation| (operation.start, operation.end));
            Some(Request { endpoint, start: span.start, end: span.end, good, operations })
        })
        .collect();
    requests.sort_by_key(|request| (request.start, request.end));
    requests
}

/// The endpoint of a span of a server, and whether it answered well.
fn answered(span: &Span) -> Option<(String, bool)> {
    let Work::Request { method, route, path, status } = &span.work else { return None };
    let path = route.clone().or_else(|| path.as_deref().map(template));
    let good = !span.failed && status.is_none_or(|status| status < 400);
    Some((path.map_or_else(|| span.name.clone(), |path| format!("{method} {path}")), good))
}

fn below(span: &Span, children: &HashMap<(u128, u64), Vec<&Span>>, found: &mut Vec<Operation>) {
    // Taken one after the other: a chain of spans may be long, and a record may be in a circle.
    let mut open = vec![(span.trace, span.id)];
    let mut left = 100_000;
    while let Some(at) = open.pop().filter(|_| left > 0) {
        left -= 1;
        for child in children.get(&at).into_iter().flatten() {
            match Asked::by(&child.work) {
                Some(asked) => found.push(Operation {
                    asked,
                    start: child.start,
                    end: child.end,
                    outside: false,
                }),
                None if matches!(child.kind, Kind::Server | Kind::Consumer) => {}
                None => open.push((child.trace, child.id)),
            }
        }
    }
}

/// The path with `{id}` for parts that look like numbers, UUIDs or keys.
pub(super) fn template(path: &str) -> String {
    let varies = |part: &str| {
        let digits = part.chars().filter(char::is_ascii_digit).count();
        let version = part.strip_prefix('v').is_some_and(|rest| rest.len() <= 2);
        part.len() > 32 || (digits > 0 && !version)
    };
    let parts = path.split('/').map(|part| if varies(part) { "{id}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::{Asked, requests, template};
    use crate::wait::spans::{Kind, Span, Work};

    fn span(id: u64, parent: u64, kind: Kind, [start, end]: [u64; 2], work: Work) -> Span {
        let (service, name) = (String::new(), format!("span {id}"));
        let parent = (parent != 0).then_some(parent);
        Span { trace: 1, id, parent, service, kind, start, end, name, work, failed: false }
    }

    fn request(id: u64, parent: u64, status: u16) -> Span {
        let work = Work::Request {
            method: "GET".into(),
            route: None,
            path: Some("/items/7".into()),
            status: Some(status),
        };
        span(id, parent, Kind::Server, [0, 100], work)
    }

    fn query(id: u64, parent: u64, at: u64) -> Span {
        let work = Work::Query {
            system: "postgresql".into(),
            statement: None,
            operation: Some("SELECT".into()),
            table: Some("items".into()),
        };
        span(id, parent, Kind::Client, [at, at + 5], work)
    }

    #[test]
    fn inner_spans_are_looked_through_and_outer_clients_count() {
        let call = Work::Call { peer: "partner".into(), method: "GET".into(), path: "/9".into() };
        let spans = [
            query(6, 5, 20),
            query(5, 4, 20),
            span(4, 1, Kind::Internal, [10, 40], Work::Other),
            request(1, 0, 200),
            span(2, 1, Kind::Internal, [90, 95], Work::Other),
            span(7, 1, Kind::Client, [50, 80], call),
            // The partner's own part of the trace.
            request(8, 7, 200),
            query(9, 8, 60),
        ];
        let found = requests(&spans);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].endpoint.as_str(), found[0].good), ("GET /items/{id}", true));
        let kinds: Vec<&str> = found[0]
            .operations
            .iter()
            .map(|operation| match &operation.asked {
                Asked::Query { statement, .. } => statement.operation.as_str(),
                Asked::Call { path, .. } => path.as_str(),
                Asked::Commit { .. } => "commit",
            })
            .collect();
        assert_eq!(kinds, ["select", "/{id}"]);
        assert_eq!(found[1].operations.len(), 1, "the partner's query is the partner's");
    }

    #[test]
    fn a_circle_of_parents_ends() {
        let mut spans = [request(1, 0, 500), span(2, 1, Kind::Internal, [1, 2], Work::Other)];
        spans[0].parent = Some(2);
        let found = requests(&spans);
        assert_eq!((found.len(), found[0].good), (1, false));
    }

    #[test]
    fn parts_that_vary() {
        assert_eq!(template("/v1/quote/17"), "/v1/quote/{id}");
        assert_eq!(template("/a/0b5f3a9e-7a3e-4c1b-9f1e-0123456789ab/"), "/a/{id}/");
        assert_eq!(template("/"), "/");
    }
}
