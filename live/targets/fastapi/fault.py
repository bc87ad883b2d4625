"""Why a request is not answered well: the libraries' errors by the kinds of the report."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from sqlalchemy import exc

from account import current

STATUS = {"upstream_timeout": 504, "upstream_failed": 502, "upstream_refused": 503}
"""The HTTP status of a kind; of any other it is 500."""
REFUSALS = (429, 503)
"""Statuses with which an upstream says that it has too many calls."""

GONE = "57P01", "57P02", "57P03", "08000", "08001", "08003", "08006"
"""SQLSTATEs of a server that ends or begins, and of connections that are gone."""

ENDED = {
    "40P01": "database_deadlock",
    "55P03": "database_lock_timeout",
    "57014": "database_statement_timeout",
    "25P03": "database_idle_in_transaction",
}
"""SQLSTATEs with which the server ends a statement, or a session, that is in the way."""


POOLER = "max_client_conn", "query_wait_timeout"
"""PgBouncer's words for why it ends a connection, which are also the kinds of the errors."""


class Fault(Exception):
    """A request that fails, and the kind of its error."""

    def __init__(self, kind: str, text: str, retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.kind = kind
        self.retry_after = retry_after

    @property
    def status(self) -> int:
        """The HTTP status of the reply."""
        return STATUS.get(self.kind, 500)


@contextmanager
def database_faults() -> Iterator[None]:
    """Gives SQLAlchemy's errors their kinds."""
    try:
        yield
    except Fault:
        raise
    except exc.TimeoutError as error:
        raise Fault("pool_timeout", str(error)) from error
    except exc.DBAPIError as error:
        raise Fault(kind(error), str(error.orig)) from error
    except OSError as error:
        # asyncpg's way of saying that there is no server, or none any more.
        lost = isinstance(error, (BrokenPipeError, ConnectionResetError))
        what = "lost" if lost else "refused"
        raise Fault(f"database_connection_{what}", str(error)) from error
    except Exception as error:
        # asyncpg's own, which SQLAlchemy passes on while it connects.
        if pooler(error) is not None:
            raise Fault(pooler(error), str(error)) from error
        if refused(error):
            raise Fault("too_many_clients", str(error)) from error
        if gone(error):
            raise Fault("database_connection_refused", str(error)) from error
        raise


def kind(error: exc.DBAPIError) -> str:
    """The kind of an error of the driver."""
    for why in state(error.orig), current.get().meter.ended:
        # A lock that comes free at the same instant makes the server forget why it cancels.
        if why == "57014" and "due to user request" in str(error.orig):
            return "database_lock_timeout"
        if why in ENDED:
            return ENDED[why]
    if pooler(error.orig) is not None:
        return pooler(error.orig)
    if refused(error.orig):
        return "too_many_clients"
    if error.connection_invalidated or (error.statement and gone(error.orig)):
        return "database_connection_lost"
    if isinstance(error.orig, sqlite3.Error):
        return "database_busy" if "locked" in str(error.orig) else "service_failed"
    # Connecting is no statement.
    connects = error.statement is None and isinstance(error, exc.OperationalError)
    return "database_connection_refused" if connects else "service_failed"


def pooler(error: BaseException) -> str | None:
    """Why PgBouncer has ended the connection, if it has. psycopg says that in words alone."""
    return next((kind for kind in POOLER if kind in str(error)), None)


def gone(error: BaseException) -> bool:
    """The server is shut down, or not ready yet, or the connection has ended."""
    return state(error) in GONE


def state(error: BaseException) -> str:
    """The SQLSTATE of an error of a driver."""
    return str(getattr(error, "sqlstate", None))


def refused(error: BaseException) -> bool:
    """The server has too many connections. psycopg says that in words alone."""
    words = "too many clients", "remaining connection slots"
    return state(error) == "53300" or any(it in str(error) for it in words)


@contextmanager
def upstream_faults() -> Iterator[None]:
    """Gives httpx's errors their kinds."""
    try:
        yield
    except httpx.PoolTimeout as error:
        raise Fault("connection_timeout", str(error)) from error
    except httpx.TimeoutException as error:
        raise Fault("upstream_timeout", str(error)) from error
    except httpx.HTTPStatusError as error:
        if error.response.status_code not in REFUSALS:
            raise Fault("upstream_failed", str(error)) from error
        raise Fault("upstream_refused", str(error), retry_after(error.response)) from error
    except httpx.HTTPError as error:
        raise Fault("upstream_failed", str(error)) from error


def retry_after(response: httpx.Response) -> float:
    """Seconds for which an upstream asks to be left alone."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdigit() else 0.0
