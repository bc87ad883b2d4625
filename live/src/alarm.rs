//! Timers that ring on time.
//!
//! tokio's timers count whole milliseconds and round up. That is too coarse for arrivals
//! at 2,000 a second and for upstreams whose latency was drawn to the nanosecond. Here one
//! timer of the kernel serves all sleepers of a runtime, to tens of microseconds; where the
//! kernel has no such timer, tokio's serves instead.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::task::AbortHandle;

use crate::clock;

#[cfg(not(target_os = "linux"))]
use coarse::Bell;
#[cfg(target_os = "linux")]
use exact::Bell;

/// The instant that never comes.
pub(crate) const NEVER: u64 = u64::MAX;

/// Wakes any number of sleepers. Clones share one timer.
#[derive(Clone, Debug)]
pub(crate) struct Alarm {
    shared: Arc<Shared>,
    _watch: Arc<Watch>,
}

#[derive(Debug)]
struct Shared {
    bell: Bell,
    sleepers: Mutex<Sleepers>,
}

/// Ends the task that waits for the bell when the last clone of the alarm is gone.
#[derive(Debug)]
struct Watch(AbortHandle);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The tasks that sleep, and until when.
#[derive(Debug)]
struct Sleepers {
    /// By instant, then by order of falling asleep.
    wakers: BTreeMap<(u64, u64), Waker>,
    fell_asleep: u64,
    /// The instant at which the bell will ring; it may be one whose sleeper has gone.
    armed: u64,
}

impl Alarm {
    /// An alarm on the runtime that the caller runs in.
    ///
    /// # Errors
    /// The kernel gives no timer.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub(crate) fn new() -> io::Result<Alarm> {
        let sleepers = Sleepers { wakers: BTreeMap::new(), fell_asleep: 0, armed: NEVER };
        let shared = Arc::new(Shared { bell: Bell::new()?, sleepers: Mutex::new(sleepers) });
        let watch = tokio::spawn(watch(Arc::clone(&shared)));
        Ok(Alarm { shared, _watch: Arc::new(Watch(watch.abort_handle())) })
    }

    /// Completes at `at` on the machine's monotonic clock (see [`clock::now`]) or as soon as
    /// possible after it, never before.
    ///
    /// A sleep that is dropped is forgotten at once.
    pub(crate) fn sleep_until(&self, at: u64) -> Sleep<'_> {
        Sleep { shared: &self.shared, at, order: None }
    }
}

impl Shared {
    /// A panic elsewhere leaves the sleepers as they are: nothing runs while they are locked.
    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the bell and wakes whose time has come.
async fn watch(shared: Arc<Shared>) {
    let mut due = Vec::new();
    while shared.bell.rung().await.is_ok() {
        let mut sleepers = shared.sleepers();
        let now = clock::now();
        while let Some(first) = sleepers.wakers.first_entry()
            && first.key().0 <= now
        {
            due.push(first.remove());
        }
        sleepers.armed = NEVER;
        if let Some((&(at, _), _)) = sleepers.wakers.first_key_value() {
            sleepers.arm(at, &shared.bell);
        }
        drop(sleepers);
        due.drain(..).for_each(Waker::wake);
    }
}

impl Sleepers {
    /// Sees to it that the bell rings at `at` at the latest.
    fn arm(&mut self, at: u64, bell: &Bell) {
        if at < self.armed {
            self.armed = at;
            bell.ring_at(at);
        }
    }
}

/// A sleep until an instant. See [`Alarm::sleep_until`].
#[derive(Debug)]
#[must_use = "a sleep does nothing unless it is awaited"]
pub(crate) struct Sleep<'a> {
    shared: &'a Shared,
    at: u64,
    /// Its number among the sleepers, once it is one of them.
    order: Option<u64>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.at == NEVER {
            return Poll::Pending;
        }
        if clock::now() >= self.at {
            return Poll::Ready(());
        }
        let mut sleepers = self.shared.sleepers();
        let order = self.order.unwrap_or_else(|| {
            sleepers.fell_asleep += 1;
            sleepers.fell_asleep
        });
        sleepers
            .wakers
            .entry((self.at, order))
            .and_modify(|waker| waker.clone_from(context.waker()))
            .or_insert_with(|| context.waker().clone());
        sleepers.arm(self.at, &self.shared.bell);
        drop(sleepers);
        self.order = Some(order);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(order) = self.order {
            // The timer stays as it is: it may fire without a sleeper, which costs less than
            // setting it again for every sleep that is dropped.
            self.shared.sleepers().wakers.remove(&(self.at, order));
        }
    }
}

/// The kernel's timer.
#[cfg(target_os = "linux")]
mod exact {
    use std::io;
    use std::os::fd::OwnedFd;

    use model::units::NANOS_PER_SECOND;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    #[derive(Debug)]
    pub(super) struct Bell {
        timer: AsyncFd<OwnedFd>,
    }

    impl Bell {
        pub(super) fn new() -> io::Result<Bell> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            // Its successor asks the caller to promise, as `unsafe`, that the descriptor stays
            // open and the same. An `OwnedFd` keeps that promise by itself.
            #[expect(deprecated, reason = "the successor is unsafe, which this crate forbids")]
            let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
            Ok(Bell { timer })
        }

        /// Rings at `at`, and no longer when it was to ring before.
        pub(super) fn ring_at(&self, at: u64) {
            // An instant of zero would switch the timer off; one that has passed rings at once.
            let at = at.max(1);
            let it_value = Timespec {
                tv_sec: (at / NANOS_PER_SECOND) as i64,
                tv_nsec: (at % NANOS_PER_SECOND) as _,
            };
            let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
            let when = Itimerspec { it_interval, it_value };
            timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::ABSTIME, &when)
                .expect("a timer of our own takes every instant that nanoseconds can count");
        }

        /// Waits until it has rung; fails when the runtime shuts down.
        pub(super) async fn rung(&self) -> io::Result<()> {
            let mut rings = [0; size_of::<u64>()];
            let read = |timer: &OwnedFd| Ok(rustix::io::read(timer, &mut rings)?);
            self.timer.async_io(Interest::READABLE, read).await.map(drop)
        }
    }
}

/// tokio's timer.
#[cfg(any(test, not(target_os = "linux")))]
mod coarse {
    use std::io;
    use std::time::Duration;

    use tokio::sync::watch;

    use super::NEVER;
    use crate::clock;

    #[derive(Debug)]
    pub(super) struct Bell {
        at: watch::Sender<u64>,
    }

    impl Bell {
        pub(super) fn new() -> io::Result<Bell> {
            Ok(Bell { at: watch::Sender::new(NEVER) })
        }

        pub(super) fn ring_at(&self, at: u64) {
            self.at.send_replace(at);
        }

        pub(super) async fn rung(&self) -> io::Result<()> {
            let mut changes = self.at.subscribe();
            loop {
                let at = *changes.borrow_and_update();
                let pause = Duration::from_nanos(at.saturating_sub(clock::now()));
                tokio::select! {
                    () = tokio::time::sleep(pause), if at != NEVER => break,
                    // The sender is `self`'s own and cannot go before this future does.
                    _ = changes.changed() => {}
                }
            }
            self.at.send_if_modified(|at| {
                *at = NEVER;
                false
            });
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::task::JoinSet;

    use super::*;

    const MILLISECOND: u64 = 1_000_000;

    fn in_runtime<T>(test: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(test)
    }

    #[test]
    fn all_sleepers_wake_and_none_too_early() {
        in_runtime(async {
            let alarm = Alarm::new().expect("a timer");
            let start = clock::now();
            let mut sleeps = JoinSet::new();
            let number = 2000;
            for sleeper in 0..number {
                let alarm = alarm.clone();
                // In an order that is none, two at each instant.
                let at = start + 5 * MILLISECOND + (sleeper * 7 % 1000) * 10_000;
                sleeps.spawn(async move {
                    alarm.sleep_until(at).await;
                    assert!(clock::now() >= at);
                    at
                });
            }
            let woken: Vec<u64> = sleeps.join_all().await;
            assert_eq!(woken.len(), number as usize);
            assert!(alarm.shared.sleepers().wakers.is_empty());
        });
    }

    #[test]
    fn an_earlier_sleeper_is_not_held_up_by_a_later_one() {
        in_runtime(async {
            let alarm = Alarm::new().expect("a timer");
            let start = clock::now();
            let late = alarm.sleep_until(start + 3_600_000 * MILLISECOND);
            let early = async {
                // It falls asleep after the late one.
                tokio::task::yield_now().await;
                alarm.sleep_until(start + MILLISECOND).await;
            };
            tokio::select! { biased; () = late => panic!("an hour early"), () = early => {} }
        });
    }

    #[test]
    fn a_sleep_that_is_cut_short_leaves_nothing_behind() {
        in_runtime(async {
            let alarm = Alarm::new().expect("a timer");
            let at = clock::now() + 20 * MILLISECOND;
            for _ in 0..1000 {
                let sleep = alarm.sleep_until(at);
                tokio::select! { biased; () = sleep => {}, () = std::future::ready(()) => {} }
            }
            assert!(alarm.shared.sleepers().wakers.is_empty());
            // The timer still fires for later sleepers.
            alarm.sleep_until(at + MILLISECOND).await;
            assert!(clock::now() > at);
        });
    }

    #[test]
    fn what_has_passed_is_over_at_once_and_never_never_comes() {
        in_runtime(async {
            let alarm = Alarm::new().expect("a timer");
            alarm.sleep_until(0).await;
            alarm.sleep_until(clock::now()).await;
            let short = tokio::time::sleep(Duration::from_millis(5));
            tokio::select! { () = alarm.sleep_until(NEVER) => panic!("never"), () = short => {} }
        });
    }

    #[test]
    fn the_coarse_bell_rings_when_it_should() {
        in_runtime(async {
            let bell = coarse::Bell::new().expect("a bell");
            let start = clock::now();
            bell.ring_at(start + 3_600_000 * MILLISECOND);
            let earlier = async {
                tokio::task::yield_now().await;
                bell.ring_at(start + 2 * MILLISECOND);
            };
            let (rung, ()) = tokio::join!(bell.rung(), earlier);
            rung.expect("it rang");
            assert!(clock::now() >= start + 2 * MILLISECOND);
            // It rings once.
            let short = tokio::time::sleep(Duration::from_millis(5));
            tokio::select! { _ = bell.rung() => panic!("a second time"), () = short => {} }
        });
    }
}
