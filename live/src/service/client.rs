//! The worker's client of the upstreams: semaphore, connection cap, timeouts, retries.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context as Poller, Poll};
use std::time::Duration;

use model::failure::ErrorKind;
use model::place;
use model::scenario::Upstream;
use model::units::Span;

use super::context::{Context, Fault, Waiting};
use super::slots::{Inside, Slots};
use super::waiting::{Mode, deadline};
use crate::clock;
use crate::wire::{self, Call};

/// Longest pause between attempts, whatever the growth of the backoff.
const BACKOFF_MAX: Span = Span::from_secs(3600);

/// How long both clients keep an idle connection.
const IDLE: Duration = Duration::from_secs(90);

/// HTTP clients and the limits around them, one per worker process.
#[derive(Debug)]
pub struct Client {
    /// For handlers whose waits are parked.
    parked: reqwest::Client,
    /// For handlers that block their thread.
    blocking: ureq::Agent,
    upstreams: Vec<Limits>,
}

#[derive(Debug)]
struct Limits {
    url: String,
    semaphore: Option<Slots>,
    connections: Option<Slots>,
}

/// What became of one attempt.
struct Attempt {
    outcome: Result<(), ErrorKind>,
    /// When the upstream says it replied.
    replied: Option<u64>,
}

impl Client {
    /// A client of `upstreams`, all of which answer at `address`.
    ///
    /// # Errors
    /// What the HTTP library says.
    pub fn new(upstreams: &[Upstream], address: SocketAddr) -> Result<Client, reqwest::Error> {
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
            semaphore: upstream.max_in_flight.map(Slots::new),
            connections: upstream.max_connections.map(Slots::new),
        };
        Ok(Client { parked, blocking, upstreams: upstreams.iter().map(limits).collect() })
    }
}

impl Context {
    /// Calls an upstream: attempts until one succeeds or all are used up.
    pub(super) async fn call(&mut self, upstream: usize, path: &str) -> Result<(), Fault> {
        let worker = self.worker.clone();
        let spec = &worker.scenario.upstreams[upstream];
        let client = worker.client.as_ref().ok_or(ErrorKind::UpstreamFailed)?;
        let limits = &client.upstreams[upstream];
        let number = upstream as u32;
        let _slot = match &limits.semaphore {
            Some(slots) => slots.acquire(self, place::semaphore(number), None).await,
            None => None,
        };
        let _inside =
            limits.semaphore.as_ref().map(|_| Inside::new(&worker.stations.semaphores[upstream]));
        let mut attempt = 0;
        loop {
            self.burn_scaled(worker.scenario.costs.cpu(self.concurrency).call);
            let outcome = self.attempt(client, upstream, path, attempt).await;
            let Err(kind) = outcome else { return Ok(()) };
            if attempt >= spec.retries {
                return Err(kind.into());
            }
            let growth = libm::pow(spec.backoff_factor, f64::from(attempt));
            let pause = spec.backoff.scale(growth).min(BACKOFF_MAX);
            attempt += 1;
            self.pause(pause, place::backoff(number)).await;
        }
    }

    /// One attempt, on a client connection if those are limited.
    async fn attempt(
        &mut self,
        client: &Client,
        upstream: usize,
        path: &str,
        attempt: u32,
    ) -> Result<(), ErrorKind> {
        let worker = self.worker.clone();
        let spec = &worker.scenario.upstreams[upstream];
        let limits = &client.upstreams[upstream];
        let number = upstream as u32;
        let mut inside = None;
        let _slot = match &limits.connections {
            None => None,
            Some(slots) => {
                let at = spec.pool_timeout.map(|timeout| clock::now() + timeout.nanos());
                let slot = slots.acquire(self, place::connections(number), at).await;
                let Some(slot) = slot else {
                    // Who gives up has been here, too.
                    worker.stations.upstream_connections[upstream].add(0);
                    return Err(ErrorKind::ConnectionTimeout);
                };
                inside = Some(Inside::new(&worker.stations.upstream_connections[upstream]));
                Some(slot)
            }
        };
        let step = format!("{}/{path}", self.endpoint_name());
        let call = Call::new(self.key, &step, attempt).to_string();
        let timeout = spec.timeout;
        self.computed();
        let waiting = self.wait_at(place::upstream(number));
        let begun = clock::now();
        let (answer, computing) = match self.mode {
            Mode::Parked => client.park(&limits.url, &call, timeout).await,
            Mode::Blocking => client.block(&limits.url, &call, timeout),
        };
        self.exchanged(waiting, begun, timeout, &answer, computing);
        drop(inside);
        answer.outcome
    }

    /// Books an exchange that began at `begun`: up to the upstream's reply as it says
    /// itself, the client's computing, and what is left as waiting for the loop or a
    /// processor.
    fn exchanged(
        &mut self,
        waiting: Waiting,
        begun: u64,
        timeout: Option<Span>,
        attempt: &Attempt,
        computing: u64,
    ) {
        let now = clock::now();
        let limit = timeout.map_or(now, |timeout| begun.saturating_add(timeout.nanos()));
        // Who does not say when it replied, took all the time.
        let replied = attempt.replied.unwrap_or(now.saturating_sub(computing));
        let woken = replied.clamp(begun, limit.min(now));
        self.wait_over(waiting, woken);
        self.spend_computing(computing.min(now - woken));
        self.lap(self.mode.late());
    }
}

impl Client {
    /// A call whose waits are parked. Returns the time spent computing as well.
    async fn park(&self, url: &str, call: &str, timeout: Option<Span>) -> (Attempt, u64) {
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
    fn block(&self, url: &str, call: &str, timeout: Option<Span>) -> (Attempt, u64) {
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
