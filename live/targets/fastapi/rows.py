"""Rows of the database that statements lock, as far as this worker sees it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from gauge import Gauge

Row = tuple[int, int]
"""The number of its name in the scenario, and its own."""

holders: dict[Row, "Rows"] = {}
"""Who holds which row."""
guard = Lock()


class Rows:
    """The rows that a transaction has locked.

    The end of a transaction is noticed when the server's answer is read: if another transaction
    has the row by then, it was given back at that instant.
    """

    def __init__(self, gauges: list[Gauge]) -> None:
        self._gauges = gauges
        self._held: set[Row] = set()

    @contextmanager
    def locking(self, spec: dict[str, Any], draws: list[int]) -> Iterator[None]:
        """While a statement is executed. A transaction that fails gives back its rows."""
        try:
            yield
        except BaseException:
            self.free()
            raise
        if spec["locks"] is not None:
            self._lock((spec["locks"], draws[spec["row"]]))

    def _lock(self, row: Row) -> None:
        with guard:
            before = holders.get(row)
            if before is self:
                return
            if before is not None:
                self._gauges[row[0]].leave()
            holders[row] = self
            self._gauges[row[0]].enter()
        self._held.add(row)

    def free(self) -> None:
        """The transaction is over."""
        with guard:
            for row in self._held:
                if holders.get(row) is self:
                    del holders[row]
                    self._gauges[row[0]].leave()
        self._held.clear()
