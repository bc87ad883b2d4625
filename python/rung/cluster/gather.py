"""From a scenario to its sweep by way of a cluster."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from rung import programs
from rung.cluster.job import Job
from rung.cluster.progress import Progress
from rung.cluster.shard import Part, Refused
from rung.errors import Problem, RungError

if TYPE_CHECKING:
    import distributed

    from rung.scenario import Scenario

PER_PROCESSOR = 8
"""Least shards for each processor, so that all have work until shortly before the end."""

LONGEST = 200
"""Most points of a shard unless there would be too many: so much is lost with a worker."""

MOST = 10_000
"""Most shards unless more are asked for."""


Answers: TypeAlias = "Generator[Part | Refused | None, None, None]"


class Cluster(Protocol):
    """Worker processes that compute shards."""

    def processors(self) -> int:
        """How many shards are computed at a time, as far as it is known now."""

    def run(self, job: Job, of: int) -> Answers:
        """The answers to all shards in the order in which they come; now and then nothing, while
        there is none. Closing the iterator takes back what is not done.

        Raises:
            RungError: the cluster was lost, or lost a shard too often.
        """


def sweep(
    scenario: Scenario,
    options: Sequence[str],
    threads: int,
    *,
    client: distributed.Client | str | None,
    ray: bool,
    shards: int | None,
) -> bytes:
    """The document of a sweep, computed by a cluster with so many threads for each shard.

    Raises:
        RungError: bad input, a cluster that cannot be used, or a worker with another build.
    """
    if shards is not None and shards < 1:
        raise RungError.because("shards", f"is {shards}", allowed="a number from 1")
    # Whatever is wrong with the sweep is told before a cluster is asked.
    job = Job.of(scenario, options)
    with _cluster(client, ray, threads) as cluster:
        return merged(job, cluster, shards or split(job.points, cluster.processors()))


def split(points: int, processors: int) -> int:
    """How many shards suit so many points and processors.

    >>> split(10_000, 2), split(100, 64), split(1_000_000, 1_000), split(10_000_000, 2)
    (50, 100, 8000, 10000)
    """
    least = max(PER_PROCESSOR * processors, -(-points // LONGEST))
    return min(least, points, max(MOST, processors))


def _cluster(
    client: distributed.Client | str | None, ray: bool, threads: int
) -> AbstractContextManager[Cluster]:
    if client is not None and ray:
        raise RungError.because(
            "sweep",
            "has both client and ray",
            allowed="one cluster",
            advice="leave one of them out",
        )
    # Neither library is needed unless it is used.
    if ray:
        from rung.cluster.on_ray import OnRay

        return OnRay.connected(threads)
    from rung.cluster.on_dask import OnDask

    return OnDask.connected(client)


def merged(job: Job, cluster: Cluster, of: int) -> bytes:
    """The sweep, once all shards are there. Nothing is left of one that was given up."""
    with (
        tempfile.TemporaryDirectory(prefix="rung-") as folder,
        closing(cluster.run(job, of)) as answers,
        Progress(job.points, of) as progress,
    ):
        done: set[int] = set()
        for answer in answers:
            if answer is not None:
                part = _checked(job, answer)
                # One that comes twice has the same bytes.
                Path(folder, f"part-{part.shard}.jsonl").write_bytes(part.lines)
                done.add(part.shard)
            progress.done(len(done))
        return programs.ask(["merge", "--format=json", folder])


def _checked(job: Job, answer: Part | Refused) -> Part:
    """The part of a worker, if it is of this sweep and this build."""
    build = job.head["build"]
    if isinstance(answer, Refused):
        if answer.build not in (None, build):
            raise _other_build(answer.worker, str(answer.build), build)
        raise RungError(_told(answer))
    first, newline, rest = answer.lines.partition(b"\n")
    try:
        head = json.loads(first)
        theirs, sweep, shard = head["build"], dict(head["job"]), head["shard"]
    except (ValueError, KeyError, TypeError) as error:
        raise RungError(_strange(answer.worker)) from error
    if theirs != build:
        raise _other_build(answer.worker, theirs, build)
    # Remarks are on the files as they were written. Workers have all of them in one file.
    mine = job.head["job"]
    if sweep | {"notes": mine["notes"]} != mine:
        raise RungError(_strange(answer.worker))
    whole: dict[str, Any] = job.head | {"shard": shard}
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
    return replace(answer, lines=text.encode() + newline + rest)


def _told(refused: Refused) -> tuple[Problem, ...]:
    """Why a worker has no part. What is wrong with a point is the same on every worker."""
    before = "" if refused.build is not None else f"worker {refused.worker}: "
    return tuple(
        replace(one, file=before.removesuffix(": ") if one.file == "sim" else before + one.file)
        for one in refused.problems
    )


def _other_build(worker: str, theirs: str, mine: str) -> RungError:
    return RungError.because(
        f"worker {worker}",
        f"has the build {theirs} of sim, and this process has {mine}",
        allowed="one build: answers of several do not mix",
        advice="install the same package here and on all workers",
    )


def _strange(worker: str) -> tuple[Problem, ...]:
    found = "has answered with something that is no part of this sweep"
    advice = "install the same package here and on all workers"
    return (Problem(file=f"worker {worker}", found=found, advice=advice),)
