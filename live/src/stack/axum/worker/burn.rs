//! Burning CPU time.

use std::hint::black_box;

use model::units::Span;

use crate::clock;

/// Rounds of arithmetic between two looks at the clock: about a microsecond.
const ROUNDS: u32 = 400;

/// A piece of work that takes so many times longer than the shortest was interrupted.
const INTERRUPTED: u64 = 4;

/// Computes until the thread has used `span` of CPU time more. Preemption does not count. Returns the
/// CPU time used, in nanoseconds.
///
/// Each reading of the thread's CPU clock makes the kernel check whether the thread's time slice is over, so
/// that its turns would end earlier than those of a service that just computes. So small pieces of work
/// are timed with the monotonic clock, which is read without the kernel. If a piece takes much longer than
/// the shortest one, the thread was interrupted, and the time of the shortest piece is counted instead.
/// At the end the kernel says how long the thread has waited for a processor, and the work goes on if
/// time is missing.
pub(super) fn burn(span: Span) -> u64 {
    if span.is_zero() {
        return 0;
    }
    let start = clock::awake();
    let (mut left, mut shortest) = (span.nanos(), u64::MAX);
    loop {
        let mut before = clock::now();
        while left > 0 {
            work(before | 1);
            let after = clock::now();
            let took = after - before;
            shortest = shortest.min(took.max(1));
            let used = if took < INTERRUPTED * shortest { took } else { shortest };
            left = left.saturating_sub(used);
            before = after;
        }
        let used = clock::awake().saturating_sub(start);
        left = span.nanos().saturating_sub(used);
        if left == 0 {
            return used;
        }
    }
}

/// About a microsecond of arithmetic.
fn work(mut state: u64) {
    for _ in 0..ROUNDS {
        // A linear congruential step: a chain that cannot be skipped.
        state = black_box(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_computes_for_the_span() {
        let before = clock::awake();
        let used = burn(Span::from_millis(3));
        assert!(used >= 3_000_000);
        assert!(clock::awake() - before >= used);
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
