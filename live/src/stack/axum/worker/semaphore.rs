//! Limits that the requests of one worker share, first come first served.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::gauge::Gauge;

/// A semaphore: threads of the pool, calls of an upstream, or client connections to it.
///
/// tokio's semaphore is fair and hands a permit to the head of its queue, as asyncio's and
/// AnyIO's do.
#[derive(Clone, Debug)]
pub(super) struct Semaphore(Arc<tokio::sync::Semaphore>);

/// A permit that is held; dropped, it goes to the next in the queue.
#[derive(Debug)]
pub(super) struct Permit {
    _permit: OwnedSemaphorePermit,
}

impl Semaphore {
    /// A semaphore with this many permits.
    pub(super) fn new(permits: u32) -> Semaphore {
        Semaphore(Arc::new(tokio::sync::Semaphore::new(permits as usize)))
    }

    /// A permit, if one is free now.
    pub(super) fn try_acquire(&self) -> Option<Permit> {
        let permit = self.0.clone().try_acquire_owned().ok()?;
        Some(Permit { _permit: permit })
    }

    /// A permit, in turn. The semaphore is never closed, so there always is one.
    pub(super) async fn acquire(&self) -> Option<Permit> {
        let permit = self.0.clone().acquire_owned().await.ok()?;
        Some(Permit { _permit: permit })
    }
}

/// Keeps a gauge one higher while it lives.
#[derive(Debug)]
pub(super) struct Inside<'a>(&'a Gauge);

impl<'a> Inside<'a> {
    /// Enters the gauge.
    pub(super) fn new(gauge: &'a Gauge) -> Inside<'a> {
        gauge.enter();
        Inside(gauge)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
