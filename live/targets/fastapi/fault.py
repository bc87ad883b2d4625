"""Why a request is not answered well: the libraries' errors by the kinds of the report."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from sqlalchemy import exc

STATUS = {"upstream_timeout": 504, "upstream_failed": 502, "upstream_refused": 503}
"""The HTTP status of a kind; of any other it is 500."""
REFUSALS = (429, 503)
"""Statuses with which an upstream says that it has too many calls."""


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
    except exc.TimeoutError as error:
        raise Fault("pool_timeout", str(error)) from error
    except exc.DBAPIError as error:
        if refused(error.orig):
            raise Fault("too_many_clients", str(error.orig)) from error
        busy = "locked" in str(error.orig)
        raise Fault("database_busy" if busy else "service_failed", str(error.orig)) from error
    except OSError as error:
        # asyncpg finds no server.
        raise Fault("service_failed", str(error)) from error
    except Exception as error:
        # asyncpg's own, which SQLAlchemy passes on while it connects.
        if refused(error):
            raise Fault("too_many_clients", str(error)) from error
        raise


def refused(error: BaseException) -> bool:
    """The server has too many connections. psycopg says that in words alone."""
    words = "too many clients", "remaining connection slots"
    return getattr(error, "sqlstate", None) == "53300" or any(it in str(error) for it in words)


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
