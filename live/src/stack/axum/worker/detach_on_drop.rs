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
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_dropped_future_runs_on() {
        let (go_on, may_go_on) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let future = DetachOnDrop::new(async move {
            may_go_on.await.expect("it is told to");
            tell.send(()).expect("the test waits");
        });
        let hurried = tokio::time::timeout(Duration::from_millis(1), future).await;
        assert!(hurried.is_err());
        go_on.send(()).expect("it runs on");
        told.await.expect("it runs to its end");
        assert_eq!(DetachOnDrop::new(async { 7 }).await, 7);
    }
}
