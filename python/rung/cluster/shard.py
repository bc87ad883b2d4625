"""What a worker process does: it computes one shard of a sweep."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rung import programs
from rung.cluster.job import NONE, Job
from rung.errors import Ended, Problem, RungError


def never() -> bool:
    """No."""
    return False


@dataclass(frozen=True)
class Part:
    """The answer of a worker: a part of the sweep, as ``sim sweep --shard`` writes it."""

    worker: str
    shard: int
    """Counted from 1."""
    lines: bytes


@dataclass(frozen=True)
class Refused:
    """The answer of a worker that has no part, and would not have one if it was asked again."""

    worker: str
    build: str | None
    """That of its ``sim``, where it says so."""
    problems: tuple[Problem, ...]


def compute(
    job: Job,
    shard: int,
    of: int,
    *,
    worker: str = "",
    folder: str | None = None,
    unless: Callable[[], bool] = never,
) -> Part | Refused:
    """Computes a shard in a folder of its own with the ``sim`` of this machine.

    Args:
        job: the sweep.
        shard: which shard, counted from 1.
        of: how many there are.
        worker: what this worker is called in messages; left out, by its machine and process.
        folder: where files may be written, such as one that the cluster removes if this process is
            killed; left out, that of the system for temporary files.
        unless: is asked some times a second whether to give up.

    Raises:
        Ended: somebody ended the program: another worker may have more luck.
    """
    worker = worker or f"{socket.gethostname()}, process {os.getpid()}"
    command, *words = job.words
    try:
        with tempfile.TemporaryDirectory(prefix="rung-", dir=folder) as own:
            job.write(Path(own))
            words = [command, f"--shard={shard}/{of}", *words]
            return Part(worker, shard, programs.ask(words, folder=own, unless=unless))
    except Ended:
        raise
    except RungError as error:
        return Refused(worker, _build(), error.problems)


def _build() -> str | None:
    """The build of this machine's ``sim``, by the smallest part that it can write."""
    try:
        part = programs.ask(
            ["sweep", "--no-cache", "--vary=load.users=1,2", f"--shard={NONE}", "--", "v1.toml"]
        )
        return str(json.loads(part.splitlines()[0])["build"])
    except (RungError, ValueError, KeyError, IndexError):
        return None
