"""sqlite3 with its calls timed, on whichever thread makes them."""

import sqlite3
from time import monotonic_ns, thread_time_ns
from typing import Any

from account import Meter
from gauge import Gauge

SHORTEST_SLEEP = 1_000_000
"""SQLite's busy handler sleeps at least so many nanoseconds: what is shorter is no lock."""


class TimedCursor(sqlite3.Cursor):
    """A cursor whose statements tell the meter of their connection."""

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        connection, began, cpu = self.connection, monotonic_ns(), thread_time_ns()
        try:
            return super().execute(sql, *args)
        finally:
            used, now = thread_time_ns() - cpu, monotonic_ns()
            idle = now - began - used
            connection.meter.cpu += used
            writes = not sql.startswith("SELECT")
            # Readers of a write-ahead log wait for nobody.
            if idle >= SHORTEST_SLEEP and (writes or connection.readers_wait):
                connection.meter.lock += idle
            if writes and sql != "BEGIN" and connection.in_transaction:
                connection.locked_since = connection.locked_since or now


class TimedConnection(sqlite3.Connection):
    """A connection that tells the meter of the request that uses it."""

    meter = Meter()
    writer: Gauge
    """Time that this process holds the write lock."""
    readers_wait = True
    locked_since = 0

    def cursor(self, *_: Any) -> TimedCursor:
        return super().cursor(TimedCursor)

    def commit(self) -> None:
        began, cpu = monotonic_ns(), thread_time_ns()
        try:
            super().commit()
        finally:
            used, now = thread_time_ns() - cpu, monotonic_ns()
            self.meter.cpu += used
            self.meter.disk += now - began - used
            self._unlocked(now)

    def rollback(self) -> None:
        super().rollback()
        self._unlocked(monotonic_ns())

    def _unlocked(self, now: int) -> None:
        if self.locked_since and not self.in_transaction:
            self.writer.add(now - self.locked_since)
            self.locked_since = 0
