//! While requests are sent one at a time, what passes belongs to the one that is under way.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::background::now;
use super::http_proxy::HttpProxy;
use super::listener::Listener;
use super::postgres_proxy::PostgresProxy;
use super::requests::{Asked, Operation, Request, requests};
use super::sessions;
use super::spans::Span;
use super::steps::{Cpu, Waits, steps};
use crate::probe::Connections;

/// Pause between two looks whether spans still come.
const LOOK: Duration = Duration::from_millis(50);

/// A request that was sent when no other was under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its endpoint, as the probe calls it.
    pub endpoint: String,
    /// When it was sent: nanoseconds since 1970.
    pub start: u64,
    /// When its reply was there.
    pub end: u64,
    /// It was answered well.
    pub good: bool,
}

/// Where a proxy listens, and what it forwards to: `9001->127.0.0.1:9000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Host and port of what it forwards to.
    pub target: String,
}

/// An upstream behind a proxy: `partner=9001->127.0.0.1:9000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamRoute {
    /// What the upstream is called.
    pub name: String,
    /// Where its proxy is.
    pub route: Route,
}

/// What watches the service while it is probed. Its ports are closed when it is dropped.
#[derive(Debug, Default)]
pub struct Watch {
    listener: Option<Listener>,
    upstreams: Vec<HttpProxy>,
    databases: Vec<PostgresProxy>,
    sent: Vec<Sent>,
    begun: u64,
    /// Something passed through a proxy while a request was under way.
    watched: bool,
}

impl Watch {
    /// Listens for traces at the port `otlp`, and in front of upstreams and databases.
    ///
    /// # Errors
    /// A port is taken; the message says which.
    pub fn start(
        otlp: Option<u16>,
        upstreams: &[UpstreamRoute],
        databases: &[Route],
    ) -> io::Result<Watch> {
        let taken = |at: SocketAddr| {
            move |error: io::Error| {
                io::Error::new(error.kind(), format!("cannot listen at {at}: {error}"))
            }
        };
        let listener = otlp.map(|port| {
            Listener::start(port).map_err(taken(SocketAddr::from((Ipv4Addr::LOCALHOST, port))))
        });
        let upstreams = upstreams.iter().map(|UpstreamRoute { name, route }| {
            HttpProxy::start(name, route.listen, &route.target).map_err(taken(route.listen))
        });
        let databases = databases.iter().map(|route| {
            PostgresProxy::start(route.listen, &route.target).map_err(taken(route.listen))
        });
        Ok(Watch {
            listener: listener.transpose()?,
            upstreams: upstreams.collect::<io::Result<_>>()?,
            databases: databases.collect::<io::Result<_>>()?,
            sent: Vec::new(),
            begun: 0,
            watched: false,
        })
    }

    /// There is something that it watches with.
    pub fn is_on(&self) -> bool {
        self.listener.is_some() || !self.upstreams.is_empty() || !self.databases.is_empty()
    }

    /// A request is about to be sent. What passed before the first of them is thrown away.
    pub fn begin(&mut self) {
        if self.sent.is_empty() {
            drop(self.passed());
            drop(self.traced());
        }
        self.begun = now();
    }

    /// When the last of them was about to be sent.
    pub fn begun(&self) -> u64 {
        self.begun
    }

    fn passed(&self) -> Vec<Span> {
        let upstreams = self.upstreams.iter().flat_map(HttpProxy::take);
        upstreams.chain(self.databases.iter().flat_map(PostgresProxy::take)).collect()
    }

    fn traced(&self) -> Vec<Span> {
        self.listener.as_ref().map(Listener::take).unwrap_or_default()
    }

    /// The time of a request that is about to be sent, or whose reply is there.
    pub fn now() -> u64 {
        now()
    }

    /// A request has ended, and no other was under way meanwhile.
    pub fn sent(&mut self, sent: Sent) {
        self.sent.push(sent);
    }

    /// The steps of each endpoint, given the CPU of those where it is known. Spans come late: they
    /// are awaited until none has come for so long.
    pub fn waits(&mut self, quiet: Duration, cpu: &BTreeMap<String, Cpu>) -> Waits {
        self.settle(quiet);
        let (mut passed, traced) = (self.passed(), self.traced());
        self.watched |= !passed.is_empty();
        let sent = std::mem::take(&mut self.sent);
        let late = sessions::take_late_ends(&sent, &mut passed);
        let mut requests = traffic(&sent, &passed, &traced);
        let holds = sessions::holds(&late, &mut requests);
        let mut waits = Waits { holds, ..steps(&requests, cpu) };
        self.note(&sent, &passed, &traced, &mut waits.notes);
        waits
    }

    /// The connections to databases behind proxies; none without such a proxy.
    pub fn connections(&self) -> Option<Connections> {
        let each = self.databases.iter().map(PostgresProxy::connections);
        each.reduce(|one, other| Connections {
            open: one.open + other.open,
            busy: one.busy + other.busy,
        })
    }

    /// How long each connection to a database took to open since this was asked last, seconds.
    pub fn openings(&self) -> Vec<f64> {
        self.databases.iter().flat_map(PostgresProxy::openings).collect()
    }

    /// What is to be said at the end, of all requests together.
    pub fn remarks(&self) -> Vec<String> {
        let proxies = self.upstreams.len() + self.databases.len();
        let text = "Nothing passed through the proxies: the service still calls its upstreams and its \
                    database at their own addresses.";
        if proxies > 0 && !self.watched { vec![text.to_owned()] } else { Vec::new() }
    }

    fn settle(&self, quiet: Duration) {
        let Some(listener) = &self.listener else { return };
        let (mut count, mut since) = (listener.count(), Instant::now());
        // A service may send spans without an end, of what it does by itself.
        let end = since + 4 * quiet;
        while since.elapsed() < quiet && Instant::now() < end {
            sleep(LOOK);
            if listener.count() != count {
                (count, since) = (listener.count(), Instant::now());
            }
        }
    }

    fn note(&self, sent: &[Sent], passed: &[Span], traced: &[Span], notes: &mut Vec<String>) {
        if let Some(listener) = &self.listener {
            if traced.is_empty() && !sent.is_empty() {
                notes.push(format!(
                    "No span came to {}: start the service with OTEL_EXPORTER_OTLP_ENDPOINT=\
                     http://{} and OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf.",
                    listener.address(),
                    listener.address()
                ));
            }
            if listener.left_out() > 0 {
                let count = listener.left_out();
                notes.push(format!("{count} spans were left out: there was no room for them."));
            }
        }
        let after = passed.iter().filter(|span| is_outside(sent, span)).count();
        if after > 0 {
            notes.push(format!(
                "{after} calls and queries began when no request was under way: work after a \
                 reply, or on a schedule. They are in no steps."
            ));
        }
    }
}

/// It began before the first request, between two, or after the last; what came before the first
/// is how the service starts, and nothing to be said.
fn is_outside(sent: &[Sent], span: &Span) -> bool {
    let begun = sent.first().is_some_and(|first| first.start <= span.start);
    begun && !sent.iter().any(|one| (one.start..=one.end).contains(&span.start))
}

/// What each request that was sent asked of others: what passed through proxies while it was under
/// way, and what its spans tell of, except for what is known from a proxy already.
pub fn traffic(sent: &[Sent], passed: &[Span], traced: &[Span]) -> Vec<Request> {
    let answered = requests(traced);
    sent.iter()
        .map(|sent| {
            let during = |start: u64| (sent.start..=sent.end).contains(&start);
            let passed: Vec<Operation> = passed
                .iter()
                .filter(|span| during(span.start))
                .filter_map(|span| {
                    let (asked, start, end) = (Asked::by(&span.work)?, span.start, span.end);
                    Some(Operation { asked, start, end, outside: true })
                })
                .collect();
            let holds = |one: &Operation| {
                passed.iter().any(|inner| one.start <= inner.start && inner.end <= one.end)
            };
            // The first of the spans is the request's own: a service may ask itself meanwhile.
            let server = answered.iter().find(|request| during(request.start));
            let told = server.map(|request| request.operations.clone()).unwrap_or_default();
            let mut operations: Vec<Operation> =
                told.into_iter().filter(|one| !holds(one)).chain(passed.iter().cloned()).collect();
            operations.sort_by_key(|operation| (operation.start, operation.end));
            Request {
                endpoint: sent.endpoint.clone(),
                start: server.map_or(sent.start, |request| request.start),
                end: server.map_or(sent.end, |request| request.end),
                good: sent.good && server.is_none_or(|request| request.good),
                operations,
            }
        })
        .collect()
}

impl FromStr for Route {
    type Err = String;

    fn from_str(text: &str) -> Result<Route, String> {
        let wrong =
            || format!("{text:?} is no route: write LISTEN->TARGET, as 9001->127.0.0.1:9000");
        let (listen, target) = text.split_once("->").ok_or_else(wrong)?;
        let listen = match listen.trim().parse::<u16>() {
            Ok(port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            Err(_) => listen.trim().parse().map_err(|_| wrong())?,
        };
        let target = target.trim();
        if target.starts_with("https://") {
            return Err(format!(
                "{target} is encrypted, which a proxy cannot watch: name an address that speaks \
                 plain HTTP, or learn from traces with --otlp"
            ));
        }
        let target = target.strip_prefix("http://").unwrap_or(target).trim_end_matches('/');
        let port = target.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        port.ok_or_else(wrong)?;
        Ok(Route { listen, target: target.to_owned() })
    }
}

impl FromStr for UpstreamRoute {
    type Err = String;

    fn from_str(text: &str) -> Result<UpstreamRoute, String> {
        let (name, route) = text.split_once('=').ok_or_else(|| {
            format!(
                "{text:?} has no name: write NAME=LISTEN->TARGET, as partner=9001->127.0.0.1:9000"
            )
        })?;
        Ok(UpstreamRoute { name: name.trim().to_owned(), route: route.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::{Route, Sent, UpstreamRoute, traffic};
    use crate::wait::spans::{Kind, Span, Work};

    fn span(id: u64, parent: Option<u64>, [start, end]: [u64; 2], work: Work) -> Span {
        let kind = if parent.is_none() { Kind::Server } else { Kind::Client };
        let (service, name) = (String::new(), String::new());
        Span { trace: 1, id, parent, service, kind, start, end, name, work, failed: false }
    }

    fn call(peer: &str) -> Work {
        Work::Call { peer: peer.into(), method: "GET".into(), path: "/".into() }
    }

    fn sent(start: u64, end: u64) -> Sent {
        Sent { endpoint: "quote".into(), start, end, good: true }
    }

    #[test]
    fn what_passes_belongs_to_the_request_under_way() {
        let passed = [[5, 8], [25, 28], [45, 48], [27, 55]];
        let passed = passed.map(|times| span(1, Some(9), times, call("partner")));
        let found = traffic(&[sent(20, 30), sent(40, 50)], &passed, &[]);
        let starts = |index: usize| {
            found[index].operations.iter().map(|one| one.start).collect::<Vec<u64>>()
        };
        assert_eq!((starts(0), starts(1)), (vec![25, 27], vec![45]));
        assert_eq!((found[0].start, found[0].end), (20, 30));
        assert!(found[0].operations.iter().all(|operation| operation.outside));
    }

    #[test]
    fn a_proxy_knows_better_than_the_client() {
        let request =
            Work::Request { method: "GET".into(), route: None, path: None, status: Some(200) };
        let traced = [
            span(1, None, [21, 29], request),
            span(2, Some(1), [22, 25], call("127.0.0.1:9001")),
            span(3, Some(1), [26, 28], call("another")),
        ];
        let passed = [span(1, Some(9), [23, 24], call("partner"))];
        let found = traffic(&[sent(20, 30)], &passed, &traced);
        assert_eq!((found[0].start, found[0].end), (21, 29));
        let told: Vec<(u64, bool)> =
            found[0].operations.iter().map(|one| (one.start, one.outside)).collect();
        assert_eq!(told, [(23, true), (26, false)]);
    }

    #[test]
    fn routes_are_read_or_refused() {
        let route: UpstreamRoute = "partner=9001->http://10.0.0.7:80/".parse().expect("a route");
        assert_eq!((route.name.as_str(), route.route.target.as_str()), ("partner", "10.0.0.7:80"));
        assert_eq!(route.route.listen.to_string(), "127.0.0.1:9001");
        let listen = "127.0.0.2:9001->db:5432".parse::<Route>().expect("a route").listen;
        assert_eq!(listen.to_string(), "127.0.0.2:9001");
        for wrong in ["9001", "9001->host", "x->host:1", "9001->https://host:443", "->"] {
            assert!(wrong.parse::<Route>().is_err(), "{wrong}");
        }
        assert!("9001->host:1".parse::<UpstreamRoute>().is_err());
    }
}
