"""Why a request is not answered well: the libraries' errors by the kinds of the report."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from sqlalchemy import exc

STATUS = {"upstream_timeout": 504, "upstream_failed": 502}
"""The HTTP status of a kind; of any other it is 500."""


class Fault(Exception):
    """A request that fails, and the kind of its error."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind

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
    except exc.OperationalError as error:
        busy = "locked" in str(error.orig)
        raise Fault("database_busy" if busy else "service_failed", str(error.orig)) from error


@contextmanager
def upstream_faults() -> Iterator[None]:
    """Gives httpx's errors their kinds."""
    try:
        yield
    except httpx.PoolTimeout as error:
        raise Fault("connection_timeout", str(error)) from error
    except httpx.TimeoutException as error:
        raise Fault("upstream_timeout", str(error)) from error
    except httpx.HTTPError as error:
        raise Fault("upstream_failed", str(error)) from error
