//! Burning CPU time.

use std::hint::black_box;

use model::units::Span;

use crate::clock;

/// Rounds of arithmetic between two looks at the clock: about a microsecond.
const ROUNDS: u32 = 400;

/// Computes until the thread has used `span` of CPU time more. Preemption does not count:
/// the thread's own CPU clock decides. Returns the CPU time used, in nanoseconds.
pub(super) fn burn(span: Span) -> u64 {
    if span.is_zero() {
        return 0;
    }
    let start = clock::thread_cpu();
    let mut state = start | 1;
    loop {
        for _ in 0..ROUNDS {
            // A linear congruential step: a chain that cannot be skipped.
            state = black_box(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
        let used = clock::thread_cpu() - start;
        if used >= span.nanos() {
            return used;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_computes_for_the_span() {
        let before = clock::thread_cpu();
        let used = burn(Span::from_millis(3));
        assert!(used >= 3_000_000);
        assert!(clock::thread_cpu() - before >= used);
        assert_eq!(burn(Span::ZERO), 0);
    }

    #[test]
    fn preemption_does_not_shorten_it() {
        // Twice as many threads as processors: each still computes for its whole span.
        let threads = 2 * std::thread::available_parallelism().map_or(2, usize::from);
        std::thread::scope(|scope| {
            let all: Vec<_> =
                (0..threads).map(|_| scope.spawn(|| burn(Span::from_millis(20)))).collect();
            for thread in all {
                assert!(thread.join().is_ok_and(|used| used >= 20_000_000));
            }
        });
    }
}
