//! How handlers wait: parked on the loop, or with their thread.
//!
//! Every future of the service makes progress when it is polled: it never needs a timer or a
//! task of the runtime that a blocked loop would not run.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use model::place::{self, Place};
use tokio::task::coop::unconstrained;

use crate::clock;

/// How a handler waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It is parked: its loop serves others meanwhile.
    Parked,
    /// Its thread waits with it, the loop's own thread included.
    Blocking,
}

impl Mode {
    /// Where the time goes from a wake-up until the handler goes on: parked it waits for
    /// the loop to come round, with a thread of its own for a processor.
    pub(super) fn late(self) -> Place {
        match self {
            Mode::Parked => place::LOOP,
            Mode::Blocking => place::CPU_WAIT,
        }
    }
}

/// Drives `future` to its end; this thread sleeps while it waits.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    drive(future, None).expect("without a deadline only the result ends it")
}

/// Drives `future` until it ends or the clock passes `deadline` (nanoseconds of
/// [`clock::now`]), whichever comes first. A result that is there wins.
pub(super) fn block_on_until<F: Future>(future: F, deadline: u64) -> Option<F::Output> {
    drive(future, Some(deadline))
}

/// Awaits `future`, until `at` if that is given, as a handler in `mode` waits.
pub(super) async fn deadline<F: Future>(
    mode: Mode,
    at: Option<u64>,
    future: F,
) -> Option<F::Output> {
    let Some(at) = at else { return Some(future.await) };
    match mode {
        Mode::Parked => {
            let left = Duration::from_nanos(at.saturating_sub(clock::now()));
            tokio::time::timeout(left, future).await.ok()
        }
        Mode::Blocking => block_on_until(future, at),
    }
}

/// Wakes a thread that sleeps in [`drive`].
struct Parker {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

fn drive<F: Future>(future: F, until: Option<u64>) -> Option<F::Output> {
    // A task's budget is refilled between its turns on the loop. In here there are no
    // turns: with the budget used up, tokio's primitives would never be ready again.
    let mut future = pin!(unconstrained(future));
    let parker = Arc::new(Parker { thread: thread::current(), woken: AtomicBool::new(true) });
    let waker = Waker::from(parker.clone());
    let mut context = Context::from_waker(&waker);
    loop {
        if parker.woken.swap(false, Ordering::Acquire)
            && let Poll::Ready(output) = future.as_mut().poll(&mut context)
        {
            return Some(output);
        }
        let left = until.map(|until| until.saturating_sub(clock::now()));
        if left == Some(0) {
            return None;
        }
        if parker.woken.load(Ordering::Acquire) {
            continue;
        }
        match left {
            Some(nanos) => thread::park_timeout(Duration::from_nanos(nanos)),
            None => thread::park(),
        }
    }
}

/// When things happened in an await. Nanoseconds of [`clock::now`], rising in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waited {
    /// First poll.
    pub from: u64,
    /// The wake-up that brought the result; `from` if it was there at once.
    pub woken: u64,
    /// The poll that returned the result.
    pub polled: u64,
    /// What this side did up to the wake-up.
    pub hands: Hands,
}

/// The part of the polling thread in an await that takes several polls, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hands {
    /// Computing in polls.
    pub cpu: u64,
    /// In polls, but without a processor.
    pub stalled: u64,
    /// Woken, but not polled yet.
    pub late: u64,
}

impl Waited {
    /// Time that the result took.
    pub(super) fn waited(&self) -> u64 {
        self.woken - self.from
    }

    /// Time from the result to the poll that returned it.
    pub(super) fn late(&self) -> u64 {
        self.polled - self.woken
    }
}

/// Notes when a future is woken, and passes the wake-up on.
#[derive(Default)]
struct Watch {
    /// First wake-up since the last poll, or 0.
    first: AtomicU64,
    /// Last wake-up, or 0.
    last: AtomicU64,
    outer: AtomicWaker,
}

impl Wake for Watch {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let now = clock::now();
        self.last.store(now, Ordering::Release);
        let _ = self.first.compare_exchange(0, now, Ordering::AcqRel, Ordering::Relaxed);
        self.outer.wake();
    }
}

/// A future that also says when it was woken.
pub(super) struct Timed<F> {
    inner: Pin<Box<F>>,
    watch: Arc<Watch>,
    from: Option<u64>,
    /// End of the last poll.
    rested: u64,
    hands: Hands,
}

impl<F: Future> Timed<F> {
    /// Times `inner`, from its first poll.
    pub(super) fn new(inner: F) -> Timed<F> {
        Timed {
            inner: Box::pin(inner),
            watch: Arc::default(),
            from: None,
            rested: 0,
            hands: Hands::default(),
        }
    }
}

impl<F: Future> Future for Timed<F> {
    type Output = (F::Output, Waited);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let (begun, cpu) = (clock::now(), clock::awake());
        let from = *this.from.get_or_insert(begun);
        let first = this.watch.first.swap(0, Ordering::AcqRel);
        this.watch.outer.register(context.waker());
        let waker = Waker::from(this.watch.clone());
        let poll = this.inner.as_mut().poll(&mut Context::from_waker(&waker));
        let polled = clock::now();
        let Poll::Ready(output) = poll else {
            let cpu = clock::awake().saturating_sub(cpu).min(polled - begun);
            this.hands.cpu += cpu;
            this.hands.stalled += polled - begun - cpu;
            this.hands.late +=
                if first > 0 { begun.saturating_sub(first.max(this.rested)) } else { 0 };
            this.rested = polled;
            return Poll::Pending;
        };
        let woken = match this.watch.last.load(Ordering::Acquire) {
            0 => from,
            // A wake-up during a poll takes effect when that poll ends.
            last => last.max(this.rested).clamp(from, polled),
        };
        // The result may come while this side is polling, for whatever else woke it.
        this.hands.stalled += woken.saturating_sub(begun);
        Poll::Ready((output, Waited { from, woken, polled, hands: this.hands }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::units::Span;
    use std::future::{pending, ready};
    use tokio::sync::{Semaphore, oneshot};

    use crate::stack::axum::worker::burn::burn;

    const MILLISECOND: u64 = 1_000_000;

    /// A runtime as a worker has it.
    fn on_a_loop<F: Future>(future: F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(future)
    }

    #[test]
    fn a_thread_drives_what_another_completes() {
        let (sender, receiver) = oneshot::channel();
        let other = thread::spawn(move || {
            thread::sleep(Duration::from_millis(5));
            sender.send(7)
        });
        let (result, waited) = block_on(Timed::new(receiver));
        assert_eq!(result, Ok(7));
        assert!(waited.waited() > 0 && waited.late() > 0);
        assert!(waited.hands.cpu > 0 && waited.hands.late == 0);
        assert_eq!(other.join().ok(), Some(Ok(())));
    }

    #[test]
    fn what_is_ready_at_once_was_not_waited_for() {
        let (value, waited) = block_on(Timed::new(ready(3)));
        assert_eq!((value, waited.waited(), waited.hands), (3, 0, Hands::default()));
        assert!(waited.polled >= waited.from);
    }

    #[test]
    fn a_deadline_ends_the_wait_but_not_before_its_time() {
        for mode in [Mode::Parked, Mode::Blocking] {
            let at = clock::now() + 5 * MILLISECOND;
            let outcome = on_a_loop(async { deadline(mode, Some(at), pending::<()>()).await });
            assert_eq!(outcome, None);
            assert!(clock::now() >= at, "{mode:?}");
            // A result that is there wins over a deadline that has passed.
            let outcome = on_a_loop(async { deadline(mode, Some(0), ready(1)).await });
            assert_eq!(outcome, Some(1), "{mode:?}");
        }
    }

    #[test]
    fn a_deadline_ends_a_future_that_wakes_itself_without_end() {
        let restless = std::future::poll_fn(|context: &mut Context<'_>| -> Poll<()> {
            context.waker().wake_by_ref();
            Poll::Pending
        });
        assert_eq!(block_on_until(restless, clock::now() + MILLISECOND), None);
    }

    #[test]
    fn a_task_that_blocks_its_loop_does_not_run_out_of_budget() {
        let taken = on_a_loop(async {
            tokio::spawn(async {
                block_on(async {
                    let semaphore = Semaphore::new(1);
                    let mut taken = 0;
                    while taken < 1_000 {
                        taken += usize::from(semaphore.acquire().await.is_ok());
                    }
                    taken
                })
            })
            .await
        });
        assert_eq!(taken.ok(), Some(1_000));
    }

    #[test]
    fn blocking_waits_nest() {
        let (sender, receiver) = oneshot::channel();
        let result = block_on(async {
            let inner = block_on_until(pending::<()>(), clock::now() + MILLISECOND);
            let other = thread::spawn(move || sender.send(()));
            let received = receiver.await;
            (inner, received.is_ok(), other.join().is_ok())
        });
        assert_eq!(result, (None, true, true));
    }

    #[test]
    fn a_result_that_a_busy_loop_leaves_lying_is_late() {
        let waited = on_a_loop(async {
            let (sender, receiver) = oneshot::channel();
            let task = tokio::spawn(Timed::new(receiver));
            tokio::task::yield_now().await;
            sender.send(()).expect("the task waits");
            thread::sleep(Duration::from_millis(5));
            task.await.expect("the task ends").1
        });
        assert!(waited.late() >= 5 * MILLISECOND);
        assert_eq!(waited.from + waited.waited() + waited.late(), waited.polled);
    }

    #[test]
    fn what_polls_take_is_told_apart_from_the_wait() {
        // More threads that compute than processors, so that the polls wait for one.
        let over = Arc::new(AtomicBool::new(false));
        let threads = 2 * thread::available_parallelism().map_or(2, usize::from);
        let others: Vec<_> = (0..threads)
            .map(|_| {
                let over = over.clone();
                thread::spawn(move || {
                    while !over.load(Ordering::Acquire) {
                        burn(Span::from_millis(1));
                    }
                })
            })
            .collect();
        let (sender, receiver) = oneshot::channel::<()>();
        let mut turn = 0;
        let mut receiver = Box::pin(receiver);
        let work = std::future::poll_fn(move |context: &mut Context<'_>| {
            turn += 1;
            if turn < 3 {
                burn(Span::from_millis(40));
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            receiver.as_mut().poll(context)
        });
        let other = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            sender.send(())
        });
        let (result, waited) = block_on(Timed::new(work));
        over.store(true, Ordering::Release);
        assert!(others.into_iter().all(|thread| thread.join().is_ok()));
        assert_eq!(result, Ok(()));
        let hands = waited.hands;
        assert!(hands.cpu >= 80 * MILLISECOND, "{hands:?}");
        assert!(hands.stalled > MILLISECOND, "{hands:?}");
        assert!(hands.cpu + hands.stalled + hands.late <= waited.waited(), "{waited:?}");
        assert!(other.join().is_ok());
    }

    #[test]
    fn who_is_woken_while_it_polls_goes_on_when_that_poll_ends() {
        let mut again = false;
        let work = std::future::poll_fn(move |context: &mut Context<'_>| {
            if std::mem::replace(&mut again, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            thread::sleep(Duration::from_millis(4));
            Poll::Pending
        });
        let ((), waited) = block_on(Timed::new(work));
        assert!(waited.waited() >= 4 * MILLISECOND, "{waited:?}");
        assert_eq!(waited.hands.late, 0);
    }
}
