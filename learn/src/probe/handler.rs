//! Where the handler of an endpoint runs: on the loop, which it holds or not, or on threads.

use model::scenario::Concurrency;

use super::decide::{Decision, Manner};
use super::session::Measured;
use crate::learned::Figure;
use crate::process::Facts;

/// So large a share of an endpoint's CPU time on other threads than the first is no accident.
const SHARE: f64 = 0.1;
/// Where threads are made for a burst, so large a share says that the handlers run on them. Less of
/// it, and the threads only look up addresses for new connections (libuv makes 4 for that, asyncio
/// up to 32).
const SHARE_OF_NEW: f64 = 0.03;
/// So many more threads in a burst are made for its requests.
const NEW: u64 = 4;

/// How an endpoint's handler runs; none if nothing says so.
pub(super) fn concurrency(
    decision: &Decision,
    measured: &Measured,
    facts: &Facts,
) -> Option<Figure<Concurrency>> {
    let how = decision.evidence.clone();
    let seen = |value| Some(Figure::measured(value, [value, value], how.clone()));
    if let Some(known) = &facts.concurrency {
        return Some(known.clone());
    }
    let threads = on_threads(measured);
    match decision.manner {
        Manner::Holds => seen(Concurrency::Blocking),
        Manner::Limited { .. } if threads || !facts.python => seen(Concurrency::Threadpool),
        // A limit that has no threads is a semaphore or a pool of connections.
        Manner::Limited { .. } => seen(Concurrency::Async),
        Manner::Free { .. } | Manner::Unknown if threads && facts.python => Some(Figure::derived(
            Concurrency::Threadpool,
            format!("its requests compute on threads of a pool; {how}"),
        )),
        Manner::Free { .. } => seen(Concurrency::Async),
        Manner::Unknown if facts.python && !measured.turns.is_empty() => Some(Figure::derived(
            Concurrency::Async,
            format!("it computes on the first thread of its process, which is the loop's; {how}"),
        )),
        Manner::Unknown => None,
    }
}

/// Handlers run on threads of a pool: a good part of their CPU time is spent there, or some of it
/// where a burst made threads.
pub(super) fn on_threads(measured: &Measured) -> bool {
    let shares: f64 = measured.turns.iter().map(|turn| turn.off_main).sum();
    let share = shares / measured.turns.len().max(1) as f64;
    let grew = |threads: Option<(u64, u64)>| threads.is_some_and(|(a, b)| b >= a + NEW);
    let made = measured.bursts.iter().any(|burst| grew(burst.threads)) || grew(measured.warm_up);
    share > SHARE || (made && share > SHARE_OF_NEW)
}

#[cfg(test)]
mod tests {
    use model::scenario::Server;

    use super::super::decide::Burst;
    use super::super::session::Turn;
    use super::*;

    fn measured(off_main: f64, threads: Option<(u64, u64)>) -> Measured {
        let (times, each, others) = (vec![0.24], Vec::new(), Vec::new());
        let turn = Turn { times, cpu: 0.238, each, delayed: 0.0, off_main, others };
        let (times, others) = (vec![0.24; 8], Vec::new());
        let burst = Burst { times, cpu: 1.9, others, threads, ..Burst::default() };
        Measured { turns: vec![turn], bursts: vec![burst], ..Measured::default() }
    }

    fn found(measured: &Measured) -> Option<Concurrency> {
        let facts = Facts {
            command: "uvicorn app:app".into(),
            server: Figure::derived(Server::Uvicorn, "its command line"),
            workers: Figure::derived(1, "its command line"),
            threads: None,
            concurrency: None,
            worker_class: None,
            python: true,
        };
        let decision = Decision { manner: Manner::Unknown, evidence: "it computes".into() };
        concurrency(&decision, measured, &facts).map(|figure| figure.value)
    }

    /// A coroutine that computes for long, while a driver looks up the address of the database on
    /// threads of libuv.
    #[test]
    fn threads_on_which_nothing_computes_run_no_handlers() {
        let threads = Some((5, 9));
        assert_eq!(found(&measured(0.001, threads)), Some(Concurrency::Async));
        assert_eq!(found(&measured(0.05, threads)), Some(Concurrency::Threadpool));
        assert_eq!(found(&measured(0.05, Some((40, 40)))), Some(Concurrency::Async));
        assert_eq!(found(&measured(0.9, None)), Some(Concurrency::Threadpool));
    }
}
