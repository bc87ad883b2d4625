"""The database: SQLAlchemy with sqlite3 for handlers that block, with aiosqlite for those
that await."""

from typing import Any

from sqlalchemy import Engine, create_engine, event, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool, QueuePool

from account import CPU_WAIT, DISK, LOCK, LOOP, POOL, Account, current
from driver import Held, TimedConnection
from gauge import Stations
from pool import timed

Statement = Any


class Base(DeclarativeBase):
    """The tables."""


class Item(Base):
    """A row of the data set."""

    __tablename__ = "item"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    stock: Mapped[int]
    body: Mapped[str]


class Database:
    """One SQLite file behind an engine of each kind. Engines connect when they are used."""

    def __init__(self, spec: dict[str, Any], stations: Stations) -> None:
        self._spec = spec
        self.awaited: bool = spec["driver"] == "async"
        self._stations = stations
        TimedConnection.held = Held(stations.writer)
        TimedConnection.readers_wait = spec["journal_mode"] != "wal"
        url, options = f"sqlite:///{spec['file']}", self._options(QueuePool)
        self.engine: Engine = create_engine(url, **options)
        self._listen(self.engine)
        url, options = f"sqlite+aiosqlite:///{spec['file']}", self._options(AsyncAdaptedQueuePool)
        self.async_engine: AsyncEngine = create_async_engine(url, **options)
        self._listen(self.async_engine.sync_engine)

    def _options(self, queue_pool: type[QueuePool]) -> dict[str, Any]:
        arguments = {"timeout": self._spec["busy_timeout"], "factory": TimedConnection}
        options: dict[str, Any] = {"connect_args": arguments}
        pool = self._spec["pool"]
        if pool is None:
            return options | {"poolclass": NullPool}
        sizes = {"pool_size": pool["size"], "max_overflow": pool["overflow"]}
        patience = {"pool_timeout": pool["timeout"]}
        return options | sizes | patience | {"poolclass": timed(queue_pool, self._stations)}

    def _listen(self, engine: Engine) -> None:
        event.listen(engine, "connect", self._connected)
        event.listen(engine, "checkout", self._checked_out)
        event.listen(engine, "checkin", self._checked_in)

    def _connected(self, connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        for pragma in self._spec["pragmas"]:
            cursor.execute(pragma)
        cursor.close()

    def _checked_out(self, connection: Any, *_: Any) -> None:
        self._stations.pool.enter()
        raw(connection).meter = current.get().meter

    def _checked_in(self, *_: Any) -> None:
        self._stations.pool.leave()


def raw(connection: Any) -> TimedConnection:
    """sqlite3's connection below what SQLAlchemy shows."""
    driver = getattr(connection, "driver_connection", connection)
    return driver if isinstance(driver, TimedConnection) else driver._conn


def begin(how: str) -> Statement:
    """The start of a transaction: pysqlite's own comes too late to hold a read."""
    return text("BEGIN IMMEDIATE" if how == "immediate" else "BEGIN")


def statement(spec: dict[str, Any], draws: list[int]) -> Statement:
    """A statement of a step."""
    first = draws[spec["row"]]
    if spec["kind"] == "read":
        return select(Item).where(Item.id == first)
    last = first + spec["pages"] - 1
    changed = update(Item).where(Item.id.between(first, last)).values(stock=Item.stock + 1)
    return changed.execution_options(synchronize_session=False)


def operated(account: Account, on_loop: bool) -> None:
    """Books an operation: what the driver has seen of it, and what is left as waiting for
    the loop or a processor."""
    meter = account.meter
    account.spend_up_to_now(((POOL, meter.pool), (LOCK, meter.lock), (DISK, meter.disk)))
    # On this thread sqlite3's computing is among the thread's own.
    elsewhere = meter.cpu if on_loop else 0
    account.lap(account.take_cpu() + elsewhere, LOOP if on_loop else CPU_WAIT)
    meter.clear()
