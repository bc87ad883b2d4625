//! An upstream that works on so many calls at a time, and how many more may wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use model::scenario::Upstream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Its servers and its queue, first come, first served.
#[derive(Clone, Debug)]
pub(super) struct Capacity {
    servers: Arc<Semaphore>,
    /// Calls that wait.
    waiting: Arc<AtomicU32>,
    /// Places in the queue; none if there is no limit.
    places: Option<u32>,
}

/// A place in the queue, until it is dropped.
struct Place(Arc<AtomicU32>);

impl Place {
    fn new(waiting: &Arc<AtomicU32>) -> Place {
        waiting.fetch_add(1, Ordering::Relaxed);
        Place(waiting.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Capacity {
    /// That of `upstream`; none if it takes on all that come.
    pub(super) fn of(upstream: &Upstream) -> Option<Capacity> {
        let servers = Arc::new(Semaphore::new(upstream.capacity? as usize));
        Some(Capacity { servers, waiting: Arc::default(), places: upstream.queue })
    }

    /// A turn for a call that has come; none if there is no place to wait at.
    pub(super) fn turn(&self) -> Option<Turn> {
        // The mock has one thread: nothing comes between a question and its answer.
        let server = self.servers.clone().try_acquire_owned().ok();
        let full = || self.places.is_some_and(|most| self.waiting.load(Ordering::Relaxed) >= most);
        if server.is_none() && full() {
            return None;
        }
        let place = server.is_none().then(|| Place::new(&self.waiting));
        Some(Turn { server, place, servers: self.servers.clone() })
    }
}

/// A call's right to a server, now or later.
pub(super) struct Turn {
    server: Option<OwnedSemaphorePermit>,
    place: Option<Place>,
    servers: Arc<Semaphore>,
}

impl Turn {
    /// The server, until it is dropped.
    pub(super) async fn server(self) -> Option<OwnedSemaphorePermit> {
        let server = match self.server {
            Some(server) => Some(server),
            None => self.servers.acquire_owned().await.ok(),
        };
        drop(self.place);
        server
    }
}
