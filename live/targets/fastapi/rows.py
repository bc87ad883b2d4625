"""Rows of the database that statements lock."""

from typing import Any

from gauge import Gauge


class Rows:
    """The rows that a transaction has locked."""

    def __init__(self, gauges: list[Gauge]) -> None:
        self._gauges = gauges
        self._held: set[tuple[int, int]] = set()

    def lock(self, spec: dict[str, Any], draws: list[int]) -> None:
        """Notes the row that a statement has locked, if it has."""
        name = spec["locks"]
        if name is None or (name, draws[spec["row"]]) in self._held:
            return
        self._held.add((name, draws[spec["row"]]))
        self._gauges[name].enter()

    def free(self) -> None:
        """The transaction is over."""
        for name, _ in self._held:
            self._gauges[name].leave()
        self._held.clear()
