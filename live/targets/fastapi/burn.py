"""Burning CPU time."""

from time import thread_time_ns

ROUNDS = 20
"""Rounds of arithmetic between two looks at the clock: about a microsecond."""


def burn(nanos: int) -> None:
    """Computes until this thread has used so much CPU time more. Preemption does not count."""
    end = thread_time_ns() + nanos
    state = 1
    while thread_time_ns() < end:
        for _ in range(ROUNDS):
            state = (state * 48271) % 2147483647
