//! How many connections are open, and how many are in use.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::probe::Connections;

/// More openings are not kept.
const MOST: usize = 100_000;

/// Counts the connections through one proxy.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    open: AtomicUsize,
    busy: AtomicUsize,
    most: AtomicUsize,
    /// How long each took to open, nanoseconds.
    openings: Mutex<Vec<u64>>,
}

impl Gauge {
    /// What it shows, and the most that were in use since it was asked last.
    pub(super) fn read(&self) -> Connections {
        let now = self.busy.load(Ordering::Relaxed);
        let busy = self.most.swap(now, Ordering::Relaxed).max(now);
        Connections { open: self.open.load(Ordering::Relaxed), busy }
    }

    /// How long each connection took to open since this was asked last, seconds.
    pub(super) fn openings(&self) -> Vec<f64> {
        let nanos = self.openings.lock().map(|mut all| std::mem::take(&mut *all));
        nanos.unwrap_or_default().into_iter().map(|nanos| nanos as f64 / 1e9).collect()
    }
}

/// One connection, as long as it is open.
#[derive(Debug)]
pub(super) struct Counted {
    gauge: Arc<Gauge>,
    busy: bool,
    opened: bool,
}

impl Counted {
    pub(super) fn new(gauge: Arc<Gauge>) -> Counted {
        gauge.open.fetch_add(1, Ordering::Relaxed);
        Counted { gauge, busy: false, opened: false }
    }

    /// The server takes statements for the first time, so many nanoseconds after the client came.
    pub(super) fn set_opened(&mut self, nanos: u64) {
        if !std::mem::replace(&mut self.opened, true)
            && let Ok(mut all) = self.gauge.openings.lock()
            && all.len() < MOST
        {
            all.push(nanos);
        }
    }

    /// Whether a statement or a transaction is under way now.
    pub(super) fn set_busy(&mut self, busy: bool) {
        if busy && !self.busy {
            let now = self.gauge.busy.fetch_add(1, Ordering::Relaxed) + 1;
            self.gauge.most.fetch_max(now, Ordering::Relaxed);
        } else if !busy && self.busy {
            self.gauge.busy.fetch_sub(1, Ordering::Relaxed);
        }
        self.busy = busy;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.set_busy(false);
        self.gauge.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_in_use_is_kept_until_it_is_read() {
        let gauge = Arc::<Gauge>::default();
        let mut connections = [0; 3].map(|_| Counted::new(Arc::clone(&gauge)));
        connections.iter_mut().for_each(|one| one.set_busy(true));
        connections[0].set_busy(true);
        connections[0].set_busy(false);
        connections[1].set_busy(false);
        connections[2].set_opened(7);
        connections[2].set_opened(90);
        assert_eq!(gauge.read(), Connections { open: 3, busy: 3 });
        assert_eq!(gauge.read(), Connections { open: 3, busy: 1 });
        drop(connections);
        assert_eq!(gauge.read(), Connections { open: 0, busy: 1 });
        assert_eq!(gauge.read(), Connections { open: 0, busy: 0 });
        assert_eq!(gauge.openings(), [7e-9], "each opens once");
        assert!(gauge.openings().is_empty(), "they were taken");
    }
}
