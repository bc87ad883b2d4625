"""Handlers that block: `def` on the thread pool, and `async def` with blocking calls inside."""

import time
from contextlib import ExitStack
from typing import Any

from sqlalchemy.orm import Session

from account import BLOCK, CPU_WAIT, SLEEP, Account
from burn import burn
from database import begin, operated, statement
from fault import Fault, database_faults
from upstream import Exchange, Upstream
from worker import worker

Steps = list[dict[str, Any]]


class Blocking:
    """A request whose waits hold its thread."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._connection: Any = None

    def perform(self, steps: Steps) -> None:
        """Performs all steps, and gives back the database connection."""
        with ExitStack() as held:
            for step in steps:
                self._step(step, held)

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
            case "call":
                self._call(worker.upstreams[step["upstream"]], step["name"])
            case "gather":
                for branch in step["steps"]:
                    self._step(branch, held)

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
            with database_faults(), Session(self._bind(held)) as session:
                if step["begin"]:
                    session.execute(begin(step["begin"]))
                for spec in step["statements"]:
                    result = session.execute(statement(spec, self._account.draws))
                    if spec["kind"] == "read":
                        result.scalar_one_or_none()
                if step["commits"]:
                    session.commit()
        finally:
            operated(self._account, on_loop=False)

    def _bind(self, held: ExitStack) -> Any:
        engine = worker.database.engine
        if not worker.database.hold_request:
            return engine
        if self._connection is None:
            self._connection = held.enter_context(engine.connect())
        return self._connection

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
            except Fault:
                if attempt == upstream.retries:
                    raise
            self._sleep(upstream.pause(attempt), upstream.backoff_place)

    def _attempt(self, upstream: Upstream, step: str, attempt: int) -> None:
        self._computed()
        exchange = Exchange(self._account, upstream, step, attempt)
        options = exchange.options(on_loop=False)
        with exchange.timed(on_loop=False):
            exchange.response = upstream.blocking.get(
                upstream.url, headers=exchange.headers, extensions=options
            )
        exchange.checked()
