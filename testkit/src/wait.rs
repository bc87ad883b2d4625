//! Waiting for what must happen, however slow the machine is.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Time without any progress after which something hangs.
pub const HANG: Duration = Duration::from_secs(600);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Repeats `look` until it finds something. There is no limit as long as `progress`, a number
/// that changes while others work, is another one after [`HANG`].
///
/// # Panics
/// Nothing moves any more.
pub fn wait_for<T>(
    what: &str,
    mut progress: impl FnMut() -> u64,
    mut look: impl FnMut() -> Option<T>,
) -> T {
    let (mut since, mut seen) = (Instant::now(), None);
    loop {
        if let Some(found) = look() {
            return found;
        }
        if seen.is_none() || since.elapsed() > HANG {
            let now = Some(progress());
            assert_ne!(now, seen, "{what}: no progress for {HANG:?}");
            (since, seen) = (Instant::now(), now);
        }
        sleep(PAUSE);
    }
}

/// Repeats `look` until it is true, without any progress to see.
///
/// # Panics
/// It is not true after [`HANG`].
pub fn wait_until(what: &str, mut look: impl FnMut() -> bool) {
    wait_for(what, || 0, || look().then_some(()));
}

/// Gives `attempt` a number of seconds to run something for, doubled each time, until it has
/// done its part before the run's end.
///
/// # Panics
/// It never has.
pub fn in_time<T>(attempt: impl FnMut(u32) -> Option<T>) -> T {
    (0..10).map(|doubling| 1 << doubling).find_map(attempt).expect("a run that is long enough")
}
