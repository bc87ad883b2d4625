//! One request from its arrival at the handler to its reply.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use model::failure::ErrorKind;
use model::place;
use model::scenario::{Concurrency, Server};
use model::workload::RequestKey;

use super::context::{Context, Fault};
use super::semaphore::Permit;
use super::state::Worker;
use super::steps::Part;
use super::waiting::{Mode, block_on};
use crate::clock;
use crate::wire::{self, Key};

/// When its connection was accepted: attached to the first request of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepted(pub u64);

/// Serves a request for `endpoint`.
pub(super) async fn handle(
    worker: Arc<Worker>,
    endpoint: usize,
    accepted: Option<Accepted>,
    headers: HeaderMap,
) -> Response<Body> {
    let arrived = clock::now();
    let key = headers.get(wire::KEY).and_then(|key| key.to_str().ok()).and_then(Key::parse);
    // A request without a key, such as curl's, gets one that no load has.
    let key = key.unwrap_or_else(|| {
        let request = RequestKey { lane: u64::from(u32::MAX), index: worker.next_visitor() };
        Key { request, sent: arrived }
    });
    let mut context = Context::new(worker.clone(), endpoint, key.request, key.sent.min(arrived));
    if let Some(Accepted(at)) = accepted {
        // The kernel shook hands long before: the first request waited to be accepted.
        context.book_until(at, place::CONNECT);
    }
    context.lap(place::LOOP);
    if worker.is_full() {
        let reject = worker.scenario.costs.cpu(worker.scenario.service.concurrency).reject;
        context.burn_scaled(reject);
        let mut response = reply(&mut context, Err(ErrorKind::Rejected.into()));
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        return response;
    }
    let others = worker.stations.requests.value();
    let admitted = Admitted::new(worker.clone());
    let costs = worker.scenario.costs.cpu(context.concurrency);
    let more = worker.scenario.costs.server_request(worker.scenario.service.server);
    let request = context.sample("request", "-", &costs.request);
    context.burn_scaled(more + request + costs.in_flight * others);
    let (mut context, outcome) = perform(&worker, context, Part::Handler).await;
    let good = outcome.is_ok();
    if !good {
        context.burn_scaled(costs.error);
    }
    let response = reply(&mut context, outcome);
    if good && !worker.scenario.endpoints[endpoint].after.is_empty() {
        go_on(admitted, endpoint, key.request);
    }
    response
}

/// Performs one part of the endpoint in its concurrency model.
async fn perform(
    worker: &Arc<Worker>,
    mut context: Context,
    part: Part,
) -> (Context, Result<(), Fault>) {
    let outcome = match context.concurrency {
        Concurrency::Async => context.perform(part).await,
        Concurrency::Blocking => block_on(context.perform(part)),
        Concurrency::Threadpool => return on_the_pool(worker, context, part).await,
    };
    (context, outcome)
}

/// Goes on after the reply, on a task of its own: the connection's task writes the reply before
/// the loop comes to it.
fn go_on(admitted: Admitted, endpoint: usize, key: RequestKey) {
    let worker = admitted.0.clone();
    let mut context = Context::new(worker.clone(), endpoint, key, clock::now());
    worker.stations.after.enter();
    // uvicorn counts the request until its background task has ended, axum only until the reply.
    let admitted = (worker.scenario.service.server != Server::Axum).then_some(admitted);
    tokio::spawn(async move {
        context.lap(place::LOOP);
        let (mut context, outcome) = perform(&worker, context, Part::After).await;
        context.computed();
        if outcome.is_err() {
            worker.stations.after_failed.add(0);
        }
        worker.stations.after.leave();
        drop(admitted);
    });
}

/// A request that its worker counts.
struct Admitted(Arc<Worker>);

impl Admitted {
    fn new(worker: Arc<Worker>) -> Admitted {
        worker.stations.requests.enter();
        Admitted(worker)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.stations.requests.leave();
    }
}

/// A thread of the pool in use.
struct Token {
    worker: Arc<Worker>,
    _permit: Option<Permit>,
}

impl Token {
    fn new(worker: Arc<Worker>, permit: Option<Permit>) -> Token {
        worker.stations.threads.enter();
        Token { worker, _permit: permit }
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.worker.stations.threads.leave();
    }
}

/// Performs the steps on a thread of the pool, when a token is free.
async fn on_the_pool(
    worker: &Arc<Worker>,
    mut context: Context,
    part: Part,
) -> (Context, Result<(), Fault>) {
    let hop = worker.scenario.costs.cpu(Concurrency::Threadpool).hop;
    // The loop goes on while the request waits for its token and while the thread works.
    context.mode = Mode::Parked;
    let permit = context.acquire(&worker.threads, place::THREADS, None).await;
    let token = Token::new(worker.clone(), permit);
    context.computed();
    let (endpoint, key, sent) = (context.endpoint, context.key, context.account().since());
    let thread = tokio::task::spawn_blocking(move || {
        // The thread was ready as soon as it was asked for.
        context.mode = Mode::Blocking;
        context.lap(place::CPU_WAIT);
        context.burn_scaled(hop);
        let outcome = block_on(context.perform(part));
        context.computed();
        // The thread keeps its token to its end, even if the request is dropped meanwhile.
        (context, outcome, Some(token))
    });
    let (mut context, outcome, token) = thread.await.unwrap_or_else(|error| {
        let text = format!("the handler failed: {error}");
        let fault = Fault { kind: ErrorKind::ServiceFailed, text: Some(text) };
        (Context::new(worker.clone(), endpoint, key, sent), Err(fault), None)
    });
    context.mode = Mode::Parked;
    context.lap(place::LOOP);
    drop(token);
    context.burn_scaled(hop);
    (context, outcome)
}

/// The reply, with the account of the request in its header.
fn reply(context: &mut Context, outcome: Result<(), Fault>) -> Response<Body> {
    let mut response = match &outcome {
        Ok(()) => Response::new(Body::from("ok\n")),
        Err(fault) => failure(fault),
    };
    context.computed();
    if let Ok(times) = HeaderValue::from_str(&context.account().times().to_string()) {
        response.headers_mut().insert(wire::TIME, times);
    }
    response
}

fn failure(fault: &Fault) -> Response<Body> {
    let text = fault.text.as_deref().unwrap_or(fault.kind.name());
    let mut response = Response::new(Body::from(format!("{text}\n")));
    *response.status_mut() = match fault.kind {
        ErrorKind::Rejected | ErrorKind::UpstreamRefused => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::UpstreamFailed => StatusCode::BAD_GATEWAY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let name = HeaderValue::from_static(fault.kind.name());
    response.headers_mut().insert(wire::ERROR, name);
    response
}
