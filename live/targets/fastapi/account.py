"""Where a request's time goes, place by place, without a gap."""

from collections.abc import Coroutine, Generator
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic_ns, thread_time_ns
from typing import Any

from plan import plan

PLACES = plan().places
LOOP = plan().place("loop")
CPU_WAIT = plan().place("cpu_wait")
CPU = plan().place("cpu")
THREADS = plan().place("threads")
POOL = plan().place("database_pool")
LOCK = plan().place("database_lock")
DISK = plan().place("disk")
SERVER = plan().place("database_server")
SLEEP = plan().place("sleep")
BLOCK = plan().place("block")


@dataclass(slots=True)
class Meter:
    """What the database driver did for a request since it was last read, in nanoseconds."""

    cpu: int = 0
    lock: int = 0
    disk: int = 0
    pool: int = 0
    server: int = 0
    turned: int = 0
    """When the loop last turned from the request to others."""
    ended: str = ""
    """Why the server has ended the session, as an SQLSTATE."""

    def clear(self) -> None:
        """Begins anew."""
        self.cpu = self.lock = self.disk = self.pool = self.server = 0
        self.ended = ""


@dataclass(slots=True)
class Polled:
    """Time that the loop's thread spent on requests, in nanoseconds."""

    wall: int = 0
    cpu: int = 0
    since: int = 0
    """When the turn began that is under way; zero between turns."""


polled = Polled()
"""What the loop of this process spent so far."""


class Account:
    """The account of one request or of one branch of it.

    Each entry begins where the last one ended, so that the parts add up to the whole by
    construction.
    """

    __slots__ = (
        "_began",
        "after",
        "_polled",
        "_taken",
        "draws",
        "key",
        "late",
        "meter",
        "parts",
        "queued",
        "since",
    )

    def __init__(self, key: tuple[str, str], since: int, draws: list[int]) -> None:
        self.key = key
        self.draws = draws
        self.since = since
        self.parts: dict[int, int] = {}
        self.meter = Meter()
        self._polled = self._taken = 0
        self._began = thread_time_ns()
        self.queued = False
        """When it came, every thread of the pool was taken."""
        self.after = False
        """There is work to be done after its reply."""
        self.late = CPU_WAIT
        """What its reply waits for when its handler has ended."""

    def time(self, step: dict[str, Any]) -> int:
        """How long a step takes, in nanoseconds."""
        return step["nanos"] if step["draw"] is None else self.draws[step["draw"]]

    def begin_anew(self) -> None:
        """The reply has been sent: what comes is no part of the request's time."""
        self.lap(self.take_cpu(), CPU_WAIT)
        self.parts = {}
        self.late = CPU_WAIT

    def branch(self) -> "Account":
        """An account that begins where this one stands."""
        return Account(self.key, self.since, self.draws)

    def join(self, branch: "Account") -> None:
        """Takes over the account of a branch."""
        for place, nanos in branch.parts.items():
            self.spend(place, nanos)

    def spend(self, place: int, nanos: int) -> None:
        """Books the next nanoseconds."""
        self.parts[place] = self.parts.get(place, 0) + nanos
        self.since += nanos

    def until(self, at: int, place: int) -> None:
        """Books the time up to an instant, if there is any. What is to come cannot be booked:
        a timer of whole milliseconds may ring before its time."""
        at = min(at, monotonic_ns())
        if at > self.since:
            self.spend(place, at - self.since)

    def spend_up_to_now(self, parts: tuple[tuple[int, int], ...]) -> None:
        """Books parts that are known, but no more time than has passed."""
        left = monotonic_ns() - self.since
        for place, nanos in parts:
            nanos = max(min(nanos, left), 0)
            if nanos:
                self.spend(place, nanos)
                left -= nanos

    def lap(self, cpu: int, rest: int) -> None:
        """Books the time up to now: so much of it as computing, what is left elsewhere."""
        passed = max(monotonic_ns() - self.since, 0)
        cpu = min(cpu, passed)
        self.spend(CPU, cpu)
        self.spend(rest, passed - cpu)

    def take_cpu(self) -> int:
        """CPU time of the thread that drives this request, since the last call."""
        polled = self._polled + thread_time_ns() - self._began
        taken, self._taken = polled - self._taken, polled
        return taken

    def begin_poll(self) -> None:
        """The thread turns to this request."""
        self._began = thread_time_ns()

    def end_poll(self) -> int:
        """The thread turns to others. Returns the CPU time that it had for this one."""
        used = thread_time_ns() - self._began
        self._polled += used
        return used

    def times(self) -> str:
        """The account as it travels to the client."""
        parts = ",".join(f"{place}:{nanos}" for place, nanos in self.parts.items() if nanos)
        return f"{self.since};{parts}"


class Driven:
    """A coroutine whose CPU time on the loop's thread is added up in an account."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], account: Account) -> None:
        self._coroutine = coroutine
        self._account = account

    def __await__(self) -> Generator[Any, Any, Any]:
        step, argument = self._coroutine.send, None
        while True:
            polled.since = monotonic_ns()
            self._account.begin_poll()
            try:
                waited_for = step(argument)
            except StopIteration as end:
                return end.value
            finally:
                polled.cpu += self._account.end_poll()
                now = monotonic_ns()
                polled.wall += now - polled.since
                polled.since = 0
                self._account.meter.turned = now
            try:
                argument = yield waited_for
                step = self._coroutine.send
            except BaseException as error:  # The coroutine must see a cancellation, too.
                step, argument = self._coroutine.throw, error


current: ContextVar[Account] = ContextVar("account")
"""The account of the request that this task or thread serves."""
