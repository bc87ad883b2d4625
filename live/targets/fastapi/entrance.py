"""The ASGI middleware that keeps the account of each request."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic_ns
from typing import Any

import anyio.to_thread

from account import CPU_WAIT, LOOP, THREADS, Account, Driven, current
from plan import plan
from worker import worker

STRANGER = str(2**32 - 1)
"""The lane of requests without a key: by hand, not by a load."""

drawn = {endpoint["path"]: endpoint["typical"] for endpoint in plan().endpoints}
"""By path: what a request without draws takes instead."""


class Entrance:
    """The application with the time of each request accounted for."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._strangers = 0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        account = self._account(scope)
        current.set(account)

        async def reply(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                account.lap(account.take_cpu(), account.late)
                message["headers"].append((b"rung-time", account.times().encode()))
                worker.settle(account.parts)
            await send(message)
            if account.after and message["type"] == "http.response.body":
                worker.stations.after.enter()
                account.begin_anew()
                account.queued = no_thread_is_free()

        with worker.stations.requests:
            try:
                await Driven(self._app(scope, receive, reply), account)
            finally:
                if account.after:
                    account.lap(account.take_cpu(), account.late)
                    worker.settle(account.parts)
                    worker.stations.after.leave()

    def _account(self, scope: dict[str, Any]) -> Account:
        now = monotonic_ns()
        headers = dict(scope["headers"])
        key = headers.get(b"rung-key", b"").decode().split(".")
        if len(key) != 3:
            self._strangers += 1
            key = [STRANGER, str(self._strangers), str(now)]
        draws = headers.get(b"rung-draws")
        path = scope["raw_path"].decode()
        values = drawn.get(path, []) if draws is None else [int(one) for one in draws.split(b",")]
        account = Account((key[0], key[1]), min(int(key[2]), now), values)
        account.until(now, LOOP)
        account.queued = no_thread_is_free()
        return account


def no_thread_is_free() -> bool:
    """Every thread of the pool is taken."""
    limiter = anyio.to_thread.current_default_thread_limiter()
    return limiter.borrowed_tokens >= limiter.total_tokens


@contextmanager
def on_thread() -> Iterator[Account]:
    """The account of a request on its thread of the pool. The thread has its own CPU clock,
    and the loop may not yet have turned from the request when the thread begins."""
    whole = current.get()
    account = whole.branch()
    current.set(account)
    account.lap(0, THREADS if whole.queued else CPU_WAIT)
    whole.late = LOOP
    with worker.stations.threads:
        try:
            yield account
        finally:
            account.lap(account.take_cpu(), CPU_WAIT)
            whole.join(account)
