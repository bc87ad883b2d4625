//! Runs that are given up: nobody waits for their answer any more, or they have used up what they may.
//!
//! Who asks holds a `Budget`, and the threads that do the work look at it now and then. A run that is
//! given up ends with `Runaway::Stopped` and no answer, so that a budget changes no answer. It belongs
//! to threads and not to the arguments of each search and each run, since it is about all that these
//! threads do.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::ThreadPoolBuildError;

use crate::engine::Runaway;
use crate::pool;

/// What a piece of work may use of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events of all its runs together.
    pub events: u64,
    /// Bytes of memory of one run.
    pub memory: u64,
}

impl Limits {
    /// As much as it takes.
    pub const NONE: Limits = Limits { events: u64::MAX, memory: u64::MAX };
}

/// What a piece of work has used, and whether it is to end.
#[derive(Debug)]
pub struct Budget {
    asked: Arc<AtomicBool>,
    limits: Limits,
    events: AtomicU64,
    needed: AtomicU64,
}

/// Which limit was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// There were more events than are allowed.
    Events,
    /// A run needs this many bytes, or more.
    Memory(u64),
}

thread_local! {
    static BUDGET: RefCell<Option<Arc<Budget>>> = const { RefCell::new(None) };
}

impl Budget {
    /// A budget of which nothing is used. The work also ends once `asked` is true.
    pub fn new(asked: &Arc<AtomicBool>, limits: Limits) -> Budget {
        let (events, needed) = (AtomicU64::new(0), AtomicU64::new(0));
        Budget { asked: asked.clone(), limits, events, needed }
    }

    /// Events of all runs so far; of runs under way up to their last look.
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// The limit that the work has passed, if it has.
    pub fn passed(&self) -> Option<Passed> {
        let needed = self.needed.load(Ordering::Relaxed);
        if needed > self.limits.memory {
            return Some(Passed::Memory(needed));
        }
        (self.events() > self.limits.events).then_some(Passed::Events)
    }

    fn look(&self, events: u64, memory: u64) -> Result<(), Runaway> {
        self.events.fetch_add(events, Ordering::Relaxed);
        self.needed.fetch_max(memory, Ordering::Relaxed);
        match self.asked.load(Ordering::Relaxed) || self.passed().is_some() {
            true => Err(Runaway::Stopped),
            false => Ok(()),
        }
    }
}

/// Does `work` on threads of its own, whose runs end early once `flag` is true.
///
/// # Errors
/// No threads can be started.
pub fn unless<T: Send>(
    flag: &Arc<AtomicBool>,
    work: impl FnOnce() -> T + Send,
) -> Result<T, ThreadPoolBuildError> {
    within(&Arc::new(Budget::new(flag, Limits::NONE)), 0, work)
}

/// Does `work` on so many threads of its own, whose runs end early once the budget says so. 0 threads are
/// as many as there are processors.
///
/// # Errors
/// No threads can be started.
pub fn within<T: Send>(
    budget: &Arc<Budget>,
    threads: usize,
    work: impl FnOnce() -> T + Send,
) -> Result<T, ThreadPoolBuildError> {
    let budget = budget.clone();
    let begin = move || BUDGET.with(|own| *own.borrow_mut() = Some(budget.clone()));
    pool::install(threads, begin, work)
}

/// A run of this thread has had so many `events` since its last look, and needs so much `memory`.
///
/// # Errors
/// [`Runaway::Stopped`] if it is to end.
pub(crate) fn look(events: u64, memory: u64) -> Result<(), Runaway> {
    BUDGET.with(|own| own.borrow().as_ref().map_or(Ok(()), |budget| budget.look(events, memory)))
}

/// Bytes of memory that a run of this thread may need.
pub(crate) fn memory() -> u64 {
    BUDGET.with(|own| own.borrow().as_ref().map_or(u64::MAX, |budget| budget.limits.memory))
}

#[cfg(test)]
mod tests {
    use model::read::load_text;

    use super::*;
    use crate::replicate::replicate;

    const ENDLESS: &str = r#"
        costs.cpu.request = "1us"
        load = { users = 1, duration = "1000h" }
        service.concurrency = "async"
        endpoint = [{ name = "hello", weight = 1 }]
    "#;

    /// What becomes of a run of `ENDLESS` with `sets`, and of its budget.
    fn run(sets: &[&str], limits: Limits) -> (Result<(), Runaway>, Arc<Budget>) {
        let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
        let scenario = load_text("endless", ENDLESS, &sets).expect("a scenario").scenario;
        let budget = Arc::new(Budget::new(&Arc::default(), limits));
        let run = within(&budget, 1, || replicate(&scenario, 0, u64::MAX)).expect("threads");
        (run.map(|_| ()), budget)
    }

    #[test]
    fn a_run_ends_when_its_flag_is_set_and_another_goes_on() {
        let endless = load_text("endless", ENDLESS, &[]).expect("a scenario").scenario;
        let flag = Arc::new(AtomicBool::new(false));
        let stopped = std::thread::scope(|scope| {
            let run = scope.spawn(|| unless(&flag, || replicate(&endless, 0, u64::MAX)));
            flag.store(true, Ordering::Relaxed);
            run.join().expect("no panic").expect("threads")
        });
        assert_eq!(stopped.map(|_| ()), Err(Runaway::Stopped));
        // The threads of others know nothing of it.
        let other = unless(&Arc::default(), || replicate(&endless, 0, 1_000_000));
        let other = other.expect("threads").map(|_| ());
        assert!(matches!(other, Err(Runaway::TooManyEvents { .. })), "{other:?}");
    }

    #[test]
    fn a_run_ends_when_the_events_are_used_up() {
        let limits = Limits { events: 200_000, ..Limits::NONE };
        let (run, budget) = run(&[], limits);
        assert_eq!((run, budget.passed()), (Err(Runaway::Stopped), Some(Passed::Events)));
        // It looks often enough.
        assert!(budget.events() < 400_000, "{}", budget.events());
    }

    #[test]
    fn events_of_short_runs_count_too() {
        let sets = ["load.warmup=0s", "load.duration=1ms"];
        let (done, budget) = run(&sets, Limits::NONE);
        assert_eq!((done, budget.passed()), (Ok(()), None));
        assert!(budget.events() > 100, "{}", budget.events());
    }

    #[test]
    fn a_run_ends_before_it_needs_more_memory_than_it_may() {
        let limits = Limits { memory: 64 << 20, ..Limits::NONE };
        let passed = |sets: &[&str]| {
            let (run, budget) = run(sets, limits);
            assert_eq!(run, Err(Runaway::Stopped), "{sets:?}");
            assert!(budget.events() < 1_000_000, "{sets:?}: {}", budget.events());
            matches!(budget.passed(), Some(Passed::Memory(_)))
        };
        // Users that are there from the start, and requests that pile up.
        assert!(passed(&["load.users=10000000"]));
        assert!(passed(&["load.rate=1000000/s", "endpoint.hello.steps=[{ sleep = \"1h\" }]"]));
    }
}
