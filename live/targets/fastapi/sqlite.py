"""SQLite: sqlite3 for handlers that block, aiosqlite for those that await."""

from typing import Any

from sqlalchemy import Engine, event

from account import Meter
from driver import Held, TimedConnection
from gauge import Stations


class Sqlite:
    """One file, and how it is opened."""

    def __init__(self, spec: dict[str, Any], stations: Stations) -> None:
        TimedConnection.held = Held(stations.writer)
        TimedConnection.readers_wait = spec["journal_mode"] != "wal"
        self._pragmas: list[str] = spec["pragmas"]
        self.urls = f"sqlite:///{spec['file']}", f"sqlite+aiosqlite:///{spec['file']}"
        arguments = {"timeout": spec["busy_timeout"], "factory": TimedConnection}
        self.arguments = arguments, arguments

    def listen(self, engine: Engine) -> None:
        """Sets up each connection that `engine` opens."""
        event.listen(engine, "connect", self._connected)

    def _connected(self, connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        for pragma in self._pragmas:
            cursor.execute(pragma)
        cursor.close()

    @staticmethod
    def begin(how: str) -> str | None:
        """The start of a transaction: pysqlite's own comes too late to hold a read."""
        return "BEGIN IMMEDIATE" if how == "immediate" else "BEGIN"

    @staticmethod
    def count_in(meter: Meter, connection: Any) -> None:
        """Counts what a connection does in `meter` from now on."""
        driver = getattr(connection, "driver_connection", connection)
        raw = driver if isinstance(driver, TimedConnection) else driver._conn
        raw.meter = meter
