"""Handlers that block: `def` on the thread pool, and `async def` with blocking calls inside."""

import time
from contextlib import ExitStack
from typing import Any

from sqlalchemy.orm import Session

from account import BLOCK, CPU_WAIT, SLEEP, Account
from burn import burn
from database import operated, statement
from fault import Fault, database_faults
from lock import Lock
from rows import Rows
from upstream import Exchange, Upstream
from worker import worker

Steps = list[dict[str, Any]]


class Blocking:
    """A request whose waits hold its thread."""

    def __init__(self, account: Account, hold: str | None, outside: ExitStack | None) -> None:
        self._account = account
        self._held = hold != "operation"
        self._kept: tuple[Session, Rows] | None = None
        self._outside = outside
        """What a dependency gives back after the handler has ended."""

    def go_on(self, account: Account, steps: Steps) -> None:
        """Performs more steps after the reply, with the connection that was kept, if any."""
        self._account = account
        self.perform(steps)

    def perform(self, steps: Steps) -> None:
        """Performs all steps, and gives back the database connection unless it is kept."""
        if self._outside is not None:
            return self._steps(steps, self._outside)
        self._kept = None
        self._and_give_back(steps)

    def _and_give_back(self, steps: Steps) -> None:
        try:
            with ExitStack() as own:
                self._steps(steps, own)
        finally:
            if self._kept is not None:
                operated(self._account, on_loop=False)

    def _steps(self, steps: Steps, held: ExitStack) -> None:
        for step in steps:
            self._step(step, held)

    def _session(self, steps: Steps) -> None:
        outer = self._kept, self._held
        self._kept, self._held = None, True
        try:
            self._and_give_back(steps)
        finally:
            self._kept, self._held = outer

    def _step(self, step: dict[str, Any], held: ExitStack) -> None:
        match step["kind"]:
            case "cpu":
                burn(self._account.time(step))
            case "block":
                self._sleep(self._account.time(step), BLOCK)
            case "sleep":
                self._sleep(self._account.time(step), SLEEP)
            case "database":
                self._operate(step, held)
            case "session":
                self._session(step["steps"])
            case "lock":
                self._locked(worker.locks[step["lock"]], step["steps"], held)
            case "call":
                self._call(worker.upstreams[step["upstream"]], step["name"])
            case "gather":
                for branch in step["steps"]:
                    self._step(branch, held)

    def _locked(self, lock: Lock, steps: Steps, held: ExitStack) -> None:
        self._computed()
        try:
            lock.take()
        finally:
            self._account.lap(self._account.take_cpu(), lock.place)
        try:
            with lock.held:
                self._steps(steps, held)
        finally:
            lock.blocking.release()

    def _computed(self) -> None:
        self._account.lap(self._account.take_cpu(), CPU_WAIT)

    def _sleep(self, nanos: int, place: int) -> None:
        self._computed()
        until = self._account.since + nanos
        with worker.stations.live(place):
            time.sleep(nanos / 1e9)
        self._account.until(until, place)
        self._computed()

    def _operate(self, step: dict[str, Any], held: ExitStack) -> None:
        self._computed()
        try:
            with database_faults(), ExitStack() as own:
                session, rows = self._open(own, held)
                begin = worker.database.begin(step["begin"])
                if begin is not None:
                    session.execute(begin)
                for spec in step["statements"]:
                    with rows.locking(spec, self._account.draws):
                        result = session.execute(statement(spec, self._account.draws))
                    if spec["kind"] == "read":
                        result.scalar_one_or_none()
                if step["commits"]:
                    session.commit()
                    rows.free()
        finally:
            operated(self._account, on_loop=False)

    def _open(self, own: ExitStack, held: ExitStack) -> tuple[Session, Rows]:
        """The session that is held, or one of the operation's own, and the rows that it locks."""
        engine, rows = worker.database.engine, Rows(worker.stations.rows)
        if not self._held:
            own.callback(rows.free)
            return own.enter_context(Session(engine)), rows
        if self._kept is None:
            held.enter_context(database_faults())
            held.callback(rows.free)
            connection = held.enter_context(engine.connect())
            self._kept = held.enter_context(Session(connection)), rows
        return self._kept

    def _call(self, upstream: Upstream, step: str) -> None:
        if upstream.semaphores is None:
            self._attempts(upstream, step)
            return
        self._computed()
        with worker.stations.live(upstream.semaphore_place):
            upstream.semaphores[0].acquire()
        self._account.lap(self._account.take_cpu(), upstream.semaphore_place)
        try:
            with upstream.in_flight:
                self._attempts(upstream, step)
        finally:
            upstream.semaphores[0].release()

    def _attempts(self, upstream: Upstream, step: str) -> None:
        for attempt in range(upstream.retries + 1):
            try:
                return self._attempt(upstream, step, attempt)
            except Fault as fault:
                if attempt == upstream.retries:
                    raise
                pause = upstream.pause(attempt, fault)
            self._sleep(pause, upstream.backoff_place)

    def _attempt(self, upstream: Upstream, step: str, attempt: int) -> None:
        self._computed()
        exchange = Exchange(self._account, upstream, step, attempt)
        options = exchange.options(on_loop=False)
        with exchange.timed(on_loop=False):
            exchange.response = upstream.blocking.get(
                upstream.url, headers=exchange.headers, extensions=options
            )
        exchange.checked()
