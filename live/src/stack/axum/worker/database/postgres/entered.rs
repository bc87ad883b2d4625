//! Futures of sqlx, wherever they are polled: its sockets and timers belong to a runtime, and the
//! thread that polls them may belong to another, or to none.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use tokio::runtime::{Builder, Handle};

use crate::clock;

/// A runtime on a thread of its own, which tells other threads that something has come: for
/// handlers that block, also that of the loop.
///
/// # Errors
/// The system gives no thread.
pub(super) fn beside() -> std::io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let run = move || runtime.block_on(std::future::pending::<()>());
    thread::Builder::new().name("postgres".into()).spawn(run)?;
    Ok(handle)
}

/// A future that finds `handle` as its runtime whenever it is polled, and says with its result
/// what its polls took.
pub(super) struct Entered<F> {
    handle: Handle,
    inner: Pin<Box<F>>,
    cpu: u64,
}

/// CPU nanoseconds of polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Polled {
    /// All of them.
    pub(super) all: u64,
    /// The one that gave the result.
    pub(super) last: u64,
}

impl<F: Future> Entered<F> {
    /// `inner`, on the runtime of `handle`.
    pub(super) fn new(handle: &Handle, inner: F) -> Entered<F> {
        Entered { handle: handle.clone(), inner: Box::pin(inner), cpu: 0 }
    }
}

impl<F: Future> Future for Entered<F> {
    type Output = (F::Output, Polled);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let handle = self.handle.clone();
        let _entered = handle.enter();
        let before = clock::awake();
        let output = self.inner.as_mut().poll(context);
        let last = clock::awake().saturating_sub(before);
        self.cpu += last;
        output.map(|output| (output, Polled { all: self.cpu, last }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::stack::axum::worker::waiting::block_on;

    #[test]
    fn a_thread_without_a_runtime_uses_the_timers_of_another() {
        let handle = beside().expect("a thread");
        let sleep = async {
            tokio::time::sleep(Duration::from_millis(2)).await;
            7
        };
        assert_eq!(block_on(Entered::new(&handle, sleep)).0, 7);
    }

    #[test]
    fn a_loop_that_blocks_is_told_what_has_come() {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let polled = runtime.block_on(async {
            let handle = beside().expect("a thread");
            // Yielding does not bring a loop round that is blocked.
            let restless = async {
                tokio::task::yield_now().await;
                tokio::time::sleep(Duration::from_millis(2)).await;
            };
            block_on(handle.spawn(Entered::new(&handle, restless))).expect("it ends").1
        });
        assert!(polled.all > polled.last);
    }
}
