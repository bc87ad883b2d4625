//! How long a callback waits for the event loop.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::runtime::Handle;

use crate::{clock, times};

/// Time between two probes.
const PERIOD: Duration = Duration::from_millis(100);

/// Probes the loop at regular times, from outside: a thread of its own hands it a callback
/// and sees how long that waits. A loop that is blocked is seen as such.
#[derive(Clone, Debug)]
pub(super) struct Lag(Arc<Mutex<Histogram<u64>>>);

impl Lag {
    /// Watches the loop of `handle` until it ends.
    pub(super) fn watch(handle: &Handle) -> Lag {
        let lag = Lag(Arc::new(Mutex::new(times::histogram())));
        let (probe, handle) = (lag.clone(), handle.clone());
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(PERIOD);
                let (probe, handed) = (probe.clone(), clock::now());
                let (tell, told) = channel();
                handle.spawn(async move {
                    probe.record(clock::now().saturating_sub(handed));
                    let _ = tell.send(());
                });
                // One probe at a time: a blocked loop is not flooded. Without a loop there is
                // nothing left to watch.
                if told.recv().is_err() {
                    return;
                }
            }
        });
        lag
    }

    fn record(&self, waited: u64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The probes that were not made meanwhile would have waited, too.
        let _ = seen.record_correct(waited, PERIOD.as_nanos() as u64);
    }

    /// The waits since the last call: nanoseconds and how many.
    pub(super) fn take(&self) -> Vec<(u64, u64)> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = seen.iter_recorded();
        let waits = waits.map(|step| (step.value_iterated_to(), step.count_since_last_iteration()));
        let waits = waits.collect();
        seen.reset();
        waits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocked_loop_is_seen() {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let lag = runtime.block_on(async {
            let lag = Lag::watch(&Handle::current());
            for _ in 0..4 {
                std::thread::sleep(Duration::from_millis(160));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            lag
        });
        let waits = lag.take();
        assert!(waits.iter().any(|(nanos, _)| *nanos >= 20_000_000), "{waits:?}");
        assert!(lag.take().len() <= 1, "what was taken is gone");
    }
}
