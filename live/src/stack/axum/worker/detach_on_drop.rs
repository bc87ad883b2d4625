//! A handler that runs on after its client has closed the connection.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// A future that runs on by itself when it is dropped before its end.
///
/// Polled in place it ends in the turn of the connection that waits for it, which then
/// writes the reply at once, as uvicorn's handlers write to their socket themselves. As a
/// task of its own from the start, its reply would wait for the loop to come round once
/// more.
pub(super) struct DetachOnDrop<F: Future<Output: Send> + Send + 'static>(Option<Pin<Box<F>>>);

impl<F: Future<Output: Send> + Send + 'static> DetachOnDrop<F> {
    /// Makes `future` run to its end even if this is dropped.
    pub(super) fn new(future: F) -> DetachOnDrop<F> {
        DetachOnDrop(Some(Box::pin(future)))
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for DetachOnDrop<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Some(future) = &mut self.0 else { return Poll::Pending };
        let polled = future.as_mut().poll(context);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for DetachOnDrop<F> {
    fn drop(&mut self) {
        // Where the loop itself is ending, so does what runs on it.
        if let (Some(rest), Ok(handle)) = (self.0.take(), Handle::try_current()) {
            handle.spawn(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_is_dropped_runs_on() {
        let done = Arc::new(AtomicBool::new(false));
        let told = done.clone();
        let future = DetachOnDrop::new(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            told.store(true, Ordering::Relaxed);
        });
        let hurried = tokio::time::timeout(Duration::from_millis(1), future).await;
        assert!(hurried.is_err());
        while !done.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(DetachOnDrop::new(async { 7 }).await, 7);
    }
}
