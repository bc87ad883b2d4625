//! The mock's loop: connections, waits, replies.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use model::scenario::{Refusal, Scenario, Upstream};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::capacity::Capacity;
use super::counters::{Counters, Snapshot};
use super::draws::Draws;
use crate::alarm::Alarm;
use crate::clock;
use crate::wire::{self, Call};

/// Pause after a connection that could not be accepted: most likely there are too many open
/// files, and one must close first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The upstreams of a scenario.
struct Mock {
    scenario: Arc<Scenario>,
    alarm: Alarm,
    /// The path of each upstream.
    paths: Vec<String>,
    /// By upstream; none takes on all calls.
    capacities: Vec<Option<Capacity>>,
    draws: Draws,
    counters: Counters,
    /// Calls that did not say whose they are.
    anonymous: AtomicU64,
}

type Reply = Response<Full<Bytes>>;

/// Serves the upstreams of `scenario` on `listener`, for ever, within a tokio runtime that
/// has input, output and time. `listener` does not block.
///
/// `GET` of an upstream's path is answered after the latency that the header
/// [`wire::CALL`] draws, with 200, or with 502 if the failure drawn says so; without the
/// header every call draws anew. The reply says how long it took ([`wire::TOOK`]).
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(
    listener: TcpListener,
    scenario: Arc<Scenario>,
    counters: Counters,
) -> io::Result<Infallible> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mock = Arc::new(Mock {
        paths: scenario.upstreams.iter().map(|upstream| wire::path_of(&upstream.name)).collect(),
        capacities: scenario.upstreams.iter().map(Capacity::of).collect(),
        draws: Draws::new(scenario.seed),
        scenario,
        alarm: Alarm::new()?,
        counters,
        anonymous: AtomicU64::new(0),
    });
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(mock.clone(), stream))),
            Err(_) => {
                mock.counters.accept_error();
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves the upstreams of `scenario` on `listener` in the calling thread until `stop`
/// becomes true, and says what it counted.
///
/// # Errors
/// The system gives no timer or no socket.
pub fn run_alone(
    listener: TcpListener,
    scenario: Arc<Scenario>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<Snapshot> {
    let counters = Counters::new(&scenario);
    runtime()?.block_on(async {
        tokio::select! {
            ended = serve(listener, scenario, counters.clone()) => match ended? {},
            _ = stop.wait_for(|stop| *stop) => io::Result::Ok(()),
        }
    })?;
    Ok(counters.snapshot())
}

/// One thread: thousands of parked calls need no more.
pub(super) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

async fn connection(mock: Arc<Mock>, stream: TcpStream) {
    // Replies are small: none waits for the one after it.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let mock = mock.clone();
        async move { Ok::<_, Infallible>(mock.reply(request).await) }
    });
    // A caller that goes away in the middle is the caller's affair.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

impl Mock {
    async fn reply(&self, request: Request<Incoming>) -> Reply {
        let arrived = clock::now();
        let Some(index) = self.paths.iter().position(|path| path == request.uri().path()) else {
            return self.refuse(StatusCode::NOT_FOUND, self.guide());
        };
        if request.method() != Method::GET {
            return self.refuse(StatusCode::METHOD_NOT_ALLOWED, "An upstream answers GET.".into());
        }
        let number;
        let call = match request.headers().get(wire::CALL).map(HeaderValue::to_str) {
            Some(Ok(text)) => Call::parse(text),
            Some(Err(_)) => None,
            None => {
                number = self.anonymous.fetch_add(1, Ordering::Relaxed);
                Some(Call { lane: 0, index: number, step: "by hand" })
            }
        };
        let Some(call) = call else {
            let shape = format!("The header {} is lane.index.endpoint/path.", wire::CALL);
            return self.refuse(StatusCode::BAD_REQUEST, shape);
        };
        self.answer(index, &call, arrived).await
    }

    /// Answers `call` as late as drawn.
    async fn answer(&self, upstream: usize, call: &Call<'_>, arrived: u64) -> Reply {
        let in_flight = self.counters.call(upstream);
        let spec = &self.scenario.upstreams[upstream];
        let fate = self.draws.fate(spec, call);
        let begins = match &self.capacities[upstream] {
            None => arrived,
            Some(capacity) => {
                let Some(turn) = capacity.turn() else {
                    in_flight.refused();
                    return refusal(spec, arrived);
                };
                let alarm = self.alarm.clone();
                // A call that was accepted is worked on to its end, also if its caller goes away.
                let work = tokio::spawn(async move {
                    let _server = turn.server().await;
                    let begins = clock::now();
                    alarm.sleep_until(begins.saturating_add(fate.latency.nanos())).await;
                    begins
                });
                // Nothing cancels it.
                work.await.unwrap_or(arrived)
            }
        };
        let due = begins.saturating_add(fate.latency.nanos());
        // Over already where the upstream has a capacity.
        self.alarm.sleep_until(due).await;
        let now = clock::now();
        in_flight.answered(fate.fails, now.saturating_sub(due));
        let (status, body) = match fate.fails {
            true => (StatusCode::BAD_GATEWAY, "failed\n"),
            false => (StatusCode::OK, "ok\n"),
        };
        let mut reply = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
        *reply.status_mut() = status;
        reply.headers_mut().insert(wire::TOOK, HeaderValue::from(now - arrived));
        reply.headers_mut().insert(wire::REPLIED, HeaderValue::from(now));
        reply
    }

    fn refuse(&self, status: StatusCode, sentence: String) -> Reply {
        self.counters.refused();
        let mut reply = Response::new(Full::new(Bytes::from(sentence + "\n")));
        *reply.status_mut() = status;
        reply
    }

    /// Lists the upstreams, for a request to any other path.
    fn guide(&self) -> String {
        match &*self.paths {
            [] => format!("The scenario {} calls no upstream.", self.scenario.name),
            paths => format!(
                "No upstream of the scenario {} is here. There is: {}.",
                self.scenario.name,
                paths.join(", ")
            ),
        }
    }
}

/// What a call gets for which there is no place.
fn refusal(upstream: &Upstream, arrived: u64) -> Reply {
    let now = clock::now();
    let mut reply = Response::new(Full::new(Bytes::from_static(b"too many\n")));
    *reply.status_mut() = match upstream.refusal() {
        Refusal::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    if let Some(after) = upstream.retry_after {
        let seconds = after.nanos() / 1_000_000_000;
        reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    reply.headers_mut().insert(wire::TOOK, HeaderValue::from(now - arrived));
    reply.headers_mut().insert(wire::REPLIED, HeaderValue::from(now));
    reply
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
