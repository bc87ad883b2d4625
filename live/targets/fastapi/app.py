"""The application: a route for each endpoint of the scenario."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Annotated, Any

import anyio.to_thread
from fastapi import Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from account import current
from after import handler_with_after
from blocking import Blocking
from entrance import Entrance, on_thread
from fault import Fault
from parked import Parked
from plan import plan
from reporter import Reporter
from session import async_session, session, session_for
from worker import worker


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Sizes the thread pool and tells the parent that this worker serves."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = plan().threads
    worker.loop = asyncio.get_running_loop()
    worker.loop_thread = threading.current_thread()
    Reporter(worker).start()
    yield


class Reply(BaseModel):
    """The response model."""

    item: str


def dependency() -> None:
    """A dependency that takes a thread of the pool for a moment."""


def handler(endpoint: dict[str, Any]) -> Callable[..., Any]:
    """The handler of an endpoint, in its concurrency model."""
    steps, hold = endpoint["steps"], endpoint["hold"]

    def perform(held: ExitStack | None) -> dict[str, str]:
        with on_thread() as account:
            Blocking(account, hold, held).perform(steps)
        return {"item": "ok"}

    def threadpool() -> dict[str, str]:
        return perform(None)

    def with_session(held: Annotated[ExitStack, Depends(session)]) -> dict[str, str]:
        return perform(held)

    def with_async_session(held: Annotated[ExitStack, Depends(async_session)]) -> dict[str, str]:
        return perform(held)

    async def blocking() -> dict[str, str]:
        Blocking(current.get(), hold, None).perform(steps)
        return {"item": "ok"}

    async def parked() -> dict[str, str]:
        await Parked(current.get(), hold).perform(steps)
        return {"item": "ok"}

    models = {"threadpool": threadpool, "blocking": blocking, "async": parked}
    if endpoint["concurrency"] == "threadpool" and hold == "request":
        return with_session if endpoint["dependencies"] else with_async_session
    return models[endpoint["concurrency"]]


def route(endpoint: dict[str, Any]) -> None:
    """Adds the endpoint with its dependencies and its response model."""
    if endpoint["after"]:
        serve = handler_with_after(endpoint)
        takes_thread = session_for(endpoint) is session
    else:
        serve = handler(endpoint)
        takes_thread = serve.__name__ == "with_session"
    others = endpoint["dependencies"] - takes_thread
    api.add_api_route(
        f"/{endpoint['name']}",
        serve,
        name=endpoint["name"],
        dependencies=[Depends(dependency, use_cache=False) for _ in range(others)],
        response_model=Reply if endpoint["response_model"] else None,
    )


async def failed(_: Request, fault: Fault) -> PlainTextResponse:
    """The reply to a request that failed. A plain function would wait for one of the threads."""
    return PlainTextResponse(f"{fault}\n", fault.status, {"rung-error": fault.kind})


api = FastAPI(lifespan=lifespan)
api.add_exception_handler(Fault, failed)
for each in plan().endpoints:
    route(each)

app = Entrance(api)
"""What the server runs."""
