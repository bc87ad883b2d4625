//! Runs whose answer nobody waits for any more are given up.
//!
//! Who asks holds a flag, and the threads that do the work look at it now and then. A run that is
//! given up ends with [`Runaway::Stopped`](crate::engine::Runaway::Stopped) and no answer, so that the
//! flag changes no answer. It belongs to threads and not to the arguments of each search and each run,
//! since it is about all that these threads do.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};

thread_local! {
    static FLAG: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// Does `work` on threads of its own, whose runs end early once `flag` is true.
///
/// # Errors
/// No threads can be started.
pub fn unless<T: Send>(
    flag: &Arc<AtomicBool>,
    work: impl FnOnce() -> T + Send,
) -> Result<T, ThreadPoolBuildError> {
    let flag = flag.clone();
    let start = move |_| FLAG.with(|own| *own.borrow_mut() = Some(flag.clone()));
    Ok(ThreadPoolBuilder::new().start_handler(start).build()?.install(work))
}

/// Whether the runs of this thread are to end.
pub(crate) fn is_asked() -> bool {
    FLAG.with(|own| own.borrow().as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)))
}

#[cfg(test)]
mod tests {
    use model::read::load_text;

    use super::*;
    use crate::engine::Runaway;
    use crate::replicate::replicate;

    const ENDLESS: &str = r#"
        costs.cpu.request = "1us"
        load = { users = 1, duration = "1000h" }
        service.concurrency = "async"
        endpoint = [{ name = "hello", weight = 1 }]
    "#;

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
}
