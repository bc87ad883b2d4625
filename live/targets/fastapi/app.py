"""The application: a route for each endpoint of the scenario."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

from account import current
from blocking import Blocking
from entrance import Entrance, on_thread
from fault import Fault
from parked import Parked
from plan import plan
from reporter import Reporter
from worker import worker


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Sizes the thread pool and tells the parent that this worker serves."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = plan().threads
    worker.loop = asyncio.get_running_loop()
    worker.loop_thread = threading.current_thread()
    Reporter(worker).start()
    yield


def handler(endpoint: dict[str, Any]) -> Callable[..., Any]:
    """The handler of an endpoint, in its concurrency model."""
    steps = endpoint["steps"]

    def threadpool() -> dict[str, str]:
        with on_thread() as account:
            Blocking(account).perform(steps)
        return {"item": "ok"}

    async def blocking() -> dict[str, str]:
        Blocking(current.get()).perform(steps)
        return {"item": "ok"}

    async def parked() -> dict[str, str]:
        await Parked(current.get()).perform(steps)
        return {"item": "ok"}

    models = {"threadpool": threadpool, "blocking": blocking, "async": parked}
    return models[endpoint["concurrency"]]


def failed(_: Request, fault: Fault) -> PlainTextResponse:
    """The reply to a request that failed."""
    return PlainTextResponse(f"{fault}\n", fault.status, {"rung-error": fault.kind})


api = FastAPI(lifespan=lifespan)
api.add_exception_handler(Fault, failed)
for each in plan().endpoints:
    api.add_api_route(f"/{each['name']}", handler(each), name=each["name"])

app = Entrance(api)
"""What the server runs."""
