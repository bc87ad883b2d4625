"""sqlite3 with its calls timed, on whichever thread makes them."""

import sqlite3
from threading import Lock
from time import monotonic_ns, thread_time_ns
from typing import Any

from account import Meter
from gauge import Gauge

SHORTEST_SLEEP = 1_000_000
"""SQLite's busy handler sleeps at least so many nanoseconds: a shorter wait is not for a lock."""


class TimedCursor(sqlite3.Cursor):
    """A cursor that counts its statements in the meter of its connection."""

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        connection, began, cpu = self.connection, monotonic_ns(), thread_time_ns()
        done = False
        try:
            result = super().execute(sql, *args)
            done = True
            return result
        finally:
            used, now = thread_time_ns() - cpu, monotonic_ns()
            idle = now - began - used
            connection.meter.cpu += used
            writes = not sql.startswith("SELECT")
            # Readers of a write-ahead log never wait for a lock.
            if idle >= SHORTEST_SLEEP and (writes or connection.readers_wait):
                connection.meter.lock += idle
            # A write that failed has begun a transaction too, but without the lock.
            if done and writes and sql != "BEGIN" and connection.in_transaction:
                connection.held.begin(connection, now)


class Held:
    """How long the connections of this process hold the write lock, of which there is one.

    Its release is noticed only when the releasing thread has the interpreter lock again. If
    another connection has taken it by then, it was released at that instant.
    """

    def __init__(self, writer: Gauge) -> None:
        self._writer = writer
        self._lock = Lock()
        self._holder: object = None
        self._since = 0

    def begin(self, holder: object, now: int) -> None:
        """Notes that a connection has the lock."""
        with self._lock:
            if self._holder is holder:
                return
            if self._holder is not None:
                self._writer.add(now - self._since)
            self._holder, self._since = holder, now

    def end(self, holder: object, now: int) -> None:
        """Notes that a connection released the lock, unless another has taken it already."""
        with self._lock:
            if self._holder is holder:
                self._writer.add(now - self._since)
                self._holder = None


class TimedConnection(sqlite3.Connection):
    """A connection that counts its calls in the meter of the request that uses it."""

    meter = Meter()
    held: Held
    """How long connections of this process hold the write lock."""
    readers_wait = True

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
        try:
            super().rollback()
        finally:
            self._unlocked(monotonic_ns())

    def close(self) -> None:
        super().close()
        self.held.end(self, monotonic_ns())

    def _unlocked(self, now: int) -> None:
        if not self.in_transaction:
            self.held.end(self, now)
