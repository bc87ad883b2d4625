"""Burning CPU time."""

from time import monotonic_ns, thread_time_ns

ROUNDS = 20
"""Rounds of arithmetic between two looks at the clock: about a microsecond."""

INTERRUPTED = 4
"""A piece of work that takes so many times longer than the shortest was interrupted."""


def burn(nanos: int) -> None:
    """Computes until this thread has used so much CPU time more. Preemption does not count.

    Each reading of the thread's CPU clock makes the kernel check whether the thread's time slice is
    over, so that its turns would end earlier than those of a service that just computes. So small
    pieces of work are timed with the monotonic clock. If a piece takes much longer than the
    shortest one, the thread was interrupted, and the time of the shortest piece is counted instead.
    At the end the CPU clock is read once, and the work goes on if time is missing.
    """
    end = thread_time_ns() + nanos
    state, left, shortest = 1, nanos, 1 << 62
    while left > 0:
        before = monotonic_ns()
        while left > 0:
            for _ in range(ROUNDS):
                state = (state * 48271) % 2147483647
            after = monotonic_ns()
            took = after - before
            if took < shortest:
                shortest = took or 1
            left -= took if took < INTERRUPTED * shortest else shortest
            before = after
        left = end - thread_time_ns()
