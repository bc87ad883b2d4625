//! A bounded number of slots, first come first served.

use std::sync::Arc;

use model::place::Place;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::context::Context;
use super::gauge::Gauge;
use super::waiting::{Timed, deadline};

/// Slots that requests of one worker share: thread-pool tokens, an upstream's semaphore,
/// its client connections.
///
/// tokio's semaphore is fair and hands a permit to the head of its queue, as asyncio's and
/// AnyIO's do.
#[derive(Clone, Debug)]
pub struct Slots(Arc<Semaphore>);

/// A slot that is held; dropped, it goes to the next in line.
#[derive(Debug)]
pub struct Slot {
    _permit: OwnedSemaphorePermit,
}

impl Slots {
    /// This many slots.
    pub fn new(count: u32) -> Slots {
        Slots(Arc::new(Semaphore::new(count as usize)))
    }

    /// A slot for the request of `context`, which waits for it at `place`, until `at` if
    /// that is given.
    pub async fn acquire(
        &self,
        context: &mut Context,
        place: Place,
        at: Option<u64>,
    ) -> Option<Slot> {
        if let Ok(permit) = self.0.clone().try_acquire_owned() {
            return Some(Slot { _permit: permit });
        }
        context.computed();
        let waiting = context.wait_at(place);
        let wait = deadline(context.mode, at, Timed::new(self.0.clone().acquire_owned()));
        let Some((permit, waited)) = wait.await else {
            // The time was up at `at`; what came after was the loop's.
            context.waited(waiting, at.unwrap_or(0));
            return None;
        };
        context.waited(waiting, waited.woken);
        // The semaphore is never closed.
        permit.ok().map(|permit| Slot { _permit: permit })
    }
}

/// Keeps a gauge one higher while it lives.
#[derive(Debug)]
pub struct Inside<'a>(&'a Gauge);

impl<'a> Inside<'a> {
    /// Enters the gauge.
    pub fn new(gauge: &'a Gauge) -> Inside<'a> {
        gauge.enter();
        Inside(gauge)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
