"""Handlers with work after the reply: Starlette's background tasks.

A task that is a plain function takes a thread of the pool, one that is `async def` runs on the
loop (starlette/background.py). The response awaits it when the reply has been sent, inside the exit
stack of the dependencies: a session from a dependency is held until the task has ended.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import Parameter, Signature
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends

from account import current
from blocking import Blocking
from entrance import on_thread
from fault import Fault
from parked import Parked
from session import session_for
from worker import worker


@contextmanager
def failures_counted() -> Iterator[None]:
    """An error after the reply reaches no client: it is counted."""
    try:
        yield
    except Fault:
        worker.stations.after_failed.add(0)


def handler_with_after(endpoint: dict[str, Any]) -> Callable[..., Any]:
    """The handler of an endpoint that has work after its reply."""
    steps, after, hold = endpoint["steps"], endpoint["after"], endpoint["hold"]

    def on_thread_after(handler: Blocking) -> None:
        with failures_counted(), on_thread() as account:
            handler.go_on(account, after)

    async def blocking_after(handler: Blocking) -> None:
        with failures_counted():
            handler.go_on(current.get(), after)

    async def parked_after(handler: Parked) -> None:
        with failures_counted():
            await handler.perform(after)

    def threadpool(background: BackgroundTasks, held: Any = None) -> dict[str, str]:
        whole = current.get()
        with on_thread() as account:
            handler = Blocking(account, hold, held)
            handler.perform(steps)
        whole.after = True
        background.add_task(on_thread_after, handler)
        return {"item": "ok"}

    async def blocking(background: BackgroundTasks, held: Any = None) -> dict[str, str]:
        handler = Blocking(current.get(), hold, held)
        handler.perform(steps)
        current.get().after = True
        background.add_task(blocking_after, handler)
        return {"item": "ok"}

    async def parked(background: BackgroundTasks, held: Any = None) -> dict[str, str]:
        handler = Parked(current.get(), hold, held)
        await handler.perform(steps)
        current.get().after = True
        background.add_task(parked_after, handler)
        return {"item": "ok"}

    models = {"threadpool": threadpool, "blocking": blocking, "async": parked}
    serve = models[endpoint["concurrency"]]
    serve.__signature__ = signature(session_for(endpoint))
    return serve


def signature(provide: Callable[..., Any] | None) -> Signature:
    """What FastAPI injects: the background tasks, and the session if a dependency provides it."""
    kinds = {"background": BackgroundTasks}
    if provide is not None:
        kinds["held"] = Annotated[Any, Depends(provide)]
    each = [
        Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind) for name, kind in kinds.items()
    ]
    return Signature(each)
