"""Handlers whose waits are parked: `async def` with await."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from account import BLOCK, CPU_WAIT, LOOP, SLEEP, Account, Driven, current
from blocking import Blocking, Steps
from burn import burn
from database import operated, statement
from fault import Fault, database_faults
from lock import Lock
from rows import Rows
from upstream import Exchange, Upstream
from worker import worker


class Parked:
    """A request whose waits leave the loop to others."""

    def __init__(
        self, account: Account, hold: str | None, outside: AsyncExitStack | None = None
    ) -> None:
        self._account = account
        self._outside = outside
        """What a dependency gives back after the reply."""
        self._hold = hold
        self._held = hold != "operation"
        self._kept: tuple[AsyncSession, Rows] | None = None

    async def perform(self, steps: Steps) -> None:
        """Performs all steps, and gives back the database connection."""
        if self._outside is None:
            self._kept = None
            return await self._and_give_back(steps)
        for step in steps:
            await self._step(step, self._outside)

    async def _and_give_back(self, steps: Steps) -> None:
        try:
            async with AsyncExitStack() as own:
                for step in steps:
                    await self._step(step, own)
        finally:
            if self._kept is not None:
                operated(self._account, on_loop=True)

    async def _step(self, step: dict[str, Any], held: AsyncExitStack) -> None:
        match step["kind"]:
            case "cpu":
                burn(self._account.time(step))
            case "block":
                self._block(self._account.time(step))
            case "sleep":
                await self._sleep(self._account.time(step), SLEEP)
            case "database" if worker.database.awaited:
                await self._operate(step, held)
            case "database":
                # A blocking driver inside `async def`: the loop waits with it.
                Blocking(self._account, self._hold, None).perform([step])
            case "session":
                await self._session(step["steps"])
            case "lock":
                await self._locked(worker.locks[step["lock"]], step["steps"], held)
            case "call":
                await self._call(worker.upstreams[step["upstream"]], step["name"])
            case "gather":
                await self._gather(step["steps"])

    async def _session(self, steps: Steps) -> None:
        outer = self._kept, self._held
        self._kept, self._held = None, True
        try:
            await self._and_give_back(steps)
        finally:
            self._kept, self._held = outer

    async def _locked(self, lock: Lock, steps: Steps, held: AsyncExitStack) -> None:
        self._computed()
        try:
            await lock.take_parked()
        finally:
            self._account.lap(self._account.take_cpu(), lock.place)
        try:
            with lock.held:
                for step in steps:
                    await self._step(step, held)
        finally:
            lock.parked.release()

    def _computed(self) -> None:
        self._account.lap(self._account.take_cpu(), CPU_WAIT)

    def _block(self, nanos: int) -> None:
        self._computed()
        until = self._account.since + nanos
        with worker.stations.live(BLOCK):
            time.sleep(nanos / 1e9)
        self._account.until(until, BLOCK)
        self._computed()

    async def _sleep(self, nanos: int, place: int) -> None:
        self._computed()
        until = self._account.since + nanos
        with worker.stations.live(place):
            await asyncio.sleep(nanos / 1e9)
        self._account.until(until, place)
        self._account.lap(self._account.take_cpu(), LOOP)

    async def _operate(self, step: dict[str, Any], held: AsyncExitStack) -> None:
        self._computed()
        try:
            with database_faults():
                async with AsyncExitStack() as own:
                    session, rows = await self._open(own, held)
                    begin = worker.database.begin(step["begin"])
                    if begin is not None:
                        await session.execute(begin)
                    for spec in step["statements"]:
                        with rows.locking(spec, self._account.draws):
                            result = await session.execute(statement(spec, self._account.draws))
                        if spec["kind"] == "read":
                            result.scalar_one_or_none()
                    if step["commits"]:
                        await session.commit()
                        rows.free()
        finally:
            operated(self._account, on_loop=True)

    async def _open(self, own: AsyncExitStack, held: AsyncExitStack) -> tuple[AsyncSession, Rows]:
        """The session that is held, or one of the operation's own, and the rows that it locks."""
        engine, rows = worker.database.async_engine, Rows(worker.stations.rows)
        if not self._held:
            own.callback(rows.free)
            return await own.enter_async_context(AsyncSession(engine)), rows
        if self._kept is None:
            held.enter_context(database_faults())
            held.callback(rows.free)
            connection = await held.enter_async_context(engine.connect())
            self._kept = await held.enter_async_context(AsyncSession(connection)), rows
        return self._kept

    async def _call(self, upstream: Upstream, step: str) -> None:
        if upstream.semaphores is None:
            await self._attempts(upstream, step)
            return
        self._computed()
        with worker.stations.live(upstream.semaphore_place):
            await upstream.semaphores[1].acquire()
        self._account.lap(self._account.take_cpu(), upstream.semaphore_place)
        try:
            with upstream.in_flight:
                await self._attempts(upstream, step)
        finally:
            upstream.semaphores[1].release()

    async def _attempts(self, upstream: Upstream, step: str) -> None:
        for attempt in range(upstream.retries + 1):
            try:
                return await self._attempt(upstream, step, attempt)
            except Fault as fault:
                if attempt == upstream.retries:
                    raise
                pause = upstream.pause(attempt, fault)
            await self._sleep(pause, upstream.backoff_place)

    async def _attempt(self, upstream: Upstream, step: str, attempt: int) -> None:
        self._computed()
        exchange = Exchange(self._account, upstream, step, attempt)
        options = exchange.options(on_loop=True)
        with exchange.timed(on_loop=True):
            exchange.response = await upstream.parked.get(
                upstream.url, headers=exchange.headers, extensions=options
            )
        exchange.checked()

    async def _gather(self, steps: Steps) -> None:
        self._computed()
        branches = [self._account.branch() for _ in steps]
        try:
            holds = [self._hold] * len(steps)
            await asyncio.gather(*map(branch, branches, steps, holds))
        finally:
            # The last one to end is the one that was waited for.
            self._account.join(max(branches, key=lambda account: account.since))
            self._account.lap(self._account.take_cpu(), LOOP)


async def branch(account: Account, step: dict[str, Any], hold: str | None) -> None:
    """A branch of a request, on a task and an account of its own."""
    current.set(account)
    account.lap(0, LOOP)
    try:
        await Driven(Parked(account, hold).perform([step]), account)
    finally:
        account.lap(account.take_cpu(), CPU_WAIT)
