//! Work on a thread of its own that ends with its owner.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::spans::{Kind, Span, Work};

/// More spans are not kept: their memory is bounded, and what is left out is counted.
const MOST: usize = 500_000;

/// A thread with a loop of its own. Its sockets and tasks end when this is dropped.
#[derive(Debug)]
pub(super) struct Background {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Binds `address` and does `work` with the listening socket.
    pub(super) fn listen<F>(
        address: SocketAddr,
        work: impl FnOnce(tokio::net::TcpListener) -> F + Send + 'static,
    ) -> io::Result<Background>
    where
        F: Future<Output = ()>,
    {
        let socket = TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("watch".into()).spawn(move || {
            runtime.block_on(async {
                let Ok(socket) = tokio::net::TcpListener::from_std(socket) else { return };
                tokio::select! {
                    () = work(socket) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Background { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It can only have panicked, which the panic has said already.
            let _ = thread.join();
        }
    }
}

/// The next connection. Without file descriptors it tries again when some may be free.
pub(super) async fn accepted(socket: &tokio::net::TcpListener) -> tokio::net::TcpStream {
    loop {
        match socket.accept().await {
            Ok((stream, _)) => {
                // A small message that waits for the reply to another would be timed.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
}

/// Spans as they come in.
#[derive(Debug, Default)]
pub(super) struct Seen {
    spans: Mutex<Vec<Span>>,
    left_out: AtomicUsize,
    numbers: AtomicU64,
}

impl Seen {
    pub(super) fn add(&self, spans: impl IntoIterator<Item = Span>) {
        let mut kept = self.spans.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for span in spans {
            if kept.len() < MOST {
                kept.push(span);
            } else {
                self.left_out.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Something that passed through a proxy on the connection of this number.
    pub(super) fn passed(
        &self,
        connection: u64,
        name: &str,
        work: Work,
        [start, end]: [u64; 2],
        failed: bool,
    ) {
        let id = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let (kind, service, name) = (Kind::Client, String::new(), name.to_owned());
        self.add([Span {
            trace: connection.into(),
            id,
            parent: None,
            service,
            kind,
            start,
            end,
            name,
            work,
            failed,
        }]);
    }

    /// What came in since the last call.
    pub(super) fn take(&self) -> Vec<Span> {
        std::mem::take(&mut *self.spans.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    pub(super) fn count(&self) -> usize {
        self.spans.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).len()
    }

    pub(super) fn left_out(&self) -> usize {
        self.left_out.load(Ordering::Relaxed)
    }
}

/// Nanoseconds since 1970: the clock that spans are stamped with.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
