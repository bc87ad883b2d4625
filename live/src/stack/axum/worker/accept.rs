//! Connections: accepting them, serving them, closing them when they are idle.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use model::scenario::Server;
use model::units::Span;
use tokio::net::{TcpListener, TcpStream};
use tower::Service as _;

use super::burn::burn;
use super::handler::Accepted;
use super::semaphore::Inside;
use super::serving::Serving;
use super::socket::Socket;
use super::state::Worker;
use crate::clock;

/// Pause after a failed accept, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Accepts connections for ever, each served by a task of its own.
pub(super) async fn accept(worker: Arc<Worker>, listener: TcpListener, app: Router) {
    let service = &worker.scenario.service;
    let cost = worker.scenario.costs.cpu(service.concurrency).accept.scale(worker.scale);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                burn(cost);
                tokio::spawn(serve(worker.clone(), stream, app.clone()));
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
        if service.accept_most == 1 {
            // libuv accepts one connection per event and then looks after the others.
            tokio::task::yield_now().await;
        }
    }
}

/// What a connection has been doing.
#[derive(Debug, Default)]
struct Activity {
    /// Requests begun and ended: odd while one is being served.
    turns: AtomicU64,
    /// When the last one ended, or the connection was opened.
    idle_since: AtomicU64,
}

async fn serve(worker: Arc<Worker>, stream: TcpStream, app: Router) {
    let _open = Inside::new(&worker.stations.connections);
    // A socket that is gone already shows when it is read.
    let _ = stream.set_nodelay(true);
    let socket = Socket::new(stream);
    let activity = Arc::new(Activity::default());
    activity.idle_since.store(clock::now(), Ordering::Relaxed);
    let seen = activity.clone();
    let accepted = Accepted(clock::now());
    let runs_on = worker.scenario.service.server != Server::Axum;
    // hyper calls it as soon as it has read a request, and before it looks whether the client has gone:
    // a handler that runs on does so even if it has not been polled by then.
    let counted = service_fn(move |mut request: Request<Incoming>| {
        if seen.turns.fetch_add(1, Ordering::Relaxed) == 0 {
            request.extensions_mut().insert(accepted);
        }
        let (mut app, seen) = (app.clone(), seen.clone());
        let serving = async move {
            let reply = app.call(request).await;
            seen.idle_since.store(clock::now(), Ordering::Relaxed);
            seen.turns.fetch_add(1, Ordering::Relaxed);
            reply
        };
        Serving::new(serving, runs_on)
    });
    // Not at all: the connection ends with its first reply, and not before that.
    let patience = Some(worker.scenario.service.keep_alive).filter(|span| !span.is_zero());
    let kept = worker.scenario.load.groups().iter().any(|group| group.load.keep_alive);
    let connection = http1::Builder::new()
        .keep_alive(kept && patience.is_some())
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(socket.clone()), counted);
    let mut connection = pin!(connection);
    let patience = patience.unwrap_or(Span::MAX);
    loop {
        tokio::select! {
            // A client that hangs up is no news.
            _ = connection.as_mut() => break,
            () = idle(&socket, &activity, patience) => connection.as_mut().graceful_shutdown(),
        }
    }
    let service = &worker.scenario.service;
    burn(worker.scenario.costs.cpu(service.concurrency).hang_up.scale(worker.scale));
}

/// Ends when the connection has been idle for so long.
async fn idle(socket: &Socket, activity: &Activity, patience: Span) {
    if patience == Span::MAX {
        return std::future::pending().await;
    }
    let mut rest = patience.nanos();
    loop {
        tokio::time::sleep(Duration::from_nanos(rest)).await;
        let quiet = activity.turns.load(Ordering::Relaxed).is_multiple_of(2);
        let since = activity.idle_since.load(Ordering::Relaxed);
        let idle = clock::now().saturating_sub(since);
        // What has come while the loop was busy is not idleness.
        if quiet && idle >= patience.nanos() && !socket.has_news() {
            return;
        }
        rest = match patience.nanos().saturating_sub(idle) {
            rest if quiet && rest > 0 => rest,
            _ => patience.nanos(),
        };
    }
}
