//! One look at the speed of a processor.

use serde::{Deserialize, Serialize};

use super::work::{KINDS, Work};
use crate::clock;

/// CPU time of one piece of work of each kind, in nanoseconds, in the order of the kinds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When it began, on the machine's monotonic clock.
    pub at: u64,
    /// With what other programs have left in the caches.
    pub cold: Vec<u64>,
    /// Again at once.
    pub warm: Vec<u64>,
}

impl Sample {
    /// Does all of `work` and times it.
    pub(super) fn take(work: &mut Work) -> Sample {
        let at = clock::now();
        let mut timed = |kind: usize| {
            let before = clock::thread_cpu();
            work.pass(kind);
            clock::thread_cpu() - before
        };
        let both: Vec<(u64, u64)> =
            (0..KINDS.len()).map(|kind| (timed(kind), timed(kind))).collect();
        let (cold, warm) = both.into_iter().unzip();
        Sample { at, cold, warm }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_done_cold_and_warm() {
        let mut work = Work::new().expect("the system has sockets");
        let (one, next) = (Sample::take(&mut work), Sample::take(&mut work));
        for sample in [&one, &next] {
            for times in [&sample.cold, &sample.warm] {
                assert!(times.len() == KINDS.len() && times.iter().all(|&time| time > 0));
            }
        }
        assert!(next.at > one.at);
    }
}
