//! Connections: accepting them, serving them, closing those that are slow.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Pause after a failed accept, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The connections of a server.
pub(crate) struct Connections {
    pub(crate) listener: TcpListener,
    /// How many may be open.
    pub(crate) most: usize,
    /// How long a client may take to send a head, or to take what is sent to it.
    pub(crate) patience: Duration,
    pub(crate) open: Gauge,
    pub(crate) app: Router,
}

/// A connection that is open.
struct Open {
    gauge: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}

impl Connections {
    /// Accepts connections until this is dropped; each is served by a task that `graceful` can end.
    pub(crate) async fn accept(&self, graceful: &GracefulShutdown) {
        let permits = Arc::new(Semaphore::new(self.most));
        loop {
            // The semaphore is never closed.
            let Ok(permit) = permits.clone().acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, from)) => {
                    self.open.inc();
                    let open = Open { gauge: self.open.clone(), _permit: permit };
                    self.serve(stream, from, open, graceful);
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    fn serve(&self, stream: TcpStream, from: SocketAddr, open: Open, graceful: &GracefulShutdown) {
        // A socket that is gone already shows when it is read.
        let _ = stream.set_nodelay(true);
        give_up_on_readers(&stream, self.patience);
        let app = TowerToHyperService::new(self.app.clone());
        let from_there = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(from));
            app.call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.patience)
            .serve_connection(TokioIo::new(stream), from_there);
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that hangs up is no news.
            let _ = watched.await;
            drop(open);
        });
    }
}

/// Has the system close the connection of a client that takes nothing of what is sent to it.
#[cfg(target_os = "linux")]
fn give_up_on_readers(stream: &TcpStream, patience: Duration) {
    // Without it such a connection stays open for longer, which is all.
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(patience));
}

#[cfg(not(target_os = "linux"))]
fn give_up_on_readers(_: &TcpStream, _: Duration) {}
