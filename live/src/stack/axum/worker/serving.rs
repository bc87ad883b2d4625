//! A handler, and what becomes of it when its client closes the connection.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// A handler. axum's ends when it is dropped, as hyper drops it together with the connection of a
/// client that has gone. uvicorn sets a flag and lets it run on: dropped before its end, or even
/// before its beginning, it goes on by itself.
///
/// Polled in place it ends in the turn of the connection that waits for it, which then
/// writes the reply at once, as uvicorn's handlers write to their socket themselves. As a
/// task of its own from the start, its reply would wait for the loop to come round once
/// more.
pub(super) struct Serving<F: Future<Output: Send> + Send + 'static> {
    rest: Option<Pin<Box<F>>>,
    runs_on: bool,
}

impl<F: Future<Output: Send> + Send + 'static> Serving<F> {
    /// The handler `future`, which `runs_on` to its end even if this is dropped.
    pub(super) fn new(future: F, runs_on: bool) -> Serving<F> {
        Serving { rest: Some(Box::pin(future)), runs_on }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for Serving<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Some(future) = &mut self.rest else { return Poll::Pending };
        let polled = future.as_mut().poll(context);
        if polled.is_ready() {
            self.rest = None;
        }
        polled
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for Serving<F> {
    fn drop(&mut self) {
        // Where the loop itself is ending, so does what runs on it.
        if self.runs_on
            && let (Some(rest), Ok(handle)) = (self.rest.take(), Handle::try_current())
        {
            handle.spawn(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::sync::oneshot;

    use super::*;

    /// Whether a handler ends that is dropped after so many polls, one at most.
    async fn ends(runs_on: bool, polls: u32) -> bool {
        let (go_on, may_go_on) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let handler = async move {
            // Dropped, the sender is gone and nothing is told.
            let _ = may_go_on.await;
            let _ = tell.send(());
        };
        let mut serving = Serving::new(handler, runs_on);
        for _ in 0..polls {
            let poll = poll_fn(|context| Poll::Ready(Pin::new(&mut serving).poll(context)));
            assert!(poll.await.is_pending());
        }
        drop(serving);
        // Of one that was dropped the receiver is gone.
        let _ = go_on.send(());
        told.await.is_ok()
    }

    #[tokio::test]
    async fn a_handler_of_uvicorn_runs_on_and_one_of_axum_does_not() {
        for polls in [0, 1] {
            assert!(ends(true, polls).await);
            assert!(!ends(false, polls).await);
        }
        assert_eq!(Serving::new(async { 7 }, true).await, 7);
    }
}
