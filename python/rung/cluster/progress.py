"""One line of progress, on a terminal and only if the work takes long."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

PATIENCE = 0.3
"""Seconds: work that is done sooner needs no line, and no line is written more often."""

CLEAR = "\r\x1b[K"


class Progress:
    """A line on standard error that is written over and over."""

    def __init__(self, points: int, shards: int) -> None:
        self._points = points
        self._shards = shards
        self._started = self._last = time.monotonic()
        self._is_terminal = sys.stderr is not None and sys.stderr.isatty()
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def done(self, shards: int) -> None:
        """So many shards are done."""
        now = time.monotonic()
        if not self._is_terminal or now - self._last < PATIENCE:
            return
        # Shards differ by no more than one point.
        points = self._points * shards // self._shards
        left = (now - self._started) * (self._shards - shards) / max(shards, 1)
        about = f", about {left:.0f} s left" if shards else ""
        sys.stderr.write(f"{CLEAR}{points} of {self._points} points{about}")
        sys.stderr.flush()
        self._last = now
        self._shown = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._shown:
            sys.stderr.write(CLEAR)
            sys.stderr.flush()
