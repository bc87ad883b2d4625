"""Sessions from dependencies with `yield`, which keep their connection beyond the handler."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any


def session() -> Iterator[ExitStack]:
    """A dependency with `yield`: what the handler puts into it ends after the response."""
    with ExitStack() as held:
        yield held


async def async_session() -> AsyncIterator[ExitStack]:
    """The same as `async def`, which takes no thread."""
    with ExitStack() as held:
        yield held


async def awaited_session() -> AsyncIterator[AsyncExitStack]:
    """The same for handlers that await."""
    async with AsyncExitStack() as held:
        yield held


def session_for(endpoint: dict[str, Any]) -> Callable[..., Any] | None:
    """The dependency that an endpoint with work after its reply has its session from, if any."""
    if endpoint["hold"] != "request":
        return None
    if endpoint["concurrency"] == "async":
        return awaited_session
    threads = endpoint["concurrency"] == "threadpool" and endpoint["dependencies"]
    return session if threads else async_session
