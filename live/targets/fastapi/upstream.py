"""A third-party service: httpx's clients and the limits around them."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic_ns
from typing import Any

import httpx

from account import CPU_WAIT, LOOP, Account
from fault import Fault, upstream_faults
from gauge import Stations
from plan import Plan

KEPT = 20
"""Idle connections that httpx keeps, unless it is told otherwise."""
ATTEMPT_SHIFT = 48
"""Bits that a lane leaves for the number of the attempt."""


class Upstream:
    """An upstream as each kind of handler calls it.

    Each kind has a semaphore and a client of its own: asyncio's cannot be held by threads.
    """

    def __init__(self, spec: dict[str, Any], plan: Plan, stations: Stations) -> None:
        name, number = spec["name"], plan.upstreams.index(spec)
        self.url: str = spec["url"]
        self.retries: int = spec["retries"]
        self._pauses: list[float] = spec["pauses"]
        self.semaphore_place = plan.place("semaphore", name)
        self.connection_place = plan.place("connections", name)
        self.exchange_place = plan.place("upstream", name)
        self.backoff_place = plan.place("backoff", name)
        self.exchanging = stations.live(self.exchange_place)
        self.in_flight = stations.semaphores[number]
        self.connections = stations.upstream_connections[number]
        self.limited = spec["max_connections"] is not None
        self.semaphores = semaphores(spec["max_in_flight"])
        wait = spec["timeout"]
        timeout = httpx.Timeout(connect=wait, read=wait, write=wait, pool=spec["pool_timeout"])
        limits = httpx.Limits(max_connections=spec["max_connections"], **kept(spec["kept"]))
        self.blocking = httpx.Client(timeout=timeout, limits=limits, trust_env=False)
        self.parked = httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=False)

    def pause(self, attempt: int, fault: Fault) -> int:
        """Nanoseconds before the attempt after this one, which failed."""
        return int(max(self._pauses[attempt], fault.retry_after) * 1e9)


def kept(spec: dict[str, Any]) -> dict[str, Any]:
    """Idle connections that the client keeps, and for how long."""
    if not spec["is_given"]:
        return {"max_keepalive_connections": KEPT}
    return {
        "max_keepalive_connections": spec["connections"],
        "keepalive_expiry": spec["expiry"],
    }


def semaphores(slots: int | None) -> tuple[threading.Semaphore, asyncio.Semaphore] | None:
    """A semaphore for handlers that block, and one for those that await."""
    return None if slots is None else (threading.Semaphore(slots), asyncio.Semaphore(slots))


class Exchange:
    """One attempt of a call, and where its time goes."""

    def __init__(self, account: Account, upstream: Upstream, step: str, attempt: int) -> None:
        self._account = account
        self._upstream = upstream
        self._connected = 0
        self.response: httpx.Response | None = None
        lane, index = account.key
        call = f"{int(lane) ^ attempt << ATTEMPT_SHIFT}.{index}.{step}"
        self.headers = {"rung-call": call}

    def options(self, on_loop: bool) -> dict[str, Any]:
        """httpx's trace: notes when the request has a connection, if those are limited."""
        if not self._upstream.limited:
            return {}
        return {"trace": self._trace_on_loop if on_loop else self._trace}

    def _trace(self, _: str, __: Any) -> None:
        # The first event comes when there is a connection for the request.
        if not self._connected:
            self._connected = monotonic_ns()
            self._upstream.connections.enter()
            self._upstream.exchanging.enter()

    async def _trace_on_loop(self, event: str, info: Any) -> None:
        self._trace(event, info)

    @contextmanager
    def timed(self, on_loop: bool) -> Iterator[None]:
        """Books the exchange, and gives httpx's errors their kinds."""
        if not self._upstream.limited:
            self._upstream.exchanging.enter()
        try:
            with upstream_faults():
                yield
        finally:
            self._book(LOOP if on_loop else CPU_WAIT)

    def _book(self, late: int) -> None:
        upstream, account = self._upstream, self._account
        if self._connected:
            upstream.connections.leave()
            account.until(self._connected, upstream.connection_place)
        if self._connected or not upstream.limited:
            upstream.exchanging.leave()
            place = upstream.exchange_place
        else:
            place = upstream.connection_place
        cpu = account.take_cpu()
        if self.response is None:
            account.lap(cpu, place)
            return
        # Up to the reply as the upstream says itself; then the client's computing, and what
        # is left waited for the loop or a processor.
        account.until(int(self.response.headers.get("rung-replied", account.since)), place)
        account.lap(cpu, late)

    def checked(self) -> None:
        """A status other than 2xx is a failure."""
        with upstream_faults():
            self.response.raise_for_status()
