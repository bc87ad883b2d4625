//! What the kernel's own threads compute on a processor: writing a file to the disk takes CPU
//! time there that no process is charged for.

use std::collections::BTreeMap;
use std::fs;

use super::cpus::Cpus;
use super::line_of;

/// The parent of all threads of the kernel.
const PARENT: &str = "/proc/2";
const PARENT_NAME: &str = "kthreadd";
/// How the threads are called that work for others; on a processor of their own if its number
/// follows.
const WORKER: &str = "kworker/";

/// CPU time that the kernel's threads have used so far, by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Threads(BTreeMap<u32, Thread>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Thread {
    /// Where it runs, if it runs nowhere else.
    processor: Option<usize>,
    /// In nanoseconds.
    used: u64,
}

impl Threads {
    /// Reads them now; none where the kernel does not show its threads, as in a container.
    pub(super) fn take() -> Threads {
        if line_of(format!("{PARENT}/comm")).as_deref() != Some(PARENT_NAME) {
            return Threads::default();
        }
        let children = fs::read_to_string(format!("{PARENT}/task/2/children")).unwrap_or_default();
        let pids = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        let thread = |pid: u32| {
            let processor = processor(&line_of(format!("/proc/{pid}/comm"))?);
            let used = used(&line_of(format!("/proc/{pid}/schedstat"))?)?;
            Some((pid, Thread { processor, used }))
        };
        Threads(pids.filter_map(thread).collect())
    }

    /// CPU time from this reading to `close` of those that are bound to one of `cpus`, in
    /// nanoseconds.
    pub(super) fn bound(&self, close: &Threads, cpus: &Cpus) -> u64 {
        self.used(close, |processor| processor.is_some_and(|cpu| cpus.numbers().contains(&cpu)))
    }

    /// The same of those that run anywhere.
    pub(super) fn unbound(&self, close: &Threads) -> u64 {
        self.used(close, |processor| processor.is_none())
    }

    /// One that has ended takes its account along; they live for minutes.
    fn used(&self, close: &Threads, counts: impl Fn(Option<usize>) -> bool) -> u64 {
        let spent = |(pid, thread): (&u32, &Thread)| {
            let before = self.0.get(pid).map_or(0, |before| before.used);
            thread.used.saturating_sub(before)
        };
        close.0.iter().filter(|(_, thread)| counts(thread.processor)).map(spent).sum()
    }
}

/// The processor of the worker of this name, if it has one: `kworker/1:2H-kblockd`.
fn processor(name: &str) -> Option<usize> {
    let (processor, _) = name.strip_prefix(WORKER)?.split_once(':')?;
    processor.parse().ok()
}

/// The first number of `schedstat`: nanoseconds on a processor.
fn used(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_bound_to_the_processor_in_their_name() {
        assert_eq!(processor("kworker/1:2H-kblockd"), Some(1));
        assert_eq!(processor("kworker/12:0"), Some(12));
        // Some run anywhere; others are no workers.
        assert_eq!(processor("kworker/u8:1-writeback"), None);
        assert_eq!(processor("jbd2/vda-8"), None);
        assert_eq!(used("1234 56 7"), Some(1234));
        assert_eq!(used(""), None);
    }

    #[test]
    fn what_workers_use_between_readings_counts_where_they_run() {
        let all = |all: &[(u32, Option<usize>, u64)]| {
            let thread = |&(pid, processor, used)| (pid, Thread { processor, used });
            Threads(all.iter().map(thread).collect())
        };
        let (here, there) = (Some(1), Some(0));
        let open = all(&[(10, there, 100), (11, here, 200), (12, here, 300), (20, None, 10)]);
        // The third has ended, another has begun.
        let close = all(&[(10, there, 150), (11, here, 230), (13, here, 7), (20, None, 15)]);
        let cpus = |text| Cpus::parse(text).expect("a list");
        assert_eq!(open.bound(&close, &cpus("1")), 37);
        assert_eq!(open.bound(&close, &cpus("0")), 50);
        assert_eq!(open.bound(&close, &cpus("0-1")), 87);
        assert_eq!(open.bound(&close, &cpus("2")), 0);
        assert_eq!(open.unbound(&close), 5);
    }
}
