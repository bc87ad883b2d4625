//! Whether a service that was just started still loads itself.

use std::thread;
use std::time::Duration;

use super::{ProcessTree, TreeReading};

/// How long one look takes whether a service has loaded itself.
pub const LOOK: Duration = Duration::from_millis(250);
/// It rests if it computes for a smaller share of the time.
const SHARE: f64 = 0.1;
/// Looks at most: a service that works on a schedule never rests.
pub const LOOKS: usize = 40;

/// A service rests that used so many `cpu` nanoseconds in so many `nanos`.
pub fn rests(cpu: u64, nanos: u64) -> bool {
    (cpu as f64) < SHARE * nanos as f64
}

impl ProcessTree {
    /// Waits until its processes compute little, for 10 s at most, or until `interrupted`: a service
    /// may accept connections before it has loaded itself, as gunicorn does, and what comes
    /// meanwhile would wait for that.
    pub fn wait_for_rest(&self, interrupted: impl Fn() -> bool) {
        let look = || {
            thread::sleep(LOOK);
            (!interrupted()).then(|| self.read())
        };
        wait(self.read(), look);
    }
}

/// Waits until little was used between two readings. `look` gives the next one; none ends it.
fn wait(mut before: TreeReading, mut look: impl FnMut() -> Option<TreeReading>) {
    for _ in 0..LOOKS {
        let Some(after) = look() else { return };
        if rests(after.cpu_since(&before), after.at.saturating_sub(before.at)) {
            return;
        }
        before = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::ProcessReading;

    /// Looks until it rests; each second the process has used so many more milliseconds.
    fn looks(used: &[u64]) -> usize {
        let process = |cpu| ProcessReading { pid: 7, started: 1, cpu, ..ProcessReading::default() };
        let reading = |second: u64, cpu: u64| TreeReading {
            at: second * 1_000_000_000,
            processes: vec![process(cpu * 1_000_000)],
            reaped: 0,
        };
        let (mut count, mut cpu) = (0, 0);
        wait(reading(0, 0), || {
            cpu += used.get(count)?;
            count += 1;
            Some(reading(count as u64, cpu))
        });
        count
    }

    #[test]
    fn it_waits_until_the_service_computes_little() {
        assert_eq!(looks(&[900, 400, 150, 50, 800]), 4);
        assert_eq!(looks(&[0, 900]), 1);
        assert_eq!(looks(&[500; 100]), LOOKS, "it works on a schedule");
        assert_eq!(looks(&[500; 3]), 3, "the user wants to end");
    }
}
