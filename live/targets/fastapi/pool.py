"""SQLAlchemy's pools with their waits timed."""

from time import monotonic_ns
from typing import Any

from sqlalchemy.pool import QueuePool

from account import current
from gauge import Stations


def timed(pool: type[QueuePool], stations: Stations) -> type[QueuePool]:
    """The pool class, except that it tells how long a request waits for a connection."""
    queue = pool._queue_class

    class TimedQueue(queue):
        def get(self, block: bool = True, timeout: float | None = None) -> Any:
            if not block or not self.empty():
                return super().get(block, timeout)
            began = monotonic_ns()
            with stations.pool_waiting:
                try:
                    return super().get(block, timeout)
                finally:
                    current.get().meter.pool += monotonic_ns() - began

    class TimedPool(pool):
        _queue_class = TimedQueue

    return TimedPool
