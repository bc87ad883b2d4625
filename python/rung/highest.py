"""The highest value of a key that keeps the objectives: each sweep asks for the next points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rung.schema import Point, Sweep

POINTS = 8
"""Most points of one sweep. The number is not that of a cluster's processors: the points that are
tried, and so the answer, are the same with and without one."""


@dataclass(frozen=True)
class Highest:
    """What was found of a key."""

    key: str
    value: int | None
    """The highest that is kept, below the first that is broken; None if the lowest is broken."""
    broken: int | None
    """The next that was tried, at which an objective is broken; None if the highest is kept."""
    points: tuple[Point, ...]
    """All values that were tried, in their order."""

    def __str__(self) -> str:
        """In a sentence."""
        if self.value is None:
            return f"no value of {self.key} keeps the objectives: {self.broken} breaks one"
        if self.broken is None:
            return f"{self.key}={self.value}, the highest that was asked for, keeps the objectives"
        return f"{self.key}={self.value} keeps the objectives, {self.broken} does not"


def search(key: str, within: range, ask: Callable[[Sequence[int]], Sweep]) -> Highest:
    """Narrows the gap between a value that is kept and one that is broken.

    Args:
        key: which key.
        within: its values, from the lowest to the highest.
        ask: the sweep at some values.
    """
    tried: dict[int, Point] = {}
    # Places in the range: the last that is kept, and the first that is broken.
    low, high = -1, len(within)
    while places := between(low, high):
        sweep = ask([within[place] for place in places])
        tried.update(
            (within[place], point) for place, point in zip(places, sweep.points, strict=True)
        )
        broken = [
            place for place, point in zip(places, sweep.points, strict=True) if not kept(point)
        ]
        high = min(broken, default=high)
        low = max((place for place in places if place < high), default=low)
    return Highest(
        key,
        within[low] if low >= 0 else None,
        within[high] if high < len(within) else None,
        tuple(tried[value] for value in sorted(tried)),
    )


def between(low: int, high: int) -> list[int]:
    """Up to `POINTS` places between two, that cut the gap into equal pieces.

    >>> between(-1, 4), between(0, 90), between(5, 6)
    ([0, 1, 2, 3], [10, 20, 30, 40, 50, 60, 70, 80], [])
    """
    gap = high - low
    if gap - 1 <= POINTS:
        return list(range(low + 1, high))
    return [low + gap * piece // (POINTS + 1) for piece in range(1, POINTS + 1)]


def kept(point: Point) -> bool:
    """Whether all objectives are kept there."""
    return all(judged.state == "kept" for judged in point.objectives)
