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

/// How long both clients keep an idle connection.
const IDLE: Duration = Duration::from_secs(90);

/// HTTP clients and the limits around them, one per worker process.
#[derive(Debug)]
pub(super) struct Client {
    /// For handlers whose waits are parked.
    parked: reqwest::Client,
    /// For handlers that block their thread.
    blocking: ureq::Agent,
    pub(super) limits: Vec<Limits>,
}

/// The limits around the calls of one upstream.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) url: String,
    pub(super) semaphore: Option<Semaphore>,
    pub(super) connections: Option<Semaphore>,
}

/// The result of one attempt.
pub(super) struct Attempt {
    pub(super) outcome: Result<(), ErrorKind>,
    /// When the upstream replied, by its own clock reading.
    pub(super) replied: Option<u64>,
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
        let parked = reqwest::Client::builder()
            .no_proxy()
            .tcp_nodelay(true)
            .pool_idle_timeout(IDLE)
            .build()?;
        let idle = usize::MAX;
        let blocking = ureq::Agent::config_builder()
            .proxy(None)
            .no_delay(true)
            .http_status_as_error(false)
            .max_idle_connections(idle)
            .max_idle_connections_per_host(idle)
            .max_idle_age(IDLE)
            .build()
            .new_agent();
        let limits = |upstream: &Upstream| Limits {
            url: format!("http://{address}{}", wire::path_of(&upstream.name)),
            semaphore: upstream.max_in_flight.map(Semaphore::new),
            connections: upstream.max_connections.map(Semaphore::new),
        };
        Ok(Client { parked, blocking, limits: upstreams.iter().map(limits).collect() })
    }
}

impl Client {
    /// A call whose waits are parked. Returns the time spent computing as well.
    pub(super) async fn park(
        &self,
        url: &str,
        call: &str,
        timeout: Option<Span>,
    ) -> (Attempt, u64) {
        let exchange = async {
            let reply = self.parked.get(url).header(wire::CALL, call).send().await?;
            let replied = reply.headers().get(wire::REPLIED).and_then(|at| at.to_str().ok());
            let replied = replied.and_then(|at| at.parse().ok());
            let good = reply.status().is_success();
            // The body is read, or the connection cannot be used again.
            reply.bytes().await?;
            Ok::<_, reqwest::Error>((good, replied))
        };
        let mut computing = 0;
        let at = timeout.map(|timeout| clock::now() + timeout.nanos());
        let polled = Computing { future: pin!(exchange), nanos: &mut computing };
        let attempt = match deadline(Mode::Parked, at, polled).await {
            None => Attempt { outcome: Err(ErrorKind::UpstreamTimeout), replied: None },
            Some(Err(_)) => Attempt { outcome: Err(ErrorKind::UpstreamFailed), replied: None },
            Some(Ok((good, replied))) => Attempt::new(good, replied),
        };
        (attempt, computing)
    }

    /// A call that blocks the thread. Returns the time spent computing as well.
    pub(super) fn block(&self, url: &str, call: &str, timeout: Option<Span>) -> (Attempt, u64) {
        let before = clock::thread_cpu();
        let request = self.blocking.get(url).header(wire::CALL, call);
        let timeout = timeout.map(|timeout| Duration::from_nanos(timeout.nanos()));
        let exchange = || {
            let mut reply = request.config().timeout_global(timeout).build().call()?;
            let replied = reply.headers().get(wire::REPLIED).and_then(|at| at.to_str().ok());
            let replied = replied.and_then(|at| at.parse().ok());
            let good = reply.status().is_success();
            reply.body_mut().read_to_vec()?;
            Ok((good, replied))
        };
        let attempt = match exchange() {
            Err(ureq::Error::Timeout(_)) => {
                Attempt { outcome: Err(ErrorKind::UpstreamTimeout), replied: None }
            }
            Err(_) => Attempt { outcome: Err(ErrorKind::UpstreamFailed), replied: None },
            Ok((good, replied)) => Attempt::new(good, replied),
        };
        (attempt, clock::thread_cpu() - before)
    }
}

impl Attempt {
    fn new(good: bool, replied: Option<u64>) -> Attempt {
        let outcome = if good { Ok(()) } else { Err(ErrorKind::UpstreamFailed) };
        Attempt { outcome, replied }
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
        let before = clock::thread_cpu();
        let polled = self.future.as_mut().poll(poller);
        *self.nanos += clock::thread_cpu() - before;
        polled
    }
}
