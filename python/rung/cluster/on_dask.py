"""A cluster of Dask."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from rung.cluster import shard
from rung.cluster.job import Job
from rung.cluster.shard import Part, Refused
from rung.errors import RungError
from rung.libraries import library

if TYPE_CHECKING:
    import distributed

    from rung.cluster.gather import Answers

RETRIES = 3
"""How often a shard is tried again where its program was ended from outside."""

POLL = 1.0
"""Seconds between two looks at whether the scheduler is still there."""

CONNECT = "10s"
"""How long a scheduler may take to answer."""


class OnDask:
    """The workers of a client."""

    def __init__(self, client: distributed.Client) -> None:
        self._client: Any = client

    @classmethod
    @contextmanager
    def connected(cls, client: distributed.Client | str | None) -> Iterator[OnDask]:
        """The cluster of a client, or the one at an address while it is used.

        Raises:
            RungError: no scheduler answers, or it is of another version.
        """
        dask = library("distributed")
        if isinstance(client, dask.Client):
            yield cls(_usable(client))
            return
        if not isinstance(client, str):
            raise RungError.because(
                "client",
                f"is of the type {type(client).__name__}",
                allowed="a client of Dask, or the address of its scheduler",
            )
        with _opened(dask, client) as own:
            yield cls(_usable(own))

    def processors(self) -> int:
        """Threads of all workers that are there now."""
        return sum(self._client.nthreads().values()) or 1

    def run(self, job: Job, of: int) -> Answers:
        """Sends all shards at once; the scheduler hands them out, and again if a worker dies."""
        ready: queue.SimpleQueue[Any] = queue.SimpleQueue()
        shards = range(1, of + 1)
        name = f"rung-sweep-{uuid4().hex}"
        futures = self._client.map(
            compute,
            shards,
            job=job,
            of=of,
            pure=False,
            retries=RETRIES,
            key=[f"{name}-{index}" for index in shards],
        )
        left = dict(zip((future.key for future in futures), shards, strict=True))
        try:
            for future in futures:
                future.add_done_callback(ready.put)
            while left:
                try:
                    future = ready.get(timeout=POLL)
                except queue.Empty:
                    self._look()
                    yield None
                    continue
                yield self._answer(future, f"shard {left.pop(future.key)} of {of}")
                future.release()
        finally:
            if self._client.status == "running":
                self._client.cancel([one for one in futures if one.key in left], force=True)

    def _look(self) -> None:
        """Raises an error if the scheduler is gone."""
        if self._client.status != "running":
            raise _lost(self._client)

    def _answer(self, future: Any, name: str) -> Part | Refused:
        dask = library("distributed")
        while True:
            try:
                answer: Part | Refused = future.result(timeout=POLL)
                return answer
            except dask.TimeoutError:
                # Its worker has died since: it is computed again.
                self._look()
            except dask.KilledWorker as error:
                raise _killed(name, error) from error
            except dask.CancelledError as error:
                self._look()
                raise RungError.because(name, "was cancelled by another user of it") from error
            except RungError:
                raise
            except Exception as error:
                raise _failed(name, error) from error


def compute(index: int, job: Job, of: int) -> Part | Refused:
    """Computes a shard in a worker of Dask, until nobody wants it any more."""
    worker = library("distributed").get_worker()
    key = worker.get_current_task()

    def unwanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state == "cancelled"

    # Dask removes the folder of a worker that was killed.
    place = worker.local_directory
    return shard.compute(job, index, of, worker=worker.address, folder=place, unless=unwanted)


@contextmanager
def _opened(dask: Any, address: str) -> Iterator[Any]:
    try:
        client = dask.Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise RungError.because(
            f"client={address}",
            "no scheduler of Dask answers there",
            allowed="the address of a scheduler, such as tcp://10.0.0.7:8786",
            advice="start one with `dask scheduler`, and workers with `dask worker ADDRESS`",
        ) from error
    with client:
        yield client


def _usable(client: Any) -> Any:
    """The client, if its scheduler answers and all have the same version of Dask."""
    if client.asynchronous:
        raise RungError.because(
            "client", "is asynchronous", allowed="a client that was made without asynchronous=True"
        )
    if client.status != "running":
        raise _lost(client)
    try:
        versions = client.get_versions()
    except OSError as error:
        raise _lost(client) from error
    mine = _version(versions["client"])
    others = {"the scheduler": versions["scheduler"]} | {
        f"the worker {address}": version for address, version in versions["workers"].items()
    }
    for name, version in others.items():
        if _version(version) != mine:
            raise RungError.because(
                name,
                f"has distributed {_version(version)}, and this process has {mine}",
                allowed="one version, which Dask itself asks for",
                advice=f"run `pip install distributed=={mine}` there",
            )
    return client


def _version(of: Any) -> str:
    return str(((of or {}).get("packages") or {}).get("distributed"))


def _lost(client: Any) -> RungError:
    at = client.scheduler.address if client.scheduler is not None else "the client"
    return RungError.because(
        str(at),
        f"the scheduler of Dask does not answer: its client is {client.status}",
        advice="start the scheduler and its workers again, and make a new client",
    )


def _killed(name: str, error: Any) -> RungError:
    last = getattr(error.last_worker, "address", error.last_worker)
    return RungError.because(
        name,
        f"workers that computed it have died, {error.allowed_failures + 1} of them: at last {last}",
        advice="see why in their logs; with more shards each of them is smaller",
    )


def _failed(name: str, error: Exception) -> RungError:
    return RungError.because(
        name,
        f"failed on its worker: {type(error).__name__}: {error}",
        advice="install the same package on the scheduler and on all workers",
    )
