"""Processes below this one, as /proc of Linux tells them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120
"""Seconds after which a test gives up waiting for what must happen."""


def until(look: Callable[[], T | None]) -> T:
    """What ``look`` finds, once it finds something."""
    for _ in range(PATIENCE * 100):
        found = look()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"{look.__name__} has found nothing in {PATIENCE} s")


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        # It has ended meanwhile.
        return []


def is_sweeping(pid: int) -> bool:
    """Whether a process is ``sim sweep``."""
    try:
        program, *words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    # Before it becomes the program, a child has the words of Python.
    return program.endswith(b"sim") and b"sweep" in words


def sweeping(root: int) -> list[tuple[int, int]]:
    """All ``sim sweep`` below a process, each behind the process that has started it."""
    found, left = [], [root]
    while left:
        pid = left.pop()
        for child in children(pid):
            left.append(child)
            if is_sweeping(child):
                found.append((pid, child))
    return found


def at_work() -> list[tuple[int, int]]:
    """All workers below this process that compute a shard, and their programs. What this process
    asks of the program itself does not count.
    """
    return [(worker, sim) for worker, sim in sweeping(os.getpid()) if worker != os.getpid()]


def runs(pid: int) -> bool:
    """Whether a process is there, and not only its exit code."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state not in "ZX"
