//! A look inside SQLite: what happens on the thread of a connection, and when.
//!
//! The one safe door into that thread is a collation. A statement with the term
//! `?n <> '' COLLATE engine` has SQLite compare that constant once per execution: on the
//! connection's thread, with the statement's lock held. There the query's cost in the
//! engine is burnt, and the clocks are read.

use std::cmp::Ordering;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use model::units::Span;

use crate::clock;
use crate::stack::axum::worker::burn::burn;

/// Name of the collation.
pub(super) const COLLATION: &str = "engine";

/// What a thread has used of its processor so far, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Time computing.
    pub(super) cpu: u64,
    /// Time ready to compute but without a processor.
    pub(super) delay: u64,
}

/// A statement's stay in the collation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visit {
    /// It has its lock.
    pub(super) entered: u64,
    /// It has computed.
    pub(super) left: u64,
    /// CPU time burnt in between.
    pub(super) burnt: u64,
    /// What the thread had used before.
    pub(super) before: Usage,
}

/// The end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Farewell {
    /// SQLite has closed the files.
    pub(super) at: u64,
    /// What the thread has used in all.
    pub(super) usage: Usage,
}

/// What the thread of one connection tells others.
#[derive(Debug, Default)]
pub(super) struct Probe {
    /// Scheduler statistics of the connection's thread, opened by itself; none where the
    /// kernel has none.
    schedule: OnceLock<Option<File>>,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    visit: Option<Visit>,
    farewell: Option<Farewell>,
}

impl Probe {
    /// The collation of the connection that this probe is for. The left text of a
    /// comparison says how many nanoseconds of CPU time to burn.
    ///
    /// SQLite drops its collations when a connection's files are closed: if the closure
    /// has no other owner, that is the farewell.
    pub(super) fn collation(
        self: &Arc<Probe>,
    ) -> impl Fn(&str, &str) -> Ordering + Send + Sync + 'static {
        let last = Last(self.clone());
        move |left, right| {
            last.0.visited(left.parse().unwrap_or(0));
            left.cmp(right)
        }
    }

    /// On the connection's thread: burns, and notes the visit.
    fn visited(&self, nanos: u64) {
        let before = self.own_usage();
        let entered = clock::now();
        let burnt = burn(Span::from_nanos(nanos));
        let visit = Visit { entered, left: clock::now(), burnt, before };
        self.notes().visit = Some(visit);
    }

    /// On the connection's thread: its own usage. A running thread's CPU time is known
    /// exactly from its clock alone; its waits for a processor from the scheduler.
    fn own_usage(&self) -> Usage {
        self.schedule.get_or_init(|| File::open("/proc/thread-self/schedstat").ok());
        let delay = self.usage().map_or(0, |usage| usage.delay);
        Usage { cpu: clock::thread_cpu(), delay }
    }

    /// What the connection's thread, which rests, has used so far. None before its first
    /// visit, after its end, or where the kernel does not say.
    pub(super) fn usage(&self) -> Option<Usage> {
        let file = self.schedule.get()?.as_ref()?;
        let mut text = [0; 64];
        let length = file.read_at(&mut text, 0).ok()?;
        let mut fields = std::str::from_utf8(&text[..length]).ok()?.split_ascii_whitespace();
        let mut next = || fields.next()?.parse().ok();
        Some(Usage { cpu: next()?, delay: next()? })
    }

    /// The visit since this was last asked.
    pub(super) fn take_visit(&self) -> Option<Visit> {
        self.notes().visit.take()
    }

    /// The end of the connection, if it has come.
    pub(super) fn farewell(&self) -> Option<Farewell> {
        self.notes().farewell
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes the farewell when it is dropped.
struct Last(Arc<Probe>);

impl Drop for Last {
    fn drop(&mut self) {
        let usage = self.0.own_usage();
        self.0.notes().farewell = Some(Farewell { at: clock::now(), usage });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_burns_what_is_asked_and_reads_the_clocks() {
        let probe = Arc::new(Probe::default());
        assert_eq!(probe.usage(), None, "nobody was here");
        let collation = probe.collation();
        let cpu = clock::thread_cpu();
        assert_eq!(collation("3000000", ""), Ordering::Greater);
        let used = clock::thread_cpu() - cpu;
        let visit = probe.take_visit().expect("it was visited");
        assert!(visit.burnt >= 3_000_000);
        // The CPU clock leaves out what interrupts and the host took of the burnt time.
        assert!(used >= visit.burnt / 10, "{used} ns of CPU time, {} ns burnt", visit.burnt);
        assert!(visit.left - visit.entered >= visit.burnt);
        assert!(visit.before.cpu >= cpu);
        assert_eq!(probe.take_visit(), None);
    }

    #[test]
    fn the_last_owner_says_farewell() {
        let probe = Arc::new(Probe::default());
        let collation = probe.collation();
        assert_eq!(probe.farewell(), None);
        let before = clock::now();
        drop(collation);
        assert!(probe.farewell().is_some_and(|farewell| farewell.at >= before));
    }

    #[test]
    fn other_threads_read_the_usage_of_a_resting_thread() {
        let probe = Arc::new(Probe::default());
        let thread = std::thread::spawn({
            let probe = probe.clone();
            move || {
                probe.visited(2_000_000);
                std::thread::park();
            }
        });
        let visit = loop {
            match probe.take_visit() {
                Some(visit) => break visit,
                None => std::thread::sleep(std::time::Duration::from_millis(1)),
            }
        };
        // The scheduler adds up when a thread leaves its processor: wait until it has. Its
        // sum leaves out what interrupts and the host took of the burnt time.
        while probe.usage().is_some_and(|usage| usage.cpu < visit.before.cpu + visit.burnt / 10) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        thread.thread().unpark();
        assert!(thread.join().is_ok());
    }
}
