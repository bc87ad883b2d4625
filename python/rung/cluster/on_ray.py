"""A cluster of Ray."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rung.cluster import shard
from rung.cluster.job import Job
from rung.cluster.shard import Part, Refused
from rung.errors import Ended, RungError
from rung.libraries import library

if TYPE_CHECKING:
    from rung.cluster.gather import Answers

RETRIES = 3
"""How often a shard is tried again where its worker died or its program was ended."""

POLL = 1.0
"""Seconds after which the iterator says that nothing has come."""

CONNECT = 10.0
"""Seconds that a cluster may take to answer."""

ADDRESS = "RAY_ADDRESS"
"""The environment variable that names a cluster."""


class OnRay:
    """The cluster that this process is connected to."""

    def __init__(self, ray: Any, threads: int) -> None:
        self._ray = ray
        self._threads = threads

    @classmethod
    @contextmanager
    def connected(cls, threads: int) -> Iterator[OnRay]:
        """The cluster that is connected, else one that is used and left again.

        Raises:
            RungError: no cluster answers, or it is of another version.
        """
        # Ray tells its makers how it is used unless it is told not to.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        ray = library("ray")
        if ray.is_initialized():
            yield cls(ray, threads)
            return
        try:
            _start(ray)
            yield cls(ray, threads)
        finally:
            ray.shutdown()

    def processors(self) -> int:
        """Shards that run at a time."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)) // self._threads)

    def run(self, job: Job, of: int) -> Answers:
        """Sends all shards at once; Ray hands them out, and again if a worker dies."""
        ray = self._ray
        options = {
            "num_cpus": self._threads,
            "max_retries": RETRIES,
            "retry_exceptions": [Ended],
        }
        compute = ray.remote(**options)(_compute)
        sent = ray.put(job)
        shards = {compute.remote(sent, index, of): index for index in range(1, of + 1)}
        try:
            while shards:
                done, _ = ray.wait(list(shards), timeout=POLL)
                if not done:
                    yield None
                for reference in done:
                    yield self._answer(reference, f"shard {shards[reference]} of {of}")
                    del shards[reference]
        finally:
            if ray.is_initialized():
                for reference in shards:
                    ray.cancel(reference)

    def _answer(self, reference: Any, name: str) -> Part | Refused:
        errors = self._ray.exceptions
        try:
            answer: Part | Refused = self._ray.get(reference)
            return answer
        except errors.RayTaskError as error:
            raise _failed(name, error.cause or error) from error
        except errors.RayError as error:
            raise _failed(name, error) from error


def _compute(job: Job, index: int, of: int) -> Part | Refused:
    """Computes a shard in a worker of Ray, which is interrupted when nobody wants it any more."""
    return shard.compute(job, index, of)


def _start(ray: Any) -> None:
    """Connects to the cluster that the environment names, or starts one on this machine alone."""
    address = os.environ.get(ADDRESS)
    local = {"address": "local", "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    try:
        if address:
            _knock(address)
        ray.init(**({} if address else local), log_to_driver=False, logging_level="ERROR")
    except Exception as error:
        # Of no common type: of the network, of versions, of a wrong address.
        raise RungError.because(
            f"{ADDRESS}={address}" if address else "ray",
            f"no cluster of Ray can be used there: {_line(error)}",
            allowed="a cluster with the version of Ray that is installed here",
            advice="start one with `ray start --head`, or unset the variable",
        ) from error


def _knock(address: str) -> None:
    """Ray itself asks an address for minutes before it says that nobody answers.

    Raises:
        OSError: nothing answers there.
        ValueError: it is no address.
    """
    parts = urlsplit(address if "://" in address else f"//{address}")
    if parts.hostname and parts.port:
        socket.create_connection((parts.hostname, parts.port), CONNECT).close()


def _failed(name: str, error: BaseException) -> RungError:
    if isinstance(error, RungError):
        return error
    return RungError.because(
        name,
        f"failed on its worker: {type(error).__name__}: {_line(error)}",
        advice="see why in the logs of Ray; all workers need this package",
    )


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
