//! The worker's HTTP clients of the upstreams, and the limits around them.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context as Poller, Poll};
use std::time::Duration;

use model::failure::ErrorKind;
use model::scenario::Upstream;
use model::units::Span;

use super::semaphore::Semaphore;
use super::waiting::{Mode, deadline};
use crate::clock;
use crate::wire;

/// How long both clients keep an idle connection, where the scenario names no client.
const IDLE: Span = Span::from_secs(90);
/// Seconds that a reply may ask to be left alone; it is not asked for more.
const RETRY_AFTER_MAX: u64 = 1_000_000;
/// Longer than any run.
const FOR_EVER: Duration = Duration::from_secs(1 << 31);

/// Clients of the upstreams and the limits around them, one per worker process.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) limits: Vec<Limits>,
}

/// HTTP clients: those of one upstream, or of all.
#[derive(Clone, Debug)]
struct Libraries {
    /// For handlers whose waits are parked.
    parked: reqwest::Client,
    /// For handlers that block their thread.
    blocking: ureq::Agent,
}

/// The limits around the calls of one upstream.
#[derive(Debug)]
pub(super) struct Limits {
    libraries: Libraries,
    url: String,
    pub(super) semaphore: Option<Semaphore>,
    pub(super) connections: Option<Semaphore>,
}

/// The result of one attempt.
pub(super) struct Attempt {
    pub(super) outcome: Result<(), ErrorKind>,
    /// When the upstream replied, by its own clock reading.
    pub(super) replied: Option<u64>,
    /// For how long it asks to be left alone.
    pub(super) retry_after: Option<Span>,
}

/// What a reply says.
struct Reply {
    status: u16,
    replied: Option<u64>,
    retry_after: Option<Span>,
}

impl Reply {
    fn new(status: http::StatusCode, headers: &http::HeaderMap) -> Reply {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.parse().ok();
        Reply {
            status: status.as_u16(),
            replied: number(wire::REPLIED),
            retry_after: number(http::header::RETRY_AFTER.as_str())
                .map(|seconds: u64| Span::from_secs(seconds.min(RETRY_AFTER_MAX))),
        }
    }
}

impl Client {
    /// A client of `upstreams`, all of which answer at `address`.
    ///
    /// # Errors
    /// What the HTTP library says.
    pub(super) fn new(
        upstreams: &[Upstream],
        address: SocketAddr,
    ) -> Result<Client, reqwest::Error> {
        let shared = Libraries::new(None, Some(IDLE))?;
        let limits = |upstream: &Upstream| {
            let libraries = match upstream.client {
                Some(_) => Libraries::new(upstream.kept, upstream.expiry)?,
                None => shared.clone(),
            };
            Ok(Limits {
                libraries,
                url: format!("http://{address}{}", wire::path_of(&upstream.name)),
                semaphore: upstream.max_in_flight.map(Semaphore::new),
                connections: upstream.max_connections.map(Semaphore::new),
            })
        };
        Ok(Client { limits: upstreams.iter().map(limits).collect::<Result<_, _>>()? })
    }
}

impl Libraries {
    /// They keep so many idle connections, for so long.
    fn new(kept: Option<u32>, expiry: Option<Span>) -> Result<Libraries, reqwest::Error> {
        let kept = kept.map_or(usize::MAX, |kept| kept as usize);
        let expiry = expiry.map(|expiry| Duration::from_nanos(expiry.nanos()));
        let parked = reqwest::Client::builder()
            .no_proxy()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(kept)
            .pool_idle_timeout(expiry)
            .build()?;
        let blocking = ureq::Agent::config_builder()
            .proxy(None)
            .no_delay(true)
            .http_status_as_error(false)
            .max_idle_connections(kept)
            .max_idle_connections_per_host(kept)
            .max_idle_age(expiry.unwrap_or(FOR_EVER))
            .build()
            .new_agent();
        Ok(Libraries { parked, blocking })
    }
}

impl Limits {
    /// A call whose waits are parked. Returns the time spent computing as well.
    pub(super) async fn park(&self, call: &str, timeout: Option<Span>) -> (Attempt, u64) {
        let exchange = async {
            let reply =
                self.libraries.parked.get(&self.url).header(wire::CALL, call).send().await?;
            let said = Reply::new(reply.status(), reply.headers());
            // The body is read, or the connection cannot be used again.
            reply.bytes().await?;
            Ok::<_, reqwest::Error>(said)
        };
        let mut computing = 0;
        let at = timeout.map(|timeout| clock::now() + timeout.nanos());
        let polled = Computing { future: pin!(exchange), nanos: &mut computing };
        let attempt = match deadline(Mode::Parked, at, polled).await {
            None => Attempt::without_reply(ErrorKind::UpstreamTimeout),
            Some(Err(_)) => Attempt::without_reply(ErrorKind::UpstreamFailed),
            Some(Ok(reply)) => Attempt::new(&reply),
        };
        (attempt, computing)
    }

    /// A call that blocks the thread. Returns the time spent computing as well.
    pub(super) fn block(&self, call: &str, timeout: Option<Span>) -> (Attempt, u64) {
        let before = clock::thread_cpu();
        let request = self.libraries.blocking.get(&self.url).header(wire::CALL, call);
        let timeout = timeout.map(|timeout| Duration::from_nanos(timeout.nanos()));
        let exchange = || {
            let mut reply = request.config().timeout_global(timeout).build().call()?;
            let said = Reply::new(reply.status(), reply.headers());
            reply.body_mut().read_to_vec()?;
            Ok(said)
        };
        let attempt = match exchange() {
            Err(ureq::Error::Timeout(_)) => Attempt::without_reply(ErrorKind::UpstreamTimeout),
            Err(_) => Attempt::without_reply(ErrorKind::UpstreamFailed),
            Ok(reply) => Attempt::new(&reply),
        };
        (attempt, clock::thread_cpu() - before)
    }
}

impl Attempt {
    fn new(reply: &Reply) -> Attempt {
        let outcome = match reply.status {
            200..=299 => Ok(()),
            429 | 503 => Err(ErrorKind::UpstreamRefused),
            _ => Err(ErrorKind::UpstreamFailed),
        };
        Attempt { outcome, replied: reply.replied, retry_after: reply.retry_after }
    }

    fn without_reply(kind: ErrorKind) -> Attempt {
        Attempt { outcome: Err(kind), replied: None, retry_after: None }
    }
}

/// A future whose CPU time inside `poll` is added up.
struct Computing<'a, F> {
    future: Pin<&'a mut F>,
    nanos: &'a mut u64,
}

impl<F: Future> Future for Computing<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<F::Output> {
        let before = clock::awake();
        let polled = self.future.as_mut().poll(poller);
        *self.nanos += clock::awake().saturating_sub(before);
        polled
    }
}
