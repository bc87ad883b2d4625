"""Postgres: psycopg for handlers that block, asyncpg for those that await. Both with their
waits for the server timed."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic_ns, thread_time_ns
from typing import Any

import asyncpg.protocol
import psycopg
from sqlalchemy import URL, Engine, event

from account import Meter, current
from gauge import Stations

IDLE = b"\0C25P03\0"
"""The server's last word to a session that was idle in a transaction for too long."""


UNPREPARED: tuple[dict[str, Any], dict[str, Any]] = (
    {"prepare_threshold": None},
    {
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": lambda: "",
    },
)
"""What psycopg and asyncpg need where the next transaction may be on another connection to the
server, on which nothing has been prepared."""


class Postgres:
    """One database of a server, and how it is connected to."""

    def __init__(self, spec: dict[str, Any], _: Stations) -> None:
        names = ("host", "port", "username", "password", "database")
        where = {name: spec[name] for name in names}
        drivers = "postgresql+psycopg", "postgresql+asyncpg"
        self.urls = tuple(URL.create(driver, **where) for driver in drivers)
        blocking, parked = UNPREPARED if spec["pooled"] else ({}, {})
        self.arguments: tuple[dict[str, Any], dict[str, Any]] = blocking, parked
        # asyncpg has no setting for it.
        asyncpg.protocol.Protocol = TimedProtocol

    def listen(self, engine: Engine) -> None:
        """Opens connections of psycopg that are timed."""
        if not engine.dialect.is_async:
            event.listen(engine, "do_connect", self._connect)

    def _connect(self, _: Any, __: Any, arguments: Any, named: dict[str, Any]) -> Any:
        return TimedConnection.connect(*arguments, **named)

    @staticmethod
    def begin(_: str) -> str | None:
        """The drivers begin a transaction before its first statement, whatever it is."""
        return None

    @staticmethod
    def count_in(meter: Meter, connection: Any) -> None:
        """Counts what a connection does in `meter` from now on."""
        driver = getattr(connection, "driver_connection", connection)
        timed = driver if isinstance(driver, TimedConnection) else driver._protocol
        timed.meter = meter


@contextmanager
def waiting(meter: Meter) -> Iterator[None]:
    """Time in which this thread waits for the server, with what is counted meanwhile in it."""
    before, began, cpu = meter.server, monotonic_ns(), thread_time_ns()
    try:
        yield
    finally:
        meter.server = before + monotonic_ns() - began - (thread_time_ns() - cpu)


class TimedConnection(psycopg.Connection):
    """A connection of psycopg that counts its waits in the meter of the request that uses it."""

    meter = Meter()

    @classmethod
    def connect(cls, *args: Any, **named: Any) -> "TimedConnection":
        meter = current.get().meter
        with waiting(meter):
            connection = super().connect(*args, **named)
        connection.meter = meter
        return connection

    def wait(self, *args: Any, **named: Any) -> Any:
        with waiting(self.meter):
            return super().wait(*args, **named)


class Wire:
    """A transport of the loop that tells when something is sent."""

    def __init__(self, transport: Any, protocol: "TimedProtocol") -> None:
        self._transport = transport
        self._protocol = protocol

    def write(self, data: Any) -> None:
        """Sends."""
        self._protocol.since = monotonic_ns()
        self._transport.write(data)

    def writelines(self, data: Any) -> None:
        """Sends several pieces."""
        self._protocol.since = monotonic_ns()
        self._transport.writelines(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class TimedProtocol(asyncpg.protocol.Protocol):
    """asyncpg's side of a connection, which counts how long the server's answers take to come.

    What the loop then reads of them it computes outside of the request's own turns.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.meter: Meter = current.get().meter
        self.since = 0
        """When something was sent, or an answer came, last."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(Wire(transport, self))

    def data_received(self, data: bytes) -> None:
        cpu, now = thread_time_ns(), monotonic_ns()
        if IDLE in data:
            # asyncpg only says to its next caller that the connection is closed.
            self.meter.ended = "25P03"
        # Until the loop turned from the request, it was still computing.
        self.meter.server += max(now - max(self.since, self.meter.turned), 0)
        self.since = now
        super().data_received(data)
        self.meter.cpu += thread_time_ns() - cpu
