"""The database: SQLAlchemy with an engine for handlers that block and one for those that
await."""

from typing import Any

from sqlalchemy import Engine, create_engine, event, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool, QueuePool

from account import CPU_WAIT, DISK, LOCK, LOOP, POOL, SERVER, Account, current
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
    """One database behind an engine of each kind. Engines connect when they are used."""

    def __init__(self, spec: dict[str, Any], stations: Stations) -> None:
        self._spec = spec
        self.awaited: bool = spec["driver"] == "async"
        self._stations = stations
        self._kind = kind(spec, stations)
        blocking, parked = self._kind.urls
        options = self._options(QueuePool, self._kind.arguments[0])
        self.engine: Engine = create_engine(blocking, **options)
        self._listen(self.engine)
        options = self._options(AsyncAdaptedQueuePool, self._kind.arguments[1])
        self.async_engine: AsyncEngine = create_async_engine(parked, **options)
        self._listen(self.async_engine.sync_engine)

    def _options(self, queue_pool: type[QueuePool], arguments: dict[str, Any]) -> dict[str, Any]:
        options: dict[str, Any] = {"connect_args": arguments}
        pool = self._spec["pool"]
        if pool is None:
            return options | {"poolclass": NullPool}
        sizes = {"pool_size": pool["size"], "max_overflow": pool["overflow"]}
        patience = {"pool_timeout": pool["timeout"], "pool_pre_ping": pool["pre_ping"]}
        return options | sizes | patience | {"poolclass": timed(queue_pool, self._stations)}

    def _listen(self, engine: Engine) -> None:
        self._kind.listen(engine)
        event.listen(engine, "checkout", self._checked_out)
        event.listen(engine, "checkin", self._checked_in)

    def _checked_out(self, connection: Any, *_: Any) -> None:
        self._stations.pool.enter()
        self._kind.count_in(current.get().meter, connection)

    def _checked_in(self, *_: Any) -> None:
        self._stations.pool.leave()

    def begin(self, how: str | None) -> Statement | None:
        """What a transaction begins with, if the drivers do not begin it as it should."""
        first = None if how is None else self._kind.begin(how)
        return None if first is None else text(first)


def kind(spec: dict[str, Any], stations: Stations) -> Any:
    """What is particular to an engine. The drivers of others are not loaded."""
    if spec["engine"] == "postgres":
        from postgres import Postgres

        return Postgres(spec, stations)
    from sqlite import Sqlite

    return Sqlite(spec, stations)


def statement(spec: dict[str, Any], draws: list[int]) -> Statement:
    """A statement of a step."""
    first = draws[spec["row"]]
    if spec["kind"] == "read":
        wanted = select(Item).where(Item.id == first)
        return wanted if spec["locks"] is None else wanted.with_for_update()
    last = first + spec["pages"] - 1
    changed = update(Item).where(Item.id.between(first, last)).values(stock=Item.stock + 1)
    return changed.execution_options(synchronize_session=False)


def operated(account: Account, on_loop: bool) -> None:
    """Books an operation: what the driver has seen of it, and what is left as waiting for
    the loop or a processor."""
    meter = account.meter
    seen = (POOL, meter.pool), (LOCK, meter.lock), (DISK, meter.disk), (SERVER, meter.server)
    account.spend_up_to_now(seen)
    # On this thread the driver's computing is among the thread's own.
    elsewhere = meter.cpu if on_loop else 0
    account.lap(account.take_cpu() + elsewhere, LOOP if on_loop else CPU_WAIT)
    meter.clear()
